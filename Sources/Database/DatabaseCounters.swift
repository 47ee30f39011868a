import Synchronization

/// The running counters behind `DatabaseStatistics`.
final class DatabaseCounters: Sendable {
    private let state = Mutex(DatabaseStatistics())

    func add(_ change: (inout DatabaseStatistics) -> Void) { state.withLock { change(&$0) } }

    var snapshot: DatabaseStatistics { state.withLock { $0 } }
}
