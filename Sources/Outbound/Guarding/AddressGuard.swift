public import Domain
import Synchronization

/// Keeps outgoing calls away from this machine and its own network, except where the operator allows.
///
/// It stands at two places. As a decorator it looks every host up before anything is sent and refuses the call when
/// one of the addresses is not public. As the rule of new connections (`AsyncHTTPTransport.Options.connections`) it
/// looks at the address a socket in fact reached, before a request is written to it: a name that answers differently
/// the second time gains nothing. Nothing follows redirects, so there is no third place.
///
/// Hosts that the operator names (a provider's base URL, the allow list) may stand anywhere, but for the link-local
/// addresses, where the metadata services of clouds are: those are reached only where the very address was named.
/// Networks of the allow list count as public for this process.
///
/// For addresses that users give, `requiresTLS` refuses `http` but to what the operator named: what is fetched or sent
/// for them crosses the Internet unread.
public final class AddressGuard: Sendable {
    private let allowed: Set<AllowedHost>
    private let networks: [IPNetwork]
    private let requiresTLS: Bool
    private let resolver: any HostResolver
    /// Where allowed hosts were found to stand, for the second look.
    private let allowedEndpoints = Mutex<[Endpoint: AllowedHost]>([:])

    private struct Endpoint: Hashable {
        let address: IPAddress
        let port: Int
    }

    /// Allowed hosts are few and rarely move; past this, what was found is forgotten and found again.
    private static let endpointsMax = 1_024

    public init(
        allowing allowed: some Sequence<AllowedHost>,
        requiresTLS: Bool = false,
        resolver: any HostResolver = SystemResolver()
    ) {
        self.allowed = Set(allowed)
        networks = self.allowed.compactMap(\.network)
        self.requiresTLS = requiresTLS
        self.resolver = resolver
    }

    /// Looks before a call: does every address of its host belong to the Internet at large, or to an allowed host?
    ///
    /// - Throws: `OutboundError` `addressRefused`, `invalidAddress`, `cannotConnect`.
    public func check(_ address: OutboundAddress) async throws {
        let allowedBy = allowed.first { $0.covers(address) }
        if allowedBy == nil, let literal = IPAddress(address.host), !isOpen(literal) { throw Self.refused(address) }
        let addresses = try await resolver.addresses(of: address.host)
        if requiresTLS, address.scheme == .http, allowedBy == nil, !addresses.allSatisfy(isInNetwork) {
            throw Self.plain(address)
        }
        if let allowedBy {
            // No server that somebody means by a name stands where clouds hand out their credentials: the name has been
            // made to lead there, and a key would follow it.
            if IPAddress(address.host) == nil, addresses.contains(where: \.isLinkLocal) { throw Self.refused(address) }
            allowedEndpoints.withLock { endpoints in
                for found in addresses where !found.isPublic {
                    if endpoints.count >= Self.endpointsMax { endpoints.removeAll() }
                    endpoints[Endpoint(address: found, port: address.port)] = allowedBy
                }
            }
        } else if !addresses.allSatisfy(isOpen) {
            throw Self.refused(address)
        }
    }

    /// Looks at a connection that stands, before anything is written to it.
    public func permitsConnection(to address: IPAddress, port: Int) -> Bool {
        isOpen(address) || allowedEndpoints.withLock { $0[Endpoint(address: address, port: port)] != nil }
    }

    /// Whoever opens a wide network (`0.0.0.0/0`) does not mean the metadata services of clouds.
    private func isInNetwork(_ address: IPAddress) -> Bool {
        networks.contains { $0.contains(address) && (!address.isLinkLocal || $0.address.isLinkLocal) }
    }

    private func isOpen(_ address: IPAddress) -> Bool { address.isPublic || isInNetwork(address) }

    private static func plain(_ address: OutboundAddress) -> OutboundError {
        OutboundError(
            .addressRefused,
            "calls to \(address.authority) must use https",
            hint: "if plain http is meant, add its host or network to the allow list of outgoing calls"
        )
    }

    static func refused(_ address: OutboundAddress) -> OutboundError {
        OutboundError(
            .addressRefused,
            "outgoing calls may not go to \(address.authority): it stands in a private or special network",
            hint: "if it is meant, add it to the allow list of outgoing calls"
        )
    }
}

/// Refuses calls that `AddressGuard` refuses, before anything is sent.
public struct GuardedTransport: HTTPTransport {
    private let base: any HTTPTransport
    private let addresses: AddressGuard

    public init(_ base: any HTTPTransport, addresses: AddressGuard) {
        self.base = base
        self.addresses = addresses
    }

    public func send(_ request: OutboundRequest) async throws -> OutboundReply {
        let address = try OutboundAddress(request.url)
        try await before(
            ContinuousClock.now + request.deadlines.firstByte,
            else: OutboundError(
                .cannotConnect,
                "the address of \(address.authority) was not found in time"
            )
        ) { try await addresses.check(address) }
        return try await base.send(request)
    }
}
