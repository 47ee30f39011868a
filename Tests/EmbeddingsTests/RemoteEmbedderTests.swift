import Domain
import Embeddings
import TestSupport
import Testing

@testable import Embeddings

@Suite("Embedders elsewhere")
struct RemoteEmbedderTests {
    private static let name = EmbeddingModelName("openai/test@3")!

    private func embedder(
        tokenLimit: Int = 50,
        bounds: RemoteEmbedder.Bounds = RemoteEmbedder.Bounds(texts: 4, tokens: 40, callsAtOnce: 3),
        _ service: any RemoteEmbeddingService
    ) -> RemoteEmbedder {
        RemoteEmbedder(name: Self.name, scheme: "plain", tokenLimit: tokenLimit, service: service, bounds: bounds)
    }

    /// A vector that tells its text, of no particular length.
    private static func vector(_ text: String) -> [Float] { [Float(text.utf8.count), Float(text.utf8.first ?? 1), 2] }

    @Test("vectors come in the order of the texts and of unit length, whatever the batches", arguments: [1, 4, 5, 37])
    func order(_ count: Int) async throws {
        let service = ScriptedService { texts in
            // Later batches answer first.
            try await Task.sleep(for: .milliseconds(texts[0].hasSuffix("0") ? 5 : 0))
            return RemoteVectors(vectors: texts.map { Self.vector($0) }, tokenCount: nil)
        }
        let texts = (0..<count).map { "text \($0)" + String(repeating: "x", count: $0 % 5) }
        let encoded = try await embedder(service).encode(texts, kind: .query, overlong: .refuse, priority: .bulk)
        #expect(encoded.vectors.count == count && encoded.refused.isEmpty && encoded.truncated.isEmpty)
        for (text, vector) in zip(texts, encoded.vectors) {
            let raw = Self.vector(text)
            let length = raw.reduce(0) { $0 + $1 * $1 }.squareRoot()
            for (part, expected) in zip(vector, raw) { #expect(abs(part - expected / length) < 1e-6) }
        }
        #expect(service.kinds.value == [.query])
        #expect(service.calls.value.joined().sorted() == texts.sorted(), "each text once")
    }

    @Test("batches keep to both bounds, and a text beyond the second goes alone")
    func batches() async throws {
        let service = ScriptedService { texts in
            RemoteVectors(vectors: texts.map { Self.vector($0) }, tokenCount: nil)
        }
        let texts = ["a", "b", "c", "d", "e", String(repeating: "word ", count: 15), "f", "g"]
        _ = try await embedder(bounds: RemoteEmbedder.Bounds(texts: 4, tokens: 20, callsAtOnce: 1), service)
            .encode(texts, overlong: .truncate, priority: .bulk)
        #expect(service.calls.value.map(\.count) == [4, 1, 1, 2])
    }

    @Test("never more calls at once than allowed")
    func concurrency() async throws {
        let counts = Guarded((now: 0, most: 0))
        let service = ScriptedService { texts in
            counts.update {
                $0.now += 1
                $0.most = max($0.most, $0.now)
            }
            try await eventually { counts.value.most == 3 }
            counts.update { $0.now -= 1 }
            return RemoteVectors(vectors: texts.map { Self.vector($0) }, tokenCount: nil)
        }
        _ = try await embedder(service).encode((0..<40).map { "t\($0)" }, overlong: .truncate, priority: .bulk)
        #expect(counts.value.most == 3)
    }

    @Test("too long texts are refused, or cut between tokens and reported")
    func overlong() async throws {
        let service = ScriptedService { texts in
            RemoteVectors(vectors: texts.map { Self.vector($0) }, tokenCount: nil)
        }
        let embedder = embedder(tokenLimit: 6, service)
        let long = "é abc def 日本語 more and more"
        await #expect(throws: EmbeddingsError(.textTooLong, "")) {
            try await embedder.encode(["ok", long], overlong: .refuse, priority: .bulk)
        }
        #expect(service.calls.value.isEmpty, "nothing was sent")
        let encoded = try await embedder.encode(["ok", long], overlong: .truncate, priority: .bulk)
        #expect(encoded.truncated == [1])
        #expect(service.calls.value == [["ok", "é abc def 日本語"]])
    }

