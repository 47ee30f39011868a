/// Who waits for a vector: `interactive` work goes before all `bulk` work.
public typealias EmbeddingPriority = ComputePriority

/// What to do with a text of more tokens than the model reads.
public enum OverlongText: Sendable, Hashable {
    /// Encode its beginning and report it in `EncodedTexts.truncated`.
    case truncate
    /// Encode nothing and throw `textTooLong`.
    case refuse
}

/// One token and where it comes from.
public struct TokenSpan: Sendable, Hashable {
    /// Its number in the model's vocabulary.
    public let id: Int32
    /// The UTF-8 offsets of the text it covers. Spans rise and don't overlap, except that the parts of one
    /// decomposed character (a Hangul syllable) share its range; white space and dropped characters lie between.
    public let utf8: Range<Int>

    public init(id: Int32, utf8: Range<Int>) {
        self.id = id
        self.utf8 = utf8
    }
}

/// Vectors of some texts, in the order of the texts.
public struct EncodedTexts: Sendable, Equatable {
    /// `[texts × dimension]`, each of unit length.
    public var vectors: [[Float]]
    /// Tokens the model read of each text, with its special ones.
    public var tokenCounts: [Int]
    /// Positions of texts that were longer than the model reads, ascending.
    public var truncated: [Int]

    public init(vectors: [[Float]] = [], tokenCounts: [Int] = [], truncated: [Int] = []) {
        self.vectors = vectors
        self.tokenCounts = tokenCounts
        self.truncated = truncated
    }
}

/// Turns texts into vectors whose closeness is closeness of meaning.
///
/// Vectors are Float32, of unit length (so a dot product is the cosine), finite, and depend on the text and the
/// model only, not on what else was in the call, to within 2e-6 in each component.
public protocol Embedder: Sendable {
    /// Tells this embedder's vectors from every other's: two vectors may be compared only when these are equal.
    var identity: ModelIdentity { get }
    /// Components of a vector.
    var dimension: Int { get }
    /// Tokens of one text that the model reads, its special tokens included.
    var tokenLimit: Int { get }
    /// Tokens that every text costs besides its own, such as [CLS] and [SEP].
    var specialTokenCount: Int { get }

    /// All tokens of `text`, without special ones and not cut at the limit.
    func tokens(of text: String) -> [TokenSpan]

    /// Encodes `texts`.
    ///
    /// - Throws: `EmbeddingsError` (`textTooLong` only with `.refuse`, `busy` when the compute queue is full),
    ///   `CancellationError` when the task is cancelled; work that hasn't begun is then dropped.
    func encode(_ texts: [String], overlong: OverlongText, priority: EmbeddingPriority) async throws -> EncodedTexts
}

extension Embedder {
    /// Tokens of its own that one text may have and still be read whole.
    public var contentTokenLimit: Int { tokenLimit - specialTokenCount }

    /// The vectors of `texts`; too long ones are cut at the limit.
    public func embed(_ texts: [String], priority: EmbeddingPriority) async throws -> [[Float]] {
        try await encode(texts, overlong: .truncate, priority: priority).vectors
    }
}
