public import Domain
import Embeddings
public import LLM
public import Search

/// Which language models answer callers of the OpenAI dialect.
///
/// What is given out works for its caller only: what it spends counts against their caps, what it retrieves is
/// what they may see.
public protocol ModelServing: Sendable {
    /// What may be asked for, the default first.
    func models(context: RequestContext) async throws -> [ModelName]

    /// The model of that name, and those that stand in for it.
    ///
    /// - Throws: `ModelError` `modelNotFound` for a name that means nothing here.
    func models(named name: String, context: RequestContext) async throws -> ModelChain
}

/// Vectors of texts that somebody gave.
public struct ServedVectors: Sendable, Hashable {
    /// In the order of the texts.
    public var vectors: [[Float]]
    public var tokens: Int

    public init(vectors: [[Float]], tokens: Int) {
        self.vectors = vectors
        self.tokens = tokens
    }
}

/// The embedding model that callers of the OpenAI dialect may use.
public protocol VectorServing: Sendable {
    /// Its name and the length of its vectors; nil when there is none.
    func vectorModel(context: RequestContext) async throws -> (name: String, dimension: Int)?

    /// - Throws: what the embedder refuses, such as a text that is too long: texts are not cut.
    func vectors(of texts: [String], context: RequestContext) async throws -> ServedVectors
}

/// Models by a catalogue with its fallbacks, each call metered; extraction where no model is configured or it is asked for.
public struct CatalogModels: ModelServing {
    private let catalog: ModelCatalog
    private let ledger: TokenLedger
    private let extractive: @Sendable (RequestContext) -> any LanguageModel

    /// - Parameter extractive: answers from the records that this caller may read.
    public init(
        catalog: ModelCatalog,
        ledger: TokenLedger,
        extractive: @escaping @Sendable (RequestContext) -> any LanguageModel
    ) {
        self.catalog = catalog
        self.ledger = ledger
        self.extractive = extractive
    }

    public func models(context: RequestContext) async throws -> [ModelName] { catalog.available }

    public func models(named name: String, context: RequestContext) async throws -> ModelChain {
        if catalog.isExtractive(name) { return ModelChain(extractive(context)) }
        let models: [MeteredModel]
        do {
            models = try catalog.models(for: name).map {
                MeteredModel($0, ledger: ledger, run: nil, context: context)
            }
        } catch let error as ModelError where error.code == .notConfigured {
            // Whoever names a model that needs a key which this server has not names none that is here.
            throw ModelError(.modelNotFound, error.message, hint: error.hint)
        }
        guard let first = models.first else {
            throw ModelError(.modelNotFound, "there is no model of that name here")
        }
        return ModelChain(first, fallbacks: Array(models.dropFirst()))
    }
}

/// The model of the index. Texts are taken for documents, which is what most callers compare.
extension TextEmbedding: VectorServing {
    public func vectorModel(context: RequestContext) async throws -> (name: String, dimension: Int)? {
        let model = try await model(context: context)
        return (model.name.description, model.dimensions)
    }

    public func vectors(of texts: [String], context: RequestContext) async throws -> ServedVectors {
        let found = try await embed(
            TextEmbeddingRequest(input: texts, kind: .document, truncates: false),
            context: context
        )
        return ServedVectors(vectors: found.vectors, tokens: found.tokens)
    }
}

/// Stands where nothing was set up.
struct NoModels: ModelServing, VectorServing {
    func models(context: RequestContext) async throws -> [ModelName] { [] }

    func models(named name: String, context: RequestContext) async throws -> ModelChain {
        throw ModelError(.modelNotFound, "there is no model here")
    }

    func vectorModel(context: RequestContext) async throws -> (name: String, dimension: Int)? { nil }

    func vectors(of texts: [String], context: RequestContext) async throws -> ServedVectors {
        throw ModelError(.modelNotFound, "there is no embedding model here")
    }
}
