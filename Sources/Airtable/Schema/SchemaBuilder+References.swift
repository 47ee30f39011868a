import Domain
import Formula

/// What computed fields are made from: the link they go through, the field at its other end, the fields they watch.
extension SchemaBuilder {
    /// Finds the fields that `draft` names, once all tables and links are there.
    mutating func close(_ draft: FieldDraft, field: FieldID, in table: TableID) throws(AirtableError) {
        guard let position = tables.firstIndex(where: { $0.id == table }),
            let place = tables[position].fields.firstIndex(where: { $0.id == field })
        else { return }
        var options = tables[position].fields[place].options
        let name = tables[position].fields[place].name
        switch draft.type {
        case .rollup, .multipleLookupValues, .count:
            let wanted = draft.recordLink ?? options.recordLinkField?.description
            guard let wanted, let link = Self.field(wanted, in: tables[position]),
                link.type == .multipleRecordLinks
            else { throw Self.missing("a link field of its table as recordLinkFieldId", name) }
            options.recordLinkField = link.id
            guard draft.type != .count else { break }
            let far = draft.fieldInLinkedTable ?? options.fieldInLinkedTable?.description
            guard let far, let linked = tables.first(where: { $0.id == link.options.linkedTable }),
                let target = Self.field(far, in: linked)
            else { throw Self.missing("a field of the linked table as fieldIdInLinkedTable", name) }
            options.fieldInLinkedTable = target.id
        case .lastModifiedTime, .lastModifiedBy:
            let wanted = draft.watchedFields ?? options.referencedFields?.map(\.description)
            guard let wanted else { break }
            var watched: [FieldID] = []
            for name in wanted {
                guard let field = Self.field(name, in: tables[position]) else { throw .unknownFieldName(name) }
                if !watched.contains(field.id) { watched.append(field.id) }
            }
            // None named is all, as with the hosted service.
            options.referencedFields = watched.isEmpty ? nil : watched
        default: break
        }
        tables[position].fields[place].options = options
    }

    /// Checks what is computed from what, and notes the fields that formulas name by identifier, so that renaming one
    /// changes none of them.
    ///
    /// - Parameter fields: those that are new or changed; what is wrong with others is not theirs to answer for.
    /// - Throws: `.invalidFieldOptions`, saying where a formula is wrong, or which circle it would close.
    mutating func closeRules(of fields: [FieldID]) throws(AirtableError) {
        if fields.isEmpty { return }
        let graph = DependencyGraph(tables: tables.map { $0.table(in: base) })
        for position in tables.indices {
            for place in tables[position].fields.indices where fields.contains(tables[position].fields[place].id) {
                let field = tables[position].fields[place]
                if let problem = graph.problems[field.id] {
                    throw AirtableError(.invalidFieldOptions, "Field \"\(field.name)\": \(problem)")
                }
                guard let rank = graph.rank(of: field.id) else { continue }
                let computed = graph.fields[rank]
                let slots = tables[position].fields
                tables[position].fields[place] = computed.field
                guard field.type != .rollup, let formula = computed.formula else { continue }
                tables[position].fields[place].options.formula = formula.text { slots[$0].id.description }
            }
        }
    }

    /// What a lookup of `field` gives: what the field holds, or of a computed one what that gives.
    static func result(of field: Field) -> FieldResult? {
        switch field.type {
        case .formula, .rollup, .multipleLookupValues: return field.options.result
        case .button: return .of(.singleLineText, FieldOptions())
        case .count, .autoNumber:
            var options = FieldOptions()
            options.precision = 0
            return .of(.number, options)
        case .createdTime, .lastModifiedTime:
            return .of(field.showsDays ? .date : .dateTime, field.options.withoutReferences)
        default: return .of(field.type, field.options)
        }
    }

    private static func field(_ nameOrID: String, in table: Working) -> Field? {
        if let id = FieldID(nameOrID), let field = table.fields.first(where: { $0.id == id }) { return field }
        return table.fields.first { $0.name == nameOrID }
    }

    private static func missing(_ what: String, _ name: String) -> AirtableError {
        AirtableError(.invalidFieldOptions, "Field \"\(name)\" needs \(what).")
    }
}

extension SchemaBuilder.Working {
    /// The table as it is by now.
    func table(in base: BaseID) -> Table {
        Table(id: id, base: base, name: name, description: description, primaryField: primaryField, fields: fields)
    }
}

extension FieldDraft {
    /// Whether its options name fields that must exist.
    var namesFields: Bool {
        switch type {
        case .rollup, .multipleLookupValues, .count, .lastModifiedTime, .lastModifiedBy: true
        default: false
        }
    }
}

extension FieldOptions {
    fileprivate var withoutReferences: FieldOptions {
        var options = self
        options.referencedFields = nil
        options.isValid = nil
        return options
    }
}

extension FieldType {
    /// Whether a field of it can name records: what has one short text.
    var canBePrimary: Bool {
        switch self {
        case .multipleRecordLinks, .multipleAttachments, .multipleLookupValues, .rollup, .button, .createdBy,
            .lastModifiedBy, .checkbox, .manualSort:
            false
        default: true
        }
    }
}
