import Database
import Domain
import TestSupport
import Testing

@testable import Access

@Suite("Managing users")
struct UserManagementTests {
    /// One user of each role beside the first owner.
    private struct Cast: Sendable {
        let fixture: AccessFixture
        let users: [Role: User]
        let owner: RequestContext

        func context(_ role: Role) -> RequestContext { fixture.signedIn(users[role]!) }
        func id(_ role: Role) -> UserID { users[role]!.id }
        var service: AccessService { fixture.service }
    }

    private func withCast(
        _ kind: DatabaseKind,
        _ body: @escaping @Sendable (Cast) async throws -> Void
    ) async throws {
        try await withAccess(kind) { fixture in
            let owner = try await fixture.owner()
            var users: [Role: User] = [:]
            for role in Role.allCases {
                fixture.clock.advance(.seconds(1))
                users[role] = try await fixture.service.createUser(
                    name: role.rawValue + " two",
                    email: "\(role.rawValue)@example.com",
                    role: role,
                    context: owner
                )
            }
            try await body(Cast(fixture: fixture, users: users, owner: owner))
        }
    }

    @Test("users are listed by pages, oldest first, each once, and filtered", arguments: DatabaseKind.allCases)
    func pages(_ kind: DatabaseKind) async throws {
        try await withCast(kind) { cast in
            var seen: [UserID] = []
            var cursor: UserID?
            repeat {
                let page = try await cast.service.users(UserFilter(), after: cursor, limit: 3, context: cast.owner)
                #expect(page.users.count <= 3)
                #expect(page.owner == cast.fixture.first.owner)
                seen += page.users.map(\.id)
                cursor = page.next
            } while cursor != nil
            #expect(seen == [cast.fixture.first.owner] + Role.allCases.map(cast.id))

            let filters: [(UserFilter, Set<UserID>)] = [
                (UserFilter(email: "Editor@Example.com"), [cast.id(.editor)]),
                (UserFilter(email: "nobody@example.com"), []),
                (UserFilter(role: .owner), [cast.fixture.first.owner, cast.id(.owner)]),
                (UserFilter(role: .editor, isDisabled: true), []),
                (UserFilter(role: .editor, isDisabled: false), [cast.id(.editor)]),
            ]
            for (filter, expected) in filters {
                let page = try await cast.service.users(filter, context: cast.owner)
                #expect(Set(page.users.map(\.id)) == expected, "\(filter)")
            }
            let stranger = try await cast.fixture.secondTenant().principal.user
            await expectRefusal(.invalid) {
                _ = try await cast.service.users(UserFilter(), after: stranger, context: cast.owner)
            }
        }
    }

    @Test("AUTHZ-07: who manages no members sees and changes nobody", arguments: DatabaseKind.allCases)
    func vertical(_ kind: DatabaseKind) async throws {
        try await withCast(kind) { cast in
            for role in [Role.editor, .commenter, .viewer, .guest] {
                let context = cast.context(role)
                await expectRefusal(.forbidden) { _ = try await cast.service.users(UserFilter(), context: context) }
                await expectRefusal(.forbidden) { _ = try await cast.service.user(cast.id(.guest), context: context) }
                await expectRefusal(.forbidden) {
                    try await cast.service.changeUser(cast.id(role), UserChange(role: .admin), context: context)
                }
                await expectRefusal(.forbidden) {
                    try await cast.service.deleteUser(cast.id(.guest), context: context)
                }
                await expectRefusal(.forbidden) {
                    try await cast.service.giveTenant(to: cast.id(role), context: context)
                }
            }
        }
    }

    @Test("AUTHZ-07: nobody gives a role above their own, or touches whoever has one", arguments: DatabaseKind.allCases)
    func escalation(_ kind: DatabaseKind) async throws {
        try await withCast(kind) { cast in
            let admin = cast.context(.admin)
            for user in [cast.id(.admin), cast.id(.editor)] {
                await expectRefusal(.forbidden) {
                    try await cast.service.changeUser(user, UserChange(role: .owner), context: admin)
                }
            }
            for user in [cast.id(.owner), cast.fixture.first.owner] {
                let changes = [UserChange(role: .viewer), UserChange(isDisabled: true), UserChange(name: "x")]
                for change in changes {
                    await expectRefusal(.forbidden) {
                        try await cast.service.changeUser(user, change, context: admin)
                    }
                }
                await expectRefusal(.forbidden) { try await cast.service.deleteUser(user, context: admin) }
            }
            await expectRefusal(.forbidden) { try await cast.service.giveTenant(to: cast.id(.owner), context: admin) }
            let changed = try await cast.service.changeUser(
                cast.id(.editor),
                UserChange(name: "deputy", role: .admin),
                context: admin
            )
            #expect(changed.role == .admin)
            #expect(try await cast.service.user(changed.id, context: cast.owner).user == changed)
        }
    }

