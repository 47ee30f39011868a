/// Read-only Float32 values that somebody keeps alive: a mapped file, or memory of their own.
///
/// Use the pointer only while this value (or a copy) is held.
struct FloatTensor: Sendable {
    let count: Int
    /// Aligned to at least 4 bytes; to 64 where the memory is our own.
    nonisolated(unsafe) let base: UnsafePointer<Float>
    private let owner: any AnyObject & Sendable

    /// Values inside a mapped file.
    init(mapped floats: UnsafeBufferPointer<Float>, of file: MappedFile) {
        count = floats.count
        base = floats.baseAddress!
        owner = file
    }

    /// `count` values of our own, which `fill` must write wholly.
    init(filling count: Int, _ fill: (UnsafeMutableRawBufferPointer) throws -> Void) rethrows {
        let memory = FloatMemory(count: count)
        try fill(UnsafeMutableRawBufferPointer(start: memory.base, count: count * MemoryLayout<Float>.stride))
        self.count = count
        base = UnsafePointer(memory.base)
        owner = memory
    }

    var values: UnsafeBufferPointer<Float> { UnsafeBufferPointer(start: base, count: count) }
}

/// Uninitialised Float32 memory, aligned to 64 bytes, freed with the object.
final class FloatMemory: Sendable {
    let count: Int
    // Handing out the pointer shares nothing by itself; each owner says who writes and when.
    nonisolated(unsafe) let base: UnsafeMutablePointer<Float>

    init(count: Int) {
        self.count = count
        let bytes = max(count, 1) * MemoryLayout<Float>.stride
        let raw = UnsafeMutableRawPointer.allocate(byteCount: bytes, alignment: 64)
        base = raw.bindMemory(to: Float.self, capacity: max(count, 1))
    }

    deinit { UnsafeMutableRawPointer(base).deallocate() }
}
