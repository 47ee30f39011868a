import Domain
import Logging
import Synchronization

/// Events on their way into the log, gathered for a moment and written together by one task, of which there is one at a
/// time; this object owns it and cancels it when it goes.
///
/// Refusals are what others can make happen as often as they like, so equal ones are written once a minute, with their
/// count. At the bound of memory events are dropped, and an entry says how many.
final class AuditBuffer: Sendable {
    static let window = Duration.seconds(60)
    /// How long one write may queue.
    static let writeTimeout = Duration.seconds(30)

    private struct Waiting: Sendable {
        let chain: AuditChain
        let event: AuditEvent
    }

    /// What makes two refusals the same.
    private struct Kind: Hashable {
        let chain: AuditChain
        let action: AuditAction
        let user: UserID?
        let key: KeyID?
        let session: SessionID?
        let address: String?
        let object: AuditObject?
        let reason: String?

        init(_ event: AuditEvent, _ chain: AuditChain) {
            self.chain = chain
            action = event.action
            user = event.user
            key = event.key
            session = event.session
            address = event.address
            object = event.object
            reason = event.details[.reason]
        }
    }

    private struct Repeats: Sendable {
        /// When one was written last.
        var since: Instant
        /// How many came after it, and the last of them.
        var count = 0
        var last: AuditEvent
    }

    private struct State: Sendable {
        /// Gathered for the next round.
        var waiting: [Waiting] = []
        /// Of this round, and not written yet.
        var due: [Waiting] = []
        var repeats: [Kind: Repeats] = [:]
        var dropped: [AuditChain: Int] = [:]
        /// When each key's use was noted last.
        var uses: [KeyID: Instant] = [:]
        var writer: Task<Void, Never>?
        /// What the writer waits for while events gather; cancelled when they shall not.
        var pause: Task<Void, Never>?
        /// Whether somebody waits for the events, so that there are no pauses until all are written.
        var isHurried = false
        /// Of whoever noted something last: it says so when events are lost.
        var logger = Logger(label: "audit", factory: { _ in SwiftLogNoOpLogHandler() })
    }

    private let state = Mutex(State())
    private let store: AuditStore
    private let capacity: Int

    init(store: AuditStore, capacity: Int = Limits.auditWaiting) {
        self.store = store
        self.capacity = capacity
    }

    deinit {
        state.withLock { state in
            state.writer?.cancel()
            state.pause?.cancel()
        }
    }

    /// Returns at once.
    func note(_ event: AuditEvent, chain: AuditChain, logger: Logger) {
        state.withLock { state in
            state.logger = logger
            var event = event
            if event.result == .refused {
                let kind = Kind(event, chain)
                if var repeats = state.repeats[kind] {
                    if event.time.microseconds - repeats.since.microseconds < Self.windowMicroseconds {
                        repeats.count += 1
                        repeats.last = event
                        state.repeats[kind] = repeats
                        return
                    }
                    if repeats.count > 0 { event.details[.repeated] = "\(repeats.count)" }
                } else if state.repeats.count >= capacity {
                    // Somebody changes their address or their target each time.
                    state.dropped[chain, default: 0] += 1
                    start(&state)
                    return
                }
                state.repeats[kind] = Repeats(since: event.time, last: event)
            }
            add(event, chain, &state)
            start(&state)
        }
    }

    /// Notes that a key was used, at most once a minute for each.
    func noteUse(of key: KeyID, chain: AuditChain, at time: Instant, logger: Logger, _ event: () -> AuditEvent) {
        state.withLock { state in
            if let last = state.uses[key], time.microseconds - last.microseconds < Self.windowMicroseconds { return }
            if state.uses.count >= capacity { state.uses.removeAll(keepingCapacity: true) }
            state.uses[key] = time
            state.logger = logger
            add(event(), chain, &state)
            start(&state)
        }
    }

