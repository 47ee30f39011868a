import Database
import Domain
import Foundation
import TestSupport
import Testing

@testable import Access

/// Every method of both stores, on both databases, and each for the right tenant only.
@Suite("Stores of identity and credentials")
struct StoreTests {
    private static let time = Instant(milliseconds: 1_000)

    private func withStore(
        _ kind: DatabaseKind,
        _ body: @escaping @Sendable (AccessStore, CredentialStore, AccessFixture, TenantID) async throws -> Void
    ) async throws {
        try await withAccess(kind) { fixture in
            let other = try await fixture.secondTenant().tenant
            try await body(
                AccessStore(database: fixture.database),
                CredentialStore(database: fixture.database),
                fixture,
                other
            )
        }
    }

    @Test("the first start is marked once", arguments: DatabaseKind.allCases)
    func bootstrap(_ kind: DatabaseKind) async throws {
        try await withDatabase(kind, migrations: AccessStore.migrations) { database in
            let store = AccessStore(database: database)
            #expect(try await store.bootstrapped() == nil)
            let owner = User(id: .random(), name: "o", role: .owner, isDisabled: false, createdTime: Self.time)
            let tenant = Tenant(id: .random(), name: "t", owner: owner.id, createdTime: Self.time)
            let workspace = Workspace(id: .random(), name: "w", createdTime: Self.time)
            for isFirst in [true, false] {
                let isMade = try await store.bootstrap(
                    tenant: tenant,
                    workspace: workspace,
                    owner: owner
                )
                #expect(isMade == isFirst)
            }
            let key = APIKey.sample(owner: owner.id, at: Self.time)
            #expect(try await store.bootstrapped()?.firstKeyTime == nil)
            #expect(try await store.issueFirst(key, digest: [1, 2, 3], tenant: .random()) == false)
            #expect(try await store.issueFirst(key, digest: [1, 2, 3], tenant: tenant.id))
            #expect(try await store.issueFirst(key, digest: [1, 2, 3], tenant: tenant.id) == false)
            #expect(try await store.bootstrapped()?.firstKeyTime == Self.time)
            let made = try #require(try await store.bootstrapped())
            #expect(made.tenant == tenant.id)
            #expect(made.workspace == workspace.id)
            #expect(made.owner == owner.id)
            #expect(try await store.tenant(tenant.id) == tenant)
            #expect(try await store.tenant(.random()) == nil)
            #expect(try await store.workspaces(tenant: tenant.id) == [workspace])
            #expect(try await store.workspaces(tenant: .random()).isEmpty)
        }
    }

    @Test("AUTHZ-10: users belong to their tenant", arguments: DatabaseKind.allCases)
    func users(_ kind: DatabaseKind) async throws {
        try await withStore(kind) { store, _, fixture, other in
            let tenant = fixture.first.tenant
            let user = User(id: .random(), name: "ada", role: .owner, isDisabled: false, createdTime: Self.time)
            let insertion = try await store.insert(user, tenant: tenant, limit: 2)
            #expect(insertion == .inserted)
            let sameName = User(id: .random(), name: "ada", role: .owner, isDisabled: false, createdTime: Self.time)
            #expect(try await store.insert(sameName, tenant: tenant, limit: 9) == .nameTaken)
            #expect(try await store.insert(sameName, tenant: tenant, limit: 2) == .limitReached)
            #expect(try await store.insert(sameName, tenant: other, limit: 9) == .inserted)

            #expect(try await store.user(user.id, tenant: tenant) == user)
            #expect(try await store.setEmail("a@b.c", user: user.id, tenant: other) == .userMissing)
            #expect(try await store.setEmail("a@b.c", user: user.id, tenant: tenant) == .changed)
            #expect(try await store.user(user.id, tenant: tenant)?.email == "a@b.c")
            #expect(try await store.setEmail("a@b.c", user: fixture.first.owner, tenant: tenant) == .taken)
            #expect(try await store.setEmail("a@b.c", user: sameName.id, tenant: other) == .changed)
            #expect(try await store.setEmail(nil, user: user.id, tenant: tenant) == .changed)
            #expect(try await store.user(user.id, tenant: tenant) == user)
            #expect(try await store.user(user.id, tenant: other) == nil)
            #expect(try await store.setDisabled(true, user: user.id, tenant: other) == false)
            #expect(try await store.user(user.id, tenant: tenant)?.isDisabled == false)
            #expect(try await store.setDisabled(true, user: user.id, tenant: tenant))
            #expect(try await store.user(user.id, tenant: tenant)?.isDisabled == true)
            #expect(try await store.users(tenant: tenant).map(\.id) == [user.id, fixture.first.owner])
            #expect(try await store.users(tenant: other).contains { $0.id == user.id } == false)
        }
    }

