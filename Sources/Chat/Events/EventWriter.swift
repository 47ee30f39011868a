import Domain
import Logging
import Synchronization

/// Stores the events of all runs of this process together: one transaction a tick, then they are shown.
///
/// The first event after a pause is stored at once; while there is more, a transaction begins at most every `tick`, so
/// that any number of streams costs the same number of commits.
final class EventWriter: Sendable {
    /// At least so long from the beginning of one transaction to that of the next.
    static let tick = Duration.milliseconds(8)

    /// How storing may end, for the runs of one transaction.
    enum Outcome: Sendable {
        case stored
        /// Nothing of them was stored, and never will be.
        case lost
    }

    private struct State {
        var queue: [Entry] = []
        var isClosing = false
    }

    private struct Entry: Sendable {
        let channel: RunChannel
        let answer: ChatMessageID
    }

    private let state = Mutex(State())
    private let work = Wakeup()
    private let now: InstantSource
    private let store: @Sendable ([EventBatch]) async -> [RunID: Outcome]
    private let onLost: @Sendable (RunChannel) async -> Void

    /// - Parameters:
    ///   - store: stores all of them or says which are lost; tries again by itself.
    ///   - onLost: a run's events can't be stored any more.
    init(
        now: @escaping InstantSource,
        store: @escaping @Sendable ([EventBatch]) async -> [RunID: Outcome],
        onLost: @escaping @Sendable (RunChannel) async -> Void
    ) {
        self.now = now
        self.store = store
        self.onLost = onLost
    }

    /// A channel whose events this writer stores.
    func channel(for run: ChatRun, tenant: TenantID) -> RunChannel {
        RunChannel(tenant: tenant, run: run.id, conversation: run.conversation) { [weak self] channel in
            self?.enqueue(Entry(channel: channel, answer: run.answer))
        }
    }

    /// Stores until `close()`, and then what is left.
    func run() async {
        while let entries = await nextEntries() {
            let start = ContinuousClock.now
            let time = now()
            let batches = entries.compactMap { entry in
                entry.channel.take(time: time, answer: entry.answer).map { (entry.channel, $0) }
            }
            if batches.isEmpty { continue }
            // A commit is not given up half-way because the server ends: the task has no parent that cancels it, and is
            // awaited right here.
            let outcomes = await Task { [store] in await store(batches.map(\.1)) }.value
            for (channel, batch) in batches {
                switch outcomes[batch.run] ?? .lost {
                case .stored: channel.publish(batch)
                case .lost:
                    channel.lose()
                    await onLost(channel)
                }
            }
            // When cancelled it goes on without a pause: what is left is to be stored soon.
            try? await Task.sleep(until: start + Self.tick)
        }
    }

    /// No more will come.
    func close() {
        state.withLock { $0.isClosing = true }
        work.notify()
    }

    private func enqueue(_ entry: Entry) {
        state.withLock { $0.queue.append(entry) }
        work.notify()
    }

    /// Waits for something to store; nil when closed and everything is.
    private func nextEntries() async -> [Entry]? {
        while true {
            let generation = work.generation
            let (entries, isClosing) = state.withLock { state in
                defer { state.queue.removeAll(keepingCapacity: true) }
                return (state.queue, state.isClosing)
            }
            if !entries.isEmpty { return entries }
            if isClosing { return nil }
            await waitForWork(beyond: generation)
        }
    }

    /// Also in a cancelled task, whose runs are still to say their last word.
    private func waitForWork(beyond generation: UInt64) async {
        guard Task.isCancelled else { return await work.wait(beyond: generation) }
        await Task { [work] in await work.wait(beyond: generation) }.value
    }
}
