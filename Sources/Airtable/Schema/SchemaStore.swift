package import Database
package import Domain

/// Bases, tables and fields in SQL. Decides nothing; every method works inside the caller's
/// transaction.
package struct SchemaStore: Sendable {
    package init() {}

    static let migration = Migration(
        id: "airtable/0001-schema",
        [
            // One row a tenant: the counters that order its changes. Whoever changes anything holds
            // the tenant's lock until it commits, so that sequence order is commit order.
            """
            CREATE TABLE store_tenants (
                tenant {text} NOT NULL PRIMARY KEY,
                sequence {int} NOT NULL,
                oldest {int} NOT NULL,
                log_bytes {int} NOT NULL,
                schema_version {int} NOT NULL
            ) {strict}
            """,
            """
            CREATE TABLE bases (
                tenant {text} NOT NULL,
                id {text} NOT NULL,
                workspace {text} NOT NULL,
                name {text} NOT NULL,
                name_key {text} NOT NULL,
                created {int} NOT NULL,
                state {text} NOT NULL,
                import {text},
                PRIMARY KEY (tenant, id)
            ) {strict}
            """,
            "CREATE UNIQUE INDEX bases_by_name ON bases (tenant, name_key) WHERE state = 'ready'",
            """
            CREATE TABLE tables (
                number {int} NOT NULL PRIMARY KEY,
                tenant {text} NOT NULL,
                id {text} NOT NULL,
                base {text} NOT NULL,
                name {text} NOT NULL,
                name_key {text} NOT NULL,
                description {text},
                primary_field {text} NOT NULL,
                ordinal {int} NOT NULL,
                next_field {int} NOT NULL,
                state {text} NOT NULL,
                import {text},
                staging_for {int},
                UNIQUE (tenant, id)
            ) {strict}
            """,
            "CREATE UNIQUE INDEX tables_by_name ON tables (tenant, base, name_key) WHERE state = 'ready'",
            """
            CREATE TABLE fields (
                table_number {int} NOT NULL,
                ordinal {int} NOT NULL,
                tenant {text} NOT NULL,
                id {text} NOT NULL,
                position {int} NOT NULL,
                name {text} NOT NULL,
                type {text} NOT NULL,
                description {text},
                options {text} NOT NULL,
                state {text} NOT NULL,
                PRIMARY KEY (table_number, ordinal),
                UNIQUE (tenant, id)
            ) {strict}
            """,
            // Apart from `tables`, because every new record changes it.
            """
            CREATE TABLE table_counters (
                table_number {int} NOT NULL PRIMARY KEY,
                tenant {text} NOT NULL,
                next_position {int} NOT NULL,
                next_number {int} NOT NULL,
                records {int} NOT NULL
            ) {strict}
            """,
            "CREATE TABLE table_numbers (id {int} NOT NULL PRIMARY KEY CHECK (id = 1), next {int} NOT NULL) {strict}",
            "INSERT INTO table_numbers (id, next) VALUES (1, 1)",
        ]
    )

    // MARK: Versions and locks

    /// Of the tenant's schema; 0 before anything was made.
    package func version(tenant: TenantID, in transaction: any Transaction) throws -> Int64 {
        let row = try transaction.firstRow(
            "SELECT schema_version FROM store_tenants WHERE tenant = $1",
            [tenant.sql]
        )
        return try row?.integer(0) ?? 0
    }

    /// Makes this transaction the tenant's only writer until it ends, and says the schema's
    /// version.
    ///
    /// The first statement of every transaction that changes what people see.
    package func lock(tenant: TenantID, in transaction: any Transaction) throws -> Int64 {
        try transaction.lock("airtable:\(tenant)")
        let query = "SELECT schema_version FROM store_tenants WHERE tenant = $1"
        if let row = try transaction.firstRow(query, [tenant.sql]) { return try row.integer(0) }
        try transaction.execute(
            """
            INSERT INTO store_tenants (tenant, sequence, oldest, log_bytes, schema_version)
            VALUES ($1, 0, 1, 0, 0) ON CONFLICT (tenant) DO NOTHING
            """,
            [tenant.sql]
        )
        return 0
    }

    /// Tells every process that the tenant's schema is another now.
    package func raiseVersion(tenant: TenantID, in transaction: any Transaction) throws {
        try transaction.execute(
            "UPDATE store_tenants SET schema_version = schema_version + 1 WHERE tenant = $1",
            [tenant.sql]
        )
    }

    // MARK: Reading

    /// Everything that can be seen.
    package func load(tenant: TenantID, version: Int64, in transaction: any Transaction) throws -> TenantSchema {
        let baseRows = try transaction.rows(
            "SELECT id, workspace, name, created FROM bases WHERE tenant = $1 AND state = 'ready' ORDER BY created, id",
            [tenant.sql]
        )
        let bases = try baseRows.map { row in
            Base(
                id: try row.identifier(0),
                workspace: try row.identifier(1),
                name: try row.text(2),
                createdTime: Instant(microseconds: try row.integer(3))
            )
        }
        let tables = try models(where: "t.state = 'ready'", [tenant.sql], in: transaction)
        let visible = Set(bases.map(\.id))
        return TenantSchema(
            tenant: tenant,
            version: version,
            bases: bases,
            tables: tables.filter { visible.contains($0.table.base) }
        )
    }

    /// The tables that an import makes, hidden from everybody else.
    package func tables(
        ofImport id: String,
        tenant: TenantID,
        in transaction: any Transaction
    ) throws -> [TableModel] {
        try models(
            where: "t.state = 'importing' AND t.import = $2 AND t.staging_for IS NULL",
            [tenant.sql, .text(id)],
            in: transaction
        )
    }

    private func models(
        where condition: String,
        _ arguments: [SQLValue],
        in transaction: any Transaction
    ) throws -> [TableModel] {
        let tableRows = try transaction.rows(
            """
            SELECT t.number, t.id, t.base, t.name, t.description, t.primary_field, t.next_field
            FROM tables t WHERE t.tenant = $1 AND \(condition) ORDER BY t.base, t.ordinal, t.number
            """,
            arguments
        )
        let fieldRows = try transaction.rows(
            """
            SELECT f.table_number, f.id, f.name, f.type, f.description, f.options, f.ordinal
            FROM fields f JOIN tables t ON t.number = f.table_number
            WHERE t.tenant = $1 AND \(condition) AND f.state = 'ready' ORDER BY f.table_number, f.position
            """,
            arguments
        )
        var fields: [Int64: [Field]] = [:]
        for row in fieldRows { fields[try row.integer(0), default: []].append(try Self.field(row)) }
        return try tableRows.map { row in
            let number = try row.integer(0)
            let table = Table(
                id: try row.identifier(1),
                base: try row.identifier(2),
                name: try row.text(3),
                description: try row.optionalText(4),
                primaryField: try row.identifier(5),
                fields: fields[number] ?? []
            )
            let nextOrdinal = try row.integer(6)
            guard (0...1_000_000).contains(nextOrdinal), (1..<(1 << 23)).contains(number) else {
                throw AirtableError.corrupt("A stored table cannot be read.")
            }
            return TableModel(table: table, number: number, nextOrdinal: Int(nextOrdinal))
        }
    }

    private static func field(_ row: Row) throws -> Field {
        guard let type = FieldType(rawValue: try row.text(3)) else {
            throw AirtableError.corrupt("A field has a type this program does not know.")
        }
        return Field(
            id: try row.identifier(1),
            name: try row.text(2),
            type: type,
            description: try row.optionalText(4),
            options: try FieldOptions(storedText: try row.text(5)),
            ordinal: Int(try row.integer(6))
        )
    }
}

extension Identifier {
    var sql: SQLValue { .text(description) }
}

extension Row {
    /// - Throws: `.corrupt` when the text is not an identifier of this kind.
    func identifier<Kind>(_ position: Int) throws -> Identifier<Kind> {
        guard let id = Identifier<Kind>(try text(position)) else {
            throw AirtableError.corrupt("A stored identifier cannot be read.")
        }
        return id
    }
}
