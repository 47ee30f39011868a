public import Domain
public import Logging

/// People and their passwords: registering, signing in, passwords forgotten and changed, one's own profile.
///
/// A value over `AccessService`; copies share the pool that hashes. What is asked before anybody is signed in takes an
/// `AccountCaller` in place of a context, and is limited by where it comes from.
public struct AccountService: Sendable {
    let access: AccessService
    let store: AccountStore
    let attempts: AttemptStore
    let mails: MailQueue
    public let hasher: PasswordHasher
    public let settings: AccountSettings
    /// Cleared together with what `access` remembers.
    let profiles: RecentRows<ProfileKey, Profile>

    struct ProfileKey: Hashable, Sendable {
        let tenant: TenantID
        let user: UserID
    }

    public init(access: AccessService, hasher: PasswordHasher, settings: AccountSettings = AccountSettings()) {
        self.access = access
        self.hasher = hasher
        self.settings = settings
        let database = access.store.database
        store = AccountStore(database: database)
        attempts = AttemptStore(database: database)
        mails = MailQueue(database: database)
        profiles = RecentRows(
            capacity: Limits.cachedSessions,
            generation: access.cache.generation,
            now: access.tick
        )
    }

    var now: Instant { access.now() }

    /// Counts an attempt.
    ///
    /// - Throws: `AttemptRefusal` when it has to wait.
    func begin(
        _ kind: AttemptKind,
        email: String? = nil,
        address: String?,
        deadline: ContinuousClock.Instant
    ) async throws {
        let wait = try await attempts.begin(
            kind,
            email: email,
            client: ClientNetwork(address),
            at: now,
            deadline: deadline
        )
        if let wait { throw AttemptRefusal(wait: wait) }
    }

    /// Checks a password that may be chosen by the owner of an account, and hashes it.
    ///
    /// - Throws: `weakPassword`, `busy`.
    func hash(_ password: Password, for email: EmailAddress, names: [String]) async throws -> String {
        try PasswordPolicy(names: names + [String(email.localPart), email.text]).check(password)
        return try await hasher.hash(password)
    }

    /// What a person is called where they are a user, for the policy.
    func names(of account: AccountID, deadline: ContinuousClock.Instant) async throws -> [String] {
        try await store.memberships(of: account, deadline: deadline).flatMap { [$0.user.name, $0.tenantName] }
    }

    /// Removes what no longer counts: attempts, tokens, registrations, invites.
    ///
    /// - Returns: how many rows.
    public func sweep(deadline: ContinuousClock.Instant? = nil) async throws -> Int {
        let time = now
        return try await store.sweep(at: time, limit: Limits.sweepRows, deadline: deadline)
            + attempts.sweep(at: time, limit: Limits.sweepRows, deadline: deadline)
            + invites.sweep(at: time, limit: Limits.sweepRows, deadline: deadline)
    }

    static let tokenRefused = AccessError(
        .tokenRefused,
        "This token is used up, too old, or was never given.",
        hint: "ask for another mail"
    )
}

/// Who calls without being signed in: where from, and until when they wait.
public struct AccountCaller: Sendable {
    public let client: SessionClient
    public let requestID: String
    public let deadline: ContinuousClock.Instant
    public let logger: Logger

    public init(client: SessionClient, requestID: String, deadline: ContinuousClock.Instant, logger: Logger) {
        self.client = client
        self.requestID = requestID
        self.deadline = deadline
        self.logger = logger
    }

    func event(
        _ action: AuditAction,
        result: AuditEvent.Result = .done,
        at time: Instant,
        user: UserID? = nil,
        account: AccountID? = nil,
        details: [AuditEvent.Detail: String] = [:]
    ) -> AuditEvent {
        var event = AuditEvent(
            action,
            result: result,
            at: time,
            user: user,
            object: account.map { AuditObject(.account, $0) },
            requestID: requestID,
            address: client.address,
            details: details
        )
        event.origin = .http
        return event
    }
}

/// What signing in gives.
public struct SignIn: Sendable {
    public let tokens: TokenPair
    public let user: User
    public let tenant: TenantID
    public let account: Account
}

extension AccessService {
    /// After a change that ends sessions: what this process remembers of them is read again.
    func forgetVerified() { cache.clear() }
}
