import Access
package import Database
package import Domain

/// Whether people see a base, table or field.
package enum StoredState: String, Sendable {
    case ready
    /// Being filled; seen by its import only.
    case importing
    /// Gone for everybody; its rows are cleared away in small steps.
    case deleted

    var sql: SQLValue { .text(rawValue) }

    /// Whether a row of `bases`, `tables` or `fields` is in this state.
    func holds(_ row: Row) -> Bool { row["state"] == sql }
}

extension SchemaStore {
    // MARK: Making

    /// - Throws: `limitReached` when the tenant has as many as it may.
    package func insert(
        _ base: Base,
        state: StoredState,
        ofImport id: String? = nil,
        tenant: TenantID,
        in transaction: any Transaction
    ) throws {
        try TenantRoom.requireBase(tenant: tenant, in: transaction)
        try Self.bases.insert(
            [
                tenant.sql, base.id.sql, base.workspace.sql, .text(base.name), .text(nameKey(base.name)),
                SQLValue(base.createdTime.microseconds), state.sql, SQLValue(id),
            ],
            in: transaction
        )
        try count(bases: 1, tenant: tenant, in: transaction)
        try AccessStore.place(base.id, in: base.workspace, tenant: tenant, in: transaction)
    }

    /// Stores a table with its fields under a new number.
    ///
    /// - Parameter stagingFor: the number of the table that the rows will go to; they are stored by
    ///   its fields.
    package func insert(
        _ table: Table,
        position: Int,
        state: StoredState,
        ofImport id: String? = nil,
        stagingFor: Int64? = nil,
        tenant: TenantID,
        in transaction: any Transaction
    ) throws -> TableModel {
        let number = try nextNumber(in: transaction)
        let nextOrdinal = (table.fields.map(\.ordinal).max() ?? 0) + 1
        try Self.tables.insert(
            [
                SQLValue(number), tenant.sql, table.id.sql, table.base.sql, .text(table.name),
                .text(nameKey(table.name)), SQLValue(table.description), table.primaryField.sql,
                SQLValue(position), SQLValue(nextOrdinal), state.sql, SQLValue(id), SQLValue(stagingFor),
            ],
            in: transaction
        )
        try count(tables: 1, tenant: tenant, in: transaction)
        try transaction.execute(
            """
            INSERT INTO table_counters (table_number, tenant, next_position, next_number, records)
            VALUES ($1, $2, $3, 1, 0)
            """,
            [SQLValue(number), tenant.sql, SQLValue(TableModel.positionRange(number: number).lowerBound + 1)]
        )
        let model = TableModel(table: table, number: number, nextOrdinal: nextOrdinal)
        guard stagingFor == nil else { return model }
        for (position, field) in table.fields.enumerated() {
            try insert(field, position: position, tableNumber: number, tenant: tenant, in: transaction)
        }
        return model
    }

    /// Adds a field at the end of an existing table.
    package func append(_ field: Field, to model: TableModel, tenant: TenantID, in transaction: any Transaction) throws
    {
        try insert(
            field,
            position: model.nextOrdinal,
            tableNumber: model.number,
            tenant: tenant,
            in: transaction
        )
        let next = SQLValue(field.ordinal + 1)
        try Self.tables.update(
            [("next_field", next)],
            where: "tenant = $1 AND number = $2 AND next_field < $3",
            [tenant.sql, SQLValue(model.number), next],
            in: transaction
        )
    }

    func insert(
        _ field: Field,
        position: Int,
        tableNumber: Int64,
        state: StoredState = .ready,
        tenant: TenantID,
        in transaction: any Transaction
    ) throws {
        try Self.fields.insert(
            [
                SQLValue(tableNumber), SQLValue(field.ordinal), tenant.sql, field.id.sql, SQLValue(position),
                .text(field.name), .text(field.type.rawValue), SQLValue(field.description),
                .text(field.options.storedText), state.sql,
            ],
            in: transaction
        )
    }

    /// Counts bases and tables that come or go; see `load`. The caller holds the tenant's lock.
    private func count(bases: Int = 0, tables: Int = 0, tenant: TenantID, in transaction: any Transaction) throws {
        try transaction.execute(
            "UPDATE store_tenants SET bases = bases + $2, tables = tables + $3 WHERE tenant = $1",
            [tenant.sql, SQLValue(bases), SQLValue(tables)]
        )
    }

    private func nextNumber(in transaction: any Transaction) throws -> Int64 {
        let row = try transaction.firstRow("UPDATE table_numbers SET next = next + 1 WHERE id = 1 RETURNING next - 1")
        guard let row else { throw AirtableError.corrupt("The counter of tables is missing.") }
        return try row.integer(0)
    }

    // MARK: Changing

    package func setOptions(
        _ options: FieldOptions,
        of field: FieldID,
        tenant: TenantID,
        in transaction: any Transaction
    ) throws {
        try Self.fields.update(
            [("options", .text(options.storedText))],
            where: "tenant = $1 AND id = $2",
            [tenant.sql, field.sql],
            in: transaction
        )
    }

    /// Writes a field's name, description and options; its type and ordinal stay.
    func update(_ field: Field, tenant: TenantID, in transaction: any Transaction) throws {
        try Self.fields.update(
            [
                ("name", .text(field.name)), ("description", SQLValue(field.description)),
                ("options", .text(field.options.storedText)),
            ],
            where: "tenant = $1 AND id = $2",
            [tenant.sql, field.id.sql],
            in: transaction
        )
    }

