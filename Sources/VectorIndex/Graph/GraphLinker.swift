import CKernels

/// Links new slots into the graph (algorithm 1 of the paper); one per building thread.
///
/// A slot's own lists are written on all its levels first, then the links that lead to it, lowest level
/// first: whoever reaches a new slot finds it complete below.
struct GraphLinker {
    let graph: Graph
    private let view: GraphView
    private let selection: NeighborSelection
    private let scratch: SearchScratch
    /// Several threads link at once when there are locks.
    private let locks: NodeLocks?
    private let buffers: Buffers
    /// Slots that changed and had not changed before.
    private(set) var dirty: [UInt32] = []

    /// Memory of a linker, freed with it.
    private final class Buffers {
        /// Chosen links of the slot being inserted, `2m` a level.
        let plan: UnsafeMutablePointer<UInt32>
        var planCounts = [Int](repeating: 0, count: SlotState.levelMax + 1)
        /// A list being pruned, one longer than a list can be, with distances.
        let list: UnsafeMutablePointer<UInt32>
        let kept: UnsafeMutablePointer<UInt32>
        let distances: UnsafeMutablePointer<Float>
        let sorted: UnsafeMutablePointer<Candidate>

        init(listCapacity: Int) {
            plan = .allocate(capacity: (SlotState.levelMax + 1) * listCapacity)
            list = .allocate(capacity: listCapacity + 1)
            kept = .allocate(capacity: listCapacity + 1)
            distances = .allocate(capacity: listCapacity + 1)
            sorted = .allocate(capacity: listCapacity + 1)
        }

        deinit {
            plan.deallocate()
            list.deallocate()
            kept.deallocate()
            distances.deallocate()
            sorted.deallocate()
        }
    }

    init(_ graph: Graph, locks: NodeLocks?) {
        self.graph = graph
        self.locks = locks
        view = graph.view
        selection = NeighborSelection(graph)
        scratch = SearchScratch(stride: graph.space.stride)
        buffers = Buffers(listCapacity: graph.view.baseCapacity)
    }

    mutating func takeDirty() -> [UInt32] {
        defer { dirty.removeAll(keepingCapacity: true) }
        return dirty
    }

    mutating func markDirty(_ slot: UInt32) {
        if view.markDirty(slot, DirtyFlags.links) { dirty.append(slot) }
    }

    /// Links a slot whose vector, key, state (live, with its level) and empty lists are in place.
    ///
    /// - Parameter mayBeTwin: false to link a slot anew that others may already point to.
    mutating func insert(_ slot: UInt32, mayBeTwin: Bool = true) {
        let level = view.level(slot)
        guard let entry = graph.entry else {
            graph.entry = (slot, level)
            markDirty(slot)
            return
        }
        if let head = plan(slot, level: level, entry: entry, mayBeTwin: mayBeTwin) {
            attach(slot, to: head)
            return
        }
        for current in 0...level {
            let count = buffers.planCounts[current]
            guarded(slot) { ck_write_links(view.list(slot, current), view.capacity(current), planned(current), count) }
        }
        markDirty(slot)
        for current in 0...min(level, entry.level) {
            let links = planned(current)
            for position in 0..<buffers.planCounts[current] { addLink(from: links[position], to: slot, level: current) }
        }
        if level > entry.level { raiseEntry(slot, level) }
    }

    private func planned(_ level: Int) -> UnsafeMutablePointer<UInt32> {
        buffers.plan + level * view.baseCapacity
    }

    /// Chooses the links of a slot on each level; returns instead a head with the very same vector.
    private func plan(
        _ slot: UInt32,
        level: Int,
        entry: (slot: UInt32, level: Int),
        mayBeTwin: Bool
    ) -> UInt32? {
        let walk = GraphWalk(graph, query: view.vector(slot), scratch: scratch)
        var nearest = walk.descend(from: entry, to: min(level, entry.level))
        let hasDead = graph.deadCount > 0
        for current in stride(from: level, through: 0, by: -1) {
            buffers.planCounts[current] = 0
            if current > entry.level { continue }
            let pool = walk.beam(
                from: nearest,
                level: current,
                ef: graph.parameters.efConstruction,
                hasDead: hasDead
            )
            if pool.count > 0 { nearest = pool.base[0] }
            let usable = linkable(pool, except: slot)
            if current == 0, mayBeTwin, let head = twin(of: slot, among: usable) { return head }
            // The paper links a new node to m others on every level. As many as fit on the lowest cost a quarter
            // more time to build and save a quarter of a search's distances at recall 0.975 (50,000 × 384).
            buffers.planCounts[current] = selection.select(
                usable,
                max: view.capacity(current),
                into: planned(current)
            )
        }
        return nil
    }

