import Database
import Domain
import Synchronization
import TestSupport
import Testing

@testable import Access

@Suite("Policies in memory")
struct PolicyBookTests {
    @Test(
        "AUTHZ-09: what this process grants acts at once, what another does within half a second",
        arguments: DatabaseKind.allCases
    )
    func freshness(_ kind: DatabaseKind) async throws {
        try await withAccess(kind) { fixture in
            let (owner, base) = (try await fixture.owner(), BaseID.random())
            let user = try await fixture.service.createUser(name: "gus", role: .guest, context: owner)
            let subject = PolicyBook.Subject(tenant: owner.tenant, user: user.id, key: nil)
            let other = fixture.otherProcess()
            func seen(by service: AccessService) async throws -> Bool? {
                try await service.policies.scope(of: subject, for: .basesRead)?.allows(base: base)
            }
            #expect(try await seen(by: fixture.service) == false)
            #expect(try await seen(by: other) == false)
            let draft = GrantDraft(subject: .user(user.id), bundle: .role(.viewer), resource: .base(base))
            let made = try await fixture.service.createGrant(draft, checking: AnyPlace(), context: owner)
            #expect(try await seen(by: fixture.service) == true)
            #expect(try await seen(by: other) == false)
            fixture.clock.advance(PolicyBook.life)
            #expect(try await seen(by: other) == true)
            _ = try await fixture.service.deleteGrant(made.value.id, context: owner)
            #expect(try await seen(by: fixture.service) == false)
            fixture.clock.advance(PolicyBook.life)
            #expect(try await seen(by: other) == false)
        }
    }

    @Test("AUTHZ-09: a request that names a version is answered by nothing older", arguments: DatabaseKind.allCases)
    func atLeast(_ kind: DatabaseKind) async throws {
        try await withAccess(kind) { fixture in
            let (owner, base) = (try await fixture.owner(), BaseID.random())
            let user = try await fixture.service.createUser(name: "gus", role: .guest, context: owner)
            let key = try await fixture.service.createKey(
                APIKeyDraft(name: "k", scopes: [.recordsRead], owner: user.id),
                context: owner
            )
            let other = fixture.otherProcess()
            let context = try await fixture.authenticate(key.text, by: other)
            #expect(context.principal.permissions.isEmpty)
            let draft = GrantDraft(subject: .user(user.id), bundle: .role(.viewer), resource: .base(base))
            let made = try await fixture.service.createGrant(draft, checking: AnyPlace(), context: owner)
            // The other process's clock has not moved: without the version it is still in the past.
            #expect(try await fixture.authenticate(key.text, by: other).principal.permissions.isEmpty)
            let fresh = try await other.fresh(context, atLeast: "\(made.version)")
            #expect(fresh.principal.permissions == [.recordsRead])
            #expect(fresh.id == context.id)
            #expect(try await other.visibleScope(for: fresh, doing: .recordsRead).allows(base: base))
            for text in ["", "-1", "1.5", "x", "\(made.version + 1)", "99999999999999999999", "+1"] {
                await expectRefusal(.invalid) { _ = try await other.fresh(context, atLeast: text) }
            }
        }
    }