    @Test("AUTHZ-07: whom the tenant belongs to stays, until it is given away", arguments: DatabaseKind.allCases)
    func lastOwner(_ kind: DatabaseKind) async throws {
        try await withCast(kind) { cast in
            let (first, second) = (cast.fixture.first.owner, cast.id(.owner))
            for context in [cast.owner, cast.context(.owner)] {
                for change in [UserChange(role: .admin), UserChange(isDisabled: true)] {
                    await expectRefusal(.lastOwner) {
                        try await cast.service.changeUser(first, change, context: context)
                    }
                }
                await expectRefusal(.lastOwner) { try await cast.service.deleteUser(first, context: context) }
            }
            await expectRefusal(.invalid) {
                try await cast.service.giveTenant(to: cast.id(.admin), context: cast.owner)
            }
            await expectRefusal(.invalid) { try await cast.service.giveTenant(to: .random(), context: cast.owner) }
            try await cast.service.changeUser(second, UserChange(isDisabled: true), context: cast.owner)
            await expectRefusal(.invalid) { try await cast.service.giveTenant(to: second, context: cast.owner) }
            try await cast.service.changeUser(second, UserChange(isDisabled: false), context: cast.owner)
            try await cast.service.giveTenant(to: second, context: cast.owner)
            // The command line acts as the new owner now, and the old one can go.
            #expect(try await cast.fixture.owner().principal.user == second)
            try await cast.service.deleteUser(first, context: cast.context(.owner))
            await expectRefusal(.lastOwner) {
                try await cast.service.deleteUser(second, context: try await cast.fixture.owner())
            }
        }
    }

    @Test("KEY-04: deleting or disabling a user kills their keys at once", arguments: DatabaseKind.allCases)
    func keysDie(_ kind: DatabaseKind) async throws {
        try await withCast(kind) { cast in
            let draft = APIKeyDraft(name: "k", scopes: [.search], owner: cast.id(.editor))
            let key = try await cast.service.createKey(draft, context: cast.owner)
            let open = try await cast.fixture.authenticate(key.text)
            let ticket = try cast.service.issueTicket(context: open)
            try await cast.service.changeUser(cast.id(.editor), UserChange(isDisabled: true), context: cast.owner)
            await expectRefusal(.unauthenticated) { _ = try await cast.fixture.authenticate(key.text) }
            try await cast.service.changeUser(cast.id(.editor), UserChange(isDisabled: false), context: cast.owner)
            _ = try await cast.fixture.authenticate(key.text)
            try await cast.service.deleteUser(cast.id(.editor), context: cast.owner)
            await expectRefusal(.unauthenticated) { _ = try await cast.fixture.authenticate(key.text) }
            await expectRefusal(.unauthenticated) { _ = try await cast.service.renewed(open, timeout: .seconds(9)) }
            await expectRefusal(.unauthenticated) {
                _ = try await cast.service.redeemTicket(
                    ticket.text,
                    timeout: .seconds(9),
                    requestID: "r",
                    logger: cast.fixture.logger
                )
            }
            #expect(try await cast.service.keys(context: cast.owner).contains { $0.id == key.key.id } == false)
            await expectRefusal(.notFound) { _ = try await cast.service.user(cast.id(.editor), context: cast.owner) }
        }
    }

    @Test("a deleted user is still named as an author, and can be assigned nothing", arguments: DatabaseKind.allCases)
    func former(_ kind: DatabaseKind) async throws {
        try await withCast(kind) { cast in
            let tenant = cast.fixture.first.tenant
            try await cast.service.deleteUser(cast.id(.editor), context: cast.owner)
            let authors = try await cast.service.authors(tenant: tenant)
            #expect(authors.first { $0.id == cast.id(.editor) }?.name == "editor two")
            #expect(authors.first { $0.id == cast.id(.editor) }?.email == nil)
            #expect(authors.contains { $0.id == cast.id(.viewer) })
            let people = try await cast.service.collaborators(tenant: tenant)
            #expect(!people.contains { $0.id == cast.id(.editor) })
            // Erased they have no name either, at once or later.
            try await cast.service.deleteUser(cast.id(.editor), erasingName: true, context: cast.owner)
            try await cast.service.deleteUser(cast.id(.viewer), erasingName: true, context: cast.owner)
            let names = try await cast.service.authors(tenant: tenant)
            for role in [Role.editor, .viewer] { #expect(names.first { $0.id == cast.id(role) }?.name == "erased") }
            await expectRefusal(.notFound) {
                try await cast.service.deleteUser(cast.id(.editor), context: cast.owner)
            }
            await expectRefusal(.notFound) {
                try await cast.service.deleteUser(.random(), erasingName: true, context: cast.owner)
            }
        }
    }

    @Test("a role that was taken away is gone with the next request", arguments: DatabaseKind.allCases)
    func demoted(_ kind: DatabaseKind) async throws {
        try await withCast(kind) { cast in
            let draft = APIKeyDraft(name: "k", scopes: [.search, .recordsWrite], owner: cast.id(.editor))
            let key = try await cast.service.createKey(draft, context: cast.owner)
            #expect(try await cast.fixture.authenticate(key.text).principal.permissions == [.search, .recordsWrite])
            try await cast.service.changeUser(cast.id(.editor), UserChange(role: .viewer), context: cast.owner)
            #expect(try await cast.fixture.authenticate(key.text).principal.permissions == [.search])
        }
    }

    @Test("names are clean, and no other user's", arguments: DatabaseKind.allCases)
    func names(_ kind: DatabaseKind) async throws {
        try await withCast(kind) { cast in
            for name in ["", " x", "a\nb", "admin two"] {
                await expectRefusal(.invalid) {
                    try await cast.service.changeUser(cast.id(.editor), UserChange(name: name), context: cast.owner)
                }
            }
            try await cast.service.changeUser(cast.id(.editor), UserChange(name: "editor two"), context: cast.owner)
        }
    }
}
