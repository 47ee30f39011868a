/// Free slots and free places of the upper area, in the hands of the writer.
struct SlotAllocator {
    private(set) var free: [UInt32] = []
    /// Freed, but a search that began before may still read them.
    private(set) var limbo: [UInt32] = []
    /// Places in the upper area for `level` lists, by level.
    private var freeRuns = [[UInt32]](repeating: [], count: SlotState.levelMax + 1)
    /// Lists of the upper area ever used.
    private(set) var upperCount = 0

    /// How many slots may wait in limbo before the writer waits for the searches that hold them there.
    static let limboMax = 256

    mutating func release(_ slot: UInt32) { limbo.append(slot) }

    /// Makes the slots in limbo free when no search can know them any more.
    ///
    /// - Parameter wipe: clears the row of a slot, so that deleted content does not stay in the next file.
    mutating func reclaim(_ gate: ReadWriteLock, wipe: (UInt32) -> Void) {
        guard free.isEmpty, !limbo.isEmpty else { return }
        if !gate.isIdle() {
            if limbo.count < Self.limboMax { return }
            gate.write {}
        }
        // Searches that begin now can't reach a slot that nothing links to.
        for slot in limbo { wipe(slot) }
        swap(&free, &limbo)
    }

    mutating func takeFree() -> UInt32? { free.popLast() }

    /// A place for `level` lists in a row.
    mutating func takeRun(_ level: Int) -> UInt32 {
        for length in level...SlotState.levelMax {
            guard let run = freeRuns[length].popLast() else { continue }
            if length > level { freeRuns[length - level].append(run + UInt32(level)) }
            return run
        }
        defer { upperCount += level }
        return UInt32(upperCount)
    }

    mutating func releaseRun(_ offset: UInt32, _ level: Int) {
        if level > 0 { freeRuns[level].append(offset) }
    }

    /// What a loaded file leaves free.
    mutating func adopt(free slots: [UInt32], upperCount: Int, isUsed: (Int) -> Bool) {
        free = slots
        limbo = []
        self.upperCount = upperCount
        var start = 0
        for unit in 0...upperCount where unit == upperCount || isUsed(unit) || unit - start == SlotState.levelMax {
            releaseRun(UInt32(start), unit - start)
            start = unit < upperCount && isUsed(unit) ? unit + 1 : unit
        }
    }
}
