/// A slot and its distance in one sortable word: ordered distance bits, slot, and a mark in the last bit.
///
/// Comparing words compares distances, then slots, so the order is total even for NaN from a damaged file.
typealias Candidate = UInt64

extension Candidate {
    static let expandedMark: UInt64 = 1

    @inline(__always)
    init(distance: Float, slot: UInt32) {
        let bits = (distance + 0).bitPattern  // + 0 makes -0 and 0 the same
        let ordered = bits ^ (bits >> 31 != 0 ? 0xFFFF_FFFF : 0x8000_0000)
        self = UInt64(ordered) << 32 | UInt64(slot) << 1
    }

    @inline(__always)
    var slot: UInt32 { UInt32(truncatingIfNeeded: self >> 1) & 0x7FFF_FFFF }

    @inline(__always)
    var distance: Float {
        let ordered = UInt32(truncatingIfNeeded: self >> 32)
        return Float(bitPattern: ordered ^ (ordered >> 31 != 0 ? 0x8000_0000 : 0xFFFF_FFFF))
    }
}

/// The nearest candidates met so far, ascending, with a cursor at the first not yet expanded: both heaps
/// of Malkov & Yashunin's algorithm 2 in one array.
///
/// A candidate that falls out of the best `limit` is farther than all of them, and their loop would stop
/// before expanding it; so one bounded array does the same work. An insertion moves at most a few
/// kilobytes within the cache, which is cheaper than two heaps up to an `ef` of thousands.
struct BeamPool {
    let base: UnsafeMutablePointer<Candidate>
    let capacity: Int
    /// How many are kept; at least 1.
    private(set) var limit: Int
    private(set) var count = 0
    private var cursor = 0

    /// - Parameter base: room for `capacity` candidates, not smaller than `limit`.
    init(base: UnsafeMutablePointer<Candidate>, capacity: Int, limit: Int) {
        self.base = base
        self.capacity = capacity
        self.limit = limit
    }

    var isFull: Bool { count >= limit }

    /// What a newcomer must stay below.
    @inline(__always)
    var bound: Candidate { count < limit ? .max : base[count - 1] }

    /// Keeps one more than before: for a stepping stone that will not be a result.
    mutating func widen() {
        if limit < capacity { limit += 1 }
    }

    @inline(__always)
    mutating func insert(_ candidate: Candidate) {
        var low = 0
        var high = count
        while low < high {
            let middle = (low + high) >> 1
            if base[middle] < candidate { low = middle + 1 } else { high = middle }
        }
        let moved = count < limit ? count - low : limit - 1 - low
        (base + low + 1).update(from: base + low, count: moved)
        base[low] = candidate
        if count < limit { count += 1 }
        if low < cursor { cursor = low }
    }

    /// The nearest not yet expanded, marked as expanded.
    @inline(__always)
    mutating func next() -> UInt32? {
        while cursor < count {
            let candidate = base[cursor]
            cursor += 1
            if candidate & Candidate.expandedMark == 0 {
                base[cursor - 1] = candidate | Candidate.expandedMark
                return candidate.slot
            }
        }
        return nil
    }

    /// What `next` would most likely give.
    @inline(__always)
    var upcoming: UInt32? { cursor < count ? base[cursor].slot : nil }
}
