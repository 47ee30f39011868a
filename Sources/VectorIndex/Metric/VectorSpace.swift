import CKernels

/// Dimension and distance of an index, with the C kernels this CPU runs best.
///
/// Inside the index everything is a *distance*, smaller is nearer: the negated inner product for cosine
/// and dot, the squared Euclidean distance for l2. A score is always the negated distance.
struct VectorSpace: Sendable {
    let dimension: Int
    /// Floats from one row to the next: the dimension rounded up to whole cache lines; the rest is zero.
    let stride: Int
    let metric: Metric
    let pair: ck_pair_f32
    let rows: ck_rows_f32

    init(dimension: Int, metric: Metric) {
        self.dimension = dimension
        self.stride = (dimension + 15) & ~15
        self.metric = metric
        let best = ck_distance_best().pointee
        switch metric {
        case .cosine, .dot:
            pair = best.negated_dot
            rows = best.negated_dot_rows
        case .l2:
            pair = best.squared_l2
            rows = best.squared_l2_rows
        }
    }

    var rowBytes: Int { stride * MemoryLayout<Float>.stride }

    /// Squares of vectors we accept stay below this, so no distance between two of them overflows.
    private static let squareMax = Float.greatestFiniteMagnitude / 8
    /// Below this, squares lose digits to underflow and the length is computed in Double.
    private static let squareMin: Float = 1e-24

    /// Checks a vector and writes it as it is stored: of unit length under cosine, padded with zeros.
    ///
    /// - Parameter row: receives `stride` floats.
    /// - Throws: `dimensionMismatch`, `notFinite`, `zeroVector` (cosine only).
    func store(_ vector: UnsafeBufferPointer<Float>, into row: UnsafeMutablePointer<Float>) throws(VectorIndexError) {
        guard vector.count == dimension, let source = vector.baseAddress else {
            throw .dimensionMismatch(expected: dimension, received: vector.count)
        }
        let square = -ck_distance_best().pointee.negated_dot(source, source, dimension)
        guard square <= Self.squareMax else { throw .notFinite }
        row.update(from: source, count: dimension)
        (row + dimension).update(repeating: 0, count: stride - dimension)
        guard metric == .cosine else { return }
        if square > Self.squareMin {
            let scale = 1 / square.squareRoot()
            for position in 0..<dimension { row[position] *= scale }
        } else {
            var exact = 0.0
            for position in 0..<dimension { exact += Double(source[position]) * Double(source[position]) }
            guard exact > 0 else { throw .zeroVector }
            let scale = 1 / exact.squareRoot()
            for position in 0..<dimension { row[position] = Float(Double(source[position]) * scale) }
        }
    }
}
