package import Database
package import Domain

/// One entry on its way into the change log.
struct ChangeEntry: Sendable {
    let base: BaseID
    let table: TableID
    var kind: ChangeKind
    var record: RecordID?
    var created: Instant?
    /// Stored cells, see `StoredCells`; or of a changed schema what `SchemaChange` keeps.
    var before: String?
    var after: String?

    /// About what the entry takes in the database: its texts, and columns and index of about this
    /// size.
    var byteCount: Int { 160 + (before?.utf8.count ?? 0) + (after?.utf8.count ?? 0) }
}

extension ChangeEntry {
    /// An entry that says what of a table's schema changed.
    init(base: BaseID, table: TableID, schema change: SchemaChange) {
        self.init(base: base, table: table, kind: .schemaChanged)
        before = change.storedBefore
        after = change.storedAfter
    }
}

enum ChangeKind: Int64, Sendable {
    case created = 1
    case updated = 2
    case deleted = 3
    case schemaChanged = 4
    case imported = 5
    case tableDeleted = 6
    /// Computed cells followed others: of one record, or without one of many at once. Nobody undoes it.
    case recomputed = 7
}

/// Which part of a tenant's change log is kept.
package struct ChangeLogExtent: Sendable, Hashable {
    /// The oldest entry kept; `latest + 1` when none is.
    package let oldest: Int64
    /// The newest entry ever written; 0 before the first.
    package let latest: Int64
}

