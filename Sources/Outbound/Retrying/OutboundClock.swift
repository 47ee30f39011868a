/// What time it is, and how to let it pass; tests bring their own.
public struct OutboundClock: Sendable {
    public var now: @Sendable () -> ContinuousClock.Instant
    /// - Throws: `CancellationError`.
    public var sleep: @Sendable (Duration) async throws -> Void

    public init(
        now: @escaping @Sendable () -> ContinuousClock.Instant,
        sleep: @escaping @Sendable (Duration) async throws -> Void
    ) {
        self.now = now
        self.sleep = sleep
    }

    public static let continuous = OutboundClock(
        now: { .now },
        sleep: { try await Task.sleep(for: $0, clock: .continuous) }
    )
}
