/// A deterministic stand-in for a model: equal words give equal directions, and that is all the meaning it knows.
///
/// For tests, and for whoever chooses it: it needs no model and no time. Each word is hashed to one component and a
/// sign (feature hashing: Weinberger et al., 2009, section 3), and the sum is scaled to unit length. A text without
/// words gives the first axis.
public struct HashEmbedder: Embedder {
    public let identity: ModelIdentity
    public let dimension: Int
    public let tokenLimit = 256
    public let specialTokenCount = 2

    public init(dimension: Int = 384) {
        precondition(dimension > 0, "a vector has components, asked for \(dimension)")
        self.dimension = dimension
        identity = ModelIdentity(
            id: "hash",
            weightsHash: "0",
            dimensions: dimension,
            pooling: .sum,
            tokenLimit: tokenLimit
        )
    }

    /// Words (ASCII letters and digits, and all beyond ASCII), and each other visible character by itself. The number
    /// of a token is taken from its hash.
    public func tokens(of text: String) -> [TokenSpan] {
        var text = text
        return text.withUTF8 { bytes in Self.spans(bytes) }
    }

    public func encode(
        _ texts: [String],
        overlong: OverlongText,
        priority: EmbeddingPriority
    ) async throws -> EncodedTexts {
        var result = EncodedTexts()
        for (position, text) in texts.enumerated() {
            try Task.checkCancellation()
            var text = text
            let (vector, count) = text.withUTF8 { bytes in
                let spans = Self.spans(bytes)
                return (self.vector(bytes, spans.prefix(contentTokenLimit)), spans.count)
            }
            if count > contentTokenLimit {
                if overlong == .refuse {
                    throw EmbeddingsError.textTooLong(position: position, limit: contentTokenLimit)
                }
                result.truncated.append(position)
            }
            result.tokenCounts.append(min(count, contentTokenLimit) + specialTokenCount)
            result.vectors.append(vector)
        }
        return result
    }

    private static func spans(_ bytes: UnsafeBufferPointer<UInt8>) -> [TokenSpan] {
        var spans: [TokenSpan] = []
        var start = 0
        while start < bytes.count {
            guard bytes[start] > 0x20, bytes[start] != 0x7F else {
                start += 1
                continue
            }
            var end = start + 1
            if isWord(bytes[start]) {
                while end < bytes.count, isWord(bytes[end]) { end += 1 }
            }
            let number = Int32(truncatingIfNeeded: hash(bytes, start..<end) & 0x7FFF_FFFF)
            spans.append(TokenSpan(id: number, utf8: start..<end))
            start = end
        }
        return spans
    }

    private func vector(_ bytes: UnsafeBufferPointer<UInt8>, _ spans: ArraySlice<TokenSpan>) -> [Float] {
        var vector = [Float](repeating: 0, count: dimension)
        for span in spans where Self.isWord(bytes[span.utf8.lowerBound]) {
            let hash = Self.hash(bytes, span.utf8)
            vector[Int(hash % UInt64(dimension))] += hash >> 40 & 1 == 0 ? 1 : -1
        }
        let length = vector.reduce(0) { $0 + $1 * $1 }.squareRoot()
        guard length > 0 else {
            vector[0] = 1
            return vector
        }
        return vector.map { $0 / length }
    }

    /// FNV-1a of the word in ASCII lower case.
    private static func hash(_ bytes: UnsafeBufferPointer<UInt8>, _ range: Range<Int>) -> UInt64 {
        var hash: UInt64 = 0xCBF2_9CE4_8422_2325
        for position in range {
            let byte = bytes[position]
            let lower = (0x41...0x5A).contains(byte) ? byte | 0x20 : byte
            hash = (hash ^ UInt64(lower)) &* 0x100_0000_01B3
        }
        return hash
    }

    private static func isWord(_ byte: UInt8) -> Bool {
        byte >= 0x80 || (0x30...0x39).contains(byte) || (0x61...0x7A).contains(byte | 0x20)
    }
}
