/// Values by key, bounded by what they cost together. A value on its own: whoever shares one guards it.
///
/// Full, it starts over: making each value again once costs less than to keep an order of use at every look.
struct CostCache<Key: Hashable & Sendable, Value: Sendable>: Sendable {
    private let capacity: Int
    private var entries: [Key: (value: Value, cost: Int)] = [:]
    private(set) var cost = 0

    init(capacity: Int) {
        precondition(capacity > 0, "a cache of \(capacity) holds nothing")
        self.capacity = capacity
    }

    var count: Int { entries.count }

    subscript(_ key: Key) -> Value? { entries[key]?.value }

    /// Keeps a value, but for one that alone costs more than the whole.
    mutating func insert(_ value: Value, for key: Key, cost: Int) {
        remove(key)
        guard cost <= capacity else { return }
        if self.cost + cost > capacity { removeAll() }
        entries[key] = (value, cost)
        self.cost += cost
    }

    mutating func remove(_ key: Key) {
        if let old = entries.removeValue(forKey: key) { cost -= old.cost }
    }

    mutating func removeAll() {
        entries.removeAll(keepingCapacity: true)
        cost = 0
    }
}
