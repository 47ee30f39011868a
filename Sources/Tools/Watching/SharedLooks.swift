import Domain
import Synchronization

/// What was found by looking at something that is watched.
struct WatchedLook: Sendable, Hashable {
    /// What a resource was made from.
    struct Origin: Sendable, Hashable {
        let table: TableID?
        var linked: Set<RecordID> = []
    }

    let print: ContentPrint
    /// Nil for a list, and for a resource that was not there.
    var origin: Origin?
}

/// Looks that several programs of one caller would make alike, made once.
///
/// Shared is only what the same principal finds: the same user with the same key or session and the same rights, in the same
/// tenant. And only a look that began after the change was read which somebody is to be told of, so that each finds what they
/// would have found by themselves. Kept are hashes and places, no content.
final class SharedLooks: Sendable {
    struct Key: Sendable, Hashable {
        let tenant: TenantID
        let principal: Principal
        let offer: WatchedOffer
    }

    private struct Entry {
        let number: UInt64
        let begun: ContinuousClock.Instant
        /// Nil while it is being made.
        var look: WatchedLook?
        let made = Wakeup()
    }

    private struct State {
        var entries: [Key: Entry] = [:]
        var next: UInt64 = 0
    }

    private enum Step {
        case known(WatchedLook)
        case wait(Wakeup, UInt64)
        case make(UInt64)
    }

    private let state = Mutex(State())
    private let countMax: Int
    private let now: @Sendable () -> ContinuousClock.Instant

    /// - Parameter countMax: looks that are remembered.
    init(
        countMax: Int = Limits.watchedContents,
        now: @escaping @Sendable () -> ContinuousClock.Instant = { .now }
    ) {
        self.countMax = countMax
        self.now = now
    }

    /// What a look finds that began at `since` or later: somebody else's, or `make`'s.
    ///
    /// - Throws: what `make` throws. Whoever waited for it makes it themselves.
    func look(
        at key: Key,
        since: ContinuousClock.Instant,
        _ make: () async throws -> WatchedLook
    ) async throws -> WatchedLook {
        while true {
            switch step(key, since) {
            case .known(let look): return look
            case .wait(let made, let generation):
                await made.wait(beyond: generation)
                try Task.checkCancellation()
            case .make(let number):
                do {
                    let look = try await make()
                    finish(key, number, look)
                    return look
                } catch {
                    finish(key, number, nil)
                    throw error
                }
            }
        }
    }

    var count: Int { state.withLock(\.entries.count) }

    private func step(_ key: Key, _ since: ContinuousClock.Instant) -> Step {
        let time = now()
        return state.withLock { state in
            if let entry = state.entries[key], entry.begun >= since {
                return entry.look.map { .known($0) } ?? .wait(entry.made, entry.made.generation)
            }
            if state.entries.count >= countMax {
                // Whoever waits for one that is being made has its wake-up, and looks again.
                state.entries = state.entries.filter { $0.value.look == nil }
            }
            state.next += 1
            state.entries[key] = Entry(number: state.next, begun: time)
            return .make(state.next)
        }
    }

    private func finish(_ key: Key, _ number: UInt64, _ look: WatchedLook?) {
        let made = state.withLock { state -> Wakeup? in
            // Another one may have begun since, for whoever needs a later one.
            guard state.entries[key]?.number == number else { return nil }
            defer { if look == nil { state.entries[key] = nil } }
            state.entries[key]?.look = look
            return state.entries[key]?.made
        }
        made?.notify()
    }
}
