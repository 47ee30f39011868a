import Database
import Domain
import TestSupport
import Testing

@testable import Access

@Suite("How fast may be guessed")
struct AttemptRuleTests {
    private static let start = Instant(milliseconds: 1_750_000_000_000)

    @Test("AUTH-07: five failures are free; then the wait doubles from 10 s, and is 15 minutes at most")
    func lockout() {
        var lockout = Lockout()
        var now = Self.start
        var waits: [Int64] = []
        for _ in 0..<15 {
            #expect(lockout.wait(at: now) == nil)
            lockout.began(at: now)
            let wait = lockout.wait(at: now) ?? .zero
            waits.append(wait.components.seconds)
            if wait > .zero {
                let justBefore = now.adding(wait - .microseconds(1))
                #expect(lockout.wait(at: justBefore) == .microseconds(1))
            }
            now = now.adding(wait)
        }
        #expect(waits == [0, 0, 0, 0, 10, 20, 40, 80, 160, 320, 640, 900, 900, 900, 900])
        #expect(Lockout.wait(after: Int.max) == .seconds(900))
    }

    @Test("AUTH-07: failures a day old are forgotten, younger ones are not")
    func memory() {
        for (hours, failures) in [(23, 8), (25, 1)] {
            var lockout = Lockout()
            for _ in 0..<7 { lockout.began(at: Self.start) }
            lockout.began(at: Self.start.adding(.seconds(hours * 3_600)))
            #expect(lockout.failures == failures)
        }
    }

    @Test("AUTH-07: a clock set back makes nobody wait longer than the longest wait")
    func clock() {
        let lockout = Lockout(failures: 9, until: Self.start.adding(.seconds(90_000)), seen: Self.start)
        #expect(lockout.wait(at: Self.start) == .seconds(900))
        let rate = AttemptRate(burst: 3, interval: .seconds(10))
        let far = Self.start.adding(.seconds(90_000))
        #expect(rate.taking(far, at: Self.start) == .failure(AttemptRate.Wait(time: .seconds(10))))
    }

    @Test("AUTH-07: a place has a burst, then one attempt for each interval; what succeeded is given back")
    func rate() {
        let rate = AttemptRate(burst: 3, interval: .seconds(10))
        var full = Instant(microseconds: 0)
        func take(_ seconds: Int) -> Duration? {
            switch rate.taking(full, at: Self.start.adding(.seconds(seconds))) {
            case .success(let next):
                full = next
                return nil
            case .failure(let wait): return wait.time
            }
        }
        #expect((0..<3).map { _ in take(0) } == [nil, nil, nil])
        #expect(take(0) == .seconds(10))
        #expect(take(9) == .seconds(1))
        #expect(take(10) == nil)
        #expect(take(10) == .seconds(10))
        full = rate.givingBack(full)
        #expect(take(10) == nil)
        #expect((0..<3).map { _ in take(1_000) } == [nil, nil, nil])
        #expect(take(1_000) == .seconds(10))
    }

    @Test(
        "a client's network is its /24, or the /48 around its /64",
        arguments: [
            ("192.0.2.7", [192, 0, 2, 7], [192, 0, 2]), ("::ffff:192.0.2.7", [192, 0, 2, 7], [192, 0, 2]),
            (
                "2001:db8:1:2:3:4:5:6", [0x20, 0x01, 0x0d, 0xb8, 0, 1, 0, 2], [0x20, 0x01, 0x0d, 0xb8, 0, 1]
            ),
            ("fe80::1%eth0", [0xfe, 0x80, 0, 0, 0, 0, 0, 0], [0xfe, 0x80, 0, 0, 0, 0]), ("nonsense", [], []),
            ("", [], []),
        ] as [(String, [UInt8], [UInt8])]
    )
    func networks(_ address: String, _ host: [UInt8], _ network: [UInt8]) {
        let client = ClientNetwork(address)
        #expect(client.host == host && client.network == network)
        #expect(ClientNetwork(nil) == ClientNetwork(""))
    }
}

@Suite("Attempts in the database")
struct AttemptStoreTests {
    private static let start = Instant(milliseconds: 1_750_000_000_000)
    private static let here = ClientNetwork("192.0.2.1")
    private static let elsewhere = ClientNetwork("198.51.100.1")

    private func withStore(
        _ kind: DatabaseKind,
        _ body: @escaping @Sendable (AttemptStore) async throws -> Void
    ) async throws {
        try await withDatabase(kind, migrations: AccessStore.migrations) { database in
            try await body(AttemptStore(database: database))
        }
    }

