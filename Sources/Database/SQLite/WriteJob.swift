import Synchronization

/// A write that waits for its turn, or takes part in a group.
///
/// Who takes a job out of the queue owns it, and is the one to answer it, once.
protocol WriteJob: AnyObject, Sendable {
    var control: CallControl { get }

    /// Runs the body and keeps what it gives. May be called again.
    func attempt(_ transaction: SQLiteTransaction) throws

    /// Answers with what the last attempt gave.
    func succeed()

    func fail(_ error: any Error)
}

final class PendingWrite<T: Sendable>: WriteJob {
    let control: CallControl
    private let body: @Sendable (any Transaction) throws -> T
    private let continuation: CheckedContinuation<T, any Error>
    private let outcome = Mutex<T?>(nil)

    init(
        control: CallControl,
        continuation: CheckedContinuation<T, any Error>,
        body: @escaping @Sendable (any Transaction) throws -> T
    ) {
        self.control = control
        self.continuation = continuation
        self.body = body
    }

    func attempt(_ transaction: SQLiteTransaction) throws {
        let value = try body(transaction)
        outcome.withLock { $0 = value }
    }

    func succeed() {
        guard let value = outcome.withLock({ $0 }) else {
            preconditionFailure("a write was answered before it was attempted")
        }
        continuation.resume(returning: value)
    }

    func fail(_ error: any Error) { continuation.resume(throwing: error) }
}
