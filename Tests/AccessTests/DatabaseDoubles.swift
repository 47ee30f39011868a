import Database
import Synchronization

/// Fails whoever asks it anything.
struct UnreachableDatabase: SQLDatabase {
    struct Reached: Error {}

    let dialect = SQLDialect.sqlite
    let location = "nowhere"
    var statistics: DatabaseStatistics { DatabaseStatistics() }

    func read<T: Sendable>(
        of scope: RowScope,
        deadline: ContinuousClock.Instant?,
        _ body: @escaping @Sendable (any Transaction) throws -> T
    ) async throws -> T { throw Reached() }

    func write<T: Sendable>(
        of scope: RowScope,
        deadline: ContinuousClock.Instant?,
        _ body: @escaping @Sendable (any Transaction) throws -> T
    ) async throws -> T { throw Reached() }

    func integrityCheck() async throws -> [String] { throw Reached() }

    func close() async {}
}

/// Counts what is asked of another database.
final class CountingDatabase: SQLDatabase {
    struct Counts: Sendable, Hashable {
        var reads = 0
        var writes = 0
    }

    private let inner: any SQLDatabase
    private let state = Mutex(Counts())

    init(_ inner: any SQLDatabase) { self.inner = inner }

    var counts: Counts { state.withLock { $0 } }
    var dialect: SQLDialect { inner.dialect }
    var location: String { inner.location }
    var statistics: DatabaseStatistics { inner.statistics }

    func read<T: Sendable>(
        of scope: RowScope,
        deadline: ContinuousClock.Instant?,
        _ body: @escaping @Sendable (any Transaction) throws -> T
    ) async throws -> T {
        state.withLock { $0.reads += 1 }
        return try await inner.read(of: scope, deadline: deadline, body)
    }

    func write<T: Sendable>(
        of scope: RowScope,
        deadline: ContinuousClock.Instant?,
        _ body: @escaping @Sendable (any Transaction) throws -> T
    ) async throws -> T {
        state.withLock { $0.writes += 1 }
        return try await inner.write(of: scope, deadline: deadline, body)
    }

    func integrityCheck() async throws -> [String] { try await inner.integrityCheck() }

    func close() async { await inner.close() }
}