/// The ordered log of changes, and how far its consumers have come, in SQL.
///
/// Sequence numbers are gapless for each tenant and rise in commit order: they come from a counter
/// in the tenant's row, which the writer changes while it holds the tenant's lock. Every method
/// works inside the caller's transaction.
package struct ChangeLogStore: Sendable {
    package init() {}

    private static let columns = [
        "tenant", "sequence", "tx", "base", "table_id", "time", "actor", "kind", "record", "created", "bytes",
        "before", "after",
    ]
    private static let insertion = BulkInsertion(into: "change_log", columns: columns + ["digest"])
    static let rows = DigestedTable("change_log", noun: "change", key: ["tenant", "sequence"], columns: columns)

    static let migration = Migration(
        id: "airtable/0003-changes",
        [
            // Identifiers in full: an entry outlives its table. `bytes` stands before the long
            // texts, so that reading it does not read them.
            """
            CREATE TABLE change_log (
                tenant {text} NOT NULL,
                sequence {int} NOT NULL,
                tx {int} NOT NULL,
                base {text} NOT NULL,
                table_id {text} NOT NULL,
                time {int} NOT NULL,
                actor {text} NOT NULL,
                kind {int} NOT NULL,
                record {text},
                created {int},
                bytes {int} NOT NULL,
                before {text},
                after {text},
                digest {int} NOT NULL,
                PRIMARY KEY (tenant, sequence)
            ) {strict}
            """,
            """
            CREATE TABLE change_checkpoints (
                tenant {text} NOT NULL,
                consumer {text} NOT NULL,
                sequence {int} NOT NULL,
                time {int} NOT NULL,
                PRIMARY KEY (tenant, consumer)
            ) {strict}
            """,
        ]
    )

    // MARK: Writing

    /// Appends `entries` as one transaction of the log; its number is the sequence of its first
    /// entry.
    ///
    /// The caller holds the tenant's lock (`SchemaStore.lock`).
    ///
    /// - Parameter number: of the transaction of the log that the entries go on; nil begins one.
    /// - Returns: its number; nil when there is nothing to append.
    @discardableResult
    func append(
        _ entries: [ChangeEntry],
        continuing number: Int64? = nil,
        actor: UserID,
        time: Instant,
        tenant: TenantID,
        in transaction: any Transaction
    ) throws -> Int64? {
        if entries.isEmpty { return number }
        let row = try transaction.firstRow(
            """
            UPDATE store_tenants SET sequence = sequence + $2, log_bytes = log_bytes + $3
            WHERE tenant = $1 RETURNING sequence - $2
            """,
            [tenant.sql, SQLValue(entries.count), SQLValue(entries.reduce(0) { $0 + $1.byteCount })]
        )
        guard let row else { throw AirtableError.corrupt("The counter of changes is missing.") }
        let first = try row.integer(0) + 1
        let log = number ?? first
        let (tenant, actor, time) = (tenant.sql, actor.sql, SQLValue(time.microseconds))
        var sequence = first
        try Self.insertion.execute(entries, in: transaction) { entry, arguments in
            arguments.append(tenant)
            arguments.append(SQLValue(sequence))
            arguments.append(SQLValue(log))
            arguments.append(entry.base.sql)
            arguments.append(entry.table.sql)
            arguments.append(time)
            arguments.append(actor)
            arguments.append(.integer(entry.kind.rawValue))
            arguments.append(entry.record?.sql ?? .null)
            arguments.append(SQLValue(entry.created?.microseconds))
            arguments.append(SQLValue(entry.byteCount))
            arguments.append(SQLValue(entry.before))
            arguments.append(SQLValue(entry.after))
            arguments.append(Self.rows.digest(arguments.suffix(Self.columns.count)))
            sequence += 1
        }
        return log
    }

    // MARK: Reading

    package func extent(tenant: TenantID, in transaction: any Transaction) throws -> ChangeLogExtent {
        let row = try transaction.firstRow(
            "SELECT oldest, sequence FROM store_tenants WHERE tenant = $1",
            [tenant.sql]
        )
        guard let row else { return ChangeLogExtent(oldest: 1, latest: 0) }
        return ChangeLogExtent(oldest: try row.integer(0), latest: try row.integer(1))
    }

    /// Up to `limit` entries after `sequence`, and no more than about `byteLimit` bytes, but one at
    /// least.
    ///
    /// `sequence` is in the extent and not its end, so that an entry that is not there is damage.
    /// Cells are read by today's schema: those of fields deleted since are left out, and of tables
    /// deleted since, all.
    package func changes(
        after sequence: Int64,
        limit: Int,
        byteLimit: Int = 4 * 1_024 * 1_024,
        schema: TenantSchema,
        in transaction: any Transaction
    ) throws -> [RecordChange] {
        let sizes = try transaction.rows(
            """
            SELECT sequence, bytes FROM change_log WHERE tenant = $1 AND sequence > $2 ORDER BY sequence LIMIT $3
            """,
            [schema.tenant.sql, SQLValue(sequence), SQLValue(limit)]
        )
        guard let first = sizes.first else { throw AirtableError.damaged("the change log") }
        var last = try first.integer(0)
        var bytes = try first.integer(1)
        for size in sizes.dropFirst() {
            bytes += try size.integer(1)
            if bytes > byteLimit { break }
            last = try size.integer(0)
        }
        let rows = try Self.rows.rows(
            where: "tenant = $1 AND sequence > $2 AND sequence <= $3",
            [schema.tenant.sql, SQLValue(sequence), SQLValue(last)],
            orderedBy: "sequence",
            in: transaction
        )
        return try rows.enumerated().map { offset, row in
            let change = try Self.change(row, schema)
            guard change.sequence == sequence + Int64(offset) + 1 else { throw AirtableError.damaged("the change log") }
            return change
        }
    }

    static func change(_ row: Row, _ schema: TenantSchema) throws -> RecordChange {
        let table: TableID = try row.identifier("table_id")
        guard let kind = ChangeKind(rawValue: try row.integer("kind")) else {
            throw AirtableError.corrupt("The change log holds an entry this program does not know.")
        }
        return RecordChange(
            sequence: try row.integer("sequence"),
            transaction: try row.integer("tx"),
            base: try row.identifier("base"),
            table: table,
            time: Instant(microseconds: try row.integer("time")),
            actor: try row.identifier("actor"),
            event: try event(kind, row, schema.table(table)),
            schemaChange: kind == .schemaChanged
                ? try SchemaChange(
                    storedBefore: try row.optionalText("before"),
                    after: try row.optionalText("after")
                ) : nil,
            isDerived: kind == .recomputed
        )
    }

    private static func event(_ kind: ChangeKind, _ row: Row, _ model: TableModel?) throws -> RecordChange.Event {
        func record(_ column: String) throws -> Record {
            let id: RecordID = try row.identifier("record")
            let created = Instant(microseconds: try row.integer("created"))
            guard let model else { return Record(id: id, createdTime: created, cells: [:]) }
            return try StoredRow(position: 0, id: id, created: created, cells: try row.text(column))
                .record(model, times: true)
        }
        switch kind {
        case .created: return .created(try record("after"))
        case .recomputed where row["record"] == .null: return .imported
        case .updated, .recomputed: return .updated(before: try record("before"), after: try record("after"))
        case .deleted: return .deleted(try record("before"))
        case .schemaChanged: return .schemaChanged
        case .imported: return .imported
        case .tableDeleted: return .tableDeleted
        }
    }

    // MARK: Retention

    /// Removes up to `limit` of the oldest entries: those before `cutoff`, and those that
    /// `bytesMax` has no room for.
    ///
    /// - Returns: how many went; fewer than `limit` when the log is within bounds now.
    package func trim(
        before cutoff: Instant,
        bytesMax: Int64,
        limit: Int,
        tenant: TenantID,
        in transaction: any Transaction
    ) throws -> Int {
        _ = try SchemaStore().lock(tenant: tenant, in: transaction)
        let state = try transaction.firstRow("SELECT log_bytes FROM store_tenants WHERE tenant = $1", [tenant.sql])
        guard let state else { return 0 }
        let total = try state.integer(0)
        let oldest = try transaction.rows(
            "SELECT sequence, time, bytes FROM change_log WHERE tenant = $1 ORDER BY sequence LIMIT $2",
            [tenant.sql, SQLValue(limit)]
        )
        var removed: Int64 = 0
        var count = 0
        var last: Int64 = 0
        for entry in oldest {
            guard try entry.integer(1) < cutoff.microseconds || total - removed > bytesMax else { break }
            last = try entry.integer(0)
            removed += try entry.integer(2)
            count += 1
        }
        if count == 0 { return 0 }
        try CommentStore().deleteComments(ofRecordsDeletedUpTo: last, tenant: tenant, in: transaction)
        try transaction.execute(
            "DELETE FROM change_log WHERE tenant = $1 AND sequence <= $2",
            [tenant.sql, SQLValue(last)]
        )
        try transaction.execute(
            "UPDATE store_tenants SET oldest = $2, log_bytes = log_bytes - $3 WHERE tenant = $1",
            [tenant.sql, SQLValue(last + 1), SQLValue(removed)]
        )
        return count
    }

    // MARK: Checkpoints

    /// The last entry that `consumer` has dealt with; nil when it never said.
    package func checkpoint(of consumer: String, tenant: TenantID, in transaction: any Transaction) throws -> Int64? {
        let row = try transaction.firstRow(
            "SELECT sequence FROM change_checkpoints WHERE tenant = $1 AND consumer = $2",
            [tenant.sql, .text(consumer)]
        )
        return try row?.integer(0)
    }

    package func setCheckpoint(
        _ sequence: Int64,
        of consumer: String,
        time: Instant,
        tenant: TenantID,
        in transaction: any Transaction
    ) throws {
        try transaction.execute(
            """
            INSERT INTO change_checkpoints (tenant, consumer, sequence, time) VALUES ($1, $2, $3, $4)
            ON CONFLICT (tenant, consumer) DO UPDATE SET sequence = excluded.sequence, time = excluded.time
            """,
            [tenant.sql, .text(consumer), SQLValue(sequence), SQLValue(time.microseconds)]
        )
    }

    package func checkpoints(tenant: TenantID, in transaction: any Transaction) throws -> [String: Int64] {
        let rows = try transaction.rows(
            "SELECT consumer, sequence FROM change_checkpoints WHERE tenant = $1",
            [tenant.sql]
        )
        return try Dictionary(rows.map { (try $0.text(0), try $0.integer(1)) }) { first, _ in first }
    }

    package func deleteCheckpoint(of consumer: String, tenant: TenantID, in transaction: any Transaction) throws {
        try transaction.execute(
            "DELETE FROM change_checkpoints WHERE tenant = $1 AND consumer = $2",
            [tenant.sql, .text(consumer)]
        )
    }
}
