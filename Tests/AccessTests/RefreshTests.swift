import Database
import Domain
import TestSupport
import Testing

@testable import Access

@Suite("Refresh tokens")
struct RefreshTests {
    private static let client = SessionClient(userAgent: "Laptop/1", address: "192.0.2.7")

    private func begin(_ fixture: AccessFixture) async throws -> TokenPair {
        try await fixture.service.beginSession(
            user: fixture.first.owner,
            tenant: fixture.first.tenant,
            client: Self.client
        )
    }

    private func refresh(_ fixture: AccessFixture, _ text: String, by other: AccessService? = nil) async throws
        -> TokenPair
    {
        try await (other ?? fixture.service).refresh(text, client: Self.client)
    }

    @Test(
        "REF-01: 256 random bits, recognisable, checked before the database is asked, stored as a digest only",
        arguments: DatabaseKind.allCases
    )
    func form(_ kind: DatabaseKind) async throws {
        var generator = SystemRandomNumberGenerator()
        let text = RefreshText(using: &generator)
        #expect(text.secret.revealed.hasPrefix("prt_live_"))
        #expect(RefreshText(text.secret.revealed) == text)
        // 62^43 > 2^256.
        #expect(text.secret.byteCount == 9 + 43 + 6)
        for position in 0..<text.secret.byteCount {
            var bytes = text.secret.revealedBytes
            bytes[position] ^= 1
            #expect(RefreshText(String(decoding: bytes, as: UTF8.self)) == nil, "byte \(position)")
        }
        let service = AccessService(database: UnreachableDatabase())
        await expectRefusal(.unauthenticated) {
            _ = try await service.refresh(text.secret.revealed + "x", client: Self.client)
        }

        try await withAccess(kind) { fixture in
            let pair = try await begin(fixture)
            let rows = try await fixture.database.read(of: .everyTenant) { transaction in
                try transaction.rows("SELECT * FROM access_refresh_tokens")
                    + transaction.rows("SELECT * FROM access_sessions")
            }
            for row in rows { #expect(!"\(row.values)".contains(pair.refreshToken)) }
            #expect(rows.first?.values.contains(.bytes(RefreshText(pair.refreshToken)?.digest ?? [])) == true)
        }
    }

    @Test("REF-02: each is good once, and the next one takes its place", arguments: DatabaseKind.allCases)
    func rotates(_ kind: DatabaseKind) async throws {
        try await withAccess(kind) { fixture in
            var pair = try await begin(fixture)
            var seen: Set<String> = [pair.refreshToken]
            for _ in 0..<5 {
                fixture.clock.advance(.seconds(900))
                await expectRefusal(.unauthenticated) { _ = try await fixture.authenticate(pair.accessToken) }
                let next = try await refresh(fixture, pair.refreshToken)
                #expect(seen.insert(next.refreshToken).inserted)
                #expect(next.session.id == pair.session.id)
                _ = try await fixture.authenticate(next.accessToken)
                pair = next
            }
        }
    }

    @Test("REF-02: one that is used again ends its session, the newest pair included", arguments: DatabaseKind.allCases)
    func reuse(_ kind: DatabaseKind) async throws {
        try await withAccess(kind) { fixture in
            for age in 1...3 {
                let other = try await begin(fixture)
                let first = try await begin(fixture)
                var newest = first
                for _ in 0..<age { newest = try await refresh(fixture, newest.refreshToken) }
                _ = try await fixture.authenticate(newest.accessToken)
                await expectRefusal(.unauthenticated) { _ = try await refresh(fixture, first.refreshToken) }
                for pair in [first, newest] {
                    await expectRefusal(.unauthenticated) { _ = try await refresh(fixture, pair.refreshToken) }
                    await expectRefusal(.unauthenticated) { _ = try await fixture.authenticate(pair.accessToken) }
                }
                // Another session of the same user goes on.
                _ = try await fixture.authenticate(try await refresh(fixture, other.refreshToken).accessToken)
            }
        }
    }

    @Test(
        "REF-02: the audit log tells of signing in, refreshing, reuse and signing out, and holds no token",
        arguments: DatabaseKind.allCases
    )
    func audited(_ kind: DatabaseKind) async throws {
        try await withAccess(kind) { fixture in
            let first = try await begin(fixture)
            let second = try await refresh(fixture, first.refreshToken)
            await expectRefusal(.unauthenticated) { _ = try await refresh(fixture, first.refreshToken) }
            let other = try await begin(fixture)
            try await fixture.service.logOut(context: fixture.authenticate(other.accessToken))
            let last = try await begin(fixture)
            try await fixture.service.logOutEverywhere(context: fixture.authenticate(last.accessToken))
            let entries = try await fixture.service.audit.entries(AuditQuery(), context: fixture.owner()).entries
            let told = entries.reversed().filter { $0.event.session != nil }
            #expect(
                told.map(\.event.action) == [
                    .login, .refresh, .refreshReused, .login, .logout, .login, .sessionRevoked,
                ]
            )
            #expect(told.map(\.event.result) == [.done, .done, .refused, .done, .done, .done, .done])
            let sessions = [first, first, first, other, other, last, last].map(\.session.id)
            #expect(told.map(\.event.session) == sessions)
            #expect(told.allSatisfy { $0.event.user == fixture.first.owner })
            #expect(told.prefix(3).allSatisfy { $0.event.address == "192.0.2.7" })
            for entry in entries {
                for text in [first, second].flatMap({ [$0.accessToken, $0.refreshToken] }) {
                    #expect(!"\(entry)".contains(text))
                }
            }
        }
    }

