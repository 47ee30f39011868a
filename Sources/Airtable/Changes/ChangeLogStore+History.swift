import Database
import Domain

/// The change log read backwards.
extension ChangeLogStore {
    static let historyMigration = Migration(
        id: "airtable/0005-history",
        [
            // The tenant stands in front because every query names it; SQLite would else take the primary key.
            "CREATE INDEX change_log_by_record ON change_log (tenant, record, sequence) WHERE record IS NOT NULL"
        ]
    )

    /// A part of the log, newest first.
    struct Window {
        let changes: [RecordChange]
        /// Where an older part begins; nil when nothing is older.
        let next: Int64?
    }

    /// The changes of one record before `sequence`.
    func changes(
        of record: RecordID,
        before sequence: Int64?,
        limit: Int,
        schema: TenantSchema,
        in transaction: any Transaction
    ) throws -> Window {
        let sizes = try transaction.rows(
            """
            SELECT sequence, bytes FROM change_log WHERE tenant = $1 AND record = $2 AND sequence < $3
            ORDER BY sequence DESC LIMIT $4
            """,
            [schema.tenant.sql, record.sql, SQLValue(sequence ?? .max), SQLValue(limit + 1)]
        )
        let chosen = try Self.chosen(sizes, limit: limit)
        let changes = try changes(chosen, schema: schema, in: transaction)
        return Window(changes: changes, next: chosen.count < sizes.count ? chosen.last : nil)
    }

    /// The changes of one base, or one table of it, before `sequence`. Looks at `changePageEntries` entries of the tenant's log at
    /// most.
    func changes(
        in base: BaseID,
        table: TableID?,
        before sequence: Int64?,
        limit: Int,
        schema: TenantSchema,
        in transaction: any Transaction
    ) throws -> Window {
        let extent = try extent(tenant: schema.tenant, in: transaction)
        let end = min(sequence ?? .max, extent.latest + 1)
        let start = max(extent.oldest, end - Int64(Limits.changePageEntries))
        let sizes = try transaction.rows(
            """
            SELECT sequence, bytes FROM change_log
            WHERE tenant = $1 AND sequence >= $2 AND sequence < $3 AND base = $4\(table == nil ? "" : " AND table_id = $5")
            ORDER BY sequence DESC
            """,
            [schema.tenant.sql, SQLValue(start), SQLValue(end), base.sql] + [table?.sql].compactMap { $0 }
        )
        let chosen = try Self.chosen(sizes, limit: limit)
        let changes = try changes(chosen, schema: schema, in: transaction)
        if chosen.count < sizes.count { return Window(changes: changes, next: chosen.last) }
        return Window(changes: changes, next: start > extent.oldest ? start : nil)
    }

    /// The changes of one transaction of the log, oldest first; up to `limit`, and none when its first ones are no longer kept.
    ///
    /// - Parameter derived: whether computed cells that followed are among them.
    func changes(
        ofTransaction number: Int64,
        limit: Int,
        derived: Bool,
        schema: TenantSchema,
        in transaction: any Transaction
    ) throws -> [RecordChange] {
        let span = Int64(derived ? limit : limit + Limits.computedCellsPerWrite)
        guard number > 0, number <= .max - span else { return [] }
        let condition = derived ? "" : " AND kind <> \(ChangeKind.recomputed.rawValue)"
        let rows = try transaction.rows(
            """
            SELECT sequence FROM change_log WHERE tenant = $1 AND sequence >= $2 AND sequence < $3 AND tx = $2\(condition)
            ORDER BY sequence LIMIT $4
            """,
            [schema.tenant.sql, SQLValue(number), SQLValue(number + span), SQLValue(limit)]
        )
        let sequences = try rows.map { try $0.integer(0) }
        guard sequences.contains(number) else { return [] }
        return try changes(sequences, schema: schema, in: transaction).reversed()
    }

    /// A part of the log, oldest first.
    struct ForwardWindow {
        let changes: [RecordChange]
        /// The last entry that was looked at.
        let end: Int64
        let isLast: Bool
    }

    /// The changes of one base, one table of it or one record after `sequence`. Looks at `changePageEntries` entries of the
    /// tenant's log at most.
    ///
    /// - Parameter sequence: in the extent.
    func changes(
        in base: BaseID,
        table: TableID?,
        record: RecordID?,
        after sequence: Int64,
        limit: Int,
        schema: TenantSchema,
        in transaction: any Transaction
    ) throws -> ForwardWindow {
        let latest = try extent(tenant: schema.tenant, in: transaction).latest
        let end = min(sequence + Int64(Limits.changePageEntries), latest)
        let place: (condition: String, argument: SQLValue) =
            if let record {
                (" AND record = $5", record.sql)
            } else if let table {
                (" AND table_id = $5", table.sql)
            } else {
                ("", .null)
            }
        let sizes = try transaction.rows(
            """
            SELECT sequence, bytes FROM change_log
            WHERE tenant = $1 AND sequence > $2 AND sequence <= $3 AND base = $4\(place.condition) ORDER BY sequence
            """,
            [schema.tenant.sql, SQLValue(sequence), SQLValue(end), base.sql]
                + (place.condition.isEmpty ? [] : [place.argument])
        )
        let chosen = try Self.chosen(sizes, limit: limit)
        let changes = Array(try changes(chosen, schema: schema, in: transaction).reversed())
        if chosen.count < sizes.count, let last = chosen.last {
            return ForwardWindow(changes: changes, end: last, isLast: false)
        }
        return ForwardWindow(changes: changes, end: end, isLast: end == latest)
    }

    /// The newest change of a record after `sequence`.
    func latestChange(
        of record: RecordID,
        after sequence: Int64,
        schema: TenantSchema,
        in transaction: any Transaction
    ) throws -> RecordChange? {
        let window = try changes(of: record, before: nil, limit: 1, schema: schema, in: transaction)
        return window.changes.first { $0.sequence > sequence }
    }

    /// As many of the first as fit into a page, but one.
    private static func chosen(_ sizes: [Row], limit: Int) throws -> [Int64] {
        var chosen: [Int64] = []
        var bytes: Int64 = 0
        for size in sizes.prefix(limit) {
            bytes += try size.integer(1)
            if bytes > Limits.historyPageBytes, !chosen.isEmpty { break }
            chosen.append(try size.integer(0))
        }
        return chosen
    }

    /// The entries of these sequences, newest first; each has to be there.
    private func changes(
        _ sequences: [Int64],
        schema: TenantSchema,
        in transaction: any Transaction
    ) throws -> [RecordChange] {
        var found: [Int64: RecordChange] = [:]
        for group in PaddedGroups(sequences) {
            let places = RecordStore.parameters(2..<(2 + group.count))
            let rows = try Self.rows.rows(
                where: "tenant = $1 AND sequence IN (\(places))",
                [schema.tenant.sql] + group.map { SQLValue($0) },
                orderedBy: "sequence",
                in: transaction
            )
            for row in rows {
                let change = try Self.change(row, schema)
                found[change.sequence] = change
            }
        }
        return try sequences.sorted(by: >).map { sequence in
            guard let change = found[sequence] else { throw AirtableError.damaged("the change log") }
            return change
        }
    }
}
