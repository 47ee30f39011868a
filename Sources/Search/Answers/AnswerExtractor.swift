import Access
import Airtable
import Database
public import Domain
import Embeddings

/// Answers questions out of the records, word for word and without a language model.
///
/// It searches, chooses the record that says most of what is asked, judges whether that answers, and quotes the
/// sentences and cells that do, each with its place. When nothing does, it says so.
public struct AnswerExtractor: Sendable {
    /// While it answers, with the tenant's live model.
    private(set) var search: SearchService
    /// Nil for the one that belongs to the live model.
    var judge: AnswerJudge?
    let words = WordVectors()

    package init(search: SearchService) { self.search = search }

    /// Whether closeness of the live model's vectors means what the standard judge's weights and thresholds were fitted
    /// to. Of another model's, only the order of records is used, and nothing but the question is encoded by it.
    var isFitted: Bool { search.embedder.identity.id == AnswerJudge.fittedModel }
    private var liveJudge: AnswerJudge { judge ?? (isFitted ? .standard : .wordForWord) }

    /// What the records that the caller may see say to `question`.
    ///
    /// - Parameters:
    ///   - bases: names or identifiers of the only bases to look in; nil for all.
    ///   - tables: the same of tables.
    /// - Throws: `SearchError` as a search; `AccessError.forbidden` without the permission `search`, which is all it takes.
    public func answer(
        _ question: String,
        bases: [String]?,
        tables: [String]?,
        context: RequestContext
    ) async throws -> ExtractedAnswer {
        try context.require(.search)
        try SearchService.check(SearchRequest(query: question, bases: bases, tables: tables))
        return try await search.withLiveModel(context.tenant) { service in
            var live = self
            live.search = service
            let finding = try await live.finding(question, bases: bases, tables: tables, context: context)
            guard let finding, live.liveJudge.accepts(finding.evidence) else { return .notFound }
            return finding.answer
        }
    }

    /// The best the records have, whether or not it answers.
    struct Finding: Sendable {
        let candidate: AnswerCandidate
        let evidence: AnswerEvidence
        let answer: ExtractedAnswer
    }

    func finding(
        _ text: String,
        bases: [String]?,
        tables: [String]?,
        context: RequestContext
    ) async throws -> Finding? {
        let question = Question(text)
        let visible = try await search.access.visibleScope(for: context, doing: .search)
        let places = try await SearchPlaces(
            bases: bases,
            tables: tables,
            visible: visible,
            reads: search.reads,
            context: context
        )
        let query = SearchQuery(text: text, mode: .hybrid, count: 160)
        let found = try await search.candidates(query, places: places, context: context)
        let rarity = try await rarity(of: question, found, context)
        let candidates = try await placed(question, try await candidates(found, context), found, context)
        let ranked = candidates.map { ($0, rank($0, question, rarity)) }.sorted {
            $0.1 != $1.1 ? $0.1 > $1.1 : $0.0.record.id < $1.0.record.id
        }
        guard let (best, score) = ranked.first else { return nil }
        let pieces = try await pieces(of: best, question, rarity)
        let evidence = try await evidence(of: best, question, rarity, pieces, among: candidates)
        var quotes = quotes(of: best, pieces, question, rarity)
        // Another record that fits as well is an answer as well, as when several are named after a planet.
        for (other, otherScore) in ranked.dropFirst().prefix(2) where score - otherScore < Self.tieMargin {
            let pieces = try await self.pieces(of: other, question, rarity)
            let evidence = try await self.evidence(of: other, question, rarity, pieces, among: candidates)
            guard liveJudge.accepts(evidence) else { continue }
            quotes += self.quotes(of: other, pieces, question, rarity).prefix(1)
        }
        return Finding(candidate: best, evidence: evidence, answer: Self.answer(quotes))
    }

    /// Records closer than this in rank answer together.
    static let tieMargin = 0.02

    // MARK: Candidates

