import Access
import Database
import Domain
import TestSupport
import Testing

@Suite("Policy store")
struct PolicyStoreTests {
    private static let base = BaseID("appAAAAAAAAAAAAAA")!
    private static let table = TableID("tblAAAAAAAAAAAAAA")!

    private static func grant(
        _ subject: Grant.Subject,
        _ effect: Grant.Effect = .allow,
        _ bundle: Grant.Bundle = .role(.viewer),
        on resource: Resource = .tenant,
        condition: String? = nil
    ) -> Grant {
        Grant(
            id: .random(),
            subject: subject,
            effect: effect,
            bundle: bundle,
            resource: resource,
            condition: condition,
            createdBy: .random(),
            createdTime: Instant(microseconds: 7)
        )
    }

    @Test(
        "AUTHZ-09: each change has the next version of its tenant, and what is read is of one version",
        arguments: DatabaseKind.allCases
    )
    func versions(_ kind: DatabaseKind) async throws {
        try await withAccess(kind) { fixture in
            let (store, tenant) = (AccessStore(database: fixture.database), fixture.first.tenant)
            let before = try await store.policyVersion(tenant: tenant)
            let first = Self.grant(.user(fixture.first.owner))
            #expect(try await store.insert(first, tenant: tenant, limit: 9) == .done(before + 1))
            #expect(try await store.insert(Self.grant(.everybody), tenant: tenant, limit: 9) == .done(before + 2))
            #expect(try await store.deleteGrant(first.id, tenant: tenant) == .done(before + 3))
            #expect(try await store.deleteGrant(first.id, tenant: tenant) == .missing)
            #expect(try await store.policyVersion(tenant: tenant) == before + 3)
            #expect(try await store.policy(tenant: tenant).version == before + 3)
            #expect(try await store.policyVersion(tenant: .random()) == 0)
        }
    }

    @Test("grants come back as they were, of every subject, bundle and place", arguments: DatabaseKind.allCases)
    func grants(_ kind: DatabaseKind) async throws {
        try await withAccess(kind) { fixture in
            let (store, tenant) = (AccessStore(database: fixture.database), fixture.first.tenant)
            let other = try await fixture.secondTenant().tenant
            let group = Group(id: .random(), name: "staff", createdTime: fixture.clock.instant)
            let role = CustomRole(
                id: .random(),
                name: "reader",
                permissions: [.search, .recordsRead],
                createdTime: fixture.clock.instant
            )
            _ = try await store.insert(group, tenant: tenant, limit: 9)
            _ = try await store.insert(role, tenant: tenant, limit: 9)
            let (base, table) = (Self.base, Self.table)
            let subjects: [Grant.Subject] = [
                .everybody, .user(fixture.first.owner), .group(group.id), .key(fixture.firstKey.key.id),
            ]
            let bundles: [Grant.Bundle] = [.role(.guest), .customRole(role.id), .permissions([.search, .admin])]
            let places: [Resource] = [
                .tenant, .workspace(fixture.first.workspace), .base(base), .table(table, base),
                .view(.random(), table, base), .record(.random(), table, base), .field(.random(), table, base),
            ]
            var made: Set<Grant> = []
            for (number, place) in places.enumerated() {
                let grant = Self.grant(
                    subjects[number % subjects.count],
                    number.isMultiple(of: 2) ? .allow : .deny,
                    bundles[number % bundles.count],
                    on: place,
                    condition: number == 3 ? "{Näme}='x'" : nil
                )
                guard case .done = try await store.insert(grant, tenant: tenant, limit: 9) else {
                    Issue.record("\(place) was not stored")
                    continue
                }
                made.insert(grant)
            }
            let policy = try await store.policy(tenant: tenant)
            #expect(Set(policy.grants) == made)
            #expect(policy.roles == [role.id: role.permissions])
            #expect(policy.groupNames == [group.id: "staff"])
            #expect(policy.people[fixture.first.owner]?.role == .owner)
            #expect(try await store.policy(tenant: other).grants.isEmpty)
            #expect(try await store.policy(tenant: other).groupNames.isEmpty)
            let one = try #require(made.first)
            #expect(try await store.deleteGrant(one.id, tenant: other) == .missing)
            #expect(try await store.policy(tenant: tenant).grants.contains(one))
        }
    }

