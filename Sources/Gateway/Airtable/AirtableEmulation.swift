import Domain
import Synchronization

/// What of the hosted service's own rules holds here; none does unless it is asked for.
public struct AirtableEmulation: Sendable {
    /// Whether a base may be made in a workspace that does not exist: it then goes to the first one.
    let acceptsAnyWorkspace: Bool
    private let rates: RateEmulation?

    /// - Parameters:
    ///   - limitsRate: five requests a second for each base; what comes beyond is answered with 429.
    ///   - now: a clock that never goes back.
    public init(
        limitsRate: Bool = false,
        acceptsAnyWorkspace: Bool = false,
        now: @escaping @Sendable () -> ContinuousClock.Instant = { .now }
    ) {
        self.acceptsAnyWorkspace = acceptsAnyWorkspace
        rates = limitsRate ? RateEmulation(now: now) : nil
    }

    /// - Throws: `rateLimited`.
    func admit(_ base: Substring, tenant: TenantID) throws(AirtableRefusal) {
        try rates?.admit(base, tenant: tenant)
    }
}

/// Airtable's limit: a bucket of five requests for each base, which fills up within a second.
///
/// Whoever comes too often is only told to wait a second, not locked out for thirty as by the hosted service:
/// pyairtable gives up after three, and then nothing could be tested against it.
private final class RateEmulation: Sendable {
    private struct Key: Hashable {
        let tenant: TenantID
        let base: Substring
    }

    private static let perSecond = 5
    private static let interval = Duration.seconds(1) / perSecond

    /// When the bucket of each base will be full again.
    private let full = Mutex<[Key: ContinuousClock.Instant]>([:])
    private let now: @Sendable () -> ContinuousClock.Instant

    init(now: @escaping @Sendable () -> ContinuousClock.Instant) { self.now = now }

    func admit(_ base: Substring, tenant: TenantID) throws(AirtableRefusal) {
        let time = now()
        let isAdmitted = full.withLock { full in
            // Full buckets need not be remembered.
            if full.count >= Limits.countedBases { full = full.filter { $0.value > time } }
            let key = Key(tenant: tenant, base: base)
            let next = max(full[key] ?? time, time) + Self.interval
            guard next - time <= Self.interval * Self.perSecond, full.count < Limits.countedBases || full[key] != nil
            else { return false }
            full[key] = next
            return true
        }
        if !isAdmitted { throw .rateLimited(retryAfterSeconds: 1) }
    }
}
