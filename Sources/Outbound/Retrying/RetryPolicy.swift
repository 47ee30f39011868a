/// How often, and how far apart, a call is tried again.
///
/// Full jitter (Brooker, "Exponential Backoff And Jitter", 2015): the n-th wait is random between nothing and
/// `min(delayMax, delayBase · 2ⁿ)`, so that callers that failed together do not come back together.
public struct RetryPolicy: Sendable, Hashable {
    /// The first one included.
    public var attemptsMax: Int
    public var delayBase: Duration
    public var delayMax: Duration
    /// Longest wait that an upstream may ask for; who asks for more gets no further attempt.
    public var hintMax: Duration

    public init(
        attemptsMax: Int = 5,
        delayBase: Duration = .milliseconds(500),
        delayMax: Duration = .seconds(30),
        hintMax: Duration = .seconds(90)
    ) {
        self.attemptsMax = attemptsMax
        self.delayBase = delayBase
        self.delayMax = delayMax
        self.hintMax = hintMax
    }

    public static let standard = RetryPolicy()
    public static let never = RetryPolicy(attemptsMax: 1)

    /// The wait after attempt `attempt` (from 1) failed; nil when there is to be no other.
    ///
    /// A hint of the upstream is a lower bound: the jitter comes on top, or everybody who was told "in 30 s" would
    /// come in that very moment.
    ///
    /// - Parameter random: in `0..<1`.
    public func delay(after attempt: Int, hint: Duration?, random: Double) -> Duration? {
        guard attempt < attemptsMax else { return nil }
        if let hint, hint > hintMax { return nil }
        let ceiling = min(delayMax, delayBase * (1 << min(attempt - 1, 20)))
        let jitter = ceiling * random
        return hint.map { max($0, .zero) + min(jitter, delayBase) } ?? jitter
    }
}

/// What may follow a failed attempt.
public enum RetryVerdict: Sendable, Hashable {
    /// It would fail again, or somebody has seen a part of the answer already.
    case giveUp
    /// - Parameter after: not before this has passed, if the upstream said so (RetryInfo, Retry-After).
    case retry(after: Duration?)
}
