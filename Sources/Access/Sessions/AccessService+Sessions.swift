public import Domain

/// Signing in and out, once somebody proved who they are.
extension AccessService {
    /// Begins a session for a user, whose password or the like was checked by the caller, and tells the audit log.
    ///
    /// - Throws: `unauthenticated` for a user who is disabled or not there; `masterKeyUnusable` and its like.
    package func beginSession(
        account: AccountID? = nil,
        user: UserID,
        tenant: TenantID,
        client: SessionClient,
        deadline: ContinuousClock.Instant? = nil
    ) async throws -> TokenPair {
        // First, so that nothing is stored which cannot be answered.
        let signer = try await keyRing.signer(deadline: deadline)
        let time = now()
        let expires = time.adding(seconds: settings.sessionSeconds)
        let session = UserSession(
            id: .random(),
            tenant: tenant,
            user: user,
            account: account,
            client: client,
            createdTime: time,
            lastSeenTime: time,
            expires: expires,
            idleEnds: min(time.adding(seconds: settings.sessionIdleSeconds), expires)
        )
        var generator = SystemRandomNumberGenerator()
        let refresh = RefreshText(using: &generator)
        let beginning = try await store.insert(
            session,
            refresh: refresh.digest,
            limit: Limits.sessionsPerUser,
            audit: AuditEvent(.login, at: time, of: session, by: client),
            deadline: deadline
        )
        switch beginning {
        case .begun: return try pair(session, refresh, signer)
        case .userMissing: throw AccessError.unauthenticated("user gone")
        case .userDisabled: throw AccessError.unauthenticated(Policy.Refusal.ownerDisabled.rawValue)
        }
    }

    /// Takes a refresh token and gives a new pair; the old token is used up.
    ///
    /// A token that comes a second time ends its session: one of two who have it stole it. There is no grace, so a client
    /// asks once at a time and keeps what it got.
    ///
    /// - Throws: `unauthenticated`, always with the same message.
    public func refresh(
        _ token: String,
        client: SessionClient,
        deadline: ContinuousClock.Instant? = nil
    ) async throws -> TokenPair {
        guard let text = RefreshText(token) else { throw AccessError.refreshRefused("malformed refresh token") }
        // First, so that no token is used up for nothing.
        let signer = try await keyRing.signer(deadline: deadline)
        var generator = SystemRandomNumberGenerator()
        let next = RefreshText(using: &generator)
        let rotation = try await store.rotate(
            text.digest,
            to: next.digest,
            by: client,
            idleSeconds: settings.sessionIdleSeconds,
            at: now(),
            deadline: deadline
        )
        switch rotation {
        case .rotated(let session):
            return try pair(session, next, signer)
        case .unknown:
            throw AccessError.refreshRefused("unknown refresh token")
        case .reused(let session):
            cache.clear()
            throw AccessError.refreshRefused("refresh token of \(session.id) used twice")
        case .refused(let refusal):
            cache.clear()
            throw AccessError.refreshRefused(refusal.rawValue)
        }
    }

    // MARK: One's own

    /// The caller's sessions, the one seen last first: those of the person in every tenant, where there is one.
    ///
    /// - Throws: `sessionRequired` for who came with a key.
    public func ownSessions(context: RequestContext) async throws -> [UserSession] {
        let own = try await ownSession(context)
        return try await store.sessions(
            user: own.user,
            account: own.account,
            tenant: own.tenant,
            deadline: context.deadline
        )
    }

    /// Ends the session that the request came with, and every token of it.
    public func logOut(context: RequestContext) async throws {
        let own = try await ownSession(context)
        _ = try await store.endSession(
            own.id,
            tenant: own.tenant,
            audit: AuditEvent(.logout, at: now(), by: context, object: AuditObject(.session, own.id)),
            deadline: context.deadline
        )
        cache.clear()
    }

    /// Ends every session of the caller, the present one too.
    public func logOutEverywhere(context: RequestContext) async throws {
        let own = try await ownSession(context)
        _ = try await store.endSessions(
            ofUser: own.user,
            account: own.account,
            tenant: own.tenant,
            audit: AuditEvent(.sessionRevoked, at: now(), by: context, object: AuditObject(.user, own.user)),
            deadline: context.deadline
        )
        cache.clear()
    }

