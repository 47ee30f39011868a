package import Database
package import Domain

/// The rows of jobs. Every method works inside the caller's transaction, so that a job may be queued, or cancelled,
/// together with what it is about.
package struct JobStore: Sendable {
    package init() {}

    package static let migrations = [
        Migration(
            id: "jobs/0001-jobs",
            [
                """
                CREATE TABLE jobs (
                    tenant {text} NOT NULL,
                    id {text} NOT NULL,
                    kind {text} NOT NULL,
                    payload {text} NOT NULL,
                    creator {text},
                    state {text} NOT NULL,
                    done {int} NOT NULL,
                    total {int} NOT NULL,
                    details {text} NOT NULL,
                    attempts {int} NOT NULL,
                    attempts_max {int} NOT NULL,
                    due {int} NOT NULL,
                    created {int} NOT NULL,
                    started {int},
                    finished {int},
                    message {text},
                    owner {text},
                    fence {int} NOT NULL,
                    lease_end {int},
                    PRIMARY KEY (tenant, id)
                ) {strict}
                """,
                "CREATE INDEX jobs_by_state ON jobs (tenant, state, due)",
                "CREATE INDEX jobs_by_time ON jobs (tenant, created, id)",
            ]
        )
    ]

    // MARK: Queueing

    package func insert(
        _ draft: JobDraft,
        id: JobID,
        now: Instant,
        tenant: TenantID,
        in transaction: any Transaction
    ) throws -> Job {
        try transaction.execute(
            """
            INSERT INTO jobs (tenant, id, kind, payload, creator, state, done, total, details, attempts, attempts_max,
                due, created, fence)
            VALUES ($1, $2, $3, $4, $5, 'queued', 0, 0, '{}', 0, $6, $7, $7, 0)
            """,
            [
                .text(tenant.description), .text(id.description), .text(draft.kind),
                .text(JSONValue.object(draft.payload).text), SQLValue(draft.creator?.description),
                SQLValue(max(1, draft.attemptsMax)), .integer(now.microseconds),
            ]
        )
        return try job(id, tenant: tenant, in: transaction)
    }

    /// - Throws: `JobError.notFound`.
    package func job(_ id: JobID, tenant: TenantID, in transaction: any Transaction) throws -> Job {
        let row = try transaction.firstRow(
            "SELECT \(Self.columns) FROM jobs WHERE tenant = $1 AND id = $2",
            [.text(tenant.description), .text(id.description)]
        )
        guard let row else { throw JobError.notFound }
        return try Self.job(row, tenant)
    }

    /// Up to `limit` jobs of one kind, newest first.
    package func jobs(
        kind: String,
        after cursor: JobCursor?,
        limit: Int,
        tenant: TenantID,
        in transaction: any Transaction
    ) throws -> [Job] {
        let time = cursor?.createdTime.microseconds ?? .max
        return try transaction.rows(
            """
            SELECT \(Self.columns) FROM jobs
            WHERE tenant = $1 AND kind = $2 AND (created < $3 OR (created = $3 AND id < $4))
            ORDER BY created DESC, id DESC LIMIT $5
            """,
            [
                .text(tenant.description), .text(kind), .integer(time), .text(cursor?.id.description ?? ""),
                SQLValue(limit),
            ]
        ).map { try Self.job($0, tenant) }
    }

    /// Jobs of one kind that are neither done nor given up, the oldest first.
    package func unfinished(kind: String, tenant: TenantID, in transaction: any Transaction) throws -> [Job] {
        try transaction.rows(
            """
            SELECT \(Self.columns) FROM jobs
            WHERE tenant = $1 AND kind = $2 AND state IN ('queued', 'running') ORDER BY created, id
            """,
            [.text(tenant.description), .text(kind)]
        ).map { try Self.job($0, tenant) }
    }

    /// The number of those.
    package func unfinishedCount(
        kind: String,
        tenant: TenantID,
        in transaction: any Transaction
    ) throws -> Int {
        let row = try transaction.firstRow(
            "SELECT count(*) FROM jobs WHERE tenant = $1 AND kind = $2 AND state IN ('queued', 'running')",
            [.text(tenant.description), .text(kind)]
        )
        return Int(try row?.integer(0) ?? 0)
    }

    /// Ends a job whatever it is doing; whoever works on it is told at its next sign of life.
    ///
    /// - Returns: whether it was not over before.
    package func cancel(_ id: JobID, now: Instant, tenant: TenantID, in transaction: any Transaction) throws -> Bool {
        try transaction.execute(
            """
            UPDATE jobs SET state = 'cancelled', finished = $3, owner = NULL, lease_end = NULL
            WHERE tenant = $1 AND id = $2 AND state IN ('queued', 'running')
            """,
            [.text(tenant.description), .text(id.description), .integer(now.microseconds)]
        ) > 0
    }

    /// Removes jobs that were over before `time`, at most `limit`.
    package func removeFinished(
        before time: Instant,
        limit: Int,
        tenant: TenantID,
        in transaction: any Transaction
    ) throws -> Int {
        try transaction.execute(
            """
            DELETE FROM jobs WHERE tenant = $1 AND id IN (
                SELECT id FROM jobs
                WHERE tenant = $1 AND state IN ('succeeded', 'failed', 'cancelled') AND finished < $2
                ORDER BY finished LIMIT $3
            )
            """,
            [.text(tenant.description), .integer(time.microseconds), SQLValue(limit)]
        )
    }

    // MARK: Rows

    static let columns = """
        id, kind, payload, creator, state, done, total, details, attempts, attempts_max, due, created, started, \
        finished, message, fence
        """

    static func job(_ row: Row, _ tenant: TenantID) throws -> Job {
        guard let id = JobID(try row.text(0)) else { throw JobError.corrupt("its identifier") }
        guard let state = JobState(rawValue: try row.text(4)) else { throw JobError.corrupt("its state") }
        return Job(
            id: id,
            tenant: tenant,
            kind: try row.text(1),
            payload: try object(try row.text(2), "its payload"),
            creator: try row.optionalText(3).flatMap { UserID($0) },
            state: state,
            progress: JobProgress(
                done: try row.integer(5),
                total: try row.integer(6),
                details: try object(try row.text(7), "its progress")
            ),
            attempts: Int(try row.integer(8)),
            attemptsMax: Int(try row.integer(9)),
            due: Instant(microseconds: try row.integer(10)),
            createdTime: Instant(microseconds: try row.integer(11)),
            startedTime: try row.optionalInteger(12).map { Instant(microseconds: $0) },
            finishedTime: try row.optionalInteger(13).map { Instant(microseconds: $0) },
            message: try row.optionalText(14)
        )
    }

    private static func object(_ text: String, _ what: String) throws -> JSONObject {
        // Where the text is no JSON says nothing that the job's id does not.
        guard let object = (try? JSONValue(parsing: text))?.objectValue else { throw JobError.corrupt(what) }
        return object
    }
}
