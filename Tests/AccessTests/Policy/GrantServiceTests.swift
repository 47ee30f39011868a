import Access
import Domain
import TestSupport
import Testing

@Suite("Making grants")
struct GrantServiceTests {
    /// Somebody with a role and a key that may do all they may.
    private static func person(
        _ name: String,
        _ role: Role,
        _ fixture: AccessFixture
    ) async throws -> (user: UserID, key: KeyID, context: RequestContext) {
        let owner = try await fixture.owner()
        let user = try await fixture.service.createUser(name: name, role: role, context: owner)
        let key = try await fixture.service.createKey(
            APIKeyDraft(name: name, scopes: Set(Permission.allCases), owner: user.id),
            context: owner
        )
        return (user.id, key.key.id, try await fixture.authenticate(key.text))
    }

    private static func grant(_ fixture: AccessFixture, _ draft: GrantDraft) async throws -> Grant {
        try await fixture.service.createGrant(draft, checking: AnyPlace(), context: fixture.owner()).value
    }

    @Test("AUTHZ-07: an editor manages no members, an admin no owners", arguments: DatabaseKind.allCases)
    func vertical(_ kind: DatabaseKind) async throws {
        try await withAccess(kind) { fixture in
            let service = fixture.service
            let editor = try await Self.person("edda", .editor, fixture)
            let admin = try await Self.person("adam", .admin, fixture)
            let draft = GrantDraft(subject: .user(editor.user), bundle: .role(.admin), resource: .tenant)
            await expectRefusal(.forbidden) {
                _ = try await service.createGrant(draft, checking: AnyPlace(), context: editor.context)
            }
            await expectRefusal(.forbidden) { _ = try await service.grants(limit: 1, context: editor.context) }
            await expectRefusal(.forbidden) { _ = try await service.groups(context: editor.context) }
            await expectRefusal(.forbidden) { _ = try await service.customRoles(context: editor.context) }
            await expectRefusal(.forbidden) {
                try await service.changeUser(editor.user, UserChange(role: .owner), context: editor.context)
            }
            _ = try await service.createGrant(draft, checking: AnyPlace(), context: admin.context)
            let owners = GrantDraft(subject: .user(editor.user), bundle: .role(.owner), resource: .tenant)
            await expectRefusal(.forbidden) {
                _ = try await service.createGrant(owners, checking: AnyPlace(), context: admin.context)
            }
            await expectRefusal(.forbidden) {
                _ = try await service.createRole(name: "all", permissions: [.admin], context: admin.context)
            }
            await expectRefusal(.forbidden) {
                try await service.changeUser(admin.user, UserChange(role: .owner), context: admin.context)
            }
            await expectRefusal(.forbidden) {
                try await service.changeUser(fixture.first.owner, UserChange(role: .guest), context: admin.context)
            }
            await expectRefusal(.forbidden) {
                try await service.setUser(fixture.first.owner, isDisabled: true, context: admin.context)
            }
            await expectRefusal(.forbidden) {
                _ = try await service.createUser(name: "boss", role: .owner, context: admin.context)
            }
            try await service.changeUser(editor.user, UserChange(role: .viewer), context: admin.context)
            let policy = try await AccessStore(database: fixture.database).policy(tenant: fixture.first.tenant)
            #expect(policy.people[editor.user]?.role == .viewer)
        }
    }