    @Test("empty texts are refused without asking, and what the service refuses is told by position")
    func refusals() async throws {
        let service = ScriptedService { texts in
            RemoteVectors(vectors: texts.map { $0 == "bad" ? nil : Self.vector($0) }, tokenCount: nil)
        }
        let encoded = try await embedder(service).encode(
            ["a", "", "bad", " \n", "b"],
            overlong: .refuse,
            priority: .bulk
        )
        #expect(encoded.refused == [1, 2, 3])
        #expect(encoded.vectors.map(\.isEmpty) == [false, true, true, true, false])
        #expect(service.calls.value == [["a", "bad", "b"]])
        await #expect(throws: EmbeddingsError(.textRefused, "")) {
            try await embedder(service).embed(["a", "bad"], priority: .interactive)
        }
    }

    @Test(
        "vectors that cannot be are errors: too few, of another size, without a length",
        arguments: [
            [], [[1, 2]], [[1, 2, 3, 4]], [[0, 0, 0]], [[.nan, 1, 1]], [[.infinity, 1, 1]], [[1, 1, 1], [1, 1, 1]],
        ]
            as [[[Float]]]
    )
    func badVectors(_ vectors: [[Float]]) async throws {
        let service = ScriptedService { _ in RemoteVectors(vectors: vectors, tokenCount: nil) }
        await #expect(throws: EmbeddingsError(.badVector, "")) {
            try await embedder(service).encode(["a"], overlong: .truncate, priority: .bulk)
        }
    }

    @Test("what the service counts is divided among its texts without loss")
    func tokens() async throws {
        let service = ScriptedService { texts in
            RemoteVectors(vectors: texts.map { Self.vector($0) }, tokenCount: 17 * texts.count + 1)
        }
        let encoded = try await embedder(service).encode(
            ["one", "two words", "and three words", "x", "y"],
            overlong: .truncate,
            priority: .bulk
        )
        let sum = encoded.tokenCounts.reduce(0, +)
        #expect(sum == 17 * 5 + 2)
        let shares = RemoteEmbedder.shares(of: 10, among: [1, 1, 1])
        #expect(shares.reduce(0, +) == 10)
        #expect(RemoteEmbedder.shares(of: 0, among: [5, 5]) == [0, 0])
        #expect(RemoteEmbedder.shares(of: nil, among: [5, 7]) == [5, 7])
    }

    @Test("identities differ by model, dimensions and scheme, and by nothing else")
    func identities() {
        func identity(_ name: String, _ scheme: String) -> String {
            let service = ScriptedService { _ in RemoteVectors(vectors: [], tokenCount: nil) }
            return RemoteEmbedder(name: EmbeddingModelName(name)!, scheme: scheme, tokenLimit: 9, service: service)
                .identity.text
        }
        let texts = [
            identity("openai/a@3", "p"), identity("openai/a@4", "p"), identity("openai/b@3", "p"),
            identity("openai/a@3", "q"), identity("gemini/a@3", "p"),
        ]
        #expect(Set(texts).count == texts.count)
        #expect(identity("gemini/a", "p") == identity("gemini/models/a@768", "p"))
    }

    @Test("spans of estimated tokens rise, cover what shows, and are as many as counted")
    func estimate() {
        for text in ["", "   ", "hello world", "a.b,c", "naïve café", "日本語のテキスト", "x\u{301}y", "😀 ok\n\tend"] {
            let spans = TokenEstimate.spans(of: text)
            #expect(spans.count == TokenEstimate.count(of: text))
            let bytes = Array(text.utf8)
            var covered = Set<Int>()
            var end = 0
            for span in spans {
                #expect(span.utf8.lowerBound >= end && !span.utf8.isEmpty)
                end = span.utf8.upperBound
                covered.formUnion(span.utf8)
                #expect(String(validating: bytes[span.utf8], as: UTF8.self) != nil, "cut inside a character")
            }
            for (position, byte) in bytes.enumerated() where byte > 0x20 {
                #expect(covered.contains(position), "\(text)")
            }
        }
    }

    @Test("names are read as they are printed, and nothing else is a name")
    func names() {
        for text in ["local", "hash", "gemini/gemini-embedding-001@768", "openai/nomic-embed-text:latest@768"] {
            #expect(EmbeddingModelName(text)?.description == text)
        }
        #expect(EmbeddingModelName("gemini/gemini-embedding-2")?.description == "gemini/gemini-embedding-2@768")
        for text in [
            "", "Local", "gemini/", "openai/x", "openai/x@", "openai/x@y", "openai/x@1@2", "voyage/x@3", "gemini/a b",
        ] {
            #expect(EmbeddingModelName(text) == nil, "\(text)")
        }
    }
}
