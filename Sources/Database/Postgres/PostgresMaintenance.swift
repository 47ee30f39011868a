import Foundation

/// Makes and drops whole databases, for tests and benchmarks.
package enum PostgresMaintenance {
    /// Creates the empty database `name` beside the one `url` names.
    ///
    /// - Returns: the URL of the new database.
    package static func createDatabase(_ name: String, at url: String) async throws -> String {
        try await run(["CREATE DATABASE \(quoted(name)) TEMPLATE template0"], at: url)
        return replacingDatabase(of: url, by: name)
    }

    /// Drops the database `name`, and ends the connections it has.
    package static func dropDatabase(_ name: String, at url: String) async throws {
        try await run(["DROP DATABASE IF EXISTS \(quoted(name)) WITH (FORCE)"], at: url)
    }

    /// Empties the database that `url` names, and ends the connections others have to it: some twenty times
    /// faster than to drop it and make another.
    package static func emptyDatabase(at url: String) async throws {
        try await run(
            [
                """
                SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity
                WHERE datname = current_database() AND pid <> pg_backend_pid()
                """,
                "DROP SCHEMA public CASCADE", "CREATE SCHEMA public",
            ],
            at: url
        )
    }

    private static func run(_ statements: [String], at url: String) async throws {
        let url = try PostgresURL(url)
        try await Lanes.run { try run(statements, url) }
    }

    private static func run(_ statements: [String], _ url: PostgresURL) throws {
        let control = CallControl(deadline: .now + .seconds(60))
        do {
            let connection = try PostgresConnection(
                url,
                options: DatabaseOptions(),
                control: control,
                waitEnd: .now + .seconds(30)
            )
            for statement in statements { try connection.run(statement, control) }
        } catch let failure as PostgresFailure {
            throw failure.error
        }
    }

    private static func quoted(_ name: String) -> String {
        "\"" + name.split(separator: "\"", omittingEmptySubsequences: false).joined(separator: "\"\"") + "\""
    }

    private static func replacingDatabase(of url: String, by name: String) -> String {
        let query = url.firstIndex(of: "?").map { url[$0...] } ?? ""
        let address = url.dropLast(query.count)
        let host = address.range(of: "://").map { address[$0.upperBound...] } ?? address
        let authority = host.firstIndex(of: "/").map { address[..<$0] } ?? address
        return "\(authority)/\(name)\(query)"
    }
}
