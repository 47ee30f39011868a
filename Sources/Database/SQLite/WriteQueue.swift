import Synchronization

/// The writes that wait for their turn, in order of arrival. Bounded.
final class WriteQueue: Sendable {
    private struct Entry {
        let job: any WriteJob
        let watch: DeadlineWatch.Token
    }

    private struct State {
        /// Taken from `head`; the taken part is cut off now and then.
        var entries: [Entry?] = []
        var head = 0
        var count = 0
        /// Somebody is writing, or is about to.
        var isServed = false
        var isClosed = false
        var closers: [CheckedContinuation<Void, Never>] = []
    }

    private let isLockedOut = Atomic(false)

    private let max: Int
    private let watch: DeadlineWatch
    private let state = Mutex(State())

    init(max: Int, watch: DeadlineWatch) {
        self.max = max
        self.watch = watch
    }

    var count: Int { state.withLock { $0.count } }
    var isEmpty: Bool { count == 0 }

    /// Whether another process keeps us from writing now: then who gives up is told so.
    func setLockedOut(_ isLockedOut: Bool) { self.isLockedOut.store(isLockedOut, ordering: .relaxed) }

    /// Puts `job` last. It is answered with `timedOut` or `busy` if it still waits at `deadline`.
    ///
    /// - Returns: whether the caller must see to it that the queue is served.
    func add(_ job: any WriteJob, deadline: ContinuousClock.Instant) -> Bool {
        let token = watch.add(deadline) { [weak self, weak job] in
            guard let self, let job else { return }
            abandon(job, isLockedOut.load(ordering: .relaxed) ? .lockedOut : .timedOut("waiting to write"))
        }
        let outcome: Result<Bool, DatabaseError> = state.withLock { state in
            if state.isClosed { return .failure(.closed) }
            if state.count >= max { return .failure(.queueFull(state.count)) }
            state.entries.append(Entry(job: job, watch: token))
            state.count += 1
            defer { state.isServed = true }
            return .success(!state.isServed)
        }
        switch outcome {
        case .success(let mustServe):
            if deadline <= .now { abandon(job, .timedOut("waiting to write")) }
            return mustServe
        case .failure(let error):
            watch.remove(token)
            job.fail(error)
            return false
        }
    }

    /// Takes `job` out and fails it, if it is still waiting.
    func abandon(_ job: any WriteJob, _ error: DatabaseError) {
        let entry = state.withLock { state -> Entry? in
            guard let position = state.entries.firstIndex(where: { $0?.job === job }) else { return nil }
            defer {
                state.entries[position] = nil
                state.count -= 1
            }
            return state.entries[position]
        }
        guard let entry else { return }
        watch.remove(entry.watch)
        entry.job.fail(error)
    }

    /// The job that has waited longest; it is the caller's now.
    func take() -> (any WriteJob)? {
        let entry = state.withLock { state -> Entry? in
            while state.head < state.entries.count {
                let entry = state.entries[state.head]
                state.entries[state.head] = nil
                state.head += 1
                if let entry {
                    state.count -= 1
                    return entry
                }
            }
            state.entries.removeAll(keepingCapacity: true)
            state.head = 0
            return nil
        }
        guard let entry else { return nil }
        watch.remove(entry.watch)
        return entry.job
    }

    /// Called by who serves, after a group: true when more waits; otherwise the service is over.
    func goesOn() -> Bool {
        let (goesOn, closers) = state.withLock { state -> (Bool, [CheckedContinuation<Void, Never>]) in
            if state.count > 0 { return (true, []) }
            state.isServed = false
            defer { state.closers = [] }
            return (false, state.closers)
        }
        for closer in closers { closer.resume() }
        return goesOn
    }

    /// Refuses new writes and returns when those in hand are answered.
    func close() async {
        await withCheckedContinuation { continuation in
            let isIdle = state.withLock { state in
                state.isClosed = true
                if state.isServed { state.closers.append(continuation) }
                return !state.isServed
            }
            if isIdle { continuation.resume() }
        }
    }
}
