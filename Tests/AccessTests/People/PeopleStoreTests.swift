import Database
import Domain
import Foundation
import TestSupport
import Testing

@testable import Access

/// Every method of the stores of people, on both databases, and each for the right tenant only.
@Suite("Stores of people")
struct PeopleStoreTests {
    private static let time = Instant(milliseconds: 1_000)

    private func withStore(
        _ kind: DatabaseKind,
        _ body: @escaping @Sendable (AccessStore, AccessFixture, TenantID) async throws -> Void
    ) async throws {
        try await withAccess(kind) { fixture in
            let other = try await fixture.secondTenant().tenant
            try await body(AccessStore(database: fixture.database), fixture, other)
        }
    }

    @Test("keys are changed for their tenant, and only as they were seen", arguments: DatabaseKind.allCases)
    func keys(_ kind: DatabaseKind) async throws {
        try await withStore(kind) { store, fixture, other in
            let tenant = fixture.first.tenant
            let key = APIKey.sample(owner: fixture.first.owner, at: Self.time)
            #expect(try await store.insert(key, digest: [1], tenant: tenant, limit: 9) == .inserted)
            #expect(try await store.key(key.id, tenant: other) == nil)
            #expect(try await store.key(key.id, tenant: tenant) == key)
            var changed = key
            changed.tables = [.random(): [.random(), .random()], .random(): [.random()]]
            changed.addresses = AddressList(["10.0.0.0/8", "::1"])
            changed.isDisabled = true
            #expect(try await store.change(key, to: changed, tenant: other) == false)
            try await store.recordUse([(key.id, tenant, Self.time)])
            #expect(try await store.change(key, to: changed, tenant: tenant))
            changed.lastUsedTime = Self.time
            #expect(try await store.key(key.id, tenant: tenant) == changed)
            // Somebody else was faster.
            #expect(try await store.change(key, to: key, tenant: tenant) == false)

            let (owner, text) = (fixture.first.owner, "9999")
            #expect(
                try await store.replaceSecret(
                    of: key.id,
                    digest: [2],
                    lastFour: text,
                    owner: owner,
                    tenant: other,
                    at: Self.time
                )
                    == false
            )
            #expect(
                try await store.replaceSecret(
                    of: key.id,
                    digest: [2],
                    lastFour: text,
                    owner: .random(),
                    tenant: tenant,
                    at: Self.time
                )
                    == false
            )
            #expect(try await store.key(key.id)?.digest == [1])
            #expect(
                try await store.replaceSecret(
                    of: key.id,
                    digest: [2],
                    lastFour: text,
                    owner: owner,
                    tenant: tenant,
                    at: Self.time
                )
            )
            #expect(try await store.key(key.id)?.digest == [2])
        }
    }

    @Test("users are changed and deleted in their tenant, and only as they were seen", arguments: DatabaseKind.allCases)
    func users(_ kind: DatabaseKind) async throws {
        try await withStore(kind) { store, fixture, other in
            let tenant = fixture.first.tenant
            let user = User(id: .random(), name: "ada", role: .owner, isDisabled: false, createdTime: Self.time)
            #expect(try await store.insert(user, tenant: tenant, limit: 9) == .inserted)
            var changed = user
            changed.name = "Ada"
            #expect(try await store.change(user, to: changed, tenant: other) == .userMissing)
            #expect(try await store.change(user, to: changed, tenant: tenant) == .changed(changed))
            #expect(try await store.change(user, to: user, tenant: tenant) == .userMissing)
            let page = try await store.users(UserFilter(), after: nil, limit: 9, tenant: tenant)
            #expect(page?.map(\.id) == [user.id, fixture.first.owner])
            #expect(try await store.users(UserFilter(), after: user.id, limit: 9, tenant: tenant)?.count == 1)
            #expect(try await store.users(UserFilter(), after: user.id, limit: 9, tenant: other) == nil)

            #expect(try await store.giveTenant(to: user.id, tenant: other) == false)
            #expect(try await store.giveTenant(to: user.id, tenant: tenant))
            #expect(try await store.delete(changed, at: Self.time, tenant: tenant) == .isTenantOwner)
            #expect(try await store.giveTenant(to: fixture.first.owner, tenant: tenant))
            #expect(try await store.delete(changed, at: Self.time, tenant: other) == .userMissing)
            #expect(try await store.delete(user, at: Self.time, tenant: tenant) == .userMissing)
            #expect(try await store.delete(changed, at: Self.time, tenant: tenant) == .changed(changed))
            #expect(try await store.formerUsers(tenant: tenant).map(\.name) == ["Ada"])
            #expect(try await store.formerUsers(tenant: other).isEmpty)
            #expect(try await store.eraseName(of: user.id, tenant: other) == false)
            #expect(try await store.formerUsers(tenant: tenant).map(\.name) == ["Ada"])
            #expect(try await store.eraseName(of: user.id, tenant: tenant))
            #expect(try await store.formerUsers(tenant: tenant).map(\.name) == ["erased"])
        }
    }

    @Test("tenants are made, changed as they were seen, and erased to their last row", arguments: DatabaseKind.allCases)
    func tenants(_ kind: DatabaseKind) async throws {
        try await withStore(kind) { store, fixture, other in
            let owner = User(id: .random(), name: "o", role: .owner, isDisabled: false, createdTime: Self.time)
            let tenant = Tenant(id: .random(), name: "t", owner: owner.id, createdTime: Self.time)
            let workspace = Workspace(id: .random(), name: "w", createdTime: Self.time)
            #expect(try await store.insert(tenant, workspace: workspace, owner: owner, limit: 2) == false)
            #expect(try await store.insert(tenant, workspace: workspace, owner: owner, limit: 3))
            let record = try #require(try await store.record(of: tenant.id))
            #expect(record.tenant == tenant)
            #expect(!record.isFirst)
            #expect(try await store.record(of: fixture.first.tenant)?.isFirst == true)
            #expect(try await store.tenants().map(\.id).contains(tenant.id))
            #expect(try await store.tenants(in: .suspended).isEmpty)

            #expect(try await store.isOperator(fixture.first.owner, tenant: fixture.first.tenant))
            #expect(try await store.isOperator(owner.id, tenant: tenant.id) == false)
            #expect(try await store.setOperator(true, user: owner.id, tenant: other) == false)
            #expect(try await store.setOperator(true, user: owner.id, tenant: tenant.id))
            #expect(try await store.isOperator(owner.id, tenant: tenant.id))
            #expect(try await store.isOperator(owner.id, tenant: other) == false)

            let second = Workspace(id: .random(), name: "v", createdTime: Self.time)
            #expect(try await store.insert(second, tenant: tenant.id, limit: 1) == false)
            #expect(try await store.insert(second, tenant: tenant.id, limit: 2))
            #expect(try await store.rename(second.id, to: "u", tenant: other) == false)
            #expect(try await store.rename(second.id, to: "u", tenant: tenant.id))
            #expect(try await store.workspaces(tenant: tenant.id).map(\.name).sorted() == ["u", "w"])

            // Nothing is erased of a tenant that lives.
            let users = TenantRows("access_users", key: "tenant", "id")
            #expect(try await store.erase(users, limit: 9, tenant: tenant.id) == nil)
            #expect(try await store.finishErasure(of: tenant.id, rows: [users], at: Self.time))
            #expect(try await store.users(tenant: tenant.id).count == 1)
            var erasing = record
            erasing.state = .erasing
            erasing.stateTime = Self.time
            #expect(try await store.change(erasing, to: erasing) == false)
            #expect(try await store.change(record, to: erasing))
            #expect(try await store.tenants(in: .erasing) == [erasing])
            #expect(try await store.finishErasure(of: tenant.id, rows: AccessStore.tenantRows, at: Self.time) == false)
            for rows in AccessStore.tenantRows {
                while try await store.erase(rows, limit: 1, tenant: tenant.id) == 1 {}
            }
            #expect(try await store.finishErasure(of: tenant.id, rows: AccessStore.tenantRows, at: Self.time))
            #expect(try await store.record(of: tenant.id) == nil)
            #expect(try await store.users(tenant: other).count == 1)
            #expect(try await store.users(tenant: fixture.first.tenant).count == 1)
        }
    }

    @Test("each of their methods is called above")
    func enumerated() throws {
        let tests = try String(contentsOf: URL(fileURLWithPath: #filePath), encoding: .utf8)
        let sources = repositoryRoot.appendingPathComponent("Sources/Access")
        var methods = 0
        let files = [
            "Storage/AccessStore+KeyChanges.swift", "People/AccessStore+UserChanges.swift",
            "Tenants/AccessStore+ManagedTenants.swift", "Tenants/AccessStore+Erasure.swift",
        ]
        for file in files {
            let text = try String(contentsOf: sources.appendingPathComponent(file), encoding: .utf8)
            for match in text.matches(of: /(?:package|public) func ([A-Za-z]+)/) {
                methods += 1
                #expect(tests.contains("store.\(match.1)("), "\(match.1) of \(file) is called in no test")
            }
        }
        #expect(methods >= 16)
    }
}
