/// Tries an operation again as its policy, its budget and its deadline allow.
///
/// The operation decides what counts as one attempt, a whole exchange with the decoding of its reply for instance;
/// `verdict` decides what is worth another. The last error is what the caller gets, whichever bound ended the trying.
public struct Retrier: Sendable {
    private let policy: RetryPolicy
    private let budget: RetryBudget?
    private let clock: OutboundClock
    private let random: @Sendable () -> Double

    /// - Parameter random: in `0..<1`.
    public init(
        policy: RetryPolicy = .standard,
        budget: RetryBudget? = nil,
        clock: OutboundClock = .continuous,
        random: @escaping @Sendable () -> Double = { Double.random(in: 0..<1) }
    ) {
        self.policy = policy
        self.budget = budget
        self.clock = clock
        self.random = random
    }

    /// - Parameters:
    ///   - deadline: no wait ends after it.
    ///   - verdict: is not asked about a cancellation.
    ///   - operation: gets the number of the attempt, from 1.
    /// - Throws: the error of the last attempt; `CancellationError`.
    public func run<Value>(
        deadline: ContinuousClock.Instant? = nil,
        isolation: isolated (any Actor)? = #isolation,
        verdict: (any Error) -> RetryVerdict,
        _ operation: (_ attempt: Int) async throws -> Value
    ) async throws -> Value {
        budget?.noteCall()
        var attempt = 1
        while true {
            do {
                return try await operation(attempt)
            } catch {
                guard !(error is CancellationError), case .retry(let hint) = verdict(error),
                    try await waits(after: attempt, hint: hint, deadline: deadline)
                else { throw error }
            }
            attempt += 1
        }
    }

    /// Lets the wait after a failed attempt pass; false when there is to be no other attempt.
    private func waits(after attempt: Int, hint: Duration?, deadline: ContinuousClock.Instant?) async throws -> Bool {
        guard let delay = policy.delay(after: attempt, hint: hint, random: random()) else { return false }
        // Waiting for a moment that lies behind the deadline would only make the failure late.
        if let deadline, clock.now() + delay >= deadline { return false }
        // Asked last, so that a retry that does not happen is not counted.
        guard budget?.takeRetry() ?? true else { return false }
        try await clock.sleep(delay)
        return true
    }
}
