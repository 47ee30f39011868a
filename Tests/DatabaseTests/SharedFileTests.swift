import Database
import TestSupport
import Testing

/// Several processes with one SQLite file; pools in one process lock each other out just the same.
@Suite("A SQLite file that is shared")
struct SharedFileTests {
    private static let migrations = [
        Migration(
            id: "test/0001",
            ["CREATE TABLE log (position {int} PRIMARY KEY, writer {int} NOT NULL) {strict}"]
        )
    ]

    @Test("writers of two pools take turns, and nobody loses a write")
    func turns() async throws {
        try await withDatabaseURL(.sqlite) { url in
            let pools = [try await DatabaseOpener.open(url: url), try await DatabaseOpener.open(url: url)]
            try await Migrator.migrate(pools[0], Self.migrations)
            let count = 150
            try await withThrowingTaskGroup(of: Void.self) { group in
                for (writer, pool) in pools.enumerated() {
                    group.addTask {
                        for _ in 0..<count {
                            try await pool.write(of: .everyTenant) { transaction in
                                try transaction.execute("INSERT INTO log (writer) VALUES ($1)", [SQLValue(writer)])
                            }
                        }
                    }
                }
                try await group.waitForAll()
            }
            let writers = try await pools[1].read(of: .everyTenant) { transaction in
                try transaction.rows("SELECT writer FROM log ORDER BY position").map { try $0.integer(0) }
            }
            #expect(writers.count == 2 * count)
            // While both have work, neither writes long alone.
            let firstDone = pools.indices.map { writer in writers.lastIndex(of: Int64(writer)) ?? 0 }.min() ?? 0
            let firstBoth = pools.indices.map { writer in writers.firstIndex(of: Int64(writer)) ?? 0 }.max() ?? 0
            var longest = 0
            var run = 0
            for position in firstBoth..<max(firstBoth, firstDone) {
                run = position > firstBoth && writers[position] == writers[position - 1] ? run + 1 : 1
                longest = max(longest, run)
            }
            #expect(longest <= 40)
            for pool in pools { await pool.close() }
        }
    }

    @Test("who can't get the lock in time is told that it is busy, and gets it later")
    func busy() async throws {
        try await withDatabaseURL(.sqlite) { url in
            let holder = try await DatabaseOpener.open(url: url)
            let other = try await DatabaseOpener.open(url: url)
            try await Migrator.migrate(holder, Self.migrations)
            try await withOccupied(holder, writes: true) {
                await #expect(throws: DatabaseError(.busy, "")) {
                    try await other.write(of: .everyTenant, deadline: .now + .seconds(1)) {
                        try $0.execute("INSERT INTO log (writer) VALUES (1)")
                    }
                }
                let cancelled = Task {
                    try await other.write(of: .everyTenant) { try $0.execute("INSERT INTO log (writer) VALUES (2)") }
                }
                try await eventually("it waits") { other.statistics.waiting == 1 }
                cancelled.cancel()
                await #expect(throws: DatabaseError(.cancelled, "")) { try await cancelled.value }
                // Readers are not kept out.
                let count = try await other.read(of: .everyTenant) { try $0.rows("SELECT writer FROM log").count }
                #expect(count == 0)
            }
            try await other.write(of: .everyTenant) { try $0.execute("INSERT INTO log (writer) VALUES (3)") }
            let writers = try await holder.read(of: .everyTenant) {
                try $0.rows("SELECT writer FROM log").map { try $0.integer(0) }
            }
            #expect(writers == [3])
            await other.close()
            await holder.close()
        }
    }

    @Test("what one has committed the other reads at once")
    func visibility() async throws {
        try await withDatabaseURL(.sqlite) { url in
            let writer = try await DatabaseOpener.open(url: url)
            let reader = try await DatabaseOpener.open(url: url)
            try await Migrator.migrate(writer, Self.migrations)
            for position in 1...20 {
                try await writer.write(of: .everyTenant) { try $0.execute("INSERT INTO log (writer) VALUES (0)") }
                let count = try await reader.read(of: .everyTenant) { try $0.rows("SELECT position FROM log").count }
                #expect(count == position)
            }
            await writer.close()
            await reader.close()
        }
    }
}
