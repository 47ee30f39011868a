import Database
import Domain

/// A database whose writes are looked at before they are committed, and committed only when whoever looks agrees.
///
/// So one and the same code of the store tells what it would do and does it: what is refused when it is done is refused when it
/// is asked about, and what is told is read back from the transaction itself.
struct ExaminedDatabase<Before: Sendable>: SQLDatabase {
    let database: any SQLDatabase
    /// What has to be known of the time before.
    let prepare: @Sendable (any Transaction) throws -> Before
    /// Whether to commit. What it throws rolls back, and is thrown.
    let examine: @Sendable (any Transaction, Before) throws -> Bool

    var dialect: SQLDialect { database.dialect }
    var location: String { database.location }
    var statistics: DatabaseStatistics { database.statistics }

    func read<T: Sendable>(
        of scope: RowScope,
        deadline: ContinuousClock.Instant?,
        _ body: @escaping @Sendable (any Transaction) throws -> T
    ) async throws -> T {
        try await database.read(of: scope, deadline: deadline, body)
    }

    func write<T: Sendable>(
        of scope: RowScope,
        deadline: ContinuousClock.Instant?,
        _ body: @escaping @Sendable (any Transaction) throws -> T
    ) async throws -> T {
        do {
            return try await database.write(of: scope, deadline: deadline) { [prepare, examine] transaction in
                let before = try prepare(transaction)
                let result = try body(transaction)
                guard try examine(transaction, before) else { throw RolledBack(result: result) }
                return result
            }
        } catch let rehearsed as RolledBack<T> {
            return rehearsed.result
        }
    }

    func integrityCheck() async throws -> [String] { try await database.integrityCheck() }

    /// The database is its owner's to close.
    func close() async {}
}

/// Ends a transaction that was only to be looked at.
private struct RolledBack<Result: Sendable>: Error {
    let result: Result
}
