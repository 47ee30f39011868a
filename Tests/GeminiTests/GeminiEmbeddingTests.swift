import Domain
import Outbound
import TestSupport
import Testing

@testable import Gemini

@Suite("Embedding with Gemini, over a socket", .enabled(if: ClientServer.isInstalled))
struct GeminiEmbeddingTests {
    private static let server = Task { try await ClientServer("gemini_server.py") }
    private static let transport = AsyncHTTPTransport()

    private static func client(version: String = "v1beta") async throws -> GeminiClient {
        GeminiClient(
            transport: transport,
            configuration: GeminiConfiguration(
                baseURL: try await server.value.url,
                version: version,
                key: OutboundSecret("test-key-of-a-scripted-gemini")
            ),
            retrier: Retrier(policy: RetryPolicy(delayBase: .milliseconds(1)))
        )
    }

    private static func log(_ model: String) async throws -> JSONValue {
        let reply = try await transport.send(OutboundRequest(.get, "\(try await server.value.url)/_log?model=\(model)"))
        return try JSONValue(parsing: try await reply.body.collect(bytesMax: 64 * 1_024 * 1_024))
    }

    private static func length(_ vector: [Float]) -> Double {
        vector.reduce(into: 0.0) { $0 += Double($1) * Double($1) }.squareRoot()
    }

    @Test(
        "gives a unit vector for each text in order, in batches by count",
        arguments: ["gemini-embedding-001", "gemini-embedding-2"],
        [nil, 128, 768] as [Int?]
    )
    func batches(_ model: String, _ dimensions: Int?) async throws {
        let client = try await Self.client()
        let name = "\(model)-case-good_b\(dimensions ?? 0)"
        let texts = (0..<230).map { GeminiEmbeddingText("text number \($0)", title: $0 % 2 == 0 ? "T" : nil) }
        let all = try await client.embed(texts, model: name, task: .document, dimensions: dimensions)
        #expect(all.vectors.count == 230)
        #expect(all.vectors.allSatisfy { $0.count == dimensions ?? 3_072 && abs(Self.length($0) - 1) < 1e-5 })
        #expect((all.tokenCount != nil) == (model == "gemini-embedding-2"))
        let bodies = try await Self.log(name)["bodies"]?.arrayValue ?? []
        #expect(bodies.map { $0["requests"]?.arrayValue?.count } == [100, 100, 30])
        // The order: each alone is the same as among the others.
        for place in [0, 99, 100, 229] {
            let alone = try await client.embed([texts[place]], model: name, task: .document, dimensions: dimensions)
            #expect(alone.vectors == [all.vectors[place]])
        }
        let query = try await client.embed([texts[1]], model: name, task: .query, dimensions: dimensions)
        #expect(query.vectors != [all.vectors[1]])
    }

    @Test(
        "every task is said as the model takes it",
        arguments: GeminiEmbeddingTask.allCases,
        ["gemini-embedding-001", "gemini-embedding-2"]
    )
    func tasks(_ task: GeminiEmbeddingTask, _ model: String) async throws {
        let name = "\(model)-case-good_t\(task)"
        let text = GeminiEmbeddingText("body", title: "head")
        _ = try await Self.client().embed([text], model: name, task: task, dimensions: 128)
        let body = try #require(try await Self.log(name)["bodies"]?[0])
        let sent = body["content"]?["parts"]?[0]?["text"]?.stringValue
        if model == "gemini-embedding-001" {
            #expect(sent == "body")
            #expect(body["taskType"]?.stringValue == task.type)
            #expect((body["title"] != nil) == (task == .document))
        } else if task == .document {
            #expect(sent == "title: head | text: body")
        } else {
            #expect(sent?.hasPrefix("task: ") == true)
            #expect(sent?.hasSuffix(" | query: body") == true)
        }
    }

    @Test("long texts make smaller batches")
    func tokens() async throws {
        let name = "gemini-embedding-2-case-good_long"
        let long = GeminiEmbeddingText(String(repeating: "word ", count: 4_000))
        _ = try await Self.client().embed(Array(repeating: long, count: 7), model: name, task: .query, dimensions: 128)
        let bodies = try await Self.log(name)["bodies"]?.arrayValue ?? []
        #expect(bodies.map { $0["requests"]?.arrayValue?.count } == [2, 2, 2, nil], "one alone goes by embedContent")
    }

