import Domain
import Embeddings

extension AnswerExtractor {
    /// The candidates with their nearness to the question as each of their long fields would say it.
    ///
    /// A text is encoded as `Neon · Uses: Primarily for lighting.`, the question without anything around it. With
    /// `Uses: ` before it, it is compared with the texts of that field more like with like. The names that most
    /// candidates have come first, up to `Limits.answerFields`; the texts of others stay as they are.
    func placed(
        _ question: Question,
        _ candidates: [AnswerCandidate],
        _ found: SearchCandidates,
        _ context: RequestContext
    ) async throws -> [AnswerCandidate] {
        guard isFitted else { return candidates }
        var keys: [String: [UnitKey]] = [:]
        for candidate in candidates {
            for (group, units) in candidate.units {
                guard case .long(let id) = group, let field = candidate.table.field(id: id) else { continue }
                keys[field.name, default: []] += units.map(\.key)
            }
        }
        let names = keys.sorted {
            $0.value.count != $1.value.count ? $0.value.count > $1.value.count : $0.key < $1.key
        }.prefix(Limits.answerFields)
        if names.isEmpty { return candidates }
        let texts = names.map { "\($0.key): \(question.text)" }
        let vectors = try await search.embedder.embed(texts, kind: .query, priority: .interactive)
        var cosines: [UnitKey: Float] = [:]
        for (name, vector) in zip(names, vectors) {
            let own = try await search.cosines(
                [vector],
                of: name.value,
                partitions: found.partitions,
                tenant: context.tenant
            )
            for (key, values) in own { cosines[key] = values.first }
        }
        return candidates.map { candidate in
            var candidate = candidate
            let all = candidate.units.values.joined().map { cosines[$0.key] ?? $0.cosine }
            candidate.placedCosine = Double(all.max() ?? 0)
            return candidate
        }
    }
}
