import CoreMetrics
import Domain
import HTTPTypes
import NIOCore

/// Keeps clients, callers and tenants within their limits; of this process only, as every node counts for itself.
final class RateLimiter: Sendable {
    /// A standing with the name of its limit, for the headers of the answer.
    struct Told: Sendable, Hashable {
        let name: String
        let standing: RateStanding
    }

    private let limits: RequestLimits
    private let buckets: TokenBuckets
    private let now: @Sendable () -> UInt64
    private let registry: PrometheusRegistry

    init(
        limits: RequestLimits,
        registry: PrometheusRegistry,
        listener: String,
        buckets: TokenBuckets = TokenBuckets(),
        now: @escaping @Sendable () -> UInt64 = { NIODeadline.now().uptimeNanoseconds }
    ) {
        self.limits = limits
        self.registry = registry
        self.buckets = buckets
        self.now = now
        registry.addGauge(
            "pyairtable_rate_limit_buckets",
            "Callers whose limits are not at rest.",
            labels: [("listener", listener)]
        ) { [weak buckets] in Double(buckets?.count ?? 0) }
    }

    /// Before anybody is asked who they are.
    ///
    /// - Throws: `tooManyRequests`.
    func admit(_ client: EdgeClient, _ cost: CostClass, _ told: inout Told?) throws(GatewayError) {
        guard cost != .free, let address = client.address?.group else { return }
        if let quota = limits.address { try take(.address(address), .read, quota, "address", &told) }
        if cost == .auth, let quota = limits.caller[.auth] { try take(.address(address), .auth, quota, "auth", &told) }
    }

    /// - Throws: `tooManyRequests`.
    func admit(
        _ context: Domain.RequestContext,
        _ cost: CostClass,
        _ told: inout Told?
    ) throws(GatewayError) {
        guard cost != .free, cost != .auth else { return }
        let principal = context.principal
        if let quota = limits.caller[cost] {
            let subject = principal.key.map { RateSubject.key($0) } ?? .user(principal.user)
            try take(subject, cost, quota, cost.rawValue, &told)
        }
        if let quota = limits.tenant[cost] {
            try take(.tenant(context.tenant), cost, quota, "tenant-\(cost.rawValue)", &told)
        }
    }

    /// Counts a proof that was none. An address that failed too often is told to wait, and no longer whether it failed;
    /// good proofs from it are taken as ever.
    ///
    /// - Throws: `tooManyRequests`.
    func failed(_ client: EdgeClient, _ told: inout Told?) throws(GatewayError) {
        guard let address = client.address?.group, let quota = limits.caller[.auth] else { return }
        try take(.failures(address), .auth, quota, "auth", &told)
    }

    /// What is told is the limit that is nearest.
    private func take(
        _ subject: RateSubject,
        _ cost: CostClass,
        _ quota: RateQuota,
        _ name: String,
        _ told: inout Told?
    ) throws(GatewayError) {
        let standing = buckets.take(subject, cost, quota, now: now())
        if !standing.isAdmitted || told.map({ standing.isNearer(than: $0.standing) }) ?? true {
            told = Told(name: name, standing: standing)
        }
        guard !standing.isAdmitted else { return }
        Counter(label: "pyairtable_rate_limited_total", dimensions: [("limit", name)], factory: registry).increment()
        registry.describe("pyairtable_rate_limited_total", "Requests beyond a limit, by which.")
        throw GatewayError(
            .tooManyRequests,
            "There were more than \(quota.count) requests in \(quota.seconds) seconds (limit \"\(name)\").",
            hint:
                "wait \(standing.retryAfterSeconds) s; the headers RateLimit and RateLimit-Policy tell how much is left",
            retryAfterSeconds: standing.retryAfterSeconds
        )
    }
}

extension RateStanding {
    /// Whether a smaller part of it is left.
    fileprivate func isNearer(than other: RateStanding) -> Bool {
        remaining.multipliedReportingOverflow(by: other.quota.count).partialValue
            < other.remaining.multipliedReportingOverflow(by: quota.count).partialValue
    }
}

extension RateLimiter.Told {
    private static let limit = HTTPField.Name("RateLimit")!
    private static let policy = HTTPField.Name("RateLimit-Policy")!

    /// Structured fields as the IETF's draft has them (draft-ietf-httpapi-ratelimit-headers, from its 8th edition).
    func write(to headers: inout HTTPFields) {
        let quota = standing.quota
        headers[Self.policy] = "\"\(name)\";q=\(quota.count);w=\(quota.seconds)"
        headers[Self.limit] = "\"\(name)\";r=\(standing.remaining);t=\(standing.resetSeconds)"
    }
}
