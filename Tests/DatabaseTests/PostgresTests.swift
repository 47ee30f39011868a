import Database
import Foundation
import TestSupport
import Testing

@Suite("PostgreSQL")
struct PostgresTests {
    private static let migrations = [
        Migration(
            id: "test/0001",
            [
                "CREATE TABLE items (id {int} PRIMARY KEY, value {int} NOT NULL DEFAULT 0)",
                "INSERT INTO items (id) VALUES (1), (2)",
            ]
        )
    ]

    private static let one: DatabaseOptions = {
        var options = DatabaseOptions()
        options.connectionsMax = 1
        return options
    }()

    private static func ids(_ database: any SQLDatabase) async throws -> [Int64] {
        try await database.read(of: .everyTenant) {
            try $0.rows("SELECT id FROM items ORDER BY id").map { try $0.integer(0) }
        }
    }

    @Test("a connection that was lost while idle is replaced unnoticed")
    func lostWhileIdle() async throws {
        try await withDatabase(.postgres, migrations: Self.migrations, options: Self.one) { database in
            for writes in [false, true] {
                let pid: @Sendable (any Transaction) throws -> Int64 = {
                    try $0.firstRow("SELECT pg_backend_pid()")?.integer(0) ?? 0
                }
                let before =
                    try await writes ? database.write(of: .everyTenant, pid) : database.read(of: .everyTenant, pid)
                try await Self.terminate(before)
                let after =
                    try await writes ? database.write(of: .everyTenant, pid) : database.read(of: .everyTenant, pid)
                #expect(before != after)
            }
            #expect(database.statistics.reconnects == 2)
        }
    }

    @Test("a write whose connection is lost before its commit is run again, and stored once")
    func lostInBody() async throws {
        try await withDatabase(.postgres, migrations: Self.migrations, options: Self.one) { database in
            let attempts = Guarded(0)
            try await database.write(of: .everyTenant) { transaction in
                attempts.update { $0 += 1 }
                try transaction.execute("INSERT INTO items (id) VALUES (7)")
                if attempts.value == 1 { try transaction.execute("SELECT pg_terminate_backend(pg_backend_pid())") }
            }
            #expect(attempts.value == 2)
            let ids = try await Self.ids(database)
            #expect(ids == [1, 2, 7])
        }
    }

