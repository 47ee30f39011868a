import Domain

/// What a sentence-transformers directory of BERT type says about its model, checked.
struct ModelConfiguration: Sendable, Equatable {
    /// Its name for people.
    var name: String
    var layers: Int
    var heads: Int
    /// Components of a token's and a text's vector.
    var hidden: Int
    var intermediate: Int
    var vocabularySize: Int
    /// Rows of the position table.
    var positions: Int
    var tokenTypes: Int
    var epsilon: Float
    var pooling: ModelIdentity.Pooling
    /// Tokens of a text that the model reads, special ones included.
    var tokenLimit: Int

    var headSize: Int { hidden / heads }

    /// The settings that change vectors but stand in no weight, for the fingerprint.
    var fingerprintText: String { "bert layers=\(layers) heads=\(heads) epsilon=\(epsilon.bitPattern)" }

    init(files: ModelFiles) throws {
        let config = ConfigurationFile("config.json", try files.json("config.json"))
        try config.expect("model_type", "bert")
        try config.expect("hidden_act", "gelu")
        try config.expect("position_embedding_type", "absolute", optional: true)
        if config.json["is_decoder"]?.boolValue == true || config.json["add_cross_attention"]?.boolValue == true {
            throw EmbeddingsError.modelUnsupported("config.json", "it is a decoder")
        }
        layers = try config.count("num_hidden_layers", 1...64)
        heads = try config.count("num_attention_heads", 1...128)
        hidden = try config.count("hidden_size", 1...8_192)
        intermediate = try config.count("intermediate_size", 1...65_536)
        vocabularySize = try config.count("vocab_size", 1...2_000_000)
        positions = try config.count("max_position_embeddings", 4...65_536)
        tokenTypes = try config.count("type_vocab_size", 1...16)
        guard hidden % heads == 0, hidden / heads <= 256 else {
            throw EmbeddingsError.modelDamaged("config.json", "\(heads) heads don't divide \(hidden) components")
        }
        let wanted = config.json["layer_norm_eps"]?.doubleValue ?? 1e-12
        guard wanted >= 0, wanted < 0.1 else {
            throw EmbeddingsError.modelDamaged("config.json", "layer_norm_eps must be between 0 and 0.1")
        }
        epsilon = Float(wanted)

        let modules = try Modules(files: files)
        pooling = try Self.pooling(files, modules.poolingPath, hidden: hidden)
        tokenLimit = try Self.tokenLimit(files, positions: positions)
        name =
            config.json["_name_or_path"]?.stringValue?.split(separator: "/").last.map { String($0.prefix(80)) }
            ?? "bert"
    }

    private static func pooling(_ files: ModelFiles, _ path: String, hidden: Int) throws -> ModelIdentity.Pooling {
        let name = path.isEmpty ? "config.json" : path + "/config.json"
        let json = try files.json(name)
        if let dimension = json["word_embedding_dimension"]?.intValue, dimension != hidden {
            let problem = "word_embedding_dimension is \(dimension), the model has \(hidden)"
            throw EmbeddingsError.modelDamaged(name, problem)
        }
        let modes = (json.objectValue ?? [:]).filter { $0.key.hasPrefix("pooling_mode_") && $0.value == true }
            .map(\.key)
        switch modes {
        case ["pooling_mode_mean_tokens"]: return .mean
        case ["pooling_mode_cls_token"]: return .cls
        default:
            let modes = modes.isEmpty ? "no pooling mode" : modes.joined(separator: " and ")
            throw EmbeddingsError.modelUnsupported(name, "\(modes.prefix(200)); wanted is one of mean and cls")
        }
    }

    /// sentence_bert_config.json decides; tokenizer_config.json speaks only where that is missing.
    private static func tokenLimit(_ files: ModelFiles, positions: Int) throws -> Int {
        for (name, key) in [
            ("sentence_bert_config.json", "max_seq_length"), ("tokenizer_config.json", "model_max_length"),
        ] where files.contains(name) {
            guard let value = try files.json(name)[key], !value.isNull else { continue }
            // Some tokenizers say 1e30 for "no limit".
            guard let limit = value.doubleValue, limit >= 4 else {
                throw EmbeddingsError.modelDamaged(name, "\(key) must be a number of at least 4")
            }
            return Int(min(limit, Double(positions)))
        }
        return positions
    }
}

/// modules.json: the steps from text to vector. Wanted are a transformer, a pooling and perhaps a normalisation.
private struct Modules {
    /// Folder of the pooling's config.json.
    let poolingPath: String

    init(files: ModelFiles) throws {
        let name = "modules.json"
        guard let modules = try files.json(name).arrayValue else {
            throw EmbeddingsError.modelDamaged(name, "it is no array")
        }
        var types: [String] = []
        var poolingPath: String?
        for module in modules.prefix(16) {
            guard let type = module["type"]?.stringValue?.split(separator: ".").last,
                let path = module["path"]?.stringValue
            else {
                throw EmbeddingsError.modelDamaged(name, "a module has no type or no path")
            }
            types.append(String(type))
            let parts = path.split(separator: "/", omittingEmptySubsequences: false)
            guard !path.hasPrefix("/"), !parts.contains(".."), path.utf8.count <= 200, !path.utf8.contains(0) else {
                throw EmbeddingsError.modelDamaged(name, "a module's path leads out of the model's directory")
            }
            if type == "Pooling" { poolingPath = path }
            if type == "Transformer", !path.isEmpty {
                throw EmbeddingsError.modelUnsupported(name, "the transformer lies in a folder of its own")
            }
        }
        guard types == ["Transformer", "Pooling"] || types == ["Transformer", "Pooling", "Normalize"],
            let poolingPath
        else {
            let found = types.joined(separator: ", ").prefix(200)
            throw EmbeddingsError.modelUnsupported(name, "it wants \(found); known is Transformer, Pooling, Normalize")
        }
        self.poolingPath = poolingPath
    }
}

/// A JSON file whose members are read with a reason when they are wrong.
struct ConfigurationFile {
    let name: String
    let json: JSONValue

    init(_ name: String, _ json: JSONValue) {
        self.name = name
        self.json = json
    }

    func count(_ key: String, _ range: ClosedRange<Int>) throws -> Int {
        guard let value = json[key]?.intValue, range.contains(value) else {
            let problem = "\(key) must be a whole number from \(range.lowerBound) to \(range.upperBound)"
            throw EmbeddingsError.modelDamaged(name, problem)
        }
        return value
    }

    func expect(_ key: String, _ value: String, optional: Bool = false) throws {
        guard let found = json[key]?.stringValue else {
            if optional { return }
            throw EmbeddingsError.modelDamaged(name, "\(key) is missing")
        }
        guard found == value else {
            throw EmbeddingsError.modelUnsupported(name, "\(key) is \"\(found.prefix(80))\", known is \"\(value)\"")
        }
    }
}
