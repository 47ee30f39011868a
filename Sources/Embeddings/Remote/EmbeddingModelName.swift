import Domain

/// Which model makes the vectors, as settings and jobs name it.
///
/// `local` (the transformer of the model directory), `hash` (a stand-in for tests), `gemini/NAME`, `openai/NAME@DIMENSIONS`.
/// Gemini's models may have `@DIMENSIONS` too. Where a server of OpenAI's dialect can be asked, `DimensionProbe` learns
/// what is missing of `openai/NAME`. Equal texts name one space of vectors, as far as a name can.
public struct EmbeddingModelName: Sendable, Hashable, LosslessStringConvertible {
    public enum Provider: String, Sendable, Hashable, CaseIterable {
        case local, hash, gemini, openai
    }

    public let provider: Provider
    /// The model at its provider; empty for `local` and `hash`.
    public let model: String
    /// Components of a vector; nil for `local` and `hash`, which have but one.
    public let dimensions: Int?

    public static let local = EmbeddingModelName(provider: .local, model: "", dimensions: nil)
    public static let hash = EmbeddingModelName(provider: .hash, model: "", dimensions: nil)

    /// Of Gemini's models unless said otherwise: a quarter of the full size for hardly less quality.
    static let geminiDimensions = 768

    private init(provider: Provider, model: String, dimensions: Int?) {
        self.provider = provider
        self.model = model
        self.dimensions = dimensions
    }

    /// Nil for a name that cannot be read, `reading(_:)` says why.
    public init?(_ text: String) {
        // Why it is no name is what `reading` is for.
        guard let name = try? Self.reading(text) else { return nil }
        self = name
    }

    /// Whether `text` is a name but for the number of dimensions, which only its server knows.
    public static func lacksDimensions(_ text: String) -> Bool { Self(text) == nil && withDimensions(1, text) != nil }

    /// The name that `text` is with `count` dimensions; nil when it says them itself, or is no name either way.
    package static func withDimensions(_ count: Int, _ text: String) -> Self? {
        text.contains("@") || !text.hasPrefix("\(Provider.openai.rawValue)/") ? nil : Self("\(text)@\(count)")
    }

    /// - Throws: `EmbeddingsError.invalidModelName`, saying what was expected.
    public static func reading(_ text: String) throws(EmbeddingsError) -> Self {
        switch text {
        case "local": return .local
        case "hash": return .hash
        default: break
        }
        let parts = text.split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false)
        guard parts.count == 2, let provider = Provider(rawValue: String(parts[0])),
            provider == .gemini || provider == .openai
        else { throw invalid(text, "expected local, gemini/NAME or openai/NAME@DIMENSIONS") }
        let pieces = parts[1].split(separator: "@", omittingEmptySubsequences: false)
        var model = pieces[0]
        if provider == .gemini, model.hasPrefix("models/") { model = model.dropFirst("models/".count) }
        guard pieces.count <= 2, !model.isEmpty, model.utf8.count <= 128, model.utf8.allSatisfy(isAllowed) else {
            throw invalid(text, "a model's name is up to 128 letters, digits and . _ : / -")
        }
        var dimensions: Int?
        if pieces.count == 2 {
            guard let number = Int(pieces[1]), (1...Self.dimensionsMax).contains(number) else {
                throw invalid(text, "after @ stands the number of dimensions, 1 to \(Self.dimensionsMax)")
            }
            dimensions = number
        }
        if dimensions == nil {
            guard provider == .gemini else {
                throw invalid(text, "say how many dimensions its vectors have: openai/\(model)@768")
            }
            dimensions = geminiDimensions
        }
        return Self(provider: provider, model: String(model), dimensions: dimensions)
    }

    public var description: String {
        switch provider {
        case .local, .hash: provider.rawValue
        case .gemini, .openai: "\(provider.rawValue)/\(model)" + (dimensions.map { "@\($0)" } ?? "")
        }
    }

    /// Whether texts leave this machine's processes to be embedded.
    public var isRemote: Bool { provider == .gemini || provider == .openai }

    private static var dimensionsMax: Int { Limits.vectorDimensions }

    private static func isAllowed(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "."), UInt8(ascii: "_"), UInt8(ascii: ":"),
            UInt8(ascii: "/"), UInt8(ascii: "-"):
            true
        default: false
        }
    }

    private static func invalid(_ text: String, _ reason: String) -> EmbeddingsError {
        EmbeddingsError(.invalidModelName, "\"\(text.prefix(60))\" names no embedding model: \(reason)")
    }
}
