import Database
import Domain
import Foundation
import TestSupport
import Testing

@testable import Access

@Suite("Verifying the audit log")
struct AuditVerifierTests {
    /// What somebody does who can write to the database.
    enum Damage: CaseIterable {
        case body, column, hash, delete, swap, move, insert, cutEnd, cutEndAndHead, cutToCheckpoint, rewrite
        case forgeCheckpoint, dropCheckpoints, everything
    }

    @Test("AUD-02: a log that nobody touched is sound, also while it grows", arguments: DatabaseKind.allCases)
    func sound(_ kind: DatabaseKind) async throws {
        try await withAccess(kind) { fixture in
            try await withKeeper(fixture) { keeper, verifier, _ in
                #expect(try await verifier.verify().allSatisfy { $0.finding == nil })
                #expect(try await keeper.keep() == 1)
                #expect(try await keeper.keep() == 0)
                try await fill(fixture, count: 1_200, seed: 1)
                async let growing: Void = fill(fixture, count: 300, seed: 2)
                for _ in 0..<5 {
                    let reports = try await verifier.verify()
                    #expect(reports.allSatisfy { $0.finding == nil }, "\(reports)")
                    try await keeper.keep()
                }
                try await growing
                try await keeper.keep()
                let reports = try await verifier.verify()
                #expect(reports.count == 4)
                #expect(reports.allSatisfy { $0.finding == nil && $0.checkpoints > 0 })
                #expect(reports.reduce(0) { $0 + $1.entries } == 1_502)
            }
        }
    }

    @Test(
        "AUD-02: any change, deletion, move, insertion or cut is found, and the first broken entry named",
        arguments: DatabaseKind.allCases,
        Damage.allCases
    )
    func damaged(_ kind: DatabaseKind, _ damage: Damage) async throws {
        for seed in 1...3 as ClosedRange<UInt64> {
            try await withAccess(kind) { fixture in
                try await withKeeper(fixture) { keeper, verifier, file in
                    var generator = SeededGenerator(seed: seed)
                    let chain = AuditChain.tenant(fixture.first.tenant)
                    // Three checkpoints, and entries behind the last of them.
                    var signed: [Int64] = []
                    for part in 0..<3 as Range<UInt64> {
                        let count = Int.random(in: 5...40, using: &generator)
                        try await fill(fixture, count: count, seed: seed * 10 + part, chains: [chain])
                        try await keeper.keep()
                        signed.append(try await end(fixture, chain))
                    }
                    try await fill(fixture, count: Int.random(in: 2...20, using: &generator), seed: 99, chains: [chain])
                    let last = try await end(fixture, chain)
                    #expect(try await verifier.verify().allSatisfy { $0.finding == nil }, "seed \(seed)")

                    let place = Int64.random(in: 2..<last, using: &generator)
                    try await apply(damage, at: place, signed: signed, last: last, chain, fixture, file)
                    let report = try #require(try await verifier.verify().first { $0.chain == chain.name })
                    let finding = try #require(report.finding, "\(damage) at \(place) was not found, seed \(seed)")
                    expect(finding, damage, place, signed, last, seed)
                }
            }
        }
    }

    @Test("AUD-02: a chain that is gone altogether is found by the file", arguments: DatabaseKind.allCases)
    func goneChain(_ kind: DatabaseKind) async throws {
        try await withAccess(kind) { fixture in
            try await withKeeper(fixture) { keeper, verifier, file in
                try await fill(fixture, count: 10, seed: 1, chains: [.server])
                try await keeper.keep()
                try await tamper(fixture) { transaction in
                    for table in ["access_audit", "access_audit_heads", "access_audit_checkpoints"] {
                        try transaction.execute("DELETE FROM \(table) WHERE chain = 'server'")
                    }
                }
                let report = try #require(try await verifier.verify().first { $0.chain == "server" })
                #expect(report.finding == AuditFinding(problem: .truncated, sequence: 1))
                // Without its file it is as if it had never been, which is why that is kept elsewhere.
                try FileManager.default.removeItem(atPath: file.path)
                #expect(try await verifier.verify().allSatisfy { $0.chain != "server" && $0.finding == nil })
            }
        }
    }

