import Access
import Database
import Domain
import Logging
import TestSupport
import Testing

@Suite("Authentication by key")
struct AuthenticationTests {
    private func issue(
        _ fixture: AccessFixture,
        scopes: Set<Permission> = [.search],
        owner: UserID? = nil,
        expires: Instant? = nil
    ) async throws -> IssuedKey {
        try await fixture.service.createKey(
            APIKeyDraft(name: "test", scopes: scopes, owner: owner, expires: expires),
            context: fixture.owner()
        )
    }

    @Test("KEY-02: gives the key's scopes and no more", arguments: DatabaseKind.allCases)
    func scopes(_ kind: DatabaseKind) async throws {
        try await withAccess(kind) { fixture in
            let issued = try await issue(fixture, scopes: [.search, .recordsRead])
            let context = try await fixture.authenticate(issued.text)
            #expect(context.principal.permissions == [.search, .recordsRead])
            #expect(context.principal.key == issued.key.id)
            try context.require(.search)
            #expect(throws: AccessError.forbidden(.recordsWrite)) { try context.require(.recordsWrite) }
        }
    }

    @Test("refuses a right identifier with a wrong secret", arguments: DatabaseKind.allCases)
    func wrongSecret(_ kind: DatabaseKind) async throws {
        try await withAccess(kind) { fixture in
            let issued = try await issue(fixture)
            var generator = SystemRandomNumberGenerator()
            let forged = KeyText(id: issued.key.id, using: &generator)
            await expectRefusal(.unauthenticated) { _ = try await fixture.authenticate(forged.secret.revealed) }
            // Also when the right key was seen a moment ago.
            _ = try await fixture.authenticate(issued.text)
            await expectRefusal(.unauthenticated) { _ = try await fixture.authenticate(forged.secret.revealed) }
            let unknown = KeyText(id: .random(), using: &generator)
            await expectRefusal(.unauthenticated) { _ = try await fixture.authenticate(unknown.secret.revealed) }
        }
    }

    @Test("KEY-01: says the same whatever is wrong", arguments: DatabaseKind.allCases)
    func sameWords(_ kind: DatabaseKind) async throws {
        try await withAccess(kind) { fixture in
            var generator = SystemRandomNumberGenerator()
            let issued = try await issue(fixture)
            let disabled = try await issue(fixture)
            try await fixture.service.setKey(disabled.key.id, isDisabled: true, context: fixture.owner())
            let bearers = [
                "", "nonsense", String(issued.text.dropLast()), disabled.text,
                KeyText(id: .random(), using: &generator).secret.revealed,
                KeyText(id: issued.key.id, using: &generator).secret.revealed,
            ]
            var said: Set<String> = []
            for bearer in bearers {
                do {
                    _ = try await fixture.authenticate(bearer)
                    Issue.record("a bad key was taken")
                } catch let error as AccessError {
                    #expect(error.kind == .unauthenticated)
                    said.insert("\(error)")
                    #expect(error.detail.map { bearer.isEmpty || !$0.contains(bearer) } ?? true)
                }
            }
            #expect(said.count == 1)
        }
    }

