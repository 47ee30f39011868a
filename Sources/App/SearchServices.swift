import Access
import Domain
public import Embeddings
public import Search
public import Tools

/// The search side of the object graph: what needs a model.
public struct SearchServices: Sendable {
    public let embedder: any Embedder
    public let pool: ComputePool
    public let search: SearchService
    public let indexer: Indexer
    public let tools: ToolRegistry
    public let verifier: SearchVerifier
}

extension Services {
    /// Loads the embedding model and wires search, indexer and tools.
    ///
    /// - Throws: `EmbeddingsError` with the command that fetches a missing model.
    public func openSearch() throws -> SearchServices {
        let pool = ComputePool(threads: configuration.threads)
        let embedder = try makeEmbedder(pool)
        let pipeline = EmbeddingPipeline(embedder: embedder, cache: EmbeddingCache(database: database))
        let collections = VectorCollections(
            directory: configuration.indexDirectory,
            identity: embedder.identity
        )
        let indexing = IndexingServices(
            database: database,
            access: access,
            airtable: airtable,
            pipeline: pipeline,
            collections: collections,
            pool: pool,
            logger: logger
        )
        let tenant = first.tenant
        let search = SearchService(
            database: database,
            access: access,
            airtable: airtable,
            embedder: embedder,
            collections: collections,
            pool: pool
        )
        return SearchServices(
            embedder: embedder,
            pool: pool,
            search: search,
            indexer: Indexer(services: indexing) { [tenant] },
            tools: ToolRegistry.standard(airtable: airtable, search: search),
            verifier: SearchVerifier(services: indexing)
        )
    }

    private func makeEmbedder(_ pool: ComputePool) throws -> any Embedder {
        switch configuration.embedder {
        case .local: try TransformerEmbedder.load(directory: configuration.modelDirectory, pool: pool)
        case .hash: HashEmbedder()
        }
    }
}

extension AppConfiguration {
    /// Where the vector indexes lie.
    var indexDirectory: String { dataDirectory + "/index" }
}
