import Domain

/// What a model's files say about its WordPiece tokenizer, checked; from tokenizer.json, else from vocab.txt.
struct TokenizerDefinition: Sendable, Equatable {
    /// A token recognised in the text as it stands, before any normalising, such as [MASK].
    struct Special: Sendable, Equatable {
        var text: [UInt8]
        var id: Int32
    }

    /// UTF-8 of each piece by its number; empty where a number has none.
    var pieces: [[UInt8]] = []
    var unknown: Int32 = 0
    var specials: [Special] = []
    /// Put before and after the tokens of each text.
    var prefix: [Int32] = []
    var suffix: [Int32] = []
    var continuation: [UInt8] = Array("##".utf8)
    /// A longer word becomes one unknown token.
    var wordCharactersLimit = 100
    var rules = CharacterRules()

    /// Which file the tokens came from; part of the weights' fingerprint.
    var source = ""

    init(files: ModelFiles, vocabularySize: Int) throws {
        if files.contains("tokenizer.json") {
            try self.init(tokenizer: files.json("tokenizer.json", limit: Self.bytesMax), vocabularySize)
        } else if files.contains("vocab.txt") {
            let settings = files.contains("tokenizer_config.json") ? try files.json("tokenizer_config.json") : [:]
            try self.init(lines: files.bytes("vocab.txt", limit: Self.bytesMax), settings, vocabularySize)
        } else {
            throw EmbeddingsError.modelMissing("neither tokenizer.json nor vocab.txt is there")
        }
    }

    /// The largest BERT vocabularies (500,000 pieces) take about 14 MB.
    static let bytesMax = 64 * 1_024 * 1_024

    // MARK: tokenizer.json

    private init(tokenizer json: JSONValue, _ vocabularySize: Int) throws {
        source = "tokenizer.json"
        let model = ConfigurationFile("tokenizer.json: model", json["model"] ?? .null)
        try model.expect("type", "WordPiece", optional: true)
        if let prefix = model.json["continuing_subword_prefix"]?.stringValue { continuation = Array(prefix.utf8) }
        if model.json["max_input_chars_per_word"] != nil {
            wordCharactersLimit = try model.count("max_input_chars_per_word", 1...WordPieceTokenizer.wordCharactersMax)
        }
        guard let vocabulary = model.json["vocab"]?.objectValue, !vocabulary.isEmpty else {
            throw EmbeddingsError.modelDamaged(source, "it has no vocabulary")
        }
        pieces = [[UInt8]](repeating: [], count: vocabularySize)
        for (text, number) in vocabulary {
            try add(Array(text.utf8), number.intValue)
        }
        guard let text = model.json["unk_token"]?.stringValue,
            let unknown = vocabulary[text]?.intValue
        else {
            throw EmbeddingsError.modelDamaged(source, "it names no token for unknown words")
        }
        self.unknown = Int32(unknown)
        try readRules(json)
        try readSpecials(json["added_tokens"]?.arrayValue ?? [], vocabularySize)
        try readTemplate(json["post_processor"] ?? .null, vocabularySize)
    }

    private mutating func add(_ text: [UInt8], _ number: Int?) throws {
        guard let number, pieces.indices.contains(number) else {
            let problem = "it gives a piece a number outside 0..<\(pieces.count), the model's vocab_size"
            throw EmbeddingsError.modelDamaged(source, problem)
        }
        guard pieces[number].isEmpty else {
            throw EmbeddingsError.modelDamaged(source, "it gives the number \(number) to two pieces")
        }
        pieces[number] = text
    }

    private mutating func readRules(_ json: JSONValue) throws {
        let normalizer = ConfigurationFile("tokenizer.json: normalizer", json["normalizer"] ?? .null)
        try normalizer.expect("type", "BertNormalizer")
        let lowercases = normalizer.json["lowercase"]?.boolValue ?? true
        rules = CharacterRules(
            cleans: normalizer.json["clean_text"]?.boolValue ?? true,
            splitsIdeographs: normalizer.json["handle_chinese_chars"]?.boolValue ?? true,
            stripsAccents: normalizer.json["strip_accents"]?.boolValue ?? lowercases,
            lowercases: lowercases
        )
        let splitter = ConfigurationFile("tokenizer.json: pre_tokenizer", json["pre_tokenizer"] ?? .null)
        try splitter.expect("type", "BertPreTokenizer")
    }

