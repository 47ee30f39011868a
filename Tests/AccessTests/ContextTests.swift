import Access
import Database
import Domain
import Logging
import TestSupport
import Testing

@Suite("Request contexts")
struct ContextTests {
    @Test("the command line acts as the owner", arguments: DatabaseKind.allCases)
    func owner(_ kind: DatabaseKind) async throws {
        try await withAccess(kind) { fixture in
            let context = try await fixture.service.ownerContext(
                origin: .mcpStdio,
                timeout: .seconds(5),
                logger: fixture.logger
            )
            #expect(context.principal.user == fixture.first.owner)
            #expect(context.principal.key == nil)
            #expect(context.principal.permissions == Set(Permission.allCases))
            #expect(context.origin == .mcpStdio)
            #expect(context.tenant == fixture.first.tenant)
            #expect(context.deadline > .now)
            #expect(context.deadline <= .now + .seconds(5))
            #expect(context.logger[metadataKey: "request_id"] == .string(context.id))
            #expect(context.logger[metadataKey: "tenant"] == .string(context.tenant.description))
            #expect(context.logger[metadataKey: "origin"] == "mcpStdio")
        }
    }

    @Test("asks at most twice a second who the owner is, and hears of a change made here at once")
    func ownerKept() async throws {
        try await withDatabase(.sqlite, migrations: AccessStore.migrations) { database in
            let counted = CountingDatabase(database)
            let clock = ManualClock()
            let service = AccessService(database: counted, now: clock.now, tick: clock.tick)
            let first = try await service.bootstrap()
            let logger = Logger(label: "test", factory: { _ in SilentLogHandler() })
            func owner() async throws -> RequestContext {
                try await service.ownerContext(origin: .mcpStdio, timeout: .seconds(5), logger: logger)
            }
            let ids = [try await owner().id, try await owner().id]
            #expect(ids[0] != ids[1])
            let before = counted.counts
            for _ in 0..<100 {
                let user = try await owner().principal.user
                #expect(user == first.owner)
            }
            #expect(counted.counts == before)
            clock.advance(.milliseconds(501))
            _ = try await owner()
            #expect(counted.counts.reads == before.reads + 2)
            let other = try await service.createUser(name: "another", role: .viewer, context: owner())
            try await service.setUser(other.id, isDisabled: true, context: owner())
            let after = counted.counts.reads
            _ = try await owner()
            #expect(counted.counts.reads > after)
        }
    }

    @Test("the server's own work reads and never writes", arguments: DatabaseKind.allCases)
    func system(_ kind: DatabaseKind) async throws {
        try await withAccess(kind) { fixture in
            let context = try await fixture.service.systemContext(
                tenant: fixture.first.tenant,
                timeout: .seconds(5),
                logger: fixture.logger
            )
            #expect(context.origin == .system)
            #expect(context.principal.user == fixture.first.owner)
            try context.require(.recordsRead)
            let forbidden: [Permission] = [
                .recordsWrite, .recordsDelete, .schemaWrite, .keysManage, .membersManage, .admin, .chat, .auditRead,
            ]
            for permission in forbidden {
                #expect(throws: AccessError.forbidden(permission)) { try context.require(permission) }
            }
            #expect(try await fixture.service.visibleScope(for: context, doing: .recordsRead).isWholeTenant)
            await expectRefusal(.notFound) {
                _ = try await fixture.service.systemContext(
                    tenant: .random(),
                    timeout: .seconds(5),
                    logger: fixture.logger
                )
            }
        }
    }

    @Test("a child has its own name and the parent's rights", arguments: DatabaseKind.allCases)
    func child(_ kind: DatabaseKind) async throws {
        try await withAccess(kind) { fixture in
            let parent = try await fixture.owner()
            let child = fixture.service.child(of: parent)
            #expect(child.id != parent.id)
            #expect(child.id.hasPrefix(parent.id))
            #expect(child.principal == parent.principal)
            #expect(child.tenant == parent.tenant)
            #expect(child.deadline == parent.deadline)
            #expect(child.logger[metadataKey: "request_id"] == .string(child.id))

            let named = fixture.service.child(of: parent, id: "call-7", timeout: .seconds(600))
            #expect(named.id == "call-7")
            #expect(named.deadline > parent.deadline)
        }
    }

