/// Tokens that come back one `period` after they were taken: no stretch of that length sees more than `count` calls.
struct RateWindow: Sendable, Hashable {
    let count: Int
    let period: Duration
    /// When the newest tokens were taken, oldest first; at most `count`.
    private var taken: [ContinuousClock.Instant] = []

    init(count: Int, period: Duration) {
        precondition(count > 0, "a window of \(count) calls lets nothing through")
        self.count = count
        self.period = period
    }

    /// The earliest moment, perhaps past, at which the next token is there.
    func opening(at now: ContinuousClock.Instant) -> ContinuousClock.Instant {
        guard taken.count == count, let oldest = taken.first else { return now }
        return max(now, oldest + period)
    }

    mutating func take(at now: ContinuousClock.Instant) {
        if taken.count == count { taken.removeFirst() }
        taken.append(now)
    }

    /// Nothing is taken, so that this window is like a new one.
    func isAtRest(at now: ContinuousClock.Instant) -> Bool { taken.last.map { $0 + period <= now } ?? true }
}
