public import Domain

/// The way out to addresses that users give: files to fetch, places to notify.
///
/// Apart from `OutgoingCalls`, so that the hosts that the operator named for models (a server on this machine, most
/// likely) are not open to everybody who may write a cell. Only the allow list opens private places, and `http`.
/// There is no circuit to break: the addresses are as many as users please, and whoever calls retries by its own plan.
public final class ForeignCalls: Sendable {
    /// Guards, then limits, then sends. Follows no redirect: each is another call, guarded again.
    public let transport: any HTTPTransport
    private let connections: AsyncHTTPTransport

    /// - Parameters:
    ///   - hosts: the allow list.
    ///   - runningMax: calls at once; more wait.
    public init(
        allowing hosts: some Sequence<AllowedHost>,
        runningMax: Int = Limits.foreignCalls,
        resolver: any HostResolver = SystemResolver()
    ) {
        let addresses = AddressGuard(allowing: hosts, requiresTLS: true, resolver: resolver)
        connections = AsyncHTTPTransport(
            options: AsyncHTTPTransport.Options(
                connect: .seconds(5),
                idle: .seconds(5),
                connectionsMax: Limits.foreignCallsPerHost,
                connections: addresses
            )
        )
        let limited = LimitedTransport(connections, limit: ConcurrencyLimit(runningMax: runningMax))
        transport = GuardedTransport(limited, addresses: addresses)
    }

    /// Ends calls under way and closes every connection.
    public func shutdown() async { await connections.shutdown() }
}
