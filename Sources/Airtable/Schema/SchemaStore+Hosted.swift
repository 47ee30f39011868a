import Database
import Domain

/// What only schemas that come from elsewhere need: fields that change their type or come back, and an order that
/// somebody else decides.
extension SchemaStore {
    /// Whether a deleted field of this identifier is still stored.
    func hasDeleted(_ field: FieldID, tenant: TenantID, in transaction: any Transaction) throws -> Bool {
        let rows = try Self.fields.rows(
            where: "tenant = $1 AND id = $2",
            [tenant.sql, field.sql],
            orderedBy: "id",
            in: transaction
        )
        return try rows.contains { try $0.text("state") != StoredState.ready.rawValue }
    }

    /// Writes a stored field, deleted or of another type, as one whose cells are all empty: under a new ordinal, so that
    /// no row has to be written. What cells had stays under the old one and is never read.
    ///
    /// - Parameter field: with its new ordinal.
    func renew(
        _ field: Field,
        from ordinal: Int,
        tableNumber: Int64,
        tenant: TenantID,
        in transaction: any Transaction
    ) throws {
        try Self.fields.update(
            [
                ("table_number", SQLValue(tableNumber)), ("ordinal", SQLValue(field.ordinal)),
                ("name", .text(field.name)), ("type", .text(field.type.rawValue)),
                ("description", SQLValue(field.description)), ("options", .text(field.options.storedText)),
                ("state", StoredState.ready.sql),
            ],
            where: "tenant = $1 AND id = $2",
            [tenant.sql, field.id.sql],
            in: transaction
        )
        // Every ordinal that was given has a field.
        let tombstone = Field(
            id: .random(),
            name: field.name,
            type: .singleLineText,
            description: nil,
            options: FieldOptions(),
            ordinal: ordinal
        )
        try insert(
            tombstone,
            position: ordinal,
            tableNumber: tableNumber,
            state: .deleted,
            tenant: tenant,
            in: transaction
        )
        try Self.tables.update(
            [("next_field", SQLValue(field.ordinal + 1))],
            where: "tenant = $1 AND number = $2 AND next_field < $3",
            [tenant.sql, SQLValue(tableNumber), SQLValue(field.ordinal + 1)],
            in: transaction
        )
    }

    /// The ordinal under which a field, deleted or not, is stored.
    func ordinal(of field: FieldID, tenant: TenantID, in transaction: any Transaction) throws -> Int {
        let row = try transaction.firstRow(
            "SELECT ordinal FROM fields WHERE tenant = $1 AND id = $2",
            [tenant.sql, field.sql]
        )
        guard let row else { throw AirtableError.damaged("field \(field)") }
        return Int(try row.integer(0))
    }

    /// Puts fields in this order.
    func order(_ fields: [FieldID], tenant: TenantID, in transaction: any Transaction) throws {
        for (position, field) in fields.enumerated() {
            try Self.fields.update(
                [("position", SQLValue(position))],
                where: "tenant = $1 AND id = $2",
                [tenant.sql, field.sql],
                in: transaction
            )
        }
    }

    /// Puts tables in this order.
    func order(_ tables: [TableID], tenant: TenantID, in transaction: any Transaction) throws {
        for (position, table) in tables.enumerated() {
            try Self.tables.update(
                [("ordinal", SQLValue(position))],
                where: "tenant = $1 AND id = $2",
                [tenant.sql, table.sql],
                in: transaction
            )
        }
    }

    func setPrimaryField(
        _ field: FieldID,
        ofTable number: Int64,
        tenant: TenantID,
        in transaction: any Transaction
    ) throws {
        try Self.tables.update(
            [("primary_field", field.sql)],
            where: "tenant = $1 AND number = $2",
            [tenant.sql, SQLValue(number)],
            in: transaction
        )
    }
}
