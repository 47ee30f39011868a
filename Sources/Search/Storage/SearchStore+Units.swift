import Database
import Domain

/// A unit about to be written, with its words counted.
struct UnitDraft: Sendable {
    let key: UnitKey
    let record: RecordID
    let window: Int
    let range: Range<Int>
    let hash: ContentHash
    /// Whether it has a vector: false also for a text that the model would not take.
    var isEncoded: Bool
    let words: WordCounts
}

extension SearchStore {
    // MARK: Reading

    /// The units of `records` in `partitions`, in no order.
    func units(
        of records: [RecordID],
        in partitions: Set<UInt32>,
        tenant: TenantID,
        _ transaction: any Transaction
    ) throws -> [StoredUnit] {
        var units: [StoredUnit] = []
        for run in SQLLists.runs(of: records, count: 256) {
            let arguments = SQLLists.padded(run.map { .text($0.description) })
            let sql = "\(Self.unitColumns) WHERE record IN (\(SQLLists.placeholders(arguments.count)))"
            for row in try transaction.rows(sql, arguments) {
                let unit = try Self.unit(row)
                if partitions.contains(unit.key.partition) { units.append(unit) }
            }
        }
        return units
    }

    /// The records that `keys` belong to; keys without a unit are left out.
    func records(of keys: [UnitKey], tenant: TenantID, in transaction: any Transaction) throws -> [UnitKey: RecordID] {
        var records: [UnitKey: RecordID] = [:]
        for run in SQLLists.runs(of: keys, count: 512) {
            let arguments = SQLLists.padded(run.map { .integer($0.sqlInteger) })
            let sql = "SELECT key, record FROM search_units WHERE key IN (\(SQLLists.placeholders(arguments.count)))"
            for row in try transaction.rows(sql, arguments) {
                guard let record = RecordID(try row.text(1)) else { throw SearchError.corrupt("unit") }
                records[UnitKey(sqlInteger: try row.integer(0))] = record
            }
        }
        return records
    }

    /// Up to `limit` units of one partition after `entry`, by key: for looking at all of them.
    func units(
        in partition: UInt32,
        after entry: Int64,
        limit: Int,
        tenant: TenantID,
        _ transaction: any Transaction
    ) throws -> [StoredUnit] {
        let first = UnitKey(partition: partition, entry: 0).sqlInteger
        return try transaction.rows(
            "\(Self.unitColumns) WHERE key > $1 AND key < $2 ORDER BY key LIMIT $3",
            [.integer(first + entry), .integer(first + 1 << 32), SQLValue(limit)]
        ).map(Self.unit)
    }

    /// Encoded units of each of the tenant's bases: what its index should hold.
    func encodedCounts(tenant: TenantID, in transaction: any Transaction) throws -> [BaseID: Int] {
        var counts: [BaseID: Int] = [:]
        for partition in try partitions(tenant: tenant, in: transaction) {
            let first = UnitKey(partition: partition.number, entry: 0).sqlInteger
            let row = try transaction.firstRow(
                "SELECT count(*) FROM search_units WHERE key >= $1 AND key < $2 AND is_encoded = 1",
                [.integer(first), .integer(first + 1 << 32)]
            )
            counts[partition.base, default: 0] += Int(try row?.integer(0) ?? 0)
        }
        return counts
    }

    private static let unitColumns = """
        SELECT key, record, window_number, range_start, range_end, hash, is_encoded FROM search_units
        """

    private static func unit(_ row: Row) throws -> StoredUnit {
        guard let record = RecordID(try row.text(1)) else { throw SearchError.corrupt("unit") }
        let start = Int(try row.integer(3))
        return StoredUnit(
            key: UnitKey(sqlInteger: try row.integer(0)),
            record: record,
            window: Int(try row.integer(2)),
            range: start..<max(start, Int(try row.integer(4))),
            hash: ContentHash(bytes: try row.bytes(5)),
            isEncoded: try row.bool(6)
        )
    }

    // MARK: Writing

