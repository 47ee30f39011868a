import Domain

/// Pieces of schemas that several shapes share.
private enum Piece {
    static let cells = JSONSchema.dictionary(
        of: .any,
        description: "Cells by name or identifier of their field; null clears one."
    )
    static let typecast = JSONSchema.boolean(
        description: "Whether strings are taken for other types, and make choices and linked records.",
        default: false
    )
    static let byFieldID = JSONSchema.boolean(
        description: "Whether the answer names cells by their fields' identifiers.",
        default: false
    )
    static let recordID = PathParameter.recordId.schema
    static let helium: JSONValue = ["Name": "Helium", "State": "Gas"]
    static let record: JSONValue = [
        "id": .string(Sample.record.description), "createdTime": .string(Sample.time.iso8601), "fields": helium,
    ]
    static func list(of schema: JSONSchema) -> JSONSchema { .array(of: schema, maxItems: Limits.batchRecords) }
}

struct ListRecordsBody: WrittenShape, Hashable {
    let value: JSONValue

    static let schemaName = "ListRecordsRequest"
    static let schema = JSONSchema.object(
        properties: [
            "fields": .array(of: .string(), description: "Only these fields, by name or identifier."),
            "filterByFormula": .string(description: "Only records for which this formula is true."),
            "maxRecords": .integer(description: "Records of all pages together.", minimum: 1),
            "pageSize": .integer(minimum: 1, maximum: Limits.pageRecords, default: Limits.pageRecords),
            "sort": .array(
                of: .object(
                    properties: ["field": .string(), "direction": .string(enum: ["asc", "desc"])],
                    required: ["field"]
                )
            ),
            "view": .string(description: "The records and the order of this view."),
            "cellFormat": .string(enum: ["json", "string"]),
            "returnFieldsByFieldId": Piece.byFieldID,
            "recordMetadata": .array(of: .string(enum: ["commentCount"])),
            "offset": .string(description: "What the page before gave; give all else again."),
        ],
        description: "Which records to list."
    )
    static let example: JSONValue = ["fields": ["Name"], "pageSize": 50]
}

struct CreateRecordsBody: WrittenShape, Hashable {
    let value: JSONValue

    static let schemaName = "CreateRecordsRequest"
    static let schema = JSONSchema.object(
        properties: [
            "fields": Piece.cells,
            "records": Piece.list(of: .object(properties: ["fields": Piece.cells], required: ["fields"])),
            "typecast": Piece.typecast,
            "returnFieldsByFieldId": Piece.byFieldID,
        ],
        description: "One record by `fields`, or several by `records`."
    )
    static let example: JSONValue = ["records": [["fields": ["Name": "Argon", "State": "Gas"]]], "typecast": true]
}

struct UpdateRecordBody: WrittenShape, Hashable {
    let value: JSONValue

    static let schemaName = "UpdateRecordRequest"
    static let schema = JSONSchema.object(
        properties: [
            "fields": Piece.cells, "typecast": Piece.typecast, "returnFieldsByFieldId": Piece.byFieldID,
        ],
        required: ["fields"]
    )
    static let example: JSONValue = ["fields": ["State": "Gas"]]
}

struct UpdateRecordsBody: WrittenShape, Hashable {
    let value: JSONValue

    static let schemaName = "UpdateRecordsRequest"
    static let schema = JSONSchema.object(
        properties: [
            "records": Piece.list(
                of: .object(properties: ["id": Piece.recordID, "fields": Piece.cells], required: ["fields"])
            ),
            "performUpsert": .object(
                properties: ["fieldsToMergeOn": .array(of: .string(), minItems: 1, maxItems: 3)],
                required: ["fieldsToMergeOn"],
                description: "Records without identifier update the one with the same values, or are made."
            ),
            "typecast": Piece.typecast,
            "returnFieldsByFieldId": Piece.byFieldID,
        ],
        required: ["records"]
    )
    static let example: JSONValue = [
        "records": [["fields": Piece.helium]], "performUpsert": ["fieldsToMergeOn": ["Name"]],
    ]
}

struct RecordOrRecordsWire: WrittenShape, Hashable {
    let value: JSONValue

    static let schemaName = "RecordOrRecords"
    static let schema = JSONSchema.anyOf([
        RecordWire.schema,
        .object(properties: ["records": Piece.list(of: RecordWire.schema)], required: ["records"]),
    ])
    static let example: JSONValue = ["records": [Piece.record]]
}

struct UpsertedRecordsWire: WrittenShape, Hashable {
    let value: JSONValue

    static let schemaName = "UpdatedRecords"
    static let schema = JSONSchema.object(
        properties: [
            "records": Piece.list(of: RecordWire.schema),
            "createdRecords": .array(of: Piece.recordID, description: "Only of an upsert."),
            "updatedRecords": .array(of: Piece.recordID, description: "Only of an upsert."),
        ],
        required: ["records"]
    )
    static let example: JSONValue = [
        "records": [Piece.record], "createdRecords": [.string(Sample.record.description)], "updatedRecords": [],
    ]
}

struct DeletedWire: WrittenShape, Hashable {
    let value: JSONValue

    static let schemaName = "Deleted"
    static let schema = JSONSchema.object(
        properties: ["id": .string(), "deleted": .boolean()],
        required: ["id", "deleted"]
    )
    static let example: JSONValue = ["id": .string(Sample.record.description), "deleted": true]
}

struct DeletedRecordsWire: WrittenShape, Hashable {
    let value: JSONValue

    static let schemaName = "DeletedRecords"
    static let schema = JSONSchema.object(
        properties: ["records": Piece.list(of: DeletedWire.schema)],
        required: ["records"]
    )
    static let example: JSONValue = ["records": [DeletedWire.example]]
}
