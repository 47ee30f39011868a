import Access
import Database
import Domain
import TestSupport
import Testing

@Suite("Users and keys")
struct AdministrationTests {
    @Test("users are listed oldest first", arguments: DatabaseKind.allCases)
    func users(_ kind: DatabaseKind) async throws {
        try await withAccess(kind) { fixture in
            let owner = try await fixture.owner()
            for name in ["zoë", "ada", "李"] {
                fixture.clock.advance(.seconds(1))
                let user = try await fixture.service.createUser(name: name, context: owner)
                #expect(user.name == name)
            }
            let users = try await fixture.service.users(context: owner)
            #expect(users.map(\.name) == ["owner", "zoë", "ada", "李"])
            #expect(users.allSatisfy { $0.role == .owner && !$0.isDisabled })
        }
    }

    @Test("names are one clean line, and a user's is unique", arguments: DatabaseKind.allCases)
    func names(_ kind: DatabaseKind) async throws {
        try await withAccess(kind) { fixture in
            let owner = try await fixture.owner()
            let bad = ["", " ", " ada", "ada ", "a\nb", "a\u{0}b", "\u{1B}[31m", String(repeating: "x", count: 101)]
            for name in bad {
                await expectRefusal(.invalid) {
                    _ = try await fixture.service.createUser(name: name, context: owner)
                }
                await expectRefusal(.invalid) {
                    _ = try await fixture.service.createKey(
                        APIKeyDraft(name: name, scopes: [.search]),
                        context: owner
                    )
                }
            }
            _ = try await fixture.service.createUser(name: String(repeating: "é", count: 100), context: owner)
            _ = try await fixture.service.createUser(name: "ada", context: owner)
            await expectRefusal(.invalid) { _ = try await fixture.service.createUser(name: "ada", context: owner) }
        }
    }

    @Test("an e-mail address is one user's, whatever its case", arguments: DatabaseKind.allCases)
    func emails(_ kind: DatabaseKind) async throws {
        try await withAccess(kind) { fixture in
            let (service, owner) = (fixture.service, try await fixture.owner())
            fixture.clock.advance(.seconds(1))
            let ada = try await service.createUser(name: "ada", email: "Ada@Example.com", context: owner)
            #expect(ada.email == "ada@example.com")
            for email in [
                "", "ada", "@", "a@", "@b", "a b@c", "a@b@c", "a@b\n", String(repeating: "x", count: 253) + "@y",
            ] {
                await expectRefusal(.invalid) { try await service.setEmail(email, of: ada.id, context: owner) }
            }
            await expectRefusal(.invalid) {
                _ = try await service.createUser(name: "eve", email: "ADA@example.com", context: owner)
            }
            await expectRefusal(.invalid) {
                try await service.setEmail("ada@EXAMPLE.com", of: fixture.first.owner, context: owner)
            }
            await expectRefusal(.notFound) { try await service.setEmail("x@y.z", of: .random(), context: owner) }
            try await service.setEmail("ada@example.com", of: ada.id, context: owner)
            try await service.setEmail("Lovelace@example.com", of: ada.id, context: owner)
            let people = try await service.collaborators(tenant: owner.tenant)
            #expect(people.map(\.name) == ["owner", "ada"])
            #expect(people.map(\.email) == [nil, "lovelace@example.com"])
            try await service.setEmail(nil, of: ada.id, context: owner)
            #expect(try await service.collaborators(tenant: owner.tenant).compactMap(\.email).isEmpty)
        }
    }

    @Test("the data directory's owner cannot be disabled", arguments: DatabaseKind.allCases)
    func lastOwner(_ kind: DatabaseKind) async throws {
        try await withAccess(kind) { fixture in
            let owner = try await fixture.owner()
            await expectRefusal(.lastOwner) {
                try await fixture.service.setUser(fixture.first.owner, isDisabled: true, context: owner)
            }
            await expectRefusal(.notFound) {
                try await fixture.service.setUser(.random(), isDisabled: true, context: owner)
            }
            _ = try await fixture.authenticate(fixture.firstKey.text)
        }
    }

    @Test("KEY-03: a key is listed without its secret and stored without its text", arguments: DatabaseKind.allCases)
    func listed(_ kind: DatabaseKind) async throws {
        try await withAccess(kind) { fixture in
            let owner = try await fixture.owner()
            let base = BaseID.random()
            fixture.clock.advance(.seconds(1))
            let draft = APIKeyDraft(
                name: "ci",
                scopes: [.search, .recordsRead],
                bases: [base],
                expires: Instant(microseconds: fixture.clock.instant.microseconds + 86_400_000_000)
            )
            let issued = try await fixture.service.createKey(draft, context: owner)
            let key = try #require(try await fixture.service.keys(context: owner).last)
            #expect(key == issued.key)
            #expect(key.name == "ci")
            #expect(key.scopes == draft.scopes)
            #expect(key.bases == [base])
            #expect(key.expires == draft.expires)
            #expect(key.owner == fixture.first.owner)
            #expect(key.createdTime == fixture.clock.instant)
            #expect(!"\(issued)".contains(issued.text))

            let stored = try await fixture.database.read(of: .everyTenant) { transaction in
                try transaction.rows("SELECT * FROM access_keys").map { "\($0.values)" }.joined()
            }
            #expect(!stored.contains(issued.text))
            #expect(!stored.contains(String(issued.text.dropFirst(24).prefix(16))))
        }
    }