    /// Writes `drafts`, whether or not their keys are there, and removes `removed`, units and postings together.
    ///
    /// The words of what goes are read from the rows as they are in this transaction, so that the postings fit the
    /// units whatever was thought before.
    func apply(
        _ drafts: [UnitDraft],
        removing removed: [UnitKey],
        tenant: TenantID,
        in transaction: any Transaction
    ) throws {
        var changes = PostingChanges()
        try noteForBuild(removed + drafts.map(\.key), tenant: tenant, in: transaction)
        try takeOut(removed + drafts.map(\.key), changes: &changes, in: transaction)
        for draft in drafts { changes.add(draft) }
        let rows = drafts.map { draft -> [SQLValue] in
            [
                .integer(draft.key.sqlInteger), .text(draft.record.description), SQLValue(draft.window),
                SQLValue(draft.range.lowerBound), SQLValue(draft.range.upperBound), .bytes(draft.hash.bytes),
                SQLValue(draft.isEncoded), SQLValue(draft.words.total), .bytes(PackedTerms.pack(draft.words.stems)),
            ]
        }
        try SQLLists.insert(
            rows,
            prefix: """
                INSERT INTO search_units
                    (key, record, window_number, range_start, range_end, hash, is_encoded, words, terms)
                """,
            in: transaction
        )
        try changes.write(in: transaction)
        for (partition, change) in changes.partitions {
            try transaction.execute(
                """
                UPDATE search_partitions
                SET units = units + $3, words = words + $4,
                    next_entry = CASE WHEN next_entry < $5 THEN $5 ELSE next_entry END
                WHERE tenant = $1 AND number = $2
                """,
                [
                    .text(tenant.description), SQLValue(Int(partition)), SQLValue(change.units),
                    SQLValue(change.words), SQLValue(change.nextEntry),
                ]
            )
        }
    }

    /// Deletes the rows of `keys` that are there, and notes what goes from the postings.
    private func takeOut(
        _ keys: [UnitKey],
        changes: inout PostingChanges,
        in transaction: any Transaction
    ) throws {
        for run in SQLLists.runs(of: keys, count: 256) {
            let arguments = SQLLists.padded(run.map { .integer($0.sqlInteger) })
            let list = SQLLists.placeholders(arguments.count)
            let rows = try transaction.rows(
                "SELECT key, words, terms FROM search_units WHERE key IN (\(list))",
                arguments
            )
            if rows.isEmpty { continue }
            for row in rows {
                let key = UnitKey(sqlInteger: try row.integer(0))
                let terms = try PackedTerms.terms(in: try row.bytes(2))
                changes.remove(key, terms: terms, words: Int(try row.integer(1)))
            }
            try transaction.execute("DELETE FROM search_units WHERE key IN (\(list))", arguments)
        }
    }
}

/// What one partition holds, counted from its rows.
struct PostingFacts: Sendable, Hashable {
    var units = 0
    var words = 0
    /// A sum over all pairs of unit and word, by the units; equal to `postings` when they fit.
    var expectedPostings: UInt64 = 0
    /// The same sum, by the postings.
    var postings: UInt64 = 0
}

extension SearchStore {
    /// Counts one partition's units and postings, for looking whether they fit.
    func postingFacts(
        of partition: UInt32,
        tenant: TenantID,
        in transaction: any Transaction
    ) throws -> PostingFacts {
        var facts = PostingFacts()
        let first = UnitKey(partition: partition, entry: 0).sqlInteger
        try transaction.forEachRow(
            "SELECT key, words, terms FROM search_units WHERE key >= $1 AND key < $2",
            [.integer(first), .integer(first + 1 << 32)]
        ) { row in
            let key = UnitKey(sqlInteger: try row.integer(0))
            let words = Int(try row.integer(1))
            facts.units += 1
            facts.words += words
            for term in try PackedTerms.terms(in: try row.bytes(2)) {
                facts.expectedPostings &+= Self.fingerprint(term, key.entry, words)
            }
        }
        try transaction.forEachRow(
            "SELECT term, block, data FROM search_postings WHERE partition = $1",
            [SQLValue(Int(partition))]
        ) { row in
            let term = try row.text(0)
            let block = UInt32(truncatingIfNeeded: try row.integer(1))
            let data = try row.bytes(2)
            for start in stride(from: 0, to: data.count, by: PostingBlock.bytesPerPosting) where start + 2 < data.count
            {
                let entry = block << 8 | UInt32(data[start])
                facts.postings &+= Self.fingerprint(term, entry, Int(data[start + 2]))
            }
        }
        return facts
    }

    private static func fingerprint(_ term: String, _ entry: UInt32, _ words: Int) -> UInt64 {
        var hash: UInt64 = 0xCBF2_9CE4_8422_2325
        for byte in term.utf8 { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01B3 }
        hash = (hash ^ UInt64(entry)) &* 0x9E37_79B9_7F4A_7C15
        return (hash ^ UInt64(min(words, 255))) &* 0xD6E8_FEB8_6659_FD93
    }
}
