import Domain
import Synchronization

/// The events of one run in this process: what waits to be stored, and the newest that are.
///
/// The run's side gives drafts, the writer takes them, stores them and then shows them to all who follow. Followers
/// that fall behind what is kept here read from the store.
final class RunChannel: Sendable {
    let tenant: TenantID
    let run: RunID
    let conversation: ConversationID

    private struct State {
        var drafts: [EventDraft] = []
        var draftBytes = 0
        var steps: [RunStep] = []
        var conclusion: RunConclusion?
        /// Whether the writer knows that there is something.
        var isQueued = false
        var taken = 0
        /// The newest stored events, consecutive, ending with `stored`.
        var recent: [ChatEvent] = []
        var recentBytes = 0
        var stored = 0
        var isOver = false
        var isLost = false
    }

    private let state = Mutex(State())
    /// Something was stored, or the run is over or lost.
    private let progress = Wakeup()
    private let enqueue: @Sendable (RunChannel) -> Void

    /// - Parameter enqueue: tells the writer that there is something to take.
    init(
        tenant: TenantID,
        run: RunID,
        conversation: ConversationID,
        enqueue: @escaping @Sendable (RunChannel) -> Void
    ) {
        self.tenant = tenant
        self.run = run
        self.conversation = conversation
        self.enqueue = enqueue
    }

    // MARK: The run's side

    /// Puts a draft behind those that wait. Waits while too much waits: a slow store slows the model's stream.
    ///
    /// - Throws: `CancellationError` when the task is cancelled while it waits.
    func send(_ draft: EventDraft) async throws {
        while true {
            let generation = progress.generation
            if add(draft) { return }
            await progress.wait(beyond: generation)
            try Task.checkCancellation()
        }
    }

    /// Has a step stored, with or after the drafts before it. Never waits: a run has few.
    func keep(_ step: RunStep) {
        let isNew = state.withLock { state in
            guard state.conclusion == nil, !state.isLost else { return false }
            state.steps.append(step)
            defer { state.isQueued = true }
            return !state.isQueued
        }
        if isNew { enqueue(self) }
    }

    /// The last event, with all that is stored beside it. Never waits; what comes after it is ignored.
    func conclude(_ kind: ChatEvent.Kind, _ data: JSONObject, _ conclusion: RunConclusion) {
        let isNew = state.withLock { state in
            guard state.conclusion == nil, !state.isLost else { return false }
            state.drafts.append(.other(kind, data))
            state.conclusion = conclusion
            defer { state.isQueued = true }
            return !state.isQueued
        }
        if isNew { enqueue(self) }
    }

    /// Whether the store gave up on this run's events: the run has nobody to tell.
    var isLost: Bool { state.withLock { $0.isLost } }

    /// Returns when the last event is stored, or the run is lost; or when the task is cancelled.
    func waitUntilOver() async {
        while !Task.isCancelled {
            let generation = progress.generation
            if state.withLock({ $0.isOver || $0.isLost }) { return }
            await progress.wait(beyond: generation)
        }
    }

    private func add(_ draft: EventDraft) -> Bool {
        let outcome = state.withLock { state -> (added: Bool, isNew: Bool) in
            if state.conclusion != nil || state.isLost { return (true, false) }
            if state.draftBytes >= Limits.chatDraftBytes { return (false, false) }
            switch (draft, state.drafts.last) {
            case (.text(let text), .text(let before)):
                // Out of the array first, so that the string grows in place.
                state.drafts.removeLast()
                state.drafts.append(.text(before + text))
                state.draftBytes += text.utf8.count
            case (.text(let text), _):
                state.drafts.append(draft)
                state.draftBytes += text.utf8.count
            case (.other, _):
                state.drafts.append(draft)
                state.draftBytes += Self.otherBytes
            }
            defer { state.isQueued = true }
            return (true, !state.isQueued)
        }
        if outcome.isNew { enqueue(self) }
        return outcome.added
    }

    /// What an event that is no text counts for.
    private static let otherBytes = 512

    // MARK: The writer's side

    /// Everything that waits, numbered; nil when nothing does.
    func take(time: Instant, answer: ChatMessageID) -> EventBatch? {
        let (drafts, steps, first, conclusion) = state.withLock { state in
            let (drafts, steps) = (state.drafts, state.steps)
            state.drafts.removeAll(keepingCapacity: true)
            state.steps = []
            state.draftBytes = 0
            state.isQueued = false
            let first = state.taken + 1
            state.taken += drafts.count
            return (drafts, steps, first, drafts.isEmpty ? nil : state.conclusion)
        }
        if drafts.isEmpty, steps.isEmpty { return nil }
        let message = JSONValue.string(answer.description)
        let events = drafts.enumerated().map { offset, draft in
            let (kind, data): (ChatEvent.Kind, JSONObject) =
                switch draft {
                case .text(let text): (.textDelta, ["messageId": message, "text": .string(text)])
                case .other(let kind, let data): (kind, data)
                }
            return ChatEvent(
                conversation: conversation,
                run: run,
                sequence: first + offset,
                kind: kind,
                time: time,
                data: data
            )
        }
        return EventBatch(tenant: tenant, run: run, events: events, steps: steps, conclusion: conclusion)
    }

    /// The batch is stored: now it is shown.
    func publish(_ batch: EventBatch) {
        state.withLock { state in
            state.recentBytes += batch.events.reduce(0) { $0 + $1.wireBytes.count }
            var surplus = 0
            // The batch itself stays, or nobody could keep up.
            while surplus < state.recent.count, state.recentBytes > Limits.chatRecentBytes {
                state.recentBytes -= state.recent[surplus].wireBytes.count
                surplus += 1
            }
            // First, so that there is room without growing.
            state.recent.removeFirst(surplus)
            state.recent.append(contentsOf: batch.events)
            state.stored += batch.events.count
            if batch.conclusion != nil { state.isOver = true }
        }
        progress.notify()
    }

    /// The store can't take this run's events any more, or somebody else has ended the run.
    func lose() {
        state.withLock { state in
            state.isLost = true
            state.drafts = []
            state.draftBytes = 0
            state.steps = []
        }
        progress.notify()
    }

    // MARK: The followers' side

    enum Next: Sendable {
        /// At least one, from the first after the one asked for.
        case events([ChatEvent])
        /// The store has what is asked for, this channel not any more.
        case inStore
        /// All were given.
        case over
        /// From here on only the store knows.
        case lost
    }

    /// What comes after `sequence`; waits for it.
    ///
    /// - Throws: `CancellationError`.
    func next(after sequence: Int) async throws -> Next {
        while true {
            try Task.checkCancellation()
            let generation = progress.generation
            let next = state.withLock { state -> Next? in
                if state.stored > sequence {
                    let first = state.stored - state.recent.count + 1
                    guard sequence + 1 >= first else { return .inStore }
                    return .events(Array(state.recent.suffix(state.stored - sequence)))
                }
                if state.isOver { return .over }
                return state.isLost ? .lost : nil
            }
            if let next { return next }
            await progress.wait(beyond: generation)
        }
    }
}
