public import Database
public import Domain
public import Logging

/// Who is asking, and what they may: the only maker of `RequestContext`.
///
/// A value over one database; copies share the caches of verified keys, sessions and tokens. Safe to use from anywhere at once.
public struct AccessService: Sendable {
    let store: AccessStore
    let cache: KeyCache
    let usage: LastUses<KeyID>
    /// Cleared together with `cache`.
    let sessions: RecentRows<SessionID, AccessStore.StoredSession>
    /// The data directory's owner, of whom there is one. Cleared together with `cache`.
    private let owners: RecentRows<Int, (tenant: TenantID, user: User)>
    let sessionUses: LastUses<SessionID>
    let keyRing: TokenKeyRing
    let verified: VerifiedTokens
    let settings: TokenSettings
    let tickets: TicketBook
    let nonces: NonceStore
    /// Seals what programs bring back between two requests.
    public let stateSealer: any StateSealer
    let policies: PolicyBook
    /// Who did what.
    public let audit: AuditLog
    let now: InstantSource
    let tick: @Sendable () -> ContinuousClock.Instant
    /// What a test makes of scopes.
    package var narrowing: (@Sendable (VisibleScope, Permission) -> VisibleScope)?

    /// - Parameters:
    ///   - vault: has the master key that seals signing keys; asked when the first one is needed.
    ///   - tokens: how access tokens and sessions are made.
    ///   - now: the present moment, for expiry and stored times.
    ///   - tick: a clock that never goes back, for the age of cached keys and the life of tickets.
    public init(
        database: any SQLDatabase,
        vault: @escaping @Sendable () throws -> CredentialVault = { throw AccessError.noMasterKey },
        tokens: TokenSettings = TokenSettings(),
        now: @escaping InstantSource = { .now() },
        tick: @escaping @Sendable () -> ContinuousClock.Instant = { .now }
    ) {
        let store = AccessStore(database: database)
        let generation = Generation()
        self.store = store
        self.cache = KeyCache(capacity: Limits.cachedKeys, generation: generation, now: tick)
        self.usage = LastUses(capacity: Limits.cachedKeys) {
            try await store.recordUse($0, deadline: .now + lastUseTimeout)
        }
        self.sessions = RecentRows(capacity: Limits.cachedSessions, generation: generation, now: tick)
        self.owners = RecentRows(capacity: 1, generation: generation, now: tick)
        self.sessionUses = LastUses(capacity: Limits.cachedSessions) {
            try await store.recordUse($0, deadline: .now + lastUseTimeout)
        }
        self.keyRing = TokenKeyRing(store: TokenKeyStore(database: database), vault: vault, now: now, tick: tick)
        self.verified = VerifiedTokens(capacity: Limits.verifiedTokens)
        self.settings = tokens
        self.tickets = TicketBook(capacity: Limits.tickets, perUser: Limits.ticketsPerUser)
        self.nonces = NonceStore(database: database)
        self.stateSealer = VaultStateSealer(nonces: nonces, vault: vault, now: now)
        self.policies = PolicyBook(store: store, now: tick)
        self.audit = AuditLog(database: database, now: now)
        self.now = now
        self.tick = tick
    }

    // MARK: First start

    /// Makes the first tenant, workspace and owner, exactly once in a database's life.
    ///
    /// Call it at every start; after the first it is one read. Of any number of processes starting at once, one
    /// makes them and all read the same.
    public func bootstrap() async throws -> Bootstrap {
        if let existing = try await store.bootstrapped() { return existing }
        let time = now()
        let owner = User(id: .random(), name: "owner", role: .owner, isDisabled: false, createdTime: time)
        let tenant = Tenant(id: .random(), name: "default", owner: owner.id, createdTime: time)
        let workspace = Workspace(id: .random(), name: "default", createdTime: time)
        _ = try await store.bootstrap(tenant: tenant, workspace: workspace, owner: owner)
        guard let made = try await store.bootstrapped() else {
            throw AccessError.corrupt("access_bootstrap", "marked, but not there")
        }
        return made
    }

