import CoreMetrics
import HTTPTypes
import Synchronization

/// The four figures of a listener: how many requests, how they ended, how long they took, how many are under way.
///
/// Labels come from closed sets: the route's pattern, a known method, the status. Handles are kept, so that a request
/// costs two additions.
final class HTTPMetrics: Sendable {
    private struct Key: Hashable, Sendable {
        let route: Int?
        let method: HTTPRequest.Method
        let status: Int
    }

    private struct Handles: Sendable {
        let count: Counter
        let duration: CoreMetrics.Timer
    }

    private let handles = Mutex<[Key: Handles]>([:])
    private let inFlight: Meter
    private let openStreams: Meter
    private let registry: PrometheusRegistry
    private let listener: String

    /// - Parameter listener: `public` or `admin`, a label of every metric.
    init(registry: PrometheusRegistry, listener: String) {
        self.registry = registry
        self.listener = listener
        inFlight = Meter(
            label: "pyairtable_http_requests_in_flight",
            dimensions: [("listener", listener)],
            factory: registry
        )
        openStreams = Meter(
            label: "pyairtable_http_streams_open",
            dimensions: [("listener", listener)],
            factory: registry
        )
        registry.describe("pyairtable_http_requests_in_flight", "Requests being answered now.")
        registry.describe("pyairtable_http_streams_open", "Streamed answers being sent now.")
    }

    func began() { inFlight.increment() }
    func ended() { inFlight.decrement() }

    func record(_ exchange: Exchange, route: String, status: Int, duration: Duration) {
        let method = Self.methods.contains(exchange.method) ? exchange.method : Self.otherMethod
        let key = Key(route: exchange.route, method: method, status: status)
        let handles = handles.withLock { handles in
            if let existing = handles[key] { return existing }
            let made = make(method: method, route: route, status: status)
            handles[key] = made
            return made
        }
        let (seconds, attoseconds) = duration.components
        handles.count.increment()
        handles.duration.recordNanoseconds(seconds * 1_000_000_000 + attoseconds / 1_000_000_000)
    }

    /// What was refused before it was a request, by why.
    func refused(_ fault: WireFault) {
        Counter(
            label: "pyairtable_http_refused_total",
            dimensions: [("listener", listener), ("fault", fault.rawValue)],
            factory: registry
        ).increment()
        registry.describe("pyairtable_http_refused_total", "Connections ended before they made a request, by why.")
    }

    func streamBegan() { openStreams.increment() }

    /// A stream's end is rare beside its events: its handles are looked up.
    func streamEnded(route: String, _ end: StreamEnd, byteCount: Int) {
        openStreams.decrement()
        let labels = [("listener", listener), ("route", route)]
        Counter(
            label: "pyairtable_http_streams_total",
            dimensions: labels + [("end", end.rawValue)],
            factory: registry
        ).increment()
        Counter(label: "pyairtable_http_stream_bytes_total", dimensions: labels, factory: registry)
            .increment(by: byteCount)
        registry.describe("pyairtable_http_streams_total", "Streamed answers, by how they ended.")
        registry.describe("pyairtable_http_stream_bytes_total", "Bytes of streamed answers, before chunking.")
    }

    private static let methods: Set<HTTPRequest.Method> = [.get, .head, .post, .put, .patch, .delete, .options]
    static let otherMethod = HTTPRequest.Method("OTHER")!

    private func make(method: HTTPRequest.Method, route: String, status: Int) -> Handles {
        let labels = [("listener", listener), ("method", method.rawValue), ("route", route)]
        let made = Handles(
            count: Counter(
                label: "pyairtable_http_requests_total",
                dimensions: labels + [("status", "\(status)")],
                factory: registry
            ),
            duration: CoreMetrics.Timer(
                label: "pyairtable_http_request_duration_seconds",
                dimensions: labels,
                factory: registry
            )
        )
        registry.describe("pyairtable_http_requests_total", "Requests answered.")
        registry.describe("pyairtable_http_request_duration_seconds", "Time from a request's head to its answer.")
        return made
    }
}