    @Test("REF-01: another client's use of it ends the session", arguments: DatabaseKind.allCases)
    func otherClient(_ kind: DatabaseKind) async throws {
        try await withAccess(kind) { fixture in
            let pair = try await begin(fixture)
            await expectRefusal(.unauthenticated) {
                _ = try await fixture.service.refresh(pair.refreshToken, client: SessionClient(name: "another"))
            }
            await expectRefusal(.unauthenticated) { _ = try await fixture.authenticate(pair.accessToken) }
            await expectRefusal(.unauthenticated) { _ = try await refresh(fixture, pair.refreshToken) }
        }
    }

    @Test(
        "REF-03: of many at once at most one gets a pair, and no pair outlives the race",
        arguments: DatabaseKind.allCases
    )
    func race(_ kind: DatabaseKind) async throws {
        try await withAccess(kind) { fixture in
            let processes = [fixture.service, fixture.otherProcess(), fixture.otherProcess()]
            for _ in 0..<8 {
                let pair = try await begin(fixture)
                let won = await withTaskGroup { group in
                    for number in 0..<12 {
                        let process = processes[number % processes.count]
                        group.addTask {
                            do {
                                return try await refresh(fixture, pair.refreshToken, by: process) as TokenPair?
                            } catch let error as AccessError where error.code == .unauthenticated {
                                return nil
                            } catch {
                                Issue.record("\(error)")
                                return nil
                            }
                        }
                    }
                    return await group.reduce(into: [TokenPair]()) { if let pair = $1 { $0.append(pair) } }
                }
                #expect(won.count == 1)
                fixture.clock.advance(.seconds(1))
                for pair in won + [pair] {
                    await expectRefusal(.unauthenticated) { _ = try await refresh(fixture, pair.refreshToken) }
                    await expectRefusal(.unauthenticated) { _ = try await fixture.authenticate(pair.accessToken) }
                }
            }
            let left = try await fixture.database.read(of: .everyTenant) { transaction in
                try transaction.firstRow("SELECT COUNT(*) FROM access_refresh_tokens")?.integer(0)
            }
            #expect(left == 0)
        }
    }

    @Test("REF-03: refreshing and logging out at once leaves nothing alive", arguments: DatabaseKind.allCases)
    func raceWithLogout(_ kind: DatabaseKind) async throws {
        try await withAccess(kind) { fixture in
            for _ in 0..<8 {
                let pair = try await begin(fixture)
                let context = try await fixture.authenticate(pair.accessToken)
                async let refreshed = try? refresh(fixture, pair.refreshToken, by: fixture.otherProcess())
                async let loggedOut: Void = fixture.service.logOut(context: context)
                let (next, _) = try await (refreshed, loggedOut)
                for pair in [pair, next].compactMap(\.self) {
                    await expectRefusal(.unauthenticated) { _ = try await fixture.authenticate(pair.accessToken) }
                    await expectRefusal(.unauthenticated) { _ = try await refresh(fixture, pair.refreshToken) }
                }
            }
        }
    }

    @Test("REF-04: over after seven days without use", arguments: DatabaseKind.allCases)
    func idle(_ kind: DatabaseKind) async throws {
        try await withAccess(kind) { fixture in
            var pair = try await begin(fixture)
            fixture.clock.advance(.seconds(Limits.sessionIdleSeconds - 1))
            pair = try await refresh(fixture, pair.refreshToken)
            fixture.clock.advance(.seconds(Limits.sessionIdleSeconds))
            await expectRefusal(.unauthenticated) { _ = try await refresh(fixture, pair.refreshToken) }
        }
    }