    /// How rare each stem of the question is among what may be searched, as in BM25; most where no unit has it.
    func rarity(
        of question: Question,
        _ found: SearchCandidates,
        _ context: RequestContext
    ) async throws -> [String: Double] {
        let partitions = found.partitions.values.filter { found.masked.partitions[$0.number] == nil }
        let (seen, masked) = (found.seen, found.masked)
        let (lexical, tenant) = (search.lexical, context.tenant)
        let stems = Array(Set(question.stems + (question.attribute + question.subject).map(\.stem) + question.entities))
        let units = found.partitions.values.reduce(0) { $0 + $1.units }
        let counts = try await search.database.read(of: .tenant(context.tenant), deadline: context.deadline) {
            transaction in
            try lexical.frequencies(of: stems, partitions: partitions, seen: seen, tenant: tenant, in: transaction)
        }
        return Dictionary(
            stems.map { stem in
                let frequency = (counts[stem] ?? 0) + masked.frequency(of: stem)
                return (stem, Double(LexicalIndex.rarity(units: units, frequency: frequency)))
            },
            uniquingKeysWith: { first, _ in first }
        )
    }

    func candidates(_ found: SearchCandidates, _ context: RequestContext) async throws -> [AnswerCandidate] {
        let ranked = Fusion.standard.rank(found.units).prefix(Limits.answerRecords)
        let cosines = Dictionary(found.units.map { ($0.key, $0.cosine) }, uniquingKeysWith: { first, _ in first })
        let units = Dictionary(grouping: found.stored.values, by: \.record)
        let byTable = Dictionary(grouping: ranked) { found.partitions[$0.unit.partition]?.table }
        let reader = search.reader(stems: [], context)
        var candidates: [AnswerCandidate] = []
        for (table, entries) in byTable {
            guard let table, let shown = try await reader.read(entries.map(\.record), in: table, context: context),
                let base = found.bases[shown.table.base]
            else { continue }
            for record in shown.records {
                var own: [FieldGroup: [AnswerCandidate.Unit]] = [:]
                for unit in units[record.id] ?? [] {
                    guard let partition = found.partitions[unit.key.partition], let cosine = cosines[unit.key] ?? nil
                    else { continue }
                    own[partition.group, default: []].append(
                        AnswerCandidate.Unit(key: unit.key, cosine: cosine, range: unit.range)
                    )
                }
                // Only what may be searched may be quoted.
                let texts = shown.texts(of: record).filter { own[$0.group] != nil }
                candidates.append(
                    AnswerCandidate(base: base, table: shown.table, record: record, texts: texts, units: own)
                )
            }
        }
        return candidates
    }

    /// How well a record fits: by its nearest unit, by what it says of the question's words, and whether the question
    /// names it or asks for one of its fields.
    private func rank(_ candidate: AnswerCandidate, _ question: Question, _ rarity: [String: Double]) -> Double {
        var rank = candidate.placedCosine + 0.2 * Self.share(question.stems, in: candidate.stems, rarity)
        let asked = Set(question.stems)
        if !candidate.primary.isEmpty, candidate.primary.isSubset(of: asked) { rank += 0.1 }
        let attribute = question.attribute.map(\.stem)
        if !attribute.isEmpty {
            let fields = candidate.table.fields.map { Set(WordAnalyzer.words(of: $0.name).map(\.stem)) }
            if fields.contains(where: { $0.isSuperset(of: attribute) }) { rank += 0.1 }
        }
        return rank
    }

    /// The part of `stems`, weighed by rarity, that `present` has; 1 of none.
    static func share(_ stems: [String], in present: Set<String>, _ rarity: [String: Double]) -> Double {
        let total = stems.reduce(0) { $0 + (rarity[$1] ?? 0) }
        guard total > 0 else { return 1 }
        return stems.reduce(0) { $0 + (present.contains($1) ? rarity[$1] ?? 0 : 0) } / total
    }
}
