import Domain
import HTTPTypes
import NIOCore
import Synchronization

/// What stands between a request and its work: limits, places to be worked on, and the end of the server.
final class EdgeGuards: Sendable {
    let limiter: RateLimiter
    /// How long streams may go on when the server stops.
    let drainGrace: Duration
    let drain: DrainNotice
    let turns = Turns()
    private let gate: WorkGate
    /// For files and what else takes long: such work takes no place from what is quick, and has fewer.
    private let longGate: WorkGate
    /// Requests that are not answered yet.
    private let openCount = Atomic(0)

    /// - Parameter listener: the admin's has no limits, and places of its own.
    init(_ configuration: GatewayConfiguration, drain: DrainNotice, registry: PrometheusRegistry, listener: String) {
        let isPublic = listener == "public"
        limiter = RateLimiter(limits: isPublic ? configuration.limits : .off, registry: registry, listener: listener)
        drainGrace = configuration.drainGrace
        self.drain = drain
        let places = isPublic ? configuration.requestsAtOnceMax : 16
        let queue = isPublic ? configuration.requestsWaitingMax : 64
        gate = WorkGate(
            places: places,
            queue: queue,
            patience: configuration.requestPatience,
            registry: registry,
            name: listener
        )
        longGate = WorkGate(
            places: max(1, places / 8),
            queue: max(1, queue / 32),
            patience: configuration.requestPatience * 4,
            registry: registry,
            name: listener + "-long"
        )
    }

    /// A request came.
    ///
    /// - Returns: whether no other waits for its answer.
    func began() -> Bool { openCount.wrappingAdd(1, ordering: .relaxed).oldValue == 0 }

    func ended() { openCount.wrappingSubtract(1, ordering: .relaxed) }

    func gate(of route: Route) -> WorkGate { route.timeout == nil && route.upload == nil ? gate : longGate }
}

extension GatewayResponder {
    /// - Throws: `notFound`, `methodNotAllowed`; `tooManyRequests` for who looks for addresses.
    func match(_ exchange: inout Exchange) throws(GatewayError) -> RouteTable.Match {
        do throws(GatewayError) {
            return try table.match(exchange.method, exchange.path[...])
        } catch {
            try edge.limiter.admit(exchange.client, .read, &exchange.limit)
            throw error
        }
    }

    /// Whom `prove` finds; who fails too often is told to wait.
    func proven(
        _ exchange: inout Exchange,
        _ prove: (Exchange) async throws -> Domain.RequestContext
    ) async throws -> Domain.RequestContext {
        do {
            return entered(try await prove(exchange), &exchange)
        } catch let failure as any Failure where failure.kind == .unauthenticated {
            try edge.limiter.failed(exchange.client, &exchange.limit)
            throw failure
        }
    }

    /// Does the work of a route when its turn has come.
    func work<T: Sendable>(
        _ route: Route,
        until deadline: ContinuousClock.Instant,
        for client: (any Channel)? = nil,
        isAlone: Bool,
        _ work: @escaping @Sendable () async throws -> T
    ) async throws -> T {
        let presence = client.flatMap { ClientWatch.on($0) }
        // Who is alone is answered on their connection's event loop, which is not for what takes long; what MCP is asked for is
        // begun where it belongs by the session, which knows what it is. Others are on a thread for work already.
        let place: RequestDeadline.Place = !isAlone || route.isMCP || route.cost == .free ? .here : .elsewhere
        guard route.cost != .free else {
            return try await RequestDeadline.run(until: deadline, for: presence, beginning: place, work)
        }
        let gate = edge.gate(of: route)
        return try await RequestDeadline.run(until: deadline, for: presence, beginning: place) {
            try await gate.run(work)
        }
    }
}
