import Access
import Airtable
import Database
public import Domain
import Embeddings

extension SearchService {
    /// The records most like one record: for each piece of its text the nearest piece of theirs, on average. The record
    /// itself is left out.
    ///
    /// - Throws: `SearchError` `unknownRecord`, `invalidOption`, `unknownBase`, `unknownTable`; `AccessError.forbidden`
    ///   without the permission `search`, which is all it takes.
    public func similar(_ request: SimilarRequest, context: RequestContext) async throws -> SearchResponse {
        try context.require(.search)
        let visible = try await access.visibleScope(for: context, doing: .search)
        return try await withLiveModel(context.tenant) { service in
            try await service.similar(request, visible: visible, context: context)
        }
    }

    func similar(
        _ request: SimilarRequest,
        visible: VisibleScope,
        context: RequestContext
    ) async throws -> SearchResponse {
        let clock = PhaseClock()
        try Self.check(places: [request.bases, request.tables], limit: request.limit)
        let limit = request.limit ?? SearchRequest.limitDefault
        guard let source = RecordID(request.recordID) else { throw SearchError.unknownRecord }
        let places = try await SearchPlaces(
            bases: request.bases,
            tables: request.tables,
            visible: visible,
            reads: reads,
            context: context
        )
        let (store, tenant) = (store, context.tenant)
        let all = try await database.read(of: .tenant(context.tenant), deadline: context.deadline) {
            try store.partitions(tenant: tenant, in: $0)
        }
        let vectors = try await vectors(of: source, among: all, visible: places.visible, context: context)
        let scope = try await database.read(of: .tenant(context.tenant), deadline: context.deadline) { transaction in
            try places.scope(all).limited(to: places.limits, store: store, tenant: tenant, in: transaction)
        }
        let count = min(Limits.searchCandidates, 80 + 4 * limit)
        var proposed: Set<UnitKey> = []
        for vector in vectors {
            let found = try await nearest(vector, k: count, scope: scope, tenant: tenant)
            proposed.formUnion(found.units.map(\.key))
        }
        let stored = try await storedUnits(Array(proposed), scope: scope, context: context)
        let units = stored.units.filter { $0.isEncoded && $0.record != source }
        let cosines = try await cosines(vectors, of: units.map(\.key), partitions: scope.byNumber, tenant: tenant)
        var candidates = SearchCandidates(partitions: scope.byNumber, bases: places.bases)
        for unit in units { candidates.stored[unit.key] = unit }
        candidates.semantic = Set(units.map(\.record))
        let ranked = Self.ranked(units, cosines: cosines).filter {
            HitReader.shown($0.score) >= request.minScore ?? -.infinity
        }
        let found = try await hits(
            ranked,
            candidates,
            limit: limit,
            reader: reader(stems: [], context),
            context: context
        )
        return SearchResponse(hits: found.hits, tookMilliseconds: clock.total)
    }

    /// The vectors of what may be seen of one record, as it is now.
    ///
    /// Encoded again, not read from the index: a record is a few short texts, and what was written a moment ago counts.
    private func vectors(
        of record: RecordID,
        among all: [Partition],
        visible: VisibleScope,
        context: RequestContext
    ) async throws -> [[Float]] {
        let scope = SearchScope(all: all, visible: visible)
        // A record that is seen may be asked for also where none of its units may be found.
        let tables = Dictionary((Array(scope.byNumber.values) + scope.closed).map { ($0.number, $0.table) }) { $1 }
        let (store, tenant) = (store, context.tenant)
        let units = try await database.read(of: .tenant(context.tenant), deadline: context.deadline) { transaction in
            try store.units(of: [record], in: Set(tables.keys), tenant: tenant, transaction)
        }
        guard let table = units.compactMap({ tables[$0.key.partition] }).first,
            let shown = try await reader(stems: [], context).read([record], in: table, context: context),
            let read = shown.records.first
        else { throw SearchError.unknownRecord }
        let renderer = IndexingServices.renderer(embedder)
        let texts = shown.texts(of: read).flatMap(renderer.units).filter(\.isEncoded).map(\.text)
        return try await embedded(Array(texts.prefix(Limits.similarUnits)), kind: .document, until: context.deadline)
    }

    /// A record's score is the mean, over the vectors asked for, of the cosine of its nearest unit.
    private static func ranked(_ units: [StoredUnit], cosines: [UnitKey: [Float]]) -> [Fusion.Ranked] {
        Dictionary(grouping: units, by: \.record).compactMap { record, units -> Fusion.Ranked? in
            let rows = units.compactMap { unit in cosines[unit.key].map { (key: unit.key, cosines: $0) } }
            guard let first = rows.first else { return nil }
            var best = first.cosines
            for row in rows.dropFirst() {
                for place in best.indices { best[place] = max(best[place], row.cosines[place]) }
            }
            let nearest = rows.max {
                let (left, right) = ($0.cosines.max() ?? -1, $1.cosines.max() ?? -1)
                return left != right ? left < right : $0.key > $1.key
            }
            let score = best.reduce(0, +) / Float(best.count)
            return Fusion.Ranked(
                record: record,
                score: score,
                unit: nearest?.key ?? first.key,
                cosine: score,
                lexical: 0
            )
        }.sorted { $0.score != $1.score ? $0.score > $1.score : $0.record < $1.record }
    }
}
