import Airtable
import Domain
import HTTPTypes

extension RouteHandler {
    /// A route of one base under `/v0`: with the emulated rate limit, if that is wanted.
    static func airtable(
        _ permission: Permission,
        _ handle: @escaping @Sendable (RouteCall, Domain.RequestContext) async throws -> Reply
    ) -> Self {
        .requires(permission) { call, context in
            if let base = call.parameters[.baseId] {
                try call.services.emulation.admit(base, tenant: context.tenant)
            }
            return try await handle(call, context)
        }
    }
}

extension RouteCall {
    var baseID: BaseID {
        get throws(GatewayError) { try identifier(.baseId) }
    }

    /// The table's identifier or name in the path.
    ///
    /// - Throws: `notFound` for broken escapes.
    var tableName: String {
        get throws(GatewayError) {
            guard let segment = parameters[.tableIdOrName],
                let name = PercentEncoding.decoded(segment, plusIsSpace: false)
            else { throw GatewayError.notFound }
            return name
        }
    }

    /// The field's identifier or name in the path.
    ///
    /// - Throws: `notFound` for broken escapes.
    var fieldName: String {
        get throws(GatewayError) {
            guard let segment = parameters[.fieldIdOrName],
                let name = PercentEncoding.decoded(segment, plusIsSpace: false)
            else { throw GatewayError.notFound }
            return name
        }
    }

    /// The table that the path names.
    ///
    /// - Throws: `notFound` for a base's identifier in the wrong form, else `modelNotFound`.
    func namedTable(_ context: Domain.RequestContext) async throws -> Table {
        try await reads.table(tableName, in: baseID, context: context)
    }

    /// The table of a path of either kind: named as Airtable does, or by our paths, which take its identifier only.
    func anyTable(_ context: Domain.RequestContext) async throws -> Table {
        parameters[.tableIdOrName] == nil ? try await table(context) : try await namedTable(context)
    }

    /// The JSON object that came.
    func airtableBody() throws -> AirtableBody { try AirtableBody(parsing: bytes) }

    /// The query, each parameter as it came.
    func airtableQuery() throws(AirtableRefusal) -> AirtableQuery { try AirtableQuery(parsing: rawQuery) }
}

/// Answers of Airtable's API.
enum AirtableReply {
    static let contentType = "application/json; charset=utf-8"

    /// What `write` puts into one document, straight to bytes.
    static func json(_ write: (inout JSONWriter) -> Void) throws -> Reply {
        var writer = JSONWriter()
        write(&writer)
        return Reply(contentType: contentType, body: try writer.finish())
    }

    static func json(_ value: JSONValue) throws -> Reply { try json { $0.value(value) } }

    static func deleted(_ id: some CustomStringConvertible) throws -> Reply {
        try json(["id": .string(id.description), "deleted": true])
    }

    /// `{"id","createdTime","fields"}`
    static func record(_ record: Record, _ format: RecordJSON) throws -> Reply {
        try json { format.write(record, to: &$0) }
    }

    /// `{"records":[…]}` and what `more` adds; `each` adds to each record.
    static func records(
        _ records: [Record],
        _ format: RecordJSON,
        each: (Record, inout JSONWriter) -> Void = { _, _ in },
        more: (inout JSONWriter) -> Void = { _ in }
    ) throws -> Reply {
        try json { writer in
            writer.beginObject()
            writer.key("records")
            writer.beginArray()
            for record in records { format.write(record, to: &writer) { each(record, &$0) } }
            writer.endArray()
            more(&writer)
            writer.endObject()
        }
    }
}
