import Domain
import MCP

/// What each revision lets a server say, written down from the specification's text, strictly: a member that the
/// revision does not define is a violation.
enum WireSchemas {
    static func response(_ result: JSONSchema) -> JSONSchema {
        .object(
            properties: ["jsonrpc": .constant("2.0"), "id": .anyOf([.string(), .integer()]), "result": result],
            required: ["jsonrpc", "id", "result"]
        )
    }

    static let error: JSONSchema = .object(
        properties: [
            "jsonrpc": .constant("2.0"),
            "id": .anyOf([.string(), .integer(), .null]),
            "error": .object(
                properties: ["code": .integer(), "message": .string(minLength: 1), "data": .any],
                required: ["code", "message"]
            ),
        ],
        required: ["jsonrpc", "id", "error"]
    )

    static let ping = response(.object(properties: [:]))

    static func initialize(_ revision: ProtocolRevision) -> JSONSchema {
        let implementation: JSONSchema =
            revision < .june2025
            ? .object(properties: ["name": .string(), "version": .string()], required: ["name", "version"])
            : .object(
                properties: ["name": .string(), "title": .string(), "version": .string()],
                required: ["name", "version"]
            )
        return response(
            .object(
                properties: [
                    "protocolVersion": .constant(.string(revision.rawValue)),
                    // Only what is built may be declared.
                    "capabilities": .object(
                        properties: ["tools": .object(properties: [:]), "logging": .object(properties: [:])],
                        required: ["tools"]
                    ),
                    "serverInfo": implementation,
                    "instructions": .string(),
                ],
                required: ["protocolVersion", "capabilities", "serverInfo"]
            )
        )
    }

    static func listTools(_ revision: ProtocolRevision) -> JSONSchema {
        let schema = JSONSchema(json: [
            "type": "object", "properties": ["type": ["const": "object"]], "required": ["type"],
        ])
        let hints: KeyValuePairs<String, JSONSchema> = [
            "title": .string(), "readOnlyHint": .boolean(), "destructiveHint": .boolean(),
            "idempotentHint": .boolean(), "openWorldHint": .boolean(),
        ]
        let tool: JSONSchema
        switch revision {
        case .november2024:
            tool = .object(
                properties: ["name": name, "description": .string(), "inputSchema": schema],
                required: ["name", "inputSchema"]
            )
        case .march2025:
            tool = .object(
                properties: [
                    "name": name, "description": .string(), "inputSchema": schema,
                    "annotations": .object(properties: hints),
                ],
                required: ["name", "inputSchema"]
            )
        case .june2025, .november2025, .july2026:
            tool = .object(
                properties: [
                    "name": name, "title": .string(), "description": .string(), "inputSchema": schema,
                    "outputSchema": schema, "annotations": .object(properties: hints),
                ],
                required: ["name", "inputSchema"]
            )
        }
        return response(
            .object(properties: ["tools": .array(of: tool), "nextCursor": .string()], required: ["tools"])
        )
    }

    static func callTool(_ revision: ProtocolRevision) -> JSONSchema {
        let text: JSONSchema = .object(
            properties: ["type": .constant("text"), "text": .string()],
            required: ["type", "text"]
        )
        let content = JSONSchema.array(of: text, minItems: 1)
        return response(
            revision < .june2025
                ? .object(properties: ["content": content, "isError": .boolean()], required: ["content"])
                : .object(
                    properties: [
                        "content": content, "isError": .boolean(),
                        "structuredContent": JSONSchema(json: ["type": "object"]),
                    ],
                    required: ["content"]
                )
        )
    }

    private static let name = JSONSchema.string(minLength: 1, maxLength: 64)
}
