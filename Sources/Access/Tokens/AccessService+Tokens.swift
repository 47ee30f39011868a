import Domain
import Logging

extension AccessService {
    /// Who makes the access tokens, as they say.
    public var tokenIssuer: String { settings.issuer }

    /// Whose access token this is. Its signature is checked once; its session, its key and the clock at each request.
    func owner(
        ofToken text: String,
        at audience: TokenAudience,
        deadline: ContinuousClock.Instant,
        logger: Logger
    ) async throws -> (TenantID, Principal) {
        let claims = try await claims(of: text, deadline: deadline)
        guard audience.takes(claims, api: settings.audience) else {
            throw AccessError.unauthenticated(TokenRefusal.purpose.rawValue)
        }
        let principal = try await principal(
            claims.session,
            of: claims.user,
            scopes: claims.scopes,
            tenant: claims.tenant,
            deadline: deadline,
            logger: logger
        )
        return (claims.tenant, principal)
    }

    /// The claims of a token whose signature, issuer and time are good. Says nothing of its audience or session.
    private func claims(of text: String, deadline: ContinuousClock.Instant) async throws -> AccessClaims {
        let digest = VerifiedTokens.digest(text)
        let time = now()
        if let known = verified[digest] {
            guard TokenVerifier.isAlive(known.claims, at: time) else {
                verified.remove(digest)
                throw AccessError.unauthenticated(TokenRefusal.expired.rawValue)
            }
            guard try await keyRing.verifyingKey(known.keyID, deadline: deadline) != nil else {
                verified.remove(digest)
                throw AccessError.unauthenticated(TokenRefusal.unknownKey.rawValue)
            }
            return known.claims
        }
        do {
            let token = try UnverifiedToken(text)
            let key = try await keyRing.verifyingKey(token.keyID, deadline: deadline)
            let verifier = TokenVerifier(issuer: settings.issuer)
            let claims = try verifier.claims(of: token, key: key, at: time)
            verified.add(.init(claims: claims, keyID: token.keyID), for: digest, at: time)
            return claims
        } catch let refusal as TokenRefusal {
            throw AccessError.unauthenticated(refusal.rawValue)
        }
    }

    // MARK: Sessions

    /// Who a session stands for, with the rights they have now.
    ///
    /// - Parameters:
    ///   - user: whose it must be; nil when that was checked before.
    ///   - scopes: what narrows their rights; nil for nothing.
    ///   - logger: given when this is a use of the session, which is noted.
    func principal(
        _ id: SessionID,
        of user: UserID? = nil,
        scopes: Set<Permission>? = nil,
        tenant: TenantID,
        deadline: ContinuousClock.Instant,
        logger: Logger? = nil
    ) async throws -> Principal {
        let stored = try await liveSession(id, tenant: tenant, deadline: deadline)
        let session = stored.session
        guard user == nil || session.user == user else { throw AccessError.unauthenticated("another user's session") }
        let time = now()
        switch Policy.admit(stored.facts, at: time) {
        case .refused(let refusal):
            throw AccessError.unauthenticated(refusal.rawValue)
        case .admitted:
            let permissions = try await permissions(of: session.user, tenant: tenant)
            if let logger {
                sessionUses.note(id, tenant: tenant, at: time, stored: session.lastSeenTime, logger: logger)
            }
            return Principal(user: session.user, key: nil, session: id, scopes: scopes, permissions: permissions)
        }
    }

    /// The session from the cache or the database.
    ///
    /// - Throws: `unauthenticated` when it has ended.
    func liveSession(
        _ id: SessionID,
        tenant: TenantID,
        deadline: ContinuousClock.Instant
    ) async throws -> AccessStore.StoredSession {
        if let known = sessions[id], known.session.tenant == tenant { return known }
        let ticket = sessions.ticket()
        guard let stored = try await store.session(id, tenant: tenant, deadline: deadline) else {
            throw AccessError.unauthenticated("session ended")
        }
        sessions.add(stored, for: id, ticket)
        return stored
    }
}
