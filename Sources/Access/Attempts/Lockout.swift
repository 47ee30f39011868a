import Domain

/// How long one account, or one known client of it, waits after failures. A value without a clock.
///
/// An attempt counts as a failure when it begins, and is taken back when it succeeds: so a hundred guesses at once are
/// as many as a hundred one after the other.
struct Lockout: Sendable, Hashable {
    var failures = 0
    /// When the next attempt may be made.
    var until = Instant(microseconds: 0)
    /// When the last one was.
    var seen = Instant(microseconds: 0)

    /// How long an attempt at `now` has to wait; nil when it need not.
    func wait(at now: Instant) -> Duration? {
        guard until > now else { return nil }
        // Should the clock have been set back, nobody waits longer than the longest wait.
        return min(.microseconds(until.microseconds - now.microseconds), Limits.failureWaitMax)
    }

    /// Counts an attempt that `wait` let through.
    mutating func began(at now: Instant) {
        let memory = Limits.failureMemory.microseconds
        if now.microseconds - seen.microseconds > memory { failures = 0 }
        failures += 1
        seen = now
        until = now.adding(Self.wait(after: failures))
    }

    static func wait(after failures: Int) -> Duration {
        guard failures >= Limits.freeFailures else { return .zero }
        let doublings = min(failures - Limits.freeFailures, 20)
        return min(Limits.failureWait * (1 << doublings), Limits.failureWaitMax)
    }
}

/// How many attempts one place may make: so many at once, and then one for each interval. A value without a clock.
///
/// All that is kept is the moment by which the bucket is full again (the "theoretical arrival time" of ATM's generic cell
/// rate algorithm).
struct AttemptRate: Sendable, Hashable {
    let burst: Int
    let interval: Duration

    /// The moment to keep after one more attempt, or how long to wait.
    func taking(_ full: Instant, at now: Instant) -> Result<Instant, Wait> {
        let span = interval.microseconds * Int64(burst)
        // Should the clock have been set back, an empty bucket is the worst.
        let start = min(max(full, now), now.adding(.microseconds(span)))
        let next = start.adding(interval)
        let excess = next.microseconds - now.microseconds - span
        return excess > 0 ? .failure(Wait(time: .microseconds(excess))) : .success(next)
    }

    /// The moment to keep when an attempt turned out to be none.
    func givingBack(_ full: Instant) -> Instant { Instant(microseconds: full.microseconds - interval.microseconds) }

    struct Wait: Error, Hashable {
        let time: Duration
    }
}

extension Instant {
    func adding(_ duration: Duration) -> Instant { Instant(microseconds: microseconds + duration.microseconds) }
}

extension Duration {
    var microseconds: Int64 { components.seconds * 1_000_000 + components.attoseconds / 1_000_000_000_000 }
}
