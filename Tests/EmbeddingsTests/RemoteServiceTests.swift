import Domain
import Gemini
import OpenAIDialect
import Outbound
import TestSupport
import Testing

@testable import Embeddings

/// Both dialects against scripted servers, through the embedder that stands before them.
@Suite("Embedding services")
struct RemoteServiceTests {
    // MARK: Gemini

    private func gemini(_ model: String, _ transport: ScriptedTransport) throws -> RemoteEmbedder {
        let client = GeminiClient(
            transport: transport,
            configuration: GeminiConfiguration(baseURL: "http://gemini.test", key: OutboundSecret("key")),
            retrier: Retrier(policy: RetryPolicy(attemptsMax: 5, delayBase: .zero, delayMax: .zero))
        )
        return try .gemini(EmbeddingModelName.reading(model), client: client)
    }

    private static func entries(_ body: JSONValue) -> [JSONValue] { body["requests"]?.arrayValue ?? [body] }

    private static func text(_ entry: JSONValue) -> String {
        entry["content"]?["parts"]?.arrayValue?.first?["text"]?.stringValue ?? ""
    }

    /// As Gemini answers, with vectors that are not of unit length; a text with `bad` in it spoils its batch.
    private static func answer(_ body: JSONValue) -> ScriptedTransport.Answer {
        let entries = entries(body)
        if entries.contains(where: { text($0).contains("bad") }) {
            return .init(status: 400, json: ["error": ["code": 400, "message": "no", "status": "INVALID_ARGUMENT"]])
        }
        let vectors = entries.map { entry -> JSONValue in
            let size = text(entry).utf8.count
            return ["values": [.number(JSONNumber(size)), 3, 4]]
        }
        return .init(json: body["requests"] == nil ? ["embedding": vectors[0]] : ["embeddings": .array(vectors)])
    }

    @Test("gemini-embedding-001 is told the task beside the text")
    func taskTypes() async throws {
        let transport = ScriptedTransport(Self.answer)
        let embedder = try gemini("gemini/gemini-embedding-001@3", transport)
        for (kind, type) in [(EmbeddingKind.query, "RETRIEVAL_QUERY"), (.document, "RETRIEVAL_DOCUMENT")] {
            let encoded = try await embedder.encode(["xx", "xxxx"], kind: kind, overlong: .refuse, priority: .bulk)
            #expect(encoded.vectors.allSatisfy { abs($0.reduce(0) { $0 + $1 * $1 } - 1) < 1e-5 })
            #expect(encoded.vectors[0][0] < encoded.vectors[1][0])
            let body = try #require(transport.requests.value.last?.body)
            for entry in Self.entries(body) {
                #expect(entry["taskType"]?.stringValue == type)
                #expect(entry["outputDimensionality"]?.intValue == 3)
                #expect(entry["model"]?.stringValue == "models/gemini-embedding-001")
            }
            #expect(Self.entries(body).map(Self.text) == ["xx", "xxxx"])
        }
        #expect(transport.requests.value.allSatisfy { !$0.url.contains("key") })
    }

    @Test("gemini-embedding-2 is told the task in words before the text")
    func prefixes() async throws {
        let transport = ScriptedTransport(Self.answer)
        let embedder = try gemini("gemini/gemini-embedding-2@3", transport)
        _ = try await embedder.encode(["helium"], kind: .query, overlong: .refuse, priority: .interactive)
        _ = try await embedder.encode(["helium"], kind: .document, overlong: .refuse, priority: .bulk)
        let sent = transport.requests.value.flatMap { Self.entries($0.body) }
        #expect(sent.map(Self.text) == ["task: search result | query: helium", "title: none | text: helium"])
        #expect(sent.allSatisfy { $0["taskType"] == nil })
        let other = try gemini("gemini/gemini-embedding-001@3", transport)
        #expect(embedder.identity != other.identity)
    }

    @Test("many texts go in batches of a hundred, in order, and a bad one is found among them")
    func geminiBatches() async throws {
        let transport = ScriptedTransport(Self.answer)
        let texts = (0..<230).map { $0 == 117 ? "bad" : String(repeating: "x", count: $0 + 1) }
        let encoded = try await gemini("gemini/gemini-embedding-001@3", transport)
            .encode(texts, overlong: .truncate, priority: .bulk)
        #expect(encoded.refused == [117])
        #expect(transport.requests.value.allSatisfy { Self.entries($0.body).count <= 100 })
        let first = encoded.vectors.map { $0.first ?? 0 }
        #expect(zip(first, first.dropFirst()).enumerated().allSatisfy { [116, 117].contains($0) || $1.0 < $1.1 })
    }

    @Test("quotas say when to come back, keys and models that are refused are no passing trouble")
    func geminiErrors() async throws {
        func error(_ status: Int, _ name: String, _ details: JSONValue = []) async throws -> EmbeddingsError? {
            let transport = ScriptedTransport { _ in
                .init(
                    status: status,
                    json: [
                        "error": [
                            "code": .number(JSONNumber(status)), "message": "no", "status": .string(name),
                            "details": details,
                        ]
                    ]
                )
            }
            do {
                _ = try await gemini("gemini/gemini-embedding-001@3", transport).embed(["a"], priority: .bulk)
                return nil
            } catch let error as EmbeddingsError {
                return error
            }
        }
        let quota = try await error(
            429,
            "RESOURCE_EXHAUSTED",
            [
                ["@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": "3600s"],
                [
                    "@type": "type.googleapis.com/google.rpc.QuotaFailure",
                    "violations": [["quotaId": "EmbedRequestsPerDay"]],
                ],
            ]
        )
        #expect(quota?.code == .quotaExhausted && quota?.kind == .busy)
        #expect(quota?.retryAfter == .seconds(3_600))
        #expect(try await error(403, "PERMISSION_DENIED")?.code == .serviceRefused)
        #expect(try await error(404, "NOT_FOUND")?.code == .serviceRefused)
        #expect(try await error(503, "UNAVAILABLE")?.code == .serviceFailed)
    }

