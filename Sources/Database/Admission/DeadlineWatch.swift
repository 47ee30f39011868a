import Dispatch
import Synchronization

/// Calls actions when their deadlines pass; one timer for all of them.
///
/// Deadlines mostly pass unused and in order, so the timer is armed for the earliest one it was ever told of
/// and looks again when it fires: adding and removing cost a dictionary entry, no system call.
final class DeadlineWatch: Sendable {
    struct Token: Hashable, Sendable {
        fileprivate let number: UInt64
    }

    private struct Entry {
        let deadline: ContinuousClock.Instant
        let action: @Sendable () -> Void
    }

    private struct State {
        var entries: [UInt64: Entry] = [:]
        var nextNumber: UInt64 = 0
        /// When the timer fires next; nil when it isn't armed.
        var armed: ContinuousClock.Instant?
    }

    private let state = Mutex(State())
    private let queue = DispatchQueue(label: "database.deadlines")

    /// Runs `action` on a queue of its own once `deadline` has passed, unless it is removed before.
    func add(_ deadline: ContinuousClock.Instant, _ action: @escaping @Sendable () -> Void) -> Token {
        let (token, arms) = state.withLock { state in
            let token = Token(number: state.nextNumber)
            state.nextNumber += 1
            state.entries[token.number] = Entry(deadline: deadline, action: action)
            let arms = state.armed.map { deadline < $0 } ?? true
            if arms { state.armed = deadline }
            return (token, arms)
        }
        if arms { arm(deadline) }
        return token
    }

    /// Forgets the action. It may be running just now.
    func remove(_ token: Token) {
        state.withLock { _ = $0.entries.removeValue(forKey: token.number) }
    }

    private func arm(_ deadline: ContinuousClock.Instant) {
        let wait = max(.zero, deadline - .now)
        let (seconds, attoseconds) = wait.components
        // A deadline years away needs no timer of that length: it is looked at again each hour.
        let nanoseconds =
            seconds > 3_600 ? 3_600_000_000_000 : Int(seconds) * 1_000_000_000 + Int(attoseconds / 1_000_000_000)
        queue.asyncAfter(deadline: .now() + .nanoseconds(nanoseconds + 100_000)) { [weak self] in self?.fire() }
    }

    private func fire() {
        let now = ContinuousClock.now
        let (due, next) = state.withLock { state in
            let due = state.entries.filter { $0.value.deadline <= now }
            for number in due.keys { state.entries.removeValue(forKey: number) }
            state.armed = state.entries.values.map(\.deadline).min()
            return (due.values.map(\.action), state.armed)
        }
        if let next { arm(next) }
        for action in due { action() }
    }
}
