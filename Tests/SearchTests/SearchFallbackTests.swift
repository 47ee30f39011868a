import Access
import Domain
import Embeddings
import Gemini
import OpenAIDialect
import Outbound
import TestSupport
import Testing

@testable import Search

/// Indexed by an embedder that works; then the service behind it does what the test says.
@Suite("Search without its embedding service")
struct SearchFallbackTests {
    /// What a service does to a request for vectors.
    private enum Trouble: Sendable, CaseIterable {
        case overloaded, quotaOfMinute, quotaOfDay, serverFailed, keyRefused, unreachable, noJSON, otherSize, stalled
    }

    /// A wire that answers in both dialects, until it is told otherwise.
    private struct Wire: HTTPTransport {
        let trouble = Guarded<Trouble?>(nil)
        /// Requests that came while there was trouble, and those of them that were called off.
        let troubled = Guarded(0)
        let cancelled = Guarded(0)

        func send(_ request: OutboundRequest) async throws -> OutboundReply {
            guard let trouble = trouble.value else { return try Self.vectors(request, size: 48) }
            troubled.update { $0 += 1 }
            switch trouble {
            case .overloaded: return Self.failure(503, "UNAVAILABLE")
            case .quotaOfMinute: return Self.failure(429, "RESOURCE_EXHAUSTED", retryAfter: "30")
            case .quotaOfDay: return Self.failure(429, "RESOURCE_EXHAUSTED", retryAfter: "86000")
            case .serverFailed: return Self.failure(500, "INTERNAL")
            case .keyRefused: return Self.failure(403, "PERMISSION_DENIED")
            case .unreachable: throw OutboundError(.cannotConnect, "nobody is there")
            case .noJSON: return Self.reply(200, Array("<html>".utf8))
            case .otherSize: return try Self.vectors(request, size: 7)
            case .stalled:
                do { try await Task.sleep(for: .seconds(3_600)) } catch {
                    cancelled.update { $0 += 1 }
                    throw error
                }
                throw OutboundError(.stalled, "nothing came")
            }
        }

        private static func vectors(_ request: OutboundRequest, size: Int) throws -> OutboundReply {
            let body = try JSONValue(parsing: request.body)
            let texts =
                body["input"]?.arrayValue?.compactMap(\.stringValue)
                ?? (body["requests"]?.arrayValue ?? [body]).map {
                    $0["content"]?["parts"]?[0]?["text"]?.stringValue ?? ""
                }
            let vectors = texts.map { text in
                let sum = text.utf8.reduce(1) { ($0 &* 31 &+ Int($1)) & 0xFFFF }
                return JSONValue.array((0..<size).map { .number(JSONNumber((sum >> ($0 % 16)) & 7 + 1)) })
            }
            if body["input"] != nil {
                let data = vectors.enumerated().map { position, vector -> JSONValue in
                    ["index": .number(JSONNumber(position)), "embedding": vector]
                }
                return reply(200, JSONValue.object(["data": .array(data), "model": "m"]).encoded())
            }
            let values = vectors.map { vector -> JSONValue in ["values": vector] }
            let single = body["requests"] == nil
            return reply(
                200,
                JSONValue.object(single ? ["embedding": values[0]] : ["embeddings": .array(values)]).encoded()
            )
        }

        private static func failure(_ status: Int, _ name: String, retryAfter: String? = nil) -> OutboundReply {
            let error: JSONValue = [
                "error": ["code": .number(JSONNumber(status)), "message": "no", "status": .string(name)]
            ]
            return reply(status, error.encoded(), retryAfter.map { [("retry-after", $0)] } ?? [])
        }

        private static func reply(
            _ status: Int,
            _ bytes: [UInt8],
            _ headers: [(name: String, value: String)] = []
        ) -> OutboundReply {
            OutboundReply(status: status, headers: headers, body: OutboundBody(bytes))
        }
    }

    private static let models = ["gemini/gemini-embedding-001@48", "openai/nomic@48"]

    private static func embedder(_ model: String, _ wire: Wire) throws -> RemoteEmbedder {
        let name = try EmbeddingModelName.reading(model)
        guard name.provider == .gemini else {
            let client = try OpenAIClient(baseURL: "http://ollama.test", key: nil, transport: wire)
            return .openAICompatible(name, client: client)
        }
        let client = GeminiClient(
            transport: wire,
            configuration: GeminiConfiguration(baseURL: "http://gemini.test", key: OutboundSecret("key"))
        )
        return try .gemini(name, client: client)
    }

