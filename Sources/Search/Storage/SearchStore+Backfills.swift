import Database
import Domain

/// The indexing of a whole table, done in small blocks; its row tells how far it has come.
struct Backfill: Sendable, Hashable {
    enum Phase: String, Sendable {
        /// Going through the table's records.
        case rendering
        /// Going through the table's units, for those whose record is no more.
        case sweeping
        /// Kept for the progress it shows.
        case done
    }

    let table: TableID
    let base: BaseID
    /// Its number, and its place in the queue: another backfill of the same table has another one.
    let position: Int64
    var phase: Phase
    /// Where the phase goes on; nil for its beginning.
    var cursor: String?
    let isForced: Bool
    let sweeps: Bool
    var done: Int
    var total: Int
    /// The job it is done for, and only for that.
    var job: JobID?
    /// Encode also what the cache has had since before this moment: when it was asked for.
    var reencodes: Instant?
    var counts = EncodingCounts()
    /// Why it does not get on, safe to show.
    var trouble: String?
}

extension SearchStore {
    /// Queues a backfill, in place of one of the same table that may be running.
    ///
    /// - Parameters:
    ///   - isForced: writes every vector anew, also of texts that did not change.
    ///   - sweeps: looks for records that no longer exist at the end.
    ///   - total: records of the table, about.
    ///   - job: for whose sake alone; nil when the index needs it anyway.
    ///   - reencodes: has the model read also what the cache has had since before this moment.
    func enqueue(
        _ table: TableID,
        base: BaseID,
        isForced: Bool,
        sweeps: Bool,
        total: Int,
        job: JobID? = nil,
        reencodes: Instant? = nil,
        tenant: TenantID,
        in transaction: any Transaction
    ) throws {
        let position = try nextNumber("backfill", in: transaction)
        try transaction.execute(
            """
            INSERT INTO search_backfills
                (tenant, table_id, base, position, phase, next_cursor, is_forced, sweeps, done, total, job, reencodes)
            VALUES ($1, $2, $3, $4, 'rendering', NULL, $5, $6, 0, $7, $8, $9)
            ON CONFLICT (tenant, table_id) DO UPDATE SET
                position = excluded.position, phase = excluded.phase, next_cursor = NULL, done = 0,
                total = excluded.total, encoded = 0, skipped = 0, tokens = 0, failed = 0, failed_records = '',
                trouble = NULL,
                job = CASE WHEN search_backfills.phase = 'done' THEN excluded.job
                    WHEN search_backfills.job IS NULL THEN NULL ELSE excluded.job END,
                reencodes = CASE WHEN search_backfills.phase = 'done' THEN excluded.reencodes
                    WHEN search_backfills.reencodes > excluded.reencodes THEN search_backfills.reencodes
                    ELSE excluded.reencodes END,
                is_forced = CASE WHEN search_backfills.phase = 'done' THEN excluded.is_forced
                    WHEN search_backfills.is_forced > excluded.is_forced THEN search_backfills.is_forced
                    ELSE excluded.is_forced END,
                sweeps = CASE WHEN search_backfills.phase = 'done' THEN excluded.sweeps
                    WHEN search_backfills.sweeps > excluded.sweeps THEN search_backfills.sweeps
                    ELSE excluded.sweeps END
            """,
            [
                .text(tenant.description), .text(table.description), .text(base.description), .integer(position),
                SQLValue(isForced), SQLValue(sweeps), SQLValue(total), SQLValue(job?.description),
                .integer(reencodes?.microseconds ?? 0),
            ]
        )
    }

    /// What the table was rendered under when it was last queued; nil when it never was.
    func signature(of table: TableID, tenant: TenantID, in transaction: any Transaction) throws -> TableSignature? {
        try transaction.firstRow(
            "SELECT signature FROM search_tables WHERE tenant = $1 AND table_id = $2",
            [.text(tenant.description), .text(table.description)]
        ).map { TableSignature(text: try $0.text(0)) }
    }

    func setSignature(
        _ signature: TableSignature,
        of table: TableID,
        tenant: TenantID,
        in transaction: any Transaction
    ) throws {
        try transaction.execute(
            """
            INSERT INTO search_tables (tenant, table_id, signature) VALUES ($1, $2, $3)
            ON CONFLICT (tenant, table_id) DO UPDATE SET signature = excluded.signature
            """,
            [.text(tenant.description), .text(table.description), .text(signature.text)]
        )
    }