    /// Lets refusals be written whose minute is over and that have not come again.
    func settle(at time: Instant) {
        state.withLock { state in
            for (kind, repeats) in state.repeats
            where time.microseconds - repeats.since.microseconds >= Self.windowMicroseconds {
                state.repeats[kind] = nil
                guard repeats.count > 0 else { continue }
                var event = repeats.last
                event.details[.repeated] = "\(repeats.count - 1)"
                add(event, kind.chain, &state)
            }
            if !state.waiting.isEmpty { start(&state) }
        }
    }

    /// Returns when all that was noted before is written, or was given up.
    func flush() async {
        await state.withLock { state -> Task<Void, Never>? in
            if !state.waiting.isEmpty || !state.due.isEmpty || !state.dropped.isEmpty { start(&state) }
            guard state.writer != nil else { return nil }
            state.isHurried = true
            state.pause?.cancel()
            return state.writer
        }?.value
    }

    private static let windowMicroseconds = window.components.seconds * 1_000_000

    private func add(_ event: AuditEvent, _ chain: AuditChain, _ state: inout State) {
        guard state.waiting.count + state.due.count < capacity else {
            state.dropped[chain, default: 0] += 1
            return
        }
        state.waiting.append(Waiting(chain: chain, event: event))
        if state.waiting.count == Limits.auditBatch { state.pause?.cancel() }
    }

    private func start(_ state: inout State) {
        guard state.writer == nil else { return }
        let logger = state.logger
        // Unstructured, because the request that starts it must not wait for it; owned by `state.writer`.
        state.writer = Task { [weak self, store] in
            while true {
                // Not held meanwhile: who lets go of the buffer does not wait.
                await self?.pause()?.value
                guard self?.beginRound() == true else { return }
                while let (chain, events) = self?.take() {
                    do {
                        try await store.append(events, to: chain, deadline: .now + Self.writeTimeout)
                    } catch {
                        self?.giveUp(events.count, of: chain)
                        logger.error(
                            "events of the audit log are lost",
                            metadata: ["error": "\(error)", "events": "\(events.count)"]
                        )
                        return
                    }
                }
            }
        }
    }

    /// What the writer waits for before the next round; nil when it goes on at once. Owned by `state.pause`.
    private func pause() -> Task<Void, Never>? {
        state.withLock { state in
            guard !state.isHurried, state.due.isEmpty, state.waiting.count < Limits.auditBatch else { return nil }
            let pause = Task { _ = try? await Task.sleep(for: .milliseconds(Limits.auditGatherMilliseconds)) }
            state.pause = pause
            return pause
        }
    }

    /// Makes due what has gathered; false, and no writer any more, when nothing has.
    private func beginRound() -> Bool {
        state.withLock { state in
            state.pause = nil
            state.due += state.waiting
            state.waiting = []
            if Task.isCancelled || state.due.isEmpty && state.dropped.isEmpty {
                state.writer = nil
                state.isHurried = false
                return false
            }
            return true
        }
    }

    /// Some of what is due for one chain, in its order; nil when nothing is.
    private func take() -> (AuditChain, [AuditEvent])? {
        state.withLock { state in
            guard let chain = state.due.first?.chain ?? state.dropped.keys.first else { return nil }
            var events: [AuditEvent] = []
            var rest: [Waiting] = []
            for due in state.due {
                if due.chain == chain, events.count < Limits.auditBatch {
                    events.append(due.event)
                } else {
                    rest.append(due)
                }
            }
            state.due = rest
            if let count = state.dropped.removeValue(forKey: chain) {
                let time = events.last?.time ?? .now()
                events.append(AuditEvent(.auditDropped, result: .failed, at: time, details: [.count: "\(count)"]))
            }
            return (chain, events)
        }
    }

    /// The database does not take them: they are counted, and the next event tries again.
    private func giveUp(_ count: Int, of chain: AuditChain) {
        state.withLock { state in
            state.dropped[chain, default: 0] += count
            state.writer = nil
            state.isHurried = false
        }
    }
}
