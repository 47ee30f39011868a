import Domain

/// Tables and fields as Airtable's meta API shows them.
enum MetaTable {
    static func json(_ table: Table) -> JSONValue {
        var members: JSONObject = ["id": .string(table.id.description), "name": .string(table.name)]
        members["description"] = table.description.map { .string($0) }
        members["primaryFieldId"] = .string(table.primaryField.description)
        members["fields"] = .array(table.fields.map(json))
        members["views"] = []
        return .object(members)
    }

    static func json(_ field: Field) -> JSONValue {
        var members: JSONObject = [
            "id": .string(field.id.description), "name": .string(field.name), "type": .string(field.type.rawValue),
        ]
        members["description"] = field.description.map { .string($0) }
        members["options"] = FieldOptionsWire.json(of: field)
        return .object(members)
    }
}
