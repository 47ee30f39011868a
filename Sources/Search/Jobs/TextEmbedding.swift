import Access
public import Domain
public import Embeddings

/// A few texts to embed at once.
public struct TextEmbeddingRequest: Sendable, Hashable {
    public var input: [String]
    public var kind: EmbeddingKind
    /// Cuts texts that are longer than the model reads, and says so; otherwise they are refused.
    public var truncates: Bool

    public init(input: [String], kind: EmbeddingKind, truncates: Bool) {
        self.input = input
        self.kind = kind
        self.truncates = truncates
    }
}

/// Their vectors.
public struct TextEmbeddings: Sendable, Hashable {
    public let model: EmbeddingModelName
    public let dimensions: Int
    /// In the order of the texts, each of unit length.
    public let vectors: [[Float]]
    /// Positions of texts whose end is in no vector.
    public let truncated: [Int]
    public let tokens: Int

    package init(
        model: EmbeddingModelName,
        dimensions: Int,
        vectors: [[Float]],
        truncated: [Int],
        tokens: Int
    ) {
        self.model = model
        self.dimensions = dimensions
        self.vectors = vectors
        self.truncated = truncated
        self.tokens = tokens
    }
}

/// Vectors by the live model, for whoever wants to compare texts themselves.
public struct TextEmbedding: Sendable {
    private let models: SearchModels

    package init(models: SearchModels) { self.models = models }

    /// The live model, and the components of its vectors.
    public func model(context: RequestContext) async throws -> (name: EmbeddingModelName, dimensions: Int) {
        try context.require(.embed)
        let model = try await models.live(tenant: context.tenant)
        return (model.name, model.embedder.dimension)
    }

    /// Goes before all bulk work.
    ///
    /// - Throws: `SearchError` `invalidOption`, `tooManyTexts`; `EmbeddingsError` `textTooLong`, `textRefused`;
    ///   `AccessError.forbidden` without the permission `embed`.
    public func embed(_ request: TextEmbeddingRequest, context: RequestContext) async throws -> TextEmbeddings {
        try context.require(.embed)
        guard !request.input.isEmpty else { throw SearchError(.invalidOption, "There is no text to embed.") }
        guard request.input.count <= Limits.embeddingInputs else {
            throw SearchError(
                .tooManyTexts,
                "\(request.input.count) texts are given; at most \(Limits.embeddingInputs) may be.",
                hint: "send them in several calls"
            )
        }
        let characters = request.input.reduce(0) { $0 + $1.unicodeScalars.count }
        guard characters <= Limits.embeddingCharacters else {
            throw SearchError(
                .tooManyTexts,
                "The texts have \(characters) characters together; at most \(Limits.embeddingCharacters) may be.",
                hint: "send them in several calls"
            )
        }
        let model = try await models.live(tenant: context.tenant)
        let encoded = try await model.embedder.encode(
            request.input,
            kind: request.kind,
            overlong: request.truncates ? .truncate : .refuse,
            priority: .interactive
        )
        if let position = encoded.refused.first { throw EmbeddingsError.textRefused(position: position) }
        return TextEmbeddings(
            model: model.name,
            dimensions: model.embedder.dimension,
            vectors: encoded.vectors,
            truncated: encoded.truncated,
            tokens: encoded.tokenCounts.reduce(0, +)
        )
    }
}
