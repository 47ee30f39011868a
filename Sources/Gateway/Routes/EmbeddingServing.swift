public import Domain
import Embeddings
public import Jobs
public import Search

/// Whoever embeds on request. `EmbeddingService` does; tests bring their own, without a model.
public protocol EmbeddingServing: Sendable {
    func start(_ request: EmbeddingJobRequest, context: RequestContext) async throws -> EmbeddingJob
    func jobs(after cursor: JobCursor?, limit: Int, context: RequestContext) async throws -> EmbeddingJobPage
    func job(_ id: JobID, context: RequestContext) async throws -> EmbeddingJob
    func cancel(_ id: JobID, context: RequestContext) async throws -> EmbeddingJob
    func embed(_ request: TextEmbeddingRequest, context: RequestContext) async throws -> TextEmbeddings
}

/// Jobs and small sets of texts, together.
public struct EmbeddingService: EmbeddingServing {
    private let jobs: EmbeddingJobs
    private let texts: TextEmbedding

    public init(jobs: EmbeddingJobs, texts: TextEmbedding) {
        self.jobs = jobs
        self.texts = texts
    }

    public func start(_ request: EmbeddingJobRequest, context: RequestContext) async throws -> EmbeddingJob {
        try await jobs.start(request, context: context)
    }

    public func jobs(after cursor: JobCursor?, limit: Int, context: RequestContext) async throws -> EmbeddingJobPage {
        try await jobs.jobs(after: cursor, limit: limit, context: context)
    }

    public func job(_ id: JobID, context: RequestContext) async throws -> EmbeddingJob {
        try await jobs.job(id, context: context)
    }

    public func cancel(_ id: JobID, context: RequestContext) async throws -> EmbeddingJob {
        try await jobs.cancel(id, context: context)
    }

    public func embed(_ request: TextEmbeddingRequest, context: RequestContext) async throws -> TextEmbeddings {
        try await texts.embed(request, context: context)
    }
}

/// Stands where nothing was set up to embed.
struct EmbeddingUnavailable: EmbeddingServing {
    struct Refusal: Failure {
        enum Code: String, Sendable { case embeddingUnavailable }

        var code: Code { .embeddingUnavailable }
        var kind: FailureKind { .notConfigured }
        var message: String { "This server embeds nothing on request." }
    }

    func start(_ request: EmbeddingJobRequest, context: RequestContext) async throws -> EmbeddingJob { throw Refusal() }
    func jobs(after cursor: JobCursor?, limit: Int, context: RequestContext) async throws -> EmbeddingJobPage {
        throw Refusal()
    }
    func job(_ id: JobID, context: RequestContext) async throws -> EmbeddingJob { throw Refusal() }
    func cancel(_ id: JobID, context: RequestContext) async throws -> EmbeddingJob { throw Refusal() }
    func embed(_ request: TextEmbeddingRequest, context: RequestContext) async throws -> TextEmbeddings {
        throw Refusal()
    }
}
