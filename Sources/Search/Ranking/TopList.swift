import Foundation

/// Keeps the `capacity` best of what it is offered: a binary heap with the worst on top.
struct TopList {
    let capacity: Int
    private var heap: [(key: UInt64, score: Float)] = []

    init(capacity: Int) { self.capacity = capacity }

    mutating func offer(_ key: UInt64, _ score: Float) {
        if heap.count < capacity {
            heap.append((key, score))
            siftUp(heap.count - 1)
        } else if let worst = heap.first, Self.isWorse(worst, (key, score)) {
            heap[0] = (key, score)
            siftDown(0)
        }
    }

    /// Best first; of equals the lower key first.
    func sorted() -> [(key: UInt64, score: Float)] { heap.sorted { Self.isWorse($1, $0) } }

    private static func isWorse(_ left: (key: UInt64, score: Float), _ right: (key: UInt64, score: Float)) -> Bool {
        left.score != right.score ? left.score < right.score : left.key > right.key
    }

    private mutating func siftUp(_ start: Int) {
        var child = start
        while child > 0 {
            let parent = (child - 1) / 2
            guard Self.isWorse(heap[child], heap[parent]) else { return }
            heap.swapAt(child, parent)
            child = parent
        }
    }

    private mutating func siftDown(_ start: Int) {
        var parent = start
        while true {
            var worst = parent
            for child in [2 * parent + 1, 2 * parent + 2]
            where child < heap.count && Self.isWorse(heap[child], heap[worst]) {
                worst = child
            }
            if worst == parent { return }
            heap.swapAt(parent, worst)
            parent = worst
        }
    }
}

/// The natural logarithm.
func logarithm(_ value: Double) -> Double { log(value) }

/// e to the power of `value`.
func exponential(_ value: Double) -> Double { exp(value) }
