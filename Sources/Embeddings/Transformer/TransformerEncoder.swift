import CBLAS
import CKernels
import Synchronization

/// The arithmetic of a BERT encoder in Float32: token numbers in, one pooled unit vector a text out.
///
/// Batches are ragged: the tokens of all texts stand below each other in one matrix `[tokens × hidden]`, without
/// padding; only attention knows where a text begins. One call runs on one thread; any number of threads may call
/// at once, each with a workspace of its own.
struct TransformerEncoder: Sendable {
    let configuration: ModelConfiguration
    private let weights: TransformerWeights
    // Points to a constant table.
    private nonisolated(unsafe) let kernels: UnsafePointer<encoder_kernels>

    init(
        _ weights: TransformerWeights,
        _ configuration: ModelConfiguration,
        kernels: UnsafePointer<encoder_kernels> = encoder_kernels_best()
    ) {
        self.weights = weights
        self.configuration = configuration
        self.kernels = kernels
        // The parallelism is ours, over batches: a BLAS that starts threads of its own would fight with it.
        openblas_set_num_threads(1)
    }

    /// Encodes `texts` (token numbers, special ones included; each at most `tokenLimit` and not empty).
    ///
    /// - Parameters:
    ///   - workspace: has room for all tokens of `texts`.
    ///   - vectors: receives `[texts × hidden]`.
    ///   - betweenLayers: called some milliseconds apart, also within one long batch.
    /// - Throws: `badVector` when a result is no number or zero (weights that are damaged).
    func encode(
        _ texts: [ArraySlice<Int32>],
        _ workspace: TransformerWorkspace,
        into vectors: UnsafeMutablePointer<Float>,
        betweenLayers: () -> Void
    ) throws {
        let hidden = configuration.hidden
        let tokens = texts.reduce(0) { $0 + $1.count }
        precondition(tokens <= workspace.tokensMax, "\(tokens) tokens in a workspace for \(workspace.tokensMax)")
        embed(texts, workspace)
        for layer in weights.layers {
            betweenLayers()
            attend(layer, texts, tokens, workspace)
            betweenLayers()
            feedForward(layer, tokens, workspace)
        }
        var row = 0
        for (position, text) in texts.enumerated() {
            let source = workspace.state + row * hidden
            let target = vectors + position * hidden
            switch configuration.pooling {
            case .mean, .sum, .remote: kernels.pointee.mean_rows(target, source, text.count, hidden)
            case .cls: target.update(from: source, count: hidden)
            }
            let length = encoder_normalize(target, hidden)
            guard length > 0, length.isFinite else {
                throw EmbeddingsError(
                    .badVector,
                    "the embedding model gave a vector of length \(length)",
                    hint: "its weights may be damaged: `doctor` checks them"
                )
            }
            row += text.count
        }
    }

    private func embed(_ texts: [ArraySlice<Int32>], _ workspace: TransformerWorkspace) {
        let hidden = configuration.hidden
        var row = 0
        for text in texts {
            text.withUnsafeBufferPointer { ids in
                kernels.pointee.embed_rows(
                    workspace.state + row * hidden,
                    weights.words.base,
                    weights.positions.base,
                    ids.baseAddress!,
                    weights.embeddingNorm.gamma.base,
                    weights.embeddingNorm.beta.base,
                    ids.count,
                    hidden,
                    configuration.epsilon
                )
            }
            row += text.count
        }
    }

    private func attend(
        _ layer: TransformerWeights.Layer,
        _ texts: [ArraySlice<Int32>],
        _ tokens: Int,
        _ workspace: TransformerWorkspace
    ) {
        let hidden = configuration.hidden
        multiply(workspace.state, layer.qkv, tokens, hidden, 3 * hidden, into: workspace.wide)
        var row = 0
        for text in texts {
            kernels.pointee.attention(
                workspace.mixed + row * hidden,
                workspace.wide + row * 3 * hidden,
                layer.queryBias.base,
                text.count,
                configuration.heads,
                configuration.headSize,
                workspace.scratch
            )
            row += text.count
        }
        multiply(workspace.mixed, layer.attentionOutput.weight, tokens, hidden, hidden, into: workspace.wide)
        kernels.pointee.add_layer_norm(
            workspace.state,
            workspace.wide,
            layer.attentionOutput.bias.base,
            workspace.state,
            layer.attentionNorm.gamma.base,
            layer.attentionNorm.beta.base,
            tokens,
            hidden,
            configuration.epsilon
        )
    }