    @Test(
        "checkpoints live through a rotation of the master key, and not through another key",
        arguments: DatabaseKind.allCases
    )
    func rotation(_ kind: DatabaseKind) async throws {
        try await withAccess(kind) { fixture in
            try await withTemporaryDirectory { directory in
                let tenant = fixture.first.tenant
                let file = AuditCheckpointFile(directory: directory.path)
                let vault = CredentialVault(
                    database: fixture.database,
                    master: try MasterKey.load(directory: directory.path)
                )
                let keeper = AuditKeeper(log: fixture.service.audit, vault: vault, tenant: tenant, file: file)
                try await keeper.keep()
                let rotated = try await vault.rotate(directory: directory.path).vault
                func reports(_ vault: CredentialVault) async throws -> [AuditReport] {
                    try await AuditVerifier(database: fixture.database, vault: vault, tenant: tenant, file: file)
                        .verify()
                }
                #expect(try await reports(rotated).map(\.checkpoints) == [1])
                #expect(try await reports(rotated).map(\.finding) == [nil])
                await expectRefusal(.masterKeyMismatch) { _ = try await reports(vault) }
            }
        }
    }

    @Test(
        "the file is for its owner only, and keeps the newest checkpoint of each chain",
        arguments: DatabaseKind.allCases
    )
    func file(_ kind: DatabaseKind) async throws {
        try await withAccess(kind) { fixture in
            try await withKeeper(fixture) { keeper, _, file in
                for round in 1...3 as ClosedRange<UInt64> {
                    try await fill(fixture, count: 4, seed: round, chains: [.server])
                    try await keeper.keep()
                }
                let mode = try FileManager.default.attributesOfItem(atPath: file.path)[.posixPermissions] as? Int
                #expect(mode == 0o600)
                let read = try file.read()
                #expect(read.unreadable == 0)
                #expect(read.checkpoints.mapValues(\.sequence) == ["server": 12, fixture.first.tenant.description: 2])
            }
        }
    }

    // MARK: Logs

    /// Random events in random chains.
    private func fill(
        _ fixture: AccessFixture,
        count: Int,
        seed: UInt64,
        chains: [AuditChain]? = nil
    ) async throws {
        var generator = SeededGenerator(seed: seed)
        let other = AuditChain.tenant(.random(using: &generator))
        let chains = chains ?? [.tenant(fixture.first.tenant), .server, other]
        let store = AuditStore(database: fixture.database)
        var left = count
        while left > 0 {
            let size = min(left, Int.random(in: 1...40, using: &generator))
            var events: [AuditEvent] = []
            for _ in 0..<size {
                events.append(
                    AuditEvent(
                        AuditAction.allCases.randomElement(using: &generator) ?? .login,
                        result: AuditEvent.Result.allCases.randomElement(using: &generator) ?? .done,
                        at: Instant(milliseconds: Int64.random(in: 0..<2_000_000_000_000, using: &generator)),
                        user: Bool.random(using: &generator) ? .random(using: &generator) : nil,
                        key: Bool.random(using: &generator) ? .random(using: &generator) : nil,
                        object: AuditObject(.base, BaseID.random(using: &generator)),
                        details: [.count: "\(Int.random(in: 0...9, using: &generator))"]
                    )
                )
            }
            try await store.append(events, to: chains.randomElement(using: &generator) ?? .server)
            left -= size
        }
    }

    private func end(_ fixture: AccessFixture, _ chain: AuditChain) async throws -> Int64 {
        try await AuditStore(database: fixture.database).heads().first { $0.chain == chain.name }?.sequence ?? 0
    }

    // MARK: Damage

