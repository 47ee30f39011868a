import Domain
import Embeddings

extension AnswerExtractor {
    /// A piece with how well it fits the question.
    struct ScoredPiece: Sendable {
        let piece: AnswerPiece
        let cosine: Double
        let score: Double
    }

    // MARK: Pieces

    /// The pieces of a record, best first.
    func pieces(
        of candidate: AnswerCandidate,
        _ question: Question,
        _ rarity: [String: Double]
    ) async throws -> [ScoredPiece] {
        let asked = question.telling.map(\.stem).filter {
            !candidate.primary.contains($0) && !candidate.kind.contains($0)
        }
        // The share of the question's words first: it costs nothing, and decides what is worth encoding.
        let all = AnswerPiece.all(of: candidate).map { piece in
            (
                piece: piece,
                share: asked.isEmpty ? 0 : Self.share(asked, in: piece.stems.union(piece.fieldStems), rarity)
            )
        }
        let chosen = all.sorted {
            Double($0.piece.unitCosine) + 0.5 * $0.share > Double($1.piece.unitCosine) + 0.5 * $1.share
        }.prefix(Limits.answerPieces)
        let cosines = try await cosines(of: chosen.map(\.piece), candidate, question)
        let attribute = question.attribute.map(\.stem)
        return zip(chosen, cosines).map { entry, cosine in
            var score = cosine + 0.3 * entry.share
            if Self.shows(question.expectation, entry.piece) { score += 0.1 }
            if !attribute.isEmpty, entry.piece.fieldStems.isSuperset(of: attribute) { score += 0.3 }
            // A name alone says nothing of what it names.
            if entry.piece.field.id == candidate.table.primaryField { score -= 0.2 }
            return ScoredPiece(piece: entry.piece, cosine: cosine, score: score)
        }.sorted { $0.score != $1.score ? $0.score > $1.score : $0.piece.quote < $1.piece.quote }
    }

    /// How near each piece is to the question; by a model that the judge does not know, the piece's unit.
    private func cosines(
        of pieces: [AnswerPiece],
        _ candidate: AnswerCandidate,
        _ question: Question
    ) async throws -> [Double] {
        guard isFitted else { return pieces.map { Double($0.unitCosine) } }
        let texts = [question.text] + pieces.map { $0.text(of: candidate) }
        let vectors = try await search.embedder.embed(texts, priority: .interactive)
        guard let query = vectors.first else { return [] }
        return vectors.dropFirst().map { WordVectors.cosine(query, $0) }
    }

    /// Whether a piece has the kind of value that is asked for.
    private static func shows(_ expectation: Question.Expectation, _ piece: AnswerPiece) -> Bool {
        switch expectation {
        case .anything: false
        case .person:
            Self.namesPeople(piece.field.type) && piece.isCell
        case .time: hasTime(piece)
        case .quantity: piece.quote.contains(where: \.isNumber)
        }
    }

    private static func namesPeople(_ type: FieldType) -> Bool {
        switch type {
        case .multipleRecordLinks, .singleLineText, .email, .singleCollaborator, .multipleCollaborators, .createdBy,
            .lastModifiedBy:
            true
        default: false
        }
    }

    /// A date, or a number that may be a year.
    private static func hasTime(_ piece: AnswerPiece) -> Bool {
        if [.date, .dateTime, .createdTime, .lastModifiedTime].contains(piece.field.type) { return true }
        return piece.stems.contains { $0.count == 4 && $0.allSatisfy(\.isNumber) }
    }

    // MARK: Evidence

    func evidence(
        of candidate: AnswerCandidate,
        _ question: Question,
        _ rarity: [String: Double],
        _ pieces: [ScoredPiece],
        among others: [AnswerCandidate]
    ) async throws -> AnswerEvidence {
        let present = candidate.stems.union(candidate.schemaStems)
        let about = candidate.primary
        let telling = question.terms.filter { !about.contains($0.stem) && !candidate.kind.contains($0.stem) }
        let weighty = question.telling.filter { !about.contains($0.stem) && !candidate.kind.contains($0.stem) }
        let near = pieces.sorted { $0.cosine > $1.cosine }.prefix(4)
        let nearWords = Self.words(
            near.map(\.piece.shown) + candidate.table.fields.map(\.name) + [candidate.primaryText]
        )
        let rest = question.text(without: about)
        let fields = candidate.table.fields.map(\.name)
        let attribute = question.attribute.filter { !about.contains($0.stem) }
        let texts = nearWords + (weighty + attribute).map(\.folded) + fields + (rest.isEmpty ? [] : [rest])
        let vectors = isFitted ? try await words.vectors(of: texts, by: search.embedder) : [:]
        let closeness = Closeness(vectors: vectors, words: nearWords, present: present)
        var evidence = AnswerEvidence(cosine: candidate.cosine, isAsking: question.isAsking)
        evidence.coverage = Self.share(telling.map(\.stem), in: present, rarity)
        evidence.nearCoverage = Self.mean(weighty, rarity) { term in
            question.entities.contains(term.stem) && !present.contains(term.stem)
                ? 0 : Self.ramp(closeness.of(term), 0.35, 0.75)
        }
        evidence.missingEntities =
            question.entities.isEmpty
            ? 0 : 1 - Self.share(Array(question.entities), in: present, rarity)
        if let rest = vectors[rest] {
            evidence.fieldCosine = fields.compactMap { vectors[$0] }.map { WordVectors.cosine(rest, $0) }.max() ?? 0
        }
        if !attribute.isEmpty {
            evidence.attribute = Self.mean(attribute, rarity) { Self.ramp(closeness.of($0), 0.45, 0.8) }
        }
        evidence.hasSubject = !question.subject.isEmpty
        evidence.missingSubject = 1 - Self.share(question.subject.map(\.stem), in: candidate.stems, rarity)
        evidence.margin = Self.margin(of: candidate, among: others)
        evidence.isPersonal = question.isPersonal
        evidence.isMissingMoment = question.moments.contains { !present.contains($0.stem) }
        evidence.isMissingValue =
            question.expectation == .quantity
            && !AnswerPiece.all(of: candidate).contains { $0.quote.contains(where: \.isNumber) }
        return evidence
    }

