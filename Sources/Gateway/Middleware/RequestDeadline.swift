import Domain
import NIOCore
import Synchronization

/// Gives a request's work the time it has, and no more.
enum RequestDeadline {
    /// Runs `work`; when `deadline` passes first, or the client goes away, cancels it and waits until it has stopped.
    ///
    /// - Parameter client: the connection of a client without whom the work is for nobody; nil when it is done anyway.
    /// - Throws: `timedOut`; `clientGone`; what `work` throws.
    static func run<T: Sendable>(
        until deadline: ContinuousClock.Instant,
        for client: (any Channel)? = nil,
        _ work: @escaping @Sendable () async throws -> T
    ) async throws -> T {
        // Unstructured, so that the clock and the client's connection can end it; always waited for. Begun by this thread:
        // work that never waits, such as a body that is there, then ends without another.
        let task = Task.begunHere { try await work() }
        let end = EarlyEnd { task.cancel() }
        let alarm = DeadlineClock.shared.add(deadline) { end.come(.timedOut) }
        defer { DeadlineClock.shared.remove(alarm) }
        if let client { await ClientWatch.on(client)?.whenComplete { _ in end.come(.clientGone) } }
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

    private enum Reason {
        case timedOut
        case clientGone
    }

    /// Why the work was ended, if it was: the first reason counts, and none that comes when it is done.
    ///
    /// The client's connection keeps it for as long as it lives, so it lets go of the work, and what that gave, at its end.
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
