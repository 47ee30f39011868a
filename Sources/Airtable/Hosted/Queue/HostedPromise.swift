import Domain
import Synchronization

/// The answer to one call, given once and awaited by one task, in whichever order.
final class HostedPromise: Sendable {
    typealias Answer = Result<JSONValue, any Error>

    private enum State {
        case open
        case awaited(CheckedContinuation<JSONValue, any Error>)
        case kept(Answer)
    }

    private let state = Mutex(State.open)

    func keep(_ answer: Answer) {
        let continuation = state.withLock { state -> CheckedContinuation<JSONValue, any Error>? in
            defer { state = .kept(answer) }
            if case .awaited(let continuation) = state { return continuation }
            return nil
        }
        continuation?.resume(with: answer)
    }

    func value() async throws -> JSONValue {
        try await withCheckedThrowingContinuation { continuation in
            let answer = state.withLock { state -> Answer? in
                if case .kept(let answer) = state { return answer }
                state = .awaited(continuation)
                return nil
            }
            if let answer { continuation.resume(with: answer) }
        }
    }
}