    @Test(
        "REF-04: over after thirty days however much it is used, its access tokens too",
        arguments: DatabaseKind.allCases
    )
    func absolute(_ kind: DatabaseKind) async throws {
        try await withAccess(kind) { fixture in
            var pair = try await begin(fixture)
            for _ in 0..<29 {
                fixture.clock.advance(.seconds(86_400))
                pair = try await refresh(fixture, pair.refreshToken)
            }
            fixture.clock.advance(.seconds(86_400 - 60))
            pair = try await refresh(fixture, pair.refreshToken)
            #expect(pair.accessSeconds == 60)
            _ = try await fixture.authenticate(pair.accessToken)
            fixture.clock.advance(.seconds(60))
            await expectRefusal(.unauthenticated) { _ = try await fixture.authenticate(pair.accessToken) }
            await expectRefusal(.unauthenticated) { _ = try await refresh(fixture, pair.refreshToken) }
        }
    }

    @Test("a refresh tells where the device is now", arguments: DatabaseKind.allCases)
    func device(_ kind: DatabaseKind) async throws {
        try await withAccess(kind) { fixture in
            let pair = try await begin(fixture)
            fixture.clock.advance(.seconds(600))
            let moved = SessionClient(userAgent: "Laptop/2", address: "198.51.100.9")
            let next = try await fixture.service.refresh(pair.refreshToken, client: moved)
            let context = try await fixture.authenticate(next.accessToken)
            let session = try #require(try await fixture.service.ownSessions(context: context).first)
            #expect(session == next.session)
            #expect(session.client == moved)
            #expect(session.lastSeenTime == fixture.clock.instant)
        }
    }

    @Test("what is over is swept away, and used tokens do not pile up", arguments: DatabaseKind.allCases)
    func sweep(_ kind: DatabaseKind) async throws {
        try await withAccess(kind) { fixture in
            let store = AccessStore(database: fixture.database)
            var pair = try await begin(fixture)
            let idle = try await begin(fixture)
            fixture.clock.advance(.seconds(Limits.sessionIdleSeconds - 1))
            pair = try await refresh(fixture, pair.refreshToken)
            #expect(try await fixture.service.sweepSessions() == 0)
            fixture.clock.advance(.seconds(1))
            #expect(try await fixture.service.sweepSessions() == 1)
            #expect(try await store.session(idle.session.id, tenant: fixture.first.tenant) == nil)
            #expect(try await store.session(pair.session.id, tenant: fixture.first.tenant) != nil)
            #expect(try await store.session(pair.session.id, tenant: .random()) == nil)

            // As if it had been refreshed very often.
            _ = try await fixture.database.write(of: .everyTenant) { transaction in
                try transaction.execute(
                    "UPDATE access_refresh_tokens SET number = number + $1 WHERE used_time IS NULL",
                    [.integer(Limits.usedRefreshTokens)]
                )
            }
            pair = try await refresh(fixture, pair.refreshToken)
            let left = try await fixture.database.read(of: .everyTenant) { transaction in
                try transaction.firstRow("SELECT COUNT(*) FROM access_refresh_tokens")?.integer(0)
            }
            #expect(left == 2)
        }
    }

    @Test("each method of the store does as it says, for its tenant only", arguments: DatabaseKind.allCases)
    func store(_ kind: DatabaseKind) async throws {
        try await withAccess(kind) { fixture in
            let store = AccessStore(database: fixture.database)
            let (owner, tenant) = (fixture.first.owner, fixture.first.tenant)
            let pair = try await begin(fixture)
            let (second, third) = (try await begin(fixture), try await begin(fixture))
            let id = pair.session.id
            #expect(try await store.sessions(user: owner, account: nil, tenant: .random()).isEmpty)
            #expect(try await store.sessions(user: .random(), account: .random(), tenant: tenant).isEmpty)
            #expect(try await store.sessions(user: owner, account: nil, tenant: tenant).count == 3)

            let later = fixture.clock.instant.adding(seconds: 5)
            try await store.recordUse([(id, TenantID.random(), later)])
            #expect(try await store.session(id, tenant: tenant)?.session == pair.session)
            try await store.recordUse([(id, tenant, later), (id, tenant, fixture.clock.instant)])
            #expect(try await store.session(id, tenant: tenant)?.session.lastSeenTime == later)

            #expect(try await store.endSession(id, tenant: .random()) == false)
            #expect(try await store.endSession(id, ofUser: owner, account: nil, tenant: .random()) == nil)
            #expect(try await store.endSession(id, ofUser: owner, account: nil, tenant: tenant) == tenant)
            #expect(try await store.endSession(id, tenant: tenant) == false)
            let kept = second.session.id
            #expect(try await store.endSessions(ofUser: owner, account: nil, tenant: .random()) == 0)
            #expect(try await store.endSessions(ofUser: owner, account: nil, tenant: tenant, except: kept) == 1)
            #expect(try await store.session(third.session.id, tenant: tenant) == nil)
            #expect(try await store.deleteOverSessions(at: later, limit: 10) == 0)
            #expect(try await store.deleteOverSessions(at: second.session.idleEnds, limit: 10) == 1)
        }
    }
}
