public import Domain

/// The one way out of a process: pooled connections, guarded addresses, a circuit for each endpoint, bounded.
///
/// Whoever calls an upstream gets `transport` and retries on its own, since only it knows what an answer means and
/// whether somebody has seen a part of it.
public final class OutgoingCalls: Sendable {
    /// Guards, then limits, then breaks circuits (named `host:port/path`), then sends.
    public let transport: any HTTPTransport
    public let circuits: CircuitBreakers
    private let connections: AsyncHTTPTransport

    /// - Parameters:
    ///   - hosts: where calls may go although their address is not public: what the operator named.
    ///   - runningMax: calls at once, over all upstreams; more wait.
    public init(allowing hosts: some Sequence<AllowedHost>, runningMax: Int = Limits.outboundCalls) {
        let addresses = AddressGuard(allowing: hosts)
        circuits = CircuitBreakers()
        connections = AsyncHTTPTransport(options: AsyncHTTPTransport.Options(connections: addresses))
        let broken = CircuitBreakingTransport(connections, breakers: circuits) { request in
            // Paths name the model with most providers, and one that is overloaded says nothing of the others.
            (try? OutboundAddress(request.url)).map { $0.authority + $0.rest.prefix { $0 != "?" } }
        }
        let limited = LimitedTransport(broken, limit: ConcurrencyLimit(runningMax: runningMax))
        transport = GuardedTransport(limited, addresses: addresses)
    }

    /// Ends calls under way and closes every connection.
    public func shutdown() async { await connections.shutdown() }
}
