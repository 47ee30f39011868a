/// How two vectors are compared; every score is larger for closer vectors.
public enum Metric: String, Sendable, CaseIterable, Codable {
    /// Cosine similarity in `-1...1`. Vectors are brought to unit length when they enter.
    case cosine
    /// Inner product of the vectors as they are.
    case dot
    /// Negated squared Euclidean distance, `...0`.
    case l2
}
