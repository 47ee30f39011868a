public import Domain

/// The networks that a key may be used from: `203.0.113.7`, `10.1.0.0/16`, `2001:db8::/32`.
///
/// An IPv4 address is the same however it is written: one that an IPv6 socket reports as `::ffff:203.0.113.7` is inside
/// `203.0.113.0/24`. At least one network, sorted and without doubles, so that equal lists are equal.
public struct AddressList: Sendable, Hashable, CustomStringConvertible {
    public let networks: [IPNetwork]

    /// Nil for no network at all.
    public init?(_ networks: some Sequence<IPNetwork>) {
        let plain = Set(networks.map(Self.plain))
        guard !plain.isEmpty else { return nil }
        self.networks = plain.sorted { $0.description < $1.description }
    }

    /// Nil unless each text is an address, or a network in CIDR notation, and there is at least one.
    public init?(_ texts: [String]) {
        var networks: [IPNetwork] = []
        for text in texts {
            let whole = IPAddress(text).map { "\($0)/\($0.bytes.count * 8)" } ?? text
            guard let network = IPNetwork(whole) else { return nil }
            networks.append(network)
        }
        self.init(networks)
    }

    /// With spaces between, as it is stored.
    public var description: String { networks.map(\.description).joined(separator: " ") }

    public func contains(_ address: IPAddress) -> Bool {
        let address = address.unmapped
        return networks.contains { $0.contains(address) }
    }

    /// Whether every address of this list is one of `other`. Networks are either inside one another or apart, so it is
    /// enough to look for one that holds each whole; two halves that make up a whole are not joined.
    public func isSubset(of other: AddressList) -> Bool {
        networks.allSatisfy { network in
            other.networks.contains { $0.prefixBits <= network.prefixBits && $0.contains(network.address) }
        }
    }

    /// A network of mapped addresses as the network of IPv4 that it is.
    private static func plain(_ network: IPNetwork) -> IPNetwork {
        let address = network.address.unmapped
        guard network.address.isVersion6, !address.isVersion6, network.prefixBits >= 96 else { return network }
        return IPNetwork("\(address)/\(network.prefixBits - 96)") ?? network
    }
}
