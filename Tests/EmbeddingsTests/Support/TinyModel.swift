import Foundation
import TestSupport

/// A sentence-transformers directory of BERT type with random weights: two layers, twelve components.
///
/// Small enough to be written, damaged and loaded a thousand times, and for `TinyReference` to compute plainly.
struct TinyModel {
    var hidden = 12
    var heads = 3
    var layers = 2
    var intermediate = 20
    var positions = 24
    var tokenLimit = 16
    var prefix = ""
    var pooling = "mean_tokens"
    var type = "F32"
    /// Bytes added to the header, so that the data begins at another offset.
    var headerPadding = 0
    var hasTokenizerJSON = true
    var tensors: [(name: String, shape: [Int], values: [Float])] = []

    static let pieces =
        ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"] + "abcdefghij".map { String($0) }
        + "abcdefghij".map { "##\($0)" } + ["abc", "def", "##def", "head", ".", ",", "é", "中"]

    init(seed: UInt64 = 1) {
        var generator = SeededGenerator(seed: seed)
        func random(_ name: String, _ shape: [Int], around centre: Float = 0, _ scale: Float = 0.6) {
            let values = (0..<shape.reduce(1, *)).map { _ in
                centre + Float.random(in: -scale...scale, using: &generator)
            }
            tensors.append((name, shape, values))
        }
        random("embeddings.word_embeddings.weight", [Self.pieces.count, hidden])
        random("embeddings.position_embeddings.weight", [positions, hidden])
        random("embeddings.token_type_embeddings.weight", [2, hidden])
        random("embeddings.LayerNorm.weight", [hidden], around: 1)
        random("embeddings.LayerNorm.bias", [hidden])
        for layer in 0..<layers {
            let name = "encoder.layer.\(layer)."
            for part in ["query", "key", "value"] {
                random(name + "attention.self.\(part).weight", [hidden, hidden])
                random(name + "attention.self.\(part).bias", [hidden])
            }
            random(name + "attention.output.dense.weight", [hidden, hidden])
            random(name + "attention.output.dense.bias", [hidden])
            random(name + "attention.output.LayerNorm.weight", [hidden], around: 1)
            random(name + "attention.output.LayerNorm.bias", [hidden])
            random(name + "intermediate.dense.weight", [intermediate, hidden])
            random(name + "intermediate.dense.bias", [intermediate])
            random(name + "output.dense.weight", [hidden, intermediate])
            random(name + "output.dense.bias", [hidden])
            random(name + "output.LayerNorm.weight", [hidden], around: 1)
            random(name + "output.LayerNorm.bias", [hidden])
        }
    }

    subscript(_ name: String) -> [Float] { tensors.first { $0.name == name }!.values }

    func write(to directory: URL) throws {
        let files = FileManager.default
        try files.createDirectory(at: directory.appendingPathComponent("1_Pooling"), withIntermediateDirectories: true)
        for (name, bytes) in self.files { try Data(bytes).write(to: directory.appendingPathComponent(name)) }
    }

    /// Every file of the directory, in a fixed order.
    var files: [(name: String, bytes: [UInt8])] {
        let config = """
            {"model_type":"bert","hidden_act":"gelu","position_embedding_type":"absolute","num_hidden_layers":\(layers),
            "num_attention_heads":\(heads),"hidden_size":\(hidden),"intermediate_size":\(intermediate),
            "vocab_size":\(Self.pieces.count),"max_position_embeddings":\(positions),"type_vocab_size":2,
            "layer_norm_eps":1e-12,"_name_or_path":"tests/tiny"}
            """
        let modules = """
            [{"idx":0,"name":"0","path":"","type":"sentence_transformers.models.Transformer"},
            {"idx":1,"name":"1","path":"1_Pooling","type":"sentence_transformers.models.Pooling"}]
            """
        let pooling = """
            {"word_embedding_dimension":\(hidden),"pooling_mode_\(pooling)":true,"pooling_mode_max_tokens":false}
            """
        var files: [(String, [UInt8])] = [
            ("config.json", Array(config.utf8)),
            ("modules.json", Array(modules.utf8)),
            ("1_Pooling/config.json", Array(pooling.utf8)),
            ("sentence_bert_config.json", Array("{\"max_seq_length\":\(tokenLimit)}".utf8)),
            ("model.safetensors", safetensors),
            ("vocab.txt", Array((Self.pieces.joined(separator: "\n") + "\n").utf8)),
        ]
        if hasTokenizerJSON { files.append(("tokenizer.json", Array(tokenizerJSON.utf8))) }
        return files
    }

