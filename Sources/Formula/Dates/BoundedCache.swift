import Synchronization

/// Remembers what is expensive to make, for up to twice `capacity` keys.
///
/// Two generations: new and used entries live in the young one; when that is full it becomes the old one, and what was
/// old is dropped. So what is used again and again stays, at the cost of one lock and one or two look-ups. Safe to
/// share between threads; two of them may make the same value at once, and either is kept.
final class BoundedCache<Key: Hashable & Sendable, Value: Sendable>: Sendable {
    private let capacity: Int
    private let generations = Mutex(Generations())

    init(capacity: Int) {
        precondition(capacity > 0, "a cache for \(capacity) entries")
        self.capacity = capacity
    }

    /// The value of `key`, made now if it isn't remembered. `make` runs outside the lock.
    func value(_ key: Key, make: (Key) -> Value) -> Value {
        let found: Value? = generations.withLock { generations in
            if let value = generations.young[key] { return value }
            guard let value = generations.old[key] else { return nil }
            generations.insert(value, key, capacity)
            return value
        }
        if let found { return found }
        let value = make(key)
        generations.withLock { $0.insert(value, key, capacity) }
        return value
    }

    /// How many are remembered now.
    var count: Int {
        generations.withLock { generations in
            generations.young.count + generations.old.keys.count { generations.young[$0] == nil }
        }
    }

    private struct Generations {
        var young: [Key: Value] = [:]
        var old: [Key: Value] = [:]

        mutating func insert(_ value: Value, _ key: Key, _ capacity: Int) {
            if young.count >= capacity, young[key] == nil {
                old = young
                young = [:]
            }
            young[key] = value
        }
    }
}
