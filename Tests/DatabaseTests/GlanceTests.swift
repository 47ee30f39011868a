import Database
import TestSupport
import Testing

/// Reads of a few rows, by the thread that asks where that is possible.
@Suite("Glances")
struct GlanceTests {
    private struct Refusal: Error, Equatable {}

    private static let migrations = [
        Migration(id: "test/0001", ["CREATE TABLE items (id {int} PRIMARY KEY) {strict}"])
    ]

    private static let endless =
        "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT MAX(i) FROM n WHERE i < 0"

    @Test("a glance sees what is committed, passes errors on and writes nothing", arguments: DatabaseKind.allCases)
    func reads(kind: DatabaseKind) async throws {
        try await withDatabase(kind, migrations: Self.migrations) { database in
            try await database.write(of: .everyTenant) { try $0.execute("INSERT INTO items VALUES (7)") }
            let id = try await database.glance(of: .everyTenant, deadline: nil) {
                try $0.firstRow("SELECT id FROM items").map { try $0.integer(0) }
            }
            #expect(id == 7)
            await #expect(throws: Refusal()) {
                try await database.glance(of: .everyTenant, deadline: nil) { _ in throw Refusal() }
            }
            await #expect(throws: DatabaseError(.readOnly, "")) {
                try await database.glance(of: .everyTenant, deadline: nil) { try $0.execute("DELETE FROM items") }
            }
            let count = try await database.glance(of: .everyTenant, deadline: nil) {
                try $0.rows("SELECT id FROM items").count
            }
            #expect(count == 1)
        }
    }

    @Test("what takes longer than a glance is begun again, and has all the time it is given")
    func tooLong() async throws {
        var options = DatabaseOptions()
        options.glanceMax = .zero
        try await withDatabase(.sqlite, migrations: Self.migrations, options: options) { database in
            let begun = Guarded(0)
            let sum = try await database.glance(of: .everyTenant, deadline: nil) { transaction in
                begun.update { $0 += 1 }
                return try transaction.firstRow(
                    "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 1000) SELECT SUM(i) FROM n"
                ).map { try $0.integer(0) }
            }
            #expect(sum == 500_500)
            #expect(begun.value >= 1)
        }
    }

    @Test("one that is stopped while its transaction begins leaves none open", arguments: 1...12)
    func stoppedAtOnce(microseconds: Int) async throws {
        var options = DatabaseOptions()
        options.connectionsMax = 1
        options.glanceMax = .microseconds(microseconds)
        try await withDatabase(.sqlite, migrations: Self.migrations, options: options) { database in
            // SQLite asks every 2,000 steps whether to stop, over all uses of a statement.
            for _ in 0..<100_000 {
                _ = try await database.glance(of: .everyTenant, deadline: nil) { _ in 1 }
            }
        }
    }

    @Test("a statement that runs for hours leaves the thread, and is stopped at the deadline")
    func endless() async throws {
        try await withDatabase(.sqlite, migrations: Self.migrations) { database in
            let begun = Guarded(0)
            await #expect(throws: DatabaseError(.timedOut, "")) {
                try await database.glance(of: .everyTenant, deadline: .now + .milliseconds(200)) { transaction in
                    begun.update { $0 += 1 }
                    return try transaction.rows(Self.endless)
                }
            }
            #expect(begun.value == 2, "once by whoever asked, once by the database's own thread")
            #expect(database.statistics.connectionsInUse == 0)
        }
    }

    @Test("a glance waits for a connection when none is free, as long as its deadline allows")
    func noneFree() async throws {
        var options = DatabaseOptions()
        options.connectionsMax = 1
        try await withDatabase(.sqlite, migrations: Self.migrations, options: options) { database in
            let (started, tellsStart) = AsyncStream<Void>.makeStream()
            let holder = Task {
                try await database.read(of: .everyTenant) { transaction in
                    tellsStart.yield()
                    return try transaction.rows(Self.endless)
                }
            }
            for await _ in started { break }
            await #expect(throws: DatabaseError(.timedOut, "")) {
                try await database.glance(of: .everyTenant, deadline: .now + .milliseconds(50)) {
                    try $0.rows("SELECT 1")
                }
            }
            let waiting = Task {
                try await database.glance(of: .everyTenant, deadline: nil) { try $0.rows("SELECT 1").count }
            }
            holder.cancel()
            let count = try await waiting.value
            #expect(count == 1)
        }
    }

    @Test("a closed database has nothing to glance at", arguments: DatabaseKind.allCases)
    func closed(kind: DatabaseKind) async throws {
        try await withDatabase(kind, migrations: Self.migrations) { database in
            await database.close()
            await #expect(throws: DatabaseError(.closed, "")) {
                try await database.glance(of: .everyTenant, deadline: nil) { try $0.rows("SELECT 1") }
            }
        }
    }
}