    @Test("a revoked key is gone", arguments: DatabaseKind.allCases)
    func revoked(_ kind: DatabaseKind) async throws {
        try await withAccess(kind) { fixture in
            let owner = try await fixture.owner()
            let issued = try await fixture.service.createKey(
                APIKeyDraft(name: "ci", scopes: [.search]),
                context: owner
            )
            try await fixture.service.revokeKey(issued.key.id, context: owner)
            #expect(try await fixture.service.keys(context: owner).count == 1)
            await expectRefusal(.notFound) { try await fixture.service.revokeKey(issued.key.id, context: owner) }
            await expectRefusal(.notFound) {
                try await fixture.service.setKey(issued.key.id, isDisabled: true, context: owner)
            }
        }
    }

    @Test("KEY-04: nobody makes a key with more than they have", arguments: DatabaseKind.allCases)
    func escalation(_ kind: DatabaseKind) async throws {
        try await withAccess(kind) { fixture in
            let service = fixture.service
            let base = BaseID.random()
            let expires = Instant(microseconds: fixture.clock.instant.microseconds + 3_600_000_000)
            let limited = try await service.createKey(
                APIKeyDraft(name: "limited", scopes: [.keysManage, .search], bases: [base], expires: expires),
                context: fixture.owner()
            )
            let context = try await fixture.authenticate(limited.text)
            let refused = [
                APIKeyDraft(name: "scope", scopes: [.search, .admin], bases: [base], expires: expires),
                APIKeyDraft(name: "every base", scopes: [.search], expires: expires),
                APIKeyDraft(name: "other base", scopes: [.search], bases: [.random()], expires: expires),
                APIKeyDraft(name: "for ever", scopes: [.search], bases: [base]),
                APIKeyDraft(
                    name: "longer",
                    scopes: [.search],
                    bases: [base],
                    expires: Instant(microseconds: expires.microseconds + 1)
                ),
            ]
            for draft in refused {
                await expectRefusal(.forbidden) { _ = try await service.createKey(draft, context: context) }
            }
            let allowed = APIKeyDraft(name: "same", scopes: [.search], bases: [base], expires: expires)
            _ = try await service.createKey(allowed, context: context)
            await expectRefusal(.forbidden) { _ = try await service.createUser(name: "eve", context: context) }
        }
    }

    @Test("AUTHZ-07: a role is not given by somebody who has less", arguments: DatabaseKind.allCases)
    func roleEscalation(_ kind: DatabaseKind) async throws {
        try await withAccess(kind) { fixture in
            let issued = try await fixture.service.createKey(
                APIKeyDraft(name: "members", scopes: [.membersManage]),
                context: fixture.owner()
            )
            let context = try await fixture.authenticate(issued.text)
            _ = try await fixture.service.users(context: context)
            await expectRefusal(.forbidden) { _ = try await fixture.service.createUser(name: "eve", context: context) }
        }
    }

    @Test("AUTHZ-07: without the permission nothing is listed or changed", arguments: DatabaseKind.allCases)
    func permission(_ kind: DatabaseKind) async throws {
        try await withAccess(kind) { fixture in
            let service = fixture.service
            let issued = try await service.createKey(
                APIKeyDraft(name: "search only", scopes: [.search]),
                context: fixture.owner()
            )
            let context = try await fixture.authenticate(issued.text)
            let id = issued.key.id
            let user = fixture.first.owner
            let calls: [@Sendable () async throws -> Void] = [
                { _ = try await service.workspaces(context: context) },
                { _ = try await service.users(context: context) },
                { _ = try await service.createUser(name: "eve", context: context) },
                { try await service.setUser(user, isDisabled: false, context: context) },
                { _ = try await service.keys(context: context) },
                { _ = try await service.createKey(APIKeyDraft(name: "x", scopes: [.search]), context: context) },
                { try await service.setKey(id, isDisabled: false, context: context) },
                { try await service.revokeKey(id, context: context) },
            ]
            for call in calls { await expectRefusal(.forbidden) { try await call() } }
        }
    }

    @Test("a key needs a scope, a future and an owner of this tenant", arguments: DatabaseKind.allCases)
    func drafts(_ kind: DatabaseKind) async throws {
        try await withAccess(kind) { fixture in
            let owner = try await fixture.owner()
            let service = fixture.service
            await expectRefusal(.invalid) {
                _ = try await service.createKey(APIKeyDraft(name: "x", scopes: []), context: owner)
            }
            await expectRefusal(.invalid) {
                let draft = APIKeyDraft(name: "x", scopes: [.search], expires: fixture.clock.instant)
                _ = try await service.createKey(draft, context: owner)
            }
            await expectRefusal(.notFound) {
                let draft = APIKeyDraft(name: "x", scopes: [.search], owner: .random())
                _ = try await service.createKey(draft, context: owner)
            }
        }
    }
}
