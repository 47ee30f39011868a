import CKernels

/// Neighbour repair after deletions.
///
/// A deleted slot stays a stepping stone until some have gathered; then one pass over all lists finds
/// every link to them (a graph of one-way links has no list of who points to a slot, and keeping one
/// would cost a sixth of the memory). Such a slot gets new links among the living neighbours of its dead ones
/// (as in the consolidation of FreshDiskANN, arXiv 2105.09613, algorithm 4), by the heuristic that made the
/// others. But the living links it has all stay: choosing all anew, as there, lost 3 points of recall over ten
/// replacements of every row, keeping them lost nothing. The pass reads 128 bytes a slot in order, 4 ms for
/// 100,000 slots; what costs is the choosing, which is the same if done deletion by deletion.
extension GraphEditor {
    /// So many deletions are repaired together: about 0.4 % of the slots, which searches hardly notice, but
    /// never so many that one call takes long.
    private var repairThreshold: Int { min(max(graph.count / 256, 32), 512) }

    func repairWhenDue() {
        if dead.count >= repairThreshold || (!dead.isEmpty && graph.count == 0) { repair() }
    }

    func repair() {
        guard !dead.isEmpty else { return }
        let slotCount = graph.slotCount
        let words = (slotCount + 63) / 64
        let marks = UnsafeMutablePointer<UInt64>.allocate(capacity: words)
        marks.initialize(repeating: 0, count: words)
        defer { marks.deallocate() }
        for slot in dead { marks[Int(slot) >> 6] |= 1 << UInt64(slot & 63) }

        replaceEntryIfDead(slotCount)
        var reconnection = Reconnection()
        for slot in 0..<UInt32(slotCount) where view.isLinked(slot) {
            for level in 0...view.level(slot)
            where ck_links_any_marked(view.list(slot, level), view.capacity(level), marks) {
                reconnect(slot, level, &reconnection)
            }
        }
        for slot in dead { free(slot) }
        dead.removeAll()
        graph.deadCount = 0
    }

    private func replaceEntryIfDead(_ slotCount: Int) {
        guard let entry = graph.entry, !view.isLive(entry.slot) else { return }
        var best: (slot: UInt32, level: Int)?
        for slot in 0..<UInt32(slotCount) where view.isLinked(slot) && view.level(slot) > best?.level ?? -1 {
            best = (slot, view.level(slot))
        }
        graph.entry = best
    }

    /// Working space of one repair.
    private struct Reconnection {
        var seen: Set<UInt32> = []
        var stack: [UInt32] = []
        var candidates: [UInt32] = []
        var old: [UInt32] = []
    }

    private func reconnect(_ slot: UInt32, _ level: Int, _ work: inout Reconnection) {
        let capacity = view.capacity(level)
        work.old = links(of: slot, level)
        work.seen.removeAll(keepingCapacity: true)
        work.seen.insert(slot)
        work.candidates.removeAll(keepingCapacity: true)
        work.stack = work.old
        // Through the dead to the living behind them, at most a few hundred.
        while let next = work.stack.popLast(), work.candidates.count < 16 * capacity {
            guard work.seen.insert(next).inserted else { continue }
            if view.isLinked(next) {
                work.candidates.append(next)
            } else if view.level(next) >= level {
                work.stack.append(contentsOf: links(of: next, level))
            }
        }
        if work.candidates.isEmpty {
            if graph.entry?.slot != slot { linker.insert(slot, mayBeTwin: false) } else { write([], slot, level) }
            return
        }
        let kept = work.old.filter { view.isLinked($0) }
        let added = choose(work.candidates, for: slot, beside: kept, max: capacity)
        write(kept + added, slot, level)
        // The dead one's neighbours lose a link to them as well: let new links lead both ways.
        for link in added { linker.addLink(from: link, to: slot, level: level) }
    }

    private func links(of slot: UInt32, _ level: Int) -> [UInt32] {
        let capacity = view.capacity(level)
        return [UInt32](unsafeUninitializedCapacity: capacity) { buffer, count in
            count = ck_read_links(view.list(slot, level), capacity, buffer.baseAddress!)
        }
    }

    private func write(_ links: [UInt32], _ slot: UInt32, _ level: Int) {
        ck_write_links(view.list(slot, level), view.capacity(level), links, links.count)
        markDirty(slot)
    }

    /// Slots that are nearer to the base than to any link it has or gets, nearest first.
    private func choose(_ slots: [UInt32], for base: UInt32, beside kept: [UInt32], max: Int) -> [UInt32] {
        let others = slots.filter { !kept.contains($0) }
        let distances = [Float](unsafeUninitializedCapacity: others.count) { buffer, count in
            graph.space.rows(
                view.vector(base),
                graph.space.dimension,
                view.rowChunks,
                ChunkedMemory.slotShift,
                view.stride,
                others,
                others.count,
                buffer.baseAddress!
            )
            count = others.count
        }
        let sorted = zip(distances, others).map { Candidate(distance: $0, slot: $1) }.sorted()
        var links = kept + [UInt32](repeating: 0, count: max - kept.count)
        let count = sorted.withUnsafeBufferPointer {
            NeighborSelection(graph).select($0, max: max, into: &links, beside: kept.count)
        }
        return Array(links[kept.count..<count])
    }
}
