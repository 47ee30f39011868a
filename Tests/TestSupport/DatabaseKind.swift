public import Database
import Foundation

/// The engines every store is tested on: `@Test(arguments: DatabaseKind.allCases)`.
public enum DatabaseKind: String, Sendable, CaseIterable {
    case sqlite
    case postgres

    /// The variable that names the cluster in which PostgreSQL tests make their databases.
    public static let postgresVariable = "PYAIRTABLE_TEST_POSTGRES_URL"

    public var dialect: SQLDialect { self == .sqlite ? .sqlite : .postgres }
}

/// Runs `body` with a fresh, migrated database.
///
/// SQLite: a file in a temporary directory. PostgreSQL: a database of its own in the cluster that
/// `PYAIRTABLE_TEST_POSTGRES_URL` names; without that variable the test fails: run it by `scripts/with-postgres`.
@discardableResult
public func withDatabase<T>(
    _ kind: DatabaseKind,
    migrations: [Migration] = [],
    options: DatabaseOptions = DatabaseOptions(),
    isolation: isolated (any Actor)? = #isolation,
    _ body: (any SQLDatabase) async throws -> T
) async throws -> T {
    try await withDatabaseURL(kind) { url in
        let database = try await DatabaseOpener.open(url: url, options: options)
        let result: Result<T, any Error>
        do {
            try await Migrator.migrate(database, migrations)
            result = .success(try await body(database))
        } catch {
            showDetail(of: error)
            result = .failure(error)
        }
        await database.close()
        return try result.get()
    }
}

/// Runs `body` with the URL of a fresh, empty database.
@discardableResult
public func withDatabaseURL<T>(
    _ kind: DatabaseKind,
    isolation: isolated (any Actor)? = #isolation,
    _ body: (String) async throws -> T
) async throws -> T {
    switch kind {
    case .sqlite:
        return try await withTemporaryDirectory { directory in
            try await body("sqlite:\(directory.path)/test.sqlite")
        }
    case .postgres:
        return try await withPostgresDatabase(body)
    }
}

/// A failed test shows an error's public message; what the engine said helps more.
private func showDetail(of error: any Error) {
    guard let error = error as? DatabaseError, let detail = error.detail else { return }
    FileHandle.standardError.write(Data("DatabaseError.\(error.code): \(detail)\n".utf8))
}
