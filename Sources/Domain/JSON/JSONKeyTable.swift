/// A hash table of positions in somebody else's list of keys: the owner keeps the keys, the table finds them.
///
/// Hashes come from `Hasher`, seeded per process, so that nobody outside can choose keys that collide.
/// Open addressing with linear probing, at most half full.
struct JSONKeyTable: Sendable {
    /// Up to so many members a scan of the list is as fast.
    static let threshold = 24

    /// The hash's low half above, position + 1 below; 0 is empty.
    private var slots: [UInt64]

    /// Has room for `count` positions and some more.
    init(for count: Int) {
        var slotCount = 64
        while slotCount < count * 2 { slotCount *= 2 }
        slots = [UInt64](repeating: 0, count: slotCount)
    }

    /// How many positions may stand in it.
    var capacity: Int { slots.count / 2 }

    /// The position whose key has `hash` and satisfies `matches`.
    func find(_ hash: UInt32, where matches: (Int) -> Bool) -> Int? {
        let mask = slots.count - 1
        var slot = Int(hash) & mask
        while slots[slot] != 0 {
            if UInt32(truncatingIfNeeded: slots[slot] >> 32) == hash {
                let position = Int(UInt32(truncatingIfNeeded: slots[slot])) - 1
                if matches(position) { return position }
            }
            slot = (slot + 1) & mask
        }
        return nil
    }

    /// Adds a position whose key is known to be absent. The owner sees to it that `capacity` is not passed.
    mutating func insert(_ position: Int, _ hash: UInt32) {
        let mask = slots.count - 1
        var slot = Int(hash) & mask
        while slots[slot] != 0 { slot = (slot + 1) & mask }
        slots[slot] = UInt64(hash) << 32 | UInt64(UInt32(position + 1))
    }

    static func hash(_ bytes: UnsafeBufferPointer<UInt8>) -> UInt32 {
        var hasher = Hasher()
        hasher.combine(bytes: UnsafeRawBufferPointer(bytes))
        return UInt32(truncatingIfNeeded: hasher.finalize())
    }

    static func hash(_ text: String) -> UInt32 {
        var text = text
        return text.withUTF8 { hash($0) }
    }
}

extension String {
    /// Whether both are the same Unicode scalars. `==` would also take canonically equivalent ones, but JSON's
    /// keys and strings are compared scalar by scalar.
    @inline(__always)
    func hasSameScalars(as other: String) -> Bool {
        let areSame = utf8.withContiguousStorageIfAvailable { left in
            other.utf8.withContiguousStorageIfAvailable { right in left.hasSameBytes(as: right) }
        }
        // A string without contiguous storage is one bridged from Objective-C.
        return (areSame ?? nil) ?? utf8.elementsEqual(other.utf8)
    }
}

extension UnsafeBufferPointer<UInt8> {
    /// Compares eight bytes at a time, the last ones first: keys of one object often begin alike.
    @inline(__always)
    func hasSameBytes(as other: Self) -> Bool {
        guard count == other.count else { return false }
        guard count >= 8, let left = UnsafeRawPointer(baseAddress), let right = UnsafeRawPointer(other.baseAddress)
        else {
            for position in 0..<count where self[position] != other[position] { return false }
            return true
        }
        var position = count - 8
        while true {
            let isSame =
                left.loadUnaligned(fromByteOffset: position, as: UInt64.self)
                == right.loadUnaligned(fromByteOffset: position, as: UInt64.self)
            if !isSame { return false }
            if position == 0 { return true }
            position = Swift.max(0, position - 8)
        }
    }
}
