public import Outbound

/// Where Gemini is, who asks, and how long an answer may take.
public struct GeminiConfiguration: Sendable {
    /// Without the version: `https://host` or, behind a proxy, `https://host/prefix`.
    public var baseURL: String
    /// `v1beta` or `v1`; only the former knows the `-latest` names.
    public var version: String
    public var key: OutboundSecret
    /// Of generating, streamed or not. The total is cut to the deadline of the call.
    public var generating: OutboundDeadlines
    /// Of everything else: lists, counts, embeddings.
    public var asking: OutboundDeadlines
    public var replyBytesMax: Int

    public static let standardBaseURL = "https://generativelanguage.googleapis.com"

    /// - Parameter key: white space around it, as files and shells leave it, is dropped.
    public init(
        baseURL: String = GeminiConfiguration.standardBaseURL,
        version: String = "v1beta",
        key: OutboundSecret,
        generating: OutboundDeadlines = .standard,
        asking: OutboundDeadlines = OutboundDeadlines(
            firstByte: .seconds(30),
            stall: .seconds(15),
            total: .seconds(60)
        ),
        replyBytesMax: Int = OutboundRequest.replyBytesMaxDefault
    ) {
        var baseURL = baseURL[...]
        while baseURL.last == "/" { baseURL.removeLast() }
        self.baseURL = String(baseURL)
        self.version = version
        self.key = OutboundSecret(key.revealed.trimmed)
        self.generating = generating
        self.asking = asking
        self.replyBytesMax = replyBytesMax
    }
}

extension String {
    /// Without white space at both ends.
    fileprivate var trimmed: String {
        var rest = self[...]
        while rest.first?.isWhitespace == true { rest.removeFirst() }
        while rest.last?.isWhitespace == true { rest.removeLast() }
        return String(rest)
    }
}
