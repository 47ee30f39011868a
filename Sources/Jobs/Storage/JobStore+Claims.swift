import Database
import Domain

/// Taking jobs up, and keeping them: one statement each, so that of any number of workers one gets a job.
extension JobStore {
    /// Whether some job waits to be taken up; a read, so that idle workers write nothing.
    func hasClaimable(
        kinds: [String],
        now: Instant,
        tenant: TenantID,
        in transaction: any Transaction
    ) throws -> Bool {
        try transaction.firstRow(
            "SELECT 1 FROM jobs WHERE tenant = $1 AND \(Self.claimable(kinds)) LIMIT 1",
            [.text(tenant.description), .integer(now.microseconds)] + kinds.map { .text($0) }
        ) != nil
    }

    /// Takes up the job that has waited longest; one whose worker fell silent counts as waiting.
    func claim(
        kinds: [String],
        owner: String,
        now: Instant,
        lease: Duration,
        tenant: TenantID,
        in transaction: any Transaction
    ) throws -> JobClaim? {
        try giveUpExhausted(kinds: kinds, now: now, tenant: tenant, in: transaction)
        let next = 5
        let row = try transaction.firstRow(
            """
            UPDATE jobs SET state = 'running', owner = $3, lease_end = $4, fence = fence + 1,
                attempts = attempts + 1, started = CASE WHEN started IS NULL THEN $2 ELSE started END
            WHERE tenant = $1 AND id = (
                SELECT id FROM jobs WHERE tenant = $1 AND \(Self.claimable(kinds, from: next))
                ORDER BY due, created, id LIMIT 1\(transaction.dialect == .postgres ? " FOR UPDATE SKIP LOCKED" : "")
            )
            RETURNING \(Self.columns)
            """,
            [
                .text(tenant.description), .integer(now.microseconds), .text(owner),
                .integer(now.microseconds + lease.microseconds),
            ] + kinds.map { .text($0) }
        )
        guard let row else { return nil }
        return JobClaim(job: try Self.job(row, tenant), owner: owner, fence: try row.integer(15))
    }

    /// Fails jobs whose workers fell silent too often without getting on: what kills its worker must not kill all.
    private func giveUpExhausted(
        kinds: [String],
        now: Instant,
        tenant: TenantID,
        in transaction: any Transaction
    ) throws {
        try transaction.execute(
            """
            UPDATE jobs SET state = 'failed', finished = $2, owner = NULL, lease_end = NULL,
                message = 'It was given up: its worker ended again and again without getting on.'
            WHERE tenant = $1 AND state = 'running' AND lease_end <= $2 AND attempts >= attempts_max
                AND kind IN (\(Self.places(kinds, from: 3)))
            """,
            [.text(tenant.description), .integer(now.microseconds)] + kinds.map { .text($0) }
        )
    }

    /// `$2` is now; kinds stand from `$3`, or from `first`.
    private static func claimable(_ kinds: [String], from first: Int = 3) -> String {
        """
        kind IN (\(places(kinds, from: first)))
        AND ((state = 'queued' AND due <= $2) OR (state = 'running' AND lease_end <= $2))
        """
    }

    private static func places(_ kinds: [String], from first: Int) -> String {
        kinds.indices.map { "$\(first + $0)" }.joined(separator: ", ")
    }

    /// Ends the leases of one owner.
    func release(owner: String, now: Instant, tenant: TenantID, in transaction: any Transaction) throws -> Int {
        try transaction.execute(
            """
            UPDATE jobs SET lease_end = $3 WHERE tenant = $1 AND owner = $2 AND state = 'running' AND lease_end > $3
            """,
            [.text(tenant.description), .text(owner), .integer(now.microseconds)]
        )
    }

    // MARK: Holding

    func renew(_ claim: JobClaim, now: Instant, lease: Duration, in transaction: any Transaction) throws {
        let changed = try transaction.execute(
            "UPDATE jobs SET lease_end = $4 WHERE \(Self.held)",
            Self.holder(claim) + [.integer(now.microseconds + lease.microseconds)]
        )
        if changed == 0 { throw try reasonLost(claim, in: transaction) }
    }

    /// Notes progress and renews the lease. `done` and `total` only rise; details are those of the furthest report.
    func report(
        _ progress: JobProgress,
        _ claim: JobClaim,
        now: Instant,
        lease: Duration,
        in transaction: any Transaction
    ) throws {
        let changed = try transaction.execute(
            """
            UPDATE jobs SET lease_end = $4,
                attempts = CASE WHEN $5 > done THEN 1 ELSE attempts END,
                details = CASE WHEN $5 >= done THEN $7 ELSE details END,
                done = CASE WHEN $5 > done THEN $5 ELSE done END,
                total = CASE WHEN $6 > total THEN $6 ELSE total END
            WHERE \(Self.held)
            """,
            Self.holder(claim) + [
                .integer(now.microseconds + lease.microseconds), .integer(progress.done),
                .integer(max(progress.total, progress.done)), .text(JSONValue.object(progress.details).text),
            ]
        )
        if changed == 0 { throw try reasonLost(claim, in: transaction) }
    }

    /// Ends a held job for good.
    func finish(
        _ claim: JobClaim,
        as state: JobState,
        message: String?,
        now: Instant,
        in transaction: any Transaction
    ) throws {
        precondition(state.isTerminal, "a job ends as succeeded, failed or cancelled, not as \(state)")
        let changed = try transaction.execute(
            """
            UPDATE jobs SET state = $4, message = $5, finished = $6, owner = NULL, lease_end = NULL WHERE \(Self.held)
            """,
            Self.holder(claim) + [.text(state.rawValue), SQLValue(message), .integer(now.microseconds)]
        )
        if changed == 0 { throw try reasonLost(claim, in: transaction) }
    }

    /// Gives a held job back to the queue.
    ///
    /// - Parameter forgetsAttempt: it was nobody's fault, such as a server shutting down.
    func giveBack(
        _ claim: JobClaim,
        due: Instant,
        message: String?,
        forgetsAttempt: Bool,
        in transaction: any Transaction
    ) throws {
        let changed = try transaction.execute(
            """
            UPDATE jobs SET state = 'queued', due = $4, owner = NULL, lease_end = NULL,
                message = coalesce($5, message),
                attempts = CASE WHEN $6 = 1 AND attempts > 0 THEN attempts - 1 ELSE attempts END
            WHERE \(Self.held)
            """,
            Self.holder(claim) + [.integer(due.microseconds), SQLValue(message), SQLValue(forgetsAttempt)]
        )
        if changed == 0 { throw try reasonLost(claim, in: transaction) }
    }

    /// An expired lease that nobody took over is still held: what was done is done once either way.
    private static let held = "tenant = $1 AND id = $2 AND fence = $3 AND state = 'running'"

    private static func holder(_ claim: JobClaim) -> [SQLValue] {
        [.text(claim.job.tenant.description), .text(claim.job.id.description), .integer(claim.fence)]
    }

    private func reasonLost(_ claim: JobClaim, in transaction: any Transaction) throws -> JobError {
        let row = try transaction.firstRow(
            "SELECT state FROM jobs WHERE tenant = $1 AND id = $2",
            [.text(claim.job.tenant.description), .text(claim.job.id.description)]
        )
        guard let row else { return .notFound }
        return try row.text(0) == JobState.cancelled.rawValue ? .cancelled : .leaseLost
    }
}

extension Duration {
    /// Whole microseconds, rounded down.
    var microseconds: Int64 { components.seconds * 1_000_000 + components.attoseconds / 1_000_000_000_000 }
}
