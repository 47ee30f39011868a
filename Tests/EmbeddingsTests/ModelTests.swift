import Domain
import Foundation
import TestSupport
import Testing

@testable import Embeddings

@Suite("Model directories")
struct ModelTests {
    private let pool = ComputePool(threads: 1)

    private func load(_ directory: URL) throws -> TransformerEmbedder {
        try TransformerEmbedder.load(directory: directory.path, pool: pool)
    }

    private func difference(_ model: TinyModel, _ directory: URL, _ texts: [String]) async throws -> Double {
        try model.write(to: directory)
        let embedder = try load(directory)
        let vectors = try await embedder.embed(texts, priority: .bulk)
        return zip(texts, vectors).map { text, vector in
            let expected = TinyReference(model: model).vector(embedder.inputIDs(of: text))
            return zip(expected, vector).map { abs($0 - Double($1)) }.max() ?? .infinity
        }.max() ?? .infinity
    }

    private let texts = ["abc", "", "def abc. headabc, a b c d", String(repeating: "abc ", count: 40)]

    @Test("a small model gives what plain arithmetic gives", arguments: ["mean_tokens", "cls_token"])
    func arithmetic(pooling: String) async throws {
        try await withTemporaryDirectory { directory in
            var model = TinyModel(seed: 5)
            model.pooling = pooling
            let worst = try await difference(model, directory, texts)
            #expect(worst < 2e-6)
            let identity = try load(directory).identity
            #expect(identity.pooling == (pooling == "cls_token" ? .cls : .mean))
            #expect(identity.id == "tiny")
        }
    }

    @Test("data at any offset, names with a prefix, and gamma and beta are read", arguments: 0..<9)
    func layouts(padding: Int) async throws {
        try await withTemporaryDirectory { directory in
            var model = TinyModel(seed: 6)
            model.headerPadding = padding
            model.prefix = padding.isMultiple(of: 2) ? "bert." : ""
            let worst = try await difference(model, directory, texts)
            #expect(worst < 2e-6)
            guard padding == 8 else { return }
            let bytes = [UInt8](try Data(contentsOf: directory.appendingPathComponent("model.safetensors")))
            // The same length, so that nothing else moves.
            try bytes.replacing("embeddings.LayerNorm.weight\"", with: "embeddings.LayerNorm.gamma\" ")
                .replacing("embeddings.LayerNorm.bias\"", with: "embeddings.LayerNorm.beta\"")
                .write(to: directory, "model.safetensors")
            _ = try load(directory)
        }
    }

    @Test("one flipped bit in the published weights is noticed", arguments: ["all-MiniLM-L6-v2", "copy"])
    func flippedBit(folder: String) async throws {
        try await withTemporaryDirectory { directory in
            let copy = directory.appendingPathComponent(folder)
            try FileManager.default.copyItem(at: URL(fileURLWithPath: RealModel.directory), to: copy)
            _ = try load(copy)
            // The name of the directory says enough, and so does the mark that came along.
            if folder == "all-MiniLM-L6-v2" {
                try FileManager.default.removeItem(at: copy.appendingPathComponent(".verified"))
            }
            let file = try FileHandle(forUpdating: copy.appendingPathComponent("model.safetensors"))
            try file.seek(toOffset: 40_000_000)
            let byte = try #require(try file.read(upToCount: 1)?.first)
            try file.seek(toOffset: 40_000_000)
            try file.write(contentsOf: Data([byte ^ 1]))
            try file.close()
            #expect(throws: EmbeddingsError.modelDamaged("", "")) { _ = try load(copy) }
        }
    }

    @Test("bfloat16 weights are read as the numbers they are")
    func bfloat() async throws {
        try await withTemporaryDirectory { directory in
            var model = TinyModel(seed: 7)
            model.type = "BF16"
            for number in model.tensors.indices {
                model.tensors[number].values = model.tensors[number].values.map {
                    Float(bitPattern: $0.bitPattern & 0xFFFF_0000)
                }
            }
            let worst = try await difference(model, directory, texts)
            #expect(worst < 2e-6)
        }
    }

    @Test("half precision is converted exactly")
    func half() {
        for (bits, value) in [
            (UInt16(0x3C00), Float(1)), (0xC000, -2), (0x7BFF, 65504), (0x0001, 0x1p-24), (0x03FF, 1023 * 0x1p-24),
            (0x0400, 0x1p-14), (0x8000, -0.0), (0x3555, 0.333251953125), (0x7C00, .infinity), (0xFC00, -.infinity),
        ] {
            #expect(SafetensorsFile.float(half: bits).bitPattern == value.bitPattern)
        }
        #expect(SafetensorsFile.float(half: 0x7E01).isNaN)
    }

