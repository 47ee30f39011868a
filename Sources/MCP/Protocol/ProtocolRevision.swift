/// A revision of MCP, oldest first.
///
/// The features below are what we switch on; what an older peer does not know is left out.
public enum ProtocolRevision: String, Sendable, Hashable, CaseIterable, Comparable {
    case november2024 = "2024-11-05"
    case march2025 = "2025-03-26"
    case june2025 = "2025-06-18"
    case november2025 = "2025-11-25"
    /// Without handshake and session: each request says all that is to be known.
    case july2026 = "2026-07-28"

    public static func < (left: Self, right: Self) -> Bool { left.rawValue < right.rawValue }

    /// Those that open with `initialize`.
    public static let handshakes = allCases.filter(\.hasHandshake)

    /// What an unknown version is answered with.
    public static let newestHandshake: Self = .november2025

    static let newestFirst = Array(allCases.reversed())

    /// Whether it opens with `initialize`, and has sessions.
    public var hasHandshake: Bool { self < .july2026 }
    /// JSON-RPC batches: added by 2025-03-26, removed by the next revision.
    var acceptsBatches: Bool { self == .march2025 }
    /// `annotations` of a tool, sound, the capability `completions`, what progress says in words.
    var hasToolAnnotations: Bool { self >= .march2025 }
    /// `title` of tools and of the server.
    var hasTitles: Bool { self >= .june2025 }
    /// `outputSchema` and `structuredContent`.
    var hasStructuredOutput: Bool { self >= .june2025 }
    /// Links to resources in results.
    var hasResourceLinks: Bool { self >= .june2025 }
    /// Questions to the client's user.
    var hasElicitation: Bool { self >= .june2025 }
    /// Of several ways to ask, which one is meant.
    var hasElicitationModes: Bool { self >= .november2025 }
    /// A stream's first event has an id alone, and a stream may be let go and taken up again.
    var hasPollingStreams: Bool { self == .november2025 }
}

/// Members of `_meta` that the protocol itself names.
enum MetaKey {
    static let protocolVersion = "io.modelcontextprotocol/protocolVersion"
    static let clientCapabilities = "io.modelcontextprotocol/clientCapabilities"
    static let clientInfo = "io.modelcontextprotocol/clientInfo"
    static let logLevel = "io.modelcontextprotocol/logLevel"
    static let serverInfo = "io.modelcontextprotocol/serverInfo"
    static let subscription = "io.modelcontextprotocol/subscriptionId"
    static let progressToken = "progressToken"
    /// As W3C Trace Context has it.
    static let trace = "traceparent"
}
