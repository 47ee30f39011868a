import Domain
import Synchronization

/// What the fixtures share: what is on show just now, who watches, and how time passes.
final class FixtureStage: Sendable {
    let pause: @Sendable (Duration) async throws -> Void
    private let state = Mutex(State())

    init(pause: @escaping @Sendable (Duration) async throws -> Void) { self.pause = pause }

    private struct State {
        var isToolShown = false
        var isPromptShown = false
        var isResourceShown = false
        /// How often the watched resource has changed.
        var revision = 0
        var waits = Waits()
        var lastListener = 0
        var listeners: [Int: Listener] = [:]
    }

    private struct Listener {
        let interest: ChangeInterest
        let continuation: AsyncStream<OfferChange>.Continuation
    }

    /// Calls that wait, and those that were cancelled while they did.
    struct Waits: Sendable, Hashable {
        var running = 0
        var cancelled = 0
    }

    var isToolShown: Bool { state.withLock { $0.isToolShown } }
    var isPromptShown: Bool { state.withLock { $0.isPromptShown } }
    var isResourceShown: Bool { state.withLock { $0.isResourceShown } }
    var revision: Int { state.withLock { $0.revision } }
    /// How many watch.
    var listenerCount: Int { state.withLock { $0.listeners.count } }
    var waits: Waits { state.withLock { $0.waits } }

    func flipTool() { change(.tools) { $0.isToolShown.toggle() } }
    func flipPrompt() { change(.prompts) { $0.isPromptShown.toggle() } }
    func flipResource() { change(.resources) { $0.isResourceShown.toggle() } }
    func touchWatched() { change(.resource(uri: FixtureResources.watched)) { $0.revision += 1 } }

    /// Waits as long as it is asked to, and counts those who do.
    func wait(_ duration: Duration) async throws {
        state.withLock { $0.waits.running += 1 }
        do {
            try await pause(duration)
            state.withLock { $0.waits.running -= 1 }
        } catch {
            state.withLock {
                $0.waits.running -= 1
                $0.waits.cancelled += 1
            }
            throw error
        }
    }

    func changes(of interest: ChangeInterest) -> AsyncStream<OfferChange> {
        let (stream, continuation) = AsyncStream.makeStream(
            of: OfferChange.self,
            bufferingPolicy: .bufferingNewest(Limits.fixtureChanges)
        )
        let number = state.withLock { state in
            state.lastListener += 1
            state.listeners[state.lastListener] = Listener(interest: interest, continuation: continuation)
            return state.lastListener
        }
        continuation.onTermination = { [weak self] _ in
            self?.state.withLock { _ = $0.listeners.removeValue(forKey: number) }
        }
        return stream
    }

    private func change(_ change: OfferChange, _ apply: (inout State) -> Void) {
        let interested = state.withLock { state in
            apply(&state)
            return state.listeners.values.filter { $0.interest.includes(change) }
        }
        // Outside of the lock: a listener that has gone takes it to remove itself.
        for listener in interested { listener.continuation.yield(change) }
    }
}

extension ChangeInterest {
    fileprivate func includes(_ change: OfferChange) -> Bool {
        switch change {
        case .tools: tools
        case .prompts: prompts
        case .resources: resources
        case .resource(let uri): uris.contains(uri)
        }
    }
}
