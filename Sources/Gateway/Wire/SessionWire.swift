import Access
import Domain

/// What signing in and each refresh answer.
struct TokensWire: DocumentedWireType, Hashable {
    let accessToken: String
    let tokenType: String
    /// Seconds.
    let expiresIn: Int
    let refreshToken: String
    let sessionId: SessionID
    /// When one must sign in again, however often tokens are refreshed.
    let sessionExpiresTime: String

    init(_ pair: TokenPair) {
        accessToken = pair.accessToken
        tokenType = "Bearer"
        expiresIn = Int(pair.accessSeconds)
        refreshToken = pair.refreshToken
        sessionId = pair.session.id
        sessionExpiresTime = pair.session.expires.iso8601
    }

    private init(sample: Void) {
        accessToken = "eyJhbGciOiJFZERTQSIs…"
        tokenType = "Bearer"
        expiresIn = 900
        refreshToken = "prt_live_…"
        sessionId = SessionWire.sample.id
        sessionExpiresTime = "2026-07-01T09:00:00.000Z"
    }

    static let schemaName = "Tokens"
    static let schema = JSONSchema.object(
        properties: [
            "accessToken": .string(description: "For `Authorization: Bearer …`; a JWT."),
            "tokenType": .constant("Bearer"),
            "expiresIn": .integer(description: "Seconds that the access token lives.", minimum: 1),
            "refreshToken": .string(description: "Good for one refresh, and shown only now."),
            "sessionId": SessionWire.identifier,
            "sessionExpiresTime": .string(
                description: "When one must sign in again, however often tokens are refreshed.",
                format: "date-time"
            ),
        ],
        required: ["accessToken", "tokenType", "expiresIn", "refreshToken", "sessionId", "sessionExpiresTime"],
        description: "An access token with the refresh token that follows it."
    )
    static let sample = TokensWire(sample: ())
}

/// The body of a refresh.
struct RefreshWire: DocumentedWireType, Hashable {
    let refreshToken: String

    static let schemaName = "Refresh"
    static let schema = JSONSchema.object(
        properties: [
            "refreshToken": .string(description: "The newest one; it is used up.", minLength: 1, maxLength: 200)
        ],
        required: ["refreshToken"]
    )
    static let sample = RefreshWire(refreshToken: "prt_live_…")
}

/// One session of the caller.
struct SessionWire: DocumentedWireType, Hashable {
    let id: SessionID
    let tenantId: TenantID
    let current: Bool
    let userAgent: String?
    let address: String?
    let createdTime: String
    let lastSeenTime: String
    let expiresTime: String

    init(_ session: UserSession, current: SessionID?) {
        id = session.id
        tenantId = session.tenant
        self.current = session.id == current
        userAgent = session.client.userAgent
        address = session.client.address
        createdTime = session.createdTime.iso8601
        lastSeenTime = session.lastSeenTime.iso8601
        expiresTime = min(session.expires, session.idleEnds).iso8601
    }

    private init(sample id: String, tenant: String) {
        guard let id = SessionID(id), let tenant = TenantID(tenant) else { preconditionFailure("a sample's id") }
        self.id = id
        tenantId = tenant
        current = true
        userAgent = "Mozilla/5.0 (X11; Linux x86_64)"
        address = "192.0.2.7"
        createdTime = "2026-06-01T09:00:00.000Z"
        lastSeenTime = "2026-06-02T09:30:00.000Z"
        expiresTime = "2026-06-09T09:20:00.000Z"
    }

    static let identifier = JSONSchema(json: ["type": "string", "pattern": "^ses[A-Za-z0-9]{14}$"])
    static let schemaName = "Session"
    static let schema = JSONSchema.object(
        properties: [
            "id": identifier,
            "tenantId": JSONSchema(json: ["type": "string", "pattern": "^ten[A-Za-z0-9]{14}$"]),
            "current": .boolean(description: "Whether this request came with it."),
            "userAgent": .string(description: "What the device called itself last."),
            "address": .string(description: "Where it called from last."),
            "createdTime": .string(description: "When one signed in.", format: "date-time"),
            "lastSeenTime": .string(description: "When it was used last, a minute late at most.", format: "date-time"),
            "expiresTime": .string(description: "When it is over, unless it is refreshed before.", format: "date-time"),
        ],
        required: ["id", "tenantId", "current", "createdTime", "lastSeenTime", "expiresTime"],
        description: "What somebody signed in to on one device."
    )
    static let sample = SessionWire(sample: "sesA1b2C3d4E5f6G7", tenant: "tenA1b2C3d4E5f6G7")
}

struct SessionListWire: DocumentedWireType, Hashable {
    let sessions: [SessionWire]

    static let schemaName = "SessionList"
    static let schema = JSONSchema.object(
        properties: ["sessions": .array(of: SessionWire.schema, description: "The one seen last first.")],
        required: ["sessions"]
    )
    static let sample = SessionListWire(sessions: [.sample])
}

/// The public keys of access tokens (RFC 7517).
struct TokenKeySetWire: DocumentedWireType, Hashable {
    struct Key: Codable, Sendable, Hashable {
        let kty: String
        let crv: String
        let alg: String
        let use: String
        let kid: String
        let x: String

        init(kid: String, x: String) {
            kty = "OKP"
            crv = "Ed25519"
            alg = "EdDSA"
            use = "sig"
            self.kid = kid
            self.x = x
        }
    }

    let keys: [Key]

    static let schemaName = "TokenKeySet"
    static let schema = JSONSchema.object(
        properties: [
            "keys": .array(
                of: .object(
                    properties: [
                        "kty": .constant("OKP"), "crv": .constant("Ed25519"), "alg": .constant("EdDSA"),
                        "use": .constant("sig"), "kid": .string(description: "Its thumbprint (RFC 7638)."),
                        "x": .string(description: "The public key in base64url."),
                    ],
                    required: ["kty", "crv", "alg", "use", "kid", "x"]
                ),
                description: "Those whose tokens are good, and one that will sign soon; the newest first."
            )
        ],
        required: ["keys"],
        description: "A JWK set (RFC 7517)."
    )
    // The key of RFC 8037, appendix A.2.
    static let sample = TokenKeySetWire(keys: [
        Key(
            kid: "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k",
            x: "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"
        )
    ])
}
