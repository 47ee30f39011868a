import Database
import Domain
import TestSupport
import Testing

@testable import Access

@Suite("Admins of a part of the tenant")
struct PlaceManagerTests {
    /// A guest who is admin at one place, with a key of everything.
    private static func admin(
        of resource: Resource,
        _ name: String,
        _ fixture: AccessFixture
    ) async throws -> (user: UserID, context: RequestContext) {
        let (service, owner) = (fixture.service, try await fixture.owner())
        let user = try await service.createUser(name: name, role: .guest, context: owner)
        let draft = APIKeyDraft(name: name, scopes: Set(Permission.allCases), owner: user.id)
        let key = try await service.createKey(draft, context: owner)
        _ = try await service.createGrant(
            GrantDraft(subject: .user(user.id), bundle: .role(.admin), resource: resource),
            checking: AnyPlace(),
            context: owner
        )
        return (user.id, try await fixture.authenticate(key.text))
    }

    @Test("AUTHZ-07: give and take in their own place, and nowhere else", arguments: DatabaseKind.allCases)
    func grants(_ kind: DatabaseKind) async throws {
        try await withAccess(kind) { fixture in
            let (service, owner, base, table) = (
                fixture.service, try await fixture.owner(), BaseID.random(), TableID.random()
            )
            let keeper = try await Self.admin(of: .base(base), "keeper", fixture)
            let friend = try await service.createUser(name: "friend", role: .guest, context: owner)
            func create(_ draft: GrantDraft, by context: RequestContext? = nil) async throws -> Grant {
                try await service.createGrant(draft, checking: AnyPlace(), context: context ?? keeper.context).value
            }
            let theirs = try await create(
                GrantDraft(subject: .user(friend.id), bundle: .role(.admin), resource: .table(table, base))
            )
            // A field that they keep from everybody is kept from them, and the grant is still theirs to see.
            let field = try await create(
                GrantDraft(
                    subject: .everybody,
                    effect: .deny,
                    bundle: .permissions([.recordsRead]),
                    resource: .field(.random(), table, base)
                )
            )
            let elsewhere = try await create(
                GrantDraft(subject: .everybody, bundle: .role(.viewer), resource: .base(.random())),
                by: owner
            )
            let listed = try await service.grants(limit: 9, context: keeper.context).map(\.id)
            #expect(listed.count == 3 && listed.contains(theirs.id) && listed.contains(field.id))
            #expect(try await service.grants(limit: 9, context: owner).count == 4)
            #expect(try await service.grant(theirs.id, context: keeper.context).resource == .table(table, base))
            await expectRefusal(.notFound) { _ = try await service.grant(elsewhere.id, context: keeper.context) }
            await expectRefusal(.notFound) { _ = try await service.deleteGrant(elsewhere.id, context: keeper.context) }
            for resource in [Resource.tenant, .workspace(fixture.first.workspace)] {
                await expectRefusal(.forbidden) {
                    _ = try await create(
                        GrantDraft(subject: .user(keeper.user), bundle: .role(.viewer), resource: resource)
                    )
                }
            }
            let other = GrantDraft(subject: .everybody, bundle: .role(.viewer), resource: .base(.random()))
            await expectRefusal(.notFound) { _ = try await create(other) }
            // The first allowance of a key limits it everywhere: they limit their own, and no other's.
            let foreign = GrantDraft(
                subject: .key(fixture.firstKey.key.id),
                bundle: .role(.viewer),
                resource: .base(base)
            )
            await expectRefusal(.notFound) { _ = try await create(foreign) }
            let own = try #require(keeper.context.principal.key)
            let narrowed = try await create(
                GrantDraft(subject: .key(own), bundle: .role(.admin), resource: .base(base))
            )
            #expect(narrowed.subject == .key(own))
            _ = try await service.deleteGrant(theirs.id, context: keeper.context)
            // Nothing of the tenant's is theirs.
            await expectRefusal(.forbidden) { _ = try await service.users(context: keeper.context) }
            await expectRefusal(.forbidden) { _ = try await service.groups(context: keeper.context) }
            await expectRefusal(.forbidden) { try await service.deleteUser(friend.id, context: keeper.context) }
            await expectRefusal(.forbidden) {
                _ = try await service.createUser(name: "x", role: .guest, context: keeper.context)
            }
            await expectRefusal(.forbidden) {
                try await service.renameWorkspace(fixture.first.workspace, to: "x", context: keeper.context)
            }
        }
    }

