import Synchronization

/// Brings what happens in a run to the one task that decides, in order and one at a time.
///
/// Who sends waits until what it sent has been dealt with: a slow consumer of the run slows the provider's stream. So at
/// most one event of each sender is ever inside, and the number of senders bounds the queue.
final class EventMailbox: Sendable {
    fileprivate typealias Sender = CheckedContinuation<Bool, Never>

    fileprivate struct State {
        var queue: [(event: AgentEvent, sender: Sender?)] = []
        var receiver: CheckedContinuation<Void, Never>?
        /// Whose event is being dealt with.
        var current: Sender?
        var isClosed = false
    }

    private let state = Mutex(State())

    /// Returns once the event has been dealt with.
    ///
    /// - Throws: `CancellationError` when the run is over.
    func send(_ event: AgentEvent) async throws {
        let isTaken = await withCheckedContinuation { sender in
            let receiver = state.withLock { state -> CheckedContinuation<Void, Never>?? in
                guard !state.isClosed else { return nil }
                state.queue.append((event, sender))
                return .some(state.takeReceiver())
            }
            guard let receiver else { return sender.resume(returning: false) }
            receiver?.resume()
        }
        guard isTaken else { throw CancellationError() }
    }

    /// Puts an event in front of those that wait, without waiting itself.
    func post(_ event: AgentEvent) {
        let receiver = state.withLock { state -> CheckedContinuation<Void, Never>? in
            guard !state.isClosed else { return nil }
            state.queue.insert((event, nil), at: 0)
            return state.takeReceiver()
        }
        receiver?.resume()
    }

    /// The next event. By asking for it the receiver says that it has dealt with the one before.
    func next() async -> AgentEvent {
        let done = state.withLock { state in
            defer { state.current = nil }
            return state.current
        }
        done?.resume(returning: true)
        while true {
            let event = state.withLock { state -> AgentEvent? in
                guard !state.queue.isEmpty else { return nil }
                let first = state.queue.removeFirst()
                state.current = first.sender
                return first.event
            }
            if let event { return event }
            await withCheckedContinuation { receiver in
                let isWaiting = state.withLock { state in
                    guard state.queue.isEmpty else { return false }
                    state.receiver = receiver
                    return true
                }
                if !isWaiting { receiver.resume() }
            }
        }
    }

    /// Lets everybody go who waits or will come.
    func close() {
        let senders = state.withLock { state -> [Sender] in
            state.isClosed = true
            defer { state.queue = [] }
            let waiting = state.queue.compactMap(\.sender) + [state.current].compactMap(\.self)
            state.current = nil
            return waiting
        }
        for sender in senders { sender.resume(returning: false) }
    }
}

extension EventMailbox.State {
    fileprivate mutating func takeReceiver() -> CheckedContinuation<Void, Never>? {
        defer { receiver = nil }
        return receiver
    }
}
