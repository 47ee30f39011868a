import Synchronization

/// Lets only so many in at a time, in order of arrival.
///
/// Tests run all at once, and each PostgreSQL database of theirs may take a pool of connections, of which the test
/// cluster has sixty.
final class Turnstile: Sendable {
    private struct State {
        var free: Int
        var waiting: [CheckedContinuation<Void, Never>] = []
    }

    private let state: Mutex<State>

    init(places: Int) { state = Mutex(State(free: places)) }

    func enter() async {
        await withCheckedContinuation { continuation in
            let entersNow = state.withLock { state in
                if state.free > 0 {
                    state.free -= 1
                    return true
                }
                state.waiting.append(continuation)
                return false
            }
            if entersNow { continuation.resume() }
        }
    }

    func leave() {
        let next = state.withLock { state -> CheckedContinuation<Void, Never>? in
            if state.waiting.isEmpty {
                state.free += 1
                return nil
            }
            return state.waiting.removeFirst()
        }
        next?.resume()
    }

    /// Whether the current task has passed the turnstile.
    @TaskLocal static var isInside = false

    static let postgres = Turnstile(places: 5)
}
