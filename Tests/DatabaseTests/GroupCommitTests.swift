import Database
import TestSupport
import Testing

@Suite("Group commit on SQLite")
struct GroupCommitTests {
    private struct Refusal: Error, Equatable {}

    private static let migrations = [
        Migration(
            id: "test/0001",
            ["CREATE TABLE items (id {int} PRIMARY KEY, data {bytes}, other {int} REFERENCES items (id)) {strict}"]
        )
    ]

    /// However slow the machine, a group is closed only when nobody waits.
    private static let patient: DatabaseOptions = {
        var options = DatabaseOptions()
        options.groupDuration = .seconds(60)
        return options
    }()

    private static func ids(_ database: any SQLDatabase) async throws -> [Int64] {
        try await database.read(of: .everyTenant) {
            try $0.rows("SELECT id FROM items ORDER BY id").map { try $0.integer(0) }
        }
    }

    /// Lets all `bodies` gather behind a write that is held open, and gives their outcomes.
    private static func gathered(
        _ database: any SQLDatabase,
        _ bodies: [@Sendable (any Transaction) throws -> Void],
        deadline: ContinuousClock.Instant? = nil
    ) async throws -> [Result<Void, any Error>] {
        let tasks = try await withOccupied(database, writes: true) {
            var tasks: [Task<Void, any Error>] = []
            for (position, body) in bodies.enumerated() {
                tasks.append(Task { try await database.write(of: .everyTenant, deadline: deadline, body) })
                try await eventually("the body waits") { database.statistics.waiting == position + 1 }
            }
            return tasks
        }
        var outcomes: [Result<Void, any Error>] = []
        for task in tasks { outcomes.append(await task.result) }
        return outcomes
    }

    @Test("32 writes that wait are committed together")
    func together() async throws {
        try await withDatabase(.sqlite, migrations: Self.migrations, options: Self.patient) { database in
            let before = database.statistics
            let outcomes = try await Self.gathered(
                database,
                (1...32).map { id in { try $0.execute("INSERT INTO items (id) VALUES ($1)", [SQLValue(id)]) } }
            )
            for outcome in outcomes { try outcome.get() }
            let after = database.statistics
            #expect(after.writes - before.writes == 33)
            #expect(after.commits - before.commits == 1)
            #expect(after.groupMax == 33)
            let ids = try await Self.ids(database)
            #expect(ids == Array(1...32))
        }
    }

    @Test("a body that fails, in whatever way, takes nobody with it")
    func isolation() async throws {
        try await withDatabase(.sqlite, migrations: Self.migrations, options: Self.patient) { database in
            let outcomes = try await Self.gathered(
                database,
                [
                    { try $0.execute("INSERT INTO items (id) VALUES (1)") },
                    {
                        try $0.execute("INSERT INTO items (id) VALUES (2)")
                        throw Refusal()
                    },
                    { try $0.execute("INSERT INTO items (id) VALUES (1)") },
                    { _ = try? $0.execute("INSERT INTO items (id) VALUES (1)") },
                    { try $0.execute("INSERT INTO items (id, other) VALUES (5, 99)") },
                    {
                        try $0.execute("PRAGMA defer_foreign_keys = ON")
                        try $0.execute("INSERT INTO items (id, other) VALUES (6, 99)")
                    },
                    {
                        try $0.execute("INSERT INTO items (id) VALUES (7)")
                        try $0.execute("ROLLBACK")
                    },
                    { try $0.execute("INSERT INTO items (id) VALUES (8)") },
                ]
            )
            let codes = outcomes.map { outcome -> String in
                switch outcome {
                case .success: "ok"
                case .failure(let error as DatabaseError): error.code.rawValue
                case .failure(is Refusal): "refusal"
                case .failure: "other"
                }
            }
            #expect(
                codes == [
                    "ok", "refusal", "uniqueViolation", "uniqueViolation", "foreignKeyViolation",
                    "foreignKeyViolation", "internal", "ok",
                ]
            )
            let ids = try await Self.ids(database)
            #expect(ids == [1, 8])
        }
    }

    @Test("a write that is stopped half-way, and so loses the group's transaction, takes nobody with it")
    func interrupted() async throws {
        try await withDatabase(.sqlite, migrations: Self.migrations, options: Self.patient) { database in
            let runs = Guarded(0)
            let (started, tellsStart) = AsyncStream<Void>.makeStream()
            let tasks = try await withOccupied(database, writes: true) {
                var tasks: [Task<Void, any Error>] = []
                for id in 1...6 {
                    let task = Task {
                        try await database.write(of: .everyTenant) { transaction in
                            try transaction.execute("INSERT INTO items (id) VALUES ($1)", [SQLValue(id)])
                            guard id == 4 else { return runs.update { $0 += 1 } }
                            tellsStart.yield()
                            try transaction.execute(
                                """
                                WITH RECURSIVE n (i) AS (SELECT 10 UNION ALL SELECT i + 1 FROM n)
                                INSERT INTO items (id) SELECT i FROM n
                                """
                            )
                        }
                    }
                    tasks.append(task)
                    try await eventually("the body waits") { database.statistics.waiting == id }
                }
                let fourth = tasks[3]
                _ = Task {
                    for await _ in started { break }
                    fourth.cancel()
                }
                return tasks
            }
            for (position, task) in tasks.enumerated() {
                if position == 3 {
                    await #expect(throws: DatabaseError(.cancelled, "")) { try await task.value }
                } else {
                    try await task.value
                }
            }
            let ids = try await Self.ids(database)
            #expect(ids == [1, 2, 3, 5, 6])
            // Those of its group that came before it were run twice; how many shared a group is the machine's load.
            #expect((5...8).contains(runs.value))
        }
    }

    @Test("a database that is full refuses what doesn't fit and goes on")
    func full() async throws {
        try await withDatabase(.sqlite, migrations: Self.migrations, options: Self.patient) { database in
            let size: [SQLValue] = [.bytes([UInt8](repeating: 7, count: 1_000_000))]
            let outcomes = try await Self.gathered(
                database,
                [
                    { try $0.execute("INSERT INTO items (id) VALUES (1)") },
                    { _ = try $0.rows("PRAGMA max_page_count = 100") },
                    { try $0.execute("INSERT INTO items (id, data) VALUES (2, $1)", size) },
                    { try $0.execute("INSERT INTO items (id) VALUES (3)") },
                ]
            )
            try outcomes[0].get()
            #expect(throws: DatabaseError(.full, "")) { try outcomes[2].get() }
            try outcomes[3].get()
            let ids = try await Self.ids(database)
            #expect(ids == [1, 3])
        }
    }

    @Test("a group has a bound")
    func bound() async throws {
        var options = DatabaseOptions()
        options.groupMax = 4
        try await withDatabase(.sqlite, migrations: Self.migrations, options: options) { database in
            let outcomes = try await Self.gathered(
                database,
                (1...18).map { id in { try $0.execute("INSERT INTO items (id) VALUES ($1)", [SQLValue(id)]) } }
            )
            for outcome in outcomes { try outcome.get() }
            #expect(database.statistics.groupMax == 4)
            let ids = try await Self.ids(database)
            #expect(ids.count == 18)
        }
    }
}
