import Domain

/// Turns drafts into tables and fields: checks names and options, gives identifiers, pairs up
/// links.
///
/// Works on one base. Tables that exist already may gain fields: the other sides of new links, or a
/// drafted field.
struct SchemaBuilder {
    struct Working {
        let id: TableID
        var name: String
        var description: String?
        var primaryField: FieldID
        var fields: [Field]
        var nextOrdinal: Int
        /// The first field that is new; 0 in a new table.
        let firstNewField: Int
        let isNew: Bool
    }

    /// A drafted link field whose other side is still to be found.
    private struct OpenLink {
        let table: TableID
        let field: FieldID
        let target: String
        let inverseName: String?
    }

    let base: BaseID
    var tables: [Working] = []
    private var openLinks: [OpenLink] = []
    /// Drafted fields whose references are still to be found.
    private var openReferences: [(table: TableID, field: FieldID, draft: FieldDraft)] = []
    /// Drafted fields that are computed from others.
    private var openRules: [FieldID] = []

    init(base: BaseID, existing: [TableModel]) {
        self.base = base
        self.tables = existing.map { model in
            Working(
                id: model.table.id,
                name: model.table.name,
                description: model.table.description,
                primaryField: model.table.primaryField,
                fields: model.table.fields,
                nextOrdinal: model.nextOrdinal,
                firstNewField: model.table.fields.count,
                isNew: false
            )
        }
    }

    /// What came of the drafts.
    struct Result {
        /// In the order of their drafts.
        var newTables: [Table]
        /// Fields that existing tables gain.
        var newFields: [(table: TableID, field: Field)]
    }

    mutating func add(_ draft: TableDraft) throws(AirtableError) {
        let name = try Self.checkedName(draft.name, of: "table", otherwise: .duplicateTableName)
        guard tables.count < Limits.tablesPerBase else {
            throw AirtableError(.tooLarge, "A base has at most \(Limits.tablesPerBase) tables.")
        }
        if tables.contains(where: { nameKey($0.name) == nameKey(name) }) {
            throw AirtableError(.duplicateTableName, "The base has a table named \"\(name)\" already.")
        }
        if (draft.description?.count ?? 0) > Limits.descriptionCharacters {
            throw AirtableError(
                .invalidRequest,
                "The description of table \"\(name)\" is longer than \(Limits.descriptionCharacters) characters."
            )
        }
        guard !draft.fields.isEmpty else {
            throw AirtableError(.invalidRequest, "Table \"\(name)\" needs at least one field, its primary one.")
        }
        let id = draft.id ?? .random()
        tables.append(
            Working(
                id: id,
                name: name,
                description: draft.description,
                primaryField: .random(),
                fields: [],
                nextOrdinal: 1,
                firstNewField: 0,
                isNew: true
            )
        )
        for field in draft.fields { try add(field, to: id) }
        let position = tables.count - 1
        let primaryName = draft.primaryField.map { $0.trimmingSpace() }
        guard let primary = tables[position].fields.first(where: { primaryName == nil || $0.name == primaryName })
        else {
            throw AirtableError(
                .invalidRequest,
                "Table \"\(name)\" has no field named \"\((primaryName ?? "").cut(to: 255))\" to be its primary one."
            )
        }
        guard primary.type.canBePrimary else {
            throw AirtableError(
                .invalidFieldOptions,
                "The primary field of table \"\(name)\" cannot be a \(primary.type.rawValue)."
            )
        }
        tables[position].primaryField = primary.id
    }

    mutating func add(_ draft: FieldDraft, to table: TableID) throws(AirtableError) {
        guard let position = tables.firstIndex(where: { $0.id == table }) else { throw .tableNotFound() }
        let name = try Self.checkedName(draft.name, of: "field", otherwise: .duplicateOrEmptyFieldName)
        if tables[position].fields.contains(where: { nameKey($0.name) == nameKey(name) }) {
            throw AirtableError(
                .duplicateOrEmptyFieldName,
                "Table \"\(tables[position].name)\" has two fields named \"\(name)\"."
            )
        }
        var options = try FieldOptions(checking: draft.options, of: draft.type, named: name)
        if draft.isBroken { options.isValid = false }
        let field = try append(
            id: draft.id ?? .random(),
            name: name,
            type: draft.type,
            description: draft.description,
            options: options,
            toTableAt: position
        )
        if draft.namesFields, !draft.isBroken { openReferences.append((table, field, draft)) }
        if draft.type.isRuled, !draft.isBroken { openRules.append(field) }
        guard draft.type == .multipleRecordLinks else { return }
        guard let target = draft.linkedTable ?? draft.options.linkedTable?.description else {
            throw AirtableError(.invalidFieldOptions, "Field \"\(name)\" needs the table it links to.")
        }
        openLinks.append(
            OpenLink(table: table, field: field, target: target, inverseName: draft.inverseName?.trimmingSpace())
        )
    }

