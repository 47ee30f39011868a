/// Brings a database's schema up to date, and then PostgreSQL's row security (`RowSecurity`).
///
/// Each migration is a transaction of its own, together with its line in `schema_migrations`. Processes that start
/// at the same time take turns, and each looks again at what is applied inside its transaction.
public enum Migrator {
    /// Applies what is missing, in the order given.
    ///
    /// - Throws: `newerSchema` when the database holds migrations that aren't in `migrations`;
    ///   `damagedMigration` when one that is applied has another checksum, or one that is missing stands before
    ///   an applied one of the same module. Nothing is changed then.
    public static func migrate(_ database: any SQLDatabase, _ migrations: [Migration]) async throws {
        try checkUnique(migrations)
        if try await !isCurrent(database, migrations) { try await apply(database, migrations) }
        try await RowSecurity.secure(database)
    }

    private static func apply(_ database: any SQLDatabase, _ migrations: [Migration]) async throws {
        try await database.write(of: .owner) { transaction in
            try transaction.lock(lockName)
            for statement in table.statements(for: transaction.dialect) { try transaction.execute(statement) }
        }
        while try await applyNext(database, migrations) {}
    }

    /// The identifiers of migrations that `migrate` would apply. Changes nothing.
    public static func pending(_ database: any SQLDatabase, _ migrations: [Migration]) async throws -> [String] {
        try checkUnique(migrations)
        return try await database.read(of: .owner) { transaction in
            try missing(migrations, applied: applied(transaction), transaction.dialect).map(\.id)
        }
    }

    static let lockName = "schema_migrations"

    private static let table = Migration(
        id: "schema_migrations",
        [
            """
            CREATE TABLE IF NOT EXISTS schema_migrations (
                id {text} PRIMARY KEY,
                checksum {text} NOT NULL,
                position {int} NOT NULL,
                applied_at {int} NOT NULL
            ) {strict}
            """
        ]
    )

    /// The usual start: nothing to do, and so nothing is locked.
    private static func isCurrent(_ database: any SQLDatabase, _ migrations: [Migration]) async throws -> Bool {
        try await database.read(of: .owner) { transaction in
            guard try hasTable(transaction) else { return false }
            return try missing(migrations, applied: applied(transaction), transaction.dialect).isEmpty
        }
    }

    private static func applyNext(_ database: any SQLDatabase, _ migrations: [Migration]) async throws -> Bool {
        try await database.write(of: .owner) { transaction in
            try transaction.lock(lockName)
            let applied = try applied(transaction)
            guard let next = try missing(migrations, applied: applied, transaction.dialect).first else { return false }
            for statement in next.statements(for: transaction.dialect) { try transaction.execute(statement) }
            let now = transaction.dialect == .sqlite ? sqliteNow : postgresNow
            try transaction.execute(
                "INSERT INTO schema_migrations (id, checksum, position, applied_at) VALUES ($1, $2, $3, \(now))",
                [
                    .text(next.id), .text(next.checksum(for: transaction.dialect)), SQLValue(applied.count + 1),
                ]
            )
            return true
        }
    }

    private static let sqliteNow = "CAST(strftime('%s', 'now') AS INTEGER) * 1000000"
    private static let postgresNow = "CAST(extract(epoch FROM clock_timestamp()) * 1000000 AS BIGINT)"

    private static func hasTable(_ transaction: any Transaction) throws -> Bool {
        let sql =
            switch transaction.dialect {
            case .sqlite: "SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = 'schema_migrations'"
            case .postgres: "SELECT 1 WHERE to_regclass('schema_migrations') IS NOT NULL"
            }
        return try transaction.firstRow(sql) != nil
    }

    /// Checksums by identifier; empty for a database that was never migrated.
    private static func applied(_ transaction: any Transaction) throws -> [String: String] {
        guard try hasTable(transaction) else { return [:] }
        let rows = try transaction.rows("SELECT id, checksum FROM schema_migrations ORDER BY position")
        return Dictionary(try rows.map { (try $0.text(0), try $0.text(1)) }, uniquingKeysWith: { first, _ in first })
    }

    /// What is missing, in order; refuses a database that these migrations don't fit.
    private static func missing(
        _ migrations: [Migration],
        applied: [String: String],
        _ dialect: SQLDialect
    ) throws(DatabaseError) -> [Migration] {
        let unknown = Set(applied.keys).subtracting(migrations.map(\.id)).sorted()
        guard unknown.isEmpty else {
            throw DatabaseError(
                .newerSchema,
                "the database was migrated by a newer program (it has \(unknown.joined(separator: ", ")))",
                hint: "use that version, or restore a backup made before"
            )
        }
        var missing: [Migration] = []
        for migration in migrations {
            guard let checksum = applied[migration.id] else {
                missing.append(migration)
                continue
            }
            guard checksum == migration.checksum(for: dialect) else {
                throw damaged("migration \(migration.id) is not the one that was applied")
            }
            if let skipped = missing.first(where: { module($0) == module(migration) }) {
                throw damaged("migration \(migration.id) was applied without \(skipped.id), which comes before it")
            }
        }
        return missing
    }

    private static func module(_ migration: Migration) -> Substring { migration.id.prefix { $0 != "/" } }

    private static func damaged(_ message: String) -> DatabaseError {
        DatabaseError(.damagedMigration, message, hint: "use the version that made the database, or restore a backup")
    }

    private static func checkUnique(_ migrations: [Migration]) throws(DatabaseError) {
        var seen: Set<String> = []
        for migration in migrations where !seen.insert(migration.id).inserted {
            throw .internalError("two migrations are called \(migration.id)")
        }
    }
}
