package import Access
package import Airtable
package import Database
public import Domain
package import Embeddings
import Logging
import VectorIndex

/// Finds records by meaning and by words, as far as the caller may see them.
///
/// The scope comes first: which partitions of the index may be searched at all. Then words and meaning beside each
/// other, fusion, and every hit is read back through `AirtableService`, which checks again.
public struct SearchService: Sendable {
    let database: any SQLDatabase
    let access: AccessService
    let airtable: AirtableService
    var embedder: any Embedder
    var collections: VectorCollections
    let models: SearchModels
    let pool: ComputePool
    var lexical = LexicalIndex()
    let store = SearchStore()
    let masked = MaskedTextCache()
    var questionVectorTime = Limits.questionVectorTime
    /// Who may search may see what a hit shows: names of bases and tables, and cells, in their scope.
    var reads: GatedReads { airtable.reads(by: .search) }

    package init(
        database: any SQLDatabase,
        access: AccessService,
        airtable: AirtableService,
        embedder: any Embedder,
        collections: VectorCollections,
        pool: ComputePool
    ) {
        self.database = database
        self.access = access
        self.airtable = airtable
        self.embedder = embedder
        self.collections = collections
        self.pool = pool
        let pipeline = EmbeddingPipeline(embedder: embedder)
        models = SearchModels(fixed: SearchModel(name: .local, pipeline: pipeline, collections: collections))
    }

    /// With the models of a data directory: each call is answered by the one that is live for its tenant.
    package init(
        database: any SQLDatabase,
        access: AccessService,
        airtable: AirtableService,
        models: SearchModels,
        model: SearchModel,
        pool: ComputePool
    ) {
        self.database = database
        self.access = access
        self.airtable = airtable
        self.embedder = model.embedder
        self.collections = model.collections
        self.models = models
        self.pool = pool
    }

    /// Runs `body` on this service with the tenant's live model: question and vectors are of one space throughout.
    ///
    /// When another model takes over meanwhile, the old index may be going away under the call, so it is made again.
    func withLiveModel<T: Sendable>(
        _ tenant: TenantID,
        _ body: (SearchService) async throws -> T
    ) async throws -> T {
        while true {
            let model = try await models.live(tenant: tenant)
            var service = self
            service.embedder = model.embedder
            service.collections = model.collections
            let result: Result<T, any Error>
            do { result = .success(try await body(service)) } catch { result = .failure(error) }
            try Task.checkCancellation()
            if try await models.liveName(tenant: tenant) == model.name { return try result.get() }
        }
    }

    /// The records that fit `request` best, in the bases, tables and fields that may be seen.
    ///
    /// - Throws: `SearchError` `emptyQuery`, `queryTooLong`, `invalidOption`, `invalidCursor`, `unknownBase`,
    ///   `unknownTable`, `unknownField`; `AccessError.forbidden` without the permission `search`, which is all it takes.
    public func search(_ request: SearchRequest, context: RequestContext) async throws -> SearchResponse {
        try context.require(.search)
        let visible = try await access.visibleScope(for: context, doing: .search)
        return try await withLiveModel(context.tenant) { service in
            try await service.search(request, visible: visible, context: context)
        }
    }

