import Database
import Domain
import Foundation
import TestSupport
import Testing

@testable import Access

@Suite("What invites give")
struct InviteRightsTests {
    /// Somebody with a role and a key that may do all they may.
    private static func person(
        _ name: String,
        _ role: Role,
        _ fixture: AccountFixture
    ) async throws -> (user: UserID, context: RequestContext) {
        let (service, owner) = (fixture.base.service, try await fixture.base.owner())
        let user = try await service.createUser(name: name, role: role, context: owner)
        let draft = APIKeyDraft(name: name, scopes: Set(Permission.allCases), owner: user.id)
        return (user.id, try await fixture.base.authenticate(try await service.createKey(draft, context: owner).text))
    }

    /// A base of the first tenant, as far as Access knows of one.
    private static func base(_ fixture: AccountFixture) async throws -> BaseID {
        let (base, first) = (BaseID.random(), fixture.base.first)
        try await fixture.database.write(of: .everyTenant) { transaction in
            try AccessStore.place(base, in: first.workspace, tenant: first.tenant, in: transaction)
            try AccessStore.bump(first.tenant, in: transaction)
        }
        fixture.base.service.policyChanged(in: first.tenant)
        return base
    }

    private static func grant(_ user: UserID, _ role: Role, _ resource: Resource, _ fixture: AccountFixture)
        async throws
    {
        _ = try await fixture.base.service.createGrant(
            GrantDraft(subject: .user(user), bundle: .role(role), resource: resource),
            checking: AnyPlace(),
            context: try await fixture.base.owner()
        )
    }

    @Test("a guest gets a role in a base or a workspace and nothing else", arguments: DatabaseKind.allCases)
    func places(_ kind: DatabaseKind) async throws {
        try await withAccounts(kind) { fixture in
            let (service, workspace) = (fixture.base.service, fixture.base.first.workspace)
            let (base, other) = (try await Self.base(fixture), try await Self.base(fixture))
            let gone = BaseID.random()
            let token = try await fixture.invite(
                "lise@example.com",
                .guest,
                [InvitedPlace(.editor, in: base), InvitedPlace(.viewer, in: gone)]
            )
            let lise = try await fixture.context(try await fixture.accept(token))
            let scope = try await service.visibleScope(for: lise, doing: .recordsWrite)
            #expect(scope.permits(base: base) && !scope.allows(base: other) && !scope.allows(base: gone))
            let grants = try await service.grants(limit: 9, context: try await fixture.base.owner())
            #expect(grants.map(\.resource) == [.base(base)])
            #expect(grants.first?.createdBy == fixture.base.first.owner)

            // Invited once more they keep what they are, and get what they have not.
            let again = try await fixture.invite(
                "lise@example.com",
                .owner,
                [InvitedPlace(.editor, in: base), InvitedPlace(.viewer, in: workspace)]
            )
            let same = try await fixture.accept(again)
            #expect(same.user.id == lise.principal.user && same.user.role == .guest)
            #expect(try await service.grants(limit: 9, context: try await fixture.base.owner()).count == 2)
            #expect(try await service.visibleScope(for: lise, doing: .recordsRead).allows(base: other))
            let actions = try await fixture.audited(fixture.base.first.tenant)
            #expect(actions.count { $0 == "grant.created" } == 2)
        }
    }

