import Access
import Domain
import HTTPTypes
import Hummingbird

/// What tokens for MCP must hold: how a client learns of it, and that a call with too little is told to get more.
///
/// A scope is a permission, and none implies another one: each operation needs exactly one, that of its tool or resource, and
/// works with it alone. Keys have scopes too, but no client can ask for others: what they lack is a tool's refusal.
enum MCPScopes {
    /// What a token should be asked for at first: to look around, read and search.
    static let first: Set<Permission> = [.basesRead, .schemaRead, .recordsRead, .search]

    /// What is lacking of a token whose user may do all that an operation needs.
    ///
    /// - Parameter needed: everything that the operation needs.
    /// - Returns: nil for who did not come with a token, whose token holds it all, or who may not do it with any token: what
    ///   follows is then the operation's own to say.
    static func missing(for needed: Set<Permission>, _ context: Domain.RequestContext) -> InsufficientScope? {
        let withheld = needed.intersection(context.principal.withheld)
        let isToBeHad = needed.isSubset(of: context.principal.permissions.union(context.principal.withheld))
        guard !withheld.isEmpty, isToBeHad, needed.isSubset(of: TokenScopes.supported) else { return nil }
        return InsufficientScope(needed: needed)
    }
}

/// A token that is good, but not for this: 403 with a challenge (RFC 6750, section 3.1), at which a client may ask its user for a
/// wider one.
struct InsufficientScope: Failure, Equatable {
    enum Code: String, Sendable, CaseIterable {
        case insufficientScope = "insufficient_scope"
    }

    /// Everything that the operation needs.
    let needed: Set<Permission>

    let code = Code.insufficientScope
    var kind: FailureKind { .forbidden }
    var message: String { "This token was not made for \(TokenScopes.text(needed))." }
    var hint: String? { "get one whose scope holds \(TokenScopes.text(needed))" }

    /// For `WWW-Authenticate`; the responder adds where the metadata is.
    var challenge: String {
        "Bearer realm=\"pyairtable-ai\", error=\"insufficient_scope\", scope=\"\(TokenScopes.text(needed))\""
    }
}

extension GatewayServices {
    /// The canonical address of MCP for whoever sent this request; nil when it did not say where it was sent.
    func mcpAddress(_ request: Request, _ client: EdgeClient) -> String? {
        origin(of: RouteCall.authority(request.head.authority), isSecure: client.isSecure)
            .map { ResourceMetadata.resource(origin: $0) }
    }
}

extension GatewayResponder {
    /// Whoever is refused at `/mcp` hears what a token must hold, and where it is said who gives one (RFC 9728, section 5.1).
    func nameMetadata(
        _ request: Request,
        _ exchange: Exchange,
        _ status: HTTPResponse.Status,
        _ headers: inout HTTPFields
    ) {
        guard var challenge = headers[.wwwAuthenticate], let place = exchange.route, table.routes[place].isMCP else {
            return
        }
        if status == .unauthorized { challenge += ", scope=\"\(TokenScopes.text(MCPScopes.first))\"" }
        let authority = RouteCall.authority(request.head.authority)
        if let origin = services.origin(of: authority, isSecure: exchange.client.isSecure) {
            challenge += ", resource_metadata=\"\(ResourceMetadata.address(origin: origin))\""
        }
        headers[.wwwAuthenticate] = challenge
    }
}