    /// The same within `visible`, with another fusion than the mode's.
    func search(
        _ request: SearchRequest,
        fusion: Fusion? = nil,
        visible: VisibleScope,
        context: RequestContext
    ) async throws -> SearchResponse {
        var clock = PhaseClock()
        try Self.check(request)
        var cursor = try SearchCursor(of: request)
        let limit = request.limit ?? SearchRequest.limitDefault
        let mode = request.mode ?? .standard
        let places = try await SearchPlaces(
            bases: request.bases,
            tables: request.tables,
            fields: request.fields,
            visible: visible,
            reads: reads,
            context: context
        )
        let count = min(Limits.searchCandidates, 80 + 4 * (limit + cursor.shown.count))
        let sound = airtable.storedReads(by: .search) { context.logger.error("left out of a search: \($0.message)") }
        let filter = try await SearchFilter(request, places: places, reads: sound, context: context)
        let accepted = try await filter?.records(sound, context: context)
        let query = SearchQuery(text: request.query, mode: mode, count: count, accepted: accepted)
        let candidates = try await candidates(query, places: places, context: context)
        _ = clock.lap()
        let all = (fusion ?? mode.fusion).rank(candidates.units)
        let ranked = all.filter { entry in
            if let least = request.minScore, HitReader.shown(entry.score) < least { return false }
            return !cursor.hasShown(entry.record)
        }
        let explains = request.explain == true
        let explanations = explains ? HitExplanation.all(of: all, bestLexical: candidates.bestLexical) : [:]
        var timings = candidates.timings
        timings.ranking = clock.lap()
        let reader = reader(stems: Set(WordAnalyzer.queryStems(of: request.query)), fields: places.onlyFields, context)
        var found = try await hits(ranked, candidates, limit: limit, reader: reader, context: context)
        for hit in found.hits { cursor.show(hit.recordID) }
        for position in found.hits.indices where explains {
            found.hits[position].explanation = explanations[found.hits[position].recordID]
        }
        timings.reading = clock.lap()
        return SearchResponse(
            hits: found.hits,
            cursor: found.isLast ? nil : cursor.text,
            explanation: explains ? explanation(query, candidates, records: all.count, timings) : nil,
            degraded: candidates.isDegraded ? .wordsOnly : nil,
            tookMilliseconds: clock.total
        )
    }

    static func check(_ request: SearchRequest) throws(SearchError) {
        let query = request.query
        guard query.contains(where: { !$0.isWhitespace }) else { throw .emptyQuery }
        let length = query.unicodeScalars.count
        guard length <= Limits.queryCharacters else { throw .queryTooLong(length) }
        try check(places: [request.bases, request.tables, request.fields], limit: request.limit)
    }

    static func check(places: [[String]?], limit: Int?) throws(SearchError) {
        for names in places.compactMap(\.self) where names.count > Limits.searchPlaces {
            throw .tooManyPlaces(names.count)
        }
        if let limit, !(1...Limits.searchHits).contains(limit) { throw .limitOutOfRange(limit) }
    }

    private func explanation(
        _ query: SearchQuery,
        _ candidates: SearchCandidates,
        records: Int,
        _ timings: SearchExplanation.Timings
    ) -> SearchExplanation {
        SearchExplanation(
            mode: query.mode,
            words: query.stems,
            partitions: candidates.partitions.count,
            units: candidates.partitions.values.reduce(0) { $0 + $1.units },
            lexicalCandidates: candidates.lexicalCount,
            semanticCandidates: candidates.semanticCount,
            records: records,
            plan: candidates.statistics.map { $0.wasExact ? .exact : .graph } ?? .none,
            distances: candidates.statistics?.distanceEvaluations ?? 0,
            timings: timings
        )
    }

    // MARK: Hits

    /// A damaged record is no hit; it must not cost the others.
    func reader(stems: Set<String>, fields: Set<FieldID>? = nil, _ context: RequestContext) -> HitReader {
        let logger = context.logger
        let sound = airtable.storedReads(by: .search) { logger.error("left out of a search: \($0.message)") }
        return HitReader(airtable: sound, stems: stems, fields: fields)
    }

    /// Reads ranked records back until there are `limit` hits; those that are gone, or hidden, give way to the next.
    func hits(
        _ ranked: [Fusion.Ranked],
        _ candidates: SearchCandidates,
        limit: Int,
        reader: HitReader,
        context: RequestContext
    ) async throws -> (hits: [SearchHit], isLast: Bool) {
        var hits: [SearchHit] = []
        var rest = ranked[...]
        while hits.count < limit, !rest.isEmpty {
            let wanted = rest.prefix(limit - hits.count)
            rest = rest.dropFirst(wanted.count)
            let places = wanted.compactMap { entry -> HitReader.Place? in
                guard let unit = candidates.stored[entry.unit],
                    let partition = candidates.partitions[entry.unit.partition],
                    let base = candidates.bases[partition.base]
                else { return nil }
                return HitReader.Place(
                    ranked: entry,
                    unit: unit,
                    partition: partition,
                    base: base,
                    isSemantic: candidates.semantic.contains(entry.record)
                )
            }
            hits += try await reader.hits(places, context: context)
        }
        return (hits, rest.isEmpty)
    }
}
