/// What the standards say about trying again; providers know more.
public enum RetryHints {
    /// The seconds of `Retry-After`. The form with a date is not read: it depends on clocks agreeing.
    public static func retryAfter(_ headers: [(name: String, value: String)]) -> Duration? {
        guard let text = headers.first(where: { $0.name == "retry-after" })?.value, let seconds = Double(text),
            seconds.isFinite, seconds >= 0
        else { return nil }
        // What is beyond all patience stays so; a Duration has no room for more.
        return .seconds(min(seconds, 1e9))
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
