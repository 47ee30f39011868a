import CKernels

/// What a slot holds. Zero, as fresh memory is, means free.
enum SlotState {
    static let free: UInt8 = 0
    /// Part of the graph and among the results of searches.
    static let live: UInt8 = 0x80
    /// Deleted: still a stepping stone of the graph, until the links to it are repaired.
    static let dead: UInt8 = 0x40
    /// Live, but not linked: has the same vector as a linked slot and hangs on its chain of twins.
    static let twin: UInt8 = 0x20
    static let levelMask: UInt8 = 0x1F
    static let levelMax = 24
}

/// The flat arrays of a graph as bare pointers: what the hot loops carry.
///
/// Each slot has a row of floats, a list of up to `2m` links on level 0, a key, a state byte with its
/// level, and, when its level is above 0, consecutive lists of up to `m` links in the upper area. Lists
/// end at `CK_NO_SLOT`.
///
/// Rows of a table often say the same, so equal vectors are common, and hundreds of them linked to each
/// other would cut themselves off from the rest. Only the first, the *head*, is part of the graph; the
/// others are its *twins*, a chain: `twins[head]` is the first, `twins[twin]` the next, and the first number
/// of a twin's own list names the slot before it.
///
/// A view is valid as long as the `GraphMemory` it came from.
struct GraphView {
    let vectors: ChunkedMemory.Table
    let lists: ChunkedMemory.Table
    let upperLists: ChunkedMemory.Table
    let keys: ChunkedMemory.Table
    let states: ChunkedMemory.Table
    let upperOffsets: ChunkedMemory.Table
    let twins: ChunkedMemory.Table
    let dirtyFlags: ChunkedMemory.Table
    let m: Int
    let stride: Int

    static let shift = Int(ChunkedMemory.slotShift)
    static let mask = (1 << shift) - 1
    static let upperShift = 10
    static let upperMask = (1 << upperShift) - 1

    /// Longest list of level 0 (M_max0 of the paper).
    var baseCapacity: Int { 2 * m }

    func capacity(_ level: Int) -> Int { level == 0 ? 2 * m : m }

    var rowChunks: UnsafePointer<UnsafeRawPointer?> {
        UnsafeRawPointer(vectors).assumingMemoryBound(to: UnsafeRawPointer?.self)
    }

    @inline(__always)
    private func element<T>(_ table: ChunkedMemory.Table, _ slot: UInt32, _ type: T.Type) -> UnsafeMutablePointer<T> {
        let position = Int(slot)
        return table[position >> Self.shift].unsafelyUnwrapped.assumingMemoryBound(to: T.self) + (position & Self.mask)
    }

    @inline(__always)
    func vector(_ slot: UInt32) -> UnsafeMutablePointer<Float> {
        let position = Int(slot)
        return vectors[position >> Self.shift].unsafelyUnwrapped.assumingMemoryBound(to: Float.self)
            + (position & Self.mask) * stride
    }

    @inline(__always)
    func key(_ slot: UInt32) -> UInt64 { ck_load_u64(element(keys, slot, UInt64.self)) }

    func setKey(_ slot: UInt32, _ key: UInt64) { ck_store_u64(element(keys, slot, UInt64.self), key) }

    @inline(__always)
    func state(_ slot: UInt32) -> UInt8 { ck_load_u8(element(states, slot, UInt8.self)) }

    func setState(_ slot: UInt32, _ state: UInt8) { ck_store_u8(element(states, slot, UInt8.self), state) }

    @inline(__always)
    func isLive(_ slot: UInt32) -> Bool { state(slot) & SlotState.live != 0 }

    /// Live and part of the graph.
    @inline(__always)
    func isLinked(_ slot: UInt32) -> Bool {
        state(slot) & (SlotState.live | SlotState.twin) == SlotState.live
    }

    func isTwin(_ slot: UInt32) -> Bool { state(slot) & SlotState.twin != 0 }

    func level(_ slot: UInt32) -> Int { Int(state(slot) & SlotState.levelMask) }

