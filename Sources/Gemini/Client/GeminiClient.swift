import Domain
public import Outbound

/// Google's Gemini API over HTTP: generating, streaming, counting, listing, embedding.
///
/// A value that is cheap to copy; copies share what is known of the key. Everything throws `GeminiError`, or
/// `CancellationError` with the connection closed.
public struct GeminiClient: Sendable {
    public let configuration: GeminiConfiguration
    let transport: any HTTPTransport
    let retrier: Retrier
    let gate = GeminiKeyGate()
    let clock: OutboundClock

    /// - Parameters:
    ///   - transport: sends each request once; retrying is done here, where it is known what was shown.
    ///   - retrier: with the budget of this upstream; the deadline is each call's own.
    public init(
        transport: any HTTPTransport,
        configuration: GeminiConfiguration,
        retrier: Retrier = Retrier(policy: .gemini, budget: .gemini()),
        clock: OutboundClock = .continuous
    ) {
        self.transport = transport
        self.configuration = configuration
        self.retrier = retrier
        self.clock = clock
    }

    /// One request as it goes out, but for address and key.
    struct Order {
        var method: OutboundRequest.Method = .post
        /// Below the version.
        var path: String
        var body: [UInt8] = []
        var deadlines: OutboundDeadlines
        /// For messages.
        var model: GeminiModelName?
    }

    /// Sends until there is a good reply, and decodes it.
    ///
    /// - Parameter decode: its errors count as the reply's, and are retried if they are transient.
    func ask<T>(_ order: Order, call: GeminiCall, decode: ([UInt8]) throws -> T) async throws -> T {
        try await retrier.run(deadline: call.deadline, verdict: Self.verdict) { _ in
            var bytes: [UInt8] = []
            var value: T?
            try await exchange(order, call: call) {
                bytes += $0
            } onEnd: {
                value = try decode(bytes)
            }
            guard let value else { preconditionFailure("an exchange that threw nothing has ended") }
            return value
        }
    }

    /// Sends once, and hands a good reply on as it arrives.
    ///
    /// The recorder hears of it in every case, before this returns or throws.
    func exchange(
        _ order: Order,
        call: GeminiCall,
        onPiece: ([UInt8]) async throws -> Void,
        onEnd: () async throws -> Void
    ) async throws {
        try gate.check(at: clock.now())
        var exchange = GeminiExchange(path: "/\(configuration.version)/\(order.path)", request: order.body)
        do {
            let reply = try await transport.send(try outbound(order, exchange.path, call))
            exchange.status = reply.status
            guard (200..<300).contains(reply.status) else {
                // When it breaks off, its status still says enough.
                let body = try await reply.body.beginning(bytesMax: Limits.outboundErrorBytes)
                exchange.reply = body
                throw GeminiError.ofReply(
                    status: reply.status,
                    retryAfterHeader: RetryHints.retryAfter(reply.headers),
                    body: body,
                    model: order.model,
                    configuration: configuration
                )
            }
            for try await piece in reply.body {
                if call.onExchange != nil { exchange.reply += piece }
                try await onPiece(piece)
            }
            try await onEnd()
        } catch {
            let error = (error as? OutboundError).map { GeminiError($0) } ?? error
            if let error = error as? GeminiError, error.code == .keyRefused { gate.refused(at: clock.now()) }
            exchange.failure = (error as? GeminiError).map { $0.code.rawValue } ?? "\(type(of: error))"
            await call.onExchange?(exchange.redacted(configuration.key))
            throw error
        }
        await call.onExchange?(exchange.redacted(configuration.key))
    }

    func timeLeft(_ call: GeminiCall) -> Duration? { call.deadline.map { $0 - clock.now() } }

    private func outbound(_ order: Order, _ path: String, _ call: GeminiCall) throws(GeminiError) -> OutboundRequest {
        guard order.body.count <= Limits.geminiRequestBytes else {
            throw GeminiError(.inputTooLong, "a request to Gemini has at most \(Limits.geminiRequestBytes) bytes")
        }
        var deadlines = order.deadlines
        if let left = timeLeft(call) {
            guard left > .zero else { throw GeminiError(.timedOut, "no time is left for the call", isTransient: false) }
            deadlines.total = min(deadlines.total, left)
        }
        return OutboundRequest(
            order.method,
            configuration.baseURL + path,
            headers: order.method == .post ? [("content-type", "application/json")] : [],
            secretHeaders: [("x-goog-api-key", configuration.key)],
            body: order.body,
            deadlines: deadlines,
            replyBytesMax: configuration.replyBytesMax
        )
    }

    /// A JSON reply, or `malformedReply`.
    func json(_ bytes: [UInt8], model: GeminiModelName?) throws(GeminiError) -> JSONValue {
        let json: JSONValue
        do throws(JSONError) {
            json = try JSONValue(parsing: bytes, limits: .geminiReply)
        } catch {
            throw malformed("what came is no JSON", bytes, error.message)
        }
        if let body = GeminiErrorBody(json) {
            throw GeminiError.ofBody(body, status: 200, model: model, configuration: configuration)
        }
        return json
    }

    func malformed(_ what: String, _ bytes: [UInt8], _ reason: String? = nil) -> GeminiError {
        let beginning = configuration.key.redacted(in: String(decoding: bytes.prefix(400), as: UTF8.self)).prefix(200)
        return GeminiError(
            .malformedReply,
            "this is not how Gemini answers: \(what)",
            hint: "check GEMINI_BASE_URL, and what stands between here and there",
            detail: [reason, String(beginning)].compactMap(\.self).joined(separator: "; ")
        )
    }
}

extension RetryBudget {
    /// With a floor that a handful of people in a bad minute do not reach.
    public static func gemini(clock: OutboundClock = .continuous) -> RetryBudget {
        RetryBudget(floor: 60, clock: clock)
    }
}

extension RetryPolicy {
    /// The official client's numbers, with full jitter.
    public static let gemini = RetryPolicy(delayBase: .seconds(1), delayMax: .seconds(60))
}
