import Database
package import Domain

/// What a run of the change log is about, without what changed in it: for who only wants to know where to look again.
package struct ChangedPlaces: Sendable, Hashable {
    /// Records made, changed or deleted one by one.
    package var records: Set<RecordID> = []
    /// The tables of these, and those many of whose records changed at once.
    package var tables: Set<TableID> = []
    /// Tables many of whose records changed at once.
    package var whole: Set<TableID> = []
    /// Bases of whose tables one came, went, or has another schema or other views.
    package var schemas: Set<BaseID> = []
    /// The last entry that was looked at.
    package var end: Int64

    package init(end: Int64) { self.end = end }

    package var isEmpty: Bool { tables.isEmpty && schemas.isEmpty }
}

extension ChangeFeed {
    /// Told of each commit in this process, of whatever tenant.
    package var commits: Wakeup { signal }

    /// Where something changed after `sequence`, in up to `limit` entries. Reads no cell.
    ///
    /// - Throws: `.resynchronise`, as `changes`.
    package func places(after sequence: Int64, limit: Int, tenant: TenantID) async throws -> ChangedPlaces {
        try await database.read(of: .tenant(tenant)) { transaction in
            let store = ChangeLogStore()
            let extent = try store.extent(tenant: tenant, in: transaction)
            guard sequence >= extent.oldest - 1, sequence <= extent.latest else { throw Self.resynchronise }
            return try store.places(after: sequence, limit: limit, tenant: tenant, in: transaction)
        }
    }

    /// The newest sequence of each of these tenants; 0 before the first change.
    package func latestSequences(of tenants: some Collection<TenantID> & Sendable) async throws -> [TenantID: Int64] {
        guard let first = tenants.first else { return [:] }
        return try await database.read(of: tenants.count == 1 ? .tenant(first) : .everyTenant) { transaction in
            var sequences: [TenantID: Int64] = [:]
            for group in PaddedGroups(tenants) {
                let places = RecordStore.parameters(1..<(group.count + 1))
                let rows = try transaction.rows(
                    "SELECT tenant, sequence FROM store_tenants WHERE tenant IN (\(places))",
                    group.map(\.sql)
                )
                for row in rows { sequences[try row.identifier(0)] = try row.integer(1) }
            }
            return sequences
        }
    }
}

extension ChangeLogStore {
    /// What up to `limit` entries after `sequence` are about.
    ///
    /// Digests are not checked: nothing that is shown comes from here.
    fileprivate func places(
        after sequence: Int64,
        limit: Int,
        tenant: TenantID,
        in transaction: any Transaction
    ) throws -> ChangedPlaces {
        var places = ChangedPlaces(end: sequence)
        try transaction.forEachRow(
            """
            SELECT sequence, base, table_id, kind, record FROM change_log
            WHERE tenant = $1 AND sequence > $2 ORDER BY sequence LIMIT $3
            """,
            [tenant.sql, SQLValue(sequence), SQLValue(limit)]
        ) { row in
            places.end = try row.integer(0)
            let table: TableID = try row.identifier(2)
            switch ChangeKind(rawValue: try row.integer(3)) {
            case .created, .updated, .deleted, .recomputed:
                places.tables.insert(table)
                if row[4] == .null {
                    places.whole.insert(table)
                } else {
                    places.records.insert(try row.identifier(4))
                }
            // Of a kind that a newer program writes as well.
            case .schemaChanged, .imported, .tableDeleted, nil:
                places.tables.insert(table)
                places.whole.insert(table)
                places.schemas.insert(try row.identifier(1))
            }
        }
        return places
    }
}
