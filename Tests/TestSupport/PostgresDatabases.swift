import Database
import Foundation
import Synchronization

/// The PostgreSQL databases of this test process. A used one is emptied and lent again: to make and drop one costs
/// a second on a busy machine. They stay in the cluster, which `scripts/with-postgres` removes as a whole.
private let idleDatabases = Mutex<[String]>([])

func withPostgresDatabase<T>(
    isolation: isolated (any Actor)? = #isolation,
    _ body: (String) async throws -> T
) async throws -> T {
    guard let cluster = ProcessInfo.processInfo.environment[DatabaseKind.postgresVariable] else {
        throw TestSupportError("\(DatabaseKind.postgresVariable) is not set: run the tests by scripts/with-postgres")
    }
    // Who is inside already needs no second place: two that wait for each other's would wait for ever.
    if Turnstile.isInside { return try await lend(cluster, body) }
    await Turnstile.postgres.enter()
    defer { Turnstile.postgres.leave() }
    return try await Turnstile.$isInside.withValue(true) { try await lend(cluster, body) }
}

private func lend<T>(
    _ cluster: String,
    isolation: isolated (any Actor)? = #isolation,
    _ body: (String) async throws -> T
) async throws -> T {
    let url: String
    if let idle = idleDatabases.withLock({ $0.popLast() }) {
        url = idle
    } else {
        let name = "test_\(UUID().uuidString.lowercased().filter { $0 != "-" })"
        url = try await PostgresMaintenance.createDatabase(name, at: cluster)
    }
    let result: Result<T, any Error>
    do { result = .success(try await body(url)) } catch { result = .failure(error) }
    try await PostgresMaintenance.emptyDatabase(at: url)
    idleDatabases.withLock { $0.append(url) }
    return try result.get()
}