    @Test("a grant needs its subject, role and workspace, in its tenant, and room", arguments: DatabaseKind.allCases)
    func missing(_ kind: DatabaseKind) async throws {
        try await withAccess(kind) { fixture in
            let (store, tenant) = (AccessStore(database: fixture.database), fixture.first.tenant)
            let stranger = try await fixture.secondTenant().principal.user
            let absent: [Grant] = [
                Self.grant(.user(stranger)), Self.grant(.group(.random())), Self.grant(.key(.random())),
                Self.grant(.everybody, .allow, .customRole(.random())),
                Self.grant(.everybody, on: .workspace(.random())),
            ]
            for grant in absent { #expect(try await store.insert(grant, tenant: tenant, limit: 9) == .missing) }
            guard case .done = try await store.insert(Self.grant(.everybody), tenant: tenant, limit: 1) else {
                Issue.record("one fits")
                return
            }
            #expect(try await store.insert(Self.grant(.everybody), tenant: tenant, limit: 1) == .limitReached)
        }
    }

    @Test("many at once never pass the limit", arguments: DatabaseKind.allCases)
    func limit(_ kind: DatabaseKind) async throws {
        try await withAccess(kind) { fixture in
            let (store, tenant) = (AccessStore(database: fixture.database), fixture.first.tenant)
            let made = try await withThrowingTaskGroup(of: AccessStore.PolicyChange.self) { tasks in
                for _ in 0..<12 {
                    tasks.addTask { try await store.insert(Self.grant(.everybody), tenant: tenant, limit: 5) }
                }
                return try await tasks.reduce(0) { $1 == .limitReached ? $0 : $0 + 1 }
            }
            #expect(made == 5)
            #expect(try await store.policy(tenant: tenant).grants.count == 5)
        }
    }

    @Test("roles: named once, changed, and deleted when no grant names them", arguments: DatabaseKind.allCases)
    func roles(_ kind: DatabaseKind) async throws {
        try await withAccess(kind) { fixture in
            let (store, tenant) = (AccessStore(database: fixture.database), fixture.first.tenant)
            let other = try await fixture.secondTenant().tenant
            var role = CustomRole(id: .random(), name: "a", permissions: [.search], createdTime: fixture.clock.instant)
            let second = CustomRole(id: .random(), name: "b", permissions: [.chat], createdTime: fixture.clock.instant)
            _ = try await store.insert(role, tenant: tenant, limit: 2)
            #expect(
                try await store.insert(
                    CustomRole(id: .random(), name: "a", permissions: [.chat], createdTime: fixture.clock.instant),
                    tenant: tenant,
                    limit: 2
                ) == .nameTaken
            )
            _ = try await store.insert(second, tenant: tenant, limit: 2)
            #expect(
                try await store.insert(
                    CustomRole(id: .random(), name: "c", permissions: [.chat], createdTime: fixture.clock.instant),
                    tenant: tenant,
                    limit: 2
                ) == .limitReached
            )
            #expect(try await store.roles(tenant: tenant) == [role, second])
            #expect(try await store.roles(tenant: other).isEmpty)
            role.name = "b"
            #expect(try await store.update(role, tenant: tenant) == .nameTaken)
            (role.name, role.permissions) = ("z", [.recordsRead, .chat])
            #expect(try await store.update(role, tenant: other) == .missing)
            guard case .done = try await store.update(role, tenant: tenant) else {
                Issue.record("not updated")
                return
            }
            #expect(try await store.roles(tenant: tenant) == [second, role])
            let grant = Self.grant(.everybody, .deny, .customRole(role.id))
            _ = try await store.insert(grant, tenant: tenant, limit: 9)
            #expect(try await store.deleteRole(role.id, tenant: tenant) == .inUse)
            _ = try await store.deleteGrant(grant.id, tenant: tenant)
            #expect(try await store.deleteRole(role.id, tenant: other) == .missing)
            guard case .done = try await store.deleteRole(role.id, tenant: tenant) else {
                Issue.record("not deleted")
                return
            }
            #expect(try await store.roles(tenant: tenant) == [second])
        }
    }

    @Test(
        "groups: named once, with members of their tenant, and gone with their grants",
        arguments: DatabaseKind.allCases
    )
    func groups(_ kind: DatabaseKind) async throws {
        try await withAccess(kind) { fixture in
            let (store, tenant, owner) = (
                AccessStore(database: fixture.database), fixture.first.tenant, fixture.first.owner
            )
            let second = try await fixture.secondTenant()
            let group = Group(id: .random(), name: "staff", createdTime: fixture.clock.instant)
            _ = try await store.insert(group, tenant: tenant, limit: 1)
            let twin = Group(id: .random(), name: "staff", createdTime: fixture.clock.instant)
            #expect(try await store.insert(twin, tenant: tenant, limit: 2) == .nameTaken)
            #expect(try await store.insert(twin, tenant: tenant, limit: 1) == .limitReached)
            func set(_ user: UserID, _ isMember: Bool, limit: Int = 2) async throws -> AccessStore.PolicyChange {
                try await store.setMember(user, of: group.id, isMember: isMember, tenant: tenant, limit: limit)
            }
            #expect(try await set(second.principal.user, true) == .missing)
            #expect(try await set(owner, true, limit: 0) == .limitReached)
            for _ in 0..<2 { _ = try await set(owner, true, limit: 1) }
            #expect(try await store.groups(tenant: tenant).first?.members == [owner])
            #expect(try await store.policy(tenant: tenant).groups == [owner: [group.id]])
            _ = try await set(owner, false)
            #expect(try await store.groups(tenant: tenant).first?.members == [])
            _ = try await set(owner, true)
            #expect(try await store.rename(group.id, to: "x", tenant: second.tenant) == .missing)
            _ = try await store.rename(group.id, to: "team", tenant: tenant)
            #expect(try await store.groups(tenant: tenant).map(\.group.name) == ["team"])
            #expect(try await store.groups(tenant: second.tenant).isEmpty)
            _ = try await store.insert(Self.grant(.group(group.id)), tenant: tenant, limit: 9)
            _ = try await store.insert(Self.grant(.everybody), tenant: tenant, limit: 9)
            #expect(try await store.deleteGroup(group.id, tenant: second.tenant) == .missing)
            _ = try await store.deleteGroup(group.id, tenant: tenant)
            let policy = try await store.policy(tenant: tenant)
            #expect(policy.grants.map(\.subject) == [.everybody])
            #expect(policy.groups.isEmpty)
        }
    }

    @Test("placements follow bases, and grants go with what they are about", arguments: DatabaseKind.allCases)
    func placements(_ kind: DatabaseKind) async throws {
        try await withAccess(kind) { fixture in
            let (store, tenant) = (AccessStore(database: fixture.database), fixture.first.tenant)
            let (base, table, workspace) = (Self.base, Self.table, WorkspaceID.random())
            let other = BaseID.random()
            for place: Resource in [
                .base(base), .table(table, base), .field(.random(), table, base), .table(.random(), base), .base(other),
            ] {
                _ = try await store.insert(Self.grant(.everybody, on: place), tenant: tenant, limit: 9)
            }
            let before = try await store.policyVersion(tenant: tenant)
            try await fixture.database.write(of: .everyTenant) { transaction in
                try AccessStore.place(base, in: .random(), tenant: tenant, in: transaction)
                try AccessStore.place(base, in: workspace, tenant: tenant, in: transaction)
                try AccessStore.remove(table, tenant: .random(), in: transaction)
            }
            var policy = try await store.policy(tenant: tenant)
            #expect(policy.version == before + 2)
            #expect(policy.placements.workspaces == [base: workspace])
            #expect(policy.placements.bases == [workspace: [base]])
            try await fixture.database.write(of: .everyTenant) { try AccessStore.remove(table, tenant: tenant, in: $0) }
            policy = try await store.policy(tenant: tenant)
            #expect(policy.version == before + 3)
            #expect(policy.grants.count == 3)
            #expect(!policy.grants.contains { $0.resource.table == table })
            try await fixture.database.write(of: .everyTenant) {
                try AccessStore.displace(base, tenant: tenant, in: $0)
            }
            policy = try await store.policy(tenant: tenant)
            #expect(policy.placements.workspaces.isEmpty)
            #expect(policy.grants.count == 3)
            try await fixture.database.write(of: .everyTenant) { try AccessStore.remove(base, tenant: tenant, in: $0) }
            policy = try await store.policy(tenant: tenant)
            #expect(policy.grants.map(\.resource) == [.base(other)])
            try await fixture.database.write(of: .everyTenant) {
                try AccessStore.removeGrants(of: .everybody, tenant: tenant, in: $0)
            }
            #expect(try await store.policy(tenant: tenant).grants.isEmpty)
        }
    }

    @Test("AUTHZ-09: a row that cannot be read is no row less, but no answer", arguments: DatabaseKind.allCases)
    func corrupt(_ kind: DatabaseKind) async throws {
        try await withAccess(kind) { fixture in
            let (store, tenant) = (AccessStore(database: fixture.database), fixture.first.tenant)
            _ = try await store.insert(Self.grant(.everybody, .deny), tenant: tenant, limit: 9)
            for column in ["effect", "level", "subject_kind", "bundle_kind"] {
                let old = try await fixture.database.write(of: .everyTenant) { transaction in
                    let row = try transaction.firstRow("SELECT \(column) FROM access_grants")
                    try transaction.execute("UPDATE access_grants SET \(column) = 'other'")
                    return try row?.text(0) ?? ""
                }
                await expectRefusal(.corrupt) { _ = try await store.policy(tenant: tenant) }
                await expectRefusal(.corrupt) {
                    _ = try await fixture.otherProcess().visibleScope(for: fixture.owner(), doing: .search)
                }
                try await fixture.database.write(of: .everyTenant) { transaction in
                    try transaction.execute("UPDATE access_grants SET \(column) = $1", [.text(old)])
                }
            }
            #expect(try await store.policy(tenant: tenant).grants.count == 1)
        }
    }

    @Test("KEY-02: a key's tables come back as they were", arguments: DatabaseKind.allCases)
    func keyTables(_ kind: DatabaseKind) async throws {
        try await withAccess(kind) { fixture in
            let store = AccessStore(database: fixture.database)
            let tables: [BaseID: Set<TableID>] = [.random(): [.random(), .random()], .random(): [.random()]]
            let draft = APIKeyDraft(name: "narrow", scopes: [.search], bases: [.random()], tables: tables)
            let made = try await fixture.service.createKey(draft, context: fixture.owner())
            #expect(try await store.key(made.key.id)?.key == made.key)
            #expect(made.key.tables == tables)
        }
    }
}
