import Database
import Domain

/// Rows of records in SQL. Decides nothing; every method works inside the caller's transaction.
struct RecordStore: Sendable {
    init() {}

    private let indexes = FieldIndexStore()

    private static let insertion = BulkInsertion(
        into: "records",
        columns: ["position", "tenant", "table_number", "id", "created", "cells", "digest"]
    )

    static let migration = Migration(
        id: "airtable/0002-records",
        [
            // `position` packs the table's number and the row's place in the table, so it is
            // (table, position) in one integer: SQLite keeps the rows of a table together and in
            // order, with one index less to maintain.
            """
            CREATE TABLE records (
                position {int} NOT NULL PRIMARY KEY,
                tenant {text} NOT NULL,
                table_number {int} NOT NULL,
                id {text} NOT NULL,
                created {int} NOT NULL,
                cells {text} NOT NULL,
                digest {int} NOT NULL
            ) {strict}
            """,
            // A table's number is unique in the database, so the tenant is checked on the row only. With it in front
            // SQLite takes this index for reading pages too, and sorts the whole table for each.
            "CREATE UNIQUE INDEX records_by_id ON records (table_number, id)",
        ]
    )

    // MARK: Reading

    /// Up to `limit` rows after `position`, in the order they came.
    ///
    /// Here as in all that follows, a row that is not as it was written is an error (see `row`).
    ///
    /// - Parameters:
    ///   - number: of the table they lie in, when that is not the one they are for.
    ///   - condition: what else rows must fulfil, beginning with AND, its placeholders from $4. The digests of rows
    ///     that do not are not checked.
    func page(
        after position: Int64?,
        limit: Int,
        of model: TableModel,
        at number: Int64? = nil,
        where condition: String = "",
        _ arguments: [SQLValue] = [],
        tenant: TenantID,
        in transaction: any Transaction
    ) throws -> [StoredRow] {
        let rows = try uncheckedPage(
            after: position,
            limit: limit,
            at: number ?? model.number,
            where: condition,
            arguments,
            in: transaction
        )
        let check = RowCheck(model, tenant)
        var last = position
        return try rows.map { row in
            let row = try check.row(row)
            // A page of the file in another's place can give rows again, or out of order.
            if let last, row.position <= last { throw check.damaged(row.id) }
            last = row.position
            return row
        }
    }

    /// The rows of a page that are as they were written, and where the next page begins; nil after the last one.
    func soundPage(
        after position: Int64?,
        limit: Int,
        of model: TableModel,
        tenant: TenantID,
        in transaction: any Transaction,
        onDamage: (AirtableError) -> Void
    ) throws -> (sound: [StoredRow], next: Int64?) {
        let rows = try uncheckedPage(after: position, limit: limit + 1, at: model.number, in: transaction)
        let check = RowCheck(model, tenant)
        var sound: [StoredRow] = []
        var last = position
        for row in rows.prefix(limit) {
            let place = try row.integer(0)
            // Else a listing might never end.
            if let last, place <= last { throw check.damaged(nil) }
            last = place
            do throws(AirtableError) { sound.append(try check.row(row)) } catch { onDamage(error) }
        }
        return (sound, rows.count > limit ? last : nil)
    }

    /// A page for `RowCheck.row`, one row at a time; the first column is the position.
    func uncheckedPage(
        after position: Int64?,
        limit: Int,
        at number: Int64,
        where condition: String = "",
        _ arguments: [SQLValue] = [],
        in transaction: any Transaction
    ) throws -> [Row] {
        let range = TableModel.positionRange(number: number)
        return try transaction.rows(
            """
            SELECT \(RowCheck.columns) FROM records
            WHERE position > $1 AND position <= $2\(condition) ORDER BY position LIMIT $3
            """,
            [SQLValue(position ?? range.lowerBound), SQLValue(range.upperBound), SQLValue(limit)] + arguments
        )
    }

    /// The rows with these identifiers that exist, in no particular order.
    ///
    /// - Parameter number: of the table they lie in, when that is not the one they are for.
    func rows(
        _ ids: some Collection<RecordID>,
        of model: TableModel,
        at number: Int64? = nil,
        tenant: TenantID,
        in transaction: any Transaction
    ) throws -> [StoredRow] {
        let check = RowCheck(model, tenant)
        var found: [StoredRow] = []
        found.reserveCapacity(ids.count)
        for group in PaddedGroups(ids) {
            let places = Self.parameters(2..<(2 + group.count))
            let rows = try transaction.rows(
                "SELECT \(RowCheck.columns) FROM records WHERE table_number = $1 AND id IN (\(places))",
                [SQLValue(number ?? model.number)] + group.map(\.sql)
            )
            for row in rows { found.append(try check.row(row)) }
        }
        return found
    }

