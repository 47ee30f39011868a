import Synchronization

/// A bounded number of permits, handed to waiting tasks in order of arrival.
final class Permits: Sendable {
    private struct Waiter {
        let number: UInt64
        let continuation: CheckedContinuation<Void, any Error>
        let watch: DeadlineWatch.Token
    }

    private struct State {
        var free: Int
        var waiters: [Waiter] = []
        var nextNumber: UInt64 = 0
        var isClosed = false
        /// Resumed once all permits are back, after `close`.
        var closers: [CheckedContinuation<Void, Never>] = []
    }

    let count: Int
    private let waitersMax: Int
    private let watch: DeadlineWatch
    private let state: Mutex<State>

    init(count: Int, waitersMax: Int, watch: DeadlineWatch) {
        self.count = count
        self.waitersMax = waitersMax
        self.watch = watch
        state = Mutex(State(free: count))
    }

    var inUse: Int { state.withLock { count - $0.free } }
    var waiting: Int { state.withLock { $0.waiters.count } }

    /// Takes a permit, waiting for one until `deadline`. Who gets one must `release` it.
    ///
    /// - Throws: `busy` when too many wait already, `timedOut`, `cancelled`, `closed`.
    func acquire(deadline: ContinuousClock.Instant) async throws {
        if try tryAcquire() { return }
        let number = state.withLock { state in
            state.nextNumber += 1
            return state.nextNumber
        }
        try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { continuation in
                enqueue(number, deadline, continuation)
                if Task.isCancelled { abandon(number, .cancelled) }
            }
        } onCancel: {
            abandon(number, .cancelled)
        }
    }

    func release() {
        let (next, closers) = state.withLock { state -> (Waiter?, [CheckedContinuation<Void, Never>]) in
            if !state.waiters.isEmpty { return (state.waiters.removeFirst(), []) }
            state.free += 1
            guard state.isClosed, state.free == count else { return (nil, []) }
            defer { state.closers = [] }
            return (nil, state.closers)
        }
        if let next {
            watch.remove(next.watch)
            next.continuation.resume()
        }
        for closer in closers { closer.resume() }
    }

    /// Refuses new and waiting calls, and returns when all permits are back.
    func close() async {
        let refused = state.withLock { state in
            state.isClosed = true
            defer { state.waiters = [] }
            return state.waiters
        }
        for waiter in refused {
            watch.remove(waiter.watch)
            waiter.continuation.resume(throwing: DatabaseError.closed)
        }
        await withCheckedContinuation { continuation in
            let isIdle = state.withLock { state in
                if state.free < count { state.closers.append(continuation) }
                return state.free == count
            }
            if isIdle { continuation.resume() }
        }
    }

    /// Takes a permit if one is free.
    ///
    /// - Throws: `busy` when too many wait already, `closed`.
    func tryAcquire() throws -> Bool {
        try state.withLock { state in
            if state.isClosed { throw DatabaseError.closed }
            if state.free > 0 {
                state.free -= 1
                return true
            }
            if state.waiters.count >= waitersMax { throw DatabaseError.queueFull(state.waiters.count) }
            return false
        }
    }

    private func enqueue(
        _ number: UInt64,
        _ deadline: ContinuousClock.Instant,
        _ continuation: CheckedContinuation<Void, any Error>
    ) {
        let token = watch.add(deadline) { [weak self] in
            self?.abandon(number, .timedOut("waiting for a database connection"))
        }
        let outcome: Result<Bool, any Error> = state.withLock { state in
            if state.isClosed { return .failure(DatabaseError.closed) }
            if state.free > 0 {
                state.free -= 1
                return .success(true)
            }
            if state.waiters.count >= waitersMax { return .failure(DatabaseError.queueFull(state.waiters.count)) }
            state.waiters.append(Waiter(number: number, continuation: continuation, watch: token))
            return .success(false)
        }
        switch outcome {
        case .success(true):
            watch.remove(token)
            continuation.resume()
        case .success(false):
            // The deadline may have fired before the waiter stood in the queue.
            if deadline <= .now { abandon(number, .timedOut("waiting for a database connection")) }
        case .failure(let error):
            watch.remove(token)
            continuation.resume(throwing: error)
        }
    }

    private func abandon(_ number: UInt64, _ error: DatabaseError) {
        let waiter = state.withLock { state -> Waiter? in
            guard let position = state.waiters.firstIndex(where: { $0.number == number }) else { return nil }
            return state.waiters.remove(at: position)
        }
        guard let waiter else { return }
        watch.remove(waiter.watch)
        waiter.continuation.resume(throwing: error)
    }
}
