import Database
import Domain
import TestSupport
import Testing

@Suite("Row security")
struct RowSecurityTests {
    private static let first = Migration(
        id: "rows/0001",
        [
            "CREATE TABLE houses (id {text} NOT NULL PRIMARY KEY) {strict}",
            "CREATE TABLE doors (tenant {text} NOT NULL REFERENCES houses (id), number {int} NOT NULL) {strict}",
            "CREATE TABLE streets (name {text} NOT NULL PRIMARY KEY) {strict}",
            "INSERT INTO houses (id) VALUES ('\(mine)'), ('\(other)')",
            "INSERT INTO doors (tenant, number) VALUES ('\(mine)', 1), ('\(other)', 2), ('\(other)', 3)",
            "INSERT INTO streets (name) VALUES ('long')",
        ]
    )
    private static let second = Migration(
        id: "rows/0002",
        [
            "CREATE TABLE windows (tenant {text} NOT NULL, number {int} NOT NULL) {strict}",
            "INSERT INTO windows (tenant, number) VALUES ('\(other)', 4)",
        ]
    )
    private static let mine = TenantID.random()
    private static let other = TenantID.random()

    private static func numbers(_ table: String, _ scope: RowScope, _ database: any SQLDatabase) async throws -> [Int64]
    {
        try await database.read(of: scope) {
            try $0.rows("SELECT number FROM \(table) ORDER BY number").map { try $0.integer(0) }
        }
    }

    @Test("AUTHZ-10: each transaction has the scope that it was opened with, on one connection after the other")
    func scopes() async throws {
        var one = DatabaseOptions()
        one.connectionsMax = 1
        try await withDatabase(.postgres, migrations: [Self.first], options: one) { database in
            for _ in 0..<3 {
                var seen: [[Int64]] = []
                for scope in [.tenant(Self.mine), .everyTenant, .owner, .server, .tenant(Self.other)] as [RowScope] {
                    seen.append(try await Self.numbers("doors", scope, database))
                }
                #expect(seen == [[1], [1, 2, 3], [1, 2, 3], [], [2, 3]])
            }
        }
    }

    @Test("AUTHZ-10: however a transaction begins, its scope holds from its first statement")
    func beginnings() async throws {
        try await withDatabase(.postgres, migrations: [Self.first]) { database in
            let scope = RowScope.tenant(Self.mine)
            let streamed = try await database.read(of: scope) { transaction in
                var numbers: [Int64] = []
                try transaction.forEachRow("SELECT number FROM doors") { numbers.append(try $0.integer(0)) }
                return numbers
            }
            #expect(streamed == [1])
            let changed = try await database.write(of: scope) { transaction in
                try transaction.execute("UPDATE doors SET number = $1 WHERE number >= $1", each: [[1], [2], [3]])
            }
            #expect(changed == 1)
            let saved = try await database.write(of: scope) { transaction in
                try transaction.savepoint { try transaction.rows("SELECT number FROM doors").count }
            }
            #expect(saved == 1)
            let locked = try await database.write(of: scope) { transaction in
                try transaction.lock("doors")
                return try transaction.rows("SELECT number FROM doors").count
            }
            #expect(locked == 1)
        }
    }

    @Test("AUTHZ-10: what references the tenant's column points at is kept too; what belongs to nobody is open")
    func referred() async throws {
        try await withDatabase(.postgres, migrations: [Self.first]) { database in
            let houses = try await database.read(of: .tenant(Self.mine)) {
                try $0.rows("SELECT id FROM houses").map { try $0.text(0) }
            }
            #expect(houses == [Self.mine.description])
            for scope in [RowScope.tenant(Self.mine), .server, .everyTenant] {
                let streets = try await database.read(of: scope) { try $0.rows("SELECT name FROM streets").count }
                #expect(streets == 1)
            }
        }
    }

