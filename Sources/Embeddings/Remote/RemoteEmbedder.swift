import Domain

/// Text vectors from a service elsewhere.
///
/// Texts go in batches bounded by count and by estimated tokens, a few at once; every vector that comes back is checked
/// for size and finiteness and brought to unit length, whatever the service promises. Nothing is done on `ComputePool`:
/// what takes long here is waiting.
public struct RemoteEmbedder: Embedder {
    public let identity: ModelIdentity
    public let dimension: Int
    public let tokenLimit: Int
    public let specialTokenCount = 0
    /// One call after the other, each kept before the next is sent: nothing that was paid for is asked twice.
    public let bulk: BulkShape
    private let service: any RemoteEmbeddingService
    private let bounds: Bounds

    /// How texts are cut into batches.
    package struct Bounds: Sendable {
        package var texts: Int
        /// Estimated, see `TokenEstimate`.
        package var tokens: Int
        package var callsAtOnce: Int

        package init(
            texts: Int = Limits.remoteBatchTexts,
            tokens: Int = Limits.remoteBatchTokens,
            callsAtOnce: Int = Limits.remoteCallsAtOnce
        ) {
            self.texts = max(1, texts)
            self.tokens = max(1, tokens)
            self.callsAtOnce = max(1, callsAtOnce)
        }
    }

    /// - Parameters:
    ///   - name: gives the identity, with `scheme`.
    ///   - scheme: how the model is told what a text is; other words, other vectors.
    ///   - tokenLimit: tokens of one text that the model reads.
    package init(
        name: EmbeddingModelName,
        scheme: String,
        tokenLimit: Int,
        service: any RemoteEmbeddingService,
        bounds: Bounds = Bounds()
    ) {
        guard let dimensions = name.dimensions else { preconditionFailure("\(name) has no number of dimensions") }
        dimension = dimensions
        self.tokenLimit = tokenLimit
        self.service = service
        self.bounds = bounds
        bulk = BulkShape(texts: min(bounds.texts, Limits.embeddingTextsUnderWay), piecesAtOnce: 1)
        identity = ModelIdentity(
            id: "\(name.provider.rawValue)/\(name.model)",
            weightsHash: "remote",
            dimensions: dimensions,
            pooling: .remote,
            prefix: scheme,
            tokenLimit: tokenLimit
        )
    }

    /// Pieces of which the model's own tokens are hardly ever more: see `TokenEstimate`.
    public func tokens(of text: String) -> [TokenSpan] { TokenEstimate.spans(of: text) }

    public func encode(
        _ texts: [String],
        overlong: OverlongText,
        priority: EmbeddingPriority
    ) async throws -> EncodedTexts {
        try await encode(texts, kind: .document, overlong: overlong, priority: priority)
    }

    public func encode(
        _ texts: [String],
        kind: EmbeddingKind,
        overlong: OverlongText,
        priority: EmbeddingPriority
    ) async throws -> EncodedTexts {
        var result = EncodedTexts(
            vectors: Array(repeating: [], count: texts.count),
            tokenCounts: Array(repeating: 0, count: texts.count)
        )
        var pieces: [Piece] = []
        for (position, text) in texts.enumerated() {
            // No service has a vector for nothing; asking would fail the others of its batch.
            guard text.contains(where: { !$0.isWhitespace }) else {
                result.refused.append(position)
                continue
            }
            let (piece, isCut) = cut(text, at: position)
            if isCut {
                if overlong == .refuse { throw EmbeddingsError.textTooLong(position: position, limit: tokenLimit) }
                result.truncated.append(position)
            }
            pieces.append(piece)
        }
        for (batch, vectors, counts) in try await call(batches(pieces), kind) {
            for (number, piece) in batch.enumerated() {
                result.tokenCounts[piece.position] = counts[number]
                if let vector = vectors[number] {
                    result.vectors[piece.position] = vector
                } else {
                    result.refused.append(piece.position)
                }
            }
        }
        result.refused.sort()
        return result
    }

    // MARK: Batches

    private struct Piece: Sendable {
        let position: Int
        let text: String
        let tokens: Int
    }

    private func cut(_ text: String, at position: Int) -> (Piece, isCut: Bool) {
        // A token is at least a byte.
        if text.utf8.count <= tokenLimit {
            return (Piece(position: position, text: text, tokens: TokenEstimate.count(of: text)), false)
        }
        let spans = tokens(of: text)
        guard spans.count > tokenLimit else {
            return (Piece(position: position, text: text, tokens: spans.count), false)
        }
        let end = text.utf8.index(text.utf8.startIndex, offsetBy: spans[tokenLimit - 1].utf8.upperBound)
        return (Piece(position: position, text: String(text[..<end]), tokens: tokenLimit), true)
    }

    private func batches(_ pieces: [Piece]) -> [[Piece]] {
        var batches: [[Piece]] = []
        var tokens = 0
        for piece in pieces {
            if let last = batches.last, last.count < bounds.texts, tokens + piece.tokens <= bounds.tokens {
                batches[batches.count - 1].append(piece)
                tokens += piece.tokens
            } else {
                batches.append([piece])
                tokens = piece.tokens
            }
        }
        return batches
    }

    private typealias Answer = (batch: [Piece], vectors: [[Float]?], tokenCounts: [Int])

    private func call(_ batches: [[Piece]], _ kind: EmbeddingKind) async throws -> [Answer] {
        try await withThrowingTaskGroup(of: (Int, Answer).self) { group in
            var answers = [Answer?](repeating: nil, count: batches.count)
            var next = 0
            func start() {
                let number = next
                next += 1
                group.addTask { (number, try await self.call(batches[number], kind)) }
            }
            while next < min(batches.count, bounds.callsAtOnce) { start() }
            while let (number, answer) = try await group.next() {
                answers[number] = answer
                if next < batches.count { start() }
            }
            return answers.compactMap { $0 }
        }
    }

    private func call(_ batch: [Piece], _ kind: EmbeddingKind) async throws -> Answer {
        let answer = try await service.vectors(of: batch.map(\.text), kind: kind)
        guard answer.vectors.count == batch.count else {
            let message = "the service gave \(answer.vectors.count) vectors for \(batch.count) texts"
            throw EmbeddingsError(.badVector, message)
        }
        let vectors = try answer.vectors.map { vector in try vector.map { try unit($0) } }
        return (batch, vectors, Self.shares(of: answer.tokenCount, among: batch.map(\.tokens)))
    }

    private func unit(_ vector: [Float]) throws -> [Float] {
        guard vector.count == dimension else {
            throw EmbeddingsError(
                .badVector,
                "the service gave a vector of \(vector.count) dimensions instead of \(dimension)",
                hint: "name the model with the number of its dimensions, such as NAME@\(vector.count)"
            )
        }
        let square = vector.reduce(into: 0.0) { $0 += Double($1) * Double($1) }
        guard square.isFinite, square > 0 else {
            throw EmbeddingsError(.badVector, "the service gave a vector whose length is 0 or not finite")
        }
        let scale = 1 / square.squareRoot()
        return vector.map { Float(Double($0) * scale) }
    }

    /// Divides a batch's count among its texts by their estimates, so that the parts add up to it exactly.
    static func shares(of total: Int?, among estimates: [Int]) -> [Int] {
        guard let total else { return estimates }
        let sum = estimates.reduce(0, +)
        guard sum > 0 else { return estimates.indices.map { $0 == 0 ? total : 0 } }
        var (seen, given) = (0, 0)
        return estimates.map { estimate in
            seen += estimate
            let share = total * seen / sum - given
            given += share
            return share
        }
    }
}