    private mutating func readSpecials(_ tokens: [JSONValue], _ vocabularySize: Int) throws {
        guard tokens.count <= 4_096 else {
            throw EmbeddingsError.modelUnsupported(source, "it adds \(tokens.count) tokens, at most 4096 are known")
        }
        for token in tokens {
            guard let text = token["content"]?.stringValue, !text.isEmpty, text.utf8.count <= 1_024,
                let id = token["id"]?.intValue, (0..<vocabularySize).contains(id)
            else {
                throw EmbeddingsError.modelDamaged(source, "an added token has no text or a number out of range")
            }
            // White space next to a word means nothing to this tokenizer, so lstrip and rstrip don't either.
            if token["normalized"]?.boolValue == true || token["single_word"]?.boolValue == true {
                throw EmbeddingsError.modelUnsupported(source, "it adds tokens that are normalized or whole words only")
            }
            specials.append(Special(text: Array(text.utf8), id: Int32(id)))
        }
    }

    private mutating func readTemplate(_ json: JSONValue, _ vocabularySize: Int) throws {
        func number(_ value: JSONValue?) throws -> Int32 {
            guard let id = value?.intValue, (0..<vocabularySize).contains(id) else {
                throw EmbeddingsError.modelDamaged(source, "a special token of its post_processor has no number")
            }
            return Int32(id)
        }
        switch json["type"]?.stringValue {
        case "BertProcessing":
            prefix = [try number(json["cls"]?[1])]
            suffix = [try number(json["sep"]?[1])]
        case "TemplateProcessing":
            var texts = 0
            for step in (json["single"]?.arrayValue ?? []).prefix(64) {
                if step["Sequence"] != nil {
                    texts += 1
                } else if let name = step["SpecialToken"]?["id"]?.stringValue {
                    let numbers = json["special_tokens"]?.objectValue?[name]?["ids"]?.arrayValue ?? []
                    guard !numbers.isEmpty, numbers.count <= 8 else {
                        throw EmbeddingsError.modelDamaged(source, "its post_processor doesn't say what a token is")
                    }
                    let ids = try numbers.map { try number($0) }
                    if texts == 0 { prefix += ids } else { suffix += ids }
                }
                let kind = (step["Sequence"] ?? step["SpecialToken"])?["type_id"]?.intValue
                guard kind == 0 else {
                    throw EmbeddingsError.modelUnsupported(source, "its post_processor uses token types")
                }
            }
            guard texts == 1 else {
                throw EmbeddingsError.modelDamaged(source, "its post_processor has no place for the text")
            }
        default:
            throw EmbeddingsError.modelUnsupported(source, "its post_processor is neither a template nor BERT's")
        }
    }

    // MARK: vocab.txt

    private init(lines bytes: [UInt8], _ settings: JSONValue, _ vocabularySize: Int) throws {
        source = "vocab.txt"
        pieces = [[UInt8]](repeating: [], count: vocabularySize)
        var numbers: [[UInt8]: Int32] = [:]
        var lines = bytes.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
        if lines.last?.isEmpty == true { lines.removeLast() }
        for (number, line) in lines.enumerated() {
            var line = line
            while let last = line.last, last == 0x20 || (0x09...0x0D).contains(last) { line.removeLast() }
            let text = Array(line)
            guard String(validating: text, as: UTF8.self) != nil else {
                throw EmbeddingsError.modelDamaged(source, "line \(number + 1) is not UTF-8")
            }
            if text.isEmpty { continue }
            guard numbers.updateValue(Int32(number), forKey: text) == nil else {
                throw EmbeddingsError.modelDamaged(source, "line \(number + 1) repeats a piece")
            }
            try add(text, number)
        }
        func number(_ key: String, _ usual: String) throws -> Int32 {
            let text = settings[key]?.stringValue ?? settings[key]?["content"]?.stringValue ?? usual
            guard let number = numbers[Array(text.utf8)] else {
                throw EmbeddingsError.modelDamaged(source, "it has no \(usual)")
            }
            return number
        }
        unknown = try number("unk_token", "[UNK]")
        prefix = [try number("cls_token", "[CLS]")]
        suffix = [try number("sep_token", "[SEP]")]
        for (key, usual) in [
            ("unk_token", "[UNK]"), ("cls_token", "[CLS]"), ("sep_token", "[SEP]"), ("pad_token", "[PAD]"),
            ("mask_token", "[MASK]"),
        ] {
            // A model may have no [PAD] or [MASK]; then there is nothing to recognise.
            guard let id = try? number(key, usual) else { continue }
            specials.append(Special(text: pieces[Int(id)], id: id))
        }
        let lowercases = settings["do_lower_case"]?.boolValue ?? true
        rules = CharacterRules(
            cleans: true,
            splitsIdeographs: settings["tokenize_chinese_chars"]?.boolValue ?? true,
            stripsAccents: settings["strip_accents"]?.boolValue ?? lowercases,
            lowercases: lowercases
        )
    }
}
