import Domain
import Synchronization
import TestSupport
import Testing

@testable import Tools

/// What is found once for all who would find the same, and never for anybody else.
@Suite("Shared looks")
struct SharedLooksTests {
    private let user = UserID.random()
    private let key = KeyID.random()
    private let tenant = TenantID.random()
    private let start = ContinuousClock.now

    private func principal(
        user: UserID? = nil,
        key: KeyID? = nil,
        scopes: Set<Permission>? = nil,
        permissions: Set<Permission> = [.recordsRead]
    ) -> Principal {
        Principal(user: user ?? self.user, key: key ?? self.key, scopes: scopes, permissions: permissions)
    }

    private func place(
        _ principal: Principal? = nil,
        tenant: TenantID? = nil,
        _ offer: WatchedOffer = .resource(uri: "airtable://a")
    ) -> SharedLooks.Key {
        SharedLooks.Key(tenant: tenant ?? self.tenant, principal: principal ?? self.principal(), offer: offer)
    }

    private func look(_ number: Int) -> WatchedLook { WatchedLook(print: .content(number)) }

    @Test("a look serves all who want one that began when it did or earlier; who wants a later one has another")
    func freshness() async throws {
        let clock = Mutex(start)
        let looks = SharedLooks { clock.withLock { $0 } }
        func found(since: Duration, else number: Int) async throws -> WatchedLook {
            try await looks.look(at: place(), since: start + since) { look(number) }
        }
        clock.withLock { $0 = start + .seconds(5) }
        equal(try await found(since: .seconds(5), else: 1), look(1))
        equal(try await found(since: .seconds(3), else: 2), look(1))
        equal(try await found(since: .seconds(5), else: 3), look(1))
        clock.withLock { $0 = start + .seconds(7) }
        equal(try await found(since: .seconds(6), else: 4), look(4))
        equal(try await found(since: .seconds(5), else: 5), look(4))
    }

    @Test(
        "nobody is answered with what another caller found: another user, key, tenant, right or scope, or another thing"
    )
    func nobodyElse() async throws {
        let looks = SharedLooks()
        let keys = [
            place(), place(principal(user: .random())), place(principal(key: .random())), place(tenant: .random()),
            place(principal(permissions: [.recordsRead, .schemaRead])), place(principal(permissions: [])),
            place(principal(scopes: [.recordsRead])), place(nil, .resource(uri: "airtable://b")),
            place(nil, .list(.tools)),
        ]
        for (number, key) in keys.enumerated() {
            equal(try await looks.look(at: key, since: start) { look(number) }, look(number))
        }
        for (number, key) in keys.enumerated() {
            equal(try await looks.look(at: key, since: start) { look(-1) }, look(number))
        }
    }

    @Test("those who come while it is made wait for it")
    func waiting() async throws {
        let looks = SharedLooks()
        let (made, gate) = (Counter(), Wakeup())
        let generation = gate.generation
        try await withThrowingTaskGroup(of: WatchedLook.self) { group in
            for _ in 0..<50 {
                group.addTask {
                    try await looks.look(at: place(), since: start) {
                        made.add()
                        await gate.wait(beyond: generation)
                        return look(7)
                    }
                }
            }
            try await eventually("one has begun") { made.value == 1 }
            gate.notify()
            for try await found in group { #expect(found == look(7)) }
        }
        #expect(made.value == 1)
    }

    @Test("a look that fails, or is given up, is made again by who waited for it")
    func failing() async throws {
        struct Broken: Error {}
        let looks = SharedLooks()
        let (begun, gate) = (Counter(), Wakeup())
        let generation = gate.generation
        let first = Task {
            try await looks.look(at: place(), since: start) {
                begun.add()
                await gate.wait(beyond: generation)
                throw Broken()
            }
        }
        try await eventually("it has begun") { begun.value == 1 }
        let second = Task { try await looks.look(at: place(), since: start) { look(2) } }
        gate.notify()
        await #expect(throws: Broken.self) { try await first.value }
        equal(try await second.value, look(2))

        let later = ContinuousClock.now
        let given = Task {
            try await looks.look(at: place(), since: later) {
                begun.add()
                try await Task.sleep(for: .seconds(600))
                return look(3)
            }
        }
        try await eventually("it has begun") { begun.value == 2 }
        let waiting = Task { try await looks.look(at: place(), since: later) { look(4) } }
        given.cancel()
        equal(try await waiting.value, look(4))
    }

    @Test("who gives up waiting leaves the look to the others")
    func givingUp() async throws {
        let looks = SharedLooks()
        let (begun, gate) = (Counter(), Wakeup())
        let generation = gate.generation
        let first = Task {
            try await looks.look(at: place(), since: start) {
                begun.add()
                await gate.wait(beyond: generation)
                return look(1)
            }
        }
        try await eventually("it has begun") { begun.value == 1 }
        let second = Task { try await looks.look(at: place(), since: start) { look(2) } }
        second.cancel()
        await #expect(throws: CancellationError.self) { try await second.value }
        gate.notify()
        equal(try await first.value, look(1))
    }

    @Test("no more looks are remembered than there is room for")
    func bound() async throws {
        let looks = SharedLooks(countMax: 10)
        for number in 0..<100 {
            _ = try await looks.look(at: place(nil, .resource(uri: "airtable://\(number)")), since: start) {
                look(number)
            }
        }
        #expect(looks.count <= 10)
    }
}
