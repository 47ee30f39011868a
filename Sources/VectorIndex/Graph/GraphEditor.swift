import CKernels
import Dispatch
import Synchronization

/// Changes a graph: the writer's half. One thread at a time; searches go on beside it.
final class GraphEditor {
    let graph: Graph
    let view: GraphView
    var linker: GraphLinker
    var allocator = SlotAllocator()
    /// Deleted slots still linked.
    var dead: [UInt32] = []
    /// Slots that changed since `takeDirty`.
    private var dirty: [UInt32] = []

    init(_ graph: Graph) {
        self.graph = graph
        view = graph.view
        linker = GraphLinker(graph, locks: nil)
    }

    /// Slots that changed since this was last called. Their flags tell how, until taken one by one.
    func takeDirty() -> [UInt32] {
        dirty.append(contentsOf: linker.takeDirty())
        defer { dirty = [] }
        return dirty
    }

    var dirtyCount: Int { dirty.count + linker.dirty.count }

    /// Adds keys or gives them other vectors.
    ///
    /// - Parameters:
    ///   - keys: without duplicates.
    ///   - row: gives the stored form of a key's vector by its position.
    ///   - threads: how many link at once; the graph depends on timing when there are several.
    func upsert(
        _ keys: [UInt64],
        row: (Int) -> UnsafePointer<Float>,
        threads: Int = 1
    ) throws(VectorIndexError) {
        var changes: [(slot: UInt32, old: UInt32?)] = []
        changes.reserveCapacity(keys.count)
        let present = graph.readCatalog { catalog in keys.map { catalog.slot(for: $0, in: view) } }
        for (position, key) in keys.enumerated() {
            let vector = row(position)
            if let old = present[position], ck_equal_bytes(view.vector(old), vector, graph.space.rowBytes) { continue }
            do throws(VectorIndexError) {
                changes.append((try allocate(key, vector), present[position]))
            } catch {
                // No memory: what was prepared goes back, and nothing has changed.
                for change in changes { free(change.slot) }
                throw error
            }
        }
        link(changes.map(\.slot), threads: threads)
        for (slot, old) in changes {
            graph.writeCatalog { catalog in
                if let old { catalog.replace(old, with: slot, in: view) } else { catalog.insert(slot, in: view) }
            }
        }
        // Only now, when the catalog knows every key: retiring a head moves a twin's key into it, and the twin may be
        // of this very batch. Twins go first, so that no head takes over a key that has just left it.
        let retired = changes.compactMap(\.old)
        let twins = retired.filter { view.isTwin($0) }
        let heads = retired.filter { !view.isTwin($0) }
        for slot in twins { retire(slot) }
        for slot in heads { retire(slot) }
        repairWhenDue()
    }

    /// Takes a key out; false when it was not there.
    func delete(_ key: UInt64) -> Bool {
        guard let slot = graph.readCatalog({ $0.slot(for: key, in: view) }) else { return false }
        graph.writeCatalog { $0.remove(slot, in: view) }
        retire(slot)
        repairWhenDue()
        return true
    }

    func markDirty(_ slot: UInt32, _ flags: UInt8 = DirtyFlags.links) {
        if view.markDirty(slot, flags) { dirty.append(slot) }
    }

    // MARK: Slots

    private func allocate(_ key: UInt64, _ vector: UnsafePointer<Float>) throws(VectorIndexError) -> UInt32 {
        allocator.reclaim(graph.gate) { slot in
            view.vector(slot).update(repeating: 0, count: graph.space.stride)
        }
        let level = graph.level(for: key)
        let reused = allocator.takeFree()
        let slot = reused ?? UInt32(graph.slotCount)
        if reused == nil { try graph.memory.grow(slots: graph.slotCount + 1) }
        if level > 0 {
            let offset = allocator.takeRun(level)
            try graph.memory.grow(upperUnits: allocator.upperCount)
            view.setUpperOffset(slot, offset)
        }
        view.vector(slot).update(from: vector, count: graph.space.stride)
        view.setKey(slot, key)
        view.setTwin(slot, CK_NO_SLOT)
        for current in 0...level {
            clearLinks(slot, current)
        }
        view.setState(slot, SlotState.live | UInt8(level))
        if reused == nil { graph.slotCount += 1 }
        markDirty(slot, DirtyFlags.links | DirtyFlags.vector)
        return slot
    }

    private func clearLinks(_ slot: UInt32, _ level: Int) {
        view.list(slot, level).update(repeating: CK_NO_SLOT, count: view.capacity(level))
    }

    private func link(_ slots: [UInt32], threads: Int) {
        var rest = slots[...]
        if graph.entry == nil, let first = rest.popFirst() { linker.insert(first) }
        guard threads > 1 && rest.count >= 2 * threads else {
            for slot in rest { linker.insert(slot) }
            return
        }
        let locks = NodeLocks()
        let next = Atomic<Int>(rest.startIndex)
        let end = rest.endIndex
        let changed = Mutex<[UInt32]>([])
        let graph = graph
        DispatchQueue.concurrentPerform(iterations: threads) { _ in
            var linker = GraphLinker(graph, locks: locks)
            while true {
                let position = next.wrappingAdd(1, ordering: .relaxed).oldValue
                if position >= end { break }
                linker.insert(slots[position])
            }
            let mine = linker.takeDirty()
            changed.withLock { $0.append(contentsOf: mine) }
        }
        dirty.append(contentsOf: changed.withLock { $0 })
    }

    // MARK: Deleting

    /// Takes a slot, whose key the catalog no longer maps to it, out of the results.
    private func retire(_ slot: UInt32) {
        if view.isTwin(slot) {
            detach(slot)
        } else if view.twin(slot) != CK_NO_SLOT {
            // The vector stays for the others that have it: the first twin's key takes the head's place.
            let twin = view.twin(slot)
            graph.writeCatalog { catalog in
                view.setKey(slot, view.key(twin))
                catalog.replace(twin, with: slot, in: view)
            }
            markDirty(slot)
            detach(twin)
        } else {
            view.setState(slot, SlotState.dead | UInt8(view.level(slot)))
            dead.append(slot)
            graph.deadCount = dead.count
            markDirty(slot)
        }
    }

    /// Takes a twin out of its chain and frees it.
    private func detach(_ twin: UInt32) {
        let before = view.list(twin, 0).pointee
        let after = view.twin(twin)
        view.setTwin(before, after)
        markDirty(before)
        if after != CK_NO_SLOT {
            withUnsafePointer(to: before) { ck_write_links(view.list(after, 0), view.baseCapacity, $0, 1) }
            markDirty(after)
        }
        free(twin)
    }

    func free(_ slot: UInt32) {
        allocator.releaseRun(view.upperOffset(slot), view.level(slot))
        view.setState(slot, SlotState.free)
        allocator.release(slot)
        markDirty(slot)
    }
}

extension GraphEditor {
    /// Takes over a loaded graph: finds what is free and what is dead.
    func adopt(upperCount: Int) {
        var free: [UInt32] = []
        var used = [Bool](repeating: false, count: upperCount)
        for slot in 0..<UInt32(graph.slotCount) {
            let state = view.state(slot)
            if state == SlotState.free {
                free.append(slot)
                continue
            }
            if state & SlotState.dead != 0 { dead.append(slot) }
            let level = view.level(slot)
            if level > 0 {
                let start = Int(view.upperOffset(slot))
                for unit in start..<start + level { used[unit] = true }
            }
        }
        free.reverse()
        allocator.adopt(free: free, upperCount: upperCount) { used[$0] }
        graph.deadCount = dead.count
    }
}
