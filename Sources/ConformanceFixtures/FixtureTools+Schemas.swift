import Domain

/// Tools whose schema is the point.
extension FixtureTools {
    static let schemas: [FixtureTool] = [
        FixtureTool(
            "json_schema_2020_12_tool",
            "Takes arguments by a schema with keywords that are seldom used.",
            input: JSONSchema(json: contact)
        ) { arguments, _ in
            let missing = missingWay(to: arguments)
            guard missing.isEmpty else { return ToolResult(text: missing, isError: true) }
            return ToolResult(text: "Called with \(JSONValue.object(arguments).text)")
        },
        FixtureTool(
            "test_custom_header",
            "Takes arguments that stand in HTTP headers as well.",
            input: JSONSchema(json: mirrored)
        ) { arguments, _ in
            ToolResult(text: "Called with \(JSONValue.object(arguments).text)")
        },
    ]

    private static let contact: JSONValue = [
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "type": "object",
        "$defs": [
            "address": [
                "$anchor": "addressDef",
                "type": "object",
                "properties": ["street": ["type": "string"], "city": ["type": "string"]],
            ]
        ],
        "properties": [
            "name": ["type": "string"],
            "address": ["$ref": "#/$defs/address"],
            "contactMethod": ["type": "string", "enum": ["phone", "email"]],
            "phone": ["type": "string"],
            "email": ["type": "string"],
        ],
        "allOf": [["anyOf": [["required": ["phone"]], ["required": ["email"]]]]],
        "if": ["properties": ["contactMethod": ["const": "phone"]], "required": ["contactMethod"]],
        "then": ["required": ["phone"]],
        "else": ["required": ["email"]],
        "additionalProperties": false,
    ]

    /// What our validation of schemas does not look at: `$ref`, `if` and `allOf`, of this schema.
    private static func missingWay(to arguments: JSONObject) -> String {
        if let address = arguments["address"] {
            let violations = JSONSchema(json: contact["$defs"]?["address"] ?? true).violations(of: address)
            if let first = violations.first { return "address: \(first)" }
        }
        let way = arguments["contactMethod"] == "phone" ? "phone" : "email"
        return arguments[way] == nil ? "must have the member \"\(way)\"" : ""
    }

    private static let mirrored: JSONValue = [
        "type": "object",
        "properties": [
            "region": ["type": "string", "description": "Text.", "x-mcp-header": "Region"],
            "priority": ["type": "integer", "description": "A whole number.", "x-mcp-header": "Priority"],
            "urgent": ["type": "boolean", "description": "Yes or no.", "x-mcp-header": "Urgent"],
            "place": [
                "type": "object",
                "properties": ["city": ["type": "string", "x-mcp-header": "City"]],
                "additionalProperties": false,
            ],
            "note": ["type": "string", "description": "Stands in no header."],
        ],
        "additionalProperties": false,
    ]
}
