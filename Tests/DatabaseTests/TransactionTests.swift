import Database
import TestSupport
import Testing

/// What every driver must do alike with transactions.
@Suite("Transactions")
struct TransactionTests {
    private struct Refusal: Error, Equatable {}

    private static let migrations = [
        Migration(
            id: "test/0001",
            [
                "CREATE TABLE items (id {int} PRIMARY KEY, value {int} NOT NULL) {strict}",
                """
                CREATE TABLE parts (
                    id {int} PRIMARY KEY,
                    item {int} NOT NULL REFERENCES items (id) DEFERRABLE INITIALLY DEFERRED
                ) {strict}
                """,
            ]
        )
    ]

    private static func ids(_ database: any SQLDatabase) async throws -> [Int64] {
        try await database.read(of: .everyTenant) {
            try $0.rows("SELECT id FROM items ORDER BY id").map { try $0.integer(0) }
        }
    }

    @Test("a body that throws leaves nothing, and its error comes out unchanged", arguments: DatabaseKind.allCases)
    func rollback(kind: DatabaseKind) async throws {
        try await withDatabase(kind, migrations: Self.migrations) { database in
            await #expect(throws: Refusal()) {
                try await database.write(of: .everyTenant) { transaction in
                    try transaction.execute("INSERT INTO items VALUES (1, 1)")
                    throw Refusal()
                }
            }
            await #expect(throws: Refusal()) { try await database.read(of: .everyTenant) { _ in throw Refusal() } }
            let ids = try await Self.ids(database)
            #expect(ids.isEmpty)
        }
    }

    @Test(
        "a failed statement kills the transaction, also when the body swallows the error",
        arguments: DatabaseKind.allCases
    )
    func dead(kind: DatabaseKind) async throws {
        try await withDatabase(kind, migrations: Self.migrations) { database in
            let again = Guarded<DatabaseError?>(nil)
            await #expect(throws: DatabaseError(.uniqueViolation, "")) {
                try await database.write(of: .everyTenant) { transaction in
                    try transaction.execute("INSERT INTO items VALUES (1, 1)")
                    _ = try? transaction.execute("INSERT INTO items VALUES (1, 2)")
                    do { try transaction.execute("INSERT INTO items VALUES (3, 3)") } catch {
                        again.value = error as? DatabaseError
                    }
                }
            }
            #expect(again.value?.code == .uniqueViolation)
            let ids = try await Self.ids(database)
            #expect(ids.isEmpty)
        }
    }

    @Test("a savepoint undoes only what was done in it", arguments: DatabaseKind.allCases)
    func savepoints(kind: DatabaseKind) async throws {
        try await withDatabase(kind, migrations: Self.migrations) { database in
            try await database.write(of: .everyTenant) { transaction in
                try transaction.execute("INSERT INTO items VALUES (1, 1)")
                #expect(throws: DatabaseError(.uniqueViolation, "")) {
                    try transaction.savepoint {
                        try transaction.execute("INSERT INTO items VALUES (2, 2)")
                        try transaction.execute("INSERT INTO items VALUES (1, 2)")
                    }
                }
                #expect(throws: Refusal()) {
                    try transaction.savepoint {
                        try transaction.execute("INSERT INTO items VALUES (3, 3)")
                        try transaction.savepoint { _ = try transaction.execute("INSERT INTO items VALUES (4, 4)") }
                        throw Refusal()
                    }
                }
                let inner = try transaction.savepoint {
                    #expect(throws: DatabaseError(.syntax, "")) {
                        try transaction.savepoint { _ = try transaction.rows("SELECT nonsense") }
                    }
                    try transaction.execute("INSERT INTO items VALUES (5, 5)")
                    return try transaction.rows("SELECT id FROM items").count
                }
                #expect(inner == 2)
            }
            #expect(try await Self.ids(database) == [1, 5])
        }
    }

    @Test("a read sees one snapshot throughout", arguments: DatabaseKind.allCases)
    func snapshot(kind: DatabaseKind) async throws {
        try await withDatabase(kind, migrations: Self.migrations) { database in
            try await database.write(of: .everyTenant) { try $0.execute("INSERT INTO items VALUES (1, 1)") }
            let (hasRead, tellsRead) = AsyncStream<Void>.makeStream()
            let goesOn = Guarded(false)
            async let counts = database.read(of: .everyTenant, deadline: .now + .seconds(30)) { transaction in
                let before = try transaction.rows("SELECT id FROM items").count
                tellsRead.yield()
                // The read's own thread may wait here: the test lets it go as soon as the write is committed.
                while !goesOn.value { _ = try transaction.rows("SELECT 1") }
                return [before, try transaction.rows("SELECT id FROM items").count]
            }
            for await _ in hasRead { break }
            try await database.write(of: .everyTenant) { try $0.execute("INSERT INTO items VALUES (2, 2)") }
            goesOn.value = true
            #expect(try await counts == [1, 1])
            #expect(try await Self.ids(database) == [1, 2])
        }
    }

    @Test("a read writes nothing", arguments: DatabaseKind.allCases)
    func readOnly(kind: DatabaseKind) async throws {
        try await withDatabase(kind, migrations: Self.migrations) { database in
            await #expect(throws: DatabaseError(.readOnly, "")) {
                try await database.read(of: .everyTenant) { try $0.execute("INSERT INTO items VALUES (1, 1)") }
            }
            let ids = try await Self.ids(database)
            #expect(ids.isEmpty)
        }
    }

    @Test("a deferred reference that misses its row fails the write that made it", arguments: DatabaseKind.allCases)
    func deferred(kind: DatabaseKind) async throws {
        try await withDatabase(kind, migrations: Self.migrations) { database in
            try await database.write(of: .everyTenant) { transaction in
                try transaction.execute("INSERT INTO parts VALUES (1, 1)")
                try transaction.execute("INSERT INTO items VALUES (1, 1)")
            }
            await #expect(throws: DatabaseError(.foreignKeyViolation, "")) {
                try await database.write(of: .everyTenant) { try $0.execute("INSERT INTO parts VALUES (2, 99)") }
            }
            #expect(try await database.read(of: .everyTenant) { try $0.rows("SELECT id FROM parts").count } == 1)
        }
    }

    @Test("a body that ends its transaction itself is told so", arguments: DatabaseKind.allCases)
    func ended(kind: DatabaseKind) async throws {
        try await withDatabase(kind, migrations: Self.migrations) { database in
            await #expect(throws: DatabaseError(.internal, "")) {
                try await database.write(of: .everyTenant) { transaction in
                    try transaction.execute("INSERT INTO items VALUES (1, 1)")
                    try transaction.execute("ROLLBACK")
                }
            }
            let ids = try await Self.ids(database)
            #expect(ids.isEmpty)
            try await database.write(of: .everyTenant) { _ in }
        }
    }

    @Test("a kept transaction is of no use", arguments: DatabaseKind.allCases)
    func kept(kind: DatabaseKind) async throws {
        final class Keeper: @unchecked Sendable { var transaction: (any Transaction)? }
        try await withDatabase(kind, migrations: Self.migrations) { database in
            let keeper = Keeper()
            try await database.write(of: .everyTenant) { keeper.transaction = $0 }
            #expect(throws: DatabaseError(.internal, "")) { try keeper.transaction?.rows("SELECT 1") }
        }
    }

    @Test("rows are streamed, and a loop may be left", arguments: DatabaseKind.allCases)
    func streaming(kind: DatabaseKind) async throws {
        let count = 20_000
        try await withDatabase(kind, migrations: Self.migrations) { database in
            let numbers = """
                WITH RECURSIVE numbers (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < \(count))
                SELECT n FROM numbers
                """
            let (sum, seen) = try await database.write(of: .everyTenant) { transaction in
                var sum: Int64 = 0
                try transaction.forEachRow(numbers) { row in sum += try row.integer(0) }
                var seen = 0
                #expect(throws: Refusal()) {
                    try transaction.forEachRow(numbers) { _ in
                        seen += 1
                        if seen == 10 { throw Refusal() }
                    }
                }
                // Leaving the loop didn't kill the transaction.
                try transaction.execute("INSERT INTO items VALUES (1, 1)")
                return (sum, seen)
            }
            #expect(sum == Int64(count * (count + 1) / 2))
            #expect(seen == 10)
            #expect(try await Self.ids(database) == [1])
            await #expect(throws: DatabaseError(.internal, "")) {
                try await database.read(of: .everyTenant) { transaction in
                    try transaction.forEachRow("SELECT 1") { _ in _ = try transaction.rows("SELECT 2") }
                }
            }
        }
    }

    @Test("writers that change the same row all count", arguments: DatabaseKind.allCases)
    func concurrentWriters(kind: DatabaseKind) async throws {
        try await withDatabase(kind, migrations: Self.migrations) { database in
            try await database.write(of: .everyTenant) { try $0.execute("INSERT INTO items VALUES (0, 0)") }
            let before = database.statistics
            try await withThrowingTaskGroup(of: Void.self) { group in
                for id in 1...64 {
                    group.addTask {
                        try await database.write(of: .everyTenant) { transaction in
                            let next = try transaction.firstRow(
                                "UPDATE items SET value = value + 1 WHERE id = 0 RETURNING value"
                            )
                            try transaction.execute(
                                "INSERT INTO items VALUES ($1, $2)",
                                [SQLValue(id), next?[0] ?? .null]
                            )
                        }
                    }
                }
                try await group.waitForAll()
            }
            let values = try await database.read(of: .everyTenant) { transaction in
                try transaction.rows("SELECT value FROM items WHERE id > 0 ORDER BY value").map { try $0.integer(0) }
            }
            #expect(values == Array(1...64))
            let after = database.statistics
            #expect(after.writes - before.writes == 64)
            #expect(after.failures == before.failures)
            #expect(after.waiting == 0)
        }
    }

    @Test("a lock makes reading and then writing safe", arguments: DatabaseKind.allCases)
    func locks(kind: DatabaseKind) async throws {
        try await withDatabase(kind, migrations: Self.migrations) { database in
            try await database.write(of: .everyTenant) { try $0.execute("INSERT INTO items VALUES (0, 0)") }
            try await withThrowingTaskGroup(of: Void.self) { group in
                for _ in 1...32 {
                    group.addTask {
                        try await database.write(of: .everyTenant) { transaction in
                            try transaction.lock("items")
                            let value =
                                try transaction.firstRow("SELECT value FROM items WHERE id = 0")?.integer(0) ?? 0
                            try transaction.execute("UPDATE items SET value = $1 WHERE id = 0", [SQLValue(value + 1)])
                        }
                    }
                }
                try await group.waitForAll()
            }
            #expect(
                try await database.read(of: .everyTenant) { try $0.firstRow("SELECT value FROM items")?.integer(0) }
                    == 32
            )
        }
    }

    @Test("a closed database refuses work, and closing twice does no harm", arguments: DatabaseKind.allCases)
    func closed(kind: DatabaseKind) async throws {
        try await withDatabase(kind, migrations: Self.migrations) { database in
            await database.close()
            await database.close()
            await #expect(throws: DatabaseError(.closed, "")) {
                try await database.read(of: .everyTenant) { try $0.rows("SELECT 1") }
            }
            await #expect(throws: DatabaseError(.closed, "")) {
                try await database.write(of: .everyTenant) { try $0.rows("SELECT 1") }
            }
        }
    }

    @Test("a sound database has nothing to report", arguments: DatabaseKind.allCases)
    func integrity(kind: DatabaseKind) async throws {
        try await withDatabase(kind, migrations: Self.migrations) { database in
            let findings = try await database.integrityCheck()
            #expect(findings.isEmpty)
        }
    }
}
