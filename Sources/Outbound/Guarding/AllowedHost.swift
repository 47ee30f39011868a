/// A host that outgoing calls may go to wherever its address leads: `llm.internal`, `127.0.0.1:11434`, `[::1]:8000`.
public struct AllowedHost: Sendable, Hashable, CustomStringConvertible {
    /// In lower case, without brackets.
    public let host: String
    /// Nil for every port.
    public let port: Int?

    public init(host: String, port: Int?) {
        self.host = host.lowercased()
        self.port = port
    }

    /// Nil when the text is no host, or no host with a port.
    public init?(_ text: String) {
        let isBareVersion6 = IPAddress(text)?.isVersion6 == true
        guard let address = try? OutboundAddress("http://\(isBareVersion6 ? "[\(text)]" : text)"),
            address.rest.isEmpty
        else { return nil }
        host = address.host
        let end = text.split(separator: "]").last ?? ""
        port = !isBareVersion6 && end.contains(":") ? address.port : nil
    }

    /// The host and port of an address that the operator set.
    public init(_ address: OutboundAddress) {
        host = address.host
        port = address.port
    }

    public var description: String {
        let name = host.contains(":") ? "[\(host)]" : host
        return port.map { "\(name):\($0)" } ?? name
    }

    func covers(_ address: OutboundAddress) -> Bool { host == address.host && (port == nil || port == address.port) }
}