    @Test("refuses malformed values without asking the database")
    func malformed() async throws {
        let service = AccessService(database: UnreachableDatabase())
        var generator = SystemRandomNumberGenerator()
        let good = KeyText(id: .random(), using: &generator).secret.revealed
        let bearers = [
            "", " ", "Basic dXNlcjpwYXNz", "Bearer \(good)", "\(good)x", String(good.dropLast()) + "~",
            String(good.reversed()), String(repeating: "a", count: 1 << 20),
            good + String(repeating: "\u{0}", count: 1 << 20), "\u{FEFF}\(good)", "pat_live_\u{FFFD}",
        ]
        for bearer in bearers {
            await expectRefusal(.unauthenticated) {
                _ = try await service.authenticate(
                    bearer: bearer,
                    timeout: .seconds(60),
                    requestID: "request-1",
                    logger: Logger(label: "test")
                )
            }
        }
        // The control: a key of the right form does ask.
        await #expect(throws: UnreachableDatabase.Reached.self) {
            _ = try await service.authenticate(
                bearer: good,
                timeout: .seconds(60),
                requestID: "request-1",
                logger: Logger(label: "test")
            )
        }
    }

    @Test("KEY-02: ends with the key's expiry", arguments: DatabaseKind.allCases)
    func expiry(_ kind: DatabaseKind) async throws {
        try await withAccess(kind) { fixture in
            let expires = Instant(microseconds: fixture.clock.instant.microseconds + 100_000)
            let issued = try await issue(fixture, expires: expires)
            _ = try await fixture.authenticate(issued.text)
            // Still in the cache, yet dead.
            fixture.clock.advance(.milliseconds(100))
            await expectRefusal(.unauthenticated) { _ = try await fixture.authenticate(issued.text) }
        }
    }

    @Test("KEY-04: ends at once here and within a second elsewhere", arguments: DatabaseKind.allCases)
    func revocation(_ kind: DatabaseKind) async throws {
        try await withAccess(kind) { fixture in
            let other = fixture.otherProcess()
            let owner = try await fixture.owner()
            let user = try await fixture.service.createUser(name: "ada", context: owner)
            let changes: [@Sendable (KeyID) async throws -> Void] = [
                { try await fixture.service.revokeKey($0, context: owner) },
                { try await fixture.service.setKey($0, isDisabled: true, context: owner) },
                { _ in try await fixture.service.setUser(user.id, isDisabled: true, context: owner) },
            ]
            for change in changes {
                let issued = try await issue(fixture, owner: user.id)
                _ = try await fixture.authenticate(issued.text)
                _ = try await fixture.authenticate(issued.text, by: other)
                try await change(issued.key.id)
                await expectRefusal(.unauthenticated) { _ = try await fixture.authenticate(issued.text) }
                fixture.clock.advance(.seconds(1))
                await expectRefusal(.unauthenticated) { _ = try await fixture.authenticate(issued.text, by: other) }
            }
        }
    }

    @Test("returns with the key or user enabled again", arguments: DatabaseKind.allCases)
    func enabledAgain(_ kind: DatabaseKind) async throws {
        try await withAccess(kind) { fixture in
            let owner = try await fixture.owner()
            let user = try await fixture.service.createUser(name: "ada", context: owner)
            let issued = try await issue(fixture, owner: user.id)
            try await fixture.service.setUser(user.id, isDisabled: true, context: owner)
            await expectRefusal(.unauthenticated) { _ = try await fixture.authenticate(issued.text) }
            try await fixture.service.setUser(user.id, isDisabled: false, context: owner)
            #expect(try await fixture.authenticate(issued.text).principal.user == user.id)
        }
    }

    @Test("asks the database at most twice a second for a good key", arguments: DatabaseKind.allCases)
    func cached(_ kind: DatabaseKind) async throws {
        try await withDatabase(kind, migrations: AccessStore.migrations) { database in
            let counted = CountingDatabase(database)
            let clock = ManualClock()
            let service = AccessService(database: counted, now: clock.now, tick: clock.tick)
            let text = try #require(try await service.issueFirstKey(service.bootstrap())).text
            let logger = Logger(label: "test", factory: { _ in SilentLogHandler() })
            func authenticate() async throws {
                _ = try await service.authenticate(
                    bearer: text,
                    timeout: .seconds(60),
                    requestID: "request-1",
                    logger: logger
                )
            }
            try await authenticate()
            await service.flush()
            let before = counted.counts
            for _ in 0..<100 { try await authenticate() }
            await service.flush()
            #expect(counted.counts == before)
            // Ten seconds, a hundred requests a second: twenty reads each of the key and of the policy's version, and no
            // write within the minute.
            for _ in 0..<1_000 {
                clock.advance(.milliseconds(10))
                try await authenticate()
            }
            await service.flush()
            #expect(counted.counts.reads - before.reads <= 40)
            #expect(counted.counts.writes == before.writes)
        }
    }

    @Test("KEY-02: notes the last use, at most once a minute", arguments: DatabaseKind.allCases)
    func lastUse(_ kind: DatabaseKind) async throws {
        try await withAccess(kind) { fixture in
            let owner = try await fixture.owner()
            let issued = try await issue(fixture)
            func lastUsed() async throws -> Instant? {
                try await fixture.service.keys(context: owner).first { $0.id == issued.key.id }?.lastUsedTime
            }
            #expect(try await lastUsed() == nil)
            let first = fixture.clock.instant
            _ = try await fixture.authenticate(issued.text)
            await fixture.service.flush()
            #expect(try await lastUsed() == first)

            fixture.clock.advance(.seconds(59))
            _ = try await fixture.authenticate(issued.text)
            await fixture.service.flush()
            #expect(try await lastUsed() == first)

            fixture.clock.advance(.seconds(1))
            _ = try await fixture.authenticate(issued.text)
            await fixture.service.flush()
            #expect(try await lastUsed() == fixture.clock.instant)

            // Another process sees in the row that it was noted already.
            let noted = fixture.clock.instant
            fixture.clock.advance(.seconds(30))
            let other = fixture.otherProcess()
            _ = try await fixture.authenticate(issued.text, by: other)
            await other.flush()
            #expect(try await lastUsed() == noted)
        }
    }

    @Test("many requests at once share the cache", arguments: DatabaseKind.allCases)
    func concurrent(_ kind: DatabaseKind) async throws {
        try await withAccess(kind) { fixture in
            let keys = try await (0..<4).asyncMap { _ in try await issue(fixture) }
            try await withThrowingTaskGroup { group in
                for number in 0..<200 {
                    let issued = keys[number % keys.count]
                    group.addTask {
                        let context = try await fixture.authenticate(issued.text)
                        #expect(context.principal.key == issued.key.id)
                    }
                }
                try await group.waitForAll()
            }
        }
    }
}

extension Sequence {
    fileprivate func asyncMap<T>(_ transform: (Element) async throws -> T) async rethrows -> [T] {
        var results: [T] = []
        for element in self { results.append(try await transform(element)) }
        return results
    }
}
