import Database
import Domain
import TestSupport
import Testing

@testable import Access

@Suite("Tenants and workspaces")
struct TenantTests {
    @Test(
        "a suspended tenant lets nobody in, at once, and another process within a second",
        arguments: DatabaseKind.allCases
    )
    func suspended(_ kind: DatabaseKind) async throws {
        try await withAccess(kind) { fixture in
            let (service, owner) = (fixture.service, try await fixture.owner())
            let made = try await service.createTenant(name: "t", ownerName: "o", context: owner)
            let other = fixture.otherProcess()
            let open = try await fixture.authenticate(made.key.text)
            _ = try await fixture.authenticate(made.key.text, by: other)
            try await service.changeTenant(made.tenant.id, isSuspended: true, context: owner)
            await expectRefusal(.unauthenticated) { _ = try await fixture.authenticate(made.key.text) }
            await expectRefusal(.unauthenticated) { _ = try await service.renewed(open, timeout: .seconds(9)) }
            fixture.clock.advance(.milliseconds(501))
            await expectRefusal(.unauthenticated) { _ = try await fixture.authenticate(made.key.text, by: other) }
            #expect(try await service.activeTenants() == [fixture.first.tenant])
            // Nobody else's door is closed.
            _ = try await fixture.authenticate(fixture.firstKey.text)
            try await service.changeTenant(made.tenant.id, isSuspended: false, context: owner)
            _ = try await fixture.authenticate(made.key.text)
            #expect(Set(try await service.activeTenants()) == [fixture.first.tenant, made.tenant.id])
        }
    }

    @Test(
        "an operator is who was made one at the machine, and their keys when they are whole",
        arguments: DatabaseKind.allCases
    )
    func operators(_ kind: DatabaseKind) async throws {
        try await withAccess(kind) { fixture in
            let (service, owner) = (fixture.service, try await fixture.owner())
            let second = try await service.createUser(name: "second", role: .owner, context: owner)
            let byKey = try await fixture.authenticate(fixture.firstKey.text)
            try await service.requireOperator(context: byKey)
            await expectRefusal(.forbidden) { try await service.requireOperator(context: fixture.signedIn(second)) }
            await expectRefusal(.forbidden) { try await service.setOperator(second.id, true, context: byKey) }
            await expectRefusal(.notFound) { try await service.setOperator(.random(), true, context: owner) }
            try await service.setOperator(second.id, true, context: owner)
            try await service.requireOperator(context: fixture.signedIn(second))
            // Also a key that only reads something is a key of an operator, and does not do.
            for draft in [
                APIKeyDraft(name: "k", scopes: [.membersManage]),
                APIKeyDraft(name: "k", scopes: [.admin], tables: [.random(): [.random()]]),
            ] {
                let key = try await fixture.authenticate(try await service.createKey(draft, context: owner).text)
                await expectRefusal(.forbidden) { try await service.requireOperator(context: key) }
            }
            try await service.changeUser(second.id, UserChange(isDisabled: true), context: owner)
            await expectRefusal(.forbidden) { try await service.requireOperator(context: fixture.signedIn(second)) }
        }
    }

    @Test("limits of a tenant hold for its users, keys and workspaces", arguments: DatabaseKind.allCases)
    func limits(_ kind: DatabaseKind) async throws {
        try await withAccess(kind) { fixture in
            let (service, owner) = (fixture.service, try await fixture.owner())
            let made = try await service.createTenant(name: "t", ownerName: "o", context: owner)
            let theirs = try await fixture.authenticate(made.key.text)
            let limits = TenantLimits(users: 2, keys: 2, workspaces: 2)
            try await service.changeTenant(made.tenant.id, limits: limits, context: owner)
            #expect(try await service.ownTenant(context: theirs).limits == limits)
            _ = try await service.createUser(name: "a", role: .viewer, context: theirs)
            _ = try await service.createKey(APIKeyDraft(name: "a", scopes: [.search]), context: theirs)
            _ = try await service.createWorkspace(name: "a", context: theirs)
            await expectRefusal(.limitReached) {
                _ = try await service.createUser(name: "b", role: .viewer, context: theirs)
            }
            await expectRefusal(.limitReached) {
                _ = try await service.createKey(APIKeyDraft(name: "b", scopes: [.search]), context: theirs)
            }
            await expectRefusal(.limitReached) { _ = try await service.createWorkspace(name: "b", context: theirs) }
            _ = try await service.createUser(name: "b", role: .viewer, context: owner)
        }
    }

    @Test(
        "what is being erased is never let in again, and its row goes when nothing else is left",
        arguments: DatabaseKind.allCases
    )
    func erasing(_ kind: DatabaseKind) async throws {
        try await withAccess(kind) { fixture in
            let (service, owner) = (fixture.service, try await fixture.owner())
            let made = try await service.createTenant(name: "secret name", ownerName: "o", context: owner)
            await expectRefusal(.invalid) { try await service.eraseTenant(fixture.first.tenant, context: owner) }
            await expectRefusal(.notFound) { try await service.eraseTenant(.random(), context: owner) }
            try await service.eraseTenant(made.tenant.id, context: owner)
            await expectRefusal(.unauthenticated) { _ = try await fixture.authenticate(made.key.text) }
            await expectRefusal(.invalid) {
                try await service.changeTenant(made.tenant.id, isSuspended: false, context: owner)
            }
            #expect(try await service.erasingTenants().map(\.id) == [made.tenant.id])
            #expect(try await service.erasingTenants().first?.tenant.name == "erased")
        }
    }

    @Test("makers of tenants, workspaces and operators need to be allowed", arguments: DatabaseKind.allCases)
    func forbidden(_ kind: DatabaseKind) async throws {
        try await withAccess(kind) { fixture in
            let service = fixture.service
            let stranger = try await fixture.secondTenant()
            let editor = fixture.signedIn(
                try await service.createUser(name: "e", role: .editor, context: try await fixture.owner())
            )
            let tenant = fixture.first.tenant
            let workspace = fixture.first.workspace
            for context in [stranger, editor] {
                let calls: [@Sendable () async throws -> Void] = [
                    { _ = try await service.tenants(context: context) },
                    { _ = try await service.createTenant(name: "x", ownerName: "y", context: context) },
                    { try await service.changeTenant(tenant, isSuspended: true, context: context) },
                    { try await service.eraseTenant(tenant, context: context) },
                    { try await service.setOperator(context.principal.user, true, context: context) },
                ]
                for call in calls { await expectRefusal(.forbidden) { try await call() } }
            }
            await expectRefusal(.forbidden) { _ = try await service.createWorkspace(name: "x", context: editor) }
            await expectRefusal(.forbidden) {
                try await service.renameWorkspace(workspace, to: "x", context: editor)
            }
            await expectRefusal(.forbidden) { try await service.renameTenant("x", context: editor) }
            await expectRefusal(.notFound) {
                try await service.renameWorkspace(workspace, to: "x", context: stranger)
            }
        }
    }
}
