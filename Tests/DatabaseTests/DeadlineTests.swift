import Database
import TestSupport
import Testing

/// What happens to those who wait too long, or give up.
@Suite("Deadlines and cancellation")
struct DeadlineTests {
    private static let migrations = [
        Migration(id: "test/0001", ["CREATE TABLE items (id {int} PRIMARY KEY) {strict}"])
    ]

    /// Runs for hours, unless it is stopped.
    private static func endless(_ kind: DatabaseKind) -> String {
        switch kind {
        case .sqlite:
            "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT MAX(i) FROM n WHERE i < 0"
        case .postgres: "SELECT 1 FROM (SELECT pg_sleep(3600)) AS pause"
        }
    }

    @Test("a statement is stopped at the deadline, and the connection goes on", arguments: DatabaseKind.allCases)
    func deadline(kind: DatabaseKind) async throws {
        var options = DatabaseOptions()
        options.connectionsMax = 1
        try await withDatabase(kind, migrations: Self.migrations, options: options) { database in
            await #expect(throws: DatabaseError(.timedOut, "")) {
                try await database.read(of: .everyTenant, deadline: .now + .milliseconds(100)) {
                    try $0.rows(Self.endless(kind))
                }
            }
            await #expect(throws: DatabaseError(.timedOut, "")) {
                try await database.write(of: .everyTenant, deadline: .now + .milliseconds(100)) { transaction in
                    try transaction.execute("INSERT INTO items VALUES (1)")
                    try transaction.execute(Self.endless(kind))
                }
            }
            await #expect(throws: DatabaseError(.timedOut, "")) {
                try await database.read(of: .everyTenant, deadline: .now - .seconds(1)) { try $0.rows("SELECT 1") }
            }
            let count = try await database.read(of: .everyTenant) { try $0.rows("SELECT id FROM items").count }
            #expect(count == 0)
            #expect(database.statistics.reconnects == 0)
        }
    }

    @Test("a cancelled task's statement is stopped, and the connection goes on", arguments: DatabaseKind.allCases)
    func cancellation(kind: DatabaseKind) async throws {
        var options = DatabaseOptions()
        options.connectionsMax = 1
        try await withDatabase(kind, migrations: Self.migrations, options: options) { database in
            for writes in [false, true] {
                let (started, tellsStart) = AsyncStream<Void>.makeStream()
                let body: @Sendable (any Transaction) throws -> Void = { transaction in
                    tellsStart.yield()
                    _ = try transaction.rows(Self.endless(kind))
                }
                let task = Task {
                    if writes {
                        try await database.write(of: .everyTenant, body)
                    } else {
                        try await database.read(of: .everyTenant, body)
                    }
                }
                for await _ in started { break }
                task.cancel()
                await #expect(throws: DatabaseError(.cancelled, "")) { try await task.value }
            }
            let one = try await database.read(of: .everyTenant) { try $0.firstRow("SELECT 1")?.integer(0) }
            #expect(one == 1)
            #expect(database.statistics.reconnects == 0)
        }
    }

    @Test("a task that was cancelled before it asked gets nothing", arguments: DatabaseKind.allCases)
    func cancelledBefore(kind: DatabaseKind) async throws {
        try await withDatabase(kind, migrations: Self.migrations) { database in
            let task = Task {
                withUnsafeCurrentTask { $0?.cancel() }
                try await database.write(of: .everyTenant) { try $0.execute("INSERT INTO items VALUES (1)") }
            }
            await #expect(throws: DatabaseError(.cancelled, "")) { try await task.value }
            let count = try await database.read(of: .everyTenant) { try $0.rows("SELECT id FROM items").count }
            #expect(count == 0)
        }
    }

    @Test(
        "waiting for a connection ends at the deadline, by cancellation, or when too many wait",
        arguments: DatabaseKind.allCases
    )
    func waiting(kind: DatabaseKind) async throws {
        var options = DatabaseOptions()
        options.connectionsMax = 1
        options.waitersMax = 2
        try await withDatabase(kind, options: options) { database in
            try await withOccupied(database, writes: false) {
                await #expect(throws: DatabaseError(.timedOut, "")) {
                    try await database.read(of: .everyTenant, deadline: .now + .milliseconds(20)) {
                        try $0.rows("SELECT 1")
                    }
                }
                let waiting = (0..<2).map { _ in
                    Task { try await database.read(of: .everyTenant) { try $0.rows("SELECT 1") } }
                }
                try await eventually("two wait") { database.statistics.waiting == 2 }
                await #expect(throws: DatabaseError(.busy, "")) {
                    try await database.read(of: .everyTenant) { try $0.rows("SELECT 1") }
                }
                for task in waiting { task.cancel() }
                for task in waiting {
                    await #expect(throws: DatabaseError(.cancelled, "")) { _ = try await task.value }
                }
                #expect(database.statistics.waiting == 0)
                #expect(database.statistics.connectionsInUse == 1)
            }
            let one = try await database.read(of: .everyTenant) { try $0.firstRow("SELECT 1")?.integer(0) }
            #expect(one == 1)
            #expect(database.statistics.connectionsInUse == 0)
        }
    }

    @Test("waiting to write to SQLite ends at the deadline, by cancellation, or when too many wait")
    func waitingToWrite() async throws {
        var options = DatabaseOptions()
        options.waitersMax = 2
        try await withDatabase(.sqlite, migrations: Self.migrations, options: options) { database in
            try await withOccupied(database, writes: true) {
                let insert: @Sendable (any Transaction) throws -> Void = {
                    try $0.execute("INSERT INTO items VALUES (1)")
                }
                await #expect(throws: DatabaseError(.timedOut, "")) {
                    try await database.write(of: .everyTenant, deadline: .now + .milliseconds(20), insert)
                }
                let waiting = (0..<2).map { _ in Task { try await database.write(of: .everyTenant, insert) } }
                try await eventually("two wait") { database.statistics.waiting == 2 }
                await #expect(throws: DatabaseError(.busy, "")) { try await database.write(of: .everyTenant, insert) }
                for task in waiting { task.cancel() }
                for task in waiting { await #expect(throws: DatabaseError(.cancelled, "")) { try await task.value } }
            }
            let count = try await database.read(of: .everyTenant) { try $0.rows("SELECT id FROM items").count }
            #expect(count == 0)
        }
    }

    @Test("closing waits for work in hand and refuses what waits", arguments: DatabaseKind.allCases)
    func closing(kind: DatabaseKind) async throws {
        var options = DatabaseOptions()
        options.connectionsMax = 1
        try await withDatabase(kind, options: options) { database in
            let closed = Guarded(false)
            let closer = try await withOccupied(database, writes: false) {
                let waiting = Task { try await database.read(of: .everyTenant) { try $0.rows("SELECT 1") } }
                try await eventually("one waits") { database.statistics.waiting == 1 }
                let closer = Task {
                    await database.close()
                    closed.value = true
                }
                await #expect(throws: DatabaseError(.closed, "")) { _ = try await waiting.value }
                #expect(!closed.value)
                return closer
            }
            await closer.value
            #expect(closed.value)
        }
    }
}

/// Runs `body` while a transaction of `database` is held open, and ends that one well afterwards.
func withOccupied<T: Sendable>(
    _ database: any SQLDatabase,
    writes: Bool,
    _ body: () async throws -> T
) async throws -> T {
    let (started, tellsStart) = AsyncStream<Void>.makeStream()
    let isOver = Guarded(false)
    let hold: @Sendable (any Transaction) throws -> Void = { transaction in
        tellsStart.yield()
        // The database's own thread, which may wait.
        while !isOver.value { _ = try transaction.rows("SELECT 1") }
    }
    async let holder: Void = writes ? database.write(of: .everyTenant, hold) : database.read(of: .everyTenant, hold)
    for await _ in started { break }
    let result: Result<T, any Error>
    do { result = .success(try await body()) } catch { result = .failure(error) }
    isOver.value = true
    try await holder
    return try result.get()
}
