import Access
import Airtable
import Domain
import HTTPTypes

/// Who did what in the caller's tenant.
enum AuditRoutes {
    static let all = [list, export]

    private static let list = Route(
        .get,
        "/api/v1/audit",
        name: "listAuditEntries",
        summary: "Entries of the tenant's audit log, newest first.",
        query: [
            QueryParameter("before", "What the page before gave as `next`.", .integer(minimum: 1)),
            QueryParameter(
                "limit",
                "Entries of this page, at most.",
                .integer(minimum: 1, maximum: Limits.auditPage, default: 50)
            ),
            QueryParameter("from", "Not older than this moment.", .string(format: "date-time")),
            QueryParameter("until", "Older than this moment.", .string(format: "date-time")),
            QueryParameter("user", "By this user.", identifier("usr")),
            QueryParameter("key", "With this API key.", identifier("key")),
            QueryParameter("action", "Of this kind.", .string(enum: AuditAction.allCases.map(\.rawValue))),
            QueryParameter("result", "That ended so.", .string(enum: AuditEvent.Result.allCases.map(\.rawValue))),
            QueryParameter(
                "object",
                "Done to this: an identifier, or the name of a route, tool or credential.",
                .string(minLength: 1, maxLength: Limits.auditCharacters)
            ),
        ],
        reply: .json(AuditPageWire.self, "The entries."),
        handler: .requires(.auditRead) { call, context in
            let page = try await call.services.access.audit.entries(try query(call.query), context: context)
            var members: JSONObject = ["entries": .array(try page.entries.map(AuditPageWire.json))]
            members["next"] = page.next.map { .number(JSONNumber(Int($0))) }
            return try .json(AuditPageWire(value: .object(members)))
        }
    )

    private static let export = Route(
        .get,
        "/api/v1/audit/export",
        name: "exportAuditLog",
        summary: "The tenant's whole audit log as JSON Lines, oldest entry first, its newest checkpoint last.",
        reply: .file("application/x-ndjson", "The file."),
        timeout: Limits.portingTime,
        endsWithClient: true,
        handler: .requires(.auditRead) { call, context in
            let file = try call.services.spool.makeFile(byteLimit: Limits.exportBytes)
            let count = try await call.services.access.audit.export(context: context) { try file.write(Array($0)) }
            try await call.services.access.audit.record(
                .auditExported,
                by: context,
                object: AuditObject(.log, context.tenant),
                details: [.records: "\(count)"]
            )
            return ExportRoutes.reply(file, contentType: "application/x-ndjson", name: "audit.jsonl")
        }
    )

    private static func identifier(_ prefix: String) -> JSONSchema {
        JSONSchema(json: ["type": "string", "pattern": .string("^\(prefix)[A-Za-z0-9]{14}$")])
    }

    private static func query(_ parameters: QueryParameters) throws(GatewayError) -> AuditQuery {
        var query = AuditQuery(limit: try parameters.integer("limit", in: 1...Limits.auditPage) ?? 50)
        query.before = try parameters.integer("before", in: 1...Int.max).map(Int64.init)
        query.from = try value("from", parameters, "a moment such as 2026-05-01T12:00:00Z", Instant.init(iso8601:))
        query.until = try value("until", parameters, "a moment such as 2026-05-01T12:00:00Z", Instant.init(iso8601:))
        query.user = try value("user", parameters, "a user's identifier") { UserID($0) }
        query.key = try value("key", parameters, "a key's identifier") { KeyID($0) }
        query.action = try value("action", parameters, "one of those in /openapi.json", AuditAction.init(rawValue:))
        query.result = try value("result", parameters, "done, refused or failed", AuditEvent.Result.init(rawValue:))
        query.object = try value("object", parameters, "1 to \(Limits.auditCharacters) characters") { text in
            (1...Limits.auditCharacters).contains(text.unicodeScalars.count) && !text.contains("\0") ? text : nil
        }
        return query
    }

    private static func value<T>(
        _ name: String,
        _ parameters: QueryParameters,
        _ expected: String,
        _ parse: (String) -> T?
    ) throws(GatewayError) -> T? {
        guard let text = parameters.text(name) else { return nil }
        if let value = parse(text) { return value }
        throw GatewayError(.invalidParameter, "The query parameter \(name) is \(expected).")
    }
}
