import Database
import Domain
import TestSupport
import Testing

@testable import Access

@Suite("Sessions")
struct SessionTests {
    private static let laptop = SessionClient(userAgent: "Laptop/1", address: "192.0.2.7")

    private func begin(
        _ fixture: AccessFixture,
        user: UserID? = nil,
        account: AccountID? = nil,
        client: SessionClient = laptop
    ) async throws -> TokenPair {
        try await fixture.service.beginSession(
            account: account,
            user: user ?? fixture.first.owner,
            tenant: fixture.first.tenant,
            client: client
        )
    }

    @Test("an access token stands for its session's user, with the rights they have", arguments: DatabaseKind.allCases)
    func token(_ kind: DatabaseKind) async throws {
        try await withAccess(kind) { fixture in
            let user = try await fixture.service.createUser(name: "ada", role: .viewer, context: fixture.owner())
            let pair = try await begin(fixture, user: user.id)
            #expect(pair.accessSeconds == Limits.accessTokenSeconds)
            let context = try await fixture.authenticate(pair.accessToken)
            #expect(context.tenant == fixture.first.tenant)
            #expect(context.principal.user == user.id)
            #expect(context.principal.session == pair.session.id)
            #expect(context.principal.key == nil)
            #expect(context.principal.permissions == Role.viewer.permissions)
        }
    }

    @Test(
        "TOK-05: a refresh token opens nothing but a refresh, and an access token refreshes nothing",
        arguments: DatabaseKind.allCases
    )
    func purposes(_ kind: DatabaseKind) async throws {
        try await withAccess(kind) { fixture in
            let pair = try await begin(fixture)
            await expectRefusal(.unauthenticated) { _ = try await fixture.authenticate(pair.refreshToken) }
            for text in [pair.accessToken, fixture.firstKey.text, "", String(repeating: "a", count: 1 << 20)] {
                await expectRefusal(.unauthenticated) {
                    _ = try await fixture.service.refresh(text, client: Self.laptop)
                }
            }
            _ = try await fixture.service.refresh(pair.refreshToken, client: Self.laptop)
        }
    }

