import Domain

/// Sends again what an upstream did not take: connections that fail, and replies whose status says "later".
///
/// Retries end at the head of a good reply; what its body does is the reader's to judge.
public struct RetryingTransport: HTTPTransport {
    /// A reply that may be worth another attempt, read whole or to a bound.
    public struct Refusal: Sendable {
        public let status: Int
        public let headers: [(name: String, value: String)]
        /// At most `Limits.outboundErrorBytes`.
        public let body: [UInt8]

        /// The seconds of `Retry-After`. The form with a date is not read: it depends on clocks agreeing.
        public var retryAfter: Duration? { RetryHints.retryAfter(headers) }
    }

    private let base: any HTTPTransport
    private let retrier: Retrier
    private let clock: OutboundClock
    private let refusal: @Sendable (Refusal) -> RetryVerdict
    private let failure: @Sendable (OutboundError) -> RetryVerdict

    /// - Parameters:
    ///   - refusal: judges replies of status 400 and above.
    ///   - failure: judges calls without a reply.
    public init(
        _ base: any HTTPTransport,
        retrier: Retrier,
        clock: OutboundClock = .continuous,
        refusal: @escaping @Sendable (Refusal) -> RetryVerdict = RetryHints.verdict(on:),
        failure: @escaping @Sendable (OutboundError) -> RetryVerdict = RetryHints.verdict(on:)
    ) {
        self.base = base
        self.retrier = retrier
        self.clock = clock
        self.refusal = refusal
        self.failure = failure
    }

    public func send(_ request: OutboundRequest) async throws -> OutboundReply {
        let deadline = clock.now() + request.deadlines.total
        retrier.noteCall()
        var attempt = 1
        while true {
            let outcome = try await self.attempt(request, deadline: deadline)
            guard case .retry(let hint) = outcome.verdict,
                try await retrier.waits(after: attempt, hint: hint, deadline: deadline)
            else { return try outcome.result.get() }
            attempt += 1
        }
    }

    private func attempt(
        _ request: OutboundRequest,
        deadline: ContinuousClock.Instant
    ) async throws -> (result: Result<OutboundReply, OutboundError>, verdict: RetryVerdict) {
        var request = request
        request.deadlines.total = deadline - clock.now()
        do {
            let reply = try await base.send(request)
            guard reply.status >= 400 else { return (.success(reply), .giveUp) }
            let body = try await reply.body.beginning(bytesMax: Limits.outboundErrorBytes)
            let whole = OutboundReply(status: reply.status, headers: reply.headers, body: OutboundBody(body))
            return (.success(whole), refusal(Refusal(status: reply.status, headers: reply.headers, body: body)))
        } catch let error as OutboundError {
            return (.failure(error), failure(error))
        }
    }
}

/// What the standards say about trying again; providers know more.
public enum RetryHints {
    public static func retryAfter(_ headers: [(name: String, value: String)]) -> Duration? {
        guard let text = headers.first(where: { $0.name == "retry-after" })?.value, let seconds = Double(text),
            seconds >= 0, seconds < 1e9
        else { return nil }
        return .seconds(seconds)
    }

    @Sendable public static func verdict(on refusal: RetryingTransport.Refusal) -> RetryVerdict {
        isTransient(status: refusal.status) ? .retry(after: refusal.retryAfter) : .giveUp
    }

    @Sendable public static func verdict(on error: OutboundError) -> RetryVerdict {
        switch error.code {
        case .cannotConnect, .connectionLost, .noReply: .retry(after: nil)
        case .invalidAddress, .addressRefused, .stalled, .timedOut, .replyTooLarge, .malformedReply, .circuitOpen,
            .closed:
            .giveUp
        }
    }

    /// 408, 429, 500, 502, 503 and 504.
    public static func isTransient(status: Int) -> Bool { [408, 429, 500, 502, 503, 504].contains(status) }
}
