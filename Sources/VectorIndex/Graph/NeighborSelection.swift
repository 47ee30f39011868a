import CKernels

/// Chooses links that lead in different directions (algorithm 4 of the paper).
struct NeighborSelection {
    let view: GraphView
    let dimension: Int
    let pair: ck_pair_f32

    init(_ graph: Graph) {
        view = graph.view
        dimension = graph.space.dimension
        pair = graph.space.pair
    }

    /// Takes candidates nearest first, and each only when it is nearer to the base than to all taken before.
    ///
    /// - Parameters:
    ///   - candidates: ascending, distances to the base.
    ///   - out: holds at most `max` slots in the end.
    ///   - present: how many `out` holds already; they count as taken.
    /// - Returns: how many `out` holds.
    func select(
        _ candidates: UnsafeBufferPointer<Candidate>,
        max: Int,
        into out: UnsafeMutablePointer<UInt32>,
        beside present: Int = 0
    ) -> Int {
        var taken = present
        for candidate in candidates {
            if taken == max { break }
            if isDiverse(candidate, out, taken) {
                out[taken] = candidate.slot
                taken += 1
            }
        }
        return taken
    }

    @inline(__always)
    private func isDiverse(_ candidate: Candidate, _ taken: UnsafeMutablePointer<UInt32>, _ count: Int) -> Bool {
        let row = view.vector(candidate.slot)
        let distance = candidate.distance
        for position in 0..<count where pair(row, view.vector(taken[position]), dimension) < distance { return false }
        return true
    }
}