    /// Without the triggers that stand in the way.
    private func tamper(
        _ fixture: AccessFixture,
        _ body: @escaping @Sendable (any Transaction) throws -> Void
    ) async throws {
        try await fixture.database.write(of: .owner) { transaction in
            let place = transaction.dialect == .postgres ? " ON access_audit" : ""
            for trigger in ["access_audit_unchanged", "access_audit_kept"] {
                try transaction.execute("DROP TRIGGER IF EXISTS \(trigger)\(place)")
            }
            try body(transaction)
        }
    }

    private func apply(
        _ damage: Damage,
        at place: Int64,
        signed: [Int64],
        last: Int64,
        _ chain: AuditChain,
        _ fixture: AccessFixture,
        _ file: AuditCheckpointFile
    ) async throws {
        let name = SQLValue.text(chain.name)
        let store = AuditStore(database: fixture.database)
        let rows = try await store.rows(of: chain, after: 0, limit: 1_000)
        try await tamper(fixture) { transaction in
            func run(_ sql: String, _ more: SQLValue...) throws { try transaction.execute(sql, [name] + more) }
            /// Everything from `start` on as if it had always been so, its head included.
            func rewrite(from start: Int64) throws {
                var hash = rows[Int(start) - 2].hash
                for row in rows[(Int(start) - 1)...] {
                    var event = try #require(AuditEntry.event(of: row.body))
                    if row.sequence == start { event.result = event.result == .done ? .failed : .done }
                    let entry = AuditEntry(event, chain: chain, after: hash, sequence: row.sequence)
                    hash = entry.hash
                    try run("DELETE FROM access_audit WHERE chain = $1 AND sequence = $2", .integer(row.sequence))
                    let columns = "chain, sequence, time, action, result, actor, key_id, object, body, hash"
                    try transaction.execute(
                        "INSERT INTO access_audit (\(columns)) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)",
                        AuditStore.values(of: entry)
                    )
                }
                try run("UPDATE access_audit_heads SET hash = $2 WHERE chain = $1", .bytes(hash))
            }
            func cut(after end: Int64) throws {
                try run("DELETE FROM access_audit WHERE chain = $1 AND sequence > $2", .integer(end))
                try run(
                    "UPDATE access_audit_heads SET sequence = $2, hash = $3 WHERE chain = $1",
                    .integer(end),
                    .bytes(rows[Int(end) - 1].hash)
                )
            }
            let at = SQLValue.integer(place)
            switch damage {
            case .body:
                let text = String(decoding: rows[Int(place) - 1].body, as: UTF8.self)
                let other = text.replacing(#""result""#, with: #""Result""#)
                try run("UPDATE access_audit SET body = $3 WHERE chain = $1 AND sequence = $2", at, .text(other))
            case .column:
                try run("UPDATE access_audit SET actor = 'nobody' WHERE chain = $1 AND sequence = $2", at)
            case .hash:
                try run(
                    "UPDATE access_audit SET hash = $3 WHERE chain = $1 AND sequence = $2",
                    at,
                    .bytes([UInt8](repeating: 7, count: 32))
                )
            case .delete:
                try run("DELETE FROM access_audit WHERE chain = $1 AND sequence = $2", at)
            case .swap, .move:
                let steps: [(from: Int64, to: Int64)] =
                    damage == .swap
                    ? [(place, Int64(-1)), (place + 1, place), (Int64(-1), place + 1)] : [(place, last + 1)]
                for (from, to) in steps {
                    try run(
                        "UPDATE access_audit SET sequence = $3 WHERE chain = $1 AND sequence = $2",
                        .integer(from),
                        .integer(to)
                    )
                }
            case .insert:
                let event = AuditEvent(.login, at: Instant(milliseconds: 5))
                let entry = AuditEntry(event, chain: chain, after: rows[Int(last) - 1].hash, sequence: last + 1)
                let columns = "chain, sequence, time, action, result, actor, key_id, object, body, hash"
                try transaction.execute(
                    "INSERT INTO access_audit (\(columns)) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)",
                    AuditStore.values(of: entry)
                )
            case .cutEnd:
                try run("DELETE FROM access_audit WHERE chain = $1 AND sequence >= $2", at)
            case .cutEndAndHead:
                try cut(after: min(place, signed[2] - 1))
            case .cutToCheckpoint:
                try cut(after: signed[1])
                try run("DELETE FROM access_audit_checkpoints WHERE chain = $1 AND sequence > $2", .integer(signed[1]))
            case .rewrite:
                try rewrite(from: min(place, signed[2]))
            case .forgeCheckpoint, .everything:
                let start = min(place, signed[2])
                try rewrite(from: start)
                let hash = try #require(
                    try transaction.firstRow(
                        "SELECT hash FROM access_audit WHERE chain = $1 AND sequence = $2",
                        [name, .integer(signed[2])]
                    )?.bytes(0)
                )
                let signer = try AuditSigner(number: 1, seed: [UInt8](repeating: 3, count: 32))
                let forged = try AuditCheckpoint(
                    chain: chain.name,
                    sequence: signed[2],
                    hash: hash,
                    time: Instant(milliseconds: 9),
                    by: signer
                )
                try run("DELETE FROM access_audit_checkpoints WHERE chain = $1 AND sequence >= $2", .integer(start))
                if damage == .everything { return }
                try transaction.execute(
                    "INSERT INTO access_audit_checkpoints (chain, sequence, body, signature) VALUES ($1, $2, $3, $4)",
                    [
                        name, .integer(signed[2]), .text(String(decoding: forged.body, as: UTF8.self)),
                        .bytes(forged.signature),
                    ]
                )
            case .dropCheckpoints:
                try run("DELETE FROM access_audit_checkpoints WHERE chain = $1")
            }
        }
        if damage == .forgeCheckpoint { try FileManager.default.removeItem(atPath: file.path) }
    }

