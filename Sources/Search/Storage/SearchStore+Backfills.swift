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
}

extension SearchStore {
    /// Queues a backfill, in place of one of the same table that may be running.
    ///
    /// - Parameters:
    ///   - isForced: writes every vector anew, also of texts that did not change.
    ///   - sweeps: looks for records that no longer exist at the end.
    ///   - total: records of the table, about.
    func enqueue(
        _ table: TableID,
        base: BaseID,
        isForced: Bool,
        sweeps: Bool,
        total: Int,
        tenant: TenantID,
        in transaction: any Transaction
    ) throws {
        let row = try transaction.firstRow(
            """
            INSERT INTO search_counters (name, value) VALUES ('backfill', 1)
            ON CONFLICT (name) DO UPDATE SET value = search_counters.value + 1 RETURNING value
            """
        )
        guard let position = try row?.integer(0) else { throw SearchError.corrupt("counter of backfills") }
        try transaction.execute(
            """
            INSERT INTO search_backfills
                (tenant, table_id, base, position, phase, next_cursor, is_forced, sweeps, done, total)
            VALUES ($1, $2, $3, $4, 'rendering', NULL, $5, $6, 0, $7)
            ON CONFLICT (tenant, table_id) DO UPDATE SET
                position = excluded.position, phase = excluded.phase, next_cursor = NULL, done = 0,
                total = excluded.total,
                is_forced = CASE WHEN search_backfills.phase = 'done' THEN excluded.is_forced
                    WHEN search_backfills.is_forced > excluded.is_forced THEN search_backfills.is_forced
                    ELSE excluded.is_forced END,
                sweeps = CASE WHEN search_backfills.phase = 'done' THEN excluded.sweeps
                    WHEN search_backfills.sweeps > excluded.sweeps THEN search_backfills.sweeps
                    ELSE excluded.sweeps END
            """,
            [
                .text(tenant.description), .text(table.description), .text(base.description), .integer(position),
                SQLValue(isForced), SQLValue(sweeps), SQLValue(total),
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
            SELECT table_id, base, position, phase, next_cursor, is_forced, sweeps, done, total
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
                total: Int(try row.integer(8))
            )
        }
    }

    /// Remembers how far `backfill` has come, unless another one has taken its place.
    func update(_ backfill: Backfill, tenant: TenantID, in transaction: any Transaction) throws {
        try transaction.execute(
            """
            UPDATE search_backfills SET phase = $3, next_cursor = $4, done = $5, total = $6
            WHERE tenant = $1 AND position = $2
            """,
            [
                .text(tenant.description), .integer(backfill.position), .text(backfill.phase.rawValue),
                SQLValue(backfill.cursor), SQLValue(backfill.done), SQLValue(backfill.total),
            ]
        )
    }
}
