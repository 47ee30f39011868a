import Domain
import Testing

@testable import Embeddings

/// Against sentence-transformers 6.2.0 (torch, fp32); see `Fixtures/parity_minilm.json`.
@Suite("Parity with sentence-transformers")
struct ParityTests {
    struct Case {
        let text: String
        let ids: [Int32]
        let first: [Float]
        let norm: Float
    }

    static let cases = Result { () throws -> [Case] in
        try (Fixtures.json("parity_minilm.json")["cases"]?.arrayValue ?? []).map { item in
            Case(
                text: try #require(item["text"]?.stringValue),
                ids: (item["token_ids"]?.arrayValue ?? []).compactMap { $0.intValue.map(Int32.init) },
                first: (item["embedding_first16"]?.arrayValue ?? []).compactMap { $0.doubleValue.map { Float($0) } },
                norm: Float(try #require(item["norm"]?.doubleValue))
            )
        }
    }

    @Test("gives the same token numbers for all 60 texts")
    func tokenNumbers() throws {
        let cases = try Self.cases.get()
        #expect(cases.count == 60)
        let embedder = try RealModel.oneThread.get()
        for item in cases { #expect(embedder.inputIDs(of: item.text) == item.ids, "\(item.text.prefix(80))") }
    }

    @Test("gives the same vectors", arguments: [1, 2], [1, 32])
    func vectors(threads: Int, batch: Int) async throws {
        let cases = try Self.cases.get()
        let embedder = try (threads == 1 ? RealModel.oneThread : RealModel.twoThreads).get()
        var vectors: [[Float]] = []
        for start in stride(from: 0, to: cases.count, by: batch) {
            let texts = cases[start..<min(start + batch, cases.count)].map(\.text)
            vectors += try await embedder.embed(texts, priority: .bulk)
        }
        #expect(vectors.count == 60)
        for (item, vector) in zip(cases, vectors) {
            #expect(vector.count == 384)
            #expect(item.first.count == 16)
            #expect(maxDifference(Array(vector.prefix(16)), item.first) <= 2e-5, "\(item.text.prefix(80))")
            let norm = vector.reduce(0) { $0 + $1 * $1 }.squareRoot()
            #expect(abs(norm - item.norm) <= 2e-5)
        }
    }

    @Test("reports tokens read, and the two texts that are cut")
    func counts() async throws {
        let cases = try Self.cases.get()
        let encoded = try await RealModel.twoThreads.get()
            .encode(cases.map(\.text), overlong: .truncate, priority: .bulk)
        #expect(encoded.tokenCounts == cases.map(\.ids.count))
        #expect(encoded.truncated == [58, 59])
    }

    @Test("does not depend on what else is encoded")
    func composition() async throws {
        let embedder = try RealModel.twoThreads.get()
        let texts = try Self.cases.get().map(\.text)
        let alone = try await embedder.embed([texts[41]], priority: .interactive)[0]
        for count in [2, 5, 17, 60] {
            var mixed = Array(texts.shuffled().prefix(count))
            mixed.insert(texts[41], at: count / 2)
            let vector = try await embedder.embed(mixed, priority: .bulk)[count / 2]
            #expect(maxDifference(vector, alone) <= 2e-6)
        }
        // The same call gives the same bits.
        #expect(try await embedder.embed([texts[41]], priority: .interactive)[0] == alone)
    }

    @Test("nothing and white space have a vector too")
    func empty() async throws {
        let vectors = try await RealModel.oneThread.get().embed(["", " \n\t", "\u{200B}"], priority: .bulk)
        #expect(vectors[0] == vectors[1])
        #expect(vectors[0] == vectors[2])
        #expect(vectors[0].allSatisfy { $0.isFinite })
        #expect(try await RealModel.oneThread.get().embed([], priority: .bulk).isEmpty)
    }

    @Test("knows its name and limits")
    func identity() throws {
        let embedder = try RealModel.oneThread.get()
        #expect(embedder.dimension == 384)
        #expect(embedder.tokenLimit == 256)
        #expect(embedder.contentTokenLimit == 254)
        #expect(embedder.identity.id == "all-MiniLM-L6-v2")
        #expect(try RealModel.twoThreads.get().identity == embedder.identity)
        let text = embedder.identity.text
        #expect(text.hasPrefix("v1/all-MiniLM-L6-v2/"))
        #expect(text.hasSuffix("/384d/mean/prefix=/l2/fp32/256t"))
    }

    @Test("is what was published")
    func check() {
        let check = ModelCheck.run(directory: RealModel.directory)
        #expect(check.problems == [])
        #expect(check.knownModel == "all-MiniLM-L6-v2")
        #expect(check.files.map(\.isAsPublished) == [true, true, true])
    }
}
