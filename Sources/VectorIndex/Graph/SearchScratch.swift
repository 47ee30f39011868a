import Synchronization

/// What one walk of the graph needs besides the graph, reused from walk to walk.
///
/// `@unchecked Sendable`: `ScratchPool` lends each to one walk at a time, through a lock.
final class SearchScratch: @unchecked Sendable {
    /// A mark for each slot: equal to `tag` when this walk has been there.
    private(set) var tags: UnsafeMutablePointer<UInt8>
    private(set) var tag: UInt8 = 0
    private var tagCapacity = 0
    private(set) var pool: UnsafeMutablePointer<Candidate>
    private var poolCapacity = 0
    /// A block of slots and their distances.
    let slots: UnsafeMutablePointer<UInt32>
    let distances: UnsafeMutablePointer<Float>
    /// A query as the index compares it: 64-byte aligned, `stride` floats.
    let query: UnsafeMutablePointer<Float>
    /// Candidates waiting, when a filter makes more of them wait than results are kept.
    var heap = CandidateHeap()
    var candidates: [Candidate] = []
    /// Distances computed since it was last set to 0.
    var evaluations = 0

    static let blockCapacity = 256

    init(stride: Int) {
        tags = .allocate(capacity: 1)
        pool = .allocate(capacity: 1)
        slots = .allocate(capacity: Self.blockCapacity)
        distances = .allocate(capacity: Self.blockCapacity)
        query = UnsafeMutableRawPointer.allocate(byteCount: stride * 4, alignment: 64)
            .bindMemory(to: Float.self, capacity: stride)
        query.initialize(repeating: 0, count: stride)
    }

    deinit {
        tags.deallocate()
        pool.deallocate()
        slots.deallocate()
        distances.deallocate()
        query.deallocate()
    }

    /// Forgets where earlier walks have been. A byte a slot stays in the cache; it is wiped once in 255 walks.
    func beginWalk(slotLimit: Int) {
        if slotLimit > tagCapacity {
            tags.deallocate()
            tagCapacity = max(slotLimit, tagCapacity * 3 / 2, 1_024)
            tags = .allocate(capacity: tagCapacity)
            tags.initialize(repeating: 0, count: tagCapacity)
            tag = 0
        }
        tag &+= 1
        if tag == 0 {
            tags.update(repeating: 0, count: tagCapacity)
            tag = 1
        }
    }

    /// An empty pool that keeps `limit`, with room to widen for as many again.
    func beginPool(limit: Int) -> BeamPool {
        let wanted = 2 * limit + 64
        if wanted > poolCapacity {
            pool.deallocate()
            pool = .allocate(capacity: wanted)
            poolCapacity = wanted
        }
        return BeamPool(base: pool, capacity: wanted, limit: limit)
    }
}

/// A binary min-heap of candidates.
struct CandidateHeap {
    private var items: [Candidate] = []

    var isEmpty: Bool { items.isEmpty }

    mutating func removeAll() { items.removeAll(keepingCapacity: true) }

    mutating func push(_ candidate: Candidate) {
        items.append(candidate)
        items.withUnsafeMutableBufferPointer { items in
            var child = items.count - 1
            while child > 0 {
                let parent = (child - 1) >> 1
                if items[parent] <= candidate { break }
                items[child] = items[parent]
                child = parent
            }
            items[child] = candidate
        }
    }

    mutating func pop() -> Candidate? {
        guard let last = items.popLast() else { return nil }
        guard let first = items.first else { return last }
        items.withUnsafeMutableBufferPointer { items in
            var parent = 0
            while true {
                var child = 2 * parent + 1
                if child >= items.count { break }
                if child + 1 < items.count && items[child + 1] < items[child] { child += 1 }
                if last <= items[child] { break }
                items[parent] = items[child]
                parent = child
            }
            items[parent] = last
        }
        return first
    }
}

/// Scratch space for as many walks as run at once.
final class ScratchPool: Sendable {
    private let idle = Mutex<[SearchScratch]>([])
    private let stride: Int

    init(stride: Int) { self.stride = stride }

    func with<T, E: Error>(_ body: (SearchScratch) throws(E) -> T) throws(E) -> T {
        let scratch = idle.withLock { $0.popLast() } ?? SearchScratch(stride: stride)
        defer { idle.withLock { $0.append(scratch) } }
        return try body(scratch)
    }
}
