import Access
import Domain
import HTTPTypes
import Hummingbird

/// What an MCP client has to know to get what opens `/mcp`: OAuth 2.0 Protected Resource Metadata (RFC 9728).
///
/// At the address that the resource's own path makes, and at the one for a client that looks at the root first.
enum ResourceMetadataRoutes {
    static let all = [
        route(ResourceMetadata.path, "resourceMetadata"), route(ResourceMetadata.path + "/mcp", "mcpMetadata"),
    ]

    private static func route(_ path: String, _ name: String) -> Route {
        Route(
            .get,
            path,
            name: name,
            summary: "What opens `/mcp`, and who gives it: OAuth 2.0 Protected Resource Metadata (RFC 9728).",
            reply: .json(ResourceMetadata.self, "The metadata."),
            problems: [.notFound],
            handler: .open { call in
                guard let origin = call.services.origin(of: call.authority, isSecure: call.client.isSecure) else {
                    throw GatewayError.notFound
                }
                return try .json(ResourceMetadata(origin: origin, issuer: call.services.access.tokenIssuer))
            }
        )
    }
}

/// `/mcp` as a protected resource.
struct ResourceMetadata: DocumentedWireType, Hashable {
    /// The canonical address of MCP here (RFC 8707): the audience of tokens that are made for it.
    let resource: String
    let authorizationServers: [String]
    let bearerMethodsSupported: [String]
    let scopesSupported: [String]
    let resourceName: String

    static let path = "/.well-known/oauth-protected-resource"

    /// - Parameters:
    ///   - origin: where this server is for its callers.
    ///   - issuer: who makes its tokens; a name that is no address stands for this server.
    init(origin: String, issuer: String) {
        let isAddress = issuer.hasPrefix("https://") || issuer.hasPrefix("http://")
        resource = Self.resource(origin: origin)
        authorizationServers = [isAddress ? issuer : origin]
        bearerMethodsSupported = ["header"]
        scopesSupported = TokenScopes.supported.map(\.rawValue).sorted()
        resourceName = "pyairtable-ai"
    }

    /// The canonical address of MCP for a caller to whom this server is at `origin`.
    static func resource(origin: String) -> String { origin + "/mcp" }

    /// Where the metadata of `/mcp` is, for a caller to whom this server is at `origin`.
    static func address(origin: String) -> String { origin + path + "/mcp" }

    enum CodingKeys: String, CodingKey {
        case resource
        case authorizationServers = "authorization_servers"
        case bearerMethodsSupported = "bearer_methods_supported"
        case scopesSupported = "scopes_supported"
        case resourceName = "resource_name"
    }

    static let schemaName = "ProtectedResource"
    static let schema = JSONSchema.object(
        properties: [
            "resource": .string(description: "The address of MCP here; tokens for it have it as their audience."),
            "authorization_servers": .array(of: .string(), description: "Who makes the tokens."),
            "bearer_methods_supported": .array(of: .string(), description: "A token comes in `Authorization` only."),
            "scopes_supported": .array(of: .string(), description: "Permissions that tools ask for."),
            "resource_name": .string(),
        ],
        required: [
            "resource", "authorization_servers", "bearer_methods_supported", "scopes_supported", "resource_name",
        ],
        description: "A protected resource's metadata (RFC 9728)."
    )
    static let sample = ResourceMetadata(
        origin: "https://airtable.example.org",
        issuer: "https://airtable.example.org"
    )
}
