/// Whether calls to one upstream are let through, as a pure state machine.
///
/// Closed, it counts failures in a row; at the threshold it opens. Open, nothing is let through until a while has
/// passed; then one call goes through as a probe (half-open). The probe's success closes the circuit, its failure
/// opens it for twice as long.
public struct CircuitState: Sendable, Hashable {
    public struct Policy: Sendable, Hashable {
        /// Failures in a row that open the circuit.
        public var failuresMax: Int
        /// How long it stays open the first time.
        public var openBase: Duration
        /// How long it stays open at most.
        public var openMax: Duration

        public init(failuresMax: Int = 8, openBase: Duration = .seconds(5), openMax: Duration = .seconds(120)) {
            self.failuresMax = failuresMax
            self.openBase = openBase
            self.openMax = openMax
        }

        public static let standard = Policy()
    }

    public enum Admission: Sendable, Hashable {
        case go
        /// One call that finds out; its outcome must be reported.
        case probe
        case refused(retryAfter: Duration)
    }

    public enum Outcome: Sendable, Hashable {
        case success
        case failure
        /// Says nothing about the upstream, such as a cancellation by the caller.
        case unknown
    }

    private enum Phase: Hashable {
        case closed(failures: Int)
        case open(until: ContinuousClock.Instant, times: Int)
        case halfOpen(times: Int)
    }

    private let policy: Policy
    private var phase = Phase.closed(failures: 0)

    public init(policy: Policy = .standard) { self.policy = policy }

    /// Nothing has failed lately, so that this state is like a new one.
    public var isAtRest: Bool { phase == .closed(failures: 0) }

    public mutating func admit(at now: ContinuousClock.Instant) -> Admission {
        switch phase {
        case .closed: return .go
        case .open(let until, let times):
            guard now >= until else { return .refused(retryAfter: until - now) }
            phase = .halfOpen(times: times)
            return .probe
        case .halfOpen: return .refused(retryAfter: policy.openBase)
        }
    }

    public mutating func note(_ outcome: Outcome, of admission: Admission, at now: ContinuousClock.Instant) {
        switch (phase, admission, outcome) {
        case (.closed, .go, .success): phase = .closed(failures: 0)
        case (.closed(let failures), .go, .failure):
            phase = failures + 1 < policy.failuresMax ? .closed(failures: failures + 1) : opened(at: now, times: 0)
        case (.halfOpen, .probe, .success): phase = .closed(failures: 0)
        case (.halfOpen(let times), .probe, .failure): phase = opened(at: now, times: times + 1)
        // Nothing was found out: the next call may try.
        case (.halfOpen(let times), .probe, .unknown): phase = .open(until: now, times: times)
        // A call that began before the circuit opened says nothing about the upstream now.
        case (.closed, _, _), (.open, _, _), (.halfOpen, _, _): break
        }
    }

    /// Opens the circuit at once, such as when an upstream says when to come back, or that a key is no good.
    public mutating func open(for duration: Duration, at now: ContinuousClock.Instant) {
        phase = .open(until: now + duration, times: 0)
    }

    private func opened(at now: ContinuousClock.Instant, times: Int) -> Phase {
        .open(until: now + min(policy.openMax, policy.openBase * (1 << min(times, 20))), times: times)
    }
}
