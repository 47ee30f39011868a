/// The best `k` of a stream of results: nearest first, and of equally near ones the lowest key.
struct TopResults {
    struct Entry {
        var distance: Float
        var key: UInt64

        @inline(__always)
        static func isBetter(_ left: Entry, _ right: Entry) -> Bool {
            left.distance != right.distance ? left.distance < right.distance : left.key < right.key
        }
    }

    /// A heap with the worst at the root.
    private var entries: [Entry] = []
    private let k: Int

    init(k: Int) {
        self.k = k
        entries.reserveCapacity(min(k, 4_096))
    }

    /// No distance above this can enter any more.
    @inline(__always)
    var bound: Float { entries.count < k ? .infinity : entries[0].distance }

    mutating func offer(distance: Float, key: UInt64) {
        let entry = Entry(distance: distance, key: key)
        if entries.count < k {
            entries.append(entry)
            siftUp()
        } else if k > 0 && Entry.isBetter(entry, entries[0]) {
            entries[0] = entry
            siftDown()
        }
    }

    func sorted() -> [Neighbor] {
        entries.sorted(by: Entry.isBetter).map { Neighbor(key: $0.key, score: 0 - $0.distance) }
    }

    private mutating func siftUp() {
        var child = entries.count - 1
        while child > 0 {
            let parent = (child - 1) >> 1
            guard Entry.isBetter(entries[parent], entries[child]) else { return }
            entries.swapAt(parent, child)
            child = parent
        }
    }

    private mutating func siftDown() {
        var parent = 0
        while true {
            var worst = 2 * parent + 1
            guard worst < entries.count else { return }
            if worst + 1 < entries.count && Entry.isBetter(entries[worst], entries[worst + 1]) { worst += 1 }
            guard Entry.isBetter(entries[parent], entries[worst]) else { return }
            entries.swapAt(parent, worst)
            parent = worst
        }
    }
}
