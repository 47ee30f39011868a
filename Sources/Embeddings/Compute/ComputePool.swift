import Domain

/// Who waits for some computing.
public enum ComputePriority: Sendable, Hashable, CaseIterable {
    /// A person or a model waits for the answer.
    case interactive
    /// An import or the indexer; goes behind all interactive work.
    case bulk
}

/// Threads of their own for CPU-bound work, so that Swift's cooperative threads stay free for input and output.
///
/// Interactive work is taken before bulk work, each first come, first served; bulk work that takes long calls
/// `ComputeTurn.letInteractivePass()` now and then, which runs what is waiting interactively in between. So an
/// interactive caller waits for one such step at most, also when every thread is busy with bulk work.
///
/// Threads are started when first needed and sleep when there is nothing to do. The queue is bounded: at the
/// bound `run` throws `EmbeddingsError.busy`. Closing (or dropping) the pool ends its threads.
public final class ComputePool: Sendable {
    /// Threads at most.
    public let threads: Int
    private let queue: ComputeQueue

    /// - Parameters:
    ///   - threads: at least 1; as many as cores for CPU-bound work.
    ///   - queueLimit: work that may wait, of each priority; nil means `Limits.computeQueue`.
    public init(threads: Int, queueLimit: Int? = nil) {
        precondition(threads > 0, "a pool needs a thread, got \(threads)")
        self.threads = threads
        self.queue = ComputeQueue(threads: threads, limit: queueLimit ?? Limits.computeQueue)
    }

    deinit { queue.close() }

    /// Runs `work` on a thread of the pool and returns what it returns.
    ///
    /// - Throws: what `work` throws; `CancellationError` when the task is cancelled before `work` has begun (it is
    ///   then taken out of the queue; begun work is finished); `EmbeddingsError` `busy` or `poolClosed`.
    public func run<T: Sendable>(
        priority: ComputePriority,
        _ work: @escaping @Sendable () throws -> T
    ) async throws -> T {
        try await run(priority: priority) { _ in try work() }
    }

    /// `run` for work that lets interactive work pass.
    public func run<T: Sendable>(
        priority: ComputePriority,
        _ work: @escaping @Sendable (borrowing ComputeTurn) throws -> T
    ) async throws -> T {
        let queue = queue
        let ticket = ComputeTicket()
        return try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { (continuation: CheckedContinuation<T, any Error>) in
                queue.submit(
                    ComputeJob(
                        ticket: ticket,
                        priority: priority,
                        perform: { turn in continuation.resume(with: Result { try work(turn) }) },
                        refuse: { error in continuation.resume(throwing: error) }
                    )
                )
            }
        } onCancel: {
            queue.cancel(ticket)
        }
    }

    /// What waits and runs at this moment.
    public var load: ComputeLoad { queue.load }

    /// Refuses what waits and all further work; what runs is finished. Harmless when repeated.
    public func close() { queue.close() }
}

/// How busy a pool is.
public struct ComputeLoad: Sendable, Hashable {
    public var waitingInteractive: Int
    public var waitingBulk: Int
    public var running: Int
}

/// Handed to work while it runs.
public struct ComputeTurn: ~Copyable {
    let priority: ComputePriority
    let queue: ComputeQueue

    /// Runs the interactive work that waits, on this thread, now. Does nothing in interactive work.
    ///
    /// Call it where holding locks or half-changed state does not matter, every few milliseconds.
    public func letInteractivePass() {
        guard priority == .bulk else { return }
        while let job = queue.takeInteractive() {
            job.perform(ComputeTurn(priority: .interactive, queue: queue))
            queue.finished()
        }
    }
}