    /// Two notes, indexed, of which one has the word `walrus`; then trouble begins.
    private func withTrouble(
        _ trouble: Trouble?,
        _ model: String,
        _ body: @escaping @Sendable (SearchFixture, SearchService, RecordID, Wire) async throws -> Void
    ) async throws {
        let wire = Wire()
        try await withSearch(embedder: try Self.embedder(model, wire)) { world in
            let table = try await world.notes()
            let ids = try await world.create(table, ["Text": "a walrus on the ice"], ["Text": "rust in a kettle"])
            try await world.index()
            wire.trouble.value = trouble
            var search = world.search
            // Retries wait for longer than this.
            search.questionVectorTime = .milliseconds(300)
            try await body(world, search, ids[0], wire)
        }
    }

    @Test("a service that answers leaves nothing to say", arguments: models)
    func whole(_ model: String) async throws {
        try await withTrouble(nil, model) { world, search, _, _ in
            let response = try await search.search(SearchRequest(query: "walrus"), context: world.context)
            #expect(response.degraded == nil)
            #expect(response.hits.count == 2 && response.hits.allSatisfy(\.matched.semantic))
            #expect(try JSONCoder.value(of: response)["degraded"] == nil)
        }
    }

    @Test("words answer, and the response says so", arguments: Trouble.allCases, models)
    private func words(_ trouble: Trouble, _ model: String) async throws {
        try await withTrouble(trouble, model) { world, search, walrus, wire in
            let request = SearchRequest(query: "walrus", explain: true)
            let response = try await search.search(request, context: world.context)
            #expect(response.degraded == .wordsOnly)
            #expect(response.hits.map(\.recordID) == [walrus])
            #expect(response.hits[0].matched == SearchMatch(lexical: true, semantic: false))
            #expect(response.explanation?.plan == SearchExplanation.Plan.none)
            #expect(try JSONCoder.value(of: response)["degraded"] == "wordsOnly")
            #expect(wire.troubled.value > 0)
            if trouble == .stalled { #expect(wire.cancelled.value == wire.troubled.value) }

            wire.trouble.value = nil
            if trouble != .keyRefused || !model.hasPrefix("gemini") {
                // Once the service is back, so is meaning; a key that was refused is not shown again for a while.
                let later = try await search.search(request, context: world.context)
                #expect(later.degraded == nil && later.hits.count == 2)
            }
        }
    }

    @Test("a search by words alone asks no service, and is not less than was asked for", arguments: models)
    func lexical(_ model: String) async throws {
        try await withTrouble(.stalled, model) { world, search, walrus, wire in
            let request = SearchRequest(query: "walrus", mode: .lexical)
            let response = try await search.search(request, context: world.context)
            #expect(response.degraded == nil && response.hits.map(\.recordID) == [walrus])
            #expect(wire.troubled.value == 0)
        }
    }

    @Test("a search by meaning alone, and records like one, end at the deadline with an error", arguments: models)
    func deadline(_ model: String) async throws {
        try await withTrouble(.stalled, model) { world, search, walrus, wire in
            func context() async throws -> RequestContext {
                try await world.access.ownerContext(
                    origin: .commandLine,
                    timeout: .milliseconds(400),
                    logger: world.context.logger
                )
            }
            let late = EmbeddingsError.questionTimedOut
            await #expect(throws: late) {
                try await search.search(SearchRequest(query: "walrus", mode: .semantic), context: context())
            }
            await #expect(throws: late) {
                try await search.similar(SimilarRequest(recordID: walrus.description), context: context())
            }
            #expect(late.kind == .timedOut)
            #expect(wire.cancelled.value == wire.troubled.value && wire.troubled.value == 2)

            // However long it would wait for meaning, half of the time there is belongs to the words.
            var patient = search
            patient.questionVectorTime = .seconds(3_600)
            let response = try await patient.search(SearchRequest(query: "walrus"), context: context())
            #expect(response.degraded == .wordsOnly && response.hits.map(\.recordID) == [walrus])
        }
    }

    @Test("a search by meaning alone says what is wrong with the service", arguments: models)
    func semantic(_ model: String) async throws {
        for (trouble, code) in [
            (Trouble.quotaOfDay, EmbeddingsError.Code.quotaExhausted), (.otherSize, .badVector),
        ] {
            try await withTrouble(trouble, model) { world, search, _, _ in
                do {
                    let request = SearchRequest(query: "walrus", mode: .semantic)
                    _ = try await search.search(request, context: world.context)
                    Issue.record("\(trouble) went unnoticed")
                } catch let error as EmbeddingsError {
                    #expect(error.code == code || error.code == .serviceFailed && trouble == .otherSize)
                }
            }
        }
    }
}
