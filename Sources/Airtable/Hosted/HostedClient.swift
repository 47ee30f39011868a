public import Domain
public import Outbound
import Synchronization

/// Airtable's hosted API, with its rate limit made invisible: calls wait their turn instead of failing.
///
/// One client for each endpoint and process, shared by all tenants: the limits of a base count whoever calls it.
/// Identical reads share one answer; single writes that wait together go out in calls of ten, each keeping its own
/// outcome; the order of writes to one record is kept. Safe to use from anywhere at once.
///
/// Everything throws `AirtableError` with the service's own code and message, or `CancellationError`. A cancelled
/// write that has gone out may still happen.
public final class HostedClient: Sendable {
    public let configuration: HostedConfiguration
    let queue: HostedQueue
    let cache: HostedCache
    let clock: OutboundClock
    private let events: EventCounter

    /// - Parameters:
    ///   - transport: sends each request once; what is tried again is decided here.
    ///   - random: shares in `0..<1`, for jitter.
    ///   - executor: where the sending task runs; nil for the usual place.
    ///   - observe: hears what happens, for metrics; called on any thread, and must return at once.
    public init(
        transport: any HTTPTransport,
        configuration: HostedConfiguration,
        clock: OutboundClock = .continuous,
        random: @escaping @Sendable () -> Double = { Double.random(in: 0..<1) },
        executor: (any TaskExecutor)? = nil,
        observe: @escaping @Sendable (HostedEvent) -> Void = { _ in }
    ) {
        self.configuration = configuration
        self.clock = clock
        let events = EventCounter()
        self.events = events
        let observe: @Sendable (HostedEvent) -> Void = { event in
            events.note(event)
            observe(event)
        }
        cache = HostedCache(rules: configuration.rules, observe: observe)
        queue = HostedQueue(
            exchange: HostedExchange(transport: transport, configuration: configuration),
            clock: clock,
            random: random,
            executor: executor,
            observe: observe
        )
    }

    /// What has happened so far, and how often.
    public var eventCounts: [HostedEvent: Int] { events.counts.withLock { $0 } }
    public var load: HostedLoad { queue.load }

    private final class EventCounter: Sendable {
        let counts = Mutex<[HostedEvent: Int]>([:])
        func note(_ event: HostedEvent) { counts.withLock { $0[event, default: 0] += 1 } }
    }

    /// Fails everybody who waits; the client takes no calls any more.
    public func shutdown() { queue.close() }

    // MARK: Schema

    /// The bases that the token may see.
    public func bases(_ call: HostedCall) async throws -> [HostedBase] {
        var bases: [HostedBase] = []
        var offset: String?
        // A service that never ends its list is stopped by the caller's deadline.
        repeat {
            let query = offset.map { [(name: "offset", value: $0)] } ?? []
            let reply = try await read(.read(["meta", "bases"], query: query), .list, call)
            bases += try Self.list(reply, "bases") { HostedBase($0) }
            offset = reply["offset"]?.stringValue
        } while offset != nil
        return bases
    }

    /// The tables of a base with their fields.
    public func tables(of base: BaseID, _ call: HostedCall) async throws -> [HostedTable] {
        let request = HostedRequest.read(["meta", "bases", base.description, "tables"])
        let tables = try Self.list(try await read(request, .schema(base), call), "tables") { HostedTable($0) }
        cache.learn(tables, of: base)
        return tables
    }

    // MARK: Reading records

    /// One page of a listing.
    ///
    /// - Parameter table: name or identifier.
    public func page(
        _ listing: HostedListing = HostedListing(),
        of table: String,
        in base: BaseID,
        _ call: HostedCall
    ) async throws -> HostedPage {
        let request = listing.request(base: base, table: table)
        guard let page = HostedPage(try await read(request, .records(base, table: table), call)) else {
            throw AirtableError.malformedHosted("this is no page of records")
        }
        return page
    }

    public func record(
        _ id: RecordID,
        of table: String,
        in base: BaseID,
        returnFieldsByFieldID: Bool = false,
        _ call: HostedCall
    ) async throws -> HostedRecord {
        let query = returnFieldsByFieldID ? [(name: "returnFieldsByFieldId", value: "true")] : []
        let request = HostedRequest.read([base.description, table, id.description], query: query)
        guard let record = HostedRecord(try await read(request, .records(base, table: table), call)) else {
            throw AirtableError.malformedHosted("this is no record")
        }
        return record
    }

    // MARK: Other calls

    /// Any other read of the API.
    func fetch(
        _ path: [String],
        query: [(name: String, value: String)] = [],
        base: BaseID,
        table: String,
        _ call: HostedCall
    ) async throws -> JSONValue {
        try await read(.read(path, query: query), .records(base, table: table), call)
    }

    /// Any other call of the API that changes something, such as of the schema: sent as it is, in its base's turn.
    ///
    /// - Parameter path: segments below the version, not encoded.
    func send(
        _ method: OutboundRequest.Method,
        _ path: [String],
        body: JSONValue?,
        isRepeatable: Bool,
        base: BaseID?,
        _ call: HostedCall
    ) async throws -> JSONValue {
        let request = HostedRequest(
            method: method,
            path: HostedRequest.path(path),
            body: body?.encoded() ?? [],
            isRepeatable: isRepeatable,
            isRead: false
        )
        defer { if let base { forget(base) } }
        if let base { cache.invalidate(base) }
        return try await queue.perform(.plain(request, base: base), for: call)
    }

    // MARK: Memory

    /// Answers out of the cache are no good any more: somebody else has changed the base.
    public func forget(_ base: BaseID) {
        cache.invalidate(base)
        queue.separateReads(of: base)
    }

    /// The answer out of the cache, or the service's own.
    private func read(_ request: HostedRequest, _ subject: HostedCache.Subject, _ call: HostedCall) async throws
        -> JSONValue
    {
        let order = HostedOrder.plain(request, base: subject.base)
        guard let key = order.readKey(call.token) else { return try await queue.perform(order, for: call) }
        if !call.wantsFresh, let kept = cache.answer(to: key, at: clock.now()) { return kept }
        let asked = cache.begin(subject, at: clock.now())
        let answer = try await queue.perform(order, for: call)
        cache.keep(answer, to: key, asked)
        return answer
    }

    static func list<T>(_ reply: JSONValue, _ name: String, _ element: (JSONValue) -> T?) throws(AirtableError) -> [T] {
        let list = reply[name]?.arrayValue
        let elements = list?.compactMap(element)
        guard let list, let elements, elements.count == list.count else {
            throw .malformedHosted("\"\(name)\" is missing, or holds what it should not")
        }
        return elements
    }
}
