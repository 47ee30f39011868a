import Database
import Domain

/// The indexes of fields in SQL: which there are, and for each the keys of its cells.
///
/// `RecordStore` keeps them in step in the transaction of every write. They can be made anew, so their rows have no
/// digests; whoever finds a row by one compares its cell again.
struct FieldIndexStore: Sendable {
    private static let insertion = BulkInsertion(
        into: "cell_keys",
        columns: ["field", "cell_key", "position"],
        // A row may be written while its index is being built.
        conflicts: " ON CONFLICT DO NOTHING"
    )

    static let migration: Migration = {
        let indexes = """
            CREATE TABLE field_indexes (
                tenant {text} NOT NULL,
                table_number {int} NOT NULL,
                ordinal {int} NOT NULL,
                field {text} NOT NULL,
                built_to {int} NOT NULL,
                is_ready {int} NOT NULL,
                PRIMARY KEY (table_number, ordinal)
            ) {strict}
            """
        // One tree that is the index and nothing else, some 25 bytes a row.
        let keys = """
            CREATE TABLE cell_keys (
                field {int} NOT NULL,
                cell_key {int} NOT NULL,
                position {int} NOT NULL,
                PRIMARY KEY (field, cell_key, position)
            )
            """
        return Migration(
            id: "airtable/0020-field-indexes",
            sqlite: [indexes, keys + " STRICT, WITHOUT ROWID"],
            postgres: [indexes, keys]
        )
    }()

    // MARK: Which there are

    /// Every index of a table, also those that are being built.
    func indexes(ofTable number: Int64, tenant: TenantID, in transaction: any Transaction) throws -> [FieldIndex] {
        let rows = try transaction.rows(
            """
            SELECT ordinal, built_to, is_ready FROM field_indexes
            WHERE table_number = $1 AND tenant = $2 ORDER BY ordinal
            """,
            [SQLValue(number), tenant.sql]
        )
        return try rows.map { row in
            FieldIndex(
                tableNumber: number,
                ordinal: Int(try row.integer(0)),
                builtTo: try row.integer(1),
                isReady: try row.integer(2) != 0
            )
        }
    }

    /// Begins an index: from now on writes keep it in step, and `build` goes over the rows that are there.
    func begin(
        _ field: Field,
        of model: TableModel,
        tenant: TenantID,
        in transaction: any Transaction
    ) throws {
        try transaction.execute(
            """
            INSERT INTO field_indexes (tenant, table_number, ordinal, field, built_to, is_ready)
            VALUES ($1, $2, $3, $4, $5, 0) ON CONFLICT DO NOTHING
            """,
            [
                tenant.sql, SQLValue(model.number), SQLValue(field.ordinal), field.id.sql,
                SQLValue(model.positionRange.lowerBound),
            ]
        )
    }

    /// Takes the next rows into an index that is being built.
    ///
    /// - Returns: whether it is ready.
    func build(
        _ index: FieldIndex,
        of model: TableModel,
        rows limit: Int,
        tenant: TenantID,
        in transaction: any Transaction
    ) throws -> Bool {
        let rows = try RecordStore().page(
            after: index.builtTo,
            limit: limit,
            of: model,
            tenant: tenant,
            in: transaction
        )
        try insert(rows, [index], in: transaction)
        let isReady = rows.count < limit
        try transaction.execute(
            "UPDATE field_indexes SET built_to = $4, is_ready = $5 WHERE tenant = $1 AND table_number = $2 AND ordinal = $3",
            [
                tenant.sql, SQLValue(index.tableNumber), SQLValue(index.ordinal),
                SQLValue(rows.last?.position ?? index.builtTo), SQLValue(isReady),
            ]
        )
        return isReady
    }

    /// Removes the index of a field, if there is one.
    func drop(_ field: FieldID, tenant: TenantID, in transaction: any Transaction) throws {
        let row = try transaction.firstRow(
            "DELETE FROM field_indexes WHERE tenant = $1 AND field = $2 RETURNING table_number, ordinal",
            [tenant.sql, field.sql]
        )
        guard let row else { return }
        let index = FieldIndex(
            tableNumber: try row.integer(0),
            ordinal: Int(try row.integer(1)),
            builtTo: 0,
            isReady: false
        )
        try transaction.execute("DELETE FROM cell_keys WHERE field = $1", [SQLValue(index.number)])
    }

    /// Removes at most `rows` keys of a table that is gone, and then that it had indexes.
    ///
    /// - Returns: how many keys.
    func clear(table number: Int64, rows: Int, tenant: TenantID, in transaction: any Transaction) throws -> Int {
        let range = FieldIndex.range(tableNumber: number)
        var removed = 0
        for index in try indexes(ofTable: number, tenant: tenant, in: transaction) where removed < rows {
            precondition(range.contains(index.number), "index \(index.number) of table \(number)")
            removed += try transaction.execute(
                """
                DELETE FROM cell_keys WHERE field = $1 AND (cell_key, position) IN (
                    SELECT cell_key, position FROM cell_keys WHERE field = $1 LIMIT $2
                )
                """,
                [SQLValue(index.number), SQLValue(rows - removed)]
            )
        }
        if removed == rows { return removed }
        try transaction.execute(
            "DELETE FROM field_indexes WHERE tenant = $1 AND table_number = $2",
            [tenant.sql, SQLValue(number)]
        )
        return removed
    }

