import Synchronization

@testable import Outbound

/// Time that passes only when somebody waits for it; remembers every wait.
final class ManualClock: Sendable {
    private struct State {
        var now = ContinuousClock.now
        var waits: [Duration] = []
    }

    private let state = Mutex(State())

    var clock: OutboundClock {
        OutboundClock(
            now: { self.now },
            sleep: { duration in
                try Task.checkCancellation()
                self.state.withLock { state in
                    state.waits.append(duration)
                    state.now += duration
                }
            }
        )
    }

    var now: ContinuousClock.Instant { state.withLock { $0.now } }
    var waits: [Duration] { state.withLock { $0.waits } }

    func advance(by duration: Duration) { state.withLock { $0.now += duration } }
}
