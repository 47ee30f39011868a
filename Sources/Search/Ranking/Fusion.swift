import Domain

/// How a record's closeness in meaning and in words become one score.
///
/// By score: the best cosine of its units plus `lexicalWeight` times its best BM25, which is divided by the
/// best BM25 of all candidates. Unlike ranks, scores keep what one side is sure of when the other is weak.
/// Reciprocal rank (Cormack, Clarke and Büttcher, SIGIR 2009) is kept to compare with. The figures that chose
/// the weight are in docs/search.md.
enum Fusion: Sendable, Hashable {
    case score(lexicalWeight: Float)
    case reciprocalRank(k: Float)
    case semantic
    case lexical

    static let standard = Fusion.score(lexicalWeight: 0.3)

    /// One unit with both its scores.
    struct Unit: Sendable, Hashable {
        let key: UnitKey
        let record: RecordID
        /// Nil for a unit without vector.
        let cosine: Float?
        /// 0 when it has none of the query's words.
        let lexical: Float
    }

    /// A record with the best of its units.
    struct Ranked: Sendable, Hashable {
        let record: RecordID
        let score: Float
        /// The unit that says most about why the record was found.
        let unit: UnitKey
        let cosine: Float?
        let lexical: Float
    }

    /// One entry for each record among `units`, best first; of equals in the order of identifiers.
    func rank(_ units: [Unit]) -> [Ranked] {
        let bestLexical = units.reduce(0) { max($0, $1.lexical) }
        var records: [RecordID: Facts] = [:]
        for unit in units {
            let lexical = bestLexical > 0 ? unit.lexical / bestLexical : 0
            records[unit.record, default: Facts(unit: unit.key)].take(
                unit,
                lexical: lexical,
                score: score(unit, lexical)
            )
        }
        let scores = finalScores(records)
        return records.map { record, facts in
            Ranked(
                record: record,
                score: scores[record] ?? 0,
                unit: facts.unit,
                cosine: facts.cosine,
                lexical: facts.lexical
            )
        }.sorted { $0.score != $1.score ? $0.score > $1.score : $0.record < $1.record }
    }

    /// What is known of one record.
    private struct Facts {
        var unit: UnitKey
        var unitScore = -Float.infinity
        var cosine: Float?
        var lexical: Float = 0

        init(unit: UnitKey) { self.unit = unit }

        mutating func take(_ unit: Unit, lexical: Float, score: Float) {
            if let other = unit.cosine { cosine = max(cosine ?? other, other) }
            self.lexical = max(self.lexical, lexical)
            if score > unitScore { (self.unit, unitScore) = (unit.key, score) }
        }
    }

    private func score(_ unit: Unit, _ lexical: Float) -> Float {
        switch self {
        case .score(let weight): (unit.cosine ?? 0) + weight * lexical
        case .reciprocalRank: (unit.cosine ?? 0) + lexical
        case .semantic: unit.cosine ?? -1
        case .lexical: lexical
        }
    }

    private func finalScores(_ records: [RecordID: Facts]) -> [RecordID: Float] {
        switch self {
        case .score(let weight): records.mapValues { ($0.cosine ?? 0) + weight * $0.lexical }
        case .semantic: records.mapValues { $0.cosine ?? -1 }
        case .lexical: records.mapValues(\.lexical)
        case .reciprocalRank(let k): reciprocalRanks(records, k: k)
        }
    }

    private func reciprocalRanks(_ records: [RecordID: Facts], k: Float) -> [RecordID: Float] {
        var scores: [RecordID: Float] = [:]
        for side in [{ (facts: Facts) in facts.cosine ?? 0 }, { (facts: Facts) in facts.lexical }] {
            let ordered = records.filter { side($0.value) > 0 }.sorted {
                let (left, right) = (side($0.value), side($1.value))
                return left != right ? left > right : $0.key < $1.key
            }
            for (position, entry) in ordered.enumerated() {
                scores[entry.key, default: 0] += 1 / (k + Float(position + 1))
            }
        }
        return scores
    }
}
