import Synchronization

/// Runs tasks on the calling thread, one job after the other, and lets time pass only when none is left to run.
///
/// So a test of timers and many callers is exact: no wall clock, no other thread, the same order each time. What it
/// runs must stay in tasks that inherit or are given this executor; work that hops elsewhere is not seen.
public final class VirtualTime: TaskExecutor {
    public typealias Moment = ContinuousClock.Instant

    private struct Sleeper {
        let id: UInt64
        let end: Moment
        let continuation: CheckedContinuation<Void, any Error>
    }

    private struct State {
        var now: Moment
        var jobs: [UnownedJob] = []
        var sleepers: [Sleeper] = []
        var lastID: UInt64 = 0
    }

    private let state: Mutex<State>
    public let start: Moment

    public init() {
        start = .now
        state = Mutex(State(now: start))
    }

    public var now: Moment { state.withLock { $0.now } }
    /// Since the beginning.
    public var elapsed: Duration { now - start }

    public func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        state.withLock { $0.jobs.append(job) }
    }

    public func sleep(_ duration: Duration) async throws {
        let id = state.withLock { state in
            state.lastID += 1
            return state.lastID
        }
        try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { (continuation: CheckedContinuation<Void, any Error>) in
                let isOver = state.withLock { state in
                    if Task.isCancelled { return true }
                    state.sleepers.append(
                        Sleeper(id: id, end: state.now + max(duration, .zero), continuation: continuation)
                    )
                    return false
                }
                if isOver { continuation.resume(throwing: CancellationError()) }
            }
        } onCancel: {
            let sleeper = state.withLock { state in
                state.sleepers.firstIndex { $0.id == id }.map { state.sleepers.remove(at: $0) }
            }
            sleeper?.continuation.resume(throwing: CancellationError())
        }
    }

    /// Runs `body`, and everything it starts here, to its end.
    ///
    /// - Throws: what `body` throws; `TestSupportError` when it waits for something that can never happen.
    @discardableResult
    public func run<Value: Sendable>(_ body: @escaping @Sendable () async throws -> Value) throws -> Value {
        let result = Guarded<Result<Value, any Error>?>(nil)
        let task = Task(executorPreference: self) {
            do {
                let value = try await body()
                result.value = .success(value)
            } catch {
                result.value = .failure(error)
            }
        }
        while result.value == nil {
            if let job = nextJob() {
                job.runSynchronously(on: asUnownedTaskExecutor())
            } else if let sleeper = nextSleeper() {
                sleeper.resume()
            } else {
                task.cancel()
                throw TestSupportError("everything waits, and nobody for the time to pass")
            }
        }
        guard let value = try result.value?.get() else { throw TestSupportError("there is no result") }
        return value
    }

    private func nextJob() -> UnownedJob? { state.withLock { $0.jobs.isEmpty ? nil : $0.jobs.removeFirst() } }

    /// Lets time pass until the next one who sleeps is to be woken; of several the one who lay down first.
    private func nextSleeper() -> CheckedContinuation<Void, any Error>? {
        state.withLock { state in
            guard let end = state.sleepers.map(\.end).min(),
                let index = state.sleepers.firstIndex(where: { $0.end == end })
            else { return nil }
            state.now = max(state.now, end)
            return state.sleepers.remove(at: index).continuation
        }
    }
}
