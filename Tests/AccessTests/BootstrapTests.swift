import Access
import Domain
import Logging
import TestSupport
import Testing

@Suite("First start")
struct BootstrapTests {
    @Test("makes a tenant, a workspace, an owner and a key with every permission", arguments: DatabaseKind.allCases)
    func first(_ kind: DatabaseKind) async throws {
        try await withAccess(kind) { fixture in
            let text = fixture.firstKey.text
            let context = try await fixture.authenticate(text)
            #expect(context.tenant == fixture.first.tenant)
            #expect(context.principal.user == fixture.first.owner)
            #expect(context.principal.permissions == Set(Permission.allCases))
            #expect(context.origin == .http)
            #expect(context.id == "request-1")

            let owner = try await fixture.owner()
            #expect(try await fixture.service.workspaces(context: owner).map(\.id) == [fixture.first.workspace])
            let users = try await fixture.service.users(context: owner)
            #expect(users.map(\.id) == [fixture.first.owner])
            #expect(users.map(\.role) == [.owner])
            let keys = try await fixture.service.keys(context: owner)
            #expect(keys.count == 1)
            #expect(keys[0].scopes == Set(Permission.allCases))
            #expect(keys[0].expires == nil)
            #expect(text.hasSuffix(keys[0].lastFour))
        }
    }

    @Test("shows the key at the first start only", arguments: DatabaseKind.allCases)
    func second(_ kind: DatabaseKind) async throws {
        try await withAccess(kind) { fixture in
            let again = try await fixture.service.bootstrap()
            #expect(try await fixture.service.issueFirstKey(again) == nil)
            #expect(try await fixture.service.issueFirstKey(fixture.first) == nil)
            #expect(again.firstKeyTime == fixture.clock.instant)
            #expect(again.tenant == fixture.first.tenant)
            #expect(again.workspace == fixture.first.workspace)
            #expect(again.owner == fixture.first.owner)
            #expect(!"\(fixture.firstKey)".contains(fixture.firstKey.text))
        }
    }

    @Test("happens once when many start at the same moment", arguments: DatabaseKind.allCases)
    func race(_ kind: DatabaseKind) async throws {
        try await withDatabase(kind, migrations: AccessStore.migrations) { database in
            let results = try await withThrowingTaskGroup(of: (Bootstrap, IssuedKey?).self) { group in
                for _ in 0..<16 {
                    group.addTask {
                        let service = AccessService(database: database)
                        let first = try await service.bootstrap()
                        return (first, try await service.issueFirstKey(first))
                    }
                }
                return try await group.reduce(into: []) { $0.append($1) }
            }
            #expect(results.filter { $0.1 != nil }.count == 1)
            #expect(Set(results.map(\.0.tenant)).count == 1)
            #expect(Set(results.map(\.0.owner)).count == 1)
            let service = AccessService(database: database)
            let owner = try await service.ownerContext(
                origin: .commandLine,
                timeout: .seconds(60),
                logger: Logger(label: "test")
            )
            #expect(try await service.users(context: owner).count == 1)
            #expect(try await service.keys(context: owner).count == 1)
            #expect(try await service.workspaces(context: owner).count == 1)
        }
    }

    @Test("must come before the owner can act", arguments: DatabaseKind.allCases)
    func before(_ kind: DatabaseKind) async throws {
        try await withDatabase(kind, migrations: AccessStore.migrations) { database in
            let service = AccessService(database: database)
            await expectRefusal(.notBootstrapped) {
                _ = try await service.ownerContext(
                    origin: .mcpStdio,
                    timeout: .seconds(60),
                    logger: Logger(label: "test")
                )
            }
        }
    }
}