    @Test("texts that are refused are named, and the others embedded")
    func refusals() async throws {
        let client = try await Self.client()
        let name = "gemini-embedding-001-case-good_refused"
        let bad: Set = [3, 77, 78, 140]
        let texts = (0..<150).map { place -> GeminiEmbeddingText in
            GeminiEmbeddingText(place == 77 ? "" : bad.contains(place) ? "unembeddable \(place)" : "fine \(place)")
        }
        let result = try await client.embedWherePossible(texts, model: name, task: .query, dimensions: 128)
        #expect(result.refused == bad.sorted())
        #expect(result.vectors.indices.allSatisfy { (result.vectors[$0] == nil) == bad.contains($0) })
        let alone = try await client.embed([texts[79]], model: name, task: .query, dimensions: 128)
        #expect(result.vectors[79] == alone.vectors[0])
        let error = await #expect(throws: GeminiError.self) {
            try await client.embed(texts, model: name, task: .query, dimensions: 128)
        }
        #expect(error?.code == .textsRefused)
        #expect(error?.positions == bad.sorted())
    }

    @Test("when all are refused, the request is to blame, and that is found soon")
    func refusesAll() async throws {
        let name = "gemini-embedding-001-case-refuses-all_r"
        let texts = (0..<100).map { GeminiEmbeddingText("t\($0)") }
        let error = await #expect(throws: GeminiError.self) {
            try await Self.client().embed(texts, model: name, task: .query, dimensions: 128)
        }
        #expect(error?.code == .requestRefused)
        #expect(try await Self.log(name)["requests"]?.intValue ?? 0 < 30)
    }

    @Test("waits as it is told when a quota is used up")
    func quota() async throws {
        let name = "gemini-embedding-001-case-quota_q"
        let result = try await Self.client().embed(
            [GeminiEmbeddingText("t")],
            model: name,
            task: .query,
            dimensions: 128
        )
        #expect(result.vectors.count == 1)
        #expect(try await Self.log(name)["requests"]?.intValue == 2)
    }

    @Test("vectors that do not fit are refused", arguments: ["too-few", "short", "zero", "infinite"], [1, 5])
    func wrong(_ scenario: String, _ count: Int) async throws {
        let texts = (0..<count).map { GeminiEmbeddingText("t\($0)") }
        let error = await #expect(throws: GeminiError.self) {
            let name = "gemini-embedding-001-case-\(scenario)_w\(count)"
            return try await Self.client().embed(texts, model: name, task: .query, dimensions: 128)
        }
        #expect([.wrongEmbeddings, .malformedReply].contains(error?.code))
    }

    @Test("dimensions that no model has are not asked for", arguments: [0, -1, 3_073])
    func dimensions(_ dimensions: Int) async throws {
        let error = await #expect(throws: GeminiError.self) {
            let texts = [GeminiEmbeddingText("t")]
            return try await Self.client().embed(
                texts,
                model: "gemini-embedding-001",
                task: .query,
                dimensions: dimensions
            )
        }
        #expect(error?.code == .invalidRequest)
    }

    @Test("no texts are no request")
    func nothing() async throws {
        let result = try await Self.client().embed([], model: "nobody", task: .query, dimensions: nil)
        #expect(result.vectors.isEmpty)
    }

    @Test("models are listed over all pages, and looked up")
    func models() async throws {
        let client = try await Self.client()
        let models = try await client.models()
        #expect(models.count == 5)
        #expect(Set(models.map(\.name)).count == 5)
        let model = try await client.model("models/gemini-3.7-flash")
        #expect(model.inputTokensMax == 1_048_576)
        #expect(model.methods.contains("generateContent"))
        let error = await #expect(throws: GeminiError.self) { try await client.model("gemini-0-none") }
        #expect(error?.code == .modelNotFound)
    }

    @Test("tokens are counted of contents alone, and of a whole request")
    func countTokens() async throws {
        let client = try await Self.client()
        var request = GeminiRequest.asking("How many?")
        #expect(try await client.countTokens(request, model: "gemini-3.7-flash") > 0)
        request.system = "S"
        request.functions = [GeminiFunction(name: "f", description: "d", parameters: .object(properties: [:]))]
        request.settings.outputTokensMax = 5
        #expect(try await client.countTokens(request, model: "gemini-3.7-flash") > 0)
        // Others ask this model too, at any time.
        let bodies = try await Self.log("gemini-3.7-flash")["bodies"]?.arrayValue ?? []
        #expect(
            bodies.contains {
                $0.objectValue?.keys == ["contents"]
                    && $0["contents"]?[0]?["parts"]?[0]?["text"]?.stringValue == "How many?"
            }
        )
        #expect(bodies.contains { $0["generateContentRequest"]?["model"]?.stringValue == "models/gemini-3.7-flash" })
    }

    @Test("the official client talks to the same server")
    func official() async throws {
        let (status, errors) = try await ClientServer.run("gemini_official.py", [try await Self.server.value.url])
        #expect(status == 0, "\(errors)")
    }

    @Test("names of v1beta are not found in v1")
    func version() async throws {
        let client = try await Self.client(version: "v1")
        let error = await #expect(throws: GeminiError.self) {
            try await client.turn(.asking(), model: "gemini-flash-latest") { _ in }
        }
        #expect(error?.code == .modelNotFound)
    }
}