    @Test(
        "AUTH-07: failures at an account count from wherever they come, and survive a restart",
        arguments: DatabaseKind.allCases
    )
    func failures(_ kind: DatabaseKind) async throws {
        try await withStore(kind) { store in
            for number in 0..<5 {
                let client = ClientNetwork("203.0.113.\(number)")
                #expect(try await store.begin(.signIn, email: "ada@x.y", client: client, at: Self.start) == nil)
            }
            let afterRestart = AttemptStore(database: store.database)
            let wait = try await afterRestart.begin(.signIn, email: "ada@x.y", client: Self.here, at: Self.start)
            #expect(wait == .seconds(10))
            #expect(try await store.begin(.signIn, email: "bob@x.y", client: Self.here, at: Self.start) == nil)
            let later = Self.start.adding(.seconds(10))
            #expect(try await store.begin(.signIn, email: "ada@x.y", client: Self.here, at: later) == nil)
            #expect(try await store.begin(.signIn, email: "ada@x.y", client: Self.here, at: later) == .seconds(20))
            try await store.forgive(email: "ada@x.y")
            #expect(try await store.begin(.signIn, email: "ada@x.y", client: Self.here, at: later) == nil)
        }
    }

    @Test(
        "AUTH-07: from where an account was used well, others' failures are no hindrance, but one's own are",
        arguments: DatabaseKind.allCases
    )
    func known(_ kind: DatabaseKind) async throws {
        try await withStore(kind) { store in
            let ada = try EmailAddress("ada@x.y")
            #expect(try await store.begin(.signIn, email: ada.key, client: Self.here, at: Self.start) == nil)
            try await store.succeeded(.signIn, email: ada, client: Self.here, remembers: true, at: Self.start)
            for _ in 0..<5 {
                #expect(try await store.begin(.signIn, email: ada.key, client: Self.elsewhere, at: Self.start) == nil)
            }
            #expect(try await store.begin(.signIn, email: ada.key, client: Self.elsewhere, at: Self.start) != nil)
            #expect(try await store.begin(.signIn, email: ada.key, client: Self.here, at: Self.start) == nil)
            try await store.succeeded(.signIn, email: ada, client: Self.here, remembers: true, at: Self.start)
            // The attacker is not forgiven by it.
            #expect(try await store.begin(.signIn, email: ada.key, client: Self.elsewhere, at: Self.start) != nil)
            for _ in 0..<5 {
                #expect(try await store.begin(.signIn, email: ada.key, client: Self.here, at: Self.start) == nil)
            }
            #expect(try await store.begin(.signIn, email: ada.key, client: Self.here, at: Self.start) == .seconds(10))
            // A neighbour in the same network is the same client; the same place is not known to another account.
            let neighbour = ClientNetwork("192.0.2.77")
            #expect(try await store.begin(.signIn, email: ada.key, client: neighbour, at: Self.start) == .seconds(10))
        }
    }

    @Test("AUTH-07: a hundred guesses at once are no more than five", arguments: DatabaseKind.allCases)
    func parallel(_ kind: DatabaseKind) async throws {
        try await withStore(kind) { store in
            let admitted = try await withThrowingTaskGroup(of: Bool.self) { group in
                for number in 0..<100 {
                    group.addTask {
                        let client = ClientNetwork("203.\(number).113.7")
                        return try await store.begin(.signIn, email: "ada@x.y", client: client, at: Self.start) == nil
                    }
                }
                return try await group.reduce(0) { $0 + ($1 ? 1 : 0) }
            }
            #expect(admitted == 5)
        }
    }

    @Test("AUTH-07: one address, and one network, try many accounts only so often", arguments: DatabaseKind.allCases)
    func places(_ kind: DatabaseKind) async throws {
        try await withStore(kind) { store in
            var fromOne = 0
            for number in 0..<40
            where try await store.begin(.signIn, email: "\(number)@x.y", client: Self.here, at: Self.start) == nil {
                fromOne += 1
            }
            #expect(fromOne == 30)
            // Refused, it counted against nobody.
            #expect(try await store.begin(.signIn, email: "39@x.y", client: Self.elsewhere, at: Self.start) == nil)
            var registered = 0
            for number in 0..<40 {
                let client = ClientNetwork("203.0.113.\(number)")
                for _ in 0..<7 where try await store.begin(.register, email: nil, client: client, at: Self.start) == nil
                {
                    registered += 1
                }
            }
            #expect(registered == 20)
            let later = Self.start.adding(.seconds(120))
            #expect(
                try await store.begin(.register, email: nil, client: ClientNetwork("203.0.113.200"), at: later) == nil
            )
        }
    }

    @Test("old rows are swept, young ones are not; places known are bounded", arguments: DatabaseKind.allCases)
    func sweep(_ kind: DatabaseKind) async throws {
        try await withStore(kind) { store in
            _ = try await store.begin(.signIn, email: "ada@x.y", client: Self.here, at: Self.start)
            #expect(try await store.sweep(at: Self.start.adding(.seconds(3_600)), limit: 100) == 0)
            #expect(try await store.sweep(at: Self.start.adding(.seconds(90_000)), limit: 100) == 3)
            for number in 0..<30 {
                let time = Self.start.adding(.seconds(number))
                try await store.remember(ClientNetwork("10.0.\(number).1"), of: "ada@x.y", at: time)
            }
            let count = try await store.database.read(of: .everyTenant) { transaction in
                try transaction.firstRow("SELECT COUNT(*) FROM access_known_clients")?.integer(0)
            }
            #expect(count == Int64(Limits.knownClients))
            let old = Self.start.adding(.seconds(181 * 86_400))
            #expect(try await store.sweep(at: old, limit: 100) == Limits.knownClients)
        }
    }
}
