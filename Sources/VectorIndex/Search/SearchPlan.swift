/// How a search finds its results.
public enum SearchPlan: String, Sendable, CaseIterable {
    /// Whichever is quicker: exact while few rows pass the filter, the graph otherwise.
    case automatic
    /// Compares with every row that passes.
    case exact
    /// Walks the graph whatever the size; for measuring. Still exact when the walk finds too few.
    case graph
}

/// What a search did; for measuring.
public struct SearchStatistics: Sendable, Hashable {
    /// Distances computed, on all levels and in any scan.
    public var distanceEvaluations = 0
    /// True when results came from comparing with every row that passes.
    public var wasExact = false

    public init() {}
}

/// Chooses between the graph and an exact scan by counting distances.
///
/// A walk for `ef` results computes about `m · (ef + 16)` distances, and through a filter that one row in `s`
/// passes up to `s` times as many, each a fetch from a place that only the one before names. A scan computes one
/// for each row that passes, and four times as fast, because it knows what to fetch ahead. (50,000 × 384, m 16:
/// 1,355 distances and 230 µs a walk at ef 64, 170 ns each; 42 ns each in a scan of 5,000 scattered rows.)
struct SearchPlanner {
    /// With no more rows than this a scan takes well under a millisecond and loses nothing.
    static let exactRowsMax = 10_000
    /// What a distance on a walk costs, in distances of a scan.
    static let walkCost = 4

    /// True to scan.
    static func prefersScan(matches: Int, count: Int, ef: Int, m: Int) -> Bool {
        if matches <= exactRowsMax { return true }
        let walk = Double(m) * (Double(ef) + 16)
        let filtered = walk * Double(count) / Double(matches)
        return filtered * Double(walkCost) >= Double(matches)
    }

    /// Distances a filtered walk may compute before a scan would have been cheaper: the filter may lie
    /// far from the query, which only the walk finds out.
    static func evaluationsMax(matches: Int) -> Int { matches / walkCost }

    static let efDefault = 128
    static let efMax = 65_536
}
