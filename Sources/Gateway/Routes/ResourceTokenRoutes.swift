import Access
import Domain
import HTTPTypes

/// Tokens for MCP alone, made of a session by whoever signed in.
enum ResourceTokenRoutes {
    static let all = [issue]

    private static let issue = Route(
        .post,
        "/api/v1/auth/token",
        name: "issueToken",
        summary: "A token that opens `/mcp` alone, with no more than some of one's rights.",
        body: RouteBody(ResourceTokenRequestWire.self, limit: Limits.smallBodyBytes),
        reply: .json(ResourceTokenWire.self, "The token."),
        problems: [.badRequest],
        handler: .signedIn { call, context in
            let body: ResourceTokenRequestWire = try call.decodedBody()
            guard let origin = call.services.origin(of: call.authority, isSecure: call.client.isSecure) else {
                throw AccessError.noSuchResource(known: nil)
            }
            let resource = ResourceMetadata.resource(origin: origin)
            guard body.resource == resource else { throw AccessError.noSuchResource(known: resource) }
            let token = try await call.services.access.resourceToken(
                for: resource,
                scope: body.scope,
                context: context
            )
            var reply = try Reply.json(ResourceTokenWire(token))
            // RFC 6749, section 5.1.
            reply.headers[.cacheControl] = "no-store"
            return reply
        }
    )
}

extension AccessError {
    fileprivate static func noSuchResource(known: String?) -> AccessError {
        AccessError(
            .invalidTarget,
            "No token is made for this resource here.",
            hint: known.map { "the resource is \($0)" }
        )
    }
}

/// The body of a request for a token.
struct ResourceTokenRequestWire: DocumentedWireType, Hashable {
    let resource: String
    let scope: String?

    static let schemaName = "ResourceTokenRequest"
    static let schema = JSONSchema.object(
        properties: [
            "resource": .string(
                description: "The address of MCP here, exactly as its metadata has it (RFC 8707).",
                minLength: 1,
                maxLength: 2_000
            ),
            "scope": .string(
                description: "Permissions with a space between; without, all that the caller has of those for MCP.",
                minLength: 1,
                maxLength: 1_000
            ),
        ],
        required: ["resource"],
        description: "What a token shall be for."
    )
    static let sample = ResourceTokenRequestWire(
        resource: "https://airtable.example.org/mcp",
        scope: "records:read search"
    )
}

/// A token as OAuth answers it (RFC 6749, section 5.1).
struct ResourceTokenWire: DocumentedWireType, Hashable {
    let accessToken: String
    let tokenType: String
    /// Seconds.
    let expiresIn: Int
    let scope: String

    init(_ token: ResourceToken) {
        accessToken = token.text
        tokenType = "Bearer"
        expiresIn = Int(token.seconds)
        scope = TokenScopes.text(token.scopes)
    }

    private init(sample: Void) {
        accessToken = "eyJhbGciOiJFZERTQSIs…"
        tokenType = "Bearer"
        expiresIn = 900
        scope = "records:read search"
    }

    enum CodingKeys: String, CodingKey {
        case accessToken = "access_token"
        case tokenType = "token_type"
        case expiresIn = "expires_in"
        case scope
    }

    static let schemaName = "ResourceToken"
    static let schema = JSONSchema.object(
        properties: [
            "access_token": .string(description: "For `Authorization: Bearer …` at MCP; a JWT."),
            "token_type": .constant("Bearer"),
            "expires_in": .integer(description: "Seconds that the token lives; it ends with its session.", minimum: 1),
            "scope": .string(description: "What it is for at most: what was asked for and the caller may do."),
        ],
        required: ["access_token", "token_type", "expires_in", "scope"],
        description: "A token for a single resource."
    )
    static let sample = ResourceTokenWire(sample: ())
}
