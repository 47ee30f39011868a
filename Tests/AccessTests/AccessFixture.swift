import Database
import Domain
import Logging
import Synchronization
import TestSupport
import Testing

@testable import Access

/// A clock that moves only when told to.
final class ManualClock: Sendable {
    private let state = Mutex((instant: Instant(milliseconds: 1_750_000_000_000), tick: ContinuousClock.now))

    var now: InstantSource { { self.state.withLock { $0.instant } } }
    var tick: @Sendable () -> ContinuousClock.Instant { { self.state.withLock { $0.tick } } }
    var instant: Instant { state.withLock { $0.instant } }

    func advance(_ duration: Duration) {
        let (seconds, attoseconds) = duration.components
        state.withLock { state in
            state.instant.microseconds += seconds * 1_000_000 + attoseconds / 1_000_000_000_000
            state.tick += duration
        }
    }
}

/// What most tests begin with: a database after its first start.
struct AccessFixture: Sendable {
    let database: any SQLDatabase
    let clock: ManualClock
    let service: AccessService
    let first: Bootstrap
    let firstKey: IssuedKey
    let master: MasterKey
    let logger = Logger(label: "test", factory: { _ in SilentLogHandler() })

    func owner() async throws -> RequestContext {
        try await service.ownerContext(origin: .commandLine, timeout: .seconds(60), logger: logger)
    }

    func authenticate(
        _ bearer: String,
        from client: String? = nil,
        by other: AccessService? = nil
    ) async throws -> RequestContext {
        try await (other ?? service).authenticate(
            bearer: bearer,
            client: client,
            timeout: .seconds(60),
            requestID: "request-1",
            logger: logger
        )
    }

    /// As for somebody who signed in.
    func signedIn(_ user: User) -> RequestContext {
        service.context(
            principal: Principal(user: user.id, key: nil, permissions: user.role.permissions),
            tenant: first.tenant,
            deadline: .now + .seconds(60),
            origin: .http,
            logger: logger
        )
    }

    /// A context of another tenant in the same database, with every permission.
    func secondTenant() async throws -> RequestContext {
        let tenant = TenantID.random()
        let store = AccessStore(database: database)
        let user = User(id: .random(), name: "owner", role: .owner, isDisabled: false, createdTime: clock.instant)
        _ = try await database.write(of: .everyTenant) { transaction in
            try transaction.execute(
                "INSERT INTO access_tenants (id, name, owner, created_time) VALUES ($1, 'other', $2, 0)",
                [.text(tenant.description), .text(user.id.description)]
            )
        }
        #expect(try await store.insert(user, tenant: tenant, limit: 10) == .inserted)
        var generator = SystemRandomNumberGenerator()
        let text = KeyText(id: .random(), using: &generator)
        let key = APIKey.sample(id: text.id, owner: user.id, scopes: Set(Permission.allCases), at: clock.instant)
        #expect(try await store.insert(key, digest: text.digest, tenant: tenant, limit: 10) == .inserted)
        let context = try await authenticate(text.secret.revealed)
        #expect(context.tenant == tenant)
        return context
    }

    /// Another process on the same database: it shares no cache.
    func otherProcess() -> AccessService { .sample(database, master, clock) }
}

extension AccessService {
    /// One that can sign tokens.
    static func sample(
        _ database: any SQLDatabase,
        _ master: MasterKey,
        _ clock: ManualClock,
        tokens: TokenSettings = TokenSettings()
    ) -> AccessService {
        AccessService(
            database: database,
            vault: { CredentialVault(database: database, master: master) },
            tokens: tokens,
            now: clock.now,
            tick: clock.tick
        )
    }
}

func withAccess(
    _ kind: DatabaseKind,
    _ body: @escaping @Sendable (AccessFixture) async throws -> Void
) async throws {
    try await withDatabase(kind, migrations: AccessStore.migrations) { database in
        let clock = ManualClock()
        let master = MasterKey.random()
        let service = AccessService.sample(database, master, clock)
        let first = try await service.bootstrap()
        let key = try #require(try await service.issueFirstKey(first))
        try await body(
            AccessFixture(
                database: database,
                clock: clock,
                service: service,
                first: first,
                firstKey: key,
                master: master
            )
        )
        await service.flush()
    }
}

func expectRefusal(_ code: AccessError.Code, _ body: () async throws -> Void) async {
    do {
        try await body()
        Issue.record("nothing was refused; expected \(code.rawValue)")
    } catch let error as AccessError {
        #expect(error.code == code, "\(error)")
    } catch {
        Issue.record("\(error) is no AccessError")
    }
}

extension APIKey {
    static func sample(
        id: KeyID = .random(),
        owner: UserID,
        scopes: Set<Permission> = [.search],
        at time: Instant
    ) -> APIKey {
        APIKey(
            id: id,
            owner: owner,
            name: "sample",
            scopes: scopes,
            bases: nil,
            expires: nil,
            isDisabled: false,
            createdTime: time,
            lastUsedTime: nil,
            lastFour: "0000"
        )
    }
}

/// Keeps metadata as a real one does, and writes nothing.
struct SilentLogHandler: LogHandler {
    var metadata: Logger.Metadata = [:]
    var logLevel = Logger.Level.critical

    subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    func log(event: LogEvent) {}
}
