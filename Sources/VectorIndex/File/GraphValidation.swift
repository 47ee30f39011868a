import CKernels

/// Checks that every number of a graph leads to where it may lead, before anything follows one.
///
/// A checksum tells of accidents; these files are untrusted, and a checksum is easily forged.
struct GraphValidation {
    let graph: Graph
    let upperCount: Int

    func check() throws(VectorIndexError) {
        let view = graph.view
        let slotCount = UInt32(graph.slotCount)
        var upperUse = [Bool](repeating: false, count: upperCount)
        var dead = 0
        var twins = 0
        for slot in 0..<slotCount {
            let state = view.state(slot)
            guard Self.isPossible(state) else { throw .corrupt("state of a slot", "slot \(slot): \(state)") }
            if state == SlotState.free { continue }
            if state & SlotState.dead != 0 { dead += 1 }
            if state & SlotState.twin != 0 { twins += 1 }
            let level = view.level(slot)
            if level > 0 {
                let start = Int(view.upperOffset(slot))
                guard start + level <= upperCount else { throw .corrupt("place of upper links", "slot \(slot)") }
                for unit in start..<start + level {
                    guard !upperUse[unit] else { throw .corrupt("place of upper links", "slot \(slot)") }
                    upperUse[unit] = true
                }
            }
            for current in 0...level { try checkList(slot, current, slotCount) }
        }
        graph.deadCount = dead
        try checkTwins(slotCount, twins)
        try checkEntry(slotCount)
    }

    static func isPossible(_ state: UInt8) -> Bool {
        let level = state & SlotState.levelMask
        switch state & ~SlotState.levelMask {
        case SlotState.free: return level == 0
        case SlotState.live, SlotState.dead, SlotState.live | SlotState.twin: return level <= SlotState.levelMax
        default: return false
        }
    }

    private func checkList(_ slot: UInt32, _ level: Int, _ slotCount: UInt32) throws(VectorIndexError) {
        let view = graph.view
        let list = view.list(slot, level)
        let capacity = view.capacity(level)
        guard ck_links_valid(list, capacity, slotCount, slot) else {
            throw .corrupt("links of a slot", "slot \(slot), level \(level)")
        }
        if view.isTwin(slot) { return }
        var position = 0
        while position < capacity && list[position] != CK_NO_SLOT {
            let state = view.state(list[position])
            guard state != SlotState.free, state & SlotState.twin == 0, Int(state & SlotState.levelMask) >= level else {
                throw .corrupt("a link leads nowhere", "slot \(slot), level \(level)")
            }
            position += 1
        }
    }

    /// Every twin hangs on exactly one chain, each chain on a linked slot.
    private func checkTwins(_ slotCount: UInt32, _ twins: Int) throws(VectorIndexError) {
        let view = graph.view
        var met = 0
        for head in 0..<slotCount where view.isLive(head) && !view.isTwin(head) {
            var before = head
            var twin = view.twin(head)
            while twin != CK_NO_SLOT {
                // A twin names the one before it, so no two chains and no loop can share one.
                guard twin < slotCount, view.isTwin(twin), view.isLive(twin), view.list(twin, 0).pointee == before,
                    met < twins
                else { throw .corrupt("chain of equal vectors", "slot \(head)") }
                met += 1
                before = twin
                twin = view.twin(twin)
            }
        }
        // What is dead has handed its twins on.
        for slot in 0..<slotCount where view.state(slot) & SlotState.dead != 0 && view.twin(slot) != CK_NO_SLOT {
            throw .corrupt("chain of equal vectors", "slot \(slot)")
        }
        guard met == twins else { throw .corrupt("chain of equal vectors", "\(met) of \(twins)") }
    }

    private func checkEntry(_ slotCount: UInt32) throws(VectorIndexError) {
        let view = graph.view
        guard let entry = graph.entry else {
            for slot in 0..<slotCount where view.state(slot) != SlotState.free {
                throw .corrupt("there are vectors but no entry point")
            }
            return
        }
        let state = view.state(entry.slot)
        guard state != SlotState.free, state & SlotState.twin == 0, view.level(entry.slot) == entry.level else {
            throw .corrupt("entry point", "slot \(entry.slot)")
        }
    }
}