    /// Rows whose stored cell of `field` equals one of `values`: texts, numbers, choices or days.
    ///
    /// Looks through the whole table unless the field has an index: O(rows), some 300 ns each. The digests of the
    /// rows found are checked, of those passed over not.
    func rows(
        where field: StoredField,
        isOneOf values: [SQLValue],
        of model: TableModel,
        tenant: TenantID,
        in transaction: any Transaction
    ) throws -> [StoredRow] {
        if let rows = try indexedRows(where: field, isOneOf: values, of: model, tenant: tenant, in: transaction) {
            return rows
        }
        let (range, check) = (model.positionRange, RowCheck(model, tenant))
        var found: [StoredRow] = []
        for group in PaddedGroups(values) {
            let places = Self.parameters(3..<(3 + group.count))
            let cell = Self.cell(field, transaction.dialect)
            let rows = try transaction.rows(
                """
                SELECT \(RowCheck.columns) FROM records
                WHERE position >= $1 AND position <= $2 AND \(cell) IN (\(places)) ORDER BY position
                """,
                [SQLValue(range.lowerBound), SQLValue(range.upperBound)] + group
            )
            for row in rows { found.append(try check.row(row)) }
        }
        return found
    }

    /// Copies every row that lies at `source` to the end of the table it is for, keeping order and
    /// identifiers.
    ///
    /// Through this process, because a row's digest covers its place.
    ///
    /// - Returns: how many.
    func copyAll(
        from source: Int64,
        to model: TableModel,
        tenant: TenantID,
        in transaction: any Transaction
    ) throws -> Int {
        let range = TableModel.positionRange(number: source)
        let counted = try transaction.firstRow(
            "SELECT COUNT(*) FROM records WHERE position >= $1 AND position <= $2",
            [SQLValue(range.lowerBound), SQLValue(range.upperBound)]
        )
        guard let count = try counted?.integer(0), count > 0 else { return 0 }
        let first = try reservePositions(Int(count), tableNumber: model.number, tenant: tenant, in: transaction)
        var (next, position): (Int64, Int64?) = (first, nil)
        while next < first + count {
            let page = try page(
                after: position,
                limit: Limits.internalPageRecords,
                of: model,
                at: source,
                tenant: tenant,
                in: transaction
            )
            guard let last = page.last else { throw AirtableError.damaged("table \(model.table.id)") }
            let moved = page.enumerated().map { offset, row in row.moved(to: next + Int64(offset)) }
            try insert(moved, tableNumber: model.number, tenant: tenant, in: transaction)
            next += Int64(page.count)
            position = last.position
        }
        return Int(count)
    }

    /// How many rows the table has: kept up to date by each write, so this reads one integer.
    func count(of model: TableModel, tenant: TenantID, in transaction: any Transaction) throws -> Int {
        let row = try transaction.firstRow(
            "SELECT records FROM table_counters WHERE tenant = $1 AND table_number = $2",
            [tenant.sql, SQLValue(model.number)]
        )
        return Int(try row?.integer(0) ?? 0)
    }

    // MARK: Writing

    /// Sets places for `count` new rows aside, and counts them; gives the first.
    func reservePositions(
        _ count: Int,
        tableNumber: Int64,
        tenant: TenantID,
        in transaction: any Transaction
    ) throws -> Int64 {
        let row = try transaction.firstRow(
            """
            UPDATE table_counters SET next_position = next_position + $3, records = records + $3
            WHERE tenant = $1 AND table_number = $2 RETURNING next_position - $3
            """,
            [tenant.sql, SQLValue(tableNumber), SQLValue(count)]
        )
        guard let first = try row?.integer(0) else { throw AirtableError.tableNotFound() }
        guard first + Int64(count) <= TableModel.positionRange(number: tableNumber).upperBound else {
            throw AirtableError(.tooLarge, "This table has had as many records as a table can have.")
        }
        return first
    }

