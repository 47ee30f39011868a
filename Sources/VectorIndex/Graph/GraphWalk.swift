import CKernels

/// One walk through the graph towards a query: the searches of the paper, algorithms 2 and 5.
///
/// Carries pointers only; the caller keeps graph and scratch alive. Reads lists that a writer may be
/// changing, and skips slots at or above `slotLimit`, which were made after the walk began.
struct GraphWalk {
    let view: GraphView
    let dimension: Int
    let pair: ck_pair_f32
    let rows: ck_rows_f32
    let query: UnsafePointer<Float>
    let slotLimit: UInt32
    let scratch: SearchScratch

    init(_ graph: Graph, query: UnsafePointer<Float>, scratch: SearchScratch) {
        view = graph.view
        dimension = graph.space.dimension
        pair = graph.space.pair
        rows = graph.space.rows
        self.query = query
        slotLimit = UInt32(graph.slotCount)
        self.scratch = scratch
    }

    func candidate(_ slot: UInt32) -> Candidate {
        scratch.evaluations += 1
        return Candidate(distance: pair(query, view.vector(slot), dimension), slot: slot)
    }

    /// Distances of the first `count` slots of the scratch block.
    @inline(__always)
    private func measure(_ count: Int) {
        rows(
            query,
            dimension,
            view.rowChunks,
            ChunkedMemory.slotShift,
            view.stride,
            scratch.slots,
            count,
            scratch.distances
        )
        scratch.evaluations += count
    }

    /// Goes down from the entry's level to just above `level`, always to the nearest neighbour.
    func descend(from entry: (slot: UInt32, level: Int), to level: Int) -> Candidate {
        var nearest = candidate(entry.slot)
        var current = entry.level
        while current > level {
            var moved = true
            while moved {
                moved = false
                // A link to a slot without this level can only come from a forged file.
                guard view.level(nearest.slot) >= current else { break }
                let count = ck_read_links(view.list(nearest.slot, current), view.m, scratch.slots)
                measure(count)
                for position in 0..<count {
                    let next = Candidate(distance: scratch.distances[position], slot: scratch.slots[position])
                    if next < nearest && next.slot < slotLimit {
                        nearest = next
                        moved = true
                    }
                }
            }
            current -= 1
        }
        return nearest
    }

    /// The `ef` nearest slots that can be reached on a level (algorithm 2).
    ///
    /// Dead slots are stepping stones: they stay in the pool, which keeps one more for each.
    func beam(from start: Candidate, level: Int, ef: Int, hasDead: Bool) -> BeamPool {
        scratch.beginWalk(slotLimit: Int(slotLimit))
        var pool = scratch.beginPool(limit: ef)
        let tags = scratch.tags
        let tag = scratch.tag
        let slots = scratch.slots
        let distances = scratch.distances
        let capacity = view.capacity(level)
        guard start.slot < slotLimit else { return pool }
        tags[Int(start.slot)] = tag
        if hasDead && !view.isLive(start.slot) { pool.widen() }
        pool.insert(start & ~Candidate.expandedMark)
        while let slot = pool.next() {
            if level > 0 && view.level(slot) < level { continue }
            let count = ck_take_unvisited(
                view.list(slot, level),
                capacity,
                slotLimit,
                tags,
                tag,
                view.rowChunks,
                ChunkedMemory.slotShift,
                view.stride,
                slots
            )
            if level == 0, let upcoming = pool.upcoming { prefetchList(upcoming) }
            measure(count)
            for position in 0..<count {
                let next = Candidate(distance: distances[position], slot: slots[position])
                if next < pool.bound {
                    if hasDead && !view.isLive(next.slot) { pool.widen() }
                    pool.insert(next)
                }
            }
        }
        return pool
    }

    /// As `beam` on level 0, but keeps only slots the filter passes; all others are stepping stones.
    ///
    /// - Returns: nil when more than `evaluationsMax` distances would have been needed.
    func filteredBeam(
        from start: Candidate,
        ef: Int,
        evaluationsMax: Int,
        filter: some SlotFilter
    ) -> BeamPool? {
        scratch.beginWalk(slotLimit: Int(slotLimit))
        var pool = scratch.beginPool(limit: ef)
        let tags = scratch.tags
        let tag = scratch.tag
        let slots = scratch.slots
        let distances = scratch.distances
        let stop = scratch.evaluations + evaluationsMax
        scratch.heap.removeAll()
        guard start.slot < slotLimit else { return pool }
        tags[Int(start.slot)] = tag
        scratch.heap.push(start)
        if filter.passes(start.slot, view) { pool.insert(start) }
        while let nearest = scratch.heap.pop(), nearest < pool.bound {
            let count = ck_take_unvisited(
                view.list(nearest.slot, 0),
                view.baseCapacity,
                slotLimit,
                tags,
                tag,
                view.rowChunks,
                ChunkedMemory.slotShift,
                view.stride,
                slots
            )
            measure(count)
            if scratch.evaluations > stop { return nil }
            for position in 0..<count {
                let next = Candidate(distance: distances[position], slot: slots[position])
                if next < pool.bound {
                    scratch.heap.push(next)
                    if filter.passes(next.slot, view) { pool.insert(next) }
                }
            }
        }
        return pool
    }

    @inline(__always)
    private func prefetchList(_ slot: UInt32) {
        let list = UnsafeRawPointer(view.list(slot, 0))
        var offset = 0
        while offset < view.baseCapacity * 4 {
            ck_prefetch(list + offset)
            offset += 64
        }
    }
}

/// Decides which slots a filtered walk may keep.
protocol SlotFilter {
    func allows(_ key: UInt64) -> Bool
}

extension SlotFilter {
    /// True when the slot, or one of its first twins, is live and allowed.
    @inline(__always)
    func passes(_ slot: UInt32, _ view: GraphView) -> Bool {
        guard view.isLive(slot) else { return false }
        if allows(view.key(slot)) { return true }
        var twin = view.twin(slot)
        var steps = 0
        while twin != CK_NO_SLOT && steps < TwinChain.stepsMax {
            if allows(view.key(twin)) { return true }
            twin = view.twin(twin)
            steps += 1
        }
        return false
    }
}

enum TwinChain {
    /// How far one search follows a chain of equal vectors. Among more of them, which are equally good, it
    /// returns any; and a forged chain that bites its tail ends here.
    static let stepsMax = 1_024
}
