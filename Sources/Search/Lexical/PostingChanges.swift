import Database

/// What one transaction changes in the postings, gathered so that each row is written once.
struct PostingChanges {
    /// A partition's counters, as differences; `nextEntry` is the least it must be afterwards.
    struct PartitionChange {
        var units = 0
        var words = 0
        var nextEntry = 0
    }

    private struct Row: Hashable {
        let partition: UInt32
        let block: UInt32
    }

    private struct Change {
        var added: [UInt8] = []
        var removed: Set<UInt8> = []
    }

    private(set) var partitions: [UInt32: PartitionChange] = [:]
    private var rows: [Row: [String: Change]] = [:]

    mutating func add(_ draft: UnitDraft) {
        let entry = draft.key.entry
        let row = Row(partition: draft.key.partition, block: PostingBlock.block(of: entry))
        for (stem, count) in draft.words.stems {
            let posting = PostingBlock.posting(entry: entry, frequency: count, words: draft.words.total)
            rows[row, default: [:]][stem, default: Change()].added.append(contentsOf: posting)
        }
        partitions[row.partition, default: PartitionChange()].units += 1
        partitions[row.partition, default: PartitionChange()].words += draft.words.total
        let next = max(partitions[row.partition]?.nextEntry ?? 0, Int(entry) + 1)
        partitions[row.partition]?.nextEntry = next
    }

    mutating func remove(_ key: UnitKey, terms: [String], words: Int) {
        let row = Row(partition: key.partition, block: PostingBlock.block(of: key.entry))
        let entry = UInt8(truncatingIfNeeded: key.entry)
        for term in terms { rows[row, default: [:]][term, default: Change()].removed.insert(entry) }
        partitions[row.partition, default: PartitionChange()].units -= 1
        partitions[row.partition, default: PartitionChange()].words -= words
    }

    /// Writes all of it: rows that only grow by concatenation, the others anew.
    func write(in transaction: any Transaction) throws {
        var grown: [[SQLValue]] = []
        for (row, changes) in rows {
            var rewritten: [String: Change] = [:]
            for (term, change) in changes {
                if change.removed.isEmpty {
                    grown.append(Self.values(row, term, change.added))
                } else {
                    rewritten[term] = change
                }
            }
            try rewrite(row, rewritten, in: transaction)
        }
        // In the order of the primary key, for the page cache's sake.
        grown.sort { Self.precedes($0, $1) }
        let old = "search_postings.data || excluded.data"
        try SQLLists.insert(
            grown,
            prefix: "INSERT INTO search_postings (partition, term, block, data)",
            suffix: """
                ON CONFLICT (partition, term, block)
                DO UPDATE SET data = \(transaction.dialect == .sqlite ? "CAST(\(old) AS BLOB)" : old)
                """,
            in: transaction
        )
    }

    private func rewrite(_ row: Row, _ changes: [String: Change], in transaction: any Transaction) throws {
        let place = [SQLValue(Int(row.partition)), SQLValue(Int(row.block))]
        for run in SQLLists.runs(of: changes.keys.sorted(), count: 256) {
            let terms = SQLLists.padded(run.map { .text($0) })
            let condition = """
                WHERE partition = $1 AND block = $2 AND term IN (\(SQLLists.placeholders(terms.count, from: 3)))
                """
            var stored: [String: [UInt8]] = [:]
            let rows = try transaction.rows("SELECT term, data FROM search_postings \(condition)", place + terms)
            for found in rows { stored[try found.text(0)] = try found.bytes(1) }
            var kept: [[SQLValue]] = []
            var emptied: [SQLValue] = []
            for term in run {
                guard let change = changes[term] else { continue }
                let data = PostingBlock.removing(change.removed, from: stored[term] ?? []) + change.added
                if data.isEmpty { emptied.append(.text(term)) } else { kept.append(Self.values(row, term, data)) }
            }
            try SQLLists.insert(
                kept,
                prefix: "INSERT INTO search_postings (partition, term, block, data)",
                suffix: "ON CONFLICT (partition, term, block) DO UPDATE SET data = excluded.data",
                in: transaction
            )
            if emptied.isEmpty { continue }
            let gone = SQLLists.padded(emptied)
            try transaction.execute(
                """
                DELETE FROM search_postings
                WHERE partition = $1 AND block = $2 AND term IN (\(SQLLists.placeholders(gone.count, from: 3)))
                """,
                place + gone
            )
        }
    }

    private static func values(_ row: Row, _ term: String, _ data: [UInt8]) -> [SQLValue] {
        [SQLValue(Int(row.partition)), .text(term), SQLValue(Int(row.block)), .bytes(data)]
    }

    private static func precedes(_ left: [SQLValue], _ right: [SQLValue]) -> Bool {
        guard case .integer(let partition) = left[0], case .integer(let other) = right[0] else { return false }
        if partition != other { return partition < other }
        guard case .text(let term) = left[1], case .text(let otherTerm) = right[1] else { return false }
        return term < otherTerm
    }
}
