#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// Memory of one array with an element for each slot, in chunks that never move.
///
/// A growing flat array would have to be copied while searches read it. Chunks of `1 << shift` elements
/// stay where they are, may lie in a mapped file as well as in memory of our own, and cost a search one
/// load from a small table. Fresh memory is zero and takes no space until touched.
///
/// Only one thread may grow it; others may read chunks of elements they learnt of from that thread.
final class ChunkedMemory {
    typealias Table = UnsafeMutablePointer<UnsafeMutableRawPointer?>

    let elementBytes: Int
    let shift: UInt32
    let table: Table
    private(set) var chunkCount = 0
    private var owned: [(start: UnsafeMutableRawPointer, bytes: Int)] = []

    /// Room for every slot number (2³¹) at the slots' chunk size; untouched pages of the table cost nothing.
    static let chunkCountMax = 1 << 18
    static let slotShift: UInt32 = 13
    private static let hugePage = 2 << 20

    init(elementBytes: Int, shift: UInt32 = ChunkedMemory.slotShift) throws(VectorIndexError) {
        self.elementBytes = elementBytes
        self.shift = shift
        let bytes = Self.chunkCountMax * MemoryLayout<UnsafeMutableRawPointer?>.stride
        table = try Self.map(bytes).bindMemory(to: UnsafeMutableRawPointer?.self, capacity: Self.chunkCountMax)
        owned.append((UnsafeMutableRawPointer(table), bytes))
    }

    deinit {
        for region in owned { munmap(region.start, region.bytes) }
    }

    var capacity: Int { chunkCount << Int(shift) }
    var chunkBytes: Int { elementBytes << Int(shift) }

    func element(_ position: Int) -> UnsafeMutableRawPointer {
        table[position >> Int(shift)]! + (position & ((1 << Int(shift)) - 1)) * elementBytes
    }

    /// Makes room for `count` elements.
    func grow(to count: Int) throws(VectorIndexError) {
        while capacity < count {
            guard chunkCount < Self.chunkCountMax else {
                throw VectorIndexError(.full, "the index is full: it can't hold more than 2^31 vectors")
            }
            // Huge pages halve the cost of a cache miss, but an index of a few rows should not take 2 MiB.
            let isLarge = count * elementBytes >= 2 * Self.hugePage || chunkCount > 0
            let chunk = isLarge && chunkBytes >= Self.hugePage ? try huge(chunkBytes) : try plain(chunkBytes)
            append(chunk)
        }
    }

    /// Adds a chunk that lies in memory of someone else, who keeps it alive.
    func append(_ chunk: UnsafeMutableRawPointer) {
        table[chunkCount] = chunk
        chunkCount += 1
    }

    private func plain(_ bytes: Int) throws(VectorIndexError) -> UnsafeMutableRawPointer {
        let start = try Self.map(bytes)
        owned.append((start, bytes))
        return start
    }

    private func huge(_ bytes: Int) throws(VectorIndexError) -> UnsafeMutableRawPointer {
        let whole = bytes + Self.hugePage
        let start = try Self.map(whole)
        owned.append((start, whole))
        let misalignment = Int(bitPattern: start) & (Self.hugePage - 1)
        let aligned = start + (misalignment == 0 ? 0 : Self.hugePage - misalignment)
        #if os(Linux)
            madvise(aligned, bytes, 14 /* MADV_HUGEPAGE; advice may be refused, then pages stay small */)
        #endif
        return aligned
    }

    private static func map(_ bytes: Int) throws(VectorIndexError) -> UnsafeMutableRawPointer {
        let flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE
        guard let start = mmap(nil, bytes, PROT_READ | PROT_WRITE, flags, -1, 0), start != MAP_FAILED else {
            throw VectorIndexError(
                .inputOutput,
                "no memory for the index",
                detail: "mmap of \(bytes) bytes: errno \(errno)"
            )
        }
        return start
    }
}
