import Domain

/// Who waits for a vector: `interactive` work goes before all `bulk` work.
public typealias EmbeddingPriority = ComputePriority

/// What a text is, for models that place a question near its answers rather than near questions like it.
///
/// Models that make no difference, the local ones, give the same vector for both.
public enum EmbeddingKind: String, Sendable, Hashable, CaseIterable {
    /// What is looked for.
    case query
    /// What is to be found.
    case document
}

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

/// How bulk work is given to a model.
///
/// All pieces that are under way together are what a sudden end may have had read for nothing: one batch, never more
/// than `Limits.embeddingTextsUnderWay` texts.
public struct BulkShape: Sendable, Hashable {
    /// Texts of one piece, whose vectors are kept together.
    public let texts: Int
    public let piecesAtOnce: Int

    public init(texts: Int, piecesAtOnce: Int) {
        precondition(texts > 0 && piecesAtOnce > 0, "\(piecesAtOnce) pieces of \(texts) texts")
        precondition(
            texts * piecesAtOnce <= Limits.embeddingTextsUnderWay,
            "\(piecesAtOnce) pieces of \(texts) texts are more than a batch"
        )
        self.texts = texts
        self.piecesAtOnce = piecesAtOnce
    }

    public var textsUnderWay: Int { texts * piecesAtOnce }

    /// For models that compute here: while one piece is kept and the next one is on its way, the others keep all
    /// threads busy.
    public static let local = BulkShape(texts: 32, piecesAtOnce: 3)
}

/// Vectors of some texts, in the order of the texts.
public struct EncodedTexts: Sendable, Equatable {
    /// `[texts × dimension]`, each of unit length; empty for a refused text.
    public var vectors: [[Float]]
    /// Tokens the model read of each text, with its special ones; estimated where a service counts only sums.
    public var tokenCounts: [Int]
    /// Positions of texts that were longer than the model reads, ascending.
    public var truncated: [Int]
    /// Positions of texts that the model would not take, ascending. Local models take every text.
    public var refused: [Int]

    public init(
        vectors: [[Float]] = [],
        tokenCounts: [Int] = [],
        truncated: [Int] = [],
        refused: [Int] = []
    ) {
        self.vectors = vectors
        self.tokenCounts = tokenCounts
        self.truncated = truncated
        self.refused = refused
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
    /// How bulk work is given to it; `BulkShape.local` unless it says otherwise.
    var bulk: BulkShape { get }

    /// All tokens of `text`, without special ones and not cut at the limit.
    func tokens(of text: String) -> [TokenSpan]

    /// Encodes `texts`.
    ///
    /// - Throws: `EmbeddingsError` (`textTooLong` only with `.refuse`, `busy` when the compute queue is full),
    ///   `CancellationError` when the task is cancelled; work that hasn't begun is then dropped.
    func encode(_ texts: [String], overlong: OverlongText, priority: EmbeddingPriority) async throws -> EncodedTexts

    /// The same for texts of one kind. A model that makes no difference leaves this to the default.
    func encode(
        _ texts: [String],
        kind: EmbeddingKind,
        overlong: OverlongText,
        priority: EmbeddingPriority
    ) async throws -> EncodedTexts
}

extension Embedder {
    public func encode(
        _ texts: [String],
        kind: EmbeddingKind,
        overlong: OverlongText,
        priority: EmbeddingPriority
    ) async throws -> EncodedTexts {
        try await encode(texts, overlong: overlong, priority: priority)
    }
}

extension Embedder {
    public var bulk: BulkShape { .local }

    /// Tokens of its own that one text may have and still be read whole.
    public var contentTokenLimit: Int { tokenLimit - specialTokenCount }

    /// The vectors of `texts`; too long ones are cut at the limit.
    ///
    /// - Throws: also `EmbeddingsError.textRefused` when the model would not take one of them.
    public func embed(
        _ texts: [String],
        kind: EmbeddingKind = .document,
        priority: EmbeddingPriority
    ) async throws -> [[Float]] {
        let encoded = try await encode(texts, kind: kind, overlong: .truncate, priority: priority)
        if let position = encoded.refused.first { throw EmbeddingsError.textRefused(position: position) }
        return encoded.vectors
    }
}
