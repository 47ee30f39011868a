import CKernels

/// Text vectors from a local BERT-type model, such as all-MiniLM-L6-v2, in Float32 on the processor.
///
/// Weights are mapped, shared by all threads and read-only. Work runs on the pool in blocks of some hundred tokens,
/// which let interactive work pass between the model's layers, so a query waits some 10 ms at most, however much is
/// being indexed. Memory beside the weights: about 7 MB for each thread of the pool.
public final class TransformerEmbedder: Embedder {
    public let identity: ModelIdentity
    public let dimension: Int
    public let tokenLimit: Int
    public let specialTokenCount: Int

    package let tokenizer: WordPieceTokenizer
    private let encoder: TransformerEncoder
    private let pool: ComputePool
    private let shelf: WorkspaceShelf

    /// Opens a sentence-transformers directory: config.json, modules.json, the pooling's config.json,
    /// sentence_bert_config.json, tokenizer.json or vocab.txt, and model.safetensors.
    ///
    /// Every file is checked as untrusted. Nothing is ever downloaded. About 50 ms.
    ///
    /// - Throws: `EmbeddingsError` `modelMissing`, `modelDamaged` or `modelUnsupported`, naming the file.
    public static func load(directory: String, pool: ComputePool) throws -> TransformerEmbedder {
        try TransformerEmbedder(directory: directory, pool: pool)
    }

    private init(directory: String, pool: ComputePool) throws {
        let files = try ModelFiles(directory: directory)
        let configuration = try ModelConfiguration(files: files)
        let definition = try TokenizerDefinition(files: files, vocabularySize: configuration.vocabularySize)
        let weights = try TransformerWeights(
            SafetensorsFile(files: files, name: Self.weightsName),
            configuration
        )
        let hash = try ModelFingerprint.identity(
            files,
            weights: Self.weightsName,
            tokenizer: definition.source,
            settings: configuration.fingerprintText
        )
        try ModelFingerprint.checkClaim(files, identity: hash)
        tokenizer = WordPieceTokenizer(definition)
        specialTokenCount = tokenizer.prefix.count + tokenizer.suffix.count
        guard specialTokenCount > 0, specialTokenCount < configuration.tokenLimit else {
            throw EmbeddingsError.modelUnsupported(
                definition.source,
                "it puts \(specialTokenCount) tokens round a text"
            )
        }
        identity = ModelIdentity(
            id: ModelFingerprint.names[hash] ?? configuration.name,
            weightsHash: hash,
            dimensions: configuration.hidden,
            pooling: configuration.pooling,
            tokenLimit: configuration.tokenLimit
        )
        dimension = configuration.hidden
        tokenLimit = configuration.tokenLimit
        encoder = TransformerEncoder(weights, configuration)
        shelf = WorkspaceShelf(configuration, tokensMax: max(EncodingPlan.blockTokens, configuration.tokenLimit))
        self.pool = pool
    }

    static let weightsName = "model.safetensors"

    /// The instruction set whose kernels run here: "avx512", "avx2", "neon", "sse2".
    package static var instructionSet: String { String(cString: encoder_kernels_best().pointee.name) }

    public func tokens(of text: String) -> [TokenSpan] { tokenizer.tokens(of: text) }

    /// The numbers the model reads for `text`: its special tokens included, cut at `tokenLimit`.
    public func inputIDs(of text: String) -> [Int32] { tokenizer.input(text, limit: tokenLimit).ids }

    public func encode(
        _ texts: [String],
        overlong: OverlongText,
        priority: EmbeddingPriority
    ) async throws -> EncodedTexts {
        guard !texts.isEmpty else { return EncodedTexts() }
        let pieces = EncodingPlan.tokenizerPieces(texts)
        if pieces.count == 1, EncodingPlan.fitsOneStep(texts) {
            // One hop to the pool and back: what a query needs.
            return try await pool.run(priority: priority) { [self] turn in
                let inputs = try read(texts[...], overlong)
                let plan = EncodingPlan(inputs.map(\.ids.count), threads: 1)
                var flat: [[Float]] = []
                for block in plan.blocks { flat.append(try encode(block, inputs, turn)) }
                return assemble(plan, inputs, flat)
            }
        }
        var inputs: [TokenizedText] = []
        inputs.reserveCapacity(texts.count)
        let tokenized = try await onPool(pieces.count, priority) { [self] number, _ in
            try read(texts[pieces[number]], overlong)
        }
        for piece in tokenized { inputs += piece }
        let all = inputs
        let plan = EncodingPlan(all.map(\.ids.count), threads: pool.threads)
        let flat = try await onPool(plan.blocks.count, priority) { [self] number, turn in
            try encode(plan.blocks[number], all, turn)
        }
        return assemble(plan, all, flat)
    }

    /// Runs `count` steps on the pool, a few at a time, so that one caller never fills the queue.
    private func onPool<T: Sendable>(
        _ count: Int,
        _ priority: EmbeddingPriority,
        _ step: @escaping @Sendable (Int, borrowing ComputeTurn) throws -> T
    ) async throws -> [T] {
        try await withThrowingTaskGroup(of: (Int, T).self) { group in
            var results = [T?](repeating: nil, count: count)
            var next = 0
            func start() {
                let number = next
                next += 1
                group.addTask { [pool] in
                    (number, try await pool.run(priority: priority) { turn in try step(number, turn) })
                }
            }
            // One more than threads: no thread waits for the answer to travel back and the next step to come.
            while next < min(count, pool.threads + 1) { start() }
            while let (number, result) = try await group.next() {
                results[number] = result
                if next < count { start() }
            }
            return results.compactMap { $0 }
        }
    }

    private func read(_ texts: ArraySlice<String>, _ overlong: OverlongText) throws -> [TokenizedText] {
        try texts.indices.map { position in
            let (ids, isTruncated) = tokenizer.input(texts[position], limit: tokenLimit)
            if isTruncated, overlong == .refuse {
                throw EmbeddingsError.textTooLong(position: position, limit: contentTokenLimit)
            }
            return TokenizedText(ids: ids, isTruncated: isTruncated)
        }
    }

    /// Vectors of one block, one after the other, in the block's order.
    private func encode(
        _ block: [Int],
        _ inputs: [TokenizedText],
        _ turn: borrowing ComputeTurn
    ) throws -> [Float] {
        let texts = block.map { inputs[$0].ids[...] }
        return try shelf.borrow { workspace in
            try [Float](unsafeUninitializedCapacity: texts.count * dimension) { buffer, count in
                try encoder.encode(texts, workspace, into: buffer.baseAddress!) { turn.letInteractivePass() }
                count = texts.count * dimension
            }
        }
    }

    private func assemble(_ plan: EncodingPlan, _ inputs: [TokenizedText], _ flat: [[Float]]) -> EncodedTexts {
        var result = EncodedTexts(
            vectors: [[Float]](repeating: [], count: inputs.count),
            tokenCounts: inputs.map(\.ids.count),
            truncated: inputs.indices.filter { inputs[$0].isTruncated }
        )
        for (block, vectors) in zip(plan.blocks, flat) {
            for (row, position) in block.enumerated() {
                result.vectors[position] = Array(vectors[row * dimension..<(row + 1) * dimension])
            }
        }
        return result
    }
}