    @Test("AUTHZ-07: nobody invites to more than they have where they have it", arguments: DatabaseKind.allCases)
    func refused(_ kind: DatabaseKind) async throws {
        try await withAccounts(kind) { fixture in
            let (base, other) = (try await Self.base(fixture), try await Self.base(fixture))
            let editor = try await Self.person("edda", .editor, fixture)
            let admin = try await Self.person("adam", .admin, fixture)
            let keeper = try await Self.person("gus", .guest, fixture)
            try await Self.grant(keeper.user, .admin, .base(base), fixture)

            func expect(
                _ code: AccessError.Code,
                _ role: Role,
                _ places: [InvitedPlace] = [],
                by context: RequestContext
            ) async {
                await expectRefusal(code) {
                    _ = try await fixture.invite("lise@example.com", role, places, by: context)
                }
            }
            await expect(.forbidden, .guest, by: editor.context)
            await expect(.forbidden, .guest, [InvitedPlace(.viewer, in: base)], by: editor.context)
            await expect(.forbidden, .owner, by: admin.context)
            _ = try await fixture.invite("a@example.com", .admin, by: admin.context)

            fixture.clock.advance(.seconds(1))
            let keeping = try await fixture.base.service.renewed(keeper.context, timeout: .seconds(60))
            for role in [Role.guest, .viewer] { await expect(.forbidden, role, by: keeping) }
            await expect(.forbidden, .viewer, [InvitedPlace(.viewer, in: base)], by: keeping)
            await expect(.notFound, .guest, [InvitedPlace(.viewer, in: other)], by: keeping)
            let workspace = fixture.base.first.workspace
            await expect(.forbidden, .guest, [InvitedPlace(.viewer, in: workspace)], by: keeping)
            for role in [Role.owner, .guest] {
                let place = InvitedPlace(role, in: base)
                await expect(.invalid, .guest, [place], by: try await fixture.base.owner())
            }
            let twice = [InvitedPlace(.viewer, in: base), InvitedPlace(.editor, in: base)]
            await expect(.invalid, .guest, twice, by: keeping)
            let elsewhere = [InvitedPlace(.viewer, in: WorkspaceID.random())]
            await expect(.notFound, .guest, elsewhere, by: try await fixture.base.owner())

            // Whose addresses there are they are not told, and accepting is refused all the same.
            let robot = try await fixture.base.service.createUser(
                name: "robot",
                email: "robot@example.com",
                role: .viewer,
                context: try await fixture.base.owner()
            )
            let taken = try await fixture.invite(
                "robot@example.com",
                .guest,
                [InvitedPlace(.viewer, in: base)],
                by: keeping
            )
            await expectRefusal(.tokenRefused) { _ = try await fixture.accept(taken) }
            try await fixture.base.service.deleteUser(robot.id, context: try await fixture.base.owner())
            for invite in try await fixture.service.openInvites(context: keeping) {
                try await fixture.service.revokeInvite(invite.id, context: keeping)
            }

            // What is theirs they give, and see no other invite than their own.
            let token = try await fixture.invite("b@example.com", .guest, [InvitedPlace(.admin, in: base)], by: keeping)
            let open = try await fixture.service.openInvites(context: keeping)
            #expect(open.map(\.email.text) == ["b@example.com"])
            let all = try await fixture.service.openInvites(context: admin.context)
            #expect(all.map(\.email.text) == ["a@example.com", "b@example.com"])
            await expectRefusal(.notFound) { try await fixture.service.revokeInvite(all[0].id, context: keeping) }
            await expectRefusal(.forbidden) { _ = try await fixture.service.openInvites(context: editor.context) }
            let joined = try await fixture.context(try await fixture.accept(token))
            #expect(try await fixture.base.service.visibleScope(for: joined, doing: .schemaWrite).permits(base: base))
            #expect(!joined.principal.permissions.contains(.membersManage))
        }
    }

    @Test("AUTHZ-07: an invite gives nothing that its maker has lost since", arguments: DatabaseKind.allCases)
    func lost(_ kind: DatabaseKind) async throws {
        try await withAccounts(kind) { fixture in
            let (service, owner) = (fixture.base.service, try await fixture.base.owner())
            let admin = try await Self.person("adam", .admin, fixture)
            let token = try await fixture.invite("lise@example.com", .editor, by: admin.context)
            for change in [UserChange(role: .editor), UserChange(role: .admin, isDisabled: true)] {
                try await service.changeUser(admin.user, change, context: owner)
                await expectRefusal(.tokenRefused) { _ = try await fixture.accept(token) }
            }
            try await service.changeUser(admin.user, UserChange(isDisabled: false), context: owner)
            _ = try await fixture.accept(token)
            let second = try await fixture.invite("b@example.com", .editor, by: admin.context)
            try await service.deleteUser(admin.user, context: owner)
            await expectRefusal(.tokenRefused) { _ = try await fixture.accept(second) }
        }
    }

