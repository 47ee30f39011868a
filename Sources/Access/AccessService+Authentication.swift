public import Domain
public import Logging

extension AccessService {
    /// The context of a request that came with an API key or an access token.
    ///
    /// What has not the form of one is refused at once, whatever its size, without asking the database. A good key or
    /// session is looked up at most twice a second; its last use is written beside the request, at most once a minute.
    /// Ending one, or disabling its user, acts at once in this process and within a second in others.
    ///
    /// - Parameters:
    ///   - bearer: what stood behind `Bearer ` in the request.
    ///   - audience: the door it was shown at.
    ///   - client: the network address of the caller; nil when nobody knows it.
    ///   - requestID: the context's `id`.
    /// - Throws: `AccessError.unauthenticated`, always with the same message; errors of the database.
    public func authenticate(
        bearer: String,
        at audience: TokenAudience = .api,
        client: String? = nil,
        timeout: Duration,
        requestID: String,
        origin: Origin = .http,
        logger: Logger
    ) async throws -> RequestContext {
        let deadline = ContinuousClock.now + timeout
        let (tenant, principal) =
            if let key = KeyText(bearer) {
                try await owner(of: key, from: client, deadline: deadline, logger: logger)
            } else if bearer.utf8.count <= Limits.accessTokenBytes, bearer.utf8.contains(UInt8(ascii: ".")) {
                try await owner(ofToken: bearer, at: audience, deadline: deadline, logger: logger)
            } else {
                throw AccessError.unauthenticated("neither key nor token")
            }
        var context = context(
            id: requestID,
            principal: principal,
            tenant: tenant,
            deadline: deadline,
            origin: origin,
            logger: logger
        )
        context.clientAddress = client
        return context
    }

    private func owner(
        of text: KeyText,
        from client: String?,
        deadline: ContinuousClock.Instant,
        logger: Logger
    ) async throws -> (TenantID, Principal) {
        let stored = try await storedKey(text.id, deadline: deadline, secretDigest: text.digest)
        // An unknown key is compared as well, so that both refusals take the same steps.
        let digest = stored?.digest ?? [UInt8](repeating: 0, count: text.digest.count)
        guard isEqualInConstantTime(digest, text.digest), let stored else {
            throw AccessError.unauthenticated(stored == nil ? "unknown key" : "wrong secret")
        }
        let time = now()
        switch Policy.admit(stored.facts, from: client.flatMap { IPAddress($0) }, at: time) {
        case .refused(let refusal):
            throw AccessError.unauthenticated(refusal.rawValue)
        case .admitted:
            let key = stored.key
            let permissions = try await permissions(of: key.owner, key: key, tenant: stored.tenant)
            usage.note(key.id, tenant: stored.tenant, at: time, stored: key.lastUsedTime, logger: logger)
            return (stored.tenant, Principal(user: key.owner, key: key.id, permissions: permissions))
        }
    }

    /// Waits until the last uses and the audit events noted so far are written; call it before the database closes.
    public func flush() async {
        await usage.flush()
        await sessionUses.flush()
        await audit.flush()
    }

    /// The key from the cache or the database.
    ///
    /// - Parameter secretDigest: when given, only a key with this digest enters the cache.
    func storedKey(
        _ id: KeyID,
        deadline: ContinuousClock.Instant,
        secretDigest: [UInt8]? = nil
    ) async throws -> AccessStore.StoredKey? {
        if let cached = cache.key(id) { return cached }
        let ticket = cache.ticket()
        guard let stored = try await store.key(id, deadline: deadline) else { return nil }
        if secretDigest.map({ isEqualInConstantTime($0, stored.digest) }) ?? true { cache.add(stored, ticket) }
        return stored
    }

    /// Where a request comes from, as far as it is known.
    static func client(_ context: RequestContext) -> IPAddress? { context.clientAddress.flatMap { IPAddress($0) } }
}