    @Test("AUTHZ-09: without the version there is no answer, also not the last one")
    func failsClosed() async throws {
        let clock = ManualClock()
        let book = PolicyBook(store: AccessStore(database: UnreachableDatabase()), now: clock.tick)
        await #expect(throws: UnreachableDatabase.Reached.self) { _ = try await book.policy(of: .random()) }
        try await withAccess(.sqlite) { fixture in
            let owner = try await fixture.owner()
            let switchable = SwitchableDatabase(fixture.database)
            let service = AccessService(database: switchable, now: fixture.clock.now, tick: fixture.clock.tick)
            _ = try await service.visibleScope(for: owner, doing: .search)
            switchable.isReachable = false
            _ = try await service.visibleScope(for: owner, doing: .search)
            fixture.clock.advance(PolicyBook.life)
            await #expect(throws: UnreachableDatabase.Reached.self) {
                _ = try await service.visibleScope(for: owner, doing: .search)
            }
            switchable.isReachable = true
            _ = try await service.visibleScope(for: owner, doing: .search)
        }
    }

    @Test("many who ask at once read once, and an unchanged version reads nothing else")
    func readsOnce() async throws {
        try await withAccess(.sqlite) { fixture in
            let counting = CountingDatabase(fixture.database)
            let book = PolicyBook(store: AccessStore(database: counting), now: fixture.clock.tick)
            let tenant = fixture.first.tenant
            let versions = try await withThrowingTaskGroup(of: Int64.self) { tasks in
                for _ in 0..<50 { tasks.addTask { try await book.policy(of: tenant).version } }
                return try await tasks.reduce(into: Set<Int64>()) { $0.insert($1) }
            }
            #expect(versions.count == 1)
            #expect(counting.counts.reads == 1)
            fixture.clock.advance(PolicyBook.life)
            let subject = PolicyBook.Subject(tenant: tenant, user: fixture.first.owner, key: nil)
            for permission in Permission.allCases { _ = try await book.scope(of: subject, for: permission) }
            #expect(counting.counts.reads == 2)
            #expect(book.counts.standings == 1)
            #expect(book.counts.scopes == Permission.allCases.count)
            book.forget(tenant)
            _ = try await book.policy(of: tenant)
            #expect(counting.counts.reads == 3)
        }
    }

    @Test("what was read before a change of this process is not kept")
    func overtaken() async throws {
        try await withAccess(.sqlite) { fixture in
            let gate = GatedDatabase(fixture.database)
            let book = PolicyBook(store: AccessStore(database: gate), now: fixture.clock.tick)
            let tenant = fixture.first.tenant
            async let early = book.policy(of: tenant)
            await gate.untilReading()
            _ = try await fixture.service.createGroup(name: "staff", context: fixture.owner())
            book.forget(tenant)
            gate.open()
            let old = try await early
            let new = try await book.policy(of: tenant)
            #expect(new.version > old.version)
            #expect(new.groupNames.values.contains("staff"))
            #expect(try await book.policy(of: tenant).version == new.version)
        }
    }

    @Test("is bounded by what its values cost")
    func bounded() {
        var cache = CostCache<Int, Int>(capacity: 10)
        for number in 0..<100 {
            cache.insert(number, for: number, cost: 3)
            #expect(cache.cost <= 10)
            #expect(cache[number] == number)
        }
        cache.insert(1, for: 1, cost: 11)
        #expect(cache[1] == nil)
        cache.insert(2, for: 2, cost: 1)
        cache.insert(3, for: 2, cost: 2)
        #expect(cache[2] == 3)
        cache.remove(2)
        cache.removeAll()
        #expect(cache.cost == 0)
        #expect(cache.count == 0)
    }
}

/// Everything is there, and every condition a formula.
struct AnyPlace: GrantPlaces {
    func check(_ resource: Resource, condition: String?, context: RequestContext) async throws {}
}

/// A database that can go away.
private final class SwitchableDatabase: SQLDatabase {
    private let inner: any SQLDatabase
    private let state = Mutex(true)

    init(_ inner: any SQLDatabase) { self.inner = inner }

    var isReachable: Bool {
        get { state.withLock { $0 } }
        set { state.withLock { $0 = newValue } }
    }
    var dialect: SQLDialect { inner.dialect }
    var location: String { inner.location }
    var statistics: DatabaseStatistics { inner.statistics }

    func read<T: Sendable>(
        of scope: RowScope,
        deadline: ContinuousClock.Instant?,
        _ body: @escaping @Sendable (any Transaction) throws -> T
    ) async throws -> T {
        guard isReachable else { throw UnreachableDatabase.Reached() }
        return try await inner.read(of: scope, deadline: deadline, body)
    }

    func write<T: Sendable>(
        of scope: RowScope,
        deadline: ContinuousClock.Instant?,
        _ body: @escaping @Sendable (any Transaction) throws -> T
    ) async throws -> T { try await inner.write(of: scope, deadline: deadline, body) }

    func integrityCheck() async throws -> [String] { try await inner.integrityCheck() }

    func close() async { await inner.close() }
}

/// Gives the answer of its first read when told to.
private final class GatedDatabase: SQLDatabase {
    private let inner: any SQLDatabase
    private let read = AsyncStream.makeStream(of: Void.self)
    private let gate = AsyncStream.makeStream(of: Void.self)
    private let isFirst = Mutex(true)

    init(_ inner: any SQLDatabase) { self.inner = inner }

    func untilReading() async { for await _ in read.stream { return } }

    func open() { gate.continuation.finish() }

    var dialect: SQLDialect { inner.dialect }
    var location: String { inner.location }
    var statistics: DatabaseStatistics { inner.statistics }

    func read<T: Sendable>(
        of scope: RowScope,
        deadline: ContinuousClock.Instant?,
        _ body: @escaping @Sendable (any Transaction) throws -> T
    ) async throws -> T {
        let result = try await inner.read(of: scope, deadline: deadline, body)
        let waits = isFirst.withLock { first in
            defer { first = false }
            return first
        }
        if waits {
            read.continuation.yield()
            for await _ in gate.stream {}
        }
        return result
    }

    func write<T: Sendable>(
        of scope: RowScope,
        deadline: ContinuousClock.Instant?,
        _ body: @escaping @Sendable (any Transaction) throws -> T
    ) async throws -> T { try await inner.write(of: scope, deadline: deadline, body) }

    func integrityCheck() async throws -> [String] { try await inner.integrityCheck() }

    func close() async { await inner.close() }
}