    // MARK: Looking up

    /// Places of rows whose cell has one of `keys`, ascending, after `position`; at most `limit`.
    ///
    /// Each key is asked for by itself, so that each comes in order, and nothing is sorted but what is given.
    func positions(
        _ keys: some Sequence<CellKey>,
        in index: FieldIndex,
        after position: Int64,
        limit: Int,
        tenant: TenantID,
        in transaction: any Transaction
    ) throws -> [Int64] {
        var found: [Int64] = []
        for key in keys {
            try transaction.forEachRow(
                """
                SELECT position FROM cell_keys WHERE field = $1 AND cell_key = $2 AND position > $3
                ORDER BY position LIMIT $4
                """,
                [SQLValue(index.number), key.sql, SQLValue(position), SQLValue(limit)]
            ) { found.append(try $0.integer(0)) }
        }
        found.sort()
        return found.count > limit ? Array(found.prefix(limit)) : found
    }

    // MARK: Keeping in step

    /// After rows were inserted.
    func add(
        _ rows: [StoredRow],
        tableNumber: Int64,
        tenant: TenantID,
        in transaction: any Transaction
    ) throws {
        let indexes = try indexes(ofTable: tableNumber, tenant: tenant, in: transaction)
        try insert(rows, indexes, in: transaction)
    }

    /// Before rows are written over: `rows` are the new ones.
    func replace(_ rows: [StoredRow], tenant: TenantID, in transaction: any Transaction) throws {
        for (number, rows) in Dictionary(grouping: rows, by: { TableModel.number(ofPosition: $0.position) }) {
            let indexes = try indexes(ofTable: number, tenant: tenant, in: transaction)
            guard !indexes.isEmpty else { continue }
            var old: [Int64: String] = [:]
            for group in PaddedGroups(rows) {
                let places = RecordStore.parameters(1..<(1 + group.count))
                let stored = try transaction.rows(
                    "SELECT position, cells FROM records WHERE position IN (\(places))",
                    group.map { SQLValue($0.position) }
                )
                for row in stored { old[try row.integer(0)] = try row.text(1) }
            }
            var (gone, new): ([Entry], [Entry]) = ([], [])
            for row in rows {
                let before = try old[row.position].map { try Self.entries($0, row.position, indexes) } ?? []
                let after = try Self.entries(row.cells, row.position, indexes)
                gone += before.filter { !after.contains($0) }
                new += after.filter { !before.contains($0) }
            }
            try remove(gone, in: transaction)
            try insert(new, in: transaction)
        }
    }

    /// After rows were deleted.
    func remove(
        _ rows: [StoredRow],
        tableNumber: Int64,
        tenant: TenantID,
        in transaction: any Transaction
    ) throws {
        let indexes = try indexes(ofTable: tableNumber, tenant: tenant, in: transaction)
        guard !indexes.isEmpty else { return }
        try remove(try rows.flatMap { try Self.entries($0.cells, $0.position, indexes) }, in: transaction)
    }

    // MARK: Keys of rows

    private struct Entry: Hashable {
        let index: Int64
        let key: CellKey
        let position: Int64
    }

    private func insert(_ rows: [StoredRow], _ indexes: [FieldIndex], in transaction: any Transaction) throws {
        if indexes.isEmpty { return }
        try insert(try rows.flatMap { try Self.entries($0.cells, $0.position, indexes) }, in: transaction)
    }

    private func insert(_ entries: [Entry], in transaction: any Transaction) throws {
        // In the order of the tree, whose pages are then touched one after the other.
        let sorted = entries.sorted { ($0.index, $0.key.order, $0.position) < ($1.index, $1.key.order, $1.position) }
        try Self.insertion.execute(sorted, in: transaction) { entry, arguments in
            arguments.append(SQLValue(entry.index))
            arguments.append(entry.key.sql)
            arguments.append(SQLValue(entry.position))
        }
    }

    private func remove(_ entries: [Entry], in transaction: any Transaction) throws {
        try transaction.execute(
            "DELETE FROM cell_keys WHERE field = $1 AND cell_key = $2 AND position = $3",
            each: entries.map { [SQLValue($0.index), $0.key.sql, SQLValue($0.position)] }
        )
    }

    private static func entries(
        _ cells: String,
        _ position: Int64,
        _ indexes: [FieldIndex]
    ) throws(AirtableError) -> [Entry] {
        var cells = cells
        let result = cells.withUTF8 { bytes -> Result<[Entry], AirtableError> in
            var reader = StoredCellReader(bytes)
            var entries: [Entry] = []
            do throws(AirtableError) {
                while let ordinal = try reader.nextKey() {
                    if let index = indexes.first(where: { $0.ordinal == ordinal }) {
                        entries.append(Entry(index: index.number, key: try reader.key(), position: position))
                    } else {
                        try reader.skipValue()
                    }
                }
                return .success(entries)
            } catch { return .failure(error) }
        }
        return try result.get()
    }
}
