public import Domain

/// What somebody signed in to, on one device, from signing in to logging out: all that its refresh tokens and access
/// tokens have in common.
public struct UserSession: Sendable, Hashable, Identifiable {
    public let id: SessionID
    public let tenant: TenantID
    public let user: UserID
    /// The person, who may be a user of several tenants; nil for a user whom no account stands behind.
    public let account: AccountID?
    public var client: SessionClient
    public let createdTime: Instant
    /// When it was used last, a minute late at most.
    public var lastSeenTime: Instant
    /// Over from this moment on, however much it is used.
    public let expires: Instant
    /// Over from this moment on, unless it is refreshed before.
    public var idleEnds: Instant

    package init(
        id: SessionID,
        tenant: TenantID,
        user: UserID,
        account: AccountID?,
        client: SessionClient,
        createdTime: Instant,
        lastSeenTime: Instant,
        expires: Instant,
        idleEnds: Instant
    ) {
        self.id = id
        self.tenant = tenant
        self.user = user
        self.account = account
        self.client = client
        self.createdTime = createdTime
        self.lastSeenTime = lastSeenTime
        self.expires = expires
        self.idleEnds = idleEnds
    }
}

/// The program and device somebody signs in with, as far as it says.
public struct SessionClient: Sendable, Hashable {
    /// The name of clients that are this product's own.
    public static let ownName = "pyairtable-ai"

    /// Which program: a refresh token is good for this one only.
    public let name: String
    /// What it calls itself, for people to recognise; at most `Limits.deviceCharacters`.
    public let userAgent: String?
    /// Where it calls from.
    public let address: String?

    public init(name: String = Self.ownName, userAgent: String? = nil, address: String? = nil) {
        self.name = name
        self.userAgent = userAgent.flatMap(Self.bounded)
        self.address = address.flatMap(Self.bounded)
    }

    /// One line of printable text, cut at the bound; nil for nothing.
    private static func bounded(_ text: String) -> String? {
        let scalars = text.unicodeScalars.lazy.map { scalar in
            scalar.value < 0x20 || scalar.value == 0x7F || scalar.properties.generalCategory == .format
                ? UnicodeScalar(0x20 as UInt8) : scalar
        }
        var bounded = String.UnicodeScalarView()
        bounded.append(contentsOf: scalars.prefix(Limits.deviceCharacters))
        return bounded.isEmpty ? nil : String(bounded)
    }
}

/// What signing in, and each refresh, gives.
public struct TokenPair: Sendable, Hashable {
    /// A JWT for the header `Authorization: Bearer`.
    public let accessToken: String
    /// Seconds that the access token lives.
    public let accessSeconds: Int64
    /// Good for one refresh; shown once, never stored.
    public let refreshToken: String
    public let session: UserSession
}

extension AuditEvent {
    /// What was done with a session, before anybody had a context.
    init(
        _ action: AuditAction,
        result: Result = .done,
        at time: Instant,
        of session: UserSession,
        by client: SessionClient
    ) {
        self.init(
            action,
            result: result,
            at: time,
            user: session.user,
            session: session.id,
            object: AuditObject(.session, session.id),
            address: client.address
        )
    }
}
