import Database
import Domain
import TestSupport
import Testing

@testable import Access

@Suite("Signing keys")
struct TokenKeyTests {
    private func begin(_ fixture: AccessFixture, by service: AccessService? = nil) async throws -> TokenPair {
        try await (service ?? fixture.service).beginSession(
            user: fixture.first.owner,
            tenant: fixture.first.tenant,
            client: SessionClient()
        )
    }

    @Test("TOK-08: of many processes that need the first key at once one makes it", arguments: DatabaseKind.allCases)
    func first(_ kind: DatabaseKind) async throws {
        try await withAccess(kind) { fixture in
            #expect(try await fixture.service.tokenKeys().isEmpty)
            let pairs = try await withThrowingTaskGroup { group in
                for _ in 0..<12 { group.addTask { try await begin(fixture, by: fixture.otherProcess()) } }
                return try await group.reduce(into: [TokenPair]()) { $0.append($1) }
            }
            #expect(try await TokenKeyStore(database: fixture.database).keys().count == 1)
            for pair in pairs { _ = try await fixture.authenticate(pair.accessToken) }
        }
    }

    @Test(
        "TOK-08: a rotation refuses no token, in no process, and the old key ends with its last token",
        arguments: DatabaseKind.allCases
    )
    func rotation(_ kind: DatabaseKind) async throws {
        try await withAccess(kind) { fixture in
            let (service, other) = (fixture.service, fixture.otherProcess())
            let old = try await begin(fixture)
            _ = try await fixture.authenticate(old.accessToken, by: other)
            let next = try await service.rotateTokenKey()
            // Published before it signs.
            #expect(try await service.tokenKeys().map(\.id).first == next.id)
            #expect(try await service.tokenKeys().count == 2)

            // Whoever signs before and after, whoever verifies: at every moment each takes the other's tokens.
            for _ in 0..<40 {
                for signing in [service, other] {
                    let pair = try await begin(fixture, by: signing)
                    for verifying in [service, other] {
                        _ = try await fixture.authenticate(pair.accessToken, by: verifying)
                    }
                }
                fixture.clock.advance(.seconds(1))
            }
            let new = try await begin(fixture, by: other)
            #expect(try UnverifiedToken(new.accessToken).keyID == next.id)
            _ = try await fixture.authenticate(old.accessToken)
            fixture.clock.advance(.seconds(2 * Limits.accessTokenSeconds))
            #expect(try await service.tokenKeys().map(\.id) == [next.id])
            _ = try await service.sweepSessions()
            #expect(try await TokenKeyStore(database: fixture.database).keys().map(\.id) == [next.id])
        }
    }

    @Test(
        "a compromised key's tokens die at once here and in seconds elsewhere; refreshing goes on",
        arguments: DatabaseKind.allCases
    )
    func compromised(_ kind: DatabaseKind) async throws {
        try await withAccess(kind) { fixture in
            let other = fixture.otherProcess()
            let old = try await begin(fixture)
            _ = try await fixture.authenticate(old.accessToken)
            _ = try await fixture.authenticate(old.accessToken, by: other)
            let next = try await fixture.service.rotateTokenKey(isCompromised: true)
            await expectRefusal(.unauthenticated) { _ = try await fixture.authenticate(old.accessToken) }
            fixture.clock.advance(.seconds(10))
            await expectRefusal(.unauthenticated) { _ = try await fixture.authenticate(old.accessToken, by: other) }
            let new = try await fixture.service.refresh(old.refreshToken, client: SessionClient())
            #expect(try UnverifiedToken(new.accessToken).keyID == next.id)
            _ = try await fixture.authenticate(new.accessToken, by: other)
        }
    }

    @Test(
        "private parts are sealed, live through a rotation of the master key, and open with no other",
        arguments: DatabaseKind.allCases
    )
    func sealed(_ kind: DatabaseKind) async throws {
        try await withAccess(kind) { fixture in
            let pair = try await begin(fixture)
            let store = TokenKeyStore(database: fixture.database)
            let stored = try #require(try await store.keys().first)
            #expect(stored.sealed.count == 12 + 32 + 16)

            let next = MasterKey.random()
            _ = try await CredentialVault(database: fixture.database, master: fixture.master).rotate(to: next)
            let resealed = try #require(try await store.keys().first)
            #expect(resealed.master == next.fingerprint)
            #expect(resealed.sealed != stored.sealed)
            let process = AccessService.sample(fixture.database, next, fixture.clock)
            _ = try await fixture.authenticate(pair.accessToken, by: process)
            let another = try await begin(fixture, by: process)
            #expect(try UnverifiedToken(another.accessToken).keyID == stored.id)

            let stranger = AccessService.sample(fixture.database, .random(), fixture.clock)
            await expectRefusal(.masterKeyMismatch) { _ = try await begin(fixture, by: stranger) }
            // Verifying needs no secret.
            _ = try await fixture.authenticate(pair.accessToken, by: stranger)
        }
    }

