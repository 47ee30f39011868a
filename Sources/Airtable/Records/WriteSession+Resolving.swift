import Access
import Database
import Domain

/// What needs the database before cells can be set: new choices, and links given by primary text.
extension WriteSession {
    /// The cells that `drafts` mean: nil clears one. Makes choices, and linked records, that
    /// typecasting asks for.
    ///
    /// - Parameter ids: the loaded rows that the drafts change, in their order: an attachment named by
    ///   its identifier is looked for there first.
    mutating func resolve(
        _ drafts: [[FieldInput]],
        of ids: [RecordID?] = [],
        in table: TableID
    ) throws -> [[FieldID: CellValue?]] {
        let newChoices = try makeChoices(drafts, in: table)
        let records = try findOrMakeLinked(drafts, in: table)
        return try drafts.enumerated().map { position, draft in
            var cells: [FieldID: CellValue?] = [:]
            for cell in draft {
                let field = cell.field.id
                let value: CellValue?
                if case .attachments(let inputs) = cell.input {
                    let id = position < ids.count ? ids[position] : nil
                    value = .attachments(try files(inputs, cell.field, of: id, in: table))
                } else {
                    value = Self.value(cell.input, choices: newChoices[field], records: records[field])
                }
                cells.updateValue(value, forKey: field)
            }
            return cells
        }
    }

    private func files(
        _ inputs: [AttachmentInput],
        _ field: Field,
        of id: RecordID?,
        in table: TableID
    ) throws(AirtableError) -> [Attachment] {
        var present: [Attachment] = []
        if let id, case .attachments(let files)? = row(id, in: table)?.cells[field.id] { present = files }
        var files: [Attachment] = []
        for input in inputs {
            var file = attachments[input]
            if case .existing(let id) = input {
                if let own = present.first(where: { $0.id == id }) {
                    file = own
                } else if gate?.sight.scope.isWholeInBases == false {
                    // It may be of a cell that they do not see.
                    file = nil
                }
            }
            guard let file else { throw .unknownAttachment(field) }
            if !files.contains(where: { $0.id == file.id }) { files.append(file) }
        }
        return files
    }

    private static func value(
        _ input: CellInput,
        choices: [String: ChoiceID]?,
        records: [String: RecordID]?
    ) -> CellValue? {
        func id(_ choice: ChoiceInput) -> ChoiceID? {
            switch choice {
            case .existing(let id): id
            case .new(let name): choices?[name]
            }
        }
        switch input {
        case .empty: return nil
        case .value(let value): return value
        case .choice(let choice): return id(choice).map { .choice($0) }
        case .choices(let list): return .choices(list.compactMap(id))
        case .links(let list):
            var ids: [RecordID] = []
            var seen: Set<RecordID> = []
            for link in list {
                let found: RecordID? =
                    switch link {
                    case .record(let id): id
                    case .text(let text): records?[text]
                    }
                if let found, seen.insert(found).inserted { ids.append(found) }
            }
            return ids.isEmpty ? nil : .links(ids)
        // Looked up where the row is at hand.
        case .attachments: return nil
        }
    }

    private mutating func makeChoices(
        _ drafts: [[FieldInput]],
        in table: TableID
    ) throws -> [FieldID: [String: ChoiceID]] {
        var names: [FieldID: [String]] = [:]
        for cell in drafts.joined() {
            let choices: [ChoiceInput]
            switch cell.input {
            case .choice(let choice): choices = [choice]
            case .choices(let list): choices = list
            default: continue
            }
            for case .new(let name) in choices { names[cell.field.id, default: []].append(name) }
        }
        var made: [FieldID: [String: ChoiceID]] = [:]
        // In the order of fields, so that the same write always gives the same log.
        for field in try model(table).table.fields {
            guard let names = names[field.id] else { continue }
            made[field.id] = try addChoices(names, to: field.id, in: table)
        }
        return made
    }

    /// For each link field, the records that its texts mean: the first with that primary value, or
    /// else a new one.
    private mutating func findOrMakeLinked(
        _ drafts: [[FieldInput]],
        in table: TableID
    ) throws -> [FieldID: [String: RecordID]] {
        var texts: [FieldID: [String]] = [:]
        var fields: [FieldID: Field] = [:]
        for cell in drafts.joined() {
            guard case .links(let list) = cell.input else { continue }
            for case .text(let text) in list {
                fields[cell.field.id] = cell.field
                texts[cell.field.id, default: []].append(text)
            }
        }
        // Two fields may lead to one table and name the same new record.
        var byTable: [TableID: [String: RecordID]] = [:]
        var found: [FieldID: [String: RecordID]] = [:]
        for field in try model(table).linkFields {
            guard let texts = texts[field.id], let linked = field.options.linkedTable else { continue }
            var known = byTable[linked] ?? [:]
            let missing = texts.filter { known[$0] == nil }.distinct()
            for (text, id) in try findOrMake(missing, in: linked, for: field) { known[text] = id }
            byTable[linked] = known
            found[field.id] = known
        }
        return found
    }

