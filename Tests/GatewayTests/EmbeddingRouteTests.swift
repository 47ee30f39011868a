import Domain
import Embeddings
import HTTPTypes
import Hummingbird
import HummingbirdTesting
import Jobs
import Search
import TestSupport
import Testing

@testable import Gateway

/// Embeds nothing, and notes what it was asked.
struct NotedEmbedding: EmbeddingServing {
    let started = Guarded<[EmbeddingJobRequest]>([])
    let texts = Guarded<[TextEmbeddingRequest]>([])
    let pages = Guarded<[(cursor: String?, limit: Int)]>([])
    var failure: (any Failure)?

    static let id = JobID("jobElements000001")!
    static let cursor = JobCursor("1-jobElements000001")!

    private func job(_ id: JobID, _ state: JobState) -> EmbeddingJob {
        EmbeddingJob(
            id: id,
            state: state,
            tables: [TableID("tblElements000001")!],
            model: .local,
            isForced: true,
            done: 3,
            total: 9,
            skipped: 2,
            encodedTexts: 1,
            tokens: 40,
            createdTime: Instant(milliseconds: 0),
            startedTime: nil
        )
    }

    func start(_ request: EmbeddingJobRequest, context: Domain.RequestContext) async throws -> EmbeddingJob {
        started.update { $0.append(request) }
        if let failure { throw failure }
        return job(Self.id, .queued)
    }

    func jobs(after cursor: JobCursor?, limit: Int, context: Domain.RequestContext) async throws -> EmbeddingJobPage {
        pages.update { $0.append((cursor?.description, limit)) }
        return EmbeddingJobPage(jobs: [job(Self.id, .running)], next: Self.cursor)
    }

    func job(_ id: JobID, context: Domain.RequestContext) async throws -> EmbeddingJob {
        guard id == Self.id else { throw JobError(.notFound, "There is no such job.") }
        return job(id, .running)
    }

    func cancel(_ id: JobID, context: Domain.RequestContext) async throws -> EmbeddingJob {
        guard id == Self.id else { throw JobError(.notFound, "There is no such job.") }
        return job(id, .cancelled)
    }

    func embed(_ request: TextEmbeddingRequest, context: Domain.RequestContext) async throws -> TextEmbeddings {
        texts.update { $0.append(request) }
        return TextEmbeddings(
            model: .local,
            dimensions: 2,
            vectors: request.input.map { _ in [0.6, 0.8] },
            truncated: request.truncates ? [0] : [],
            tokens: 5
        )
    }
}

@Suite("Embedding routes")
struct EmbeddingRouteTests {
    private func asking(
        _ embedding: NotedEmbedding,
        _ body: @escaping @Sendable (GatewayFixture, any TestClientProtocol) async throws -> Void
    ) async throws {
        try await withGateway { fixture in
            try await fixture.server(embedding: embedding).publicApplication.test(.router) { client in
                try await body(fixture, client)
            }
        }
    }

    @Test("a job is queued with 202, told by its id, listed by pages and cancelled")
    func jobs() async throws {
        let embedding = NotedEmbedding()
        try await asking(embedding) { fixture, client in
            let started = try await client.send(
                .post,
                "/api/v1/embedding-jobs",
                key: fixture.key,
                body: #"{"tables":["A","B"],"model":"gemini/gemini-embedding-001","force":true}"#
            )
            #expect(started.status == 202)
            #expect(started.json?["state"] == "queued" && started.json?["id"]?.stringValue == "\(NotedEmbedding.id)")
            #expect(
                embedding.started.value == [
                    EmbeddingJobRequest(tables: ["A", "B"], model: "gemini/gemini-embedding-001", force: true)
                ]
            )
            let path = "/api/v1/embedding-jobs/\(NotedEmbedding.id)"
            let shown = try await client.send(.get, path, key: fixture.key)
            #expect(shown.status == 200 && shown.json?["done"] == 3 && shown.json?["total"] == 9)
            let ended = try await client.send(.delete, path, key: fixture.key)
            #expect(ended.status == 200 && ended.json?["state"] == "cancelled")
            let list = try await client.send(
                .get,
                "/api/v1/embedding-jobs?pageSize=7&offset=\(NotedEmbedding.cursor)",
                key: fixture.key
            )
            #expect(list.json?["offset"]?.stringValue == "\(NotedEmbedding.cursor)")
            #expect(list.json?["jobs"]?.arrayValue?.count == 1)
            #expect(embedding.pages.value.map(\.limit) == [7])
            #expect(embedding.pages.value.map(\.cursor) == ["\(NotedEmbedding.cursor)"])
        }
    }

    @Test("texts are embedded as asked, and defaults are the strict ones")
    func texts() async throws {
        let embedding = NotedEmbedding()
        try await asking(embedding) { fixture, client in
            let plain = try await client.send(
                .post,
                "/api/v1/embeddings",
                key: fixture.key,
                body: #"{"input":["a","b"]}"#
            )
            #expect(plain.status == 200)
            #expect(plain.json?["embeddings"]?.arrayValue?.count == 2)
            #expect(plain.text.contains("[0.6,0.8]"), "the shortest decimals of the floats")
            #expect(plain.json?["usage"]?["tokens"] == 5)
            let cut = try await client.send(
                .post,
                "/api/v1/embeddings",
                key: fixture.key,
                body: #"{"input":["a"],"kind":"query","truncate":"truncate"}"#
            )
            #expect(cut.json?["embeddings"]?.arrayValue?.first?["truncated"] == true)
            #expect(
                embedding.texts.value == [
                    TextEmbeddingRequest(input: ["a", "b"], kind: .document, truncates: false),
                    TextEmbeddingRequest(input: ["a"], kind: .query, truncates: true),
                ]
            )
        }
    }

    @Test("what does not fit is refused with its own status")
    func refusals() async throws {
        var embedding = NotedEmbedding()
        embedding.failure = SearchError(.modelChangeUnderWay, "Another is under way.")
        try await asking(embedding) { fixture, client in
            let narrow = try await fixture.key([.search])
            let cases: [(HTTPRequest.Method, String, String, String?, Int)] = [
                (.post, "/api/v1/embedding-jobs", fixture.key, #"{"base":"A"}"#, 409),
                (.post, "/api/v1/embedding-jobs", fixture.key, #"{"bases":"A"}"#, 422),
                (.post, "/api/v1/embedding-jobs", narrow, #"{"base":"A"}"#, 403),
                (.get, "/api/v1/embedding-jobs/jobElements000002", fixture.key, nil, 404),
                (.get, "/api/v1/embedding-jobs/recElements000001", fixture.key, nil, 404),
                (.delete, "/api/v1/embedding-jobs/jobElements000002", fixture.key, nil, 404),
                (.get, "/api/v1/embedding-jobs?offset=zz", fixture.key, nil, 400),
                (.get, "/api/v1/embedding-jobs?pageSize=0", fixture.key, nil, 400),
                (.post, "/api/v1/embeddings", fixture.key, #"{"input":"a"}"#, 422),
                (.post, "/api/v1/embeddings", fixture.key, #"{"input":["a"],"kind":"both"}"#, 422),
                (.post, "/api/v1/embeddings", fixture.key, #"{"input":["a"],"truncate":"chunk"}"#, 422),
                (.post, "/api/v1/embeddings", narrow, #"{"input":["a"]}"#, 403),
            ]
            for (method, path, key, body, status) in cases {
                let answer = try await client.send(method, path, key: key, body: body)
                #expect(answer.status == status, "\(method) \(path) \(body ?? ""): \(answer.text)")
            }
        }
    }
}
