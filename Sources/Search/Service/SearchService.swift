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
    let embedder: any Embedder
    let collections: VectorCollections
    let pool: ComputePool
    var lexical = LexicalIndex()
    private let store = SearchStore()
    /// Who may search may see what a hit shows: names of bases and tables, and cells, in their scope.
    private var reads: GatedReads { airtable.reads(by: .search) }

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
    }

    /// The records that fit `request` best, in the bases, tables and fields that may be seen.
    ///
    /// - Throws: `SearchError` `emptyQuery`, `queryTooLong`, `invalidOption`, `unknownBase`, `unknownTable`;
    ///   `AccessError.forbidden` without the permission `search`, which is all it takes.
    public func search(_ request: SearchRequest, context: RequestContext) async throws -> SearchResponse {
        try context.require(.search)
        let visible = try await access.visibleScope(for: context)
        return try await search(request, fusion: .standard, visible: visible, context: context)
    }

    /// The same with another fusion, within `visible`.
    func search(
        _ request: SearchRequest,
        fusion: Fusion,
        visible: VisibleScope,
        context: RequestContext
    ) async throws -> SearchResponse {
        let start = ContinuousClock.now
        let query = try Self.checked(request)
        let limit = request.limit ?? SearchRequest.limitDefault
        let places = try await places(request, visible: visible, context: context)
        let candidates = try await candidates(query, limit: limit, places: places, context: context)
        let ranked = fusion.rank(candidates.units)
        let hits = try await hits(ranked, candidates, query: query, limit: limit, context: context)
        let took = (ContinuousClock.now - start) / .milliseconds(1)
        return SearchResponse(hits: hits, tookMilliseconds: (took * 10).rounded() / 10)
    }

    private static func checked(_ request: SearchRequest) throws(SearchError) -> String {
        let query = request.query
        guard query.contains(where: { !$0.isWhitespace }) else { throw .emptyQuery }
        let length = query.unicodeScalars.count
        guard length <= Limits.queryCharacters else { throw .queryTooLong(length) }
        for names in [request.bases, request.tables].compactMap(\.self) where names.count > Limits.searchPlaces {
            throw .tooManyPlaces(names.count)
        }
        if let limit = request.limit, !(1...Limits.searchHits).contains(limit) { throw .limitOutOfRange(limit) }
        return query
    }

    // MARK: Where

    private struct Places {
        let visible: VisibleScope
        let bases: [BaseID: Base]
        /// Nil for all.
        let onlyBases: Set<BaseID>?
        let onlyTables: Set<TableID>?
    }

    private func places(
        _ request: SearchRequest,
        visible: VisibleScope,
        context: RequestContext
    ) async throws -> Places {
        let all = try await reads.bases(context: context).filter { visible.allows(base: $0.id) }
        var bases = all
        if let wanted = request.bases {
            bases = try wanted.map { name in
                guard let base = all.first(where: { Self.names(name, $0.id.description, $0.name) }) else {
                    throw SearchError.unknown(.unknownBase, name, among: all.map(\.name))
                }
                return base
            }
        }
        var onlyTables: Set<TableID>?
        if let wanted = request.tables {
            var tables: [Table] = []
            for base in bases {
                tables += try await reads.tables(in: base.id, context: context).filter { visible.allows(table: $0) }
            }
            onlyTables = []
            for name in wanted {
                // A name may stand for a table in each of several bases.
                let found = tables.filter { Self.names(name, $0.id.description, $0.name) }
                if found.isEmpty { throw SearchError.unknown(.unknownTable, name, among: tables.map(\.name)) }
                onlyTables?.formUnion(found.map(\.id))
            }
        }
        return Places(
            visible: visible,
            bases: Dictionary(all.map { ($0.id, $0) }, uniquingKeysWith: { first, _ in first }),
            onlyBases: request.bases == nil ? nil : Set(bases.map(\.id)),
            onlyTables: onlyTables
        )
    }

    private static func names(_ wanted: String, _ id: String, _ name: String) -> Bool {
        if wanted == id { return true }
        let space = { (character: Character) in character.isWhitespace }
        let words = { (text: String) in text.lowercased().split(whereSeparator: space) }
        return words(wanted) == words(name)
    }

    // MARK: Candidates

    private struct Candidates: Sendable {
        var units: [Fusion.Unit] = []
        var stored: [UnitKey: StoredUnit] = [:]
        /// Records that the vectors alone would propose.
        var semantic: Set<RecordID> = []
        var partitions: [UInt32: Partition] = [:]
        var bases: [BaseID: Base] = [:]
    }

    /// What one side of the search may use of the other: everything is exact for every unit of every record that either
    /// side proposes, so that fusion compares like with like.
    private func candidates(
        _ query: String,
        limit: Int,
        places: Places,
        context: RequestContext
    ) async throws -> Candidates {
        let (store, lexical, tenant) = (store, lexical, context.tenant)
        let count = min(Limits.searchCandidates, 80 + 4 * limit)
        async let vectors = embedder.embed([query], priority: .interactive)
        let words = try await database.read(deadline: context.deadline) { transaction in
            let scope = SearchScope(
                all: try store.partitions(tenant: tenant, in: transaction),
                visible: places.visible,
                bases: places.onlyBases,
                tables: places.onlyTables
            )
            let scores = try lexical.scores(
                stems: WordAnalyzer.queryStems(of: query),
                partitions: Array(scope.byNumber.values),
                tenant: tenant,
                in: transaction
            )
            return (scope: scope, scores: scores, best: scores.best(count))
        }
        guard let vector = try await vectors.first else { return Candidates() }
        let nearest = try await nearest(vector, k: count, scope: words.scope, tenant: tenant)
        let proposed = Set(words.best.map(\.key) + nearest.map(\.key))
        let stored = try await database.read(deadline: context.deadline) { transaction in
            let records = try store.records(of: Array(proposed), tenant: tenant, in: transaction)
            let units = try store.units(
                of: Set(records.values).sorted(),
                in: Set(words.scope.byNumber.keys),
                tenant: tenant,
                transaction
            )
            return (records: records, units: units)
        }
        var result = Candidates(partitions: words.scope.byNumber, bases: places.bases)
        result.semantic = Set(nearest.compactMap { stored.records[$0.key] })
        var cosines = Dictionary(nearest.map { ($0.key, $0.score) }, uniquingKeysWith: max)
        let unknown = stored.units.filter { $0.isEncoded && cosines[$0.key] == nil }.map(\.key)
        cosines.merge(try await self.cosines(vector, of: unknown, scope: words.scope, tenant: tenant)) { first, _ in
            first
        }
        for unit in stored.units {
            result.stored[unit.key] = unit
            result.units.append(
                Fusion.Unit(
                    key: unit.key,
                    record: unit.record,
                    cosine: cosines[unit.key],
                    lexical: words.scores[unit.key]
                )
            )
        }
        return result
    }

    /// The nearest units over all bases in scope.
    private func nearest(
        _ vector: [Float],
        k: Int,
        scope: SearchScope,
        tenant: TenantID
    ) async throws -> [(key: UnitKey, score: Float)] {
        let collections = collections
        return try await pool.run(priority: .interactive) {
            var best = TopList(capacity: k)
            for (base, partitions) in scope.partitions {
                // Never all: what a deleted table left may still be in the index.
                let allowed = AllowedKeys.partitions(Set(partitions.map(\.number)))
                for found in try collections.search(vector, k: k, allowed: allowed, tenant: tenant, base: base) {
                    best.offer(found.key, found.score)
                }
            }
            return best.sorted().map { (UnitKey(rawValue: $0.key), $0.score) }
        }
    }

    /// The exact cosines of some units.
    private func cosines(
        _ vector: [Float],
        of keys: [UnitKey],
        scope: SearchScope,
        tenant: TenantID
    ) async throws -> [UnitKey: Float] {
        if keys.isEmpty { return [:] }
        let byBase = Dictionary(grouping: keys) { scope.byNumber[$0.partition]?.base }
        let collections = collections
        return try await pool.run(priority: .interactive) {
            var cosines: [UnitKey: Float] = [:]
            for (base, keys) in byBase {
                guard let base else { continue }
                let allowed = AllowedKeys.keys(KeySet(keys.map(\.rawValue)))
                let found = try collections.search(vector, k: keys.count, allowed: allowed, tenant: tenant, base: base)
                for neighbor in found { cosines[UnitKey(rawValue: neighbor.key)] = neighbor.score }
            }
            return cosines
        }
    }

    // MARK: Hits

    /// Reads ranked records back until there are `limit` hits; those that are gone, or hidden, give way to the next.
    private func hits(
        _ ranked: [Fusion.Ranked],
        _ candidates: Candidates,
        query: String,
        limit: Int,
        context: RequestContext
    ) async throws -> [SearchHit] {
        let stems = Set(WordAnalyzer.queryStems(of: query))
        let logger = context.logger
        // A damaged record is no hit; it must not cost the others.
        let sound = airtable.reads(by: .search) { logger.error("left out of a search: \($0.message)") }
        let reader = HitReader(airtable: sound, stems: stems)
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
        return hits
    }
}
