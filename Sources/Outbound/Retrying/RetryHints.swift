public import Domain

/// What the standards say about trying again; providers know more.
public enum RetryHints {
    /// How long `Retry-After` says to wait: in seconds, or until a date (RFC 9110, 10.2.3).
    ///
    /// A date is compared with the reply's own, so that clocks need not agree; with ours only when it has none.
    public static func retryAfter(
        _ headers: [(name: String, value: String)],
        now: Instant = .now()
    ) -> Duration? {
        func value(_ name: String) -> String? { headers.first { $0.name == name }?.value }
        guard let text = value("retry-after") else { return nil }
        if let seconds = Double(text) {
            guard seconds.isFinite, seconds >= 0 else { return nil }
            // What is beyond all patience stays so; a Duration has no room for more.
            return .seconds(min(seconds, 1e9))
        }
        guard let end = HTTPDate.instant(text) else { return nil }
        let start = value("date").flatMap { HTTPDate.instant($0) } ?? now
        return .microseconds(max(0, end.microseconds - start.microseconds))
    }

    /// Of a call that got no reply.
    public static func verdict(on error: OutboundError) -> RetryVerdict {
        switch error.code {
        case .cannotConnect, .connectionLost, .noReply: .retry(after: nil)
        case .invalidAddress, .addressRefused, .stalled, .timedOut, .replyTooLarge, .malformedReply, .circuitOpen,
            .closed:
            .giveUp
        }
    }
}
