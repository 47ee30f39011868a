import Domain
import Synchronization

/// Rows that were just read, so that most requests ask the database nothing.
///
/// An entry lives half a second from the moment *before* its row was read: what another process ended is dead within a
/// second. What this process ends is dead at once: `clear()` also keeps out rows that were read before it.
final class RecentRows<ID: Hashable & Sendable, Value: Sendable>: Sendable {
    /// What must be shown again when an entry is to be added: when it was read, and after which `clear()`.
    struct Ticket: Sendable {
        let time: ContinuousClock.Instant
        fileprivate let generation: UInt64
    }

    private struct Entry: Sendable {
        let value: Value
        let ticket: Ticket
    }

    private let entries = Mutex<[ID: Entry]>([:])
    private let capacity: Int
    let generation: Generation
    private let now: @Sendable () -> ContinuousClock.Instant

    /// - Parameter generation: shared by caches that are cleared together.
    init(
        capacity: Int,
        generation: Generation = Generation(),
        now: @escaping @Sendable () -> ContinuousClock.Instant
    ) {
        precondition(capacity > 0, "a cache of \(capacity) rows holds none")
        self.capacity = capacity
        self.generation = generation
        self.now = now
    }

    func ticket() -> Ticket {
        let time = now()
        return Ticket(time: time, generation: generation.number)
    }

    subscript(_ id: ID) -> Value? {
        let time = now()
        return entries.withLock { entries in
            guard let entry = entries[id], isAlive(entry.ticket, at: time) else { return nil }
            return entry.value
        }
    }

    /// Adds what was read from the database after `ticket` was drawn.
    func add(_ value: Value, for id: ID, _ ticket: Ticket) {
        entries.withLock { entries in
            guard ticket.generation == generation.number else { return }
            if entries.count >= capacity, entries[id] == nil {
                entries = entries.filter { isAlive($0.value.ticket, at: ticket.time) }
                // Full of live ones: starting over costs one read a row.
                if entries.count >= capacity { entries.removeAll(keepingCapacity: true) }
            }
            entries[id] = Entry(value: value, ticket: ticket)
        }
    }

    /// Forgets every row of every cache with the same generation, and refuses what was read before now.
    func clear() {
        generation.advance()
        entries.withLock { $0.removeAll(keepingCapacity: true) }
    }

    var count: Int { entries.withLock { $0.count } }

    private func isAlive(_ ticket: Ticket, at time: ContinuousClock.Instant) -> Bool {
        ticket.generation == generation.number && time - ticket.time < recentRowLife
    }
}

/// Half of what revocation may take, which leaves as much for the read itself.
let recentRowLife = Duration.milliseconds(500)

/// Counts how often caches were cleared.
final class Generation: Sendable {
    private let value = Atomic<UInt64>(0)

    var number: UInt64 { value.load(ordering: .acquiring) }

    func advance() { value.add(1, ordering: .acquiringAndReleasing) }
}
