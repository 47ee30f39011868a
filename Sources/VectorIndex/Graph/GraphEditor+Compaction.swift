import CKernels

/// Giving memory back: after many deletions without as many additions, most slots are free.
extension GraphEditor {
    private static let slotsMin = 2_048

    /// True when more than half of the slots are free, and enough of them to be worth it.
    var isSparse: Bool { graph.slotCount >= Self.slotsMin && graph.count < graph.slotCount / 2 }

    /// The same graph without free slots, in memory of its own; this one stays as it is.
    ///
    /// Slots keep their order, and every link its place, so searches find the same by the same way.
    func compacted() throws(VectorIndexError) -> GraphEditor {
        repair()
        let (numbers, slotCount, upperCount) = numberAnew()
        let target = try Graph(parameters: graph.parameters, expectedCount: graph.count)
        try target.memory.grow(slots: slotCount)
        try target.memory.grow(upperUnits: upperCount)
        var upper: UInt32 = 0
        for slot in 0..<UInt32(graph.slotCount) where numbers[Int(slot)] != CK_NO_SLOT {
            copy(slot, to: target.view, numbers, upper: upper)
            upper += UInt32(view.level(slot))
        }
        target.slotCount = slotCount
        target.entry = graph.entry.map { (numbers[Int($0.slot)], $0.level) }
        target.writeCatalog { catalog in
            for slot in 0..<UInt32(slotCount) { catalog.insert(slot, in: target.view) }
        }
        let editor = GraphEditor(target)
        editor.adopt(upperCount: upperCount)
        return editor
    }

    private func numberAnew() -> (numbers: [UInt32], slotCount: Int, upperCount: Int) {
        var numbers = [UInt32](repeating: CK_NO_SLOT, count: graph.slotCount)
        var slotCount = 0
        var upperCount = 0
        for slot in 0..<UInt32(graph.slotCount) where view.isLive(slot) {
            numbers[Int(slot)] = UInt32(slotCount)
            slotCount += 1
            upperCount += view.level(slot)
        }
        return (numbers, slotCount, upperCount)
    }

    private func copy(_ slot: UInt32, to target: GraphView, _ numbers: [UInt32], upper: UInt32) {
        let new = numbers[Int(slot)]
        let twin = view.twin(slot)
        target.vector(new).update(from: view.vector(slot), count: view.stride)
        target.setKey(new, view.key(slot))
        target.setTwin(new, twin == CK_NO_SLOT ? CK_NO_SLOT : numbers[Int(twin)])
        target.setUpperOffset(new, upper)
        for level in 0...view.level(slot) {
            let source = view.list(slot, level)
            let list = target.list(new, level)
            for position in 0..<view.capacity(level) {
                list[position] = source[position] == CK_NO_SLOT ? CK_NO_SLOT : numbers[Int(source[position])]
            }
        }
        target.setState(new, view.state(slot))
    }
}
