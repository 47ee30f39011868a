import Domain
import Synchronization

/// Counts one answered request and writes its log line: exactly once, however it ended.
final class ExchangeAccount: Sendable {
    private let exchange: Exchange
    private let route: String
    private let status: Int
    private let log: AccessLog
    private let metrics: HTTPMetrics
    private struct State {
        var isStreaming = false
        var isEnded = false
    }
    private let state = Mutex(State())

    /// The time to now is what the histogram counts: a stream may go on for long after it.
    init(_ exchange: Exchange, route: String, status: Int, log: AccessLog, metrics: HTTPMetrics) {
        self.exchange = exchange
        self.route = route
        self.status = status
        self.log = log
        self.metrics = metrics
        metrics.record(exchange, route: route, status: status, duration: exchange.started.duration(to: .now))
    }

    // A client that goes away before the head of a stream is written: nobody asks for the body.
    deinit { end(byteCount: 0, .gone) }

    func streamBegan() {
        state.withLock { $0.isStreaming = true }
        metrics.streamBegan()
    }

    /// - Parameters:
    ///   - streamEnd: nil for an answer that was made whole.
    ///   - error: what the handler of a stream threw.
    func end(byteCount: Int, _ streamEnd: StreamEnd? = nil, _ error: (any Error)? = nil) {
        let before = state.withLock { state in
            defer { state.isEnded = true }
            return state
        }
        guard !before.isEnded else { return }
        if before.isStreaming { metrics.streamEnded(route: route, streamEnd ?? .complete, byteCount: byteCount) }
        metrics.ended()
        var exchange = exchange
        if let error { exchange.failure = error as? any Failure ?? UnknownFailure(error) }
        log.write(
            exchange,
            route: route,
            status: status,
            byteCount: byteCount,
            duration: exchange.started.duration(to: .now),
            end: streamEnd
        )
    }
}
