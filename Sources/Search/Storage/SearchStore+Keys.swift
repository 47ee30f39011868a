import Database
import Domain
import VectorIndex

extension SearchStore {
    /// Units of at most this share of a scope are looked up one by one; of more, the scope is read through.
    private static let lookupShare = 8

    /// The units of `records` in `partitions`.
    func keys(
        of records: Set<RecordID>,
        in partitions: [Partition],
        tenant: TenantID,
        _ transaction: any Transaction
    ) throws -> KeySet {
        let count = partitions.reduce(0) { $0 + $1.units }
        if records.isEmpty || count == 0 { return KeySet([]) }
        if records.count <= count / Self.lookupShare {
            let units = try units(of: Array(records), in: Set(partitions.map(\.number)), tenant: tenant, transaction)
            return KeySet(units.map(\.key.rawValue))
        }
        let names = Set(records.map(\.description))
        var keys: [UInt64] = []
        for partition in partitions {
            let first = UnitKey(partition: partition.number, entry: 0).sqlInteger
            try transaction.forEachRow(
                "SELECT key, record FROM search_units WHERE key >= $1 AND key < $2 ORDER BY key",
                [.integer(first), .integer(first + 1 << 32)]
            ) { row in
                if names.contains(try row.text(1)) { keys.append(UnitKey(sqlInteger: try row.integer(0)).rawValue) }
            }
        }
        return KeySet(keys)
    }
}

extension SearchStore {
    /// The units of `records` in one partition, and how many words these have together.
    func keys(
        of records: Set<RecordID>,
        in partition: Partition,
        tenant: TenantID,
        _ transaction: any Transaction
    ) throws -> (keys: KeySet, words: Int) {
        if records.isEmpty || partition.units == 0 { return (KeySet([]), 0) }
        let names = Set(records.map(\.description))
        let first = UnitKey(partition: partition.number, entry: 0).sqlInteger
        var (keys, words): ([UInt64], Int64) = ([], 0)
        func add(_ row: Row) throws {
            keys.append(UnitKey(sqlInteger: try row.integer(0)).rawValue)
            words += try row.integer(2)
        }
        guard records.count > partition.units / Self.lookupShare else {
            for run in SQLLists.runs(of: records.sorted(), count: 256) {
                let list = SQLLists.padded(run.map { .text($0.description) })
                let rows = try transaction.rows(
                    """
                    SELECT key, record, words FROM search_units
                    WHERE record IN (\(SQLLists.placeholders(list.count, from: 3))) AND key >= $1 AND key < $2
                    """,
                    [.integer(first), .integer(first + 1 << 32)] + list
                )
                for row in rows { try add(row) }
            }
            return (KeySet(keys), Int(words))
        }
        try transaction.forEachRow(
            "SELECT key, record, words FROM search_units WHERE key >= $1 AND key < $2 ORDER BY key",
            [.integer(first), .integer(first + 1 << 32)]
        ) { row in
            if names.contains(try row.text(1)) { try add(row) }
        }
        return (KeySet(keys), Int(words))
    }
}

extension KeySet {
    /// Those of these partitions: keys have the partition above, so each is one run.
    func inside(_ partitions: Set<UInt32>) -> KeySet {
        KeySet(sorted.filter { partitions.contains(UnitKey(rawValue: $0).partition) })
    }
}
