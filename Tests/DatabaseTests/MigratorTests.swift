import Database
import Domain
import TestSupport
import Testing

@Suite("Migrations")
struct MigratorTests {
    private static let first = Migration(id: "a/0001", ["CREATE TABLE one (id {int} PRIMARY KEY) {strict}"])
    private static let second = Migration(
        id: "a/0002",
        ["ALTER TABLE one ADD COLUMN name {text}", "INSERT INTO one (id, name) VALUES (1, 'first')"]
    )
    private static let other = Migration(id: "b/0001", ["CREATE TABLE two (id {int} PRIMARY KEY) {strict}"])

    @Test("are applied once, in order, also when a module brings another later", arguments: DatabaseKind.allCases)
    func order(kind: DatabaseKind) async throws {
        try await withDatabase(kind) { database in
            let all = [Self.first, Self.second, Self.other]
            let pending = try await Migrator.pending(database, all)
            #expect(pending == ["a/0001", "a/0002", "b/0001"])
            try await Migrator.migrate(database, [Self.first, Self.other])
            try await Migrator.migrate(database, all)
            try await Migrator.migrate(database, all)
            let rows = try await database.read(of: .everyTenant) { transaction in
                try transaction.rows("SELECT id, position, applied_at FROM schema_migrations ORDER BY position")
            }
            #expect(try rows.map { try $0.text(0) } == ["a/0001", "b/0001", "a/0002"])
            #expect(try rows.map { try $0.integer(1) } == [1, 2, 3])
            // Later than 2020, in microseconds.
            #expect(try rows.allSatisfy { try $0.integer(2) > 1_577_836_800_000_000 })
            let name = try await database.read(of: .everyTenant) { try $0.firstRow("SELECT name FROM one")?.text(0) }
            #expect(name == "first")
            let left = try await Migrator.pending(database, all)
            #expect(left.isEmpty)
        }
    }

    @Test("leave nothing when a statement fails", arguments: DatabaseKind.allCases)
    func failure(kind: DatabaseKind) async throws {
        try await withDatabase(kind) { database in
            let broken = Migration(id: "a/0002", ["CREATE TABLE three (id {int})", "INSERT INTO nowhere VALUES (1)"])
            await #expect(throws: DatabaseError(.syntax, "")) {
                try await Migrator.migrate(database, [Self.first, broken])
            }
            let pending = try await Migrator.pending(database, [Self.first, broken])
            #expect(pending == ["a/0002"])
            let mended = Migration(id: "a/0002", ["CREATE TABLE three (id {int})"])
            try await Migrator.migrate(database, [Self.first, mended])
        }
    }

    @Test("refuse a database that a newer program has migrated", arguments: DatabaseKind.allCases)
    func newer(kind: DatabaseKind) async throws {
        try await withDatabase(kind, migrations: [Self.first, Self.second, Self.other]) { database in
            let error = await #expect(throws: DatabaseError(.newerSchema, "")) {
                try await Migrator.migrate(database, [Self.first, Self.other])
            }
            #expect(error?.message.contains("a/0002") == true)
            #expect(error?.kind == .corrupt)
            await #expect(throws: DatabaseError(.newerSchema, "")) {
                try await Migrator.pending(database, [Self.first, Self.other])
            }
        }
    }

    @Test("refuse a database whose migrations were edited or skipped", arguments: DatabaseKind.allCases)
    func damaged(kind: DatabaseKind) async throws {
        try await withDatabase(kind, migrations: [Self.first, Self.second]) { database in
            let edited = Migration(id: "a/0001", ["CREATE TABLE one (id {int} PRIMARY KEY, more {int}) {strict}"])
            await #expect(throws: DatabaseError(.damagedMigration, "")) {
                try await Migrator.migrate(database, [edited, Self.second])
            }
            let earlier = Migration(id: "a/0000", ["CREATE TABLE zero (id {int})"])
            await #expect(throws: DatabaseError(.damagedMigration, "")) {
                try await Migrator.migrate(database, [earlier, Self.first, Self.second])
            }
            let indented = Migration(id: "a/0001", ["\n    CREATE  TABLE one\n\t(id {int} PRIMARY KEY) {strict}\n"])
            try await Migrator.migrate(database, [indented, Self.second])
        }
    }

    @Test("are applied once when several processes start together", arguments: DatabaseKind.allCases)
    func race(kind: DatabaseKind) async throws {
        try await withDatabaseURL(kind) { url in
            let all = (1...10).map { number in
                Migration(
                    id: "race/\(number)",
                    ["CREATE TABLE race_\(number) (id {int})", "INSERT INTO race_\(number) VALUES (\(number))"]
                )
            }
            var options = DatabaseOptions()
            options.connectionsMax = 2
            var databases: [any SQLDatabase] = []
            for _ in 0..<4 { databases.append(try await DatabaseOpener.open(url: url, options: options)) }
            try await withThrowingTaskGroup(of: Void.self) { group in
                for database in databases { group.addTask { try await Migrator.migrate(database, all) } }
                try await group.waitForAll()
            }
            let count = try await databases[0].read(of: .everyTenant) { transaction in
                try transaction.firstRow("SELECT COUNT(*) FROM schema_migrations")?.integer(0)
            }
            #expect(count == 10)
            for database in databases { await database.close() }
        }
    }

    @Test("must have different names", arguments: DatabaseKind.allCases)
    func duplicates(kind: DatabaseKind) async throws {
        try await withDatabase(kind) { database in
            await #expect(throws: DatabaseError(.internal, "")) {
                try await Migrator.migrate(database, [Self.first, Self.first])
            }
            try await Migrator.migrate(database, [])
        }
    }

    @Test("may differ between the engines, and spell types as each needs")
    func spelling() {
        let migration = Migration(id: "x", sqlite: ["CREATE {int}"], postgres: ["MAKE {int}"])
        #expect(migration.statements(for: .sqlite) == ["CREATE INTEGER"])
        #expect(migration.statements(for: .postgres) == ["MAKE BIGINT"])
        let all = Migration(id: "y", ["({int}, {real}, {text}, {bytes}) {strict}"])
        #expect(all.statements(for: .sqlite) == ["(INTEGER, REAL, TEXT, BLOB) STRICT"])
        #expect(all.statements(for: .postgres) == ["(BIGINT, DOUBLE PRECISION, TEXT COLLATE \"C\", BYTEA) "])
    }
}