    @Test("AUTHZ-10: a table that a later migration brings is kept as well; with nothing new, nothing is written")
    func later() async throws {
        try await withDatabase(.postgres, migrations: [Self.first]) { database in
            try await Migrator.migrate(database, [Self.first, Self.second])
            #expect(try await Self.numbers("windows", .tenant(Self.mine), database) == [])
            #expect(try await Self.numbers("windows", .everyTenant, database) == [4])
            let writes = database.statistics.writes
            try await Migrator.migrate(database, [Self.first, Self.second])
            #expect(database.statistics.writes == writes)
        }
    }

    @Test("AUTHZ-10: what was migrated before there was row security, or lost it since, gets it with the next start")
    func again() async throws {
        try await withDatabase(.postgres, migrations: [Self.first]) { database in
            for loss in [
                "DROP POLICY pyairtable_scope ON doors", "ALTER TABLE doors DISABLE ROW LEVEL SECURITY",
                "ALTER TABLE doors NO FORCE ROW LEVEL SECURITY",
            ] {
                try await database.write(of: .owner) { _ = try $0.execute(loss) }
                try await Migrator.migrate(database, [Self.first])
                let numbers = try await Self.numbers("doors", .tenant(Self.mine), database)
                #expect(numbers == [1], "after \(loss)")
                let isForced = try await database.read(of: .owner) {
                    try $0.firstRow("SELECT 1 FROM pg_class WHERE relname = 'doors' AND relforcerowsecurity") != nil
                }
                #expect(isForced, "after \(loss)")
            }
        }
    }

    @Test("AUTHZ-10: another process that opens the database is held by it from its first transaction")
    func opened() async throws {
        try await withDatabaseURL(.postgres) { url in
            let first = try await DatabaseOpener.open(url: url)
            try await Migrator.migrate(first, [Self.first])
            await first.close()
            let second = try await DatabaseOpener.open(url: url)
            let numbers = try await Self.numbers("doors", .tenant(Self.mine), second)
            let gaps = try await RowSecurity.gaps(second)
            await second.close()
            #expect(numbers == [1])
            #expect(gaps == [])
        }
    }

    // MARK: Whom the URL names

    @Test(
        "AUTHZ-10: an owner without special rights is held with no role; one who may make roles gets it",
        arguments: ["NOCREATEROLE", "CREATEROLE"]
    )
    func plainOwner(_ right: String) async throws {
        try await withPostgresUser(right) { url in
            let database = try await DatabaseOpener.open(url: url)
            try await Migrator.migrate(database, [Self.first])
            let user = try await database.read(of: .server) { try $0.firstRow("SELECT current_user::text")?.text(0) }
            let numbers = try await Self.numbers("doors", .tenant(Self.mine), database)
            let all = try await Self.numbers("doors", .everyTenant, database)
            let gaps = try await RowSecurity.gaps(database)
            // References are checked by the tables' owner, whom the policies hold too.
            try await database.write(of: .tenant(Self.mine)) { transaction in
                _ = try transaction.execute(
                    "INSERT INTO doors (tenant, number) VALUES ($1, 9)",
                    [.text(Self.mine.description)]
                )
            }
            let writes = database.statistics.writes
            try await Migrator.migrate(database, [Self.first])
            #expect(database.statistics.writes == writes)
            await database.close()
            #expect(user?.hasPrefix("pyairtable_rows_") == (right == "CREATEROLE"))
            #expect(numbers == [1])
            #expect(all == [1, 2, 3])
            #expect(gaps == [])
        }
    }

    @Test("AUTHZ-10: a user above row security, who may make no role, is told which tables are open")
    func bypassing() async throws {
        try await withPostgresUser("BYPASSRLS NOCREATEROLE") { url in
            let database = try await DatabaseOpener.open(url: url)
            try await Migrator.migrate(database, [Self.first])
            let gaps = try await RowSecurity.gaps(database)
            let numbers = try await Self.numbers("doors", .tenant(Self.mine), database)
            await database.close()
            #expect(gaps == ["doors", "houses"])
            #expect(numbers == [1, 2, 3])
        }
    }
}
