import Access
import Airtable
import Database
import Domain
import Embeddings
import Jobs
import Logging
import TestSupport
import Testing

@testable import Search

/// Counts how often each text is read, and refuses or fails where it is told to. Meaning by words, in as many dimensions
/// as its name says.
struct CountingEmbedder: Embedder {
    let inner: HashEmbedder
    let identity: ModelIdentity
    let counts = Guarded<[String: Int]>([:])
    /// Texts that hold this word are not taken.
    let refusedWord = Guarded<String?>(nil)
    let failure = Guarded<EmbeddingsError?>(nil)
    /// Called before each call of bulk work.
    let beforeBulk = Guarded<@Sendable () async throws -> Void>({})

    init(name: EmbeddingModelName) {
        inner = HashEmbedder(dimension: name.dimensions ?? 48)
        identity = ModelIdentity(
            id: "counting-\(name)",
            weightsHash: "0",
            dimensions: inner.dimension,
            pooling: .sum,
            tokenLimit: inner.tokenLimit
        )
    }

    var dimension: Int { inner.dimension }
    var tokenLimit: Int { inner.tokenLimit }
    var specialTokenCount: Int { inner.specialTokenCount }
    func tokens(of text: String) -> [TokenSpan] { inner.tokens(of: text) }

    func encode(_ texts: [String], overlong: OverlongText, priority: EmbeddingPriority) async throws -> EncodedTexts {
        if priority == .bulk {
            try await beforeBulk.value()
            if let failure = failure.value { throw failure }
            counts.update { for text in texts { $0[text, default: 0] += 1 } }
        }
        var encoded = try await inner.encode(texts, overlong: overlong, priority: priority)
        if let word = refusedWord.value, priority == .bulk {
            encoded.refused = texts.indices.filter { texts[$0].contains(word) }
            for position in encoded.refused { encoded.vectors[position] = [] }
        }
        return encoded
    }
}

/// The embedders of a data directory, kept over the ends of its processes as a service elsewhere would be.
final class EmbedderShelf: Sendable {
    private let made = Guarded<[EmbeddingModelName: CountingEmbedder]>([:])

    func embedder(_ name: EmbeddingModelName) -> CountingEmbedder {
        made.update { if $0[name] == nil { $0[name] = CountingEmbedder(name: name) } }
        return made.value[name] ?? CountingEmbedder(name: name)
    }
}

/// A data directory whose model may change. Each value is one process.
struct ModelsFixture: Sendable {
    static let first = EmbeddingModelName("openai/first@48")!
    static let second = EmbeddingModelName("openai/second@32")!
    static let third = EmbeddingModelName("openai/third@40")!

    let world: SearchFixture
    let shelf: EmbedderShelf
    let models: SearchModels
    let services: IndexingServices
    let indexer: Indexer
    let search: SearchService
    let queue: JobQueue
    let jobs: EmbeddingJobs
    let worker: JobWorker
    var context: RequestContext { world.context }
    var tenant: TenantID { world.tenant }

    init(
        _ world: SearchFixture,
        shelf: EmbedderShelf,
        configured: EmbeddingModelName = first,
        isWish: Bool = false,
        afterStep: @escaping @Sendable (IndexingStep) throws -> Void = { _ in }
    ) throws {
        self.world = world
        self.shelf = shelf
        models = SearchModels(
            database: world.database,
            directory: world.directory,
            configured: configured,
            isWish: isWish,
            cache: EmbeddingCache(database: world.database)
        ) { shelf.embedder($0) }
        let model = try models.model(configured)
        let pool = ComputePool(threads: 2)
        var services = IndexingServices(
            database: world.database,
            access: world.access,
            airtable: world.airtable,
            models: models,
            model: model,
            pool: pool,
            logger: world.context.logger
        )
        services.afterStep = afterStep
        self.services = services
        let tenant = world.tenant
        indexer = Indexer(services: services, lockInterval: .milliseconds(10)) { [tenant] }
        search = SearchService(
            database: world.database,
            access: world.access,
            airtable: world.airtable,
            models: models,
            model: model,
            pool: pool
        )
        queue = JobQueue(database: world.database, timing: JobTiming(lease: .milliseconds(200)))
        jobs = EmbeddingJobs(services: services, queue: queue)
        worker = JobWorker(
            queue: queue,
            handlers: [EmbeddingJobHandler(services: services, pollInterval: .milliseconds(2))],
            pollInterval: .milliseconds(5),
            logger: world.context.logger
        ) { [tenant] }
    }

    /// Another process with the same data directory.
    func other(
        configured: EmbeddingModelName = first,
        isWish: Bool = false,
        afterStep: @escaping @Sendable (IndexingStep) throws -> Void = { _ in }
    ) throws -> ModelsFixture {
        try ModelsFixture(world, shelf: shelf, configured: configured, isWish: isWish, afterStep: afterStep)
    }

    func live() async throws -> EmbeddingModelName { try await models.liveName(tenant: tenant) }

    /// Records found by meaning; words alone do not count.
    func byMeaning(_ query: String) async throws -> [RecordID] {
        try await search.search(SearchRequest(query: query, limit: 50), context: context).hits
            .filter(\.matched.semantic).map(\.recordID)
    }

    func expectSound(_ comment: Comment = "", sourceLocation: SourceLocation = #_sourceLocation) async throws {
        let report = try await SearchVerifier(services: services).verify(tenant: tenant, comparesVectors: true)
        #expect(report.problems.isEmpty, "\(comment) \(report.problems)", sourceLocation: sourceLocation)
        #expect(try await SearchVerifier(services: services).gaps(tenant: tenant).isEmpty, comment)
    }

    /// Runs indexer and worker beside `body`, and waits for their end.
    func working(_ body: () async throws -> Void) async throws {
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await indexer.run() }
            group.addTask { try await worker.run() }
            try await body()
            group.cancelAll()
            while let result = await group.nextResult() {
                // A statement that was under way says it in the database's words.
                guard case .failure(let error) = result, (error as? DatabaseError)?.code != .cancelled else { continue }
                #expect(error is CancellationError, "\(error)")
            }
        }
    }

    /// Waits until a job is over.
    func end(of id: JobID) async throws -> EmbeddingJob {
        try await eventually("the job is over", timeout: .seconds(60)) {
            try await jobs.job(id, context: context).state.isTerminal
        }
        return try await jobs.job(id, context: context)
    }

    /// The records of units that no model took.
    func withoutVector() async throws -> [RecordID] {
        try await world.units().filter { !$0.isEncoded }.map(\.record)
    }

    /// How often the texts of the model were read, most often first.
    func readings(_ name: EmbeddingModelName) -> [String: Int] { shelf.embedder(name).counts.value }
}

func withModels(
    _ kind: DatabaseKind = .sqlite,
    _ body: @escaping @Sendable (ModelsFixture) async throws -> Void
) async throws {
    try await withSearch(kind) { world in
        try await body(ModelsFixture(world, shelf: EmbedderShelf()))
    }
}

extension SearchFixture {
    /// Records with a text each that no other has.
    @discardableResult
    func createMany(_ count: Int, in table: Table, from first: Int = 0) async throws -> [RecordID] {
        var ids: [RecordID] = []
        for start in stride(from: first, to: first + count, by: 10) {
            let drafts = (start..<min(start + 10, first + count)).map { number in
                RecordDraft(fields: ["Name": .string("n\(number)"), "Text": .string("walrus number\(number)")])
            }
            ids += try await airtable.create(drafts, in: table.id, context: context).map(\.id)
        }
        return ids
    }
}