    @Test("who is disabled, or only has the address, is not let in by it", arguments: DatabaseKind.allCases)
    func unfit(_ kind: DatabaseKind) async throws {
        try await withAccounts(kind) { fixture in
            let (service, owner) = (fixture.base.service, try await fixture.base.owner())
            let lise = try await fixture.accept(try await fixture.invite("lise@example.com"))
            let again = try await fixture.invite("lise@example.com")
            try await service.setUser(lise.user.id, isDisabled: true, context: owner)
            await expectRefusal(.tokenRefused) { _ = try await fixture.accept(again) }
            try await service.setUser(lise.user.id, isDisabled: false, context: owner)
            // It was not used up.
            #expect(try await fixture.accept(again).user.id == lise.user.id)

            // Whoever got in by the address of a user that only keys act as would be taken for them.
            let early = try await fixture.invite("robot@example.com")
            _ = try await service.createUser(name: "robot", email: "Robot@example.com", role: .owner, context: owner)
            await expectRefusal(.tokenRefused) { _ = try await fixture.accept(early) }
            await expectRefusal(.addressTaken) { _ = try await fixture.invite("robot@example.com") }
            #expect(try await fixture.service.store.account(email: "robot@example.com") == nil)
        }
    }

    @Test(
        "AUTHZ-07: a user that only keys act as lets themselves sign in, by a key without limits",
        arguments: DatabaseKind.allCases
    )
    func own(_ kind: DatabaseKind) async throws {
        try await withAccounts(kind) { fixture in
            let (service, owner) = (fixture.base.service, try await fixture.base.owner())
            let made = try await service.createTenant(
                name: "o",
                ownerName: "Marie",
                ownerEmail: "marie@example.com",
                context: owner
            )
            let theirs = try await fixture.base.authenticate(made.key.text)
            // A key that may less than its user lets nobody in who may more.
            for draft in [
                APIKeyDraft(name: "narrow", scopes: [.membersManage]),
                APIKeyDraft(name: "placed", scopes: Set(Permission.allCases), bases: [.random()]),
            ] {
                let key = try await service.createKey(draft, context: theirs)
                let limited = try await fixture.base.authenticate(key.text)
                await expectRefusal(.addressTaken) {
                    _ = try await fixture.invite("marie@example.com", .guest, by: limited)
                }
            }
            let admin = try await service.createUser(name: "adam", role: .admin, context: theirs)
            let draft = APIKeyDraft(name: "a", scopes: Set(Permission.allCases), owner: admin.id)
            let adams = try await fixture.base.authenticate(try await service.createKey(draft, context: theirs).text)
            await expectRefusal(.addressTaken) {
                _ = try await fixture.invite("marie@example.com", .guest, by: adams)
            }

            let token = try await fixture.invite("Marie@example.com", .guest, by: theirs)
            let signIn = try await fixture.accept(token, name: "Curie")
            #expect(signIn.user.id == theirs.principal.user && signIn.user.role == .owner)
            #expect(signIn.user.name == "Marie" && signIn.tenant == made.tenant.id)
            #expect(try await fixture.signIn("marie@example.com").user.id == signIn.user.id)
            #expect(try await service.users(context: theirs).count == 2)
            await expectRefusal(.tokenRefused) { _ = try await fixture.accept(token) }
            // Now that they sign in, an invite to them is one like any other.
            let again = try await fixture.invite("marie@example.com", .guest, by: theirs)
            #expect(try await fixture.accept(again).user.id == signIn.user.id)
        }
    }

    @Test(
        "a tenant that is full, or suspended, takes nobody in, and nothing is left of it",
        arguments: DatabaseKind.allCases
    )
    func full(_ kind: DatabaseKind) async throws {
        try await withAccounts(kind) { fixture in
            let (service, owner) = (fixture.base.service, try await fixture.base.owner())
            let made = try await service.createTenant(name: "o", ownerName: "o", context: owner)
            let theirs = try await fixture.base.authenticate(made.key.text)
            let token = try await fixture.invite("lise@example.com", .viewer, by: theirs)
            try await service.changeTenant(made.tenant.id, limits: TenantLimits(users: 1), context: owner)
            await expectRefusal(.limitReached) { _ = try await fixture.accept(token) }
            try await service.changeTenant(made.tenant.id, isSuspended: true, limits: TenantLimits(), context: owner)
            await expectRefusal(.tokenRefused) { _ = try await fixture.accept(token) }
            #expect(try await fixture.rows("access_accounts") == 0)
            try await service.changeTenant(made.tenant.id, isSuspended: false, context: owner)
            #expect(try await fixture.accept(token).tenant == made.tenant.id)
        }
    }