    private mutating func findOrMake(
        _ texts: [String],
        in table: TableID,
        for field: Field
    ) throws -> [String: RecordID] {
        if texts.isEmpty { return [:] }
        let model = try model(table)
        let isHidden = gate?.sight.hidden(table).contains(model.table.primaryField) ?? false
        guard let primary = model.field(id: model.table.primaryField), !isHidden,
            let stored = model.stored.first(where: { $0.id == primary.id }), primary.type.isFoundByText
        else { throw AirtableError.invalidValue(field, expected: "record identifiers") }
        var inputs: [String: CellInput] = [:]
        var values: [CellValue: String] = [:]
        for text in texts {
            guard let input = try? Self.primaryInput(text, primary) else {
                throw AirtableError.invalidValue(field, expected: "values of the linked table's primary field")
            }
            inputs[text] = input
            if let value = Self.value(input, choices: nil, records: nil) { values[value] = text }
        }
        var found: [String: RecordID] = [:]
        for row in try candidates(where: stored, among: Array(values.keys), of: model) {
            guard let value = self.row(row.id, in: table)?.cells[primary.id], let text = values[value] else { continue }
            if found[text] == nil { found[text] = row.id }
        }
        if texts.contains(where: { found[$0] == nil }) { try gate?.requirePermission(in: model) }
        for text in texts where found[text] == nil {
            guard let input = inputs[text], !primary.type.isComputed else {
                throw AirtableError.invalidValue(field, expected: "records that exist")
            }
            let cells = try resolve([[FieldInput(field: primary, input: input)]], in: table)
            found[text] = try create(cells[0], in: table)
        }
        return found
    }

    private static func primaryInput(_ text: String, _ primary: Field) throws -> CellInput {
        guard primary.type.isComputed else {
            return try CellCodec.parse(.string(text), field: primary, typecast: true)
        }
        if primary.type == .formula { return .value(.computed(.text(text))) }
        guard primary.type == .autoNumber, let number = Double(text) else { throw AirtableError.computed(primary) }
        return .value(.number(number))
    }

    /// Rows whose stored `field` is one of `values`, by position; admitted to the session.
    private mutating func candidates(
        where field: StoredField,
        among values: [CellValue],
        of model: TableModel
    ) throws -> [StoredRow] {
        let arguments = values.compactMap(\.scalarSQL)
        let rows = try RecordStore()
            .rows(where: field, isOneOf: arguments, of: model, tenant: tenant, in: transaction)
        let seen = try gate?.sight.seen(rows, of: model) ?? rows
        for row in seen { try admit(row, model) }
        return seen.sorted { $0.position < $1.position }
    }

    // MARK: Upsert

    /// Records by their values in `fields`, for the values that `keys` ask for. Several records may
    /// share one.
    mutating func records(
        matching keys: [[CellValue]],
        in fields: [Field],
        of table: TableID
    ) throws -> [[CellValue]: [RecordID]] {
        if keys.isEmpty { return [:] }
        let model = try model(table)
        let wanted = Set(keys)
        var found: [[CellValue]: [RecordID]] = [:]
        func match(_ row: StoredRow, _ cells: [FieldID: CellValue]) -> Bool {
            let key = fields.compactMap { cells[$0.id] }
            guard key.count == fields.count, wanted.contains(key) else { return false }
            found[key, default: []].append(row.id)
            return true
        }
        let scalar = fields.firstIndex { $0.type != .multipleSelects }
        if let scalar, let stored = model.stored.first(where: { $0.id == fields[scalar].id }) {
            for row in try candidates(where: stored, among: Array(Set(keys.map { $0[scalar] })), of: model) {
                _ = match(row, self.row(row.id, in: table)?.cells ?? [:])
            }
            return found
        }
        var position: Int64?
        while true {
            let page = try RecordStore().page(
                after: position,
                limit: Limits.internalPageRecords,
                of: model,
                tenant: tenant,
                in: transaction
            )
            for row in try gate?.sight.seen(page, of: model) ?? page
            where match(row, try StoredCells.decode(row.cells, model: model)) { try admit(row, model) }
            guard page.count == Limits.internalPageRecords, let last = page.last else { return found }
            position = last.position
        }
    }
}

extension CellValue {
    /// As the database sees it in a cell; nil for lists.
    fileprivate var scalarSQL: SQLValue? {
        switch self {
        case .text(let text): .text(text)
        case .number(let number): .real(number)
        case .checked: .integer(1)
        case .choice(let id): id.sql
        case .date(let date): .text(date.iso8601)
        case .dateTime(let instant): .integer(instant.milliseconds)
        case .computed(.text(let text)): .text(text)
        case .choices, .links, .collaborator, .collaborators, .attachments, .barcode, .button, .aiText, .computed: nil
        }
    }
}

extension FieldType {
    /// Whether the database can look for a record by the text of a field of this type.
    fileprivate var isFoundByText: Bool {
        switch self {
        case .singleLineText, .multilineText, .richText, .email, .url, .phoneNumber, .number, .currency, .percent,
            .duration, .rating, .checkbox, .singleSelect, .date, .dateTime, .autoNumber, .formula:
            true
        case .multipleSelects, .multipleRecordLinks, .barcode, .singleCollaborator, .multipleCollaborators,
            .multipleAttachments, .createdTime, .lastModifiedTime, .createdBy, .lastModifiedBy, .rollup,
            .multipleLookupValues, .count, .button, .aiText, .externalSyncSource, .manualSort:
            false
        }
    }
}
