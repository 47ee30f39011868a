import Domain

extension Field {
    /// This field as `update` wants it, checked.
    func updated(by update: FieldUpdate, in model: TableModel, of schema: TenantSchema) throws(AirtableError) -> Field {
        var field = self
        if let name = update.name {
            field.name = try SchemaBuilder.checkedName(name, of: "field", otherwise: .duplicateOrEmptyFieldName)
            let key = nameKey(field.name)
            guard !model.table.fields.contains(where: { $0.id != id && nameKey($0.name) == key }) else {
                throw AirtableError(
                    .duplicateOrEmptyFieldName,
                    "Table \"\(model.table.name)\" has a field named \"\(field.name)\" already."
                )
            }
        }
        if let text = update.description {
            field.description = try SchemaBuilder.checkedDescription(text, of: "field \"\(field.name)\"")
        }
        guard let wanted = update.options else { return field }
        var merged = options.replaced(by: wanted)
        if let choices = wanted.choices {
            merged.choices = try choicesReplaced(by: choices, deletes: update.deletesChoices)
        }
        // Else checking would give it a clock.
        if showsDays, wanted.result == nil, wanted.timeFormat == nil { merged.result = .of(.date, merged) }
        field.options = try FieldOptions(checking: merged, of: type, named: field.name)
        field.options.linkedTable = options.linkedTable
        field.options.inverseLinkField = options.inverseLinkField
        let draft = FieldDraft(name: field.name, type: type, options: merged)
        guard draft.namesFields || type.isRuled else { return field }
        var builder = SchemaBuilder(base: model.table.base, existing: schema.tables(in: model.table.base))
        return try builder.resolving(draft, as: field, in: model.table.id)
    }

    /// The field's choices as `wanted` says; those known keep what `wanted` does not say of them.
    private func choicesReplaced(
        by wanted: [SelectChoice],
        deletes: Bool
    ) throws(AirtableError) -> [SelectChoice] {
        let known = Dictionary((options.choices ?? []).map { ($0.id, $0) }) { first, _ in first }
        let named = Set(wanted.map(\.id))
        if !deletes, let missing = options.choices?.first(where: { !named.contains($0.id) }) {
            throw AirtableError(
                .invalidFieldOptions,
                "Field \"\(name)\": choice \"\(missing.name)\" is left out.",
                hint: "name every choice with its id, or say that those left out are to be deleted"
            )
        }
        return wanted.map { choice in
            SelectChoice(id: choice.id, name: choice.name, color: choice.color ?? known[choice.id]?.color)
        }
    }
}

extension FieldOptions {
    /// These options with every member that `other` sets.
    fileprivate func replaced(by other: FieldOptions) -> FieldOptions {
        var options = self
        options.precision = other.precision ?? precision
        options.symbol = other.symbol ?? symbol
        options.max = other.max ?? max
        options.icon = other.icon ?? icon
        options.color = other.color ?? color
        options.prefersSingleRecordLink = other.prefersSingleRecordLink ?? prefersSingleRecordLink
        options.recordSelectionView = other.recordSelectionView ?? recordSelectionView
        options.isReversed = other.isReversed ?? isReversed
        options.dateFormat = other.dateFormat ?? dateFormat
        options.timeFormat = other.timeFormat ?? timeFormat
        options.timeZone = other.timeZone ?? timeZone
        options.durationFormat = other.durationFormat ?? durationFormat
        options.formula = other.formula ?? formula
        options.referencedFields = other.referencedFields ?? referencedFields
        options.recordLinkField = other.recordLinkField ?? recordLinkField
        options.fieldInLinkedTable = other.fieldInLinkedTable ?? fieldInLinkedTable
        options.result = other.result ?? result
        options.label = other.label ?? label
        options.prompt = other.prompt ?? prompt
        return options
    }
}

extension SchemaBuilder {
    /// `field`, which the builder knows, with the fields found that `draft` names.
    fileprivate mutating func resolving(
        _ draft: FieldDraft,
        as field: Field,
        in table: TableID
    ) throws(AirtableError) -> Field {
        guard let position = tables.firstIndex(where: { $0.id == table }),
            let place = tables[position].fields.firstIndex(where: { $0.id == field.id })
        else { throw .fieldNotFound() }
        tables[position].fields[place] = field
        if draft.namesFields { try close(draft, field: field.id, in: table) }
        if field.type.isRuled { try closeRules(of: [field.id]) }
        return tables[position].fields[place]
    }

    /// Nil for an empty one.
    static func checkedDescription(_ text: String, of what: String) throws(AirtableError) -> String? {
        guard text.unicodeScalars.count <= Limits.descriptionCharacters, !text.hasNUL else {
            throw AirtableError(
                .invalidRequest,
                "The description of \(what) is longer than \(Limits.descriptionCharacters) characters."
            )
        }
        return text.isEmpty ? nil : text
    }
}
