import Access
import Domain

/// Entries of the audit log, newest first.
struct AuditPageWire: WrittenShape, Hashable {
    let value: JSONValue

    /// An entry as it is hashed, and its hash.
    static func json(_ entry: AuditEntry) throws -> JSONValue {
        guard case .object(var members) = try JSONValue(parsing: entry.body) else { return .null }
        members["v"] = nil
        members["chain"] = nil
        members["hash"] = .string(entry.hash.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined())
        return .object(members)
    }

    static let schemaName = "AuditPage"
    static let schema = JSONSchema.object(
        properties: [
            "entries": .array(of: entry, maxItems: Limits.auditPage),
            "next": .integer(description: "Give it back as `before`. Absent on the last page.", minimum: 1),
        ],
        required: ["entries"]
    )

    private static let entry = JSONSchema.object(
        properties: [
            "sequence": .integer(description: "The entry's place in the log, from 1, without gaps.", minimum: 1),
            "time": .string(format: "date-time"),
            "action": .string(enum: AuditAction.allCases.map(\.rawValue)),
            "result": .string(enum: AuditEvent.Result.allCases.map(\.rawValue)),
            "user": .string(description: "Whose rights were used."),
            "key": .string(description: "The API key they came with."),
            "session": .string(description: "The session they had signed in to."),
            "agent": .string(description: "The program that acted on the user's behalf."),
            "origin": .string(enum: Origin.allCases.map(\.rawValue)),
            "object": .object(
                properties: [
                    "kind": .string(enum: AuditObject.Kind.allCases.map(\.rawValue)), "id": .string(),
                ],
                required: ["kind", "id"],
                description: "What it was done to."
            ),
            "before": .string(description: "SHA-256 of what the object was."),
            "after": .string(description: "SHA-256 of what the object is."),
            "request": .string(description: "The request's identifier."),
            "address": .string(description: "The caller's network address."),
            "details": .dictionary(of: .string()),
            "hash": JSONSchema(json: ["type": "string", "pattern": "^[0-9a-f]{64}$"]),
        ],
        required: ["sequence", "time", "action", "result", "hash"]
    )

    static let example: JSONValue = [
        "entries": [
            [
                "sequence": 7, "time": .string(Sample.time.iso8601), "action": "key.created", "result": "done",
                "user": "usrKbJrMxqY0aTzQ1", "origin": "http", "object": ["kind": "key", "id": "keyW3nq9ZtH5cVb2D"],
                "request": "k3v9x0qpm2n8w1zt5ryc", "address": "192.0.2.7", "details": ["scopes": "chat search"],
                "hash": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
            ]
        ],
        "next": 7,
    ]
}