    /// All backfills of the tenant, done ones too, in the order of the queue.
    func backfills(tenant: TenantID, in transaction: any Transaction) throws -> [Backfill] {
        try transaction.rows(
            """
            SELECT table_id, base, position, phase, next_cursor, is_forced, sweeps, done, total, job, reencodes,
                encoded, skipped, tokens, failed, failed_records, trouble
            FROM search_backfills WHERE tenant = $1 ORDER BY position
            """,
            [.text(tenant.description)]
        ).map { row in
            guard let table = TableID(try row.text(0)), let base = BaseID(try row.text(1)),
                let phase = Backfill.Phase(rawValue: try row.text(3))
            else { throw SearchError.corrupt("queue of backfills") }
            return Backfill(
                table: table,
                base: base,
                position: try row.integer(2),
                phase: phase,
                cursor: try row.optionalText(4),
                isForced: try row.bool(5),
                sweeps: try row.bool(6),
                done: Int(try row.integer(7)),
                total: Int(try row.integer(8)),
                job: try row.optionalText(9).flatMap { JobID($0) },
                reencodes: Self.moment(try row.integer(10)),
                counts: EncodingCounts(
                    encoded: Int(try row.integer(11)),
                    skipped: Int(try row.integer(12)),
                    tokens: Int(try row.integer(13)),
                    failed: Int(try row.integer(14)),
                    failedRecords: EncodingCounts.failedRecords(try row.text(15))
                ),
                trouble: try row.optionalText(16)
            )
        }
    }

    /// Remembers how far `backfill` has come.
    ///
    /// - Returns: false when another one has taken its place, or it was called off, and nothing was remembered.
    func update(_ backfill: Backfill, tenant: TenantID, in transaction: any Transaction) throws -> Bool {
        try transaction.execute(
            """
            UPDATE search_backfills SET phase = $3, next_cursor = $4, done = $5, total = $6, encoded = $7,
                skipped = $8, tokens = $9, failed = $10, failed_records = $11, trouble = NULL
            WHERE tenant = $1 AND position = $2 AND phase <> 'done'
            """,
            [
                .text(tenant.description), .integer(backfill.position), .text(backfill.phase.rawValue),
                SQLValue(backfill.cursor), SQLValue(backfill.done), SQLValue(backfill.total),
                SQLValue(backfill.counts.encoded), SQLValue(backfill.counts.skipped),
                SQLValue(backfill.counts.tokens), SQLValue(backfill.counts.failed),
                .text(backfill.counts.failedText),
            ]
        ) > 0
    }

    /// Notes why the first backfill of the queue does not get on.
    func noteTrouble(_ message: String, tenant: TenantID, in transaction: any Transaction) throws {
        try transaction.execute(
            """
            UPDATE search_backfills SET trouble = $2 WHERE tenant = $1 AND position = (
                SELECT min(position) FROM search_backfills WHERE tenant = $1 AND phase <> 'done'
            )
            """,
            [.text(tenant.description), .text(message)]
        )
    }

    /// Ends a backfill that nobody needs any more.
    func callOff(_ backfill: Backfill, tenant: TenantID, in transaction: any Transaction) throws {
        try transaction.execute(
            "UPDATE search_backfills SET phase = 'done' WHERE tenant = $1 AND position = $2 AND phase <> 'done'",
            [.text(tenant.description), .integer(backfill.position)]
        )
    }

    /// Goes on with a backfill for the sake of another job; what is left of it is read again only if that wants it.
    func handOver(
        _ backfill: Backfill,
        to job: JobID,
        isForced: Bool,
        tenant: TenantID,
        in transaction: any Transaction
    ) throws {
        try transaction.execute(
            """
            UPDATE search_backfills SET job = $3, is_forced = $4, reencodes = CASE WHEN $4 = 1 THEN reencodes ELSE 0 END
            WHERE tenant = $1 AND position = $2 AND phase <> 'done'
            """,
            [.text(tenant.description), .integer(backfill.position), .text(job.description), SQLValue(isForced)]
        )
    }

    /// A moment as it is stored, with 0 for none.
    static func moment(_ microseconds: Int64) -> Instant? {
        microseconds == 0 ? nil : Instant(microseconds: microseconds)
    }
}