    @Test("AUTHZ-10: keys belong to their tenant", arguments: DatabaseKind.allCases)
    func keys(_ kind: DatabaseKind) async throws {
        try await withStore(kind) { store, _, fixture, other in
            let tenant = fixture.first.tenant
            let key = APIKey.sample(owner: fixture.first.owner, scopes: [], at: Self.time)
            let digest = [UInt8](0..<32)
            #expect(try await store.insert(key, digest: digest, tenant: tenant, limit: 1) == .limitReached)
            #expect(try await store.insert(key, digest: digest, tenant: other, limit: 9) == .ownerMissing)
            #expect(try await store.insert(key, digest: digest, tenant: tenant, limit: 2) == .inserted)

            let stored = try #require(try await store.key(key.id))
            #expect(stored.key == key)
            #expect(stored.tenant == tenant)
            #expect(stored.digest == digest)
            #expect(!stored.facts.isOwnerDisabled)
            #expect(try await store.key(.random()) == nil)
            #expect(try await store.keys(tenant: tenant).first == key)
            #expect(try await store.keys(tenant: other).contains(key) == false)

            #expect(try await store.deleteKey(key.id, tenant: other) == false)
            #expect(try await store.deleteKey(key.id, tenant: tenant))
            #expect(try await store.key(key.id) == nil)
        }
    }

    @Test("last use never goes back, and a deleted key is skipped", arguments: DatabaseKind.allCases)
    func recordUse(_ kind: DatabaseKind) async throws {
        try await withStore(kind) { store, _, fixture, other in
            let tenant = fixture.first.tenant
            let key = APIKey.sample(owner: fixture.first.owner, at: Self.time)
            #expect(try await store.insert(key, digest: [], tenant: tenant, limit: 9) == .inserted)
            try await store.recordUse([(key.id, other, Instant(milliseconds: 9))])
            #expect(try await store.key(key.id)?.key.lastUsedTime == nil)
            try await store.recordUse([
                (key.id, tenant, Instant(milliseconds: 5)), (.random(), tenant, Instant(milliseconds: 5)),
                (key.id, tenant, Instant(milliseconds: 3)),
            ])
            #expect(try await store.key(key.id)?.key.lastUsedTime == Instant(milliseconds: 5))
        }
    }

    @Test("AUTHZ-10: credentials and data keys belong to their tenant", arguments: DatabaseKind.allCases)
    func credentials(_ kind: DatabaseKind) async throws {
        try await withStore(kind) { _, store, fixture, other in
            let tenant = fixture.first.tenant
            let purpose = try #require(CredentialPurpose(rawValue: "airtable.token"))
            #expect(try await store.newestDataKey(tenant: tenant) == nil)
            let first = CredentialStore.DataKey(tenant: tenant, number: 1, master: "m", wrapped: [1])
            let late = CredentialStore.DataKey(tenant: tenant, number: 1, master: "n", wrapped: [2])
            let second = CredentialStore.DataKey(tenant: tenant, number: 2, master: "m", wrapped: [3])
            try await store.insert(first, time: Self.time)
            try await store.insert(late, time: Self.time)
            #expect(try await store.newestDataKey(tenant: tenant) == first)
            try await store.insert(second, time: Self.time)
            #expect(try await store.newestDataKey(tenant: tenant) == second)
            #expect(try await store.newestDataKey(tenant: other) == nil)
            #expect(try await store.dataKey(1, tenant: tenant) == first)
            #expect(try await store.dataKey(3, tenant: tenant) == nil)
            #expect(try await store.dataKey(1, tenant: other) == nil)

            #expect(try await store.credential(purpose, tenant: tenant) == nil)
            for dataKey: Int64 in [1, 2] {
                try await store.put([9], dataKey: dataKey, purpose: purpose, tenant: tenant, time: Self.time)
                #expect(try await store.credential(purpose, tenant: tenant)?.dataKey.number == dataKey)
            }
            #expect(try await store.credential(purpose, tenant: tenant)?.sealed == [9])
            #expect(try await store.credential(purpose, tenant: other) == nil)
            #expect(try await store.purposes(tenant: tenant).map(\.purpose) == [purpose])
            #expect(try await store.purposes(tenant: other).isEmpty)

            let changed = try await store.rewrapDataKeys { dataKey in
                guard dataKey.number == 1 else { return nil }
                return CredentialStore.DataKey(tenant: dataKey.tenant, number: 1, master: "next", wrapped: [7])
            }
            #expect(changed == 1)
            #expect(try await store.newestDataKey(tenant: tenant) == second)

            #expect(try await store.delete(purpose, tenant: other) == false)
            #expect(try await store.delete(purpose, tenant: tenant))
            #expect(try await store.delete(purpose, tenant: tenant) == false)
        }
    }

    @Test("each of their methods is called above")
    func enumerated() throws {
        let tests = try String(contentsOf: URL(fileURLWithPath: #filePath), encoding: .utf8)
        let sources = repositoryRoot.appendingPathComponent("Sources/Access")
        let files = [
            "Storage/AccessStore.swift", "Storage/AccessStore+Users.swift", "Storage/AccessStore+Keys.swift",
            "Vault/CredentialStore.swift",
        ]
        var methods = 0
        for file in files {
            let text = try String(contentsOf: sources.appendingPathComponent(file), encoding: .utf8)
            for match in text.matches(of: /(?:package|public) func ([A-Za-z]+)/) {
                methods += 1
                let isCalled = tests.contains("store.\(match.1)(") || tests.contains("store.\(match.1) {")
                #expect(isCalled, "\(match.1) of \(file) is called in no test")
            }
        }
        #expect(methods >= 20)
    }
}
