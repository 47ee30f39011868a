public import Domain

/// How access tokens and sessions are made.
public struct TokenSettings: Sendable, Hashable {
    /// Who makes the tokens, as they say.
    public var issuer: String
    /// For whom they are made: this server's API.
    public var audience: String
    /// How long an access token lives.
    public var accessSeconds: Int64
    /// How long a session lives, and how long without a refresh.
    public var sessionSeconds: Int64
    public var sessionIdleSeconds: Int64

    /// Lives longer than `Limits` allow are shortened to those.
    public init(
        issuer: String = "urn:pyairtable-ai",
        audience: String = "urn:pyairtable-ai:api",
        accessSeconds: Int64 = Limits.accessTokenSeconds,
        sessionSeconds: Int64 = Limits.sessionSeconds,
        sessionIdleSeconds: Int64 = Limits.sessionIdleSeconds
    ) {
        self.issuer = issuer
        self.audience = audience
        self.accessSeconds = min(accessSeconds, Limits.accessTokenSeconds)
        self.sessionSeconds = min(sessionSeconds, Limits.sessionSeconds)
        self.sessionIdleSeconds = min(sessionIdleSeconds, Limits.sessionIdleSeconds)
    }

    /// For how long after a signing key's last use a token of it may be good somewhere.
    var keyAfterlifeSeconds: Int64 { Limits.accessTokenSeconds + 2 * Limits.clockSkewSeconds }
}

extension Instant {
    func adding(seconds: Int64) -> Instant { Instant(microseconds: microseconds + seconds * 1_000_000) }
}
