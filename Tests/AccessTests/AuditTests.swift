import Database
import Domain
import Foundation
import Logging
import TestSupport
import Testing

@testable import Access

@Suite("Audit log")
struct AuditTests {
    private static let time = Instant(milliseconds: 1_750_000_000_123)

    @Test("AUD-01: an entry says who did what to which object, when and how it ended", arguments: DatabaseKind.allCases)
    func entry(_ kind: DatabaseKind) async throws {
        try await withAccess(kind) { fixture in
            var owner = try await fixture.owner()
            owner.clientAddress = "192.0.2.7"
            let issued = try await fixture.service.createKey(
                APIKeyDraft(name: "a name that stays out", scopes: [.search, .chat]),
                context: owner
            )
            let page = try await fixture.service.audit.entries(AuditQuery(), context: owner)
            let entry = try #require(page.entries.first)
            #expect(entry.event.action == .keyCreated)
            #expect(entry.event.result == .done)
            #expect(entry.event.user == fixture.first.owner)
            #expect(entry.event.key == nil)
            #expect(entry.event.origin == .commandLine)
            #expect(entry.event.object == AuditObject(.key, issued.key.id))
            #expect(entry.event.requestID == owner.id)
            #expect(entry.event.address == "192.0.2.7")
            #expect(entry.event.details == [.scopes: "chat search"])
            #expect(entry.event.time == fixture.clock.instant)
            let text = String(decoding: entry.body, as: UTF8.self)
            #expect(!text.contains("stays out") && !text.contains(issued.text))
            // The tenant, its first key, this one.
            #expect(page.entries.map(\.sequence) == [3, 2, 1])
            #expect(page.entries.map(\.event.action) == [.keyCreated, .keyCreated, .tenantCreated])
        }
    }

    @Test("AUD-01: each change of users, keys and credentials has its entry", arguments: DatabaseKind.allCases)
    func changes(_ kind: DatabaseKind) async throws {
        try await withAccess(kind) { fixture in
            let (service, owner) = (fixture.service, try await fixture.owner())
            let user = try await service.createUser(name: "ada", role: .editor, context: owner)
            try await service.setEmail("ada@example.com", of: user.id, context: owner)
            try await service.setUser(user.id, isDisabled: true, context: owner)
            try await service.setUser(user.id, isDisabled: false, context: owner)
            let key = try await service.createKey(APIKeyDraft(name: "ci", scopes: [.search]), context: owner).key.id
            try await service.setKey(key, isDisabled: true, context: owner)
            try await service.setKey(key, isDisabled: false, context: owner)
            try await service.revokeKey(key, context: owner)
            try await withTemporaryDirectory { directory in
                let vault = CredentialVault(
                    database: fixture.database,
                    master: try MasterKey.load(directory: directory.path)
                )
                let purpose = try #require(CredentialPurpose(rawValue: "gemini.key"))
                try await vault.store(Secret("a-very-secret-value"), for: purpose, context: owner)
                try await vault.delete(purpose, context: owner)
            }
            // What changed nothing leaves nothing.
            await expectRefusal(.notFound) { try await service.revokeKey(key, context: owner) }
            await expectRefusal(.invalid) { _ = try await service.createUser(name: "ada", context: owner) }

            let entries = try await service.audit.entries(AuditQuery(), context: owner).entries
            #expect(
                entries.reversed().dropFirst(2).map(\.event.action) == [
                    .userCreated, .userChanged, .userDisabled, .userEnabled, .keyCreated, .keyDisabled, .keyEnabled,
                    .keyDeleted, .credentialStored, .credentialDeleted,
                ]
            )
            let all = entries.map { String(decoding: $0.body, as: UTF8.self) }.joined()
            for secret in ["ada@example.com", "a-very-secret-value"] { #expect(!all.contains(secret)) }
        }
    }

