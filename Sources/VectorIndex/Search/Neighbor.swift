/// One result of a search.
public struct Neighbor: Sendable, Hashable {
    public let key: UInt64
    /// Larger is closer: cosine similarity, inner product, or negated squared distance.
    public let score: Float

    public init(key: UInt64, score: Float) {
        self.key = key
        self.score = score
    }
}
