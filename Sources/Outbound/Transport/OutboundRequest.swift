/// One outgoing call, whole: nothing is sent before everything is known.
public struct OutboundRequest: Sendable {
    public enum Method: String, Sendable, Hashable {
        case get = "GET"
        case post = "POST"
        case put = "PUT"
        case patch = "PATCH"
        case delete = "DELETE"
    }

    public var method: Method
    /// Absolute, `http` or `https`, without credentials. Never a place for a key: addresses are logged.
    public var url: String
    public var headers: [(name: String, value: String)]
    /// Headers whose values are keys; they appear in no error, log or trace.
    public var secretHeaders: [(name: String, value: OutboundSecret)]
    public var body: [UInt8]
    public var deadlines: OutboundDeadlines
    /// Bytes of a reply, after which it is given up.
    public var replyBytesMax: Int
    /// Whether sending it twice does no harm. A pooled connection that dies unanswered had most likely been closed by
    /// the server before; who makes something by this call wants to be sure.
    public var isRepeatable: Bool

    public init(
        _ method: Method,
        _ url: String,
        headers: [(name: String, value: String)] = [],
        secretHeaders: [(name: String, value: OutboundSecret)] = [],
        body: [UInt8] = [],
        deadlines: OutboundDeadlines = .standard,
        replyBytesMax: Int = OutboundRequest.replyBytesMaxDefault,
        isRepeatable: Bool = true
    ) {
        self.method = method
        self.url = url
        self.headers = headers
        self.secretHeaders = secretHeaders
        self.body = body
        self.deadlines = deadlines
        self.replyBytesMax = replyBytesMax
        self.isRepeatable = isRepeatable
    }

    /// Far above any answer of a model, far below what would hurt.
    public static let replyBytesMaxDefault = 32 * 1_024 * 1_024
}

/// How long each part of a call may take. Each bound is on its own: a reply that trickles for ever ends by `total`.
public struct OutboundDeadlines: Sendable, Hashable {
    /// From sending to the head of the reply. Models think before their first byte.
    public var firstByte: Duration
    /// Between two pieces of the body.
    public var stall: Duration
    /// The whole call, body included.
    public var total: Duration

    public init(firstByte: Duration, stall: Duration, total: Duration) {
        self.firstByte = firstByte
        self.stall = stall
        self.total = total
    }

    public static let standard = OutboundDeadlines(
        firstByte: .seconds(60),
        stall: .seconds(30),
        total: .seconds(300)
    )
}

/// A key on its way into a header. Prints as `<redacted>` however it is printed, dumped or interpolated.
public struct OutboundSecret: Sendable, Hashable {
    package let revealed: String

    public init(_ text: String) { revealed = text }
}

extension OutboundSecret: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    public var description: String { "<redacted>" }
    public var debugDescription: String { "<redacted>" }
    public var customMirror: Mirror { Mirror(self, children: []) }
}

extension OutboundRequest {
    /// The text with every key of this request replaced: for whatever quotes an upstream, which may echo a key.
    ///
    /// Finds halves of longer keys too, since upstreams cut what they quote, or mask its middle.
    public func redacted(_ text: String) -> String {
        secretHeaders.reduce(text) { text, header in header.value.redacted(in: text) }
    }

    /// The same for bytes, of which all others stay as they are.
    public func redacted(_ bytes: [UInt8]) -> [UInt8] {
        secretHeaders.reduce(bytes) { bytes, header in header.value.redacted(in: bytes) }
    }
}

extension OutboundSecret {
    /// The key within a header value such as `Bearer KEY`.
    private var key: Substring {
        revealed.hasPrefix("Bearer ") ? revealed.dropFirst("Bearer ".count) : revealed[...]
    }

    /// The text without the key and, when it has sixteen characters or more, without its halves.
    public func redacted(in text: String) -> String {
        traces.reduce(text) { text, trace in text.replacing(trace, with: "<redacted>") }
    }

    public func redacted(in bytes: [UInt8]) -> [UInt8] {
        traces.reduce(bytes) { bytes, trace in bytes.replacing(Array(trace.utf8), with: Array("<redacted>".utf8)) }
    }

    /// What gives the key away, the whole first.
    private var traces: [Substring] {
        let key = key
        guard key.count >= 16 else { return key.isEmpty ? [] : [key] }
        return [key, key.prefix(key.count / 2), key.suffix(key.count / 2)]
    }
}

extension OutboundSecret {
    /// The key as the value of an `Authorization` header.
    public var bearer: OutboundSecret { OutboundSecret("Bearer \(revealed)") }
}