    @Test("weights that are no numbers end in an error, not in a vector")
    func notNumbers() async throws {
        try await withTemporaryDirectory { directory in
            var model = TinyModel()
            model.tensors[0].values[12 * 5] = .nan  // of piece "a"
            try model.write(to: directory)
            let embedder = try load(directory)
            await #expect(throws: EmbeddingsError(.badVector, "")) {
                try await embedder.embed(["b a"], priority: .bulk)
            }
            #expect(try await embedder.embed(["b"], priority: .bulk).count == 1)
            let check = ModelCheck.run(directory: directory.path)
            #expect(check.problems.count == 1)
            #expect(check.knownModel == nil)
        }
    }

    @Test("a missing file is named, with the command that fetches the model")
    func missing() async throws {
        try await withTemporaryDirectory { directory in
            #expect(throws: EmbeddingsError(.modelMissing, "")) {
                try load(directory.appendingPathComponent("nowhere"))
            }
            for (name, _) in TinyModel().files where name != "vocab.txt" && name != "tokenizer.json" {
                try TinyModel().write(to: directory)
                if name == "sentence_bert_config.json" { continue }  // optional
                try FileManager.default.removeItem(at: directory.appendingPathComponent(name))
                do {
                    _ = try load(directory)
                    Issue.record("loaded without \(name)")
                } catch let error as EmbeddingsError {
                    #expect(error.code == .modelMissing)
                    #expect(error.kind == .notConfigured)
                    #expect(error.message.contains(name))
                    #expect(error.hint?.contains("scripts/setup model") == true)
                }
            }
        }
    }

    @Test(
        "what it can't run is refused by name",
        arguments: [
            ("config.json", "\"bert\"", "\"mpnet\""),
            ("config.json", "\"gelu\"", "\"gelu_new\""),
            ("config.json", "\"absolute\"", "\"relative_key\""),
            ("modules.json", "models.Pooling\"}", "models.Pooling\"},{\"path\":\"2\",\"type\":\"a.Dense\"}"),
            ("1_Pooling/config.json", "pooling_mode_max_tokens\":false", "pooling_mode_max_tokens\":true"),
            ("1_Pooling/config.json", "pooling_mode_mean", "pooling_mode_weightedmean"),
            ("tokenizer.json", "BertNormalizer", "Sequence"),
            ("tokenizer.json", "\"BertPreTokenizer\"", "\"Whitespace\""),
            ("tokenizer.json", "WordPiece", "BPE"),
            ("tokenizer.json", "\"normalized\":false", "\"normalized\":true"),
        ]
    )
    func unsupported(file: String, old: String, new: String) async throws {
        try await withTemporaryDirectory { directory in
            let model = TinyModel()
            try model.write(to: directory)
            let bytes = try #require(model.files.first { $0.name == file }).bytes
            let changed = bytes.replacing(old, with: new)
            #expect(changed != bytes)
            try changed.write(to: directory, file)
            do {
                _ = try load(directory)
                Issue.record("loaded with \(new)")
            } catch let error as EmbeddingsError {
                #expect(error.code == .modelUnsupported)
                #expect(error.message.contains(file))
            }
        }
    }

    @Test(
        "contradictions are damage",
        arguments: [
            ("config.json", "\"hidden_size\":12", "\"hidden_size\":13"),
            ("config.json", "\"hidden_size\":12", "\"hidden_size\":15"),
            ("config.json", "\"num_attention_heads\":3", "\"num_attention_heads\":0"),
            ("config.json", "\"num_hidden_layers\":2", "\"num_hidden_layers\":3"),
            ("config.json", "\"vocab_size\":33", "\"vocab_size\":32"),
            ("config.json", "\"vocab_size\":33", "\"vocab_size\":1e99"),
            ("config.json", "1e-12", "-1"),
            ("modules.json", "\"1_Pooling\"", "\"../1_Pooling\""),
            ("modules.json", "[", "{"),
            ("1_Pooling/config.json", ":12", ":13"),
            ("sentence_bert_config.json", "16", "\"16\""),
            ("tokenizer.json", "\"##a\":15", "\"##a\":99"),
            ("tokenizer.json", "\"##a\":15", "\"##a\":16"),
            ("tokenizer.json", "\"##a\":15", "\"##a\":-1"),
            ("tokenizer.json", "\"[SEP]\",3]", "\"[SEP]\",33]"),
            ("tokenizer.json", "\"unk_token\":\"[UNK]\"", "\"unk_token\":\"[UNKNOWN]\""),
            ("model.safetensors", "[33,12]", "[12,33]"),
            ("model.safetensors", "[33,12]", "[34,12]"),
            ("model.safetensors", "\"F32\"", "\"F31\""),
            ("model.safetensors", "\"F32\"", "\"I32\""),
            ("model.safetensors", "[0,1584]", "[4,1588]"),
            ("model.safetensors", "[0,1584]", "[-1,1583]"),
            ("model.safetensors", "__metadata__", "__metadatb__"),
        ]
    )
    func contradictions(file: String, old: String, new: String) async throws {
        try await withTemporaryDirectory { directory in
            let model = TinyModel()
            try model.write(to: directory)
            let bytes = try #require(model.files.first { $0.name == file }).bytes
            let changed = bytes.replacing(old, with: new)
            #expect(changed != bytes)
            try changed.write(to: directory, file)
            do {
                _ = try load(directory)
                Issue.record("loaded with \(new)")
            } catch let error as EmbeddingsError {
                #expect([.modelDamaged, .modelUnsupported].contains(error.code), "\(error)")
                #expect(error.hint != nil)
            }
        }
    }

    @Test("a file that is cut, padded or no file is damage")
    func lengths() async throws {
        try await withTemporaryDirectory { directory in
            try TinyModel().write(to: directory)
            let whole = try #require(TinyModel().files.first { $0.name == "model.safetensors" }).bytes
            let broken: [[UInt8]] = [
                [], Array(whole[..<7]), Array(whole[..<8]), Array(whole[..<900]), Array(whole.dropLast()), whole + [0],
                [UInt8](repeating: 0xFF, count: 8) + whole[8...],
                [0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0x7F] + whole[8...],
                [2, 0, 0, 0, 0, 0, 0, 0, 0x7B, 0x7D],
            ]
            for bytes in broken {
                try bytes.write(to: directory, "model.safetensors")
                #expect(throws: EmbeddingsError(.modelDamaged, "")) { try load(directory) }
            }
            let path = directory.appendingPathComponent("model.safetensors")
            try FileManager.default.removeItem(at: path)
            #expect(mkfifo(path.path, 0o600) == 0)
            #expect(throws: EmbeddingsError(.modelDamaged, "")) { try load(directory) }
            try FileManager.default.removeItem(at: path)
            try FileManager.default.createDirectory(at: path, withIntermediateDirectories: false)
            #expect(throws: EmbeddingsError(.modelDamaged, "")) { try load(directory) }
        }
    }

    @Test("another weight, token or setting is another identity; another folder is not")
    func identity() async throws {
        try await withTemporaryDirectory { directory in
            try TinyModel(seed: 1).write(to: directory.appendingPathComponent("a"))
            try TinyModel(seed: 1).write(to: directory.appendingPathComponent("b"))
            var longer = TinyModel(seed: 1)
            longer.tokenLimit = 17
            try longer.write(to: directory.appendingPathComponent("c"))
            var changed = TinyModel(seed: 1)
            changed.tensors[9].values[3] += 1
            try changed.write(to: directory.appendingPathComponent("d"))
            var fewer = TinyModel(seed: 1)
            fewer.heads = 2
            try fewer.write(to: directory.appendingPathComponent("e"))
            var lines = TinyModel(seed: 1)
            lines.hasTokenizerJSON = false
            try lines.write(to: directory.appendingPathComponent("f"))
            let texts = try ["a", "b", "c", "d", "e", "f"].map {
                try load(directory.appendingPathComponent($0)).identity.text
            }
            #expect(texts[0] == texts[1])
            #expect(Set(texts).count == 5)
        }
    }

    @Test("an identity's text keeps its fields apart")
    func identityText() {
        func text(_ id: String, _ prefix: String) -> String {
            ModelIdentity(
                id: id,
                weightsHash: "ab",
                dimensions: 3,
                pooling: .mean,
                prefix: prefix,
                tokenLimit: 9
            ).text
        }
        #expect(text("m", "query: ") == "v1/m/ab/3d/mean/prefix=query%3A%20/l2/fp32/9t")
        #expect(text("m/ab", "") != text("m", "/ab"))
        #expect(text("é\n", "").utf8.allSatisfy { $0 > 0x20 && $0 < 0x7F })
    }
}
