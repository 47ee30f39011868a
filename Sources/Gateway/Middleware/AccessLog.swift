import Domain
import HTTPTypes
import Logging

/// What is known of a request when it has been answered.
struct Exchange: Sendable {
    let requestID: String
    /// Nil unless the caller began a trace.
    var trace: TraceParent?
    let method: HTTPRequest.Method
    /// Without the query.
    let path: String
    let query: String?
    let started: ContinuousClock.Instant
    /// Who sent it, as far as proxies that are trusted say.
    let client: EdgeClient
    /// The place of the route in its table; nil while none was found.
    var route: Int?
    /// Nil until somebody has proved who they are.
    var context: Domain.RequestContext?
    /// Whether the body was read to its end, or what is left of it may be skipped.
    var isBodyDone: Bool
    /// Whether no other request waited for its answer when this one came.
    var isAlone = false
    var failure: (any Failure)?
    /// The limit that is nearest, and how near.
    var limit: RateLimiter.Told?

    /// Where it came from, as text.
    var address: String? { client.address?.description }
}

/// One line a request at `info`, through the context's own logger. Holds the route's pattern, never the path, the
/// query or a body.
struct AccessLog: Sendable {
    let logger: Logger

    func logger(for exchange: Exchange) -> Logger {
        if let context = exchange.context { return context.logger }
        var logger = logger(in: exchange.trace)
        logger[metadataKey: "request_id"] = .string(exchange.requestID)
        logger[metadataKey: "origin"] = .string(Origin.http.rawValue)
        return logger
    }

    /// For all that is done for a request, so that its lines are found by the caller's trace.
    func logger(in trace: TraceParent?) -> Logger {
        guard let trace else { return logger }
        var logger = logger
        logger[metadataKey: "trace_id"] = .string(trace.traceID)
        logger[metadataKey: "parent_span_id"] = .string(trace.parentID)
        return logger
    }

    /// - Parameter end: how a streamed answer ended; nil for one that was sent whole.
    func write(
        _ exchange: Exchange,
        route: String,
        status: Int,
        byteCount: Int,
        duration: Duration,
        end: StreamEnd? = nil
    ) {
        let logger = logger(for: exchange)
        var metadata: Logger.Metadata = [
            "method": .string(exchange.method.rawValue),
            "route": .string(route),
            "status": .stringConvertible(status),
            "bytes": .stringConvertible(byteCount),
            "duration_ms": .string(Self.milliseconds(duration)),
        ]
        if let address = exchange.client.address { metadata["client"] = .string(address.description) }
        if let end { metadata["end"] = .string(end.rawValue) }
        if let principal = exchange.context?.principal {
            metadata["user"] = .string(principal.user.description)
            metadata["key"] = principal.key.map { .string($0.description) }
            metadata["session"] = principal.session.map { .string($0.description) }
        }
        if let failure = exchange.failure {
            metadata["code"] = .string(failure.codeText)
            Self.report(failure, logger)
        }
        logger.info("request", metadata: metadata)
    }

    /// The cause of what the caller was not told.
    ///
    /// A caller's own fault is told to them in words that quote what they sent: names of fields, a query, a cell. Of those
    /// the log keeps the code alone.
    static func report(_ failure: any Failure, _ logger: Logger) {
        var metadata: Logger.Metadata = ["code": .string(failure.codeText)]
        switch failure.kind {
        case .unauthenticated:
            // A reason in our words; the bearer itself is in none.
            metadata["detail"] = .string(failure.detail ?? "")
            logger.debug("key refused", metadata: metadata)
        case .invalid, .forbidden, .notFound, .conflict, .tooLarge:
            logger.debug("request refused", metadata: metadata)
        case .cancelled:
            metadata["message"] = .string(failure.message)
            metadata["detail"] = .string(failure.detail ?? "")
            logger.debug("request given up", metadata: metadata)
        case .corrupt, .internal, .notConfigured, .busy, .timedOut:
            metadata["message"] = .string(failure.message)
            metadata["detail"] = .string(failure.detail ?? "")
            let isOurs = failure.kind == .corrupt || failure.kind == .internal
            logger.log(
                level: isOurs ? .error : .warning,
                isOurs ? "request failed" : "request not served",
                metadata: metadata
            )
        }
    }

    /// With three decimals.
    static func milliseconds(_ duration: Duration) -> String {
        let (seconds, attoseconds) = duration.components
        let microseconds = seconds * 1_000_000 + attoseconds / 1_000_000_000_000
        let fraction = String(microseconds % 1_000)
        return "\(microseconds / 1_000).\(String(repeating: "0", count: 3 - fraction.count))\(fraction)"
    }
}
