/// Which engine's SQL is spoken. Stores ask only where engines really differ: full text, locking, vectors.
public enum SQLDialect: String, Sendable, Hashable, CaseIterable {
    case sqlite
    case postgres
}

/// A SQL database: SQLite in a file, or PostgreSQL at an address.
///
/// Everything happens in transactions. A body is synchronous and runs on a thread of the database's own, so
/// it may compute, but must not wait for anything else. It may be run again (after a serialization failure,
/// a lost connection, or because another write of its group could not be committed): it must be pure but
/// for what it does through its `Transaction`, which it must not keep.
///
/// Isolation: `read` sees one snapshot of committed data throughout (SQLite's WAL snapshot, PostgreSQL's
/// REPEATABLE READ, READ ONLY). `write` is serial on SQLite. On PostgreSQL it is READ COMMITTED: two writes may
/// interleave, each statement sees what is committed when it starts. A body that reads what it then changes
/// therefore first takes `Transaction.lock(_:)`, or locks the row by updating it.
public protocol SQLDatabase: Sendable {
    var dialect: SQLDialect { get }

    /// Where the data is, for people: the URL without secrets.
    var location: String { get }

    /// Counters since the database was opened, and what is in use now.
    var statistics: DatabaseStatistics { get }

    /// Runs `body` in a read-only transaction that sees one snapshot.
    ///
    /// - Parameters:
    ///   - scope: whose rows it is about; what it asks of others' isn't there.
    ///   - deadline: when nobody waits for the answer any more. A wait for a connection or a lock ends then with
    ///     `timedOut` or `busy`, a running statement is stopped with `timedOut`. Without one, waits are bounded by
    ///     `DatabaseOptions.waitMax`, and statements aren't.
    /// - Throws: `DatabaseError`, or what `body` throws, unchanged.
    func read<T: Sendable>(
        of scope: RowScope,
        deadline: ContinuousClock.Instant?,
        _ body: @escaping @Sendable (any Transaction) throws -> T
    ) async throws -> T

    /// `read` for a few rows that are found by their keys: run by whoever asks, on their own thread, when a connection is
    /// free and no lock in the way. Passing a question between threads takes longer than such a read itself.
    ///
    /// What turns out to take longer than `DatabaseOptions.glanceMax` is begun again as a `read`.
    func glance<T: Sendable>(
        of scope: RowScope,
        deadline: ContinuousClock.Instant?,
        _ body: @escaping @Sendable (any Transaction) throws -> T
    ) async throws -> T

    /// Runs `body` in a transaction and returns once it is durably committed.
    ///
    /// When `body` throws, or a statement in it failed, all it did is rolled back. Cancelling the task rolls
    /// back too, unless the commit has begun.
    ///
    /// - Throws: `DatabaseError`, or what `body` throws, unchanged. Code `outcomeUnknown` means that the
    ///   connection was lost during the commit itself.
    @discardableResult
    func write<T: Sendable>(
        of scope: RowScope,
        deadline: ContinuousClock.Instant?,
        _ body: @escaping @Sendable (any Transaction) throws -> T
    ) async throws -> T

    /// Looks for damage; one sentence for each finding, empty when sound. Reads the whole database.
    func integrityCheck() async throws -> [String]

    /// Refuses new work, waits for work in hand and closes the connections. Harmless when repeated.
    func close() async
}

extension SQLDatabase {
    /// `read`, where the rows are another process's.
    public func glance<T: Sendable>(
        of scope: RowScope,
        deadline: ContinuousClock.Instant?,
        _ body: @escaping @Sendable (any Transaction) throws -> T
    ) async throws -> T { try await read(of: scope, deadline: deadline, body) }

    /// `read(of:deadline:_:)` without a deadline.
    public func read<T: Sendable>(
        of scope: RowScope,
        _ body: @escaping @Sendable (any Transaction) throws -> T
    ) async throws -> T { try await read(of: scope, deadline: nil, body) }

    /// `write(of:deadline:_:)` without a deadline.
    @discardableResult
    public func write<T: Sendable>(
        of scope: RowScope,
        _ body: @escaping @Sendable (any Transaction) throws -> T
    ) async throws -> T { try await write(of: scope, deadline: nil, body) }
}
