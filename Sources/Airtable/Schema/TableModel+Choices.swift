import Domain

extension TableModel {
    /// This table with choices added at the end of a select field; names that are choices already
    /// stay as they are.
    ///
    /// - Returns: also the identifiers of all `names`.
    func addingChoices(
        _ names: [String],
        to field: Field
    ) throws(AirtableError) -> (model: TableModel, choices: [String: ChoiceID]) {
        guard field.type == .singleSelect || field.type == .multipleSelects else {
            throw AirtableError(.invalidFieldOptions, "Field \"\(field.name)\" has no choices.")
        }
        var choices = field.options.choices ?? []
        var ids = Dictionary(choices.map { ($0.name, $0.id) }, uniquingKeysWith: { first, _ in first })
        var wanted: [String: ChoiceID] = [:]
        for name in names {
            if let id = ids[name] {
                wanted[name] = id
                continue
            }
            let checked = try SchemaBuilder.checkedName(name, of: "choice", otherwise: .invalidFieldOptions)
            let id = ids[checked] ?? ChoiceID.random()
            if ids[checked] == nil {
                let color = FieldOptions.choiceColor(at: choices.count)
                choices.append(SelectChoice(id: id, name: checked, color: color))
            }
            ids[checked] = id
            wanted[name] = id
        }
        guard choices.count <= Limits.choicesPerField else {
            throw AirtableError(
                .tooLarge,
                "Field \"\(field.name)\" would have more than \(Limits.choicesPerField) choices."
            )
        }
        var table = table
        if let position = table.fields.firstIndex(where: { $0.id == field.id }) {
            table.fields[position].options.choices = choices
        }
        return (TableModel(table: table, number: number, nextOrdinal: nextOrdinal), wanted)
    }
}
