import Testing

@testable import Embeddings

@Suite("Hash embedder")
struct HashEmbedderTests {
    private let embedder = HashEmbedder()

    @Test("equal words make texts close, whatever their case and order")
    func similarity() async throws {
        let vectors = try await embedder.embed(
            ["red bicycle repair", "Repair a RED bicycle", "tax law for farmers", "", "..."],
            priority: .bulk
        )
        func cosine(_ left: Int, _ right: Int) -> Float {
            zip(vectors[left], vectors[right]).reduce(0) { $0 + $1.0 * $1.1 }
        }
        #expect(cosine(0, 1) > 0.8)
        #expect(abs(cosine(0, 2)) < 0.4)
        #expect(vectors[3] == vectors[4])
        for vector in vectors { #expect(abs(vector.reduce(0) { $0 + $1 * $1 } - 1) < 1e-5) }
        #expect(try await embedder.embed(["red bicycle repair"], priority: .interactive)[0] == vectors[0])
    }

    @Test("counts, cuts and refuses like a model")
    func limits() async throws {
        let long = String(repeating: "word ", count: 300)
        let encoded = try await embedder.encode(["one two.", long], overlong: .truncate, priority: .bulk)
        #expect(encoded.tokenCounts == [5, 256])
        #expect(encoded.truncated == [1])
        await #expect(throws: EmbeddingsError(.textTooLong, "")) {
            try await embedder.encode(["a", long], overlong: .refuse, priority: .bulk)
        }
        #expect(embedder.tokens(of: "Aé, b").map(\.utf8) == [0..<3, 3..<4, 5..<6])
        #expect(HashEmbedder(dimension: 8).identity != embedder.identity)
        #expect(embedder.identity.text == "v1/hash/0/384d/sum/prefix=/l2/fp32/256t")
    }
}
