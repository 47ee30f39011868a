/// How long workers hold jobs, and how long a job that failed rests.
public struct JobTiming: Sendable, Hashable {
    /// After so long without a sign of life a job is taken for abandoned. A restarted server goes on then.
    public var lease: Duration
    /// The rest after a first failure; it doubles with each further one.
    public var backoff: Duration
    public var backoffMax: Duration

    public init(
        lease: Duration = .seconds(20),
        backoff: Duration = .seconds(1),
        backoffMax: Duration = .seconds(300)
    ) {
        self.lease = lease
        self.backoff = backoff
        self.backoffMax = backoffMax
    }

    /// How long a job rests after its `attempts`-th failure in a row: a part of twice the rest before, so that many
    /// that failed together do not come back together ("full jitter").
    ///
    /// - Parameter share: in `0..<1`.
    func rest(afterAttempts attempts: Int, share: Double) -> Duration {
        let doublings = min(max(attempts - 1, 0), 20)
        let whole = min(backoff * (1 << doublings), backoffMax)
        return backoff / 2 + (whole - backoff / 2) * max(0, min(share, 1))
    }
}
