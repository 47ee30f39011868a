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
    /// How long a request's head may take from its first byte.
    public var headTimeout: Duration
    /// How long a request's body may make no progress.
    public var bodyIdleTimeout: Duration
    /// How long a connection may stay without a request.
    public var idleTimeout: Duration
    /// How long a stream may say nothing before it shows that it lives; below what proxies allow a connection.
    public var heartbeatInterval: Duration
    /// How long after its key was revoked or ran out an open stream may go on. A look is a read of one row.
    public var keyCheckInterval: Duration
    /// Connections of the public listener at once; more wait in the system's queue.
    public var connectionsMax: Int
    /// Of these, by one IPv4 address or one /64 of IPv6; trusted proxies are not counted.
    public var connectionsPerAddressMax: Int
    /// Proxies whose word is taken for whom a request comes from.
    public var trustedProxies: [AddressBlock]
    /// How many requests clients, callers and tenants may make.
    public var limits: RequestLimits
    /// Requests worked on at once, those that may wait for their turn, and for how long; the rest is sent away.
    public var requestsAtOnceMax: Int
    public var requestsWaitingMax: Int
    public var requestPatience: Duration
    /// How long requests are still taken after `/ready` said that the server is about to stop.
    public var drainNotice: Duration
    /// How long streams may then go on.
    public var drainGrace: Duration
    /// Web pages that may call MCP and chat's socket beside this server's own, such as `https://notes.example`.
    public var allowedOrigins: [String]

    public init(
        address: Address = Address(host: "127.0.0.1", port: 8080),
        adminAddress: Address? = Address(host: "127.0.0.1", port: 8081),
        requestTimeout: Duration = .seconds(30),
        headTimeout: Duration = .seconds(10),
        bodyIdleTimeout: Duration = .seconds(15),
        idleTimeout: Duration = .seconds(60),
        heartbeatInterval: Duration = .seconds(15),
        keyCheckInterval: Duration = .seconds(5),
        connectionsMax: Int = 4_096,
        connectionsPerAddressMax: Int = 2_048,
        trustedProxies: [AddressBlock] = [],
        limits: RequestLimits = .generous,
        requestsAtOnceMax: Int = 512,
        requestsWaitingMax: Int = 4_096,
        requestPatience: Duration = .seconds(5),
        drainNotice: Duration = .zero,
        drainGrace: Duration = .seconds(30),
        allowedOrigins: [String] = []
    ) {
        self.address = address
        self.adminAddress = adminAddress
        self.requestTimeout = requestTimeout
        self.headTimeout = headTimeout
        self.bodyIdleTimeout = bodyIdleTimeout
        self.idleTimeout = idleTimeout
        self.heartbeatInterval = heartbeatInterval
        self.keyCheckInterval = keyCheckInterval
        self.connectionsMax = connectionsMax
        self.connectionsPerAddressMax = connectionsPerAddressMax
        self.trustedProxies = trustedProxies
        self.limits = limits
        self.requestsAtOnceMax = requestsAtOnceMax
        self.requestsWaitingMax = requestsWaitingMax
        self.requestPatience = requestPatience
        self.drainNotice = drainNotice
        self.drainGrace = drainGrace
        self.allowedOrigins = allowedOrigins
    }
}
