import Synchronization

/// Keeps a key that was refused from being sent again and again: closed for a while after each refusal.
final class GeminiKeyGate: Sendable {
    /// Long enough to be no nuisance, short enough that a right granted meanwhile is noticed.
    static let pause = Duration.seconds(30)

    private let closedUntil = Mutex<ContinuousClock.Instant?>(nil)

    func refused(at now: ContinuousClock.Instant) {
        closedUntil.withLock { $0 = now + Self.pause }
    }

    /// - Throws: `GeminiError.keyRefused` while closed.
    func check(at now: ContinuousClock.Instant) throws(GeminiError) {
        guard let end = closedUntil.withLock({ $0 }), now < end else { return }
        throw GeminiError(
            .keyRefused,
            "Gemini did not accept the key a moment ago; it is not sent again yet",
            hint: "check GEMINI_API_KEY",
            retryAfter: end - now
        )
    }
}
