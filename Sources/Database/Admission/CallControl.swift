import Synchronization

/// The deadline and the cancellation of one call, looked at by the thread that runs it.
final class CallControl: Sendable {
    /// When the caller stops waiting; nil when it never does.
    let deadline: ContinuousClock.Instant?
    private let cancelled = Atomic(false)
    private let wake = Mutex<(@Sendable () -> Void)?>(nil)

    init(deadline: ContinuousClock.Instant?) { self.deadline = deadline }

    var isCancelled: Bool { cancelled.load(ordering: .relaxed) }

    func cancel() {
        cancelled.store(true, ordering: .relaxed)
        wake.withLock { $0?() }
    }

    /// Calls `wake` when the call is cancelled from now on, until it is set to nil.
    ///
    /// Once this returns the former action is neither running nor called again.
    func onCancel(_ action: (@Sendable () -> Void)?) {
        wake.withLock { $0 = action }
    }

    /// Why the call should stop; nil while it should go on.
    var interruption: DatabaseError? {
        if isCancelled { return .cancelled }
        if let deadline, deadline <= .now { return .timedOut("the database was working") }
        return nil
    }

    func check() throws(DatabaseError) {
        if let interruption { throw interruption }
    }
}
