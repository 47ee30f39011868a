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
    let embedder: IndexEmbedder
    let collections: VectorCollections
    let pool: ComputePool
    let renderer: RecordRenderer
    let logger: Logger
    /// Called between the steps of a batch; tests end it there.
    var afterStep: @Sendable (IndexingStep) throws -> Void = { _ in }

    package init(
        database: any SQLDatabase,
        access: AccessService,
        airtable: AirtableService,
        pipeline: EmbeddingPipeline,
        collections: VectorCollections,
        pool: ComputePool,
        logger: Logger
    ) {
        self.database = database
        self.access = access
        self.airtable = airtable
        self.embedder = IndexEmbedder(pipeline: pipeline)
        self.collections = collections
        self.pool = pool
        let embedder = pipeline.embedder
        self.renderer = RecordRenderer(tokenLimit: embedder.contentTokenLimit) { text in
            embedder.tokens(of: text).map(\.utf8)
        }
        self.logger = logger
    }
}

/// The places in a batch where a process may end.
enum IndexingStep: Sendable, Hashable, CaseIterable {
    case rendered, encoded, planned, vectorsChanged, vectorsFlushed, committed
}

extension IndexingServices {
    /// Records for the index: a damaged one is logged and left out, so that it does
    /// not keep all others from being found.
    var soundReads: GatedReads {
        airtable.reads(by: .recordsRead) { [logger] in logger.error("left out of the index: \($0.message)") }
    }
}

/// Vectors for texts, each text encoded once.
struct IndexEmbedder: Sendable {
    let pipeline: EmbeddingPipeline

    /// The vectors of `texts`, by text; those in `known` are taken from there.
    func vectors(
        of texts: [String],
        known: [String: [Float]],
        tenant: TenantID,
        priority: EmbeddingPriority
    ) async throws -> [String: [Float]] {
        var vectors = known
        var missing: [String] = []
        var asked: Set<String> = []
        for text in texts where known[text] == nil && asked.insert(text).inserted { missing.append(text) }
        if missing.isEmpty { return vectors }
        let embedded = try await pipeline.embed(missing, tenant: tenant, priority: priority)
        for (text, vector) in zip(missing, embedded.vectors) { vectors[text] = vector }
        return vectors
    }
}
