import Database
import Foundation

/// Runs `body` with the URL of a fresh, empty PostgreSQL database that names a user of its own, who owns the schema and has
/// no other rights than `rights`, such as `CREATEROLE`.
public func withPostgresUser(
    _ rights: String,
    isolation: isolated (any Actor)? = #isolation,
    _ body: (String) async throws -> Void
) async throws {
    try await withDatabaseURL(.postgres) { url in
        let name = "user_\(UUID().uuidString.lowercased().filter { $0 != "-" })"
        let admin = try await DatabaseOpener.open(url: url)
        try await admin.write(of: .owner) { transaction in
            try transaction.execute("CREATE ROLE \(name) LOGIN \(rights)")
            try transaction.execute("ALTER SCHEMA public OWNER TO \(name)")
        }
        let result: Result<Void, any Error>
        do {
            result = .success(try await body(url.replacing("//postgres@", with: "//\(name)@")))
        } catch {
            result = .failure(error)
        }
        try await admin.write(of: .owner) { transaction in
            try transaction.execute("ALTER SCHEMA public OWNER TO CURRENT_USER")
            try transaction.execute("DROP OWNED BY \(name) CASCADE")
            try transaction.execute("DROP ROLE \(name)")
        }
        await admin.close()
        try result.get()
    }
}
