import Domain
import Synchronization

/// Whose requests are counted.
enum RateSubject: Sendable, Hashable {
    case address(RemoteAddress)
    /// Failures to prove who one is, of an address.
    case failures(RemoteAddress)
    case user(UserID)
    case key(KeyID)
    case tenant(TenantID)
}

/// How much of a limit is left after one request.
struct RateStanding: Sendable, Hashable {
    let isAdmitted: Bool
    let quota: RateQuota
    let remaining: Int
    /// Whole seconds until all of it is there again.
    let resetSeconds: Int
    /// Whole seconds until one more request is admitted; 0 when it would be now.
    let retryAfterSeconds: Int
}

/// Token buckets in bounded memory: GCRA, one number for each subject that did something lately.
///
/// The number is the time at which its bucket will be full again. A full bucket need not be remembered, so what is kept
/// is those that are not; when even those are too many, the fuller half is forgotten, which favours nobody who floods.
final class TokenBuckets: Sendable {
    private struct Key: Hashable {
        let subject: RateSubject
        let cost: CostClass
    }

    private let full = Mutex<[Key: UInt64]>([:])
    private let limit: Int

    init(limit: Int = Limits.countedCallers) { self.limit = limit }

    var count: Int { full.withLock { $0.count } }

    /// Counts one request of `subject`.
    ///
    /// - Parameter now: nanoseconds of a clock that never goes back.
    func take(_ subject: RateSubject, _ cost: CostClass, _ quota: RateQuota, now: UInt64) -> RateStanding {
        let window = UInt64(quota.seconds) * 1_000_000_000
        // At least a nanosecond: a billion a second is no limit.
        let interval = max(1, window / UInt64(quota.count))
        let key = Key(subject: subject, cost: cost)
        let (isAdmitted, fullAt) = full.withLock { full -> (Bool, UInt64) in
            let before = max(full[key] ?? 0, now)
            let after = before + interval
            guard after - now <= interval * UInt64(quota.count) else { return (false, before) }
            if full[key] == nil, full.count >= limit { Self.makeRoom(in: &full, limit, now) }
            full[key] = after
            return (true, after)
        }
        let missing = fullAt - now
        let used = (missing + interval - 1) / interval
        // The clock may have begun less than a window ago, when the machine did.
        let burst = interval * UInt64(quota.count)
        let next = fullAt + interval > burst ? fullAt + interval - burst : 0
        return RateStanding(
            isAdmitted: isAdmitted,
            quota: quota,
            remaining: max(0, quota.count - Int(used)),
            resetSeconds: Self.seconds(missing),
            retryAfterSeconds: next > now ? max(1, Self.seconds(next - now)) : 0
        )
    }

    private static func seconds(_ nanoseconds: UInt64) -> Int { Int((nanoseconds + 999_999_999) / 1_000_000_000) }

    /// O(n) once in n/2 new subjects.
    private static func makeRoom(in full: inout [Key: UInt64], _ limit: Int, _ now: UInt64) {
        full = full.filter { $0.value > now }
        guard full.count > limit / 2 else { return }
        let middle = full.values.sorted()[full.count / 2]
        full = full.filter { $0.value > middle }
    }
}