    @Test("a commit whose answer is lost has an unknown outcome, and is not repeated")
    func lostInCommit() async throws {
        let killer = Migration(
            id: "test/0002",
            [
                """
                CREATE FUNCTION die() RETURNS trigger LANGUAGE plpgsql AS
                $$ BEGIN PERFORM pg_terminate_backend(pg_backend_pid()); RETURN NULL; END $$
                """,
                """
                CREATE CONSTRAINT TRIGGER dies AFTER INSERT ON items DEFERRABLE INITIALLY DEFERRED
                FOR EACH ROW EXECUTE FUNCTION die()
                """,
            ]
        )
        try await withDatabase(.postgres, migrations: Self.migrations + [killer]) { database in
            let attempts = Guarded(0)
            await #expect(throws: DatabaseError(.outcomeUnknown, "")) {
                try await database.write(of: .everyTenant) { transaction in
                    attempts.update { $0 += 1 }
                    try transaction.execute("INSERT INTO items (id) VALUES (7)")
                }
            }
            #expect(attempts.value == 1)
            let ids = try await Self.ids(database)
            #expect(ids == [1, 2])
        }
    }

    @Test("a write that loses a race is run again")
    func serialization() async throws {
        let racer = Migration(
            id: "test/0002",
            [
                """
                CREATE FUNCTION lose() RETURNS void LANGUAGE plpgsql AS
                $$ BEGIN RAISE EXCEPTION 'lost' USING ERRCODE = 'serialization_failure'; END $$
                """
            ]
        )
        try await withDatabase(.postgres, migrations: Self.migrations + [racer]) { database in
            let attempts = Guarded(0)
            try await database.write(of: .everyTenant) { transaction in
                attempts.update { $0 += 1 }
                try transaction.execute("INSERT INTO items (id) VALUES (7)")
                // Whatever the body makes of it, and inside a savepoint too.
                if attempts.value == 1 { _ = try? transaction.execute("SELECT lose()") }
                if attempts.value == 2 { try? transaction.savepoint { _ = try transaction.rows("SELECT lose()") } }
            }
            #expect(attempts.value == 3)
            let ids = try await Self.ids(database)
            #expect(ids == [1, 2, 7])
            await #expect(throws: DatabaseError(.busy, "")) {
                try await database.write(of: .everyTenant, deadline: .now + .seconds(20)) {
                    try $0.execute("SELECT lose()")
                }
            }
            #expect(database.statistics.retries == 2 + DatabaseOptions().retriesMax)
        }
    }

    @Test("two writes that lock each other out are both stored in the end")
    func deadlock() async throws {
        try await withDatabase(.postgres, migrations: Self.migrations) { database in
            let locked = Guarded<Set<Int>>([])
            try await withThrowingTaskGroup(of: Void.self) { group in
                for (own, others) in [(1, 2), (2, 1)] {
                    group.addTask {
                        try await database.write(of: .everyTenant) { transaction in
                            let add = "UPDATE items SET value = value + 1 WHERE id = $1"
                            try transaction.execute(add, [SQLValue(own)])
                            locked.update { $0.insert(own) }
                            while locked.value.count < 2 { _ = try transaction.rows("SELECT 1") }
                            try transaction.execute(add, [SQLValue(others)])
                        }
                    }
                }
                try await group.waitForAll()
            }
            let values = try await database.read(of: .everyTenant) { transaction in
                try transaction.rows("SELECT value FROM items ORDER BY id").map { try $0.integer(0) }
            }
            #expect(values == [2, 2])
            #expect(database.statistics.retries >= 1)
        }
    }

    @Test("no more connections are open than allowed")
    func bound() async throws {
        var options = DatabaseOptions()
        options.connectionsMax = 3
        try await withDatabase(.postgres, options: options) { database in
            let most = try await withThrowingTaskGroup(of: Int64.self) { group in
                for _ in 0..<30 {
                    group.addTask {
                        try await database.read(of: .everyTenant) { transaction in
                            _ = try transaction.rows("SELECT pg_sleep(0.005)")
                            let row = try transaction.firstRow(
                                "SELECT COUNT(*) FROM pg_stat_activity WHERE datname = current_database()"
                            )
                            return try row?.integer(0) ?? 0
                        }
                    }
                }
                return try await group.reduce(0, max)
            }
            #expect(most >= 1 && most <= 3)
            #expect(database.statistics.connectionsInUse == 0)
            #expect(database.statistics.connectionsMax == 3)
        }
    }

    @Test("columns of other types are read as text, or as the number they hold")
    func types() async throws {
        try await withDatabase(.postgres) { database in
            let row = try await database.read(of: .everyTenant) { transaction in
                try transaction.firstRow(
                    """
                    SELECT 1::smallint, 2::int, true, 1.5::real, 12::numeric, 0.25::numeric, '\\x00ff'::bytea,
                        '{"a": 1}'::jsonb, DATE '2024-02-29', 'x'::char(3), NULL::uuid, ARRAY[1, 2], 7::oid
                    """
                )
            }
            #expect(
                row?.values == [
                    1, 2, 1, 1.5, 12, 0.25, .bytes([0, 255]), "{\"a\": 1}", "2024-02-29", "x  ", nil, "{1,2}", 7,
                ]
            )
        }
    }

    @Test("one text serves arguments of several kinds")
    func kinds() async throws {
        try await withDatabase(.postgres, options: Self.one) { database in
            let sent: [SQLValue] = [nil, 1, 2.5, "three", .bytes([4]), nil, "three", 1]
            for value in sent {
                let read = try await database.read(of: .everyTenant) { try $0.firstRow("SELECT $1", [value])?[0] }
                #expect(read == value)
            }
            let parsed = try await database.read(of: .everyTenant) { transaction in
                try transaction.firstRow(
                    "SELECT $1::jsonb ->> 'a', $2 = ANY ($3::bigint[])",
                    ["{\"a\": \"b\"}", 2, "{1,2}"]
                )
            }
            #expect(parsed?.values == ["b", 1])
        }
    }

    @Test("TLS is spoken and the certificate checked as the URL says")
    func tls() async throws {
        let certificate = try #require(
            ProcessInfo.processInfo.environment["PYAIRTABLE_TEST_POSTGRES_CERTIFICATE"],
            "run the tests by scripts/with-postgres"
        )
        try await withDatabaseURL(.postgres) { url in
            let byName = url.split(separator: "127.0.0.1").joined(separator: "localhost")
            for (address, query, isSecure) in [
                (url, "sslmode=disable", 0), (url, "sslmode=require", 1),
                (url, "sslmode=verify-full&sslrootcert=\(certificate)", 1),
                (byName, "sslmode=verify-ca&hostaddr=127.0.0.1&sslrootcert=\(certificate)", 1),
            ] {
                let database = try await DatabaseOpener.open(url: "\(address)?\(query)")
                let row = try await database.read(of: .everyTenant) { transaction in
                    try transaction.firstRow("SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()")
                }
                #expect(row?.values == [SQLValue(isSecure)], "\(query)")
                await database.close()
            }
            for (address, query) in [
                (url, "sslmode=verify-full&sslrootcert=/nowhere/root.pem"),
                (byName, "sslmode=verify-full&hostaddr=127.0.0.1&sslrootcert=\(certificate)"),
            ] {
                await #expect(throws: DatabaseError(.configuration, ""), "\(query)") {
                    _ = try await DatabaseOpener.open(url: "\(address)?\(query)")
                }
            }
        }
    }

    /// Ends the backend by another connection, and waits until it is gone.
    private static func terminate(_ pid: Int64) async throws {
        let cluster = try #require(ProcessInfo.processInfo.environment[DatabaseKind.postgresVariable])
        let database = try await DatabaseOpener.open(url: cluster)
        let row = try await database.read(of: .everyTenant) {
            try $0.firstRow("SELECT pg_terminate_backend(CAST($1 AS int), 5000)", [.integer(pid)])
        }
        #expect(row?[0] == 1)
        await database.close()
    }
}