    @Test("AUTHZ-07: what is given somewhere is not had in the whole tenant", arguments: DatabaseKind.allCases)
    func somewhere(_ kind: DatabaseKind) async throws {
        try await withAccess(kind) { fixture in
            let (service, base) = (fixture.service, BaseID.random())
            let gus = try await Self.person("gus", .guest, fixture)
            #expect(gus.context.principal.permissions.isEmpty)
            _ = try await Self.grant(
                fixture,
                GrantDraft(subject: .user(gus.user), bundle: .role(.admin), resource: .base(base))
            )
            var context = try await service.renewed(gus.context, timeout: .seconds(60))
            #expect(
                context.principal.permissions == Role.editor.permissions.union([.schemaWrite, .embed, .webhooksManage])
            )
            _ = try await Self.grant(
                fixture,
                GrantDraft(subject: .user(gus.user), bundle: .permissions([.membersManage]), resource: .tenant)
            )
            context = try await service.renewed(gus.context, timeout: .seconds(60))
            #expect(context.principal.permissions.contains(.membersManage))
            // They are an admin of one base and may manage members: together these make no editor of the tenant.
            for role in [Role.editor, .viewer] {
                await expectRefusal(.forbidden) {
                    _ = try await service.createUser(name: "friend", role: role, context: context)
                }
            }
            let wide = GrantDraft(subject: .everybody, bundle: .role(.viewer), resource: .tenant)
            await expectRefusal(.forbidden) {
                _ = try await service.createGrant(wide, checking: AnyPlace(), context: context)
            }
            let own = GrantDraft(subject: .everybody, bundle: .role(.viewer), resource: .base(base))
            _ = try await service.createGrant(own, checking: AnyPlace(), context: context)
            let elsewhere = GrantDraft(subject: .everybody, bundle: .role(.viewer), resource: .base(.random()))
            await expectRefusal(.notFound) {
                _ = try await service.createGrant(elsewhere, checking: AnyPlace(), context: context)
            }
        }
    }

    @Test("AUTHZ-07: nobody gives on what is kept from them, or lifts the refusal", arguments: DatabaseKind.allCases)
    func kept(_ kind: DatabaseKind) async throws {
        try await withAccess(kind) { fixture in
            let (service, base, table, field) = (fixture.service, BaseID.random(), TableID.random(), FieldID.random())
            let admin = try await Self.person("adam", .admin, fixture)
            let denial = try await Self.grant(
                fixture,
                GrantDraft(
                    subject: .user(admin.user),
                    effect: .deny,
                    bundle: .permissions([.recordsRead]),
                    resource: .field(field, table, base)
                )
            )
            for place: Resource in [.table(table, base), .base(base), .tenant] {
                let draft = GrantDraft(subject: .everybody, bundle: .permissions([.recordsRead]), resource: place)
                await expectRefusal(.forbidden) {
                    _ = try await service.createGrant(draft, checking: AnyPlace(), context: admin.context)
                }
            }
            let other = GrantDraft(
                subject: .everybody,
                bundle: .permissions([.recordsRead]),
                resource: .table(.random(), base)
            )
            _ = try await service.createGrant(other, checking: AnyPlace(), context: admin.context)
            await expectRefusal(.forbidden) { _ = try await service.deleteGrant(denial.id, context: admin.context) }
            let more = GrantDraft(
                subject: .everybody,
                effect: .deny,
                bundle: .permissions([.recordsRead]),
                resource: .field(field, table, base)
            )
            await expectRefusal(.notFound) {
                _ = try await service.createGrant(more, checking: AnyPlace(), context: admin.context)
            }
            _ = try await service.deleteGrant(denial.id, context: fixture.owner())
            _ = try await service.createGrant(more, checking: AnyPlace(), context: admin.context)
        }
    }

    @Test("AUTHZ-07: a group gives its members no more than who lets them in has", arguments: DatabaseKind.allCases)
    func groups(_ kind: DatabaseKind) async throws {
        try await withAccess(kind) { fixture in
            let (service, owner) = (fixture.service, try await fixture.owner())
            let admin = try await Self.person("adam", .admin, fixture)
            let group = try await service.createGroup(name: "owners", context: owner).value.id
            _ = try await Self.grant(
                fixture,
                GrantDraft(subject: .group(group), bundle: .role(.owner), resource: .tenant)
            )
            await expectRefusal(.forbidden) {
                _ = try await service.setMember(admin.user, of: group, isMember: true, context: admin.context)
            }
            let quiet = try await service.createGroup(name: "quiet", context: admin.context).value.id
            let denial = GrantDraft(
                subject: .group(quiet),
                effect: .deny,
                bundle: .permissions([.chat]),
                resource: .tenant
            )
            _ = try await Self.grant(fixture, denial)
            _ = try await service.setMember(admin.user, of: quiet, isMember: true, context: owner)
            let context = try await service.renewed(admin.context, timeout: .seconds(60))
            #expect(!context.principal.permissions.contains(.chat))
            await expectRefusal(.forbidden) {
                _ = try await service.setMember(admin.user, of: quiet, isMember: false, context: context)
            }
            await expectRefusal(.forbidden) { _ = try await service.deleteGroup(quiet, context: context) }
            _ = try await service.setMember(admin.user, of: quiet, isMember: false, context: owner)
            _ = try await service.deleteGroup(quiet, context: context)
            #expect(try await service.groups(context: owner).map(\.group.name) == ["owners"])
            #expect(try await service.grants(of: .group(quiet), limit: 9, context: owner).isEmpty)
        }
    }

    @Test("KEY-04: a key makes no key with more rights, and widens none", arguments: DatabaseKind.allCases)
    func keys(_ kind: DatabaseKind) async throws {
        try await withAccess(kind) { fixture in
            let (service, owner, base) = (fixture.service, try await fixture.owner(), BaseID.random())
            let admin = try await Self.person("adam", .admin, fixture)
            await expectRefusal(.forbidden) {
                _ = try await service.createKey(
                    APIKeyDraft(name: "boss", scopes: [.recordsRead], owner: fixture.first.owner),
                    context: admin.context
                )
            }
            let limits = GrantDraft(subject: .key(admin.key), bundle: .role(.admin), resource: .base(base))
            let first = try await service.createGrant(limits, checking: AnyPlace(), context: owner).value
            let narrow = try await service.renewed(admin.context, timeout: .seconds(60))
            #expect(try await service.visibleScope(for: narrow, doing: .recordsRead).bases == [base])
            // It has no rights in the whole tenant any more.
            #expect(!narrow.principal.permissions.contains(.membersManage))
            await expectRefusal(.forbidden) { _ = try await service.deleteGrant(first.id, context: narrow) }
            let second = try await Self.person("anna", .admin, fixture)
            let wider = GrantDraft(subject: .key(admin.key), bundle: .role(.admin), resource: .base(.random()))
            await expectRefusal(.forbidden) { _ = try await service.deleteGrant(first.id, context: second.context) }
            await expectRefusal(.forbidden) {
                _ = try await service.createGrant(wider, checking: AnyPlace(), context: second.context)
            }
            let managing = try await service.createKey(
                APIKeyDraft(name: "m", scopes: Set(Permission.allCases), bases: [base]),
                context: owner
            )
            let context = try await fixture.authenticate(managing.text)
            for draft in [
                APIKeyDraft(name: "all", scopes: [.recordsRead]),
                APIKeyDraft(name: "other", scopes: [.recordsRead], tables: [.random(): [.random()]]),
            ] {
                await expectRefusal(.forbidden) { _ = try await service.createKey(draft, context: context) }
            }
            _ = try await service.createKey(
                APIKeyDraft(name: "part", scopes: [.recordsRead], tables: [base: [.random()]]),
                context: context
            )
            _ = try await service.deleteGrant(first.id, context: owner)
            try await service.revokeKey(admin.key, context: owner)
            await expectRefusal(.unauthenticated) { _ = try await service.renewed(narrow, timeout: .seconds(60)) }
        }
    }

    @Test("KEY-04: disabling the owner kills the keys, and their grants with the key", arguments: DatabaseKind.allCases)
    func owners(_ kind: DatabaseKind) async throws {
        try await withAccess(kind) { fixture in
            let (service, owner) = (fixture.service, try await fixture.owner())
            let vera = try await Self.person("vera", .viewer, fixture)
            _ = try await Self.grant(
                fixture,
                GrantDraft(subject: .key(vera.key), bundle: .role(.viewer), resource: .tenant)
            )
            try await service.setUser(vera.user, isDisabled: true, context: owner)
            await expectRefusal(.unauthenticated) {
                _ = try await service.visibleScope(for: vera.context, doing: .recordsRead)
            }
            try await service.setUser(vera.user, isDisabled: false, context: owner)
            _ = try await service.visibleScope(for: vera.context, doing: .recordsRead)
            try await service.revokeKey(vera.key, context: owner)
            #expect(try await service.grants(of: .key(vera.key), limit: 9, context: owner).isEmpty)
        }
    }

    struct Vain: Sendable, CustomTestStringConvertible {
        let testDescription: String
        let draft: GrantDraft
    }

    static let vain: [Vain] = {
        let (base, table) = (BaseID.random(), TableID.random())
        func vain(
            _ title: String,
            _ effect: Grant.Effect = .allow,
            _ bundle: Grant.Bundle = .role(.viewer),
            _ place: Resource,
            _ condition: String? = nil
        ) -> Vain {
            let draft = GrantDraft(
                subject: .everybody,
                effect: effect,
                bundle: bundle,
                resource: place,
                condition: condition
            )
            return Vain(testDescription: title, draft: draft)
        }
        return [
            vain("nothing", .allow, .permissions([]), .tenant),
            vain("the guest's role", .allow, .role(.guest), .base(base)),
            vain("a field given", .allow, .role(.viewer), .field(.random(), table, base)),
            vain("a view given", .allow, .role(.viewer), .view(.random(), table, base)),
            vain("a tenant's permission in a base", .allow, .permissions([.admin, .keysManage]), .base(base)),
            vain("a schema given with a record", .allow, .permissions([.schemaWrite]), .record(.random(), table, base)),
            vain("a table denied with a record", .deny, .permissions([.schemaRead]), .record(.random(), table, base)),
            vain("a condition on a base", .allow, .role(.viewer), .base(base), "1"),
            vain("a condition on a record", .allow, .role(.viewer), .record(.random(), table, base), "1"),
            vain("a condition for a schema", .allow, .permissions([.schemaWrite]), .table(table, base), "1"),
            vain("a condition that refuses a table", .deny, .role(.viewer), .table(table, base), "1"),
            vain("an empty condition", .allow, .role(.viewer), .table(table, base), ""),
            vain("a long condition", .allow, .role(.viewer), .table(table, base), String(repeating: "1", count: 2_001)),
            vain("a condition with NUL", .allow, .role(.viewer), .table(table, base), "1\u{0}"),
        ]
    }()

    @Test("what would say nothing is refused", arguments: vain)
    func refusals(_ vain: Vain) async throws {
        try await withAccess(.sqlite) { fixture in
            await expectRefusal(.invalid) {
                _ = try await fixture.service.createGrant(
                    vain.draft,
                    checking: AnyPlace(),
                    context: fixture.owner()
                )
            }
        }
    }

    @Test(
        "AUTHZ-11: an explanation names what decided, of others only to who manages members",
        arguments: DatabaseKind.allCases
    )
    func explanations(_ kind: DatabaseKind) async throws {
        try await withAccess(kind) { fixture in
            let (service, owner, base, table) = (
                fixture.service, try await fixture.owner(), BaseID.random(), TableID.random()
            )
            let edda = try await Self.person("edda", .editor, fixture)
            let denial = try await Self.grant(
                fixture,
                GrantDraft(
                    subject: .everybody,
                    effect: .deny,
                    bundle: .permissions([.recordsWrite]),
                    resource: .base(base)
                )
            )
            let place = Resource.table(table, base)
            let own = try await service.explain(.recordsWrite, on: place, context: edda.context)
            #expect(own.decision.verdict == .denied)
            #expect(own.decision.reason == .grant(denial.id))
            #expect(own.decision.permission == .recordsWrite)
            #expect(own.role == .editor)
            #expect(own.steps.map(\.resource) == [.tenant, .base(base), place])
            #expect(own.steps.map(\.grants) == [[], [denial], []])
            for subject: Grant.Subject in [.user(edda.user), .key(edda.key)] {
                let told = try await service.explain(.recordsWrite, on: place, for: subject, context: owner)
                #expect(told.decision == own.decision)
            }
            let everybody = try await service.explain(.recordsWrite, on: place, for: .everybody, context: owner)
            #expect(everybody.decision.verdict == .denied)
            await expectRefusal(.forbidden) {
                _ = try await service.explain(
                    .search,
                    on: place,
                    for: .user(fixture.first.owner),
                    context: edda.context
                )
            }
            for subject: Grant.Subject in [.user(.random()), .group(.random()), .key(.random())] {
                await expectRefusal(.notFound) {
                    _ = try await service.explain(.search, on: place, for: subject, context: owner)
                }
            }
            let objects = try await service.objects(.recordsWrite, context: edda.context)
            #expect(!objects.value.permits(table: table, in: base))
            #expect(objects.value.allows(table: table, in: base))
            #expect(objects.version == own.version)
        }
    }

    @Test("what is done to a policy stands in the audit log, in the same transaction", arguments: DatabaseKind.allCases)
    func audit(_ kind: DatabaseKind) async throws {
        try await withAccess(kind) { fixture in
            let (service, owner) = (fixture.service, try await fixture.owner())
            let group = try await service.createGroup(name: "g", context: owner).value.id
            _ = try await service.renameGroup(group, to: "h", context: owner)
            _ = try await service.setMember(fixture.first.owner, of: group, isMember: true, context: owner)
            _ = try await service.setMember(fixture.first.owner, of: group, isMember: false, context: owner)
            let role = try await service.createRole(name: "r", permissions: [.search], context: owner).value.id
            _ = try await service.updateRole(role, name: "s", permissions: [.chat], context: owner)
            let grant = try await Self.grant(
                fixture,
                GrantDraft(subject: .group(group), bundle: .customRole(role), resource: .tenant)
            )
            await expectRefusal(.inUse) { _ = try await service.deleteRole(role, context: owner) }
            _ = try await service.deleteGrant(grant.id, context: owner)
            _ = try await service.deleteRole(role, context: owner)
            _ = try await service.deleteGroup(group, context: owner)
            let entries = try await service.audit.entries(AuditQuery(), context: owner).entries
            let told = entries.reversed().map(\.event.action).filter {
                $0.rawValue.hasPrefix("group.") || $0.rawValue.hasPrefix("role.") || $0.rawValue.hasPrefix("grant.")
            }
            #expect(
                told == [
                    .groupCreated, .groupChanged, .groupMemberAdded, .groupMemberRemoved, .roleCreated, .roleChanged,
                    .grantCreated, .grantDeleted, .roleDeleted, .groupDeleted,
                ]
            )
        }
    }
}
