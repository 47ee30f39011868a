import Domain
import Synchronization

/// Keys that were just found good, so that most requests ask the database nothing.
///
/// An entry lives half a second from the moment *before* its row was read: a key revoked by another process is
/// dead within a second. What this process revokes is dead at once: `clear()` also keeps out rows that were read
/// before it. Only keys whose secret was right get in, so a guesser cannot fill it.
final class KeyCache: Sendable {
    /// Half of what revocation may take, which leaves as much for the read itself.
    static let life = Duration.milliseconds(500)

    /// What must be shown again when an entry is to be added: when it was read, and after which `clear()`.
    struct Ticket: Sendable {
        let time: ContinuousClock.Instant
        fileprivate let generation: UInt64
    }

    private struct Entry: Sendable {
        let key: AccessStore.StoredKey
        let time: ContinuousClock.Instant
    }

    private struct State: Sendable {
        var entries: [KeyID: Entry] = [:]
        var generation: UInt64 = 0
    }

    private let state = Mutex(State())
    private let capacity: Int
    private let now: @Sendable () -> ContinuousClock.Instant

    init(capacity: Int, now: @escaping @Sendable () -> ContinuousClock.Instant) {
        precondition(capacity > 0, "a cache of \(capacity) keys holds none")
        self.capacity = capacity
        self.now = now
    }

    func ticket() -> Ticket {
        let time = now()
        return state.withLock { Ticket(time: time, generation: $0.generation) }
    }

    func key(_ id: KeyID) -> AccessStore.StoredKey? {
        let time = now()
        return state.withLock { state in
            guard let entry = state.entries[id], time - entry.time < Self.life else { return nil }
            return entry.key
        }
    }

    /// Adds a key read from the database after `ticket` was drawn.
    func add(_ key: AccessStore.StoredKey, _ ticket: Ticket) {
        state.withLock { state in
            guard ticket.generation == state.generation else { return }
            if state.entries.count >= capacity, state.entries[key.key.id] == nil {
                state.entries = state.entries.filter { ticket.time - $0.value.time < Self.life }
                // Full of live ones: starting over costs one read a key.
                if state.entries.count >= capacity { state.entries.removeAll(keepingCapacity: true) }
            }
            state.entries[key.key.id] = Entry(key: key, time: ticket.time)
        }
    }

    /// Forgets every key, and refuses what was read before now.
    func clear() {
        state.withLock { state in
            state.entries.removeAll(keepingCapacity: true)
            state.generation += 1
        }
    }

    var count: Int { state.withLock { $0.entries.count } }
}