    private func feedForward(_ layer: TransformerWeights.Layer, _ tokens: Int, _ workspace: TransformerWorkspace) {
        let (hidden, intermediate) = (configuration.hidden, configuration.intermediate)
        multiply(workspace.state, layer.up.weight, tokens, hidden, intermediate, into: workspace.wide)
        kernels.pointee.bias_gelu(workspace.wide, layer.up.bias.base, tokens, intermediate)
        multiply(workspace.wide, layer.down.weight, tokens, intermediate, hidden, into: workspace.mixed)
        kernels.pointee.add_layer_norm(
            workspace.state,
            workspace.mixed,
            layer.down.bias.base,
            workspace.state,
            layer.outputNorm.gamma.base,
            layer.outputNorm.beta.base,
            tokens,
            hidden,
            configuration.epsilon
        )
    }

    /// target = source · weightᵀ, `[rows × outputs]`: by our own kernel where that is faster, else by the BLAS.
    private func multiply(
        _ source: UnsafePointer<Float>,
        _ weight: FloatTensor,
        _ rows: Int,
        _ inputs: Int,
        _ outputs: Int,
        into target: UnsafeMutablePointer<Float>
    ) {
        if rows <= kernels.pointee.product_rows_max {
            kernels.pointee.product(target, source, weight.base, rows, outputs, inputs)
            return
        }
        cblas_sgemm(
            CblasRowMajor,
            CblasNoTrans,
            CblasTrans,
            blasint(rows),
            blasint(outputs),
            blasint(inputs),
            1,
            source,
            blasint(inputs),
            weight.base,
            blasint(inputs),
            0,
            target,
            blasint(outputs)
        )
    }
}

/// Activations of one call: memory that one thread uses at a time.
final class TransformerWorkspace: Sendable {
    let tokensMax: Int
    private let memory: FloatMemory
    // Parts of `memory`; whoever took the workspace from its shelf is the only one to use them.
    /// `[tokens × hidden]`.
    nonisolated(unsafe) let state: UnsafeMutablePointer<Float>
    /// `[tokens × hidden]`.
    nonisolated(unsafe) let mixed: UnsafeMutablePointer<Float>
    /// `[tokens × max(3 hidden, intermediate)]`.
    nonisolated(unsafe) let wide: UnsafeMutablePointer<Float>
    nonisolated(unsafe) let scratch: UnsafeMutablePointer<Float>

    init(_ configuration: ModelConfiguration, tokensMax: Int) {
        self.tokensMax = tokensMax
        let narrow = tokensMax * configuration.hidden
        let broad = tokensMax * max(3 * configuration.hidden, configuration.intermediate)
        let extra = encoder_attention_scratch(configuration.tokenLimit, configuration.headSize)
        // Parts begin on a cache line where `hidden` is a multiple of 16, as it is in all real models.
        memory = FloatMemory(count: 2 * narrow + broad + extra)
        state = memory.base
        mixed = state + narrow
        wide = mixed + narrow
        scratch = wide + broad
    }
}

/// Workspaces that lie idle: as many as threads ever worked at once.
final class WorkspaceShelf: Sendable {
    private let configuration: ModelConfiguration
    private let tokensMax: Int
    private let idle = Mutex<[TransformerWorkspace]>([])

    init(_ configuration: ModelConfiguration, tokensMax: Int) {
        self.configuration = configuration
        self.tokensMax = tokensMax
    }

    func borrow<T>(_ body: (TransformerWorkspace) throws -> T) rethrows -> T {
        let workspace = idle.withLock { $0.popLast() } ?? TransformerWorkspace(configuration, tokensMax: tokensMax)
        defer { idle.withLock { $0.append(workspace) } }
        return try body(workspace)
    }
}
