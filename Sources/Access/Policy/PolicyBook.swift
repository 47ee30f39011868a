import Domain
import Synchronization

/// Policies, standings and scopes that were just made, each for one version of its tenant's policy.
///
/// A policy is used for half a second from the moment *before* its version was read; then the version is looked at, and
/// only when it is another one is everything read again. What this process changed is seen at once: `forget` also keeps
/// out what was read before it. When the version cannot be read there is no answer.
final class PolicyBook: Sendable {
    /// Half of what a change may take to be seen by other processes, which leaves as much for the read itself.
    static let life = Duration.milliseconds(500)

    struct Subject: Hashable, Sendable {
        let tenant: TenantID
        let user: UserID
        let key: KeyLimits?
    }

    private struct ScopeKey: Hashable, Sendable {
        let subject: Subject
        let permission: Permission
    }

    private struct Entry: Sendable {
        let policy: PolicySet
        /// From when on it may have been out of date.
        let time: ContinuousClock.Instant
    }

    private struct State: Sendable {
        var policies = CostCache<TenantID, Entry>(capacity: Limits.cachedPolicyRows)
        var standings = CostCache<Subject, (version: Int64, standing: Standing)>(capacity: Limits.cachedStandingRows)
        var scopes = CostCache<ScopeKey, (version: Int64, scope: VisibleScope)>(capacity: Limits.cachedScopeRows)
        /// Reads under way, so that many who ask at once read once.
        var reads: [TenantID: (number: UInt64, task: Task<PolicySet, any Error>)] = [:]
        var number: UInt64 = 0
    }

    private let state = Mutex(State())
    private let store: AccessStore
    private let now: @Sendable () -> ContinuousClock.Instant

    init(store: AccessStore, now: @escaping @Sendable () -> ContinuousClock.Instant) {
        self.store = store
        self.now = now
    }

    /// Sees to it that whoever asks from now on hears of what this process has committed.
    func forget(_ tenant: TenantID) {
        state.withLock { state in
            state.policies.remove(tenant)
            state.reads[tenant] = nil
        }
    }

    /// `forget` for every tenant.
    func forgetAll() {
        state.withLock { state in
            state.policies.removeAll()
            state.reads.removeAll()
        }
    }

    /// The policy of a tenant, half a second old at most.
    func policy(of tenant: TenantID) async throws -> PolicySet {
        let time = now()
        let read = state.withLock { state -> (found: PolicySet?, task: Task<PolicySet, any Error>?) in
            let entry = state.policies[tenant]
            if let entry, time - entry.time < Self.life { return (entry.policy, nil) }
            if let read = state.reads[tenant] { return (nil, read.task) }
            state.number += 1
            let number = state.number
            // Unstructured, because all who wait share it and none of them may end it; bounded by the database's own
            // waits, and owned by `state.reads` until it is done.
            let task = Task { try await self.read(tenant, since: time, known: entry?.policy, number) }
            state.reads[tenant] = (number, task)
            return (nil, task)
        }
        if let found = read.found { return found }
        guard let task = read.task else { preconditionFailure("neither a policy nor a read of one") }
        return try await task.value
    }

    private func read(
        _ tenant: TenantID,
        since time: ContinuousClock.Instant,
        known: PolicySet?,
        _ number: UInt64
    ) async throws -> PolicySet {
        defer {
            state.withLock { state in
                if state.reads[tenant]?.number == number { state.reads[tenant] = nil }
            }
        }
        let version = known == nil ? nil : try await store.policyVersion(tenant: tenant)
        let policy: PolicySet
        if let known, known.version == version {
            policy = known
        } else {
            policy = try await store.policy(tenant: tenant)
        }
        state.withLock { state in
            // What was begun before a change of ours is not kept.
            guard state.reads[tenant]?.number == number else { return }
            state.policies.insert(Entry(policy: policy, time: time), for: tenant, cost: policy.rowCount)
        }
        return policy
    }

    /// Where somebody stands; nil when there is no such user, or they are disabled.
    func standing(of subject: Subject) async throws -> Standing? {
        try await versioned(subject)?.standing
    }

    /// What exists for somebody who does `permission`; nil as for `standing`.
    func scope(of subject: Subject, for permission: Permission) async throws -> VisibleScope? {
        guard let (version, standing) = try await versioned(subject) else { return nil }
        let key = ScopeKey(subject: subject, permission: permission)
        let found = state.withLock { $0.scopes[key] }
        if let found, found.version == version { return found.scope }
        let scope = standing.scope(for: permission)
        state.withLock { $0.scopes.insert((version, scope), for: key, cost: scope.entryCount) }
        return scope
    }

    private func versioned(_ subject: Subject) async throws -> (version: Int64, standing: Standing)? {
        var policy = try await policy(of: subject.tenant)
        if policy.people[subject.user] == nil {
            // Somebody has just proved to be this user, so they are newer than the policy.
            forget(subject.tenant)
            policy = try await self.policy(of: subject.tenant)
        }
        let found = state.withLock { $0.standings[subject] }
        if let found, found.version == policy.version { return found }
        guard let standing = policy.standing(of: subject.user, key: subject.key) else { return nil }
        state.withLock { $0.standings.insert((policy.version, standing), for: subject, cost: standing.grantCount + 1) }
        return (policy.version, standing)
    }

    /// How many policies, standings and scopes are kept.
    var counts: (policies: Int, standings: Int, scopes: Int) {
        state.withLock { ($0.policies.count, $0.standings.count, $0.scopes.count) }
    }
}

extension PolicySet {
    fileprivate var rowCount: Int {
        1 + grants.count + people.count + placements.workspaces.count + groups.values.reduce(0) { $0 + $1.count }
    }
}

extension Standing {
    fileprivate var grantCount: Int {
        rights.grants.count + (key.map { $0.rights.grants.count + $0.sight.grants.count } ?? 0)
    }
}

extension VisibleScope {
    fileprivate var entryCount: Int { 1 + sight.entryCount + (action?.entryCount ?? 0) }
}

extension Reach {
    fileprivate var entryCount: Int {
        let records = rules.values.reduce(0) { sum, rule in
            sum + rule.refused.count + rule.refusing.count
                + rule.allowances.reduce(1) { $0 + $1.records.count + $1.formulas.count }
        }
        return (bases?.count ?? 0) + excludedBases.count + tables.values.reduce(0) { $0 + 1 + $1.count }
            + excludedTables.count + excludedViews.count + excludedFields.values.reduce(0) { $0 + 1 + $1.count }
            + records
    }
}
