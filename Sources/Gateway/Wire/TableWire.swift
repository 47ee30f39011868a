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

/// A table as the API shows it.
struct TableWire: DocumentedWireType, Hashable {
    let id: TableID
    let name: String
    let description: String?
    let primaryFieldId: FieldID
    let fields: [FieldWire]

    init(_ table: Table) {
        id = table.id
        name = table.name
        description = table.description
        primaryFieldId = table.primaryField
        fields = table.fields.map(FieldWire.init)
    }

    static let schemaName = "Table"
    static let schema = JSONSchema.object(
        properties: [
            "id": PathParameter.tableId.schema,
            "name": .string(),
            "description": .string(),
            "primaryFieldId": .string(),
            "fields": .array(of: FieldWire.schema),
        ],
        required: ["id", "name", "primaryFieldId", "fields"],
        description: "A table and its fields, in the order people see them."
    )

    static let sample: TableWire = {
        var select = FieldOptions()
        select.choices = [SelectChoice(id: Sample.choice, name: "Gas", color: "blueLight2")]
        var link = FieldOptions()
        link.linkedTable = Sample.otherTable
        return TableWire(
            Table(
                id: Sample.table,
                base: Sample.base,
                name: "Elements",
                primaryField: Sample.name,
                fields: [
                    Field(id: Sample.name, name: "Name", type: .singleLineText, ordinal: 0),
                    Field(id: Sample.state, name: "State", type: .singleSelect, options: select, ordinal: 1),
                    Field(id: Sample.isotopes, name: "Isotopes", type: .multipleRecordLinks, options: link, ordinal: 2),
                ]
            )
        )
    }()
}

struct TableListWire: DocumentedWireType, Hashable {
    let tables: [TableWire]

    static let schemaName = "TableList"
    static let schema = JSONSchema.object(
        properties: ["tables": .array(of: TableWire.schema)],
        required: ["tables"],
        description: "The tables of a base, in the order people see them."
    )
    static let sample = TableListWire(tables: [.sample])
}
