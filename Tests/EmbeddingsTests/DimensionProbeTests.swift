import Domain
import OpenAIDialect
import Outbound
import TestSupport
import Testing

@testable import Embeddings

@Suite("Dimensions of a model elsewhere")
struct DimensionProbeTests {
    private func probe(_ transport: ScriptedTransport) throws -> DimensionProbe {
        let client = try OpenAIClient(baseURL: "http://ollama.test:11434", key: nil, transport: transport)
        let policy = RetryPolicy(attemptsMax: 3, delayBase: .zero, delayMax: .zero, hintMax: .seconds(8))
        return DimensionProbe(client: client, retrier: Retrier(policy: policy))
    }

    private static func vector(of count: Int) -> ScriptedTransport.Answer {
        let values = JSONValue.array(Array(repeating: 1, count: count))
        return .init(json: ["data": [["index": 0, "embedding": values]], "model": "nomic"])
    }

    @Test(
        "only a name that says everything else can be asked for",
        arguments: [
            ("openai/nomic", true), ("openai/org/nomic:latest", true), ("openai/nomic@768", false), ("openai/", false),
            ("openai/a b", false), ("openai/nomic@", false), ("gemini/gemini-embedding-001", false), ("local", false),
            ("hash", false), ("nomic", false), ("", false),
        ]
    )
    func lacking(_ text: String, _ lacks: Bool) {
        #expect(EmbeddingModelName.lacksDimensions(text) == lacks)
    }

    @Test("one short text is asked for, and the size of its vector completes the name", arguments: [1, 384, 8_192])
    func learns(_ count: Int) async throws {
        let transport = ScriptedTransport { _ in Self.vector(of: count) }
        let name = try await probe(transport).name("openai/org/nomic")
        #expect(name == EmbeddingModelName("openai/org/nomic@\(count)") && name.dimensions == count)
        #expect(transport.requests.value.count == 1)
        #expect(transport.requests.value[0].body["model"] == "org/nomic")
        #expect(transport.requests.value[0].body["input"]?.arrayValue?.count == 1)
        #expect(transport.requests.value[0].body["dimensions"] == nil)
    }

    @Test("a name that says the number, or is none, costs no call")
    func nothingToAsk() async throws {
        let transport = ScriptedTransport { _ in Self.vector(of: 3) }
        #expect(try await probe(transport).name("openai/nomic@5").dimensions == 5)
        await #expect(throws: EmbeddingsError(.invalidModelName, "")) { try await probe(transport).name("nomic") }
        #expect(transport.requests.value.isEmpty)
    }

    @Test("a server that is only just starting is asked again")
    func starting() async throws {
        let calls = Guarded(0)
        let transport = ScriptedTransport { _ in
            calls.update { $0 += 1 }
            return calls.value < 3 ? .init(status: 503, json: ["error": ["message": "loading"]]) : Self.vector(of: 4)
        }
        #expect(try await probe(transport).name("openai/nomic").dimensions == 4)
        #expect(calls.value == 3)
    }

    @Test(
        "what it can't learn is told with the setting in which the number can be said",
        arguments: [
            (401, EmbeddingsError.Code.serviceRefused), (404, .serviceRefused), (400, .serviceRefused),
            (429, .quotaExhausted), (500, .serviceFailed),
        ]
    )
    func failures(_ status: Int, _ code: EmbeddingsError.Code) async throws {
        let transport = ScriptedTransport { _ in .init(status: status, json: ["error": ["message": "no"]]) }
        try await expectFailure(transport, code)
    }

    @Test("vectors of no size, or of more than can be used, are no answer", arguments: [0, 8_193])
    func sizes(_ count: Int) async throws {
        try await expectFailure(
            ScriptedTransport { _ in Self.vector(of: count) },
            count == 0 ? .serviceFailed : .badVector
        )
    }

    @Test("a server that is not there, or says something else, is named")
    func unreachable() async throws {
        try await expectFailure(
            ScriptedTransport { _ in throw OutboundError(.cannotConnect, "nobody there") },
            .serviceFailed
        )
        try await expectFailure(ScriptedTransport { _ in .init(json: ["hello": "world"]) }, .serviceFailed)
    }

    private func expectFailure(_ transport: ScriptedTransport, _ code: EmbeddingsError.Code) async throws {
        do {
            _ = try await probe(transport).name("openai/nomic")
            Issue.record("a number was made up")
        } catch let error as EmbeddingsError {
            #expect(error.code == code)
            #expect(error.message.contains("openai/nomic"))
            #expect(error.hint?.contains("EMBEDDING_MODEL") == true && error.hint?.contains("openai/nomic@768") == true)
        }
    }
}
