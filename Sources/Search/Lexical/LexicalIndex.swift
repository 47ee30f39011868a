import Database
import Domain

/// Finds units by their words: BM25 over the stems of a query, among allowed partitions only.
///
/// Our own postings in plain SQL tables, the same on SQLite and PostgreSQL, for three reasons. The engines' full-text
/// functions rank with what we may not use (SQLite's counts over all tenants, PostgreSQL's no frequencies of words
/// at all). k1 and b are ours: 0.9 and 0.4 beat FTS5's fixed 1.2 and 0.75. And word statistics are those of
/// the allowed partitions, so that what somebody may not see has no influence on what they find.
struct LexicalIndex: Sendable {
    /// How fast repeating a word stops to matter, and how much length counts: k₁ and b of Robertson and Zaragoza,
    /// "The Probabilistic Relevance Framework: BM25 and Beyond" (2009).
    struct Parameters: Sendable, Hashable {
        var k1: Float = 0.9
        var b: Float = 0.4
    }

    var parameters = Parameters()

    /// BM25 of every unit in `partitions` that has one of `stems`.
    ///
    /// Complexity: O(postings of the stems in the partitions), about 2 ns each.
    func scores(
        stems: [String],
        partitions: [Partition],
        seen: SeenUnits = SeenUnits(),
        masked: MaskedTexts = MaskedTexts(),
        tenant: TenantID,
        in transaction: any Transaction
    ) throws -> LexicalScores {
        var scores = LexicalScores()
        // What was opened since the texts were made counts once.
        let partitions = partitions.filter { masked.partitions[$0.number] == nil }
        let all = partitions + Array(masked.partitions.values)
        let units = all.reduce(0) { $0 + $1.units }
        let words = all.reduce(0) { $0 + $1.words }
        guard units > 0, words > 0, !stems.isEmpty else { return scores }
        let norms = norms(meanWords: Float(words) / Float(units))
        let numbers = partitions.map { SQLValue(Int($0.number)) }
        for stem in stems {
            var blocks = masked.postings(of: stem)
            var frequency = blocks.reduce(0) { $0 + $1.data.count } / PostingBlock.bytesPerPosting
            for run in SQLLists.runs(of: numbers, count: 512) {
                let list = SQLLists.padded(run)
                let rows = try transaction.rows(
                    """
                    SELECT partition, block, data FROM search_postings
                    WHERE term = $1 AND partition IN (\(SQLLists.placeholders(list.count, from: 2)))
                    """,
                    [.text(stem)] + list
                )
                for row in rows {
                    guard let partition = UInt32(exactly: try row.integer(0)),
                        let block = UInt32(exactly: try row.integer(1))
                    else { throw SearchError.corrupt("postings") }
                    let data = seen.seen(try row.bytes(2), partition: partition, block: block)
                    frequency += data.count / PostingBlock.bytesPerPosting
                    blocks.append((partition, block, data))
                }
            }
            let rarity = Self.rarity(units: units, frequency: frequency)
            for (partition, block, data) in blocks {
                scores.add(data, partition: partition, block: block, weight: rarity * (parameters.k1 + 1), norms: norms)
            }
        }
        return scores
    }