    // MARK: OpenAI's dialect

    private func openAI(_ transport: ScriptedTransport) throws -> RemoteEmbedder {
        let client = try OpenAIClient(baseURL: "http://ollama.test:11434", key: nil, transport: transport)
        let retrier = Retrier(policy: RetryPolicy(attemptsMax: 3, delayBase: .zero, delayMax: .zero))
        return RemoteEmbedder(
            name: EmbeddingModelName("openai/nomic@3")!,
            scheme: "openai-plain",
            tokenLimit: 512,
            service: BisectingService(base: OpenAIEmbeddingService(client: client, model: "nomic", retrier: retrier))
        )
    }

    private static func dialect(_ body: JSONValue) -> ScriptedTransport.Answer {
        let input = (body["input"]?.arrayValue ?? []).compactMap(\.stringValue)
        if input.contains(where: { $0.contains("bad") }) {
            return .init(status: 400, json: ["error": ["message": "no", "type": "invalid_request_error"]])
        }
        let data = input.enumerated().map { position, text -> JSONValue in
            ["index": .number(JSONNumber(position)), "embedding": [.number(JSONNumber(text.utf8.count)), 3, 4]]
        }
        // Backwards: the order is told by the index.
        return .init(
            json: ["data": .array(data.reversed()), "model": "nomic", "usage": ["prompt_tokens": 11]]
        )
    }

    @Test("vectors are put in order by their index and brought to unit length")
    func order() async throws {
        let transport = ScriptedTransport(Self.dialect)
        let encoded = try await openAI(transport).encode(
            ["x", "xxxx", "xxxxxxx"],
            overlong: .refuse,
            priority: .bulk
        )
        #expect(encoded.vectors.map { $0[0] } == encoded.vectors.map { $0[0] }.sorted())
        #expect(encoded.vectors.allSatisfy { abs($0.reduce(0) { $0 + $1 * $1 } - 1) < 1e-5 })
        #expect(encoded.tokenCounts.reduce(0, +) == 11)
        #expect(transport.requests.value.map(\.url) == ["http://ollama.test:11434/v1/embeddings"])
        #expect(transport.requests.value[0].body["model"] == "nomic")
    }

    @Test(
        "a refused batch is halved until the bad texts stand alone, with few calls",
        arguments: [[0], [63], [7, 8], [0, 31, 63]]
    )
    func bisection(_ bad: [Int]) async throws {
        let transport = ScriptedTransport(Self.dialect)
        let texts = (0..<64).map { bad.contains($0) ? "bad \($0)" : "good \($0)" }
        let encoded = try await openAI(transport).encode(texts, overlong: .truncate, priority: .bulk)
        #expect(encoded.refused == bad)
        #expect(encoded.vectors.enumerated().allSatisfy { $1.isEmpty == bad.contains($0) })
        #expect(transport.requests.value.count <= 1 + bad.count * 12)
    }

    @Test("when every text is refused it is the request that is wrong")
    func allRefused() async throws {
        let transport = ScriptedTransport(Self.dialect)
        await #expect(throws: EmbeddingsError(.serviceRefused, "")) {
            try await openAI(transport).encode(
                (0..<64).map { "bad \($0)" },
                overlong: .truncate,
                priority: .bulk
            )
        }
        #expect(transport.requests.value.count < 40)
    }

    @Test("what passes is tried again; what does not comes out with its kind")
    func errors() async throws {
        let calls = Guarded(0)
        let shaky = ScriptedTransport { body in
            calls.update { $0 += 1 }
            return calls.value < 3 ? .init(status: 503, json: ["error": ["message": "busy"]]) : Self.dialect(body)
        }
        _ = try await openAI(shaky).embed(["a"], priority: .bulk)
        #expect(calls.value == 3)
        for (status, code) in [
            (401, EmbeddingsError.Code.serviceRefused), (404, .serviceRefused), (500, .serviceFailed),
        ] {
            let transport = ScriptedTransport { _ in .init(status: status, json: ["error": ["message": "no"]]) }
            await #expect(throws: EmbeddingsError(code, ""), "\(status)") {
                try await openAI(transport).embed(["a"], priority: .bulk)
            }
        }
        let late = ScriptedTransport { _ in
            .init(status: 429, headers: [("retry-after", "500")], json: ["error": ["message": "slow down"]])
        }
        do {
            _ = try await openAI(late).embed(["a"], priority: .bulk)
            Issue.record("a quota was passed")
        } catch let error as EmbeddingsError {
            #expect(error.code == .quotaExhausted && error.retryAfter == .seconds(500))
        }
        let unreachable = ScriptedTransport { _ in throw OutboundError(.cannotConnect, "nobody there") }
        await #expect(throws: EmbeddingsError(.serviceFailed, "")) {
            try await openAI(unreachable).embed(["a"], priority: .bulk)
        }
    }
}