    mutating func finish() throws(AirtableError) -> Result {
        while !openLinks.isEmpty { try close(openLinks.removeFirst()) }
        for open in openReferences { try close(open.draft, field: open.field, in: open.table) }
        try closeRules(of: openRules)
        var result = Result(newTables: [], newFields: [])
        for table in tables {
            guard table.isNew else {
                for field in table.fields[table.firstNewField...] { result.newFields.append((table.id, field)) }
                continue
            }
            result.newTables.append(table.table(in: base))
        }
        return result
    }

    // MARK: Links

    private mutating func close(_ link: OpenLink) throws(AirtableError) {
        guard let source = tables.firstIndex(where: { $0.id == link.table }),
            let position = tables[source].fields.firstIndex(where: { $0.id == link.field })
        else { return }
        let key = nameKey(link.target)
        guard
            let target = tables.firstIndex(where: { $0.id.description == link.target })
                ?? tables.firstIndex(where: { nameKey($0.name) == key })
        else {
            throw AirtableError(
                .invalidFieldOptions,
                "Field \"\(tables[source].fields[position].name)\" links to \"\(link.target.cut(to: 255))\", "
                    + "which is no table of this base."
            )
        }
        let inverse = try otherSide(of: link, source: source, target: target)
        // The other side may be a field added just now to the very same table, so look the position
        // up again.
        connect(tableAt: source, field: link.field, to: tables[target].id, inverse: inverse)
        connect(tableAt: target, field: inverse, to: tables[source].id, inverse: link.field)
    }

    /// The drafted field that `link` names as its inverse, or else a new one in the linked table.
    private mutating func otherSide(
        of link: OpenLink,
        source: Int,
        target: Int
    ) throws(AirtableError) -> FieldID {
        if let name = link.inverseName,
            let paired = openLinks.firstIndex(where: { open in
                open.table == tables[target].id && open.field != link.field
                    && (open.target == tables[source].id.description
                        || nameKey(open.target) == nameKey(tables[source].name))
                    && tables[target].fields.contains { $0.id == open.field && nameKey($0.name) == nameKey(name) }
            })
        {
            return openLinks.remove(at: paired).field
        }
        let linkName = tables[source].fields.first { $0.id == link.field }?.name ?? ""
        let wanted = link.inverseName ?? (source == target ? "From \(linkName)" : tables[source].name)
        let name = Self.uniqueName(wanted, among: tables[target].fields.map(\.name))
        var reversed = FieldOptions()
        reversed.isReversed = true
        return try append(
            id: .random(),
            name: name,
            type: .multipleRecordLinks,
            description: nil,
            options: reversed,
            toTableAt: target
        )
    }

    private mutating func connect(tableAt position: Int, field: FieldID, to table: TableID, inverse: FieldID) {
        guard let place = tables[position].fields.firstIndex(where: { $0.id == field }) else { return }
        tables[position].fields[place].options.linkedTable = table
        tables[position].fields[place].options.inverseLinkField = inverse
    }

    // MARK: Parts

    private mutating func append(
        id: FieldID,
        name: String,
        type: FieldType,
        description: String?,
        options: FieldOptions,
        toTableAt position: Int
    ) throws(AirtableError) -> FieldID {
        guard tables[position].fields.count < Limits.fieldsPerTable else {
            throw AirtableError(.tooLarge, "A table has at most \(Limits.fieldsPerTable) fields.")
        }
        if (description?.count ?? 0) > Limits.descriptionCharacters {
            throw AirtableError(
                .invalidRequest,
                "The description of field \"\(name)\" is longer than \(Limits.descriptionCharacters) characters."
            )
        }
        let field = Field(
            id: id,
            name: name,
            type: type,
            description: description,
            options: options,
            ordinal: tables[position].nextOrdinal
        )
        tables[position].nextOrdinal += 1
        tables[position].fields.append(field)
        return field.id
    }

    /// Without space around, neither empty nor too long, without control characters.
    static func checkedName(
        _ name: String,
        of what: String,
        otherwise code: AirtableError.Code
    ) throws(AirtableError) -> String {
        let trimmed = name.trimmingSpace()
        if trimmed.isEmpty { throw AirtableError(code, "The name of a \(what) is empty.") }
        guard trimmed.unicodeScalars.count <= Limits.nameCharacters, !trimmed.hasNUL else {
            throw AirtableError(code, "The name of a \(what) has at most \(Limits.nameCharacters) characters.")
        }
        return trimmed
    }

    /// `name`, or with " 2", " 3"… behind it when that is taken (without regard to case).
    static func uniqueName(_ name: String, among taken: some Sequence<String>) -> String {
        let taken = Set(taken.map(nameKey))
        if !taken.contains(nameKey(name)) { return name }
        var number = 2
        while taken.contains(nameKey("\(name) \(number)")) { number += 1 }
        return "\(name) \(number)"
    }
}
