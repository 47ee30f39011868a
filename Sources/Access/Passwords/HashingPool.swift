import Dispatch
import Foundation
import Synchronization

/// Threads of their own for hashing passwords: at most so many hashes at once, and so many that wait.
///
/// Each hash fills 64 MiB and a core for a tenth of a second. Without a bound a flood of sign-ins would take all memory;
/// on Swift's own threads it would stop everything else.
final class HashingPool: Sendable {
    let threads: Int
    private let queue: HashingQueue

    /// - Parameters:
    ///   - threads: hashes at once; as many as cores.
    ///   - queueLimit: hashes that may wait; more are refused.
    init(threads: Int, queueLimit: Int) {
        precondition(threads > 0 && queueLimit >= 0, "no hash can be made by \(threads) threads")
        self.threads = threads
        self.queue = HashingQueue(threads: threads, limit: queueLimit)
    }

    deinit { queue.close() }

    var load: PasswordHasher.Load { queue.load }

    /// Runs `work` on a thread of the pool.
    ///
    /// - Throws: `AccessError` `busy` when too many wait; `CancellationError` when the task is cancelled before `work`
    ///   began; what `work` throws.
    func run<T: Sendable>(_ work: @escaping @Sendable () throws -> T) async throws -> T {
        let queue = queue
        let ticket = HashingQueue.Ticket()
        return try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { (continuation: CheckedContinuation<T, any Error>) in
                queue.submit(
                    HashingQueue.Job(
                        ticket: ticket,
                        perform: {
                            let result = Result { try work() }
                            return { continuation.resume(with: result) }
                        },
                        refuse: { continuation.resume(throwing: $0) }
                    )
                )
            }
        } onCancel: {
            queue.cancel(ticket)
        }
    }
}

/// The bounded queue of a pool, and its threads, which are started when first needed.
///
/// The semaphore is signalled once for each job: it may count more than is queued (a job was cancelled), never less.
final class HashingQueue: Sendable {
    /// Marks one job, so that it can be cancelled before, while and after it is queued.
    final class Ticket: Sendable {
        let isCancelled = Atomic(false)
    }

    /// Exactly one of `perform` and `refuse` is called, once. `perform` answers what tells the caller, who then finds
    /// the load without this job in it.
    struct Job: Sendable {
        let ticket: Ticket
        let perform: @Sendable () -> () -> Void
        let refuse: @Sendable (any Error) -> Void
    }

    private struct State {
        /// At most `limit`, and so an array whose first is taken out.
        var waiting: [Job] = []
        var started = 0
        var isClosed = false
        var load = PasswordHasher.Load()
    }

    private enum Admission { case accepted(startsThread: Bool), refused(any Error) }

    private let threads: Int
    private let limit: Int
    private let state = Mutex(State())
    private let wakeUps = DispatchSemaphore(value: 0)

    init(threads: Int, limit: Int) {
        self.threads = threads
        self.limit = limit
    }

    var load: PasswordHasher.Load {
        state.withLock { state in
            var load = state.load
            load.waiting = state.waiting.count
            return load
        }
    }

    func submit(_ job: Job) {
        let admission: Admission = state.withLock { state in
            // `cancel` sets the mark before it takes the lock: either it is seen here, or `cancel` finds the job.
            if job.ticket.isCancelled.load(ordering: .acquiring) { return .refused(CancellationError()) }
            // A job that a free thread will take at once does not count as one that waits.
            let free = threads - state.load.running
            guard state.waiting.count < limit + max(free, 0) else {
                state.load.refused += 1
                return .refused(AccessError.busy("\(state.waiting.count) hashes wait"))
            }
            state.waiting.append(job)
            guard state.started < min(state.load.running + state.waiting.count, threads) else {
                return .accepted(startsThread: false)
            }
            state.started += 1
            return .accepted(startsThread: true)
        }
        switch admission {
        case .refused(let error): job.refuse(error)
        case .accepted(let startsThread):
            if startsThread { startThread() }
            wakeUps.signal()
        }
    }

    func cancel(_ ticket: Ticket) {
        ticket.isCancelled.store(true, ordering: .releasing)
        let job: Job? = state.withLock { state in
            guard let place = state.waiting.firstIndex(where: { $0.ticket === ticket }) else { return nil }
            return state.waiting.remove(at: place)
        }
        job?.refuse(CancellationError())
    }

    /// Ends the threads once nothing waits; nobody can submit any more.
    func close() {
        let started = state.withLock { state in
            state.isClosed = true
            return state.started
        }
        for _ in 0..<started { wakeUps.signal() }
    }

    private func startThread() {
        let thread = Thread { [self] in
            while true {
                wakeUps.wait()
                let (job, isClosed): (Job?, Bool) = state.withLock { state in
                    guard !state.waiting.isEmpty else { return (nil, state.isClosed) }
                    state.load.running += 1
                    state.load.runningMax = max(state.load.runningMax, state.load.running)
                    return (state.waiting.removeFirst(), false)
                }
                if let job {
                    let answer = job.perform()
                    state.withLock { state in
                        state.load.running -= 1
                        state.load.finished += 1
                    }
                    answer()
                } else if isClosed {
                    return
                }
            }
        }
        thread.name = "passwords"
        thread.start()
    }
}
