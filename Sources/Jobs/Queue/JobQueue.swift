public import Database
public import Domain

/// A durable queue: jobs survive whoever works on them, and any process with the database may take one up.
///
/// A worker holds a job by a lease that it renews; when it falls silent another takes the job over, and what the first
/// still says is refused (`leaseLost`). On PostgreSQL workers pass over rows that others are just taking.
public struct JobQueue: Sendable {
    package static var migrations: [Migration] { JobStore.migrations }

    let database: any SQLDatabase
    let timing: JobTiming
    let now: InstantSource
    let random: @Sendable () -> Double
    private let store = JobStore()

    /// - Parameters:
    ///   - now: the present moment, for leases and stored times.
    ///   - random: shares in `0..<1`, for the rest after a failure.
    public init(
        database: any SQLDatabase,
        timing: JobTiming = JobTiming(),
        now: @escaping InstantSource = { .now() },
        random: @escaping @Sendable () -> Double = { .random(in: 0..<1) }
    ) {
        self.database = database
        self.timing = timing
        self.now = now
        self.random = random
    }

    // MARK: Asking for work

    @discardableResult
    public func enqueue(_ draft: JobDraft, tenant: TenantID) async throws -> Job {
        let (store, time, id) = (store, now(), JobID.random())
        return try await database.write(of: .tenant(tenant)) { transaction in
            try store.insert(draft, id: id, now: time, tenant: tenant, in: transaction)
        }
    }

    /// - Throws: `JobError.notFound`.
    public func job(_ id: JobID, tenant: TenantID) async throws -> Job {
        let store = store
        return try await database.read(of: .tenant(tenant)) { try store.job(id, tenant: tenant, in: $0) }
    }

    /// Jobs of one kind, newest first.
    public func jobs(
        kind: String,
        after cursor: JobCursor? = nil,
        limit: Int = Limits.pageRecords,
        tenant: TenantID
    ) async throws -> JobPage {
        let store = store
        let count = max(1, min(limit, Limits.pageRecords))
        let found = try await database.read(of: .tenant(tenant)) { transaction in
            try store.jobs(kind: kind, after: cursor, limit: count + 1, tenant: tenant, in: transaction)
        }
        let page = Array(found.prefix(count))
        return JobPage(jobs: page, next: found.count > count ? page.last.map(JobCursor.init) : nil)
    }

    /// Ends a job; one that is over already stays as it is.
    ///
    /// - Throws: `JobError.notFound`.
    @discardableResult
    public func cancel(_ id: JobID, tenant: TenantID) async throws -> Job {
        let (store, time) = (store, now())
        return try await database.write(of: .tenant(tenant)) { transaction in
            _ = try store.cancel(id, now: time, tenant: tenant, in: transaction)
            return try store.job(id, tenant: tenant, in: transaction)
        }
    }

    /// Removes jobs that have been over for `age`, some at a time.
    ///
    /// - Returns: how many went.
    @discardableResult
    public func removeFinished(olderThan age: Duration, tenant: TenantID) async throws -> Int {
        let (store, time) = (store, Instant(microseconds: now().microseconds - age.microseconds))
        return try await database.write(of: .tenant(tenant)) { transaction in
            try store.removeFinished(before: time, limit: Limits.sweepRows, tenant: tenant, in: transaction)
        }
    }

    // MARK: Working

    /// Takes up the job of one of `kinds` that has waited longest; nil when none waits.
    public func claim(kinds: Set<String>, owner: String, tenant: TenantID) async throws -> JobClaim? {
        guard !kinds.isEmpty else { return nil }
        let (store, time, lease, names) = (store, now(), timing.lease, kinds.sorted())
        let waits = try await database.read(of: .tenant(tenant)) { transaction in
            try store.hasClaimable(kinds: names, now: time, tenant: tenant, in: transaction)
        }
        guard waits else { return nil }
        return try await database.write(of: .tenant(tenant)) { transaction in
            try store.claim(
                kinds: names,
                owner: owner,
                now: time,
                lease: lease,
                tenant: tenant,
                in: transaction
            )
        }
    }

    /// Ends the leases of a worker that is certainly dead, so that its jobs are taken up at once.
    ///
    /// - Returns: how many jobs that were.
    @discardableResult
    public func release(owner: String, tenant: TenantID) async throws -> Int {
        let (store, time) = (store, now())
        return try await database.write(of: .tenant(tenant)) {
            try store.release(owner: owner, now: time, tenant: tenant, in: $0)
        }
    }

    /// A sign of life: the lease runs from now again.
    ///
    /// - Throws: `JobError` `cancelled`, `leaseLost`, `notFound`: stop working.
    public func renew(_ claim: JobClaim) async throws {
        let (store, time, lease) = (store, now(), timing.lease)
        try await database.write(of: .tenant(claim.job.tenant)) {
            try store.renew(claim, now: time, lease: lease, in: $0)
        }
    }

    /// Notes progress, which is a sign of life too.
    ///
    /// - Throws: as `renew`.
    public func report(_ progress: JobProgress, of claim: JobClaim) async throws {
        let (store, time, lease) = (store, now(), timing.lease)
        try await database.write(of: .tenant(claim.job.tenant)) {
            try store.report(progress, claim, now: time, lease: lease, in: $0)
        }
    }

    /// - Throws: as `renew`.
    public func finish(_ claim: JobClaim) async throws {
        let (store, time) = (store, now())
        try await database.write(of: .tenant(claim.job.tenant)) {
            try store.finish(claim, as: .succeeded, message: nil, now: time, in: $0)
        }
    }

    /// Notes a failure: the job rests and is tried again, or has failed for good after `attemptsMax` in a row.
    ///
    /// - Parameters:
    ///   - message: safe to show.
    ///   - isPermanent: it would fail again in the same way.
    ///   - rest: how long to wait, when the one who refused said so.
    /// - Throws: as `renew`.
    public func fail(
        _ claim: JobClaim,
        message: String,
        isPermanent: Bool,
        rest: Duration? = nil
    ) async throws {
        let (store, time) = (store, now())
        if isPermanent {
            try await database.write(of: .tenant(claim.job.tenant)) {
                try store.finish(claim, as: .failed, message: message, now: time, in: $0)
            }
            return
        }
        let (timing, share) = (timing, random())
        try await database.write(of: .tenant(claim.job.tenant)) { transaction in
            // Progress made meanwhile starts the count anew.
            let job = try store.job(claim.job.id, tenant: claim.job.tenant, in: transaction)
            if job.attempts >= job.attemptsMax {
                try store.finish(claim, as: .failed, message: message, now: time, in: transaction)
                return
            }
            let pause = rest ?? timing.rest(afterAttempts: job.attempts, share: share)
            let due = Instant(microseconds: time.microseconds + pause.microseconds)
            try store.giveBack(claim, due: due, message: message, forgetsAttempt: false, in: transaction)
        }
    }

    /// Gives a job back for somebody else to go on with at once, as a server does that shuts down.
    ///
    /// - Throws: as `renew`.
    public func giveBack(_ claim: JobClaim) async throws {
        let (store, time) = (store, now())
        try await database.write(of: .tenant(claim.job.tenant)) { transaction in
            try store.giveBack(claim, due: time, message: nil, forgetsAttempt: true, in: transaction)
        }
    }
}
