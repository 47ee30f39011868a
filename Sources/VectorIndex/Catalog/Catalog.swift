/// What is in the index, beside the graph: key to slot, and the slots of each partition.
///
/// A value without a lock of its own; `Graph` guards it. A search trusts a slot only when the catalog still
/// maps its key to it, so what the catalog says is what the index holds.
struct Catalog {
    private var table: KeyTable
    private var partitions: [UInt32: [UInt32]] = [:]
    /// Where each slot stands in its partition's list.
    private var positions: [UInt32] = []

    init(minimumCapacity: Int = 0) { table = KeyTable(minimumCapacity: minimumCapacity) }

    var count: Int { table.count }

    func slot(for key: UInt64, in view: GraphView) -> UInt32? { table.slot(for: key, in: view) }

    func holds(_ slot: UInt32, in view: GraphView) -> Bool {
        table.slot(for: view.key(slot), in: view) == slot
    }

    /// Slots of a partition, in no order.
    func slots(inPartition partition: UInt32) -> [UInt32] { partitions[partition] ?? [] }

    func count(inPartition partition: UInt32) -> Int { partitions[partition]?.count ?? 0 }

    var partitionNumbers: some Collection<UInt32> { partitions.keys }

    /// Adds a slot whose key is not there.
    mutating func insert(_ slot: UInt32, in view: GraphView) {
        table.insert(slot, in: view)
        enlist(slot, view.key(slot))
    }

    /// Lets the key of `new`, which `old` held until now, mean `new`.
    mutating func replace(_ old: UInt32, with new: UInt32, in view: GraphView) {
        let key = view.key(new)
        table.replace(key, with: new, in: view)
        strike(old, key)
        enlist(new, key)
    }

    /// Takes a slot out; its key must still be in the view.
    mutating func remove(_ slot: UInt32, in view: GraphView) {
        let key = view.key(slot)
        table.remove(key, in: view)
        strike(slot, key)
    }

    private mutating func enlist(_ slot: UInt32, _ key: UInt64) {
        let position = Int(slot)
        if position >= positions.count {
            positions.append(contentsOf: repeatElement(0, count: max(position + 1 - positions.count, positions.count)))
        }
        let partition = UInt32(truncatingIfNeeded: key >> 32)
        positions[position] = UInt32(partitions[partition]?.count ?? 0)
        partitions[partition, default: []].append(slot)
    }

    private mutating func strike(_ slot: UInt32, _ key: UInt64) {
        let partition = UInt32(truncatingIfNeeded: key >> 32)
        let position = Int(positions[Int(slot)])
        let moved = partitions[partition]!.removeLast()
        if moved != slot {
            partitions[partition]![position] = moved
            positions[Int(moved)] = UInt32(position)
        }
        if partitions[partition]!.isEmpty { partitions[partition] = nil }
    }
}