    @Test(
        "TOK-07: what ends a session acts at once here and within a second elsewhere",
        arguments: DatabaseKind.allCases
    )
    func ends(_ kind: DatabaseKind) async throws {
        try await withAccess(kind) { fixture in
            let (service, other) = (fixture.service, fixture.otherProcess())
            let owner = try await fixture.owner()
            let ways: [(String, @Sendable (User, RequestContext) async throws -> Void)] = [
                ("logout", { _, context in try await service.logOut(context: context) }),
                ("logout everywhere", { _, context in try await service.logOutEverywhere(context: context) }),
                (
                    "ended by itself",
                    { _, context in
                        try await service.endOwnSession(try #require(context.principal.session), context: context)
                    }
                ),
                ("disabled", { user, _ in try await service.setUser(user.id, isDisabled: true, context: owner) }),
                (
                    "changed to disabled",
                    { user, _ in
                        var change = user
                        change.isDisabled = true
                        let outcome = try await service.store.change(user, to: change, tenant: owner.tenant)
                        service.cache.clear()
                        #expect(outcome == .changed(change))
                    }
                ),
                (
                    "disabled and enabled",
                    { user, _ in
                        try await service.setUser(user.id, isDisabled: true, context: owner)
                        try await service.setUser(user.id, isDisabled: false, context: owner)
                    }
                ),
            ]
            for (name, end) in ways {
                let user = try await service.createUser(name: name, context: owner)
                let pair = try await begin(fixture, user: user.id)
                let context = try await fixture.authenticate(pair.accessToken)
                _ = try await fixture.authenticate(pair.accessToken, by: other)
                try await end(user, context)
                await expectRefusal(.unauthenticated) { _ = try await fixture.authenticate(pair.accessToken) }
                await expectRefusal(.unauthenticated) {
                    _ = try await service.renewed(context, timeout: .seconds(5))
                }
                await expectRefusal(.unauthenticated) {
                    _ = try await service.refresh(pair.refreshToken, client: Self.laptop)
                }
                fixture.clock.advance(.milliseconds(500))
                await expectRefusal(.unauthenticated) {
                    _ = try await fixture.authenticate(pair.accessToken, by: other)
                }
            }
        }
    }

    @Test("TOK-07: a deleted user's tokens die with them", arguments: DatabaseKind.allCases)
    func deleted(_ kind: DatabaseKind) async throws {
        try await withAccess(kind) { fixture in
            let user = try await fixture.service.createUser(name: "ada", context: fixture.owner())
            let pair = try await begin(fixture, user: user.id)
            _ = try await fixture.authenticate(pair.accessToken)
            _ = try await fixture.database.write(of: .everyTenant) { transaction in
                try transaction.execute("DELETE FROM access_users WHERE id = $1", [.text(user.id.description)])
            }
            fixture.clock.advance(.milliseconds(500))
            await expectRefusal(.unauthenticated) { _ = try await fixture.authenticate(pair.accessToken) }
            await expectRefusal(.unauthenticated) {
                _ = try await fixture.service.refresh(pair.refreshToken, client: Self.laptop)
            }
        }
    }

    @Test(
        "TOK-07: in a suspended tenant nobody's token opens anything, and nobody signs in",
        arguments: DatabaseKind.allCases
    )
    func suspended(_ kind: DatabaseKind) async throws {
        try await withAccess(kind) { fixture in
            let pair = try await begin(fixture)
            _ = try await fixture.authenticate(pair.accessToken)
            _ = try await fixture.database.write(of: .everyTenant) {
                try $0.execute("UPDATE access_tenants SET state = 'suspended'")
            }
            fixture.clock.advance(.milliseconds(500))
            await expectRefusal(.unauthenticated) { _ = try await fixture.authenticate(pair.accessToken) }
            await expectRefusal(.unauthenticated) { _ = try await begin(fixture) }
        }
    }

    @Test("TOK-07: a change of role shows in the next request within a second", arguments: DatabaseKind.allCases)
    func role(_ kind: DatabaseKind) async throws {
        try await withAccess(kind) { fixture in
            let user = try await fixture.service.createUser(name: "ada", role: .editor, context: fixture.owner())
            let pair = try await begin(fixture, user: user.id)
            #expect(try await fixture.authenticate(pair.accessToken).principal.permissions.contains(.recordsWrite))
            let tenant = try await fixture.owner().tenant
            // As another process does it.
            try await fixture.database.write(of: .everyTenant) { transaction in
                try transaction.execute(
                    "UPDATE access_users SET role = 'viewer' WHERE id = $1",
                    [.text(user.id.description)]
                )
                try AccessStore.bump(tenant, in: transaction)
            }
            fixture.clock.advance(.milliseconds(500))
            #expect(try await fixture.authenticate(pair.accessToken).principal.permissions == Role.viewer.permissions)
        }
    }

    @Test("a session is somebody's only when tenant and user agree", arguments: DatabaseKind.allCases)
    func foreign(_ kind: DatabaseKind) async throws {
        try await withAccess(kind) { fixture in
            let pair = try await begin(fixture)
            let stranger = try await fixture.secondTenant()
            let signer = try await fixture.service.keyRing.signer(deadline: nil)
            func token(_ user: UserID, _ tenant: TenantID) throws -> String {
                var claims = AccessTokenTests.claims(issued: fixture.clock.instant.wholeSeconds)
                claims.issuer = fixture.service.settings.issuer
                claims.audience = fixture.service.settings.audience
                claims.user = user
                claims.tenant = tenant
                claims.session = pair.session.id
                return try AccessToken.text(claims, by: signer)
            }
            // The control, before and after: the second time the session is in the cache.
            for _ in 0..<2 {
                await expectRefusal(.unauthenticated) {
                    _ = try await fixture.authenticate(token(fixture.first.owner, stranger.tenant))
                }
                await expectRefusal(.unauthenticated) {
                    _ = try await fixture.authenticate(token(stranger.principal.user, fixture.first.tenant))
                }
                _ = try await fixture.authenticate(token(fixture.first.owner, fixture.first.tenant))
            }
        }
    }

    @Test(
        "REF-05: sessions are listed with device and times, and one is ended without the others",
        arguments: DatabaseKind.allCases
    )
    func list(_ kind: DatabaseKind) async throws {
        try await withAccess(kind) { fixture in
            let first = try await begin(fixture)
            fixture.clock.advance(.seconds(60))
            let second = try await begin(fixture, client: SessionClient(userAgent: "Phone/2"))
            let user = try await fixture.service.createUser(name: "ada", context: fixture.owner())
            let foreign = try await begin(fixture, user: user.id)

            let context = try await fixture.authenticate(second.accessToken)
            let listed = try await fixture.service.ownSessions(context: context)
            #expect(listed.map(\.id) == [second.session.id, first.session.id])
            #expect(listed.map(\.client.userAgent) == ["Phone/2", "Laptop/1"])
            #expect(listed.map(\.client.address) == [nil, "192.0.2.7"])
            #expect(listed.map(\.createdTime) == [second.session.createdTime, first.session.createdTime])

            await expectRefusal(.notFound) {
                try await fixture.service.endOwnSession(foreign.session.id, context: context)
            }
            try await fixture.service.endOwnSession(first.session.id, context: context)
            await expectRefusal(.notFound) {
                try await fixture.service.endOwnSession(first.session.id, context: context)
            }
            await expectRefusal(.unauthenticated) { _ = try await fixture.authenticate(first.accessToken) }
            _ = try await fixture.authenticate(second.accessToken)
            _ = try await fixture.authenticate(foreign.accessToken)
            // A key has no session to speak of.
            await expectRefusal(.sessionRequired) {
                _ = try await fixture.service.ownSessions(context: fixture.authenticate(fixture.firstKey.text))
            }
        }
    }

    @Test(
        "REF-05: a person's sessions are theirs in every tenant, and log out together",
        arguments: DatabaseKind.allCases
    )
    func person(_ kind: DatabaseKind) async throws {
        try await withAccess(kind) { fixture in
            let (account, other) = (AccountID.random(), AccountID.random())
            let stranger = try await fixture.secondTenant()
            let here = try await begin(fixture, account: account)
            let there = try await fixture.service.beginSession(
                account: account,
                user: stranger.principal.user,
                tenant: stranger.tenant,
                client: Self.laptop
            )
            let another = try await fixture.service.beginSession(
                account: other,
                user: stranger.principal.user,
                tenant: stranger.tenant,
                client: Self.laptop
            )
            let context = try await fixture.authenticate(here.accessToken)
            let listed = try await fixture.service.ownSessions(context: context)
            #expect(Set(listed.map(\.id)) == [here.session.id, there.session.id])
            await expectRefusal(.notFound) {
                try await fixture.service.endOwnSession(another.session.id, context: context)
            }
            try await fixture.service.logOutEverywhere(context: context)
            for pair in [here, there] {
                await expectRefusal(.unauthenticated) { _ = try await fixture.authenticate(pair.accessToken) }
            }
            _ = try await fixture.authenticate(another.accessToken)
        }
    }

    @Test("the session unused longest makes room", arguments: DatabaseKind.allCases)
    func limit(_ kind: DatabaseKind) async throws {
        try await withAccess(kind) { fixture in
            let oldest = try await begin(fixture)
            fixture.clock.advance(.seconds(1))
            let used = try await begin(fixture)
            fixture.clock.advance(.seconds(1))
            for _ in 2..<Limits.sessionsPerUser { _ = try await begin(fixture) }
            _ = try await fixture.authenticate(oldest.accessToken)
            fixture.clock.advance(.seconds(1))
            let kept = try await fixture.service.refresh(used.refreshToken, client: Self.laptop)
            _ = try await begin(fixture)
            await expectRefusal(.unauthenticated) { _ = try await fixture.authenticate(oldest.accessToken) }
            let context = try await fixture.authenticate(kept.accessToken)
            #expect(try await fixture.service.ownSessions(context: context).count == Limits.sessionsPerUser)
        }
    }

    @Test("nobody disabled or unknown begins one", arguments: DatabaseKind.allCases)
    func refused(_ kind: DatabaseKind) async throws {
        try await withAccess(kind) { fixture in
            let user = try await fixture.service.createUser(name: "ada", context: fixture.owner())
            try await fixture.service.setUser(user.id, isDisabled: true, context: fixture.owner())
            for user in [user.id, .random()] {
                await expectRefusal(.unauthenticated) { _ = try await begin(fixture, user: user) }
            }
        }
    }

    @Test(
        "asks the database at most twice a second, and notes the last use at most once a minute",
        arguments: DatabaseKind.allCases
    )
    func cached(_ kind: DatabaseKind) async throws {
        try await withAccess(kind) { fixture in
            let counted = CountingDatabase(fixture.database)
            let service = AccessService.sample(counted, fixture.master, fixture.clock)
            let pair = try await begin(fixture)
            _ = try await fixture.authenticate(pair.accessToken, by: service)
            await service.flush()
            let before = counted.counts
            for _ in 0..<100 { _ = try await fixture.authenticate(pair.accessToken, by: service) }
            #expect(counted.counts == before)
            for _ in 0..<1_000 {
                fixture.clock.advance(.milliseconds(10))
                _ = try await fixture.authenticate(pair.accessToken, by: service)
            }
            await service.flush()
            // Twice a second the session and the policy's version, and every five seconds the keys.
            #expect(counted.counts.reads - before.reads <= 20 + 20 + 2)
            #expect(counted.counts.writes == before.writes)

            fixture.clock.advance(.seconds(60))
            let context = try await fixture.authenticate(pair.accessToken, by: service)
            await service.flush()
            let seen = try await fixture.service.ownSessions(context: context).first?.lastSeenTime
            #expect(seen == fixture.clock.instant)
            #expect(counted.counts.writes == before.writes + 1)
        }
    }

    @Test("a ticket of a session is dead with it", arguments: DatabaseKind.allCases)
    func tickets(_ kind: DatabaseKind) async throws {
        try await withAccess(kind) { fixture in
            let context = try await fixture.authenticate(try await begin(fixture).accessToken)
            let tickets = try (0..<2).map { _ in try fixture.service.issueTicket(context: context) }
            func redeem(_ ticket: ConnectionTicket) async throws -> RequestContext {
                try await fixture.service.redeemTicket(
                    ticket.text,
                    timeout: .seconds(5),
                    requestID: "request-2",
                    logger: fixture.logger
                )
            }
            #expect(try await redeem(tickets[0]).principal == context.principal)
            try await fixture.service.logOut(context: context)
            await expectRefusal(.unauthenticated) { _ = try await redeem(tickets[1]) }
        }
    }

    @Test("what a client says of itself is one bounded line")
    func clients() {
        let client = SessionClient(userAgent: "a\r\nb\u{202E}c" + String(repeating: "x", count: 1_000), address: "")
        #expect(client.userAgent?.unicodeScalars.count == Limits.deviceCharacters)
        #expect(client.userAgent?.hasPrefix("a  b cx") == true)
        #expect(client.address == nil)
    }
}
