/// Bounds of signing in.
extension Limits {
    /// Bytes of an access token: ours have some 500, and longer issuers still fit. More is refused unread.
    public static let accessTokenBytes = 2_048
    /// Seconds that an access token lives at most, whatever the settings say.
    public static let accessTokenSeconds: Int64 = 15 * 60
    /// Seconds by which clocks of replicas may differ: a token may be from the future by so much.
    public static let clockSkewSeconds: Int64 = 30
    /// Seconds that a session lives at most, and unused at most, whatever the settings say.
    public static let sessionSeconds: Int64 = 30 * 86_400
    public static let sessionIdleSeconds: Int64 = 7 * 86_400
    /// Sessions of one user: more devices than anybody has; the one unused longest makes room.
    public static let sessionsPerUser = 100
    /// Refresh tokens of one session that are known to be used up, so that one used twice is noticed: ten days of
    /// honest use. An older one is refused as unknown.
    public static let usedRefreshTokens: Int64 = 1_000
    /// Access tokens that were just verified and are remembered: some 500 bytes each.
    public static let verifiedTokens = 8_192
    /// Sessions seen within the last moment that are remembered: some 500 bytes each.
    public static let cachedSessions = 8_192
    /// Characters of what a client says of itself, and of an address, as sessions are listed.
    public static let deviceCharacters = 256
    /// Bytes of a body that holds a few words, such as a refresh token or a password.
    public static let smallBodyBytes = 16 * 1_024
    /// Seconds before a new signing key is used, so that every replica knows it by then.
    public static let signingKeyLeadSeconds: Int64 = 15
    /// Signing keys at once: more rotations than anybody makes within a quarter of an hour.
    public static let signingKeys = 16
}
