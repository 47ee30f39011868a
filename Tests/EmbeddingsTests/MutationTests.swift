import Foundation
import TestSupport
import Testing

@testable import Embeddings

/// Damaged model files: one clear error or a correct read, never a crash or a hang.
///
/// About a hundred mutations of each file, a thousand with `PYAIRTABLE_LONG=1`; `PYAIRTABLE_SEED` repeats a run.
@Suite("Damaged model files")
struct MutationTests {
    private static let rounds = isLongRun ? 1_000 : 100

    @Test(
        "end in an error or a sound vector",
        arguments: [
            "model.safetensors", "tokenizer.json", "vocab.txt", "config.json", "modules.json",
            "1_Pooling/config.json", "sentence_bert_config.json",
        ]
    )
    func mutations(file: String) async throws {
        var generator = SeededGenerator(seed: testSeed ^ UInt64(file.utf8.count))
        let pool = ComputePool(threads: 1)
        try await withTemporaryDirectory { directory in
            var model = TinyModel()
            model.hasTokenizerJSON = file != "vocab.txt"
            try model.write(to: directory)
            let original = try #require(model.files.first { $0.name == file }).bytes
            var (refused, read) = (0, 0)
            for round in 0..<Self.rounds {
                try mutated(original, &generator).write(to: directory, file)
                do {
                    let embedder = try TransformerEmbedder.load(directory: directory.path, pool: pool)
                    let texts = ["abc def. é 中 [MASK] headabc", "", String(repeating: "a b ", count: 20)]
                    for vector in try await embedder.embed(texts, priority: .bulk) {
                        let square = vector.reduce(0) { $0 + $1 * $1 }
                        #expect(abs(square - 1) < 1e-4, "seed \(testSeed), round \(round)")
                        #expect(vector.count == embedder.dimension)
                    }
                    read += 1
                } catch let error as EmbeddingsError {
                    #expect(!error.message.isEmpty && error.message.utf8.count < 1_000)
                    refused += 1
                } catch {
                    Issue.record("seed \(testSeed), round \(round): \(error)")
                }
            }
            #expect(refused > 0)
            #expect(refused + read == Self.rounds)
        }
    }

    /// One to four changes: bits, bytes, cuts, repeats, insertions, digits and words put in other places.
    private func mutated(_ bytes: [UInt8], _ generator: inout SeededGenerator) -> [UInt8] {
        var bytes = bytes
        for _ in 0..<Int.random(in: 1...4, using: &generator) where !bytes.isEmpty {
            // Half of the changes fall into the first kilobyte, where the structure is.
            let reach = Bool.random(using: &generator) ? min(bytes.count, 1_024) : bytes.count
            let place = Int.random(in: 0..<reach, using: &generator)
            let end = min(bytes.count, place + Int.random(in: 1...64, using: &generator))
            switch Int.random(in: 0..<8, using: &generator) {
            case 0: bytes[place] ^= 1 << UInt8.random(in: 0..<8, using: &generator)
            case 1: bytes[place] = UInt8.random(in: 0...255, using: &generator)
            case 2: bytes.removeSubrange(place..<end)
            case 3: bytes.insert(contentsOf: bytes[place..<end], at: place)
            case 4: bytes = Array(bytes[..<place])
            case 5: bytes[place] = UInt8(ascii: "0") + UInt8.random(in: 0...9, using: &generator)
            case 6:
                let words = ["null", "-1", "1e309", "18446744073709551616", "[]", "{}", "\"\"", "true", ",", "\u{0}"]
                bytes.replaceSubrange(place..<end, with: words.randomElement(using: &generator)!.utf8)
            default:
                for position in place..<end { bytes[position] = UInt8.random(in: 0...255, using: &generator) }
            }
        }
        return bytes
    }

    @Test("also the real model's header")
    func realHeader() async throws {
        var generator = SeededGenerator(seed: testSeed)
        let real = URL(fileURLWithPath: RealModel.directory)
        // Its first megabyte is enough: every range beyond it is out of bounds, which must be noticed.
        let handle = try FileHandle(forReadingFrom: real.appendingPathComponent("model.safetensors"))
        let start = [UInt8](try #require(try handle.read(upToCount: 1 << 20)))
        try await withTemporaryDirectory { directory in
            for _ in 0..<20 {
                try mutated(start, &generator).write(to: directory, "model.safetensors")
                #expect(throws: EmbeddingsError(.modelDamaged, "")) {
                    try SafetensorsFile(directory: directory.path, name: "model.safetensors")
                }
            }
        }
    }
}
