/// Which slot holds a key: open addressing over slot numbers, 4 bytes a place, keys read from the graph.
///
/// Linear probing, at most 70 % full; removal shifts the following entries back, so there are no
/// tombstones and size follows the live count.
struct KeyTable {
    private var places: [UInt32]
    private var mask: Int
    private(set) var count = 0

    private static let empty = UInt32.max

    init(minimumCapacity: Int = 0) {
        var size = 16
        while size * 7 / 10 < minimumCapacity { size *= 2 }
        places = Array(repeating: Self.empty, count: size)
        mask = size - 1
    }

    /// Mixes all bits (the finaliser of MurmurHash3): keys are often consecutive numbers under one prefix.
    private static func hash(_ key: UInt64) -> Int {
        var mixed = key
        mixed ^= mixed >> 33
        mixed &*= 0xFF51_AFD7_ED55_8CCD
        mixed ^= mixed >> 33
        return Int(truncatingIfNeeded: mixed)
    }

    func slot(for key: UInt64, in view: GraphView) -> UInt32? {
        var place = Self.hash(key) & mask
        while true {
            let slot = places[place]
            if slot == Self.empty { return nil }
            if view.key(slot) == key { return slot }
            place = (place + 1) & mask
        }
    }

    /// Adds a key that is not there; `view.key(slot)` must already be it.
    mutating func insert(_ slot: UInt32, in view: GraphView) {
        if (count + 1) * 10 > places.count * 7 { rehash(places.count * 2, in: view) }
        place(slot, view.key(slot))
        count += 1
    }

    /// Lets a present key point to another slot.
    mutating func replace(_ key: UInt64, with slot: UInt32, in view: GraphView) {
        places[find(key, in: view)!] = slot
    }

    @discardableResult
    mutating func remove(_ key: UInt64, in view: GraphView) -> UInt32? {
        guard var hole = find(key, in: view) else { return nil }
        let removed = places[hole]
        count -= 1
        var next = hole
        while true {
            next = (next + 1) & mask
            let slot = places[next]
            if slot == Self.empty { break }
            let home = Self.hash(view.key(slot)) & mask
            // The entry may move back unless its home lies (cyclically) after the hole.
            if (next - home) & mask >= (next - hole) & mask {
                places[hole] = slot
                hole = next
            }
        }
        places[hole] = Self.empty
        return removed
    }

    private func find(_ key: UInt64, in view: GraphView) -> Int? {
        var place = Self.hash(key) & mask
        while places[place] != Self.empty {
            if view.key(places[place]) == key { return place }
            place = (place + 1) & mask
        }
        return nil
    }

    private mutating func place(_ slot: UInt32, _ key: UInt64) {
        var place = Self.hash(key) & mask
        while places[place] != Self.empty { place = (place + 1) & mask }
        places[place] = slot
    }

    private mutating func rehash(_ size: Int, in view: GraphView) {
        let old = places
        places = Array(repeating: Self.empty, count: size)
        mask = size - 1
        for slot in old where slot != Self.empty { place(slot, view.key(slot)) }
    }
}
