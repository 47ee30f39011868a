/// Which keys a search may return; the rest are never among its results, nor counted in `k`.
public enum AllowedKeys: Sendable {
    case all
    /// Keys whose upper 32 bits are one of these. The index knows how many there are, so this is the
    /// cheapest filter.
    case partitions(Set<UInt32>)
    case keys(KeySet)
}

/// A set of keys, kept as sorted unique numbers: 8 bytes a key, membership by binary search.
public struct KeySet: Sendable, Hashable {
    /// Ascending, without duplicates.
    public let sorted: [UInt64]

    /// - Complexity: O(n log n); O(n) when the keys come in ascending order.
    public init(_ keys: some Sequence<UInt64>) {
        var all = Array(keys)
        var ascending = true
        for position in all.indices.dropFirst() where all[position] <= all[position - 1] {
            ascending = false
            break
        }
        if !ascending {
            all.sort()
            var kept = 0
            for position in all.indices where position == 0 || all[position] != all[kept - 1] {
                all[kept] = all[position]
                kept += 1
            }
            all.removeLast(all.count - kept)
        }
        sorted = all
    }

    public var count: Int { sorted.count }
    public var isEmpty: Bool { sorted.isEmpty }

    public func contains(_ key: UInt64) -> Bool {
        sorted.withUnsafeBufferPointer { keys in
            var low = 0
            var high = keys.count
            while low < high {
                let middle = (low + high) >> 1
                if keys[middle] < key { low = middle + 1 } else { high = middle }
            }
            return low < keys.count && keys[low] == key
        }
    }
}