    /// How far a record is above those that come after the first five.
    private static func margin(of candidate: AnswerCandidate, among others: [AnswerCandidate]) -> Double {
        guard others.count >= 10 else { return AnswerEvidence.marginDefault }
        let rest = others.map(\.cosine).sorted(by: >).dropFirst(5).prefix(10)
        return candidate.cosine - rest.reduce(0, +) / Double(rest.count)
    }

    /// How near a word of the question is to any word of the record.
    private struct Closeness {
        let vectors: [String: [Float]]
        let words: [String]
        let present: Set<String>

        func of(_ term: Question.Term) -> Double {
            if present.contains(term.stem) { return 1 }
            guard let vector = vectors[term.folded] else { return 0 }
            return words.compactMap { vectors[$0] }.map { WordVectors.cosine(vector, $0) }.max() ?? 0
        }
    }

    /// The distinct words of some texts that tell something.
    private static func words(_ texts: [String]) -> [String] {
        var seen: Set<String> = []
        return texts.flatMap { WordAnalyzer.words(of: $0) }.map(\.folded).filter {
            $0.count > 1 && !StopWords.contains($0) && seen.insert($0).inserted
        }
    }

    /// A mean over terms by their rarity; 1 of none.
    private static func mean(
        _ terms: [Question.Term],
        _ rarity: [String: Double],
        _ value: (Question.Term) -> Double
    ) -> Double {
        let total = terms.reduce(0) { $0 + (rarity[$1.stem] ?? 0) }
        guard total > 0 else { return 1 }
        return terms.reduce(0) { $0 + (rarity[$1.stem] ?? 0) * value($1) } / total
    }

    /// 0 up to `low`, 1 from `high`, straight in between.
    private static func ramp(_ value: Double, _ low: Double, _ high: Double) -> Double {
        min(1, max(0, (value - low) / (high - low)))
    }

    // MARK: Quotes

    /// The best piece of a record, and others that add to it.
    func quotes(
        of candidate: AnswerCandidate,
        _ pieces: [ScoredPiece],
        _ question: Question,
        _ rarity: [String: Double]
    ) -> [Line] {
        guard let best = pieces.first else { return [] }
        var chosen = [best]
        var said = best.piece.stems.union(best.piece.fieldStems)
        for other in pieces.dropFirst().prefix(6) where chosen.count < 3 && best.score - other.score < 0.12 {
            let adds = question.telling.contains { !said.contains($0.stem) && other.piece.stems.contains($0.stem) }
            guard adds else { continue }
            said.formUnion(other.piece.stems)
            chosen.append(other)
        }
        return chosen.map { entry in
            Line(
                name: candidate.primaryText,
                field: entry.piece.field.name,
                shown: entry.piece.shown,
                quote: ExtractedAnswer.Quote(
                    baseID: candidate.base.id,
                    tableID: candidate.table.id,
                    recordID: candidate.record.id,
                    fieldID: entry.piece.field.id,
                    quote: entry.piece.quote,
                    score: rounded(entry.score, to: 10_000)
                )
            )
        }
    }

    /// A quote, and how it is read.
    struct Line: Sendable {
        let name: String
        let field: String
        let shown: String
        let quote: ExtractedAnswer.Quote
    }

    /// One line for each quote: whose it is, what it says and where it stands. Those of another record than the first
    /// come after, as what fits as well.
    static func answer(_ lines: [Line]) -> ExtractedAnswer {
        guard let first = lines.first?.quote.recordID else { return .notFound }
        let text = lines.map { line in
            let also = line.quote.recordID == first ? "" : "Also: "
            let subject = line.name.isEmpty || line.name == line.shown ? "" : "\(oneLine(line.name)) · "
            let place = "[\(line.quote.recordID)/\(line.quote.fieldID)]"
            return "\(also)\(subject)\(line.field): \(oneLine(line.shown)) \(place)"
        }
        return ExtractedAnswer(isFound: true, text: text.joined(separator: "\n"), quotes: lines.map(\.quote))
    }

    private static func oneLine(_ text: String) -> String {
        text.split(whereSeparator: \.isNewline).joined(separator: " ")
    }
}
