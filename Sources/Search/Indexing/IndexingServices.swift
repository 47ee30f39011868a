package import Access
package import Airtable
package import Database
import Domain
package import Embeddings
package import Logging

/// What indexing stands on, together.
package struct IndexingServices: Sendable {
    let database: any SQLDatabase
    let access: AccessService
    let airtable: AirtableService
    var changes: ChangeFeed { airtable.changes }
    private(set) var embedder: IndexEmbedder
    private(set) var collections: VectorCollections
    let models: SearchModels
    let pool: ComputePool
    private(set) var renderer: RecordRenderer
    let logger: Logger
    /// Called between the steps of a batch; tests end it there.
    var afterStep: @Sendable (IndexingStep) throws -> Void = { _ in }

    /// With one model for ever.
    package init(
        database: any SQLDatabase,
        access: AccessService,
        airtable: AirtableService,
        pipeline: EmbeddingPipeline,
        collections: VectorCollections,
        pool: ComputePool,
        logger: Logger
    ) {
        let model = SearchModel(name: .local, pipeline: pipeline, collections: collections)
        self.init(
            database: database,
            access: access,
            airtable: airtable,
            models: SearchModels(fixed: model),
            model: model,
            pool: pool,
            logger: logger
        )
    }

    /// - Parameter model: the one to begin with; `using` gives the same services with another one.
    package init(
        database: any SQLDatabase,
        access: AccessService,
        airtable: AirtableService,
        models: SearchModels,
        model: SearchModel,
        pool: ComputePool,
        logger: Logger
    ) {
        self.database = database
        self.access = access
        self.airtable = airtable
        self.models = models
        self.embedder = IndexEmbedder(pipeline: model.pipeline)
        self.collections = model.collections
        self.pool = pool
        self.renderer = Self.renderer(model.embedder)
        self.logger = logger
    }

    /// The same services with another model.
    func using(_ model: SearchModel) -> IndexingServices {
        var services = self
        services.embedder = IndexEmbedder(pipeline: model.pipeline)
        services.collections = model.collections
        services.renderer = Self.renderer(model.embedder)
        return services
    }

    /// The same services with the tenant's live model.
    func live(tenant: TenantID) async throws -> IndexingServices { using(try await models.live(tenant: tenant)) }

    static func renderer(_ embedder: any Embedder) -> RecordRenderer {
        // Models that read more get windows of the same size: a window is what a question is compared with.
        RecordRenderer(tokenLimit: min(embedder.contentTokenLimit, windowTokensMax)) { text in
            embedder.tokens(of: text).map(\.utf8)
        }
    }

    /// Tokens of a text that stays in one piece, as with the local model.
    private static let windowTokensMax = 254
}

/// The places in a batch where a process may end.
enum IndexingStep: Sendable, Hashable, CaseIterable {
    case rendered, encoded, planned, vectorsChanged, vectorsFlushed, committed
}

extension IndexingServices {
    /// Records for the index: a damaged one is logged and left out, so that it does
    /// not keep all others from being found.
    var soundReads: GatedReads {
        airtable.storedReads(by: .recordsRead) { [logger] in logger.error("left out of the index: \($0.message)") }
    }
}

/// Vectors by text, and what they cost.
struct IndexVectors: Sendable {
    var byText: [String: [Float]] = [:]
    /// Texts that the model would not take.
    var refused: Set<String> = []
    /// Texts that the model read now.
    var encoded: Set<String> = []
    var tokens = 0
}

/// Vectors for texts, each text encoded once.
struct IndexEmbedder: Sendable {
    let pipeline: EmbeddingPipeline

    /// The vectors of `texts`; those in `known` are taken from there.
    func vectors(
        of texts: [String],
        known: IndexVectors = IndexVectors(),
        tenant: TenantID,
        priority: EmbeddingPriority,
        reencodes: Instant? = nil
    ) async throws -> IndexVectors {
        var vectors = known
        var missing: [String] = []
        var asked: Set<String> = known.refused
        for text in texts where known.byText[text] == nil && asked.insert(text).inserted { missing.append(text) }
        if missing.isEmpty { return vectors }
        let embedded = try await pipeline.embed(
            missing,
            tenant: tenant,
            priority: priority,
            reencodes: reencodes
        )
        for (text, vector) in zip(missing, embedded.vectors) where !vector.isEmpty { vectors.byText[text] = vector }
        vectors.refused.formUnion(embedded.refused.map { missing[$0] })
        vectors.encoded.formUnion(embedded.encodedPositions.map { missing[$0] })
        vectors.tokens += embedded.tokens
        return vectors
    }
}
