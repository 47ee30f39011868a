/// A revision of MCP that opens with a handshake, oldest first.
///
/// The features below are what we switch on; what an older peer does not know is left out.
/// `2026-07-28` has no handshake and is not one of these.
public enum ProtocolRevision: String, Sendable, Hashable, CaseIterable, Comparable {
    case november2024 = "2024-11-05"
    case march2025 = "2025-03-26"
    case june2025 = "2025-06-18"
    case november2025 = "2025-11-25"

    /// What an unknown version is answered with.
    public static let newest: Self = .november2025

    public static func < (left: Self, right: Self) -> Bool { left.rawValue < right.rawValue }

    /// JSON-RPC batches: added by 2025-03-26, removed by the next revision.
    var acceptsBatches: Bool { self == .march2025 }
    /// `annotations` of a tool.
    var hasToolAnnotations: Bool { self >= .march2025 }
    /// `title` of tools and of the server.
    var hasTitles: Bool { self >= .june2025 }
    /// `outputSchema` and `structuredContent`.
    var hasStructuredOutput: Bool { self >= .june2025 }
}