    @Test("AUD-06: a change whose entry cannot be written is not made", arguments: DatabaseKind.allCases)
    func failing(_ kind: DatabaseKind) async throws {
        try await withAccess(kind) { fixture in
            let (service, owner) = (fixture.service, try await fixture.owner())
            let key = try await service.createKey(APIKeyDraft(name: "ci", scopes: [.search]), context: owner)
            try await fixture.database.write(of: .owner) { transaction in
                try transaction.execute("ALTER TABLE access_audit_heads RENAME TO elsewhere")
            }
            await #expect(throws: DatabaseError.self) {
                try await service.revokeKey(key.key.id, context: owner)
            }
            await #expect(throws: DatabaseError.self) { _ = try await service.createUser(name: "ada", context: owner) }
            _ = try await fixture.authenticate(key.text)
            #expect(try await service.users(context: owner).map(\.name) == ["owner"])
            try await fixture.database.write(of: .owner) { transaction in
                try transaction.execute("ALTER TABLE elsewhere RENAME TO access_audit_heads")
            }
            try await service.revokeKey(key.key.id, context: owner)
            await expectRefusal(.unauthenticated) { _ = try await fixture.authenticate(key.text) }
        }
    }

    @Test("AUD-01: the database itself refuses to change or delete an entry", arguments: DatabaseKind.allCases)
    func appendOnly(_ kind: DatabaseKind) async throws {
        try await withAccess(kind) { fixture in
            for sql in ["UPDATE access_audit SET action = 'x'", "DELETE FROM access_audit WHERE sequence = 1"] {
                await #expect(throws: DatabaseError.self) {
                    try await fixture.database.write(of: .owner) { try $0.execute(sql) }
                }
            }
            if kind == .postgres {
                await #expect(throws: DatabaseError.self) {
                    try await fixture.database.write(of: .owner) { try $0.execute("TRUNCATE access_audit") }
                }
            }
        }
    }

    @Test("AUD-02: hashes are SHA-256 of the one before and the canonical JSON, gapless and linked")
    func chain() throws {
        let chain = AuditChain.server
        var event = AuditEvent(.refused, result: .refused, at: Self.time, address: "2001:db8::1")
        event.details = [.reason: "unknown key", .count: "2"]
        let first = AuditEntry(event, chain: chain, after: AuditEntry.genesis(chain), sequence: 1)
        #expect(
            String(decoding: first.body, as: UTF8.self)
                == #"{"v":1,"chain":"server","sequence":1,"time":"2025-06-15T15:06:40.123Z","action":"auth.refused","#
                + #""result":"refused","address":"2001:db8::1","details":{"count":"2","reason":"unknown key"}}"#
        )
        // sha256("pyairtable/audit/1\0server"), and sha256(that ‖ the text above), by another program.
        #expect(
            hexadecimal(AuditEntry.genesis(chain)) == "dd08cbacdd354f7a1bf6573520cb251c89db0d443d88aa63f5121d8cc4ef79e9"
        )
        #expect(hexadecimal(first.hash) == "a9bfd7e858bebc9e16b322f5775d1f176b049eb29702ea222b50e6dfce5e2977")
        let second = AuditEntry(event, chain: chain, after: first.hash, sequence: 2)
        #expect(second.hash != first.hash)
        #expect(AuditEntry.event(of: second.body) == event)
        #expect(AuditEntry.genesis(.tenant(.random())) != AuditEntry.genesis(.tenant(.random())))
    }

    @Test("AUD-04: whatever an event holds, its entry is one line of JSON that reads back the same")
    func injection() throws {
        for text in ["a\nb", "\r\n{\"action\":\"x\"}", "\u{1B}[2J", "\"}", "\u{2028}", "\u{0}", "\u{202E}abc"] {
            var event = AuditEvent(.denied, result: .refused, at: Self.time, object: AuditObject(.route, text))
            event.agent = text
            event.details = [.reason: text]
            let entry = AuditEntry(event, chain: .server, after: [], sequence: 1)
            #expect(!entry.body.contains { $0 < 0x20 || $0 == 0x7F })
            let read = try #require(AuditEntry.event(of: entry.body))
            #expect(read.agent == text.replacing("\0", with: ""))
            #expect(read.action == .denied)
        }
        let long = AuditEvent(.denied, at: Self.time, object: AuditObject(.route, String(repeating: "x", count: 9_999)))
        #expect(AuditEntry.body(of: long, chain: .server, sequence: 1).count < 500)
    }

    @Test("every action keeps its stored name, and reads back", arguments: AuditAction.allCases)
    func names(_ action: AuditAction) {
        let entry = AuditEntry(AuditEvent(action, at: Self.time), chain: .server, after: [], sequence: 1)
        #expect(AuditEntry.event(of: entry.body)?.action == action)
    }

    @Test(
        "AUD-05: pages by time, actor, key, action, result and object, of one's own tenant only",
        arguments: DatabaseKind.allCases
    )
    func query(_ kind: DatabaseKind) async throws {
        try await withAccess(kind) { fixture in
            let (log, owner) = (fixture.service.audit, try await fixture.owner())
            let other = try await fixture.secondTenant()
            let user = UserID.random()
            let key = KeyID.random()
            try await fixture.database.write(of: .everyTenant) { transaction in
                for number in 0..<10 {
                    var event = AuditEvent(
                        number % 2 == 0 ? .exported : .imported,
                        result: number % 5 == 0 ? .failed : .done,
                        at: Instant(milliseconds: 1_000 * Int64(number)),
                        user: number < 4 ? user : nil,
                        key: number >= 8 ? key : nil
                    )
                    event.object = AuditObject(.base, "app\(number % 3)")
                    try AuditLog.append(event, tenant: owner.tenant, in: transaction)
                }
                try AuditLog.append(AuditEvent(.exported, at: Self.time), tenant: other.tenant, in: transaction)
            }
            func times(_ change: (inout AuditQuery) -> Void) async throws -> [Int64] {
                var query = AuditQuery()
                query.until = Instant(milliseconds: 100_000)
                change(&query)
                return try await log.entries(query, context: owner).entries.map { $0.event.time.milliseconds / 1_000 }
            }
            #expect(try await times { _ in } == [9, 8, 7, 6, 5, 4, 3, 2, 1, 0])
            #expect(try await times { $0.action = .exported } == [8, 6, 4, 2, 0])
            #expect(try await times { $0.user = user } == [3, 2, 1, 0])
            #expect(try await times { $0.key = key } == [9, 8])
            #expect(try await times { $0.result = .failed } == [5, 0])
            #expect(try await times { $0.object = "app1" } == [7, 4, 1])
            #expect(try await times { $0.from = Instant(milliseconds: 7_000) } == [9, 8, 7])
            #expect(try await times { $0.until = Instant(milliseconds: 2_000) } == [1, 0])
            #expect(
                try await times {
                    $0.object = "app1"
                    $0.action = .exported
                } == [4]
            )
            #expect(try await times { $0.object = "' OR 1 = 1 --" } == [])

            var query = AuditQuery(limit: 4)
            var pages: [[Int64]] = []
            repeat {
                let page = try await log.entries(query, context: owner)
                pages.append(page.entries.map(\.sequence))
                query.before = page.next
            } while query.before != nil
            #expect(pages == [[12, 11, 10, 9], [8, 7, 6, 5], [4, 3, 2, 1], []])
            #expect(try await log.entries(AuditQuery(), context: other).entries.count == 1)

            let blind = try await fixture.authenticate(
                try await fixture.service.createKey(APIKeyDraft(name: "s", scopes: [.search]), context: owner).text
            )
            await expectRefusal(.forbidden) { _ = try await log.entries(AuditQuery(), context: blind) }
            await expectRefusal(.forbidden) { _ = try await log.export(context: blind) { _ in } }
        }
    }

    @Test("writers at once, of several processes, keep one gapless chain", arguments: DatabaseKind.allCases)
    func concurrency(_ kind: DatabaseKind) async throws {
        try await withAccess(kind) { fixture in
            let tenant = fixture.first.tenant
            let processes = [fixture.service, fixture.otherProcess(), fixture.otherProcess()]
            try await withThrowingTaskGroup(of: Void.self) { group in
                for number in 0..<60 {
                    group.addTask {
                        let event = AuditEvent(.exported, at: Self.time, details: [.count: "\(number)"])
                        if number % 3 == 0 {
                            processes[number / 3 % 3].audit.note(event, tenant: tenant, logger: fixture.logger)
                        } else {
                            try await fixture.database.write(of: .everyTenant) { transaction in
                                try AuditLog.append([event, event], tenant: tenant, in: transaction)
                            }
                        }
                    }
                }
                try await group.waitForAll()
            }
            for process in processes { await process.audit.flush() }
            let page = try await fixture.service.audit.entries(AuditQuery(), context: fixture.owner())
            #expect(page.entries.map(\.sequence) == (1...102).reversed())
            try await withKeeper(fixture) { _, verifier, _ in
                let reports = try await verifier.verify()
                #expect(reports.map(\.finding) == [nil])
            }
        }
    }

    @Test(
        "AUD-01: refusals are counted, not written each; a key's use is written once a minute",
        arguments: DatabaseKind.allCases
    )
    func repeats(_ kind: DatabaseKind) async throws {
        try await withAccess(kind) { fixture in
            let log = fixture.service.audit
            let context = try await fixture.authenticate(fixture.firstKey.text)
            func denied() {
                log.note(.denied, result: .refused, by: context, object: AuditObject(.route, "GET /x"))
                log.noteUse(by: context)
            }
            func told() async throws -> [String] {
                try await log.entries(AuditQuery(), context: fixture.owner()).entries.reversed().dropFirst(2).map {
                    $0.event.action.rawValue + ($0.event.details[.repeated].map { "+\($0)" } ?? "")
                }
            }
            for _ in 0..<5 { denied() }
            #expect(try await told() == ["access.denied", "key.used"])
            fixture.clock.advance(.seconds(61))
            denied()
            #expect(try await told() == ["access.denied", "key.used", "access.denied+4", "key.used"])
            for _ in 0..<3 { denied() }
            fixture.clock.advance(.seconds(61))
            await log.settle()
            #expect(try await told().last == "access.denied+2")
            await log.settle()
            #expect(try await told().count == 5)
        }
    }

    @Test("events are gathered and written in one commit, by themselves; who waits for them waits for no more")
    func gathered() async throws {
        try await withAccess(.sqlite) { fixture in
            let counted = CountingDatabase(fixture.database)
            let store = AuditStore(database: counted)
            let buffer = AuditBuffer(store: store)
            let chain = AuditChain.tenant(fixture.first.tenant)
            func note(_ count: Int) {
                for number in 0..<count {
                    let event = AuditEvent(.exported, at: Self.time, details: [.count: "\(number)"])
                    buffer.note(event, chain: chain, logger: fixture.logger)
                }
            }
            note(50)
            await buffer.flush()
            #expect(counted.counts.writes == 1)
            #expect(try await store.rows(of: chain, after: 2, limit: 100).count == 50)
            note(20)
            // Nobody asks for them to be written.
            try await eventually("they are written") {
                try await store.rows(of: chain, after: 52, limit: 100).count == 20
            }
            #expect(counted.counts.writes == 2)
        }
    }

    @Test("AUD-06: what cannot be written is counted in the log itself", arguments: DatabaseKind.allCases)
    func dropped(_ kind: DatabaseKind) async throws {
        try await withAccess(kind) { fixture in
            let buffer = AuditBuffer(store: AuditStore(database: fixture.database), capacity: 10)
            let chain = AuditChain.tenant(fixture.first.tenant)
            for number in 0..<25 {
                let event = AuditEvent(
                    .denied,
                    result: .refused,
                    at: Self.time,
                    address: "192.0.2.\(number)"
                )
                buffer.note(event, chain: chain, logger: fixture.logger)
            }
            await buffer.flush()
            let rows = try await AuditStore(database: fixture.database).rows(of: chain, after: 2, limit: 100)
            let events = rows.compactMap { AuditEntry.event(of: $0.body) }
            let lost = events.filter { $0.action == .auditDropped }.compactMap {
                $0.details[.count].flatMap { Int($0) }
            }
            #expect(events.count { $0.action == .denied } + lost.reduce(0, +) == 25)
            #expect(events.count { $0.action == .denied } == 10)

            // A database that takes nothing for a while.
            try await fixture.database.write(of: .owner) {
                try $0.execute("ALTER TABLE access_audit_heads RENAME TO elsewhere")
            }
            let event = AuditEvent(.exported, at: Self.time)
            buffer.note(event, chain: chain, logger: fixture.logger)
            await buffer.flush()
            try await fixture.database.write(of: .owner) {
                try $0.execute("ALTER TABLE elsewhere RENAME TO access_audit_heads")
            }
            buffer.note(event, chain: chain, logger: fixture.logger)
            await buffer.flush()
            let last = try await AuditStore(database: fixture.database).rows(
                of: chain,
                after: 2 + Int64(rows.count),
                limit: 9
            )
            #expect(
                last.compactMap { AuditEntry.event(of: $0.body) }.map { "\($0.action) \($0.details[.count] ?? "")" }
                    == ["exported ", "auditDropped 1"]
            )
        }
    }
}

/// A keeper of checkpoints and a verifier over the fixture's database, with their file in a directory of its own.
func withKeeper(
    _ fixture: AccessFixture,
    _ body: (AuditKeeper, AuditVerifier, AuditCheckpointFile) async throws -> Void
) async throws {
    try await withTemporaryDirectory { directory in
        let vault = CredentialVault(database: fixture.database, master: try MasterKey.load(directory: directory.path))
        let file = AuditCheckpointFile(directory: directory.path)
        let tenant = fixture.first.tenant
        try await body(
            AuditKeeper(log: fixture.service.audit, vault: vault, tenant: tenant, file: file),
            AuditVerifier(database: fixture.database, vault: vault, tenant: tenant, file: file),
            file
        )
    }
}