    func rename(_ base: BaseID, to name: String, tenant: TenantID, in transaction: any Transaction) throws {
        try Self.bases.update(
            [("name", .text(name)), ("name_key", .text(nameKey(name)))],
            where: "tenant = $1 AND id = $2",
            [tenant.sql, base.sql],
            in: transaction
        )
    }

    /// Writes a table's name and description.
    func update(_ head: TableHead, ofTable number: Int64, tenant: TenantID, in transaction: any Transaction) throws {
        try Self.tables.update(
            [
                ("name", .text(head.name)), ("name_key", .text(nameKey(head.name))),
                ("description", SQLValue(head.description)),
            ],
            where: "tenant = $1 AND number = $2",
            [tenant.sql, SQLValue(number)],
            in: transaction
        )
    }

    /// Hides a field for good; its values stay in the rows until these are next written.
    package func deleteField(_ field: FieldID, tenant: TenantID, in transaction: any Transaction) throws {
        try Self.fields.update(
            [("state", StoredState.deleted.sql)],
            where: "tenant = $1 AND id = $2",
            [tenant.sql, field.sql],
            in: transaction
        )
        try FieldIndexStore().drop(field, tenant: tenant, in: transaction)
    }

    /// Hides a table and marks its rows for clearing.
    package func deleteTable(number: Int64, tenant: TenantID, in transaction: any Transaction) throws {
        try Self.tables.update(
            [("state", StoredState.deleted.sql)],
            where: "tenant = $1 AND number = $2",
            [tenant.sql, SQLValue(number)],
            in: transaction
        )
    }

    /// Hides a base with all its tables, whatever their state, and marks them for clearing.
    package func deleteBase(_ base: BaseID, tenant: TenantID, in transaction: any Transaction) throws {
        for (table, condition) in [(Self.bases, "id = $2"), (Self.tables, "base = $2")] {
            try table.update(
                [("state", StoredState.deleted.sql)],
                where: "tenant = $1 AND \(condition)",
                [tenant.sql, base.sql],
                in: transaction
            )
        }
    }

    /// Shows what an import made.
    package func publish(ofImport id: String, tenant: TenantID, in transaction: any Transaction) throws {
        for (table, condition) in [(Self.bases, ""), (Self.tables, " AND staging_for IS NULL")] {
            try table.update(
                [("state", StoredState.ready.sql), ("import", .null)],
                where: "tenant = $1 AND import = $2 AND state = 'importing'" + condition,
                [tenant.sql, .text(id)],
                in: transaction
            )
        }
    }

    /// Marks everything that an import made, and did not publish, for clearing.
    package func discard(ofImport id: String, tenant: TenantID, in transaction: any Transaction) throws {
        let bases = try transaction.rows(
            "SELECT id FROM bases WHERE tenant = $1 AND import = $2 AND state = 'importing'",
            [tenant.sql, .text(id)]
        )
        for row in bases {
            try AccessStore.remove(row.identifier(0) as BaseID, tenant: tenant, in: transaction)
        }
        for table in [Self.bases, Self.tables] {
            try table.update(
                [("state", StoredState.deleted.sql)],
                where: "tenant = $1 AND import = $2 AND state = 'importing'",
                [tenant.sql, .text(id)],
                in: transaction
            )
        }
    }

    // MARK: Clearing

    /// Removes at most `rows` rows of deleted tables, or one emptied table or base.
    ///
    /// - Returns: whether there may be more to clear.
    /// - Throws: `.corrupt` when the row that says so is damaged: perhaps nothing was deleted.
    package func clear(rows: Int, tenant: TenantID, in transaction: any Transaction) throws -> Bool {
        let (condition, arguments) = ("tenant = $1 AND state = 'deleted'", [tenant.sql])
        let tables = try Self.tables.rows(where: condition, arguments, orderedBy: "number", in: transaction)
        if let table = tables.first {
            _ = try lock(tenant: tenant, in: transaction)
            try clear(table: try table.integer("number"), rows: rows, tenant: tenant, in: transaction)
            return true
        }
        let bases = try Self.bases.rows(where: condition, arguments, orderedBy: "id", in: transaction)
        if bases.isEmpty { return false }
        _ = try lock(tenant: tenant, in: transaction)
        let gone = try transaction.execute("DELETE FROM bases WHERE \(condition)", arguments)
        try count(bases: -gone, tenant: tenant, in: transaction)
        return true
    }

    private func clear(table number: Int64, rows: Int, tenant: TenantID, in transaction: any Transaction) throws {
        // Holds off an import that still fills the table; after us it finds the counter gone, and
        // ends.
        try transaction.execute(
            "UPDATE table_counters SET records = records WHERE tenant = $1 AND table_number = $2",
            [tenant.sql, SQLValue(number)]
        )
        let range = TableModel.positionRange(number: number)
        let removed = try transaction.execute(
            """
            DELETE FROM records WHERE tenant = $1 AND position IN (
                SELECT position FROM records WHERE position >= $2 AND position <= $3 ORDER BY position LIMIT $4
            )
            """,
            [tenant.sql, SQLValue(range.lowerBound), SQLValue(range.upperBound), SQLValue(rows)]
        )
        if removed == rows { return }
        if try FieldIndexStore().clear(table: number, rows: rows, tenant: tenant, in: transaction) == rows { return }
        for table in ["fields", "table_counters", "comments", "views"] {
            try transaction.execute(
                "DELETE FROM \(table) WHERE tenant = $1 AND table_number = $2",
                [tenant.sql, SQLValue(number)]
            )
        }
        let gone = try transaction.execute(
            "DELETE FROM tables WHERE tenant = $1 AND number = $2",
            [tenant.sql, SQLValue(number)]
        )
        try count(tables: -gone, tenant: tenant, in: transaction)
    }
}