    func upperOffset(_ slot: UInt32) -> UInt32 { element(upperOffsets, slot, UInt32.self).pointee }

    func setUpperOffset(_ slot: UInt32, _ offset: UInt32) { element(upperOffsets, slot, UInt32.self).pointee = offset }

    /// The first twin of a head, or the next of a twin; `CK_NO_SLOT` when there is none.
    @inline(__always)
    func twin(_ slot: UInt32) -> UInt32 { ck_load_u32(element(twins, slot, UInt32.self)) }

    func setTwin(_ slot: UInt32, _ twin: UInt32) { ck_store_u32(element(twins, slot, UInt32.self), twin) }

    /// The list of a slot on a level it has.
    @inline(__always)
    func list(_ slot: UInt32, _ level: Int) -> UnsafeMutablePointer<UInt32> {
        if level == 0 {
            let position = Int(slot)
            return lists[position >> Self.shift].unsafelyUnwrapped.assumingMemoryBound(to: UInt32.self)
                + (position & Self.mask) * 2 * m
        }
        return upperUnit(Int(upperOffset(slot)) + level - 1)
    }

    func upperUnit(_ unit: Int) -> UnsafeMutablePointer<UInt32> {
        upperLists[unit >> Self.upperShift].unsafelyUnwrapped.assumingMemoryBound(to: UInt32.self)
            + (unit & Self.upperMask) * m
    }

    /// Sets flags of a slot that changed; true when it had none.
    func markDirty(_ slot: UInt32, _ flags: UInt8) -> Bool {
        ck_fetch_or_u8(element(dirtyFlags, slot, UInt8.self), flags) == 0
    }

    func takeDirtyFlags(_ slot: UInt32) -> UInt8 {
        let flag = element(dirtyFlags, slot, UInt8.self)
        defer { flag.pointee = 0 }
        return flag.pointee
    }
}

/// Owner of a graph's arrays.
final class GraphMemory {
    let vectors: ChunkedMemory
    let lists: ChunkedMemory
    let upperLists: ChunkedMemory
    let keys: ChunkedMemory
    let states: ChunkedMemory
    let upperOffsets: ChunkedMemory
    let twins: ChunkedMemory
    let dirtyFlags: ChunkedMemory
    let view: GraphView
    /// Keeps mapped chunks alive.
    var mapping: FileMapping?

    init(space: VectorSpace, m: Int) throws(VectorIndexError) {
        vectors = try ChunkedMemory(elementBytes: space.rowBytes)
        lists = try ChunkedMemory(elementBytes: 2 * m * MemoryLayout<UInt32>.stride)
        upperLists = try ChunkedMemory(
            elementBytes: m * MemoryLayout<UInt32>.stride,
            shift: UInt32(GraphView.upperShift)
        )
        keys = try ChunkedMemory(elementBytes: MemoryLayout<UInt64>.stride)
        states = try ChunkedMemory(elementBytes: 1)
        upperOffsets = try ChunkedMemory(elementBytes: MemoryLayout<UInt32>.stride)
        twins = try ChunkedMemory(elementBytes: MemoryLayout<UInt32>.stride)
        dirtyFlags = try ChunkedMemory(elementBytes: 1)
        view = GraphView(
            vectors: vectors.table,
            lists: lists.table,
            upperLists: upperLists.table,
            keys: keys.table,
            states: states.table,
            upperOffsets: upperOffsets.table,
            twins: twins.table,
            dirtyFlags: dirtyFlags.table,
            m: m,
            stride: space.stride
        )
    }

    func grow(slots: Int) throws(VectorIndexError) {
        guard slots < 1 << 31 else {
            throw VectorIndexError(.full, "the index is full: it can't hold more than 2^31 vectors")
        }
        for array in [vectors, lists, keys, states, upperOffsets, twins, dirtyFlags] { try array.grow(to: slots) }
    }

    func grow(upperUnits: Int) throws(VectorIndexError) { try upperLists.grow(to: upperUnits) }
}