    @Test("AUTHZ-07: who manages nothing is told so, and a key needs the scope", arguments: DatabaseKind.allCases)
    func refused(_ kind: DatabaseKind) async throws {
        try await withAccess(kind) { fixture in
            let (service, owner, base) = (fixture.service, try await fixture.owner(), BaseID.random())
            let keeper = try await Self.admin(of: .base(base), "keeper", fixture)
            let draft = APIKeyDraft(
                name: "narrow",
                scopes: [.recordsRead, .schemaRead, .basesRead],
                owner: keeper.user
            )
            let narrow = try await fixture.authenticate(try await service.createKey(draft, context: owner).text)
            let editor = try await service.createUser(name: "edda", role: .editor, context: owner)
            for context in [narrow, fixture.signedIn(editor)] {
                await expectRefusal(.forbidden) { _ = try await service.grants(limit: 1, context: context) }
                await expectRefusal(.forbidden) { _ = try await service.grant(.random(), context: context) }
                await expectRefusal(.forbidden) { _ = try await service.deleteGrant(.random(), context: context) }
                await expectRefusal(.forbidden) {
                    _ = try await service.members(of: fixture.first.workspace, context: context)
                }
            }
            let system = try await service.systemContext(
                tenant: fixture.first.tenant,
                timeout: .seconds(9),
                logger: fixture.logger
            )
            await expectRefusal(.forbidden) { _ = try await service.grants(limit: 1, context: system) }
        }
    }

    @Test("members of a workspace have one role in it, given by who has it there", arguments: DatabaseKind.allCases)
    func members(_ kind: DatabaseKind) async throws {
        try await withAccess(kind) { fixture in
            let (service, owner) = (fixture.service, try await fixture.owner())
            let workspace = fixture.first.workspace
            let second = try await service.createWorkspace(name: "Second", context: owner)
            let keeper = try await Self.admin(of: .workspace(second.id), "keeper", fixture)
            let friend = try await service.createUser(name: "friend", role: .guest, context: owner).id
            for role in [Role.viewer, .editor, .editor] {
                let set = try await service.setMember(friend, role: role, of: second.id, context: keeper.context)
                let members = try await service.members(of: second.id, context: keeper.context)
                #expect(members.contains(set.value) && members.count == 2)
                #expect(set.value == AccessService.WorkspaceMember(user: friend, role: role))
            }
            #expect(try await service.members(of: workspace, context: owner).isEmpty)
            await expectRefusal(.notFound) { _ = try await service.members(of: workspace, context: keeper.context) }
            await expectRefusal(.notFound) { _ = try await service.members(of: .random(), context: owner) }
            await expectRefusal(.notFound) {
                _ = try await service.setMember(.random(), role: .viewer, of: second.id, context: keeper.context)
            }
            await expectRefusal(.invalid) {
                _ = try await service.setMember(friend, role: .owner, of: second.id, context: keeper.context)
            }
            let stranger = try await fixture.secondTenant()
            await expectRefusal(.notFound) {
                _ = try await service.removeMember(friend, of: second.id, context: stranger)
            }
            _ = try await service.removeMember(friend, of: second.id, context: keeper.context)
            await expectRefusal(.notFound) {
                _ = try await service.removeMember(friend, of: second.id, context: keeper.context)
            }
            #expect(try await service.members(of: second.id, context: keeper.context).map(\.user) == [keeper.user])
            // At the limit one role still takes the place of another.
            let store = AccessStore(database: fixture.database)
            let grant = Grant(
                id: .random(),
                subject: .user(keeper.user),
                effect: .allow,
                bundle: .role(.viewer),
                resource: .workspace(second.id),
                createdBy: keeper.user,
                createdTime: fixture.clock.instant
            )
            let time = fixture.clock.instant
            let audit: @Sendable (AuditAction, GrantID) -> AuditEvent = { action, _ in AuditEvent(action, at: time) }
            let tenant = fixture.first.tenant
            let full = try await store.setMember(
                friend,
                of: second.id,
                to: Grant(
                    id: .random(),
                    subject: .user(friend),
                    effect: .allow,
                    bundle: .role(.viewer),
                    resource: .workspace(second.id),
                    createdBy: keeper.user,
                    createdTime: time
                ),
                tenant: tenant,
                limit: 1,
                audit: audit
            )
            #expect(full == .limitReached)
            let replaced = try await store.setMember(
                keeper.user,
                of: second.id,
                to: grant,
                tenant: tenant,
                limit: 1,
                audit: audit
            )
            guard case .done = replaced else {
                Issue.record("\(replaced)")
                return
            }
            #expect(try await service.members(of: second.id, context: owner).map(\.role) == [.viewer])
        }
    }
}
