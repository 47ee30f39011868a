import Domain
import HTTPTypes
import Jobs
import Search

/// Embedding on request: jobs over bases and tables, and a few texts at once.
enum EmbeddingRoutes {
    static let all = [start, jobs, job, cancel, embed]

    private static let start = Route(
        .post,
        "/api/v1/embedding-jobs",
        name: "startEmbeddingJob",
        summary: "Embeds a base or tables again, or everything by another model, as a job.",
        body: RouteBody(EmbeddingJobDraftWire.self),
        reply: .json(EmbeddingJobWire.self, "The job, which waits.", status: .accepted),
        problems: [.notFound, .conflict],
        handler: .requires(.embed) { call, context in
            let draft: EmbeddingJobDraftWire = try call.decodedBody()
            let job = try await call.services.embedding.start(draft.request, context: context)
            return try .json(EmbeddingJobWire(job), status: .accepted)
        }
    )

    private static let jobs = Route(
        .get,
        "/api/v1/embedding-jobs",
        name: "listEmbeddingJobs",
        summary: "A page of embedding jobs, newest first.",
        query: [
            QueryParameter(
                "pageSize",
                "Jobs of the page, at most.",
                .integer(minimum: 1, maximum: Limits.pageRecords, default: Limits.pageRecords)
            ),
            QueryParameter("offset", "What the page before gave as its offset.", .string()),
        ],
        reply: .json(EmbeddingJobListWire.self, "The jobs."),
        handler: .requires(.embed) { call, context in
            let limit = try call.query.integer("pageSize", in: 1...Limits.pageRecords) ?? Limits.pageRecords
            let cursor = try call.query.text("offset").map { text in
                guard let cursor = JobCursor(text) else {
                    throw GatewayError(
                        .invalidParameter,
                        "The query parameter offset is not one a page gave.",
                        hint: "start again without it"
                    )
                }
                return cursor
            }
            let page = try await call.services.embedding.jobs(after: cursor, limit: limit, context: context)
            return try .json(
                EmbeddingJobListWire(jobs: page.jobs.map(EmbeddingJobWire.init), offset: page.next?.description)
            )
        }
    )

    private static let job = Route(
        .get,
        "/api/v1/embedding-jobs/{jobId}",
        name: "getEmbeddingJob",
        summary: "An embedding job, and how far it is.",
        reply: .json(EmbeddingJobWire.self, "The job."),
        problems: [.notFound],
        handler: .requires(.embed) { call, context in
            try .json(
                EmbeddingJobWire(
                    try await call.services.embedding.job(call.identifier(.jobId), context: context)
                )
            )
        }
    )

    private static let cancel = Route(
        .delete,
        "/api/v1/embedding-jobs/{jobId}",
        name: "cancelEmbeddingJob",
        summary: "Ends an embedding job. What it has done stays; one that is over stays as it is.",
        reply: .json(EmbeddingJobWire.self, "The job as it ended."),
        problems: [.notFound],
        handler: .requires(.embed) { call, context in
            try .json(
                EmbeddingJobWire(
                    try await call.services.embedding.cancel(call.identifier(.jobId), context: context)
                )
            )
        }
    )

    private static let embed = Route(
        .post,
        "/api/v1/embeddings",
        name: "embedTexts",
        summary: "Vectors of a few texts, by the model of the index.",
        body: RouteBody(EmbeddingRequestWire.self),
        reply: .json(EmbeddingListWire.self, "The vectors, in the order of the texts."),
        problems: [.contentTooLarge],
        handler: .requires(.embed) { call, context in
            let body: EmbeddingRequestWire = try call.decodedBody()
            let found = try await call.services.embedding.embed(body.request, context: context)
            return try .json(EmbeddingListWire(found))
        }
    )
}