    /// Ends one of the caller's sessions.
    ///
    /// - Throws: `notFound`.
    public func endOwnSession(_ id: SessionID, context: RequestContext) async throws {
        let own = try await ownSession(context)
        let tenant = try await store.endSession(
            id,
            ofUser: own.user,
            account: own.account,
            tenant: own.tenant,
            audit: AuditEvent(.sessionRevoked, at: now(), by: context, object: AuditObject(.session, id)),
            deadline: context.deadline
        )
        cache.clear()
        guard tenant != nil else { throw AccessError.notFound("session") }
    }

    /// Removes what is over: sessions, with their refresh tokens, and signing keys.
    ///
    /// - Returns: how many sessions.
    public func sweepSessions(deadline: ContinuousClock.Instant? = nil) async throws -> Int {
        try await keyRing.sweep(deadline: deadline)
        return try await store.deleteOverSessions(at: now(), limit: Limits.sweepRows, deadline: deadline)
    }

    // MARK: Signing keys

    /// The public parts of every key whose tokens are good, the newest first, for who verifies tokens elsewhere.
    public func tokenKeys(deadline: ContinuousClock.Instant? = nil) async throws -> [PublicTokenKey] {
        try await keyRing.verifyingKeys(deadline: deadline).map { PublicTokenKey(id: $0.id, bytes: $0.bytes) }
    }

    /// Replaces the key that access tokens are signed with.
    ///
    /// The old one verifies until its last token is dead; when it `isCompromised`, its tokens die now, and every client
    /// refreshes. Takes no context: it is the operator's, at the machine itself.
    ///
    /// - Returns: the new key's identifier, and when it begins to sign.
    public func rotateTokenKey(
        isCompromised: Bool = false,
        deadline: ContinuousClock.Instant? = nil
    ) async throws -> (id: String, active: Instant) {
        try await keyRing.rotate(
            afterlife: settings.keyAfterlifeSeconds,
            isCompromised: isCompromised,
            deadline: deadline
        )
    }

    /// - Throws: `sessionRequired` for who came with a key, or a token for something else than the API.
    func ownSession(_ context: RequestContext) async throws -> UserSession {
        guard let id = context.principal.ownSession else { throw AccessError.sessionRequired }
        return try await liveSession(id, tenant: context.tenant, deadline: context.deadline).session
    }

    private func pair(_ session: UserSession, _ refresh: RefreshText, _ signer: TokenSigner) throws -> TokenPair {
        let (text, seconds) = try token(session, audience: settings.audience, scopes: nil, signer)
        return TokenPair(
            accessToken: text,
            accessSeconds: seconds,
            refreshToken: refresh.secret.revealed,
            session: session
        )
    }

    /// A token of a session, and how many seconds it lives: not longer than the session.
    func token(
        _ session: UserSession,
        audience: String,
        scopes: Set<Permission>?,
        _ signer: TokenSigner
    ) throws -> (text: String, seconds: Int64) {
        let issued = now().wholeSeconds
        let life = max(1, min(settings.accessSeconds, session.expires.wholeSeconds - issued))
        let claims = AccessClaims(
            issuer: settings.issuer,
            audience: audience,
            user: session.user,
            tenant: session.tenant,
            session: session.id,
            scopes: scopes,
            client: session.client.name,
            id: RunningName.made(),
            issued: issued,
            expires: issued + life
        )
        return (try AccessToken.text(claims, by: signer), life)
    }
}

/// A key that verifies access tokens, as anybody may have it.
public struct PublicTokenKey: Sendable, Hashable, Identifiable {
    /// The token's `kid`: the key's JWK thumbprint.
    public let id: String
    /// The Ed25519 public key, 32 bytes.
    public let bytes: [UInt8]

    /// The key in base64url, as `x` of a JWK (RFC 8037).
    public var x: String { Base64URL.text(bytes) }
}
