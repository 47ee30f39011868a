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
}

extension SchemaStore {
    // MARK: Making

    package func insert(
        _ base: Base,
        state: StoredState,
        ofImport id: String? = nil,
        tenant: TenantID,
        in transaction: any Transaction
    ) throws {
        try transaction.execute(
            """
            INSERT INTO bases (tenant, id, workspace, name, name_key, created, state, import)
            VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
            """,
            [
                tenant.sql, base.id.sql, base.workspace.sql, .text(base.name), .text(nameKey(base.name)),
                SQLValue(base.createdTime.microseconds), state.sql, SQLValue(id),
            ]
        )
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
        try transaction.execute(
            """
            INSERT INTO tables (
                number, tenant, id, base, name, name_key, description, primary_field, ordinal, next_field,
                state, import, staging_for
            ) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)
            """,
            [
                SQLValue(number), tenant.sql, table.id.sql, table.base.sql, .text(table.name),
                .text(nameKey(table.name)), SQLValue(table.description), table.primaryField.sql,
                SQLValue(position), SQLValue(nextOrdinal), state.sql, SQLValue(id), SQLValue(stagingFor),
            ]
        )
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
        try transaction.execute(
            "UPDATE tables SET next_field = $3 WHERE tenant = $1 AND number = $2 AND next_field < $3",
            [tenant.sql, SQLValue(model.number), SQLValue(field.ordinal + 1)]
        )
    }

    private func insert(
        _ field: Field,
        position: Int,
        tableNumber: Int64,
        tenant: TenantID,
        in transaction: any Transaction
    ) throws {
        try transaction.execute(
            """
            INSERT INTO fields (
                table_number, ordinal, tenant, id, position, name, type, description, options, state
            ) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, 'ready')
            """,
            [
                SQLValue(tableNumber), SQLValue(field.ordinal), tenant.sql, field.id.sql, SQLValue(position),
                .text(field.name), .text(field.type.rawValue), SQLValue(field.description),
                .text(field.options.storedText),
            ]
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
        try transaction.execute(
            "UPDATE fields SET options = $3 WHERE tenant = $1 AND id = $2",
            [tenant.sql, field.sql, .text(options.storedText)]
        )
    }

    /// Hides a field for good; its values stay in the rows until these are next written.
    package func deleteField(_ field: FieldID, tenant: TenantID, in transaction: any Transaction) throws {
        try transaction.execute(
            "UPDATE fields SET state = 'deleted' WHERE tenant = $1 AND id = $2",
            [tenant.sql, field.sql]
        )
    }

    /// Hides a table and marks its rows for clearing.
    package func deleteTable(number: Int64, tenant: TenantID, in transaction: any Transaction) throws {
        try transaction.execute(
            "UPDATE tables SET state = 'deleted' WHERE tenant = $1 AND number = $2",
            [tenant.sql, SQLValue(number)]
        )
    }

    /// Hides a base with all its tables, whatever their state, and marks them for clearing.
    package func deleteBase(_ base: BaseID, tenant: TenantID, in transaction: any Transaction) throws {
        try transaction.execute(
            "UPDATE bases SET state = 'deleted' WHERE tenant = $1 AND id = $2",
            [tenant.sql, base.sql]
        )
        try transaction.execute(
            "UPDATE tables SET state = 'deleted' WHERE tenant = $1 AND base = $2",
            [tenant.sql, base.sql]
        )
    }

    /// Shows what an import made.
    package func publish(ofImport id: String, tenant: TenantID, in transaction: any Transaction) throws {
        for statement in [
            "UPDATE bases SET state = 'ready', import = NULL WHERE tenant = $1 AND import = $2 AND state = 'importing'",
            """
            UPDATE tables SET state = 'ready', import = NULL
            WHERE tenant = $1 AND import = $2 AND state = 'importing' AND staging_for IS NULL
            """,
        ] {
            try transaction.execute(statement, [tenant.sql, .text(id)])
        }
    }

    /// Marks everything that an import made, and did not publish, for clearing.
    package func discard(ofImport id: String, tenant: TenantID, in transaction: any Transaction) throws {
        for statement in [
            "UPDATE bases SET state = 'deleted' WHERE tenant = $1 AND import = $2 AND state = 'importing'",
            "UPDATE tables SET state = 'deleted' WHERE tenant = $1 AND import = $2 AND state = 'importing'",
        ] {
            try transaction.execute(statement, [tenant.sql, .text(id)])
        }
    }

    // MARK: Clearing

    /// Removes at most `rows` rows of deleted tables, or one emptied table or base.
    ///
    /// - Returns: whether there may be more to clear.
    package func clear(rows: Int, tenant: TenantID, in transaction: any Transaction) throws -> Bool {
        let table = try transaction.firstRow(
            "SELECT number FROM tables WHERE tenant = $1 AND state = 'deleted' ORDER BY number LIMIT 1",
            [tenant.sql]
        )
        if let number = try table?.integer(0) {
            // Holds off an import that still fills the table; after us it finds the counter gone,
            // and ends.
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
            if removed < rows {
                for table in ["fields", "table_counters"] {
                    try transaction.execute(
                        "DELETE FROM \(table) WHERE tenant = $1 AND table_number = $2",
                        [tenant.sql, SQLValue(number)]
                    )
                }
                try transaction.execute(
                    "DELETE FROM tables WHERE tenant = $1 AND number = $2",
                    [tenant.sql, SQLValue(number)]
                )
            }
            return true
        }
        let bases = try transaction.execute(
            "DELETE FROM bases WHERE tenant = $1 AND state = 'deleted'",
            [tenant.sql]
        )
        return bases > 0
    }
}
