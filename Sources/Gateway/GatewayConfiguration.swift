/// How the two listeners behave.
public struct GatewayConfiguration: Sendable, Hashable {
    /// Where a listener waits for connections.
    public struct Address: Sendable, Hashable, CustomStringConvertible {
        /// A name or an IPv4 or IPv6 address, without brackets.
        public var host: String
        /// 0 lets the system choose.
        public var port: Int

        public init(host: String, port: Int) {
            self.host = host
            self.port = port
        }

        public var description: String { host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)" }
    }

    /// The API and the page.
    public var address: Address
    /// Metrics, for operators: keep it off public networks, it asks for no key. Nil for none.
    public var adminAddress: Address?
    /// How long a request may take altogether.
    public var requestTimeout: Duration
    /// How long a connection may stay without a byte.
    public var idleTimeout: Duration
    /// Connections of the public listener at once; more wait in the system's queue.
    public var connectionsMax: Int

    public init(
        address: Address = Address(host: "127.0.0.1", port: 8080),
        adminAddress: Address? = Address(host: "127.0.0.1", port: 8081),
        requestTimeout: Duration = .seconds(30),
        idleTimeout: Duration = .seconds(60),
        connectionsMax: Int = 4_096
    ) {
        self.address = address
        self.adminAddress = adminAddress
        self.requestTimeout = requestTimeout
        self.idleTimeout = idleTimeout
        self.connectionsMax = connectionsMax
    }
}
