import Database
import Domain

/// A partition that is gone: what is left of it is cleared away entry by entry.
struct Removal: Sendable, Hashable {
    let partition: UInt32
    let base: BaseID
    /// Entries below this were given away once.
    let nextEntry: Int
    /// Entries below this are cleared away.
    var doneEntry: Int
}

extension SearchStore {
    /// Makes a table's units unfindable at once, and leaves their clearing away for later.
    func removeTable(_ table: TableID, tenant: TenantID, in transaction: any Transaction) throws {
        let arguments: [SQLValue] = [.text(tenant.description), .text(table.description)]
        try transaction.execute(
            """
            INSERT INTO search_removals (partition, tenant, base, next_entry, done_entry)
            SELECT number, tenant, base, next_entry, 0 FROM search_partitions WHERE tenant = $1 AND table_id = $2
            """,
            arguments
        )
        try transaction.execute("DELETE FROM search_partitions WHERE tenant = $1 AND table_id = $2", arguments)
        try transaction.execute("DELETE FROM search_backfills WHERE tenant = $1 AND table_id = $2", arguments)
        try transaction.execute("DELETE FROM search_tables WHERE tenant = $1 AND table_id = $2", arguments)
    }

    /// The tenant's removals, oldest partition first.
    func removals(tenant: TenantID, in transaction: any Transaction) throws -> [Removal] {
        try transaction.rows(
            """
            SELECT partition, base, next_entry, done_entry FROM search_removals WHERE tenant = $1 ORDER BY partition
            """,
            [.text(tenant.description)]
        ).map { row in
            guard let partition = UInt32(exactly: try row.integer(0)), let base = BaseID(try row.text(1)) else {
                throw SearchError.corrupt("list of removals")
            }
            return Removal(
                partition: partition,
                base: base,
                nextEntry: Int(try row.integer(2)),
                doneEntry: Int(try row.integer(3))
            )
        }
    }

    /// Clears away the units before `entry`, and up to `limit` rows of postings; the removal itself goes with the last.
    ///
    /// - Returns: whether nothing is left.
    func clear(
        _ removal: Removal,
        before entry: Int,
        limit: Int,
        tenant: TenantID,
        in transaction: any Transaction
    ) throws -> Bool {
        let number = SQLValue(Int(removal.partition))
        let first = UnitKey(partition: removal.partition, entry: 0).sqlInteger
        try transaction.execute(
            "DELETE FROM search_units WHERE key >= $1 AND key < $2",
            [.integer(first + Int64(removal.doneEntry)), .integer(first + Int64(entry))]
        )
        let postings = try transaction.execute(
            """
            DELETE FROM search_postings WHERE (partition, term, block) IN
                (SELECT partition, term, block FROM search_postings WHERE partition = $1 LIMIT $2)
            """,
            [number, SQLValue(limit)]
        )
        if entry >= removal.nextEntry, postings < limit {
            try transaction.execute(
                "DELETE FROM search_removals WHERE tenant = $1 AND partition = $2",
                [.text(tenant.description), number]
            )
            return true
        }
        try transaction.execute(
            "UPDATE search_removals SET done_entry = $3 WHERE tenant = $1 AND partition = $2",
            [.text(tenant.description), number, SQLValue(entry)]
        )
        return false
    }
}
