import Database
import Foundation
import TestSupport
import Testing

/// What happens between processes, and when one is killed. Bodies of exit tests run in a process of their own.
@Suite("Processes")
struct ProcessTests {
    private static let migrations = [
        Migration(
            id: "test/0001",
            [
                "CREATE TABLE log (position {int} PRIMARY KEY, writer {int} NOT NULL) {strict}",
                "CREATE TABLE totals (writer {int} PRIMARY KEY, count {int} NOT NULL) {strict}",
                "INSERT INTO totals VALUES (0, 0), (1, 0)",
            ]
        )
    ]

    /// Two changes that belong together.
    private static func add(_ transaction: any Transaction, _ position: Int, writer: Int) throws {
        try transaction.execute(
            "INSERT INTO log (position, writer) VALUES ($1, $2)",
            [SQLValue(position), SQLValue(writer)]
        )
        try transaction.execute("UPDATE totals SET count = count + 1 WHERE writer = $1", [SQLValue(writer)])
    }

    private static func work(_ url: String, writer: Int, count: Int) async throws {
        let database = try await DatabaseOpener.open(url: url)
        try await Migrator.migrate(database, migrations)
        for number in 0..<count {
            try await database.write(of: .everyTenant) { try add($0, writer * 1_000_000 + number, writer: writer) }
        }
        await database.close()
    }

    @Test("two processes start together, migrate once and write side by side", arguments: DatabaseKind.allCases)
    func sideBySide(kind: DatabaseKind) async throws {
        try await withDatabaseURL(kind) { url in
            async let ours: Void = Self.work(url, writer: 0, count: 60)
            await #expect(processExitsWith: .success) { [url = url as String] in
                try await Self.work(url, writer: 1, count: 60)
            }
            try await ours
            let database = try await DatabaseOpener.open(url: url)
            let counts = try await database.read(of: .everyTenant) { transaction in
                try transaction.rows("SELECT count FROM totals").map { try $0.integer(0) }
            }
            #expect(counts == [60, 60])
            let findings = try await database.integrityCheck()
            #expect(findings.isEmpty)
            await database.close()
        }
    }

    @Test("what was acknowledged survives kill -9, whole", arguments: DatabaseKind.allCases, 1...4)
    func killed(kind: DatabaseKind, seed: Int) async throws {
        try await withTemporaryDirectory { directory in
            try await withDatabaseURL(kind) { url in
                let acknowledged = directory.appendingPathComponent("acknowledged").path
                var generator = SeededGenerator(seed: UInt64(seed))
                let killAfter = Int.random(in: 1...120, using: &generator)
                await #expect(processExitsWith: .signal(SIGKILL)) {
                    [url = url as String, acknowledged = acknowledged as String, killAfter = killAfter as Int] in
                    try await Self.writeUntilKilled(url, acknowledged, killAfter)
                }
                let database = try await DatabaseOpener.open(url: url)
                try await Migrator.migrate(database, Self.migrations)
                let findings = try await database.integrityCheck()
                #expect(findings.isEmpty)
                let (stored, counted) = try await database.read(of: .everyTenant) { transaction in
                    let rows = try transaction.rows("SELECT position FROM log").map { try Int($0.integer(0)) }
                    return (Set(rows), try transaction.firstRow("SELECT SUM(count) FROM totals")?.integer(0))
                }
                let text = try String(contentsOfFile: acknowledged, encoding: .utf8)
                let promised = Set(text.split(separator: "\n").compactMap { Int($0) })
                #expect(promised.count >= killAfter)
                #expect(promised.isSubset(of: stored))
                #expect(counted == Int64(stored.count))
                await database.close()
            }
        }
    }

    @Test("closed, forgotten and refused databases leave no file descriptor open", arguments: DatabaseKind.allCases)
    func descriptors(kind: DatabaseKind) async throws {
        try await withDatabaseURL(kind) { url in
            await #expect(processExitsWith: .success) { [url = url as String, kind = kind.rawValue as String] in
                let refused =
                    kind == "sqlite" ? "sqlite:/dev/null" : "\(url)-none"
                try await Self.openAndLeave(url, refused)
                let before = Self.descriptorCount
                let rounds = 8
                for _ in 0..<rounds { try await Self.openAndLeave(url, refused) }
                // The threads that close a forgotten database's connections may need a moment, and the runtime opens
                // a few for itself whenever it first needs them; a leak would be one or more a round.
                try await eventually("descriptors are closed") { Self.descriptorCount < before + rounds }
            }
        }
    }

    private static var descriptorCount: Int {
        (try? FileManager.default.contentsOfDirectory(atPath: "/proc/self/fd").count) ?? 0
    }

    private static func openAndLeave(_ url: String, _ refused: String) async throws {
        for closes in [true, false] {
            let database = try await DatabaseOpener.open(url: url)
            try await database.write(of: .everyTenant) { _ = try $0.rows("SELECT 1") }
            _ = try await database.read(of: .everyTenant) { try $0.rows("SELECT 1") }
            if closes { await database.close() }
        }
        await #expect(throws: DatabaseError.self) { _ = try await DatabaseOpener.open(url: refused) }
    }

    /// Eight writers, each noting what was acknowledged; the process ends itself in the midst of it.
    private static func writeUntilKilled(_ url: String, _ acknowledged: String, _ killAfter: Int) async throws {
        let database = try await DatabaseOpener.open(url: url)
        try await Migrator.migrate(database, migrations)
        let file = open(acknowledged, O_WRONLY | O_CREAT | O_APPEND, 0o600)
        let count = Guarded(0)
        try await withThrowingTaskGroup(of: Void.self) { group in
            for writer in 0..<8 {
                group.addTask {
                    for number in 0..<10_000 {
                        let position = writer * 1_000_000 + number
                        try await database.write(of: .everyTenant) { try add($0, position, writer: writer % 2) }
                        let line = Array("\(position)\n".utf8)
                        _ = write(file, line, line.count)
                        count.update { $0 += 1 }
                        if count.value >= killAfter { kill(getpid(), SIGKILL) }
                    }
                }
            }
            try await group.waitForAll()
        }
    }
}
