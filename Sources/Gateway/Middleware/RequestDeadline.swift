import Domain
import Synchronization

/// Gives a request's work the time it has, and no more.
enum RequestDeadline {
    /// Runs `work`; when `deadline` passes first, or the client goes away, cancels it and waits until it has stopped.
    ///
    /// - Parameters:
    ///   - client: without whom the work is for nobody; nil when it is done anyway.
    ///   - place: where the work begins.
    /// - Throws: `timedOut`; `clientGone`; what `work` throws.
    static func run<T: Sendable>(
        until deadline: ContinuousClock.Instant,
        for client: ClientPresence? = nil,
        beginning place: Place = .elsewhere,
        _ work: @escaping @Sendable () async throws -> T
    ) async throws -> T {
        // Unstructured, so that the clock and the client's connection can end it; always waited for.
        let isDone = Flag()
        let begun: @Sendable () async throws -> T = {
            defer { isDone.raise() }
            return try await work()
        }
        let task = place == .here ? Task.begunHere(begun) : Task(operation: begun)
        // Nothing is left that a clock could end.
        if isDone.isRaised { return try await task.value }
        let end = EarlyEnd { task.cancel() }
        let alarm = DeadlineClock.shared.add(deadline) { end.come(.timedOut) }
        defer { DeadlineClock.shared.remove(alarm) }
        let watch = client?.whenGone { end.come(.clientGone) }
        defer { if let watch { client?.remove(watch) } }
        let result = await withTaskCancellationHandler {
            await task.result
        } onCancel: {
            task.cancel()
        }
        switch end.finish() {
        case .timedOut: throw GatewayError(.timedOut, "The answer took longer than the server allows.")
        case .clientGone: throw GatewayError(.clientGone, "The client went away before its answer was there.")
        case nil: return try result.get()
        }
    }

    /// Where work begins.
    enum Place {
        /// On this thread, until it first waits: for what is short, such as a body that is there.
        case here
        /// Where threads are for work.
        case elsewhere
    }

    private enum Reason {
        case timedOut
        case clientGone
    }

    /// Raised once, by whoever does the work.
    private final class Flag: Sendable {
        private let raised = Atomic(false)

        var isRaised: Bool { raised.load(ordering: .acquiring) }
        func raise() { raised.store(true, ordering: .releasing) }
    }

    /// Why the work was ended, if it was: the first reason counts, and none that comes when it is done.
    private final class EarlyEnd: Sendable {
        private let state: Mutex<(reason: Reason?, cancel: (@Sendable () -> Void)?)>

        init(cancel: @escaping @Sendable () -> Void) { state = Mutex((nil, cancel)) }

        func come(_ reason: Reason) {
            let cancel = state.withLock { state -> (@Sendable () -> Void)? in
                guard state.reason == nil, let cancel = state.cancel else { return nil }
                state.reason = reason
                return cancel
            }
            cancel?()
        }

        func finish() -> Reason? {
            state.withLock { state in
                state.cancel = nil
                return state.reason
            }
        }
    }
}
