import Domain

private enum Piece {
    static let id = PathParameter.webhookId.schema
    static let time = JSONSchema.string(format: "date-time")
    static let specification: JSONValue = ["options": ["filters": ["dataTypes": ["tableData"]]]]
    static let specificationSchema = JSONSchema.object(
        properties: [
            "options": .object(
                properties: [
                    "filters": .object(
                        properties: [
                            "dataTypes": .array(
                                of: .string(enum: ["tableData", "tableFields", "tableMetadata"]),
                                minItems: 1
                            ),
                            "recordChangeScope": .string(description: "The only table whose records count."),
                            "changeTypes": .array(of: .string(enum: ["add", "remove", "update"])),
                            "fromSources": .array(of: .string()),
                            "watchDataInFieldIds": .array(of: .string()),
                            "watchSchemasOfFieldIds": .array(of: .string()),
                            "sourceOptions": .dictionary(of: .any, description: "Taken, and without effect."),
                        ],
                        required: ["dataTypes"]
                    ),
                    "includes": .object(
                        properties: [
                            "includeCellValuesInFieldIds": JSONSchema(json: [
                                "description": "Cells to show that did not change: fields, or all.",
                                "oneOf": [
                                    ["type": "string", "enum": ["all"]],
                                    ["type": "array", "items": ["type": "string"]],
                                ],
                            ]),
                            "includePreviousCellValues": .boolean(default: false),
                            "includePreviousFieldDefinitions": .boolean(default: false),
                        ]
                    ),
                ],
                required: ["filters"]
            )
        ],
        required: ["options"],
        description: "What of the base's changes is told, and how much of each."
    )
}

struct CreateWebhookBody: WrittenShape, Hashable {
    let value: JSONValue

    static let schemaName = "CreateWebhookRequest"
    static let schema = JSONSchema.object(
        properties: [
            "notificationUrl": .string(description: "Told of new payloads by POST; absent for one that is only read."),
            "specification": Piece.specificationSchema,
        ],
        required: ["specification"]
    )
    static let example: JSONValue = [
        "notificationUrl": "https://hooks.example/airtable", "specification": Piece.specification,
    ]
}

struct CreatedWebhookWire: WrittenShape, Hashable {
    let value: JSONValue

    static let schemaName = "CreatedWebhook"
    static let schema = JSONSchema.object(
        properties: [
            "id": Piece.id,
            "macSecretBase64": .string(description: "Shown only here."),
            "expirationTime": Piece.time,
        ],
        required: ["id", "macSecretBase64", "expirationTime"]
    )
    static let example: JSONValue = [
        "id": "achChemistry00001", "macSecretBase64": "c2VjcmV0", "expirationTime": "2026-01-08T00:00:00.000Z",
    ]
}

struct WebhookListWire: WrittenShape, Hashable {
    let value: JSONValue

    static let schemaName = "WebhookList"
    static let schema = JSONSchema.object(
        properties: [
            "webhooks": .array(
                of: .object(
                    properties: [
                        "id": Piece.id,
                        "areNotificationsEnabled": .boolean(),
                        "cursorForNextPayload": .integer(minimum: 1),
                        "isHookEnabled": .boolean(description: "False once it has expired."),
                        "lastSuccessfulNotificationTime": JSONSchema(json: ["type": ["string", "null"]]),
                        "notificationUrl": JSONSchema(json: ["type": ["string", "null"]]),
                        "expirationTime": Piece.time,
                        "lastNotificationResult": JSONSchema(json: ["type": ["object", "null"]]),
                        "specification": Piece.specificationSchema,
                    ],
                    required: [
                        "id", "areNotificationsEnabled", "cursorForNextPayload", "isHookEnabled", "expirationTime",
                        "specification",
                    ]
                ),
                maxItems: Limits.webhooksPerBase
            )
        ],
        required: ["webhooks"]
    )
    static let example: JSONValue = [
        "webhooks": [
            [
                "id": "achChemistry00001", "areNotificationsEnabled": true, "cursorForNextPayload": 1,
                "isHookEnabled": true, "lastSuccessfulNotificationTime": nil,
                "notificationUrl": "https://hooks.example/airtable", "expirationTime": "2026-01-08T00:00:00.000Z",
                "lastNotificationResult": nil, "specification": Piece.specification,
            ]
        ]
    ]
}

struct WebhookPayloadsWire: WrittenShape, Hashable {
    let value: JSONValue

    static let schemaName = "WebhookPayloads"
    static let schema = JSONSchema.object(
        properties: [
            "payloads": .array(
                of: .dictionary(of: .any, description: "One transaction, in Airtable's shape."),
                maxItems: Limits.webhookPayloadPage
            ),
            "cursor": .integer(description: "To go on from.", minimum: 1),
            "mightHaveMore": .boolean(),
        ],
        required: ["payloads", "cursor", "mightHaveMore"]
    )
    static let example: JSONValue = [
        "payloads": [
            [
                "timestamp": "2026-01-01T00:00:00.000Z", "baseTransactionNumber": 4, "payloadFormat": "v0",
                "actionMetadata": ["source": "publicApi"],
                "destroyedTableIds": [.string(Sample.table.description)],
            ]
        ],
        "cursor": 2, "mightHaveMore": false,
    ]
}

struct EnableNotificationsBody: WrittenShape, Hashable {
    let value: JSONValue

    static let schemaName = "EnableNotificationsRequest"
    static let schema = JSONSchema.object(properties: ["enable": .boolean()], required: ["enable"])
    static let example: JSONValue = ["enable": false]
}

struct RefreshedWebhookWire: WrittenShape, Hashable {
    let value: JSONValue

    static let schemaName = "RefreshedWebhook"
    static let schema = JSONSchema.object(properties: ["expirationTime": Piece.time], required: ["expirationTime"])
    static let example: JSONValue = ["expirationTime": "2026-01-08T00:00:00.000Z"]
}