    /// Makes the owner's first key, exactly once in a database's life: when somebody first needs one to come in.
    ///
    /// The key has every permission and never expires.
    ///
    /// - Returns: the key, to be shown once; nil when it was issued before (`Bootstrap.firstKeyTime` says when).
    public func issueFirstKey(_ bootstrap: Bootstrap) async throws -> IssuedKey? {
        guard bootstrap.firstKeyTime == nil else { return nil }
        var generator = SystemRandomNumberGenerator()
        let text = KeyText(id: .random(), using: &generator)
        let draft = APIKeyDraft(name: "first key", scopes: Set(Permission.allCases))
        let key = APIKey(draft, text: text, owner: bootstrap.owner, time: now())
        let isFirst = try await store.issueFirst(
            key,
            digest: text.digest,
            tenant: bootstrap.tenant,
            audit: AuditEvent(
                .keyCreated,
                at: key.createdTime,
                user: bootstrap.owner,
                object: AuditObject(.key, key.id),
                details: [.scopes: key.scopesText]
            )
        )
        return isFirst ? IssuedKey(key: key, secret: text.secret) : nil
    }

    // MARK: Contexts

    /// For the command line and stdio, which act as the data directory's owner.
    ///
    /// - Throws: `AccessError.notBootstrapped` before `bootstrap()`.
    public func ownerContext(origin: Origin, timeout: Duration, logger: Logger) async throws -> RequestContext {
        let deadline = ContinuousClock.now + timeout
        let owner = try await owner(deadline: deadline)
        return context(
            principal: Principal(user: owner.user.id, key: nil, permissions: owner.user.role.permissions),
            tenant: owner.tenant,
            deadline: deadline,
            origin: origin,
            logger: logger
        )
    }

    /// Whose data it is, as of half a second ago at most, as for keys and sessions: every call over stdio asks.
    private func owner(deadline: ContinuousClock.Instant) async throws -> (tenant: TenantID, user: User) {
        if let owner = owners[0] { return owner }
        let ticket = owners.ticket()
        guard let bootstrap = try await store.bootstrapped(deadline: deadline) else {
            throw AccessError(
                .notBootstrapped,
                "This database has no owner yet.",
                hint: "start the server once with `pyairtable-ai serve`, or import something"
            )
        }
        let user = try await store.user(bootstrap.owner, tenant: bootstrap.tenant, deadline: deadline)
        guard let user else { throw AccessError.corrupt("access_users", "the owner is missing") }
        owners.add((bootstrap.tenant, user), for: 0, ticket)
        return (bootstrap.tenant, user)
    }

    /// For the server's own work on a tenant's data, such as indexing: it reads and never writes.
    ///
    /// - Throws: `AccessError.notFound` when there is no such tenant.
    public func systemContext(tenant: TenantID, timeout: Duration, logger: Logger) async throws -> RequestContext {
        let deadline = ContinuousClock.now + timeout
        guard let found = try await store.tenant(tenant, deadline: deadline) else {
            throw AccessError.notFound("tenant")
        }
        return context(
            principal: Principal(user: found.owner, key: nil, permissions: Self.systemPermissions),
            tenant: tenant,
            deadline: deadline,
            origin: .system,
            logger: logger
        )
    }

    /// What the server may do on its own account.
    static let systemPermissions: Set<Permission> = [
        .basesRead, .schemaRead, .recordsRead, .commentsRead, .search, .embed,
    ]

    /// For one step of a larger request or session, with a name of its own in the logs.
    ///
    /// - Parameters:
    ///   - id: the child's; nil for the parent's with a random end.
    ///   - timeout: counted from now, in place of the parent's deadline: a stdio session outlives every one of its
    ///     calls. Nil keeps the parent's deadline.
    public func child(of parent: RequestContext, id: String? = nil, timeout: Duration? = nil) -> RequestContext {
        var child = context(
            id: id ?? "\(parent.id).\(RunningName.short())",
            principal: parent.principal,
            tenant: parent.tenant,
            deadline: timeout.map { .now + $0 } ?? parent.deadline,
            origin: parent.origin,
            logger: parent.logger
        )
        child.clientAddress = parent.clientAddress
        return child
    }

    func context(
        id: String? = nil,
        principal: Principal,
        tenant: TenantID,
        deadline: ContinuousClock.Instant,
        origin: Origin,
        logger: Logger
    ) -> RequestContext {
        let id = id ?? RunningName.made()
        var logger = logger
        logger[metadataKey: "request_id"] = .string(id)
        logger[metadataKey: "tenant"] = .string(tenant.description)
        logger[metadataKey: "origin"] = .string(origin.rawValue)
        return RequestContext(
            id: id,
            principal: principal,
            tenant: tenant,
            deadline: deadline,
            origin: origin,
            logger: logger
        )
    }
}
