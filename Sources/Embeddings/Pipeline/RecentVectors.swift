import Domain
import Synchronization

/// The vectors of the last queries, in memory: a query that is paged through, refined or asked by a script again costs
/// no encoding. First in, first out; by tenant, like everything.
final class RecentVectors: Sendable {
    private struct Key: Hashable {
        let tenant: TenantID
        let hash: [UInt8]
    }

    private struct State {
        var entries: [Key: EmbeddingCache.Entry] = [:]
        /// A ring: the next place to overwrite is the oldest.
        var order: [Key] = []
        var next = 0
    }

    private let countMax: Int
    private let state = Mutex(State())

    /// - Parameter countMax: about 2 KB each at 384 dimensions.
    init(countMax: Int = 512) {
        self.countMax = countMax
    }

    func entries(of hashes: [[UInt8]], _ tenant: TenantID) -> [[UInt8]: EmbeddingCache.Entry] {
        state.withLock { state in
            var found: [[UInt8]: EmbeddingCache.Entry] = [:]
            for hash in hashes { found[hash] = state.entries[Key(tenant: tenant, hash: hash)] }
            return found
        }
    }

    func keep(_ entries: [EmbeddingCache.Entry], _ tenant: TenantID) {
        state.withLock { state in
            for entry in entries {
                let key = Key(tenant: tenant, hash: entry.hash)
                guard state.entries.updateValue(entry, forKey: key) == nil else { continue }
                if state.order.count < countMax {
                    state.order.append(key)
                } else {
                    state.entries[state.order[state.next]] = nil
                    state.order[state.next] = key
                    state.next = (state.next + 1) % countMax
                }
            }
        }
    }
}