    @Test("a permission that is not held is refused by name", arguments: Permission.allCases)
    func require(_ permission: Permission) async throws {
        try await withAccess(.sqlite) { fixture in
            let owner = try await fixture.owner()
            let others = Set(Permission.allCases).subtracting([permission])
            let issued = try await fixture.service.createKey(
                APIKeyDraft(name: "all but one", scopes: others),
                context: owner
            )
            let context = try await fixture.authenticate(issued.text)
            for other in others { try context.require(other) }
            do {
                try context.require(permission)
                Issue.record("\(permission) was allowed")
            } catch let error as AccessError {
                #expect(error.code == .forbidden)
                #expect(error.kind == .forbidden)
                #expect(error.message.contains(permission.rawValue))
            }
        }
    }

    @Test("a key limited to bases sees only those", arguments: DatabaseKind.allCases)
    func scope(_ kind: DatabaseKind) async throws {
        try await withAccess(kind) { fixture in
            let base = BaseID.random()
            let owner = try await fixture.owner()
            let limited = try await fixture.service.createKey(
                APIKeyDraft(name: "one base", scopes: [.search], bases: [base]),
                context: owner
            )
            let context = try await fixture.authenticate(limited.text)
            let scope = try await fixture.service.visibleScope(for: context, doing: .recordsRead)
            let table = Table(id: .random(), base: base, name: "t", primaryField: .random(), fields: [])
            let foreign = Table(id: .random(), base: .random(), name: "t", primaryField: .random(), fields: [])
            #expect(scope.tenant == fixture.first.tenant)
            #expect(scope.bases == [base])
            #expect(!scope.isWholeTenant)
            #expect(scope.allows(base: base))
            #expect(!scope.allows(base: .random()))
            #expect(scope.allows(table: table))
            #expect(!scope.allows(table: foreign))
            #expect(scope.hiddenFields(table: table.id).isEmpty)

            let everything = try await fixture.service.visibleScope(for: owner, doing: .recordsRead)
            #expect(everything.isWholeTenant)
            #expect(everything.allows(table: foreign))

            let nothing = try await fixture.service.createKey(
                APIKeyDraft(name: "no base", scopes: [.search], bases: []),
                context: owner
            )
            let blind = try await fixture.service.visibleScope(
                for: fixture.authenticate(nothing.text),
                doing: .recordsRead
            )
            #expect(blind.bases == [])
            #expect(!blind.allows(base: base))
        }
    }

    @Test("a key revoked while in use sees nothing", arguments: DatabaseKind.allCases)
    func revokedScope(_ kind: DatabaseKind) async throws {
        try await withAccess(kind) { fixture in
            let owner = try await fixture.owner()
            let issued = try await fixture.service.createKey(
                APIKeyDraft(name: "short", scopes: [.search]),
                context: owner
            )
            let context = try await fixture.authenticate(issued.text)
            try await fixture.service.revokeKey(issued.key.id, context: owner)
            await expectRefusal(.unauthenticated) {
                _ = try await fixture.service.visibleScope(for: context, doing: .recordsRead)
            }
        }
    }

    @Test("a key that expires, or whose owner is disabled, while in use sees nothing", arguments: DatabaseKind.allCases)
    func diedInUse(_ kind: DatabaseKind) async throws {
        try await withAccess(kind) { fixture in
            let owner = try await fixture.owner()
            let expires = Instant(microseconds: fixture.clock.instant.microseconds + 60_000_000)
            let brief = try await fixture.service.createKey(
                APIKeyDraft(name: "brief", scopes: [.search], expires: expires),
                context: owner
            )
            let lasting = try await fixture.service.createKey(
                APIKeyDraft(name: "lasting", scopes: [.search]),
                context: owner
            )
            let contexts = [try await fixture.authenticate(brief.text), try await fixture.authenticate(lasting.text)]
            for context in contexts { _ = try await fixture.service.visibleScope(for: context, doing: .recordsRead) }
            fixture.clock.advance(.seconds(60))
            await expectRefusal(.unauthenticated) {
                _ = try await fixture.service.visibleScope(for: contexts[0], doing: .search)
            }
            _ = try await fixture.service.visibleScope(for: contexts[1], doing: .search)
            _ = try await fixture.database.write(of: .everyTenant) {
                try $0.execute("UPDATE access_users SET disabled = 1")
            }
            fixture.clock.advance(.seconds(1))
            await expectRefusal(.unauthenticated) {
                _ = try await fixture.service.visibleScope(for: contexts[1], doing: .search)
            }
        }
    }
}
