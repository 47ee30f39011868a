package import Database
import Domain

/// What searching keeps in SQL: partitions, units, postings and backfills.
///
/// Every method works inside the caller's transaction and takes the tenant. Partition numbers are unique in the
/// database and never used again; whoever holds one of the tenant's partitions may name its units and postings.
package struct SearchStore: Sendable {
    package init() {}

    package static let migrations = [
        Migration(
            id: "search/0001-units",
            sqlite: tables(withoutRowID: "WITHOUT ROWID, STRICT") + workTables(withoutRowID: "WITHOUT ROWID, STRICT"),
            postgres: tables(withoutRowID: "") + workTables(withoutRowID: "")
        ),
        modelMigration,
    ]

    private static func tables(withoutRowID: String) -> [String] {
        [
            """
            CREATE TABLE search_counters (
                name {text} PRIMARY KEY,
                value {int} NOT NULL
            ) {strict}
            """,
            """
            CREATE TABLE search_partitions (
                number {int} PRIMARY KEY,
                tenant {text} NOT NULL,
                base {text} NOT NULL,
                table_id {text} NOT NULL,
                field_group {text} NOT NULL,
                sources {text} NOT NULL,
                next_entry {int} NOT NULL,
                units {int} NOT NULL,
                words {int} NOT NULL,
                UNIQUE (tenant, table_id, field_group)
            ) {strict}
            """,
            // What the units of a table were rendered under.
            """
            CREATE TABLE search_tables (
                tenant {text} NOT NULL,
                table_id {text} NOT NULL,
                signature {text} NOT NULL,
                PRIMARY KEY (tenant, table_id)
            ) {strict}
            """,
            // `terms` last: it is the longest, and read only when the unit goes.
            """
            CREATE TABLE search_units (
                key {int} PRIMARY KEY,
                record {text} NOT NULL,
                window_number {int} NOT NULL,
                range_start {int} NOT NULL,
                range_end {int} NOT NULL,
                hash {bytes} NOT NULL,
                is_encoded {int} NOT NULL,
                words {int} NOT NULL,
                terms {bytes} NOT NULL
            ) {strict}
            """,
            "CREATE INDEX search_units_record ON search_units (record)",
        ]
    }

    private static func workTables(withoutRowID: String) -> [String] {
        [
            """
            CREATE TABLE search_postings (
                partition {int} NOT NULL,
                term {text} NOT NULL,
                block {int} NOT NULL,
                data {bytes} NOT NULL,
                PRIMARY KEY (partition, term, block)
            ) \(withoutRowID)
            """,
            """
            CREATE TABLE search_backfills (
                tenant {text} NOT NULL,
                table_id {text} NOT NULL,
                base {text} NOT NULL,
                position {int} NOT NULL,
                phase {text} NOT NULL,
                next_cursor {text},
                is_forced {int} NOT NULL,
                sweeps {int} NOT NULL,
                done {int} NOT NULL,
                total {int} NOT NULL,
                PRIMARY KEY (tenant, table_id)
            ) {strict}
            """,
            // Partitions that are gone, whose units, postings and vectors are cleared away bit by bit.
            """
            CREATE TABLE search_removals (
                partition {int} PRIMARY KEY,
                tenant {text} NOT NULL,
                base {text} NOT NULL,
                next_entry {int} NOT NULL,
                done_entry {int} NOT NULL
            ) {strict}
            """,
        ]
    }

    // MARK: Partitions

    /// All partitions of the tenant, by number.
    func partitions(tenant: TenantID, in transaction: any Transaction) throws -> [Partition] {
        try transaction.rows(
            """
            SELECT number, base, table_id, field_group, sources, next_entry, units, words
            FROM search_partitions WHERE tenant = $1 ORDER BY number
            """,
            [.text(tenant.description)]
        ).map(Self.partition)
    }

    /// The partitions of one table, by number.
    func partitions(of table: TableID, tenant: TenantID, in transaction: any Transaction) throws -> [Partition] {
        try transaction.rows(
            """
            SELECT number, base, table_id, field_group, sources, next_entry, units, words
            FROM search_partitions WHERE tenant = $1 AND table_id = $2 ORDER BY number
            """,
            [.text(tenant.description), .text(table.description)]
        ).map(Self.partition)
    }

    /// Makes the partitions of `groups` that are not there yet, and adds to every partition of the table the sources
    /// that it lacks.
    ///
    /// Done before any unit is written under a new schema, so that a unit never shows more than its partition says.
    /// Sources only ever grow: what a field that is short no longer, or gone, leaves behind keeps back too much from
    /// somebody who may not see it, never too little.
    /// - Returns: all partitions of the table, by group.
    func ensurePartitions(
        _ groups: Set<FieldGroup>,
        layout: TableLayout,
        tenant: TenantID,
        in transaction: any Transaction
    ) throws -> [FieldGroup: Partition] {
        let table = layout.table.id
        var stored: Set<FieldGroup> = []
        for partition in try partitions(of: table, tenant: tenant, in: transaction) {
            stored.insert(partition.group)
            let wanted = layout.sources(of: partition.group)
            let present = Set(partition.sources.split(separator: " ").compactMap(TableLayout.Source.init))
            let sources = wanted.union(present)
            if sources == present { continue }
            try transaction.execute(
                "UPDATE search_partitions SET sources = $3 WHERE tenant = $1 AND number = $2",
                [.text(tenant.description), SQLValue(Int(partition.number)), .text(Self.text(of: sources))]
            )
        }
        for group in groups.subtracting(stored) {
            let sources = layout.sources(of: group)
            try insert(group, layout.table, sources: sources, tenant: tenant, in: transaction)
        }
        let all = try partitions(of: table, tenant: tenant, in: transaction)
        return Dictionary(all.map { ($0.group, $0) }, uniquingKeysWith: { first, _ in first })
    }

    private func insert(
        _ group: FieldGroup,
        _ table: Table,
        sources: Set<TableLayout.Source>,
        tenant: TenantID,
        in transaction: any Transaction
    ) throws {
        let row = try transaction.firstRow(
            """
            INSERT INTO search_counters (name, value) VALUES ('partition', 1)
            ON CONFLICT (name) DO UPDATE SET value = search_counters.value + 1 RETURNING value
            """
        )
        guard let row, let number = UInt32(exactly: try row.integer(0)), number <= UInt32(Int32.max) else {
            throw SearchError.corrupt("counter of partitions")
        }
        try transaction.execute(
            """
            INSERT INTO search_partitions
                (number, tenant, base, table_id, field_group, sources, next_entry, units, words)
            VALUES ($1, $2, $3, $4, $5, $6, 0, 0, 0)
            """,
            [
                SQLValue(Int(number)), .text(tenant.description), .text(table.base.description),
                .text(table.id.description), .text(group.text), .text(Self.text(of: sources)),
            ]
        )
    }

    private static func text(of sources: Set<TableLayout.Source>) -> String {
        sources.map(\.text).sorted().joined(separator: " ")
    }

    private static func partition(_ row: Row) throws -> Partition {
        guard let number = UInt32(exactly: try row.integer(0)), let base = BaseID(try row.text(1)),
            let table = TableID(try row.text(2)), let group = FieldGroup(text: try row.text(3)),
            let nextEntry = UInt32(exactly: try row.integer(5))
        else { throw SearchError.corrupt("list of partitions") }
        return Partition(
            number: number,
            base: base,
            table: table,
            group: group,
            sources: try row.text(4),
            nextEntry: nextEntry,
            units: Int(try row.integer(6)),
            words: Int(try row.integer(7))
        )
    }
}
