import Database
import Domain

/// Rows of records in SQL. Decides nothing; every method works inside the caller's transaction.
struct RecordStore: Sendable {
    init() {}

    private static let insertion = BulkInsertion(
        into: "records",
        columns: ["position", "tenant", "table_number", "id", "created", "cells"]
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
                cells {text} NOT NULL
            ) {strict}
            """,
            // A table's number is unique in the database, so the tenant is checked on the row only. With it in front
            // SQLite takes this index for reading pages too, and sorts the whole table for each.
            "CREATE UNIQUE INDEX records_by_id ON records (table_number, id)",
        ]
    )

    // MARK: Reading

    /// Up to `limit` rows after `position`, in the order they came.
    func page(
        after position: Int64?,
        limit: Int,
        of model: TableModel,
        tenant: TenantID,
        in transaction: any Transaction
    ) throws -> [StoredRow] {
        try page(after: position, limit: limit, tableNumber: model.number, tenant: tenant, in: transaction)
    }

    func page(
        after position: Int64?,
        limit: Int,
        tableNumber: Int64,
        tenant: TenantID,
        in transaction: any Transaction
    ) throws -> [StoredRow] {
        let range = TableModel.positionRange(number: tableNumber)
        let rows = try transaction.rows(
            """
            SELECT position, id, created, cells FROM records
            WHERE position > $2 AND position <= $3 AND tenant = $1 ORDER BY position LIMIT $4
            """,
            [
                tenant.sql, SQLValue(position ?? range.lowerBound), SQLValue(range.upperBound), SQLValue(limit),
            ]
        )
        return try rows.map(Self.row)
    }

    /// The rows with these identifiers that exist, in no particular order.
    func rows(
        _ ids: some Collection<RecordID>,
        of model: TableModel,
        tenant: TenantID,
        in transaction: any Transaction
    ) throws -> [StoredRow] {
        try rows(ids, tableNumber: model.number, tenant: tenant, in: transaction)
    }

    func rows(
        _ ids: some Collection<RecordID>,
        tableNumber: Int64,
        tenant: TenantID,
        in transaction: any Transaction
    ) throws -> [StoredRow] {
        var found: [StoredRow] = []
        found.reserveCapacity(ids.count)
        for group in PaddedGroups(ids) {
            let places = Self.parameters(3..<(3 + group.count))
            let rows = try transaction.rows(
                """
                SELECT position, id, created, cells FROM records
                WHERE tenant = $1 AND table_number = $2 AND id IN (\(places))
                """,
                [tenant.sql, SQLValue(tableNumber)] + group.map(\.sql)
            )
            for row in rows { found.append(try Self.row(row)) }
        }
        return found
    }

    /// Rows whose stored cell of `field` equals one of `values`: texts, numbers, choices or days.
    ///
    /// Looks through the whole table: O(rows), some 100 ns each.
    func rows(
        where field: StoredField,
        isOneOf values: [SQLValue],
        of model: TableModel,
        tenant: TenantID,
        in transaction: any Transaction
    ) throws -> [StoredRow] {
        let range = model.positionRange
        var found: [StoredRow] = []
        for group in PaddedGroups(values) {
            let places = Self.parameters(4..<(4 + group.count))
            let cell = Self.cell(field, transaction.dialect)
            let rows = try transaction.rows(
                """
                SELECT position, id, created, cells FROM records
                WHERE tenant = $1 AND position >= $2 AND position <= $3 AND \(cell) IN (\(places)) ORDER BY position
                """,
                [tenant.sql, SQLValue(range.lowerBound), SQLValue(range.upperBound)] + group
            )
            for row in rows { found.append(try Self.row(row)) }
        }
        return found
    }

    /// Copies every row of one table to the end of another, keeping order and identifiers.
    ///
    /// - Returns: how many.
    func copyAll(
        from source: Int64,
        to target: Int64,
        tenant: TenantID,
        in transaction: any Transaction
    ) throws -> Int {
        let range = TableModel.positionRange(number: source)
        let bounds: [SQLValue] = [tenant.sql, SQLValue(range.lowerBound), SQLValue(range.upperBound)]
        let extent = try transaction.firstRow(
            """
            SELECT COUNT(*), COALESCE(MIN(position), 0), COALESCE(MAX(position), 0) FROM records
            WHERE tenant = $1 AND position >= $2 AND position <= $3
            """,
            bounds
        )
        guard let extent, case let count = try extent.integer(0), count > 0 else { return 0 }
        let width = try extent.integer(2) - extent.integer(1) + 1
        let first = try reservePositions(Int(width), tableNumber: target, tenant: tenant, in: transaction)
        try transaction.execute(
            """
            INSERT INTO records (position, tenant, table_number, id, created, cells)
            SELECT position + $4, tenant, $5, id, created, cells FROM records
            WHERE tenant = $1 AND position >= $2 AND position <= $3
            """,
            bounds + [SQLValue(first - (try extent.integer(1))), SQLValue(target)]
        )
        if width != count {
            try transaction.execute(
                "UPDATE table_counters SET records = records - $3 WHERE tenant = $1 AND table_number = $2",
                [tenant.sql, SQLValue(target), SQLValue(width - count)]
            )
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

    /// Where new rows go, and the numbers that their autoNumber fields get.
    struct Reservation {
        var position: Int64
        var number: Int64
    }

    /// Sets places and numbers for `count` new rows aside, and counts them.
    ///
    /// - Throws: `.modelNotFound` when the table has been cleared away.
    func reserve(
        _ count: Int,
        in model: TableModel,
        tenant: TenantID,
        in transaction: any Transaction
    ) throws -> Reservation {
        let position = try reservePositions(count, tableNumber: model.number, tenant: tenant, in: transaction)
        guard !model.autoNumberFields.isEmpty else { return Reservation(position: position, number: 0) }
        let number = try reserveNumbers(count, tableNumber: model.number, tenant: tenant, in: transaction)
        return Reservation(position: position, number: number)
    }

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

    func insert(
        _ rows: [StoredRow],
        tableNumber: Int64,
        tenant: TenantID,
        in transaction: any Transaction
    ) throws {
        let (tenant, table) = (tenant.sql, SQLValue(tableNumber))
        try Self.insertion.execute(rows, in: transaction) { row, arguments in
            arguments.append(SQLValue(row.position))
            arguments.append(tenant)
            arguments.append(table)
            arguments.append(row.id.sql)
            arguments.append(SQLValue(row.created.microseconds))
            arguments.append(.text(row.cells))
        }
    }

    func update(_ rows: [StoredRow], tenant: TenantID, in transaction: any Transaction) throws {
        for row in rows {
            try transaction.execute(
                "UPDATE records SET cells = $3 WHERE position = $2 AND tenant = $1",
                [tenant.sql, SQLValue(row.position), .text(row.cells)]
            )
        }
    }

    func delete(_ rows: [StoredRow], of model: TableModel, tenant: TenantID, in transaction: any Transaction) throws {
        if rows.isEmpty { return }
        for group in PaddedGroups(rows) {
            let places = Self.parameters(2..<(2 + group.count))
            try transaction.execute(
                "DELETE FROM records WHERE tenant = $1 AND position IN (\(places))",
                [tenant.sql] + group.map { SQLValue($0.position) }
            )
        }
        try transaction.execute(
            "UPDATE table_counters SET records = records - $3 WHERE tenant = $1 AND table_number = $2",
            [tenant.sql, SQLValue(model.number), SQLValue(rows.count)]
        )
    }

    // MARK: Shared

    static func row(_ row: Row) throws -> StoredRow {
        StoredRow(
            position: try row.integer(0),
            id: try row.identifier(1),
            created: Instant(microseconds: try row.integer(2)),
            cells: try row.text(3)
        )
    }

    /// `$3, $4, $5` for 3..<6.
    static func parameters(_ range: Range<Int>) -> String {
        range.map { "$\($0)" }.joined(separator: ", ")
    }

    /// SQL for one scalar cell: a number for numbers and moments, else text.
    static func cell(_ field: StoredField, _ dialect: SQLDialect) -> String {
        switch dialect {
        case .sqlite: "json_extract(cells, '$.\"\(field.ordinal)\"')"
        case .postgres:
            switch field.kind {
            case .number: "CAST(cells::json ->> '\(field.ordinal)' AS double precision)"
            case .dateTime: "CAST(cells::json ->> '\(field.ordinal)' AS bigint)"
            default: "(cells::json ->> '\(field.ordinal)')"
            }
        }
    }
}
