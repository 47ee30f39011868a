import Domain
import HTTPTypes

/// The two ways to bases, tables and records: Airtable's own paths, and the platform's. What can be done, bodies and
/// answers are the same; under the platform's, tables are named by identifier only and failures are problem documents.
enum AirtableDoor {
    case airtable
    case platform

    /// Where bases are.
    var bases: String {
        switch self {
        case .airtable: "/v0/meta/bases"
        case .platform: "/api/v1/airtable/bases"
        }
    }

    var base: String { bases + "/{baseId}" }
    var tables: String { base + "/tables" }

    var table: String {
        switch self {
        case .airtable: tables + "/{tableIdOrName}"
        case .platform: tables + "/{tableId}"
        }
    }

    /// Where a table's records are.
    var records: String {
        switch self {
        case .airtable: "/v0/{baseId}/{tableIdOrName}"
        case .platform: table + "/records"
        }
    }

    var record: String { records + "/{recordId}" }

    /// A route of this way.
    ///
    /// - Parameter name: of the operation: `createBase`.
    func route(
        _ method: HTTPRequest.Method,
        _ path: String,
        _ name: String,
        _ summary: String,
        query: [QueryParameter] = [],
        body: RouteBody? = nil,
        reply: RouteReply,
        timeout: Duration? = nil,
        _ permission: Permission,
        _ handle: @escaping @Sendable (RouteCall, Domain.RequestContext) async throws -> Reply
    ) -> Route {
        let isAirtable = self == .airtable
        return Route(
            method,
            path,
            name: isAirtable ? "airtable" + name.prefix(1).uppercased() + name.dropFirst() : name,
            summary: summary,
            query: query,
            readsQuery: !query.isEmpty,
            body: body,
            reply: reply,
            problems: isAirtable ? [] : [.notFound, .conflict],
            timeout: timeout,
            handler: isAirtable ? .airtable(permission, handle) : .requires(permission, handle)
        )
    }
}
