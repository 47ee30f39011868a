import Database
import Foundation
import TestSupport
import Testing

/// What a flipped bit, a torn write or a wrong copy may leave.
@Suite("Damaged SQLite files")
struct DamagedFileTests {
    private static let migrations = [
        Migration(
            id: "test/0001",
            [
                "CREATE TABLE items (id {int} PRIMARY KEY, name {text} NOT NULL, data {bytes}) {strict}",
                "CREATE INDEX items_name ON items (name)",
                "CREATE TABLE parts (item {int} NOT NULL REFERENCES items (id), text {text}) {strict}",
            ]
        )
    ]

    /// What damage may look like: not as if the database were busy, or had no answer.
    private static let expected: Set<DatabaseError.Code> = [
        .corrupt, .internal, .syntax, .unexpectedType, .damagedMigration, .newerSchema, .readOnly, .full,
        .uniqueViolation, .foreignKeyViolation, .notNullViolation, .checkViolation,
    ]

    @Test("give one clear error or a correct read, and never a crash or a hang")
    func mutations() async throws {
        let isLong = ProcessInfo.processInfo.environment["PYAIRTABLE_LONG"] == "1"
        try await withTemporaryDirectory { directory in
            let intact = directory.appendingPathComponent("intact.sqlite")
            let log = try await Self.fill(intact.path)
            let original = try [UInt8](Data(contentsOf: intact))
            #expect(original.count > 50 * 4_096 && log.count > 50 * 4_096)
            var refused = 0
            for seed in 1...(isLong ? 1_000 : 100) {
                var generator = SeededGenerator(seed: UInt64(seed))
                let mutant = directory.appendingPathComponent("mutant-\(seed).sqlite")
                if seed % 5 == 0 {
                    // A torn log behind the file as it was before: the log's sound beginning counts.
                    try Data(FileDamage.mutated(log, &generator)).write(to: URL(fileURLWithPath: mutant.path + "-wal"))
                } else {
                    try Data(FileDamage.mutated(original, &generator)).write(to: mutant)
                }
                do {
                    try await Self.use("sqlite:\(mutant.path)")
                } catch let error as DatabaseError {
                    refused += 1
                    #expect(Self.expected.contains(error.code), "seed \(seed): \(error) \(error.detail ?? "")")
                }
                for suffix in ["", "-wal", "-shm", "-turn"] { unlink(mutant.path + suffix) }
            }
            // Most mutations hit something that is read.
            #expect(refused > (isLong ? 400 : 40))
        }
    }

    @Test("are found by the integrity check")
    func integrity() async throws {
        try await withTemporaryDirectory { directory in
            let path = directory.appendingPathComponent("test.sqlite").path
            try await Self.fill(path)
            var bytes = try [UInt8](Data(contentsOf: URL(fileURLWithPath: path)))
            // The heads of some pages of rows and keys, behind those of the schema.
            for page in 6..<bytes.count / 4_096 / 2 {
                for position in page * 4_096..<page * 4_096 + 16 { bytes[position] = 0x5a }
            }
            try Data(bytes).write(to: URL(fileURLWithPath: path))
            let database = try await DatabaseOpener.open(url: "sqlite:\(path)")
            let findings = try await database.integrityCheck()
            #expect(!findings.isEmpty)
            await database.close()
        }
    }

    @Test("are told apart from rows whose references are missing")
    func references() async throws {
        try await withDatabase(.sqlite, migrations: Self.migrations) { database in
            let path = database.location.dropFirst("sqlite:".count)
            try await database.write(of: .everyTenant) {
                try $0.execute("INSERT INTO items (id, name) VALUES (1, 'one')")
            }
            try await database.write(of: .everyTenant) { try $0.execute("INSERT INTO parts (item) VALUES (1)") }
            #expect(path.hasSuffix("test.sqlite"))
            // The same schema without the reference lets the row go.
            try await database.write(of: .everyTenant) { transaction in
                try transaction.execute("PRAGMA writable_schema = ON")
                try transaction.execute(
                    "UPDATE sqlite_schema SET sql = replace(sql, 'REFERENCES items (id)', 'REFERENCES nowhere (id)')"
                )
                try transaction.execute("PRAGMA writable_schema = OFF")
            }
            await database.close()
            let reopened = try await DatabaseOpener.open(url: database.location)
            let findings = try await reopened.integrityCheck()
            #expect(findings == ["a row of parts refers to a missing row of nowhere"])
            await reopened.close()
        }
    }

    /// Makes a database of some sixty pages.
    ///
    /// - Returns: the write-ahead log from which the file alone could be made.
    @discardableResult
    private static func fill(_ path: String) async throws -> [UInt8] {
        let database = try await DatabaseOpener.open(url: "sqlite:\(path)")
        try await Migrator.migrate(database, migrations)
        try await database.write(of: .everyTenant) { transaction in
            for id in 1...400 {
                try transaction.execute(
                    "INSERT INTO items (id, name, data) VALUES ($1, $2, $3)",
                    [
                        SQLValue(id), .text("item number \(id * 7_919 % 400)"),
                        .bytes([UInt8](repeating: UInt8(id % 256), count: id * 3 + (id % 50 == 0 ? 6_000 : 0))),
                    ]
                )
                try transaction.execute("INSERT INTO parts VALUES ($1, $2)", [SQLValue(id), "part"])
            }
        }
        let log = try [UInt8](Data(contentsOf: URL(fileURLWithPath: path + "-wal")))
        await database.close()
        return log
    }

    /// Opens, migrates, reads everything, checks and writes, as a program would.
    private static func use(_ url: String) async throws {
        let database = try await DatabaseOpener.open(url: url)
        let result: Result<Void, any Error>
        do {
            let deadline = ContinuousClock.now + .seconds(20)
            try await Migrator.migrate(database, migrations)
            try await database.read(of: .everyTenant, deadline: deadline) { transaction in
                try transaction.forEachRow("SELECT * FROM items ORDER BY id") { row in
                    _ = try (row.integer("id"), row.text("name"), row.optionalBytes("data"))
                }
                _ = try transaction.rows("SELECT id FROM items WHERE name > 'item number 2' ORDER BY name")
                _ = try transaction.rows("SELECT parts.text FROM items JOIN parts ON item = items.id")
            }
            let findings = try await database.integrityCheck()
            try await database.write(of: .everyTenant, deadline: deadline) { transaction in
                try transaction.execute("INSERT INTO items (name, data) VALUES ('new', zeroblob(9000))")
                try transaction.execute("DELETE FROM parts WHERE item % 3 = 0")
                try transaction.execute("UPDATE items SET name = 'changed' || id WHERE id % 2 = 0")
            }
            if !findings.isEmpty { throw DatabaseError(.corrupt, "\(findings.count) findings") }
            result = .success(())
        } catch {
            result = .failure(error)
        }
        await database.close()
        try result.get()
    }
}