    /// In how many units of `partitions` each of `stems` occurs.
    func frequencies(
        of stems: [String],
        partitions: [Partition],
        seen: SeenUnits = SeenUnits(),
        tenant: TenantID,
        in transaction: any Transaction
    ) throws -> [String: Int] {
        var counts: [String: Int] = [:]
        let numbers = partitions.filter { !seen.limits($0.number) }.map { SQLValue(Int($0.number)) }
        let limited = partitions.filter { seen.limits($0.number) }
        for stem in Set(stems) {
            for partition in limited {
                let rows = try transaction.rows(
                    "SELECT block, data FROM search_postings WHERE partition = $1 AND term = $2",
                    [SQLValue(Int(partition.number)), .text(stem)]
                )
                for row in rows {
                    guard let block = UInt32(exactly: try row.integer(0)) else { throw SearchError.corrupt("postings") }
                    let data = seen.seen(try row.bytes(1), partition: partition.number, block: block)
                    counts[stem, default: 0] += data.count / PostingBlock.bytesPerPosting
                }
            }
            for run in SQLLists.runs(of: numbers, count: 512) {
                let list = SQLLists.padded(run)
                let row = try transaction.firstRow(
                    """
                    SELECT COALESCE(SUM(LENGTH(data)), 0) FROM search_postings
                    WHERE term = $1 AND partition IN (\(SQLLists.placeholders(list.count, from: 2)))
                    """,
                    [.text(stem)] + list
                )
                counts[stem, default: 0] += Int(try row?.integer(0) ?? 0) / PostingBlock.bytesPerPosting
            }
        }
        return counts
    }

    /// ln(1 + (N − n + ½) / (n + ½)): never negative, also for words that most units have.
    static func rarity(units: Int, frequency: Int) -> Float {
        let count = Double(frequency)
        let rest = max(0, Double(units) - count)
        return Float(logarithm(1 + (rest + 0.5) / (count + 0.5)))
    }

    /// k₁ (1 − b + b · words / mean) for each number of words that a posting can say.
    private func norms(meanWords: Float) -> [Float] {
        (0...255).map { parameters.k1 * (1 - parameters.b + parameters.b * Float($0) / meanWords) }
    }
}

/// The BM25 of many units: dense over the blocks that have any.
struct LexicalScores: Sendable {
    private var positions: [UInt64: Int] = [:]
    private var blocks: [UInt64] = []
    private var values: [Float] = []

    var isEmpty: Bool { blocks.isEmpty }

    /// 0 for a unit without any of the words.
    subscript(key: UnitKey) -> Float {
        let block = Self.block(key.partition, PostingBlock.block(of: key.entry))
        guard let position = positions[block] else { return 0 }
        return values[position + Int(key.entry & 0xFF)]
    }

    /// The `count` highest of those that are allowed, highest first; of equals the lower key first.
    func best(_ count: Int, where isAllowed: (UnitKey) -> Bool = { _ in true }) -> [(key: UnitKey, score: Float)] {
        var heap = TopList(capacity: count)
        for (number, block) in blocks.enumerated() {
            let start = number * PostingBlock.entriesPerBlock
            for offset in 0..<PostingBlock.entriesPerBlock where values[start + offset] > 0 {
                let entry = UInt32(truncatingIfNeeded: block & 0xFF_FFFF) << 8 | UInt32(offset)
                let key = UnitKey(partition: UInt32(truncatingIfNeeded: block >> 24), entry: entry)
                if isAllowed(key) { heap.offer(key.rawValue, values[start + offset]) }
            }
        }
        return heap.sorted().map { (UnitKey(rawValue: $0.key), $0.score) }
    }

    mutating func add(_ data: [UInt8], partition: UInt32, block: UInt32, weight: Float, norms: [Float]) {
        let name = Self.block(partition, block)
        let position: Int
        if let known = positions[name] {
            position = known
        } else {
            position = values.count
            positions[name] = position
            blocks.append(name)
            values.append(contentsOf: repeatElement(0, count: PostingBlock.entriesPerBlock))
        }
        data.withUnsafeBufferPointer { data in
            var offset = 0
            while offset + 2 < data.count {
                let frequency = Float(data[offset + 1])
                let gain = weight * frequency / (frequency + norms[Int(data[offset + 2])])
                values[position + Int(data[offset])] += gain
                offset += PostingBlock.bytesPerPosting
            }
        }
    }

    /// Partitions have 31 bits and blocks 24, so both fit.
    private static func block(_ partition: UInt32, _ block: UInt32) -> UInt64 {
        UInt64(partition) << 24 | UInt64(block)
    }
}
