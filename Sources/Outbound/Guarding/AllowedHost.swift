public import Domain

/// A host that outgoing calls may go to wherever its address leads, such as `llm.internal`, `127.0.0.1:11434` or
/// `[::1]:8000`; or every address of a network: `10.1.0.0/16`.
public struct AllowedHost: Sendable, Hashable, CustomStringConvertible {
    /// In lower case, without brackets.
    public let host: String
    /// Nil for every port.
    public let port: Int?
    /// Set when this is a network; `host` is its text then.
    public let network: IPNetwork?

    public init(host: String, port: Int?) { self.init(host: host.lowercased(), port: port, network: nil) }

    /// Every address of a network, at every port.
    public init(_ network: IPNetwork) { self.init(host: network.description, port: nil, network: network) }

    /// Nil when the text is no host, no host with a port, and no network.
    public init?(_ text: String) {
        if text.contains("/") {
            guard let network = IPNetwork(text) else { return nil }
            self.init(network)
            return
        }
        let isBareVersion6 = IPAddress(text)?.isVersion6 == true
        guard let address = try? OutboundAddress("http://\(isBareVersion6 ? "[\(text)]" : text)"),
            address.rest.isEmpty
        else { return nil }
        let end = text.split(separator: "]").last ?? ""
        self.init(
            host: address.host,
            port: !isBareVersion6 && end.contains(":") ? address.port : nil,
            network: nil
        )
    }

    /// The host and port of an address that the operator set.
    public init(_ address: OutboundAddress) { self.init(host: address.host, port: address.port, network: nil) }

    private init(host: String, port: Int?, network: IPNetwork?) {
        self.host = host
        self.port = port
        self.network = network
    }

    public var description: String {
        if let network { return network.description }
        let name = host.contains(":") ? "[\(host)]" : host
        return port.map { "\(name):\($0)" } ?? name
    }

    /// Whether the address names this host; of a network nobody knows before the name is looked up.
    public func covers(_ address: OutboundAddress) -> Bool {
        network == nil && host == address.host && (port == nil || port == address.port)
    }
}