    /// The pool without dead slots and the slot itself, in place.
    private func linkable(_ pool: BeamPool, except slot: UInt32) -> UnsafeBufferPointer<Candidate> {
        var kept = 0
        for position in 0..<pool.count {
            let candidate = pool.base[position]
            guard candidate.slot != slot && view.isLinked(candidate.slot) else { continue }
            pool.base[kept] = candidate
            kept += 1
        }
        return UnsafeBufferPointer(start: pool.base, count: kept)
    }

    /// A candidate whose vector is equal, number for number.
    private func twin(of slot: UInt32, among candidates: UnsafeBufferPointer<Candidate>) -> UInt32? {
        let own = view.vector(slot)
        let bytes = view.stride * MemoryLayout<Float>.stride
        // Under the inner product a longer vector can be nearer to this one than itself.
        let same = Candidate(distance: graph.space.pair(own, own, graph.space.dimension), slot: 0).distance
        for candidate in candidates where candidate.distance == same {
            if ck_equal_bytes(own, view.vector(candidate.slot), bytes) { return candidate.slot }
        }
        return nil
    }

    /// Hangs a slot on the chain of a head with the same vector.
    private mutating func attach(_ slot: UInt32, to head: UInt32) {
        var next: UInt32 = CK_NO_SLOT
        guarded(head) {
            next = view.twin(head)
            view.setTwin(slot, next)
            withUnsafePointer(to: head) { ck_write_links(view.list(slot, 0), view.baseCapacity, $0, 1) }
            view.setState(slot, view.state(slot) | SlotState.twin)
            if next != CK_NO_SLOT {
                withUnsafePointer(to: slot) { ck_write_links(view.list(next, 0), view.baseCapacity, $0, 1) }
            }
            view.setTwin(head, slot)
        }
        markDirty(slot)
        markDirty(head)
        if next != CK_NO_SLOT { markDirty(next) }
    }

    /// Adds a link, or when the list is full chooses anew among its links and the new one.
    mutating func addLink(from slot: UInt32, to new: UInt32, level: Int) {
        let capacity = view.capacity(level)
        let list = view.list(slot, level)
        var changed = false
        guarded(slot) {
            let count = ck_read_links(list, capacity, buffers.list)
            for position in 0..<count where buffers.list[position] == new { return }
            buffers.list[count] = new
            changed = true
            if count < capacity {
                ck_write_links(list, capacity, buffers.list, count + 1)
            } else {
                let kept = choose(for: slot, among: count + 1, max: capacity)
                ck_write_links(list, capacity, buffers.kept, kept)
            }
        }
        if changed { markDirty(slot) }
    }

    /// Chooses the links of a slot among the first `count` of the list buffer, into the kept buffer.
    private func choose(for slot: UInt32, among count: Int, max: Int) -> Int {
        graph.space.rows(
            view.vector(slot),
            graph.space.dimension,
            view.rowChunks,
            ChunkedMemory.slotShift,
            view.stride,
            buffers.list,
            count,
            buffers.distances
        )
        let sorted = UnsafeMutableBufferPointer(start: buffers.sorted, count: count)
        for position in 0..<count {
            let candidate = Candidate(distance: buffers.distances[position], slot: buffers.list[position])
            // Lists are short: sorting by insertion.
            var place = position
            while place > 0 && sorted[place - 1] > candidate {
                sorted[place] = sorted[place - 1]
                place -= 1
            }
            sorted[place] = candidate
        }
        return selection.select(UnsafeBufferPointer(sorted), max: max, into: buffers.kept)
    }

    private func raiseEntry(_ slot: UInt32, _ level: Int) {
        let raise = {
            if level > graph.entry?.level ?? -1 { graph.entry = (slot, level) }
        }
        if let locks { locks.withEntry(raise) } else { raise() }
    }

    @inline(__always)
    private func guarded(_ slot: UInt32, _ body: () -> Void) {
        if let locks { locks.with(slot, body) } else { body() }
    }
}

/// What changed about a slot since the last flush.
enum DirtyFlags {
    static let links: UInt8 = 1
    static let vector: UInt8 = 2
}
