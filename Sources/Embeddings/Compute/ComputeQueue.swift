import Dispatch
import Foundation
import Synchronization

/// Marks one call of `ComputePool.run`, so that it can be cancelled before, while and after it is queued.
final class ComputeTicket: Sendable {
    let isCancelled = Atomic(false)
}

/// One piece of work. Exactly one of `perform` and `refuse` is called, once.
struct ComputeJob: Sendable {
    let ticket: ComputeTicket
    let priority: ComputePriority
    let perform: @Sendable (borrowing ComputeTurn) -> Void
    let refuse: @Sendable (any Error) -> Void
}

/// The bounded queue of a pool and its threads.
///
/// The semaphore is signalled once for each job, so it may count more than is queued (a job was cancelled, or
/// taken in between by `ComputeTurn`), never less: a thread that finds nothing just sleeps again.
final class ComputeQueue: Sendable {
    private let threads: Int
    private let limit: Int
    private let state = Mutex(State())
    private let wakeUps = DispatchSemaphore(value: 0)

    private struct State {
        var interactive = Waiting()
        var bulk = Waiting()
        var running = 0
        var started = 0
        var isClosed = false
    }

    init(threads: Int, limit: Int) {
        self.threads = threads
        self.limit = limit
    }

    var load: ComputeLoad {
        state.withLock { state in
            ComputeLoad(
                waitingInteractive: state.interactive.count,
                waitingBulk: state.bulk.count,
                running: state.running
            )
        }
    }

    func submit(_ job: ComputeJob) {
        let (refusal, startsThread): ((any Error)?, Bool) = state.withLock { state in
            if state.isClosed { return (EmbeddingsError(.poolClosed, "the program is shutting down"), false) }
            // `cancel` sets the mark before it takes the lock: either it is seen here, or `cancel` finds the job.
            if job.ticket.isCancelled.load(ordering: .acquiring) { return (CancellationError(), false) }
            let waiting = job.priority == .interactive ? state.interactive.count : state.bulk.count
            guard waiting < limit else {
                let message = "\(limit) computations are waiting already"
                return (EmbeddingsError(.busy, message, hint: "try again in a second"), false)
            }
            if job.priority == .interactive { state.interactive.append(job) } else { state.bulk.append(job) }
            let wanted = state.running + state.interactive.count + state.bulk.count
            guard state.started < min(wanted, threads) else { return (nil, false) }
            state.started += 1
            return (nil, true)
        }
        if let refusal { return job.refuse(refusal) }
        if startsThread { startThread() }
        wakeUps.signal()
    }

    /// Takes the ticket's job out of the queue if it is still there.
    func cancel(_ ticket: ComputeTicket) {
        ticket.isCancelled.store(true, ordering: .releasing)
        let job = state.withLock { $0.interactive.remove(ticket) ?? $0.bulk.remove(ticket) }
        job?.refuse(CancellationError())
    }

    func takeInteractive() -> ComputeJob? {
        state.withLock { state in
            guard let job = state.interactive.popFirst() else { return nil }
            state.running += 1
            return job
        }
    }

    func finished() { state.withLock { $0.running -= 1 } }

    func close() {
        let refused: [ComputeJob] = state.withLock { state in
            guard !state.isClosed else { return [] }
            state.isClosed = true
            // One wake-up a thread that will ever have been started.
            for _ in 0..<state.started { wakeUps.signal() }
            return state.interactive.removeAll() + state.bulk.removeAll()
        }
        for job in refused { job.refuse(EmbeddingsError(.poolClosed, "the program is shutting down")) }
    }

    private func startThread() {
        let thread = Thread { [self] in
            while true {
                wakeUps.wait()
                let (job, isClosed) = state.withLock { state in
                    let job = state.interactive.popFirst() ?? state.bulk.popFirst()
                    if job != nil { state.running += 1 }
                    return (job, state.isClosed)
                }
                if let job {
                    job.perform(ComputeTurn(priority: job.priority, queue: self))
                    finished()
                } else if isClosed {
                    return
                }
            }
        }
        thread.name = "compute"
        thread.start()
    }
}

/// Jobs in order of arrival; those taken out from the middle leave no hole behind for long.
private struct Waiting {
    private var jobs: [ComputeJob?] = []
    private var first = 0
    private(set) var count = 0

    mutating func append(_ job: ComputeJob) {
        jobs.append(job)
        count += 1
    }

    mutating func popFirst() -> ComputeJob? {
        while first < jobs.count {
            let job = jobs[first]
            jobs[first] = nil
            first += 1
            guard let job else { continue }
            count -= 1
            if count == 0 {
                jobs.removeAll(keepingCapacity: true)
                first = 0
            } else if first > 64, first > jobs.count / 2 {
                jobs.removeFirst(first)
                first = 0
            }
            return job
        }
        return nil
    }

    mutating func remove(_ ticket: ComputeTicket) -> ComputeJob? {
        guard let position = jobs.firstIndex(where: { $0?.ticket === ticket }), let job = jobs[position] else {
            return nil
        }
        jobs[position] = nil
        count -= 1
        if count == 0 { self = Self() }
        return job
    }

    mutating func removeAll() -> [ComputeJob] {
        defer { self = Self() }
        return jobs.compactMap { $0 }
    }
}
