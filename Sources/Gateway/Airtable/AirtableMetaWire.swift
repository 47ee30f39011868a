import Domain

private let fieldDraft = JSONSchema.object(
    properties: [
        "name": .string(),
        "type": .string(enum: FieldType.allCases.map(\.rawValue)),
        "description": .string(),
        "options": .dictionary(of: .any, description: "As the meta API shows them."),
    ],
    required: ["name", "type"]
)

private let tableDraft = JSONSchema.object(
    properties: [
        "name": .string(),
        "description": .string(),
        "fields": .array(of: fieldDraft, description: "The first one is the primary field.", minItems: 1),
    ],
    required: ["name", "fields"]
)

private let tableExample: JSONValue = [
    "name": "Minerals", "fields": [["name": "Name", "type": "singleLineText"], ["name": "Mass", "type": "number"]],
]

struct CreateBaseBody: WrittenShape, Hashable {
    let value: JSONValue

    static let schemaName = "CreateBaseRequest"
    static let schema = JSONSchema.object(
        properties: [
            "name": .string(),
            "workspaceId": .string(description: "The first one unless said."),
            "tables": .array(of: tableDraft),
        ],
        required: ["name", "tables"]
    )
    static let example: JSONValue = ["name": "Chemistry", "tables": [tableExample]]
}

struct CreateTableBody: WrittenShape, Hashable {
    let value: JSONValue

    static let schemaName = "CreateTableRequest"
    static let schema = tableDraft
    static let example = tableExample
}

struct CreateFieldBody: WrittenShape, Hashable {
    let value: JSONValue

    static let schemaName = "CreateFieldRequest"
    static let schema = fieldDraft
    static let example: JSONValue = ["name": "Mass", "type": "number", "options": ["precision": 3]]
}

struct WhoamiWire: WrittenShape, Hashable {
    let value: JSONValue

    static let schemaName = "Whoami"
    static let schema = JSONSchema.object(
        properties: ["id": .string(), "scopes": .array(of: .string()), "email": .string()],
        required: ["id", "scopes"]
    )
    static let example: JSONValue = ["id": "usrChemist00000001", "scopes": ["data.records:read"]]
}

struct MetaBaseListWire: WrittenShape, Hashable {
    let value: JSONValue

    static let schemaName = "MetaBaseList"
    static let schema = JSONSchema.object(
        properties: [
            "bases": .array(
                of: .object(
                    properties: [
                        "id": PathParameter.baseId.schema,
                        "name": .string(),
                        "permissionLevel": .string(enum: ["none", "read", "comment", "edit", "create"]),
                    ],
                    required: ["id", "name", "permissionLevel"]
                )
            )
        ],
        required: ["bases"]
    )
    static let example: JSONValue = [
        "bases": [
            ["id": .string(Sample.base.description), "name": "Periodic table", "permissionLevel": "create"]
        ]
    ]
}

struct MetaTableWire: WrittenShape, Hashable {
    let value: JSONValue

    static let schemaName = "MetaTable"
    static let schema = JSONSchema.object(
        properties: [
            "id": PathParameter.tableId.schema,
            "name": .string(),
            "description": .string(),
            "primaryFieldId": .string(),
            "fields": .array(of: FieldWire.schema),
            "views": .array(
                of: .object(
                    properties: [
                        "id": .string(), "name": .string(), "type": .string(),
                        "visibleFieldIds": .array(of: .string(), description: "Only when asked for by `include`."),
                    ],
                    required: ["id", "name", "type"]
                )
            ),
        ],
        required: ["id", "name", "primaryFieldId", "fields", "views"]
    )
    static let example: JSONValue = [
        "id": .string(Sample.table.description), "name": "Elements",
        "primaryFieldId": .string(Sample.name.description),
        "fields": [["id": .string(Sample.name.description), "name": "Name", "type": "singleLineText"]],
        "views": [["id": "viwElements000001", "name": "Grid view", "type": "grid"]],
    ]
}

struct MetaTableListWire: WrittenShape, Hashable {
    let value: JSONValue

    static let schemaName = "MetaTableList"
    static let schema = JSONSchema.object(
        properties: ["tables": .array(of: MetaTableWire.schema)],
        required: ["tables"]
    )
    static let example: JSONValue = ["tables": [MetaTableWire.example]]
}

struct CreatedBaseWire: WrittenShape, Hashable {
    let value: JSONValue

    static let schemaName = "CreatedBase"
    static let schema = JSONSchema.object(
        properties: ["id": PathParameter.baseId.schema, "tables": .array(of: MetaTableWire.schema)],
        required: ["id", "tables"]
    )
    static let example: JSONValue = [
        "id": .string(Sample.base.description), "tables": [MetaTableWire.example],
    ]
}
