/// What a thorough look at a model's directory found: for `doctor`.
package struct ModelCheck: Sendable {
    package struct File: Sendable {
        package let name: String
        /// 64 hexadecimal digits.
        package let sha256: String
        /// Whether it is what the known model of that name has; nil where no model is known by it.
        package let isAsPublished: Bool?
    }

    /// "all-MiniLM-L6-v2" when the weights are that model's, else nil.
    package let knownModel: String?
    package let files: [File]
    /// One sentence for each finding; empty when the model is sound.
    package let problems: [String]

    /// Reads every byte: about half a second for 91 MB.
    ///
    /// Checks that the files fit together (as `TransformerEmbedder.load` does), that all weights are finite, and
    /// SHA-256 of weights and tokenizer against the models this program knows.
    package static func run(directory: String) -> ModelCheck {
        var problems: [String] = []
        var files: [File] = []
        do {
            let model = try ModelFiles(directory: directory)
            let configuration = try ModelConfiguration(files: model)
            _ = try TokenizerDefinition(files: model, vocabularySize: configuration.vocabularySize)
            let weights = try SafetensorsFile(files: model, name: TransformerEmbedder.weightsName)
            _ = try TransformerWeights(weights, configuration)
            problems += try weights.tensorsWithoutNumbers().map { "tensor \($0) holds values that are no numbers" }
            for name in [TransformerEmbedder.weightsName, "tokenizer.json", "vocab.txt"] where model.contains(name) {
                files.append(
                    File(name: name, sha256: try ModelFingerprint.sha256(model, name), isAsPublished: nil)
                )
            }
        } catch let error as EmbeddingsError {
            problems.append(error.message)
        } catch {
            problems.append("the model can't be read: \(error)")
        }
        let known = published.first { model in
            files.contains { $0.name == TransformerEmbedder.weightsName && $0.sha256 == model.sha256[$0.name] }
        }
        if let known {
            files = files.map {
                File(name: $0.name, sha256: $0.sha256, isAsPublished: known.sha256[$0.name] == $0.sha256)
            }
            for file in files where file.isAsPublished == false {
                problems.append("\(file.name) is not the one that \(known.name) was published with")
            }
        }
        return ModelCheck(knownModel: known?.name, files: files, problems: problems)
    }

    private static let published: [(name: String, sha256: [String: String])] = [
        (
            "all-MiniLM-L6-v2",
            [
                "model.safetensors": "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db",
                "tokenizer.json": "be50c3628f2bf5bb5e3a7f17b1f74611b2561a3a27eeab05e5aa30f411572037",
                "vocab.txt": "07eced375cec144d27c900241f3e339478dec958f92fddbc551f295c992038a3",
            ]
        )
    ]
}
