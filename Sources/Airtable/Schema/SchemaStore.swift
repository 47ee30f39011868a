package import Database
package import Domain

/// Bases, tables and fields in SQL. Decides nothing; every method works inside the caller's
/// transaction.
package struct SchemaStore: Sendable {
    package init() {}

    static let bases = DigestedTable(
        "bases",
        noun: "base",
        key: ["tenant", "id"],
        columns: ["tenant", "id", "workspace", "name", "name_key", "created", "state", "import"]
    )
    static let tables = DigestedTable(
        "tables",
        noun: "table number",
        key: ["number"],
        columns: [
            "number", "tenant", "id", "base", "name", "name_key", "description", "primary_field", "ordinal",
            "next_field", "state", "import", "staging_for",
        ]
    )
    static let fields = DigestedTable(
        "fields",
        noun: "field",
        key: ["tenant", "id"],
        columns: [
            "table_number", "ordinal", "tenant", "id", "position", "name", "type", "description", "options", "state",
        ]
    )

    /// Tells Access where the bases stand that were made before it asked.
    static let placementMigration = Migration(
        id: "airtable/0030-placements",
        [
            """
            INSERT INTO access_bases (tenant, base, workspace)
            SELECT tenant, id, workspace FROM bases WHERE state <> 'deleted' ON CONFLICT DO NOTHING
            """
        ]
    )

    static let migration = Migration(
        id: "airtable/0001-schema",
        [
            // One row a tenant: the counters that order its changes, and how many bases and tables of
            // it are stored in whatever state, so that a lost one is noticed. Whoever changes anything
            // holds the tenant's lock until it commits, so that sequence order is commit order.
            """
            CREATE TABLE store_tenants (
                tenant {text} NOT NULL PRIMARY KEY,
                sequence {int} NOT NULL,
                oldest {int} NOT NULL,
                log_bytes {int} NOT NULL,
                schema_version {int} NOT NULL,
                bases {int} NOT NULL,
                tables {int} NOT NULL
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
                digest {int} NOT NULL,
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
                digest {int} NOT NULL,
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
                digest {int} NOT NULL,
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
            INSERT INTO store_tenants (tenant, sequence, oldest, log_bytes, schema_version, bases, tables)
            VALUES ($1, 0, 1, 0, 0, 0, 0) ON CONFLICT (tenant) DO NOTHING
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
    ///
    /// - Throws: `.corrupt` when anything of the schema, seen or not, is not as it was written, or is
    ///   missing.
    package func load(tenant: TenantID, version: Int64, in transaction: any Transaction) throws -> TenantSchema {
        // State is judged here, not in the queries: a row whose state is damaged would just be gone.
        let baseRows = try Self.bases.rows(
            where: "tenant = $1",
            [tenant.sql],
            orderedBy: "created, id",
            in: transaction
        )
        let tableRows = try tableRows(tenant, in: transaction)
        try checkCounts(bases: baseRows.count, tables: tableRows.count, tenant: tenant, in: transaction)
        let bases = try baseRows.filter(StoredState.ready.holds).map { row in
            Base(
                id: try row.identifier("id"),
                workspace: try row.identifier("workspace"),
                name: try row.text("name"),
                createdTime: Instant(microseconds: try row.integer("created"))
            )
        }
        let tables = try models(of: tableRows.filter(StoredState.ready.holds), in: transaction)
        let visible = Set(bases.map(\.id))
        return TenantSchema(
            tenant: tenant,
            version: version,
            bases: bases,
            tables: tables.filter { visible.contains($0.table.base) },
            homes: try HostedBaseStore().homes(tenant: tenant, in: transaction)
        )
    }

    /// The tables that an import makes, hidden from everybody else.
    package func tables(
        ofImport id: String,
        tenant: TenantID,
        in transaction: any Transaction
    ) throws -> [TableModel] {
        let rows = try tableRows(tenant, in: transaction).filter { row in
            StoredState.importing.holds(row) && row["import"] == .text(id) && row["staging_for"] == .null
        }
        return try models(of: rows, in: transaction)
    }

    private func tableRows(_ tenant: TenantID, in transaction: any Transaction) throws -> [Row] {
        try Self.tables.rows(
            where: "tenant = $1",
            [tenant.sql],
            orderedBy: "base, ordinal, number",
            in: transaction
        )
    }

    private func models(of rows: [Row], in transaction: any Transaction) throws -> [TableModel] {
        var fields: [Int64: [Row]] = [:]
        for group in PaddedGroups(try rows.map { try $0.integer("number") }) {
            let rows = try Self.fields.rows(
                where: "table_number IN (\(RecordStore.parameters(1..<(group.count + 1))))",
                group.map { SQLValue($0) },
                orderedBy: "table_number, position",
                in: transaction
            )
            for row in rows { fields[try row.integer("table_number"), default: []].append(row) }
        }
        return try rows.map { row in try Self.model(row, fields[try row.integer("number")] ?? []) }
    }

    private static func model(_ row: Row, _ fields: [Row]) throws -> TableModel {
        let (number, nextOrdinal) = (try row.integer("number"), try row.integer("next_field"))
        guard (0...1_000_000).contains(nextOrdinal), (1..<(1 << 23)).contains(number) else {
            throw AirtableError.corrupt("A stored table cannot be read.")
        }
        // Fields stay until their table is cleared away, so each ordinal given has one.
        guard fields.count + 1 == nextOrdinal || row["staging_for"] != .null else {
            throw AirtableError.damaged("the list of fields of table number \(number)")
        }
        let table = Table(
            id: try row.identifier("id"),
            base: try row.identifier("base"),
            name: try row.text("name"),
            description: try row.optionalText("description"),
            primaryField: try row.identifier("primary_field"),
            fields: try fields.filter(StoredState.ready.holds).map(Self.field)
        )
        return TableModel(table: table, number: number, nextOrdinal: Int(nextOrdinal))
    }

    private static func field(_ row: Row) throws -> Field {
        guard let type = FieldType(rawValue: try row.text("type")) else {
            throw AirtableError.corrupt("A field has a type this program does not know.")
        }
        return Field(
            id: try row.identifier("id"),
            name: try row.text("name"),
            type: type,
            description: try row.optionalText("description"),
            options: try FieldOptions(storedText: try row.text("options")),
            ordinal: Int(try row.integer("ordinal"))
        )
    }

    private func checkCounts(
        bases: Int,
        tables: Int,
        tenant: TenantID,
        in transaction: any Transaction
    ) throws {
        let row = try transaction.firstRow("SELECT bases, tables FROM store_tenants WHERE tenant = $1", [tenant.sql])
        let (expectedBases, expectedTables) = (try row?.integer(0) ?? 0, try row?.integer(1) ?? 0)
        guard expectedBases == bases else {
            throw AirtableError.damaged("the list of bases (\(expectedBases) expected, \(bases) found)")
        }
        guard expectedTables == tables else {
            throw AirtableError.damaged("the list of tables (\(expectedTables) expected, \(tables) found)")
        }
    }
}

extension Identifier {
    var sql: SQLValue { .text(description) }
}

extension Row {
    /// - Throws: `.corrupt` when the text is not an identifier of this kind.
    func identifier<Kind>(_ position: Int) throws -> Identifier<Kind> {
        try Self.identifier(try text(position))
    }

    func identifier<Kind>(_ name: String) throws -> Identifier<Kind> { try Self.identifier(try text(name)) }

    private static func identifier<Kind>(_ text: String) throws(AirtableError) -> Identifier<Kind> {
        guard let id = Identifier<Kind>(text) else { throw .corrupt("A stored identifier cannot be read.") }
        return id
    }
}
