import Domain

/// A field as the API shows it, with its options in Airtable's shapes.
struct FieldWire: DocumentedWireType, Hashable {
    let id: FieldID
    let name: String
    let type: FieldType
    let description: String?
    let options: JSONValue?

    init(_ field: Field) {
        id = field.id
        name = field.name
        type = field.type
        description = field.description
        options = FieldOptionsWire.json(of: field)
    }

    static let schemaName = "Field"
    static let schema = JSONSchema.object(
        properties: [
            "id": JSONSchema(json: ["type": "string", "pattern": "^fld[A-Za-z0-9]{14}$"]),
            "name": .string(),
            "type": .string(enum: FieldType.allCases.map(\.rawValue)),
            "description": .string(),
            "options": .dictionary(of: .any, description: "What the type leaves open, as in Airtable's own API."),
        ],
        required: ["id", "name", "type"],
        description: "A column of a table."
    )
    static let sample = FieldWire(Field(id: Sample.name, name: "Name", type: .singleLineText, ordinal: 0))
}