    private var tokenizerJSON: String {
        let vocabulary = Self.pieces.enumerated().map { "\"\($1)\":\($0)" }.joined(separator: ",")
        let added = (0..<5).map { number in
            """
            {"id":\(number),"special":true,"content":"\(Self.pieces[number])","single_word":false,"normalized":false}
            """
        }
        return """
            {"added_tokens":[\(added.joined(separator: ","))],
            "normalizer":{"type":"BertNormalizer","clean_text":true,"handle_chinese_chars":true,"strip_accents":null,
            "lowercase":true},"pre_tokenizer":{"type":"BertPreTokenizer"},
            "post_processor":{"type":"BertProcessing","sep":["[SEP]",3],"cls":["[CLS]",2]},
            "model":{"type":"WordPiece","unk_token":"[UNK]","continuing_subword_prefix":"##",
            "max_input_chars_per_word":100,"vocab":{\(vocabulary)}}}
            """
    }

    private var safetensors: [UInt8] {
        var data: [UInt8] = []
        var entries: [String] = []
        for (name, shape, values) in tensors {
            let start = data.count
            for value in values { data += encoded(value) }
            entries.append(
                """
                "\(prefix + name)":{"dtype":"\(type)","shape":[\(shape.map(String.init).joined(separator: ","))],\
                "data_offsets":[\(start),\(data.count)]}
                """
            )
        }
        var header = "{\"__metadata__\":{\"format\":\"pt\"}," + entries.joined(separator: ",") + "}"
        while header.utf8.count % 8 != 0 { header += " " }
        header += String(repeating: " ", count: headerPadding)
        return withUnsafeBytes(of: UInt64(header.utf8.count).littleEndian) { Array($0) } + Array(header.utf8) + data
    }

    private func encoded(_ value: Float) -> [UInt8] {
        switch type {
        case "BF16": withUnsafeBytes(of: UInt16(value.bitPattern >> 16).littleEndian) { Array($0) }
        default: withUnsafeBytes(of: value.bitPattern.littleEndian) { Array($0) }
        }
    }
}

/// BERT's arithmetic, written down plainly in Double: what the encoder must give.
struct TinyReference {
    let model: TinyModel

    func vector(_ ids: [Int32]) -> [Double] {
        let hidden = model.hidden
        var states: [[Double]] = ids.enumerated().map { position, id in
            let sum = (0..<hidden).map { column in
                Double(model["embeddings.word_embeddings.weight"][Int(id) * hidden + column])
                    + Double(model["embeddings.position_embeddings.weight"][position * hidden + column])
                    + Double(model["embeddings.token_type_embeddings.weight"][column])
            }
            return normalized(sum, "embeddings.LayerNorm")
        }
        for layer in 0..<model.layers {
            let name = "encoder.layer.\(layer)."
            let mixed = attention(states, name)
            states = zip(states, mixed).map { state, mixed in
                let output = linear(mixed, name + "attention.output.dense", hidden)
                return normalized(zip(state, output).map { $0 + $1 }, name + "attention.output.LayerNorm")
            }
            states = states.map { state in
                let up = linear(state, name + "intermediate.dense", model.intermediate)
                    .map { 0.5 * $0 * (1 + erf($0 / 2.0.squareRoot())) }
                let down = linear(up, name + "output.dense", hidden)
                return normalized(zip(state, down).map { $0 + $1 }, name + "output.LayerNorm")
            }
        }
        let pooled =
            model.pooling == "cls_token"
            ? states[0]
            : (0..<hidden).map { column in states.reduce(0) { $0 + $1[column] } / Double(states.count) }
        let length = pooled.reduce(0) { $0 + $1 * $1 }.squareRoot()
        return pooled.map { $0 / length }
    }

    private func attention(_ states: [[Double]], _ name: String) -> [[Double]] {
        let (hidden, size) = (model.hidden, model.hidden / model.heads)
        let queries = states.map { linear($0, name + "attention.self.query", hidden) }
        let keys = states.map { linear($0, name + "attention.self.key", hidden) }
        let values = states.map { linear($0, name + "attention.self.value", hidden) }
        return queries.map { query in
            (0..<hidden).map { column in
                let head = column / size * size..<(column / size + 1) * size
                let scores = keys.map { key in
                    head.reduce(0) { $0 + query[$1] * key[$1] } / Double(size).squareRoot()
                }
                let weights = scores.map { exp($0) }
                let total = weights.reduce(0, +)
                return zip(weights, values).reduce(0) { $0 + $1.0 / total * $1.1[column] }
            }
        }
    }

    private func linear(_ input: [Double], _ name: String, _ outputs: Int) -> [Double] {
        let weights = model[name + ".weight"]
        let bias = model[name + ".bias"]
        return (0..<outputs).map { row in
            input.indices.reduce(Double(bias[row])) { $0 + input[$1] * Double(weights[row * input.count + $1]) }
        }
    }

    private func normalized(_ row: [Double], _ name: String) -> [Double] {
        let mean = row.reduce(0, +) / Double(row.count)
        let variance = row.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(row.count)
        let (gamma, beta) = (model[name + ".weight"], model[name + ".bias"])
        return row.indices.map {
            (row[$0] - mean) / (variance + 1e-12).squareRoot() * Double(gamma[$0]) + Double(beta[$0])
        }
    }
}