    @Test("a seal moved to another key does not open", arguments: DatabaseKind.allCases)
    func moved(_ kind: DatabaseKind) async throws {
        try await withAccess(kind) { fixture in
            _ = try await begin(fixture)
            let other = TokenSigner()
            _ = try await fixture.database.write(of: .everyTenant) { transaction in
                try transaction.execute(
                    "UPDATE access_signing_keys SET id = $1, public_key = $2",
                    [.text(other.id), .bytes(other.verifyingKey.bytes)]
                )
            }
            await expectRefusal(.corrupt) { _ = try await begin(fixture, by: fixture.otherProcess()) }
        }
    }

    @Test("TOK-03: made-up key identifiers ask the database once a second at most", arguments: DatabaseKind.allCases)
    func madeUp(_ kind: DatabaseKind) async throws {
        try await withAccess(kind) { fixture in
            let counted = CountingDatabase(fixture.database)
            let service = AccessService.sample(counted, fixture.master, fixture.clock)
            _ = try await fixture.authenticate(try await begin(fixture, by: service).accessToken, by: service)
            let before = counted.counts
            for round in 0..<4 {
                for _ in 0..<50 {
                    let text = try AccessToken.text(AccessTokenTests.claims(), by: TokenSigner())
                    await expectRefusal(.unauthenticated) { _ = try await fixture.authenticate(text, by: service) }
                }
                fixture.clock.advance(.seconds(1))
                #expect(counted.counts.reads - before.reads <= round + 1)
            }
            #expect(counted.counts.writes == before.writes)
        }
    }

    @Test("a key that follows none signs at once", arguments: DatabaseKind.allCases)
    func rotatedFirst(_ kind: DatabaseKind) async throws {
        try await withAccess(kind) { fixture in
            let made = try await fixture.service.rotateTokenKey()
            #expect(made.active == fixture.clock.instant)
            let pair = try await begin(fixture)
            #expect(try UnverifiedToken(pair.accessToken).keyID == made.id)
            _ = try await fixture.authenticate(pair.accessToken, by: fixture.otherProcess())
        }
    }

    @Test("there are so many keys and no more", arguments: DatabaseKind.allCases)
    func limit(_ kind: DatabaseKind) async throws {
        try await withAccess(kind) { fixture in
            _ = try await begin(fixture)
            for _ in 1..<Limits.signingKeys { _ = try await fixture.service.rotateTokenKey() }
            await expectRefusal(.limitReached) { _ = try await fixture.service.rotateTokenKey() }
            fixture.clock.advance(.seconds(3_600))
            _ = try await fixture.service.rotateTokenKey()
        }
    }

    @Test("each method of the store does as it says", arguments: DatabaseKind.allCases)
    func store(_ kind: DatabaseKind) async throws {
        try await withAccess(kind) { fixture in
            let store = TokenKeyStore(database: fixture.database)
            func key(_ id: String) -> TokenKeyStore.StoredKey {
                TokenKeyStore.StoredKey(
                    number: 1,
                    id: id,
                    algorithm: "none of ours",
                    publicKey: [1],
                    master: "m",
                    sealed: [2],
                    createdTime: fixture.clock.instant,
                    activeTime: fixture.clock.instant
                )
            }
            let now = fixture.clock.instant
            try await store.insertFirst(key("a"))
            try await store.insertFirst(key("b"))
            #expect(try await store.keys() == [key("a")])
            #expect(try await store.insertNext(key("c"), .until(now.adding(seconds: 9)), limit: 2, at: now))
            #expect(try await store.insertNext(key("d"), .until(now), limit: 2, at: now) == false)
            let keys = try await store.keys()
            #expect(keys.map(\.id) == ["a", "c"])
            #expect(keys.map(\.number) == [1, 2])
            #expect(keys.map(\.endsTime) == [now.adding(seconds: 9), nil])
            try await store.deleteOver(at: now.adding(seconds: 8))
            #expect(try await store.keys().count == 2)
            try await store.deleteOver(at: now.adding(seconds: 9))
            #expect(try await store.keys().map(\.id) == ["c"])
            #expect(try await store.insertNext(key("e"), .atOnce, limit: 1, at: now))
            #expect(try await store.keys().map(\.number) == [3])
            // Of an algorithm that is not ours nothing is believed.
            #expect(try await fixture.otherProcess().tokenKeys().isEmpty)
        }
    }
}