    /// Sets numbers for the autoNumber fields of `count` new rows aside; gives the first.
    func reserveNumbers(
        _ count: Int,
        tableNumber: Int64,
        tenant: TenantID,
        in transaction: any Transaction
    ) throws -> Int64 {
        let row = try transaction.firstRow(
            """
            UPDATE table_counters SET next_number = next_number + $3
            WHERE tenant = $1 AND table_number = $2 RETURNING next_number - $3
            """,
            [tenant.sql, SQLValue(tableNumber), SQLValue(count)]
        )
        guard let first = try row?.integer(0) else { throw AirtableError.tableNotFound() }
        return first
    }

    /// Numbers given from now on are above `number`.
    func passNumber(
        _ number: Int64,
        tableNumber: Int64,
        tenant: TenantID,
        in transaction: any Transaction
    ) throws {
        try transaction.execute(
            """
            UPDATE table_counters SET next_number = $3
            WHERE tenant = $1 AND table_number = $2 AND next_number < $3
            """,
            [tenant.sql, SQLValue(tableNumber), SQLValue(number + 1)]
        )
    }

    func insert(
        _ rows: [StoredRow],
        tableNumber: Int64,
        tenant: TenantID,
        in transaction: any Transaction
    ) throws {
        let (owner, table) = (tenant.sql, SQLValue(tableNumber))
        let digest = RecordDigest(tenant: owner)
        try Self.insertion.execute(rows, in: transaction) { row, arguments in
            let id = row.id.sql
            arguments.append(SQLValue(row.position))
            arguments.append(owner)
            arguments.append(table)
            arguments.append(id)
            arguments.append(SQLValue(row.created.microseconds))
            arguments.append(.text(row.cells))
            arguments.append(digest.of(row, id: id))
        }
        try indexes.add(rows, tableNumber: tableNumber, tenant: tenant, in: transaction)
    }

    /// Writes the cells of rows that were read in this transaction.
    func update(_ rows: [StoredRow], tenant: TenantID, in transaction: any Transaction) throws {
        try indexes.replace(rows, tenant: tenant, in: transaction)
        let owner = tenant.sql
        let digest = RecordDigest(tenant: owner)
        // Many at once go to the server without waiting for each.
        for start in stride(from: 0, to: rows.count, by: Limits.internalPageRecords) {
            let part = rows[start..<min(start + Limits.internalPageRecords, rows.count)]
            let changed = try transaction.execute(
                "UPDATE records SET cells = $3, digest = $4 WHERE position = $2 AND tenant = $1",
                each: part.map { row in
                    [owner, SQLValue(row.position), .text(row.cells), digest.of(row, id: row.id.sql)]
                }
            )
            guard changed == part.count else {
                throw AirtableError.damaged(
                    part.count == 1 ? "record \(rows[start].id)" : "one of \(part.count) records"
                )
            }
        }
    }

    func delete(_ rows: [StoredRow], of model: TableModel, tenant: TenantID, in transaction: any Transaction) throws {
        if rows.isEmpty { return }
        var deleted = 0
        for group in PaddedGroups(rows) {
            let places = Self.parameters(2..<(2 + group.count))
            deleted += try transaction.execute(
                "DELETE FROM records WHERE tenant = $1 AND position IN (\(places))",
                [tenant.sql] + group.map { SQLValue($0.position) }
            )
        }
        guard deleted == rows.count else { throw AirtableError.damaged("table \(model.table.id)") }
        try indexes.remove(rows, tableNumber: model.number, tenant: tenant, in: transaction)
        try transaction.execute(
            "UPDATE table_counters SET records = records - $3 WHERE tenant = $1 AND table_number = $2",
            [tenant.sql, SQLValue(model.number), SQLValue(rows.count)]
        )
    }

    // MARK: Shared

    /// `$3, $4, $5` for 3..<6.
    static func parameters(_ range: Range<Int>) -> String {
        range.map { "$\($0)" }.joined(separator: ", ")
    }

    /// SQL for one scalar cell: a number for numbers and moments, else text.
    static func cell(_ field: StoredField, _ dialect: SQLDialect) -> String {
        let form: StoredCell.Form =
            switch field.kind {
            case .number: .number
            case .dateTime: .moment
            default: .text
            }
        return ConditionWriter.cell(field.ordinal, form, dialect)
    }
}
