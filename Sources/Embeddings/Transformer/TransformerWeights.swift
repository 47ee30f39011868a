/// The weights of a BERT encoder, ready to multiply: from the mapped file, or rearranged once at load.
///
/// Linear weights are `[outputs × inputs]`, row-major. Queries, keys and values are one matrix, so that a layer costs
/// four products. Two biases vanish: the keys' one cancels in the softmax, and the values' one passes through the
/// weighted mean unchanged, so it is folded into the bias of the product that follows.
struct TransformerWeights: Sendable {
    struct Norm: Sendable {
        let gamma: FloatTensor
        let beta: FloatTensor
    }

    struct Linear: Sendable {
        let weight: FloatTensor
        let bias: FloatTensor
    }

    struct Layer: Sendable {
        /// `[3 hidden × hidden]`: queries, keys, values.
        let qkv: FloatTensor
        let queryBias: FloatTensor
        /// Its bias carries the values' bias.
        let attentionOutput: Linear
        let attentionNorm: Norm
        let up: Linear
        let down: Linear
        let outputNorm: Norm
    }

    /// `[vocabulary × hidden]`.
    let words: FloatTensor
    /// `[positions × hidden]`, with the first token type's row added to each.
    let positions: FloatTensor
    let embeddingNorm: Norm
    let layers: [Layer]

    init(_ file: SafetensorsFile, _ configuration: ModelConfiguration) throws {
        let hidden = configuration.hidden
        // Some exporters keep the name of the model within a larger one.
        let root = file.tensors["embeddings.word_embeddings.weight"] == nil ? "bert." : ""

        func norm(_ name: String) throws -> Norm {
            // Older checkpoints say gamma and beta.
            let isOld = file.tensors[root + name + ".weight"] == nil && file.tensors[root + name + ".gamma"] != nil
            return Norm(
                gamma: try file.floats(root + name + (isOld ? ".gamma" : ".weight"), shape: [hidden]),
                beta: try file.floats(root + name + (isOld ? ".beta" : ".bias"), shape: [hidden])
            )
        }
        func linear(_ name: String, _ inputs: Int, _ outputs: Int) throws -> Linear {
            Linear(
                weight: try file.floats(root + name + ".weight", shape: [outputs, inputs]),
                bias: try file.floats(root + name + ".bias", shape: [outputs])
            )
        }

        words = try file.floats(
            root + "embeddings.word_embeddings.weight",
            shape: [configuration.vocabularySize, hidden]
        )
        let places = try file.floats(
            root + "embeddings.position_embeddings.weight",
            shape: [configuration.positions, hidden]
        )
        let types = try file.floats(
            root + "embeddings.token_type_embeddings.weight",
            shape: [configuration.tokenTypes, hidden]
        )
        let kept = min(configuration.tokenLimit, configuration.positions)
        positions = FloatTensor(filling: kept * hidden) { target in
            let sums = target.bindMemory(to: Float.self)
            for index in sums.indices { sums[index] = places.values[index] + types.values[index % hidden] }
        }
        embeddingNorm = try norm("embeddings.LayerNorm")
        layers = try (0..<configuration.layers).map { number in
            let name = "encoder.layer.\(number)."
            let query = try linear(name + "attention.self.query", hidden, hidden)
            let key = try linear(name + "attention.self.key", hidden, hidden)
            let value = try linear(name + "attention.self.value", hidden, hidden)
            let output = try linear(name + "attention.output.dense", hidden, hidden)
            return Layer(
                qkv: Self.joined([query.weight, key.weight, value.weight]),
                queryBias: query.bias,
                attentionOutput: Linear(weight: output.weight, bias: Self.folded(value.bias, through: output)),
                attentionNorm: try norm(name + "attention.output.LayerNorm"),
                up: try linear(name + "intermediate.dense", hidden, configuration.intermediate),
                down: try linear(name + "output.dense", configuration.intermediate, hidden),
                outputNorm: try norm(name + "output.LayerNorm")
            )
        }
    }

    private static func joined(_ tensors: [FloatTensor]) -> FloatTensor {
        FloatTensor(filling: tensors.reduce(0) { $0 + $1.count }) { target in
            var offset = 0
            for tensor in tensors {
                let bytes = UnsafeRawBufferPointer(tensor.values)
                UnsafeMutableRawBufferPointer(rebasing: target[offset..<offset + bytes.count]).copyMemory(from: bytes)
                offset += bytes.count
            }
        }
    }

    /// output.bias + output.weight · bias, summed in double.
    private static func folded(_ bias: FloatTensor, through output: Linear) -> FloatTensor {
        FloatTensor(filling: output.bias.count) { target in
            let sums = target.bindMemory(to: Float.self)
            for row in sums.indices {
                let weights = output.weight.base + row * bias.count
                var sum = Double(output.bias.base[row])
                for column in 0..<bias.count { sum += Double(weights[column]) * Double(bias.base[column]) }
                sums[row] = Float(sum)
            }
        }
    }
}