    private func expect(
        _ finding: AuditFinding,
        _ damage: Damage,
        _ place: Int64,
        _ signed: [Int64],
        _ last: Int64,
        _ seed: UInt64
    ) {
        let note = Comment(rawValue: "\(damage) at \(place) of \(last), signed \(signed), seed \(seed): \(finding)")
        /// The first entry that nobody vouches for any more.
        func after(_ start: Int64) -> Int64 { (signed.last { $0 < start } ?? 0) + 1 }
        switch damage {
        case .body, .column, .hash: #expect(finding == AuditFinding(problem: .changed, sequence: place), note)
        case .delete: #expect(finding == AuditFinding(problem: .missing, sequence: place), note)
        case .swap: #expect(finding == AuditFinding(problem: .moved, sequence: place), note)
        case .move: #expect(finding == AuditFinding(problem: .missing, sequence: place), note)
        // Its hash is right, and yet nobody wrote it: the end of the chain is not there.
        case .insert: #expect(finding == AuditFinding(problem: .changed, sequence: last + 1), note)
        case .cutEnd: #expect(finding == AuditFinding(problem: .truncated, sequence: place), note)
        case .cutEndAndHead:
            #expect(finding == AuditFinding(problem: .truncated, sequence: min(place, signed[2] - 1) + 1), note)
        // The file remembers the third.
        case .cutToCheckpoint: #expect(finding == AuditFinding(problem: .truncated, sequence: signed[1] + 1), note)
        case .rewrite:
            #expect(finding == AuditFinding(problem: .rewritten, sequence: after(min(place, signed[2]))), note)
        // The file knows what was signed.
        case .everything:
            let start = min(place, signed[2])
            let known = (signed.dropLast().last { $0 < start } ?? 0) + 1
            #expect(finding == AuditFinding(problem: .rewritten, sequence: known), note)
        case .forgeCheckpoint: #expect(finding == AuditFinding(problem: .forged, sequence: signed[2]), note)
        case .dropCheckpoints:
            #expect(finding == AuditFinding(problem: .checkpointMissing, sequence: signed[2]), note)
        }
    }
}
