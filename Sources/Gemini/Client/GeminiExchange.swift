import Outbound

/// One request and what came back, without keys: for recording.
public struct GeminiExchange: Sendable, Hashable {
    /// Below the base address, version included.
    public var path: String
    public var request: [UInt8]
    /// Nil when no head of a reply came.
    public var status: Int?
    /// What arrived of the body, as it arrived.
    public var reply: [UInt8] = []
    public var failure: String?

    init(path: String, request: [UInt8]) {
        self.path = path
        self.request = request
    }

    /// Without the key, should the server have echoed it.
    func redacted(_ key: OutboundSecret) -> Self {
        var exchange = self
        exchange.reply = key.redacted(in: reply)
        return exchange
    }
}

/// What one call may take, and who listens to its traffic.
public struct GeminiCall: Sendable {
    /// Over all attempts and pauses.
    public var deadline: ContinuousClock.Instant?
    /// Gets every exchange when it is over, well or not, cancelled or not.
    public var onExchange: (@Sendable (GeminiExchange) async -> Void)?

    /// Hears what a turn has used so far, over all its requests, whenever the API counts anew.
    public var onUsage: (@Sendable (GeminiUsage) -> Void)?

    public init(
        deadline: ContinuousClock.Instant? = nil,
        onExchange: (@Sendable (GeminiExchange) async -> Void)? = nil,
        onUsage: (@Sendable (GeminiUsage) -> Void)? = nil
    ) {
        self.deadline = deadline
        self.onExchange = onExchange
        self.onUsage = onUsage
    }
}
