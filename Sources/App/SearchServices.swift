import Access
import Airtable
import Database
import Domain
public import Embeddings
import Gateway
public import Jobs
public import Search
public import Tools

/// The search side of the object graph: what needs a model.
public struct SearchServices: Sendable {
    /// The configured model's; which one answers is in `models`.
    public let embedder: any Embedder
    public let pool: ComputePool
    public let search: SearchService
    public let indexer: Indexer
    public let tools: ToolRegistry
    /// Resources, prompts, and who tells of changes.
    public let offers: Offers
    public let verifier: SearchVerifier
    public let embeddingJobs: EmbeddingJobs
    public let textEmbedding: TextEmbedding
    public let worker: JobWorker
    package let models: SearchModels
    /// What this process may call: models elsewhere.
    let upstreams: Upstreams

    /// The tools as a program calls them on its user's behalf: each call is in the audit log.
    public func audited(by agent: String, _ services: Services) -> AuditedTools {
        AuditedTools(tools, audit: services.access.audit, agent: agent)
    }
}

extension Services {
    /// Loads the embedding model and wires search, indexer, jobs and tools.
    ///
    /// Waits for a server only where the model's name lacks the number of its dimensions, and only the first time.
    ///
    /// - Parameters:
    ///   - writes: how tools that change something are offered.
    ///   - importRoot: the directory below which files may be imported, of a server whose user is at this machine; nil for none.
    /// - Throws: `EmbeddingsError` with the command that fetches a missing model, or the setting that is missing.
    public func openSearch(writes: WriteMode = .asking, importRoot: String? = nil) async throws -> SearchServices {
        let pool = ComputePool(threads: configuration.threads)
        let upstreams = try Upstreams(configuration.models)
        let factory = EmbedderFactory(configuration: configuration, pool: pool, upstreams: upstreams)
        let models = SearchModels(
            database: database,
            directory: configuration.indexDirectory,
            configured: try await embeddingModelName(upstreams),
            isWish: configuration.namesEmbeddingModel,
            cache: EmbeddingCache(database: database)
        ) { name in try factory.embedder(name) }
        let model = try models.model(models.configured)
        let indexing = IndexingServices(
            database: database,
            access: access,
            airtable: airtable,
            models: models,
            model: model,
            pool: pool,
            logger: logger
        )
        let search = SearchService(
            database: database,
            access: access,
            airtable: airtable,
            models: models,
            model: model,
            pool: pool
        )
        let tools = ToolRegistry.standard(
            airtable: airtable,
            search: search,
            writes: writes,
            importRoot: importRoot,
            writing: writingServices
        )
        let queue = JobQueue(database: database)
        let owner = JobWorker.randomOwner()
        return SearchServices(
            embedder: model.embedder,
            pool: pool,
            search: search,
            indexer: Indexer(
                services: indexing,
                owner: owner,
                releaseJobs: { [access] dead in
                    for tenant in try await access.activeTenants() {
                        try await queue.release(owner: dead, tenant: tenant)
                    }
                },
                tenants: { [access] in try await access.activeTenants() }
            ),
            tools: tools,
            offers: Offers.standard(airtable: airtable, access: access, tools: tools, logger: logger),
            verifier: SearchVerifier(services: indexing),
            embeddingJobs: EmbeddingJobs(services: indexing, queue: queue),
            textEmbedding: TextEmbedding(models: models),
            worker: JobWorker(
                queue: queue,
                handlers: [EmbeddingJobHandler(services: indexing)],
                owner: owner,
                logger: logger
            ) { [access] in try await access.activeTenants() },
            models: models,
            upstreams: upstreams
        )
    }
}

extension Services {
    /// What writing tools need beside the store.
    private var writingServices: WritingServices {
        WritingServices(
            attachments: attachments,
            replies: KeptReplies(database: database),
            spool: SpoolDirectory(configuration.dataDirectory + "/spool")
        )
    }
}

extension AppConfiguration {
    /// Where the vector indexes lie.
    var indexDirectory: String { dataDirectory + "/index" }
}
