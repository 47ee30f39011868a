import Domain

/// By what records are found.
public enum SearchMode: String, Sendable, Hashable, CaseIterable, Codable {
    /// By meaning and by words together.
    case hybrid
    /// By meaning alone.
    case semantic
    /// By words alone; no query is encoded.
    case lexical

    public static let standard = SearchMode.hybrid

    var fusion: Fusion {
        switch self {
        case .hybrid: .standard
        case .semantic: .semantic
        case .lexical: .lexical
        }
    }

    static var schema: JSONSchema {
        .string(
            description: "hybrid finds by meaning and by words, semantic by meaning, lexical by words. "
                + "\(standard.rawValue) unless given.",
            enum: allCases.map(\.rawValue)
        )
    }
}