    @Test("of many who accept one invite at once one joins", arguments: DatabaseKind.allCases)
    func race(_ kind: DatabaseKind) async throws {
        try await withAccounts(kind) { fixture in
            let token = try await fixture.invite("lise@example.com")
            let joined = await withTaskGroup(of: Bool.self) { group in
                for number in 0..<5 {
                    group.addTask {
                        (try? await fixture.accept(token, name: "Lise \(number)", from: "192.0.2.\(number)")) != nil
                    }
                }
                return await group.reduce(into: 0) { $0 += $1 ? 1 : 0 }
            }
            #expect(joined == 1)
            #expect(try await fixture.rows("access_accounts") == 1)
            #expect(try await fixture.rows("access_users") == 2)
            // The second of one name is told apart.
            let number = try await fixture.accept(try await fixture.invite("b@example.com"), name: "owner")
            #expect(number.user.name == "owner 2")
        }
    }
}

/// Every method of the store is called with a tenant that is not the invite's.
@Suite("The store of invites")
struct InviteStoreTests {
    @Test("keeps to its tenant and its limit", arguments: DatabaseKind.allCases)
    func tenants(_ kind: DatabaseKind) async throws {
        try await withAccounts(kind) { fixture in
            let store = InviteStore(database: fixture.database)
            let (tenant, other) = (fixture.base.first.tenant, try await fixture.base.secondTenant().tenant)
            let time = fixture.clock.instant
            let event = AuditEvent(.inviteCreated, at: time)
            func invite(_ email: String, life: Duration = .seconds(60)) throws -> Invite {
                Invite(
                    id: .random(),
                    email: try EmailAddress(email),
                    role: .viewer,
                    places: [InvitedPlace(.editor, in: WorkspaceID.random())],
                    invitedBy: fixture.base.first.owner,
                    createdTime: time,
                    expires: time.adding(life)
                )
            }
            let first = try invite("a@example.com")
            #expect(try await store.insert(first, digest: [1], limit: 1, tenant: tenant, audit: event) == .made)
            let second = try invite("b@example.com")
            #expect(
                try await store.insert(second, digest: [2], limit: 1, tenant: tenant, audit: event) == .limitReached
            )
            #expect(try await store.insert(second, digest: [2], limit: 1, tenant: other, audit: event) == .made)
            #expect(try await store.invites(at: time, tenant: tenant) == [first])
            #expect(try await store.invites(at: time, tenant: other).map(\.id) == [second.id])
            #expect(try await store.invites(at: first.expires, tenant: tenant).isEmpty)
            #expect(try await store.delete(first.id, tenant: other, audit: event) == false)
            let found = try #require(try await store.invite([1], at: time))
            #expect(found.tenant == tenant && found.invite == first)
            #expect(try await store.invite([1], at: first.expires) == nil)
            let joining = InviteStore.Joining(
                holder: .account(.random()),
                user: User(id: .random(), name: "x", role: .viewer, isDisabled: false, createdTime: time),
                audit: event,
                time: time
            )
            #expect(try await store.accept([1], by: joining, tenant: tenant, usersMax: 9, grantsMax: 9) == .missing)
            #expect(try await store.accept([1], by: joining, tenant: other, usersMax: 9, grantsMax: 9) == .missing)
            #expect(try await store.accept([9], by: joining, tenant: tenant, usersMax: 9, grantsMax: 9) == .missing)
            #expect(try await store.delete(first.id, tenant: tenant, audit: event))
            #expect(try await store.sweep(at: second.expires, limit: 9) == 1)
            #expect(try await fixture.rows("access_invites") == 0)
        }
    }

    @Test("each of its methods is called above")
    func enumerated() throws {
        let tests = try String(contentsOf: URL(fileURLWithPath: #filePath), encoding: .utf8)
        let sources = repositoryRoot.appendingPathComponent("Sources/Access/Invites")
        var methods = 0
        for file in ["InviteStore.swift", "InviteStore+Accepting.swift"] {
            let text = try String(contentsOf: sources.appendingPathComponent(file), encoding: .utf8)
            for match in text.matches(of: /(?:package|public) func ([A-Za-z]+)/) {
                methods += 1
                #expect(tests.contains("store.\(match.1)("), "\(match.1) of \(file) is called in no test")
            }
        }
        #expect(methods == 6)
    }
}
