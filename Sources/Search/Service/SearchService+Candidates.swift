import Access
import Airtable
import Database
import Domain
import Embeddings
import Logging
import VectorIndex

/// What one search ranks.
struct SearchCandidates: Sendable {
    var units: [Fusion.Unit] = []
    var stored: [UnitKey: StoredUnit] = [:]
    /// Records that the vectors alone would propose.
    var semantic: Set<RecordID> = []
    var partitions: [UInt32: Partition] = [:]
    var seen = SeenUnits()
    var masked = MaskedTexts()
    var bases: [BaseID: Base] = [:]
    /// Units proposed by each side.
    var lexicalCount = 0
    var semanticCount = 0
    var statistics: SearchStatistics?
    /// The question has no vector, although it was to have one.
    var isDegraded = false
    var timings = SearchExplanation.Timings()

    mutating func add(_ unit: StoredUnit, cosine: Float?, lexical: Float) {
        stored[unit.key] = unit
        units.append(Fusion.Unit(key: unit.key, record: unit.record, cosine: cosine, lexical: lexical))
    }

    var bestLexical: Float { units.reduce(0) { max($0, $1.lexical) } }
}

/// The query's side of a search.
struct SearchQuery: Sendable {
    let text: String
    let mode: SearchMode
    /// Units that each side proposes.
    let count: Int
    /// The only records to rank; nil for all.
    var accepted: Set<RecordID>?
    /// Empty when words do not count.
    var stems: [String] { mode == .semantic ? [] : WordAnalyzer.queryStems(of: text) }
}

extension SearchService {
    /// What one side of the search may use of the other: everything is exact for every unit of every record that either
    /// side proposes, so that fusion compares like with like.
    func candidates(
        _ query: SearchQuery,
        places: SearchPlaces,
        context: RequestContext
    ) async throws -> SearchCandidates {
        let (store, lexical, tenant) = (store, lexical, context.tenant)
        let start = PhaseClock()
        var clock = start
        async let encoded = encoded(query, start, context)
        let (stems, accepted) = (query.stems, query.accepted)
        let masked = try await masked(for: query, places: places, context: context)
        let words = try await database.read(of: .tenant(context.tenant), deadline: context.deadline) { transaction in
            let scope = try places.scope(try store.partitions(tenant: tenant, in: transaction))
                .limited(to: places.limits, store: store, tenant: tenant, in: transaction)
            let scores = try lexical.scores(
                stems: stems,
                partitions: Array(scope.byNumber.values),
                seen: scope.seen,
                masked: masked,
                tenant: tenant,
                in: transaction
            )
            let keys = try accepted.map {
                try store.keys(of: $0, in: Array(scope.byNumber.values), tenant: tenant, transaction)
            }
            let best = scores.best(query.count) { masked.accepts($0) ?? keys?.contains($0.rawValue) ?? true }
            return (scope: scope, scores: scores, best: best, keys: keys)
        }
        var result = SearchCandidates(partitions: words.scope.byNumber, seen: words.scope.seen, bases: places.bases)
        result.partitions.merge(masked.partitions) { whole, _ in whole }
        result.masked = masked
        result.timings.words = clock.lap()
        let (vector, tookVector, isDegraded) = try await encoded
        (result.timings.vector, result.isDegraded) = (tookVector, isDegraded)
        _ = clock.lap()
        var nearest: [(key: UnitKey, score: Float)] = []
        if let vector {
            let found = try await self.nearest(
                vector,
                k: query.count,
                scope: words.scope,
                only: words.keys,
                tenant: tenant
            )
            (nearest, result.statistics) = (found.units, found.statistics)
        }
        result.timings.nearest = clock.lap()
        let proposed = Set(words.best.map(\.key) + nearest.map(\.key))
        var stored = try await storedUnits(Array(proposed), scope: words.scope, context: context)
        stored.units.removeAll { masked.contains($0.key) }
        stored.units += masked.stored(of: Set(stored.records.values), or: proposed)
        (result.lexicalCount, result.semanticCount) = (words.best.count, nearest.count)
        result.semantic = Set(nearest.compactMap { stored.records[$0.key] })
        var cosines = Dictionary(nearest.map { ($0.key, $0.score) }, uniquingKeysWith: max)
        if let vector {
            let unknown = stored.units.filter { $0.isEncoded && cosines[$0.key] == nil }.map(\.key)
            let others = try await self.cosines([vector], of: unknown, partitions: words.scope.byNumber, tenant: tenant)
            for (key, scores) in others { cosines[key] = scores.first }
        }
        for unit in stored.units { result.add(unit, cosine: cosines[unit.key], lexical: words.scores[unit.key]) }
        result.timings.completing = clock.lap()
        return result
    }

    /// The texts that have to be made for this caller, when words count.
    private func masked(
        for query: SearchQuery,
        places: SearchPlaces,
        context: RequestContext
    ) async throws -> MaskedTexts {
        if places.visible.isWholeInBases || query.mode == .semantic { return MaskedTexts() }
        let (store, tenant) = (store, context.tenant)
        let all = try await database.read(of: .tenant(context.tenant), deadline: context.deadline) {
            try store.partitions(tenant: tenant, in: $0)
        }
        return try await maskedTexts(places.scope(all).closed, places: places, context: context)
            .accepting(query.accepted)
    }

    /// The question's vector; without one a hybrid search is left with the words.
    private func encoded(
        _ query: SearchQuery,
        _ clock: PhaseClock,
        _ context: RequestContext
    ) async throws -> (vector: [Float]?, took: Double, isDegraded: Bool) {
        if query.mode == .lexical { return (nil, 0, false) }
        let isHybrid = query.mode == .hybrid && embedder.identity.pooling == .remote
        // What is left of the time has to do for everything else.
        let end = isHybrid ? min(.now + questionVectorTime, .now + (context.deadline - .now) / 2) : context.deadline
        do {
            let vector = try await embedded([query.text], kind: .query, until: end).first
            return (vector, clock.total, false)
        } catch let error as EmbeddingsError where isHybrid {
            // A service elsewhere that does not answer leaves the words to search by.
            context.logger.warning(
                "a question could not be embedded: searched by words only",
                metadata: ["error": "\(error)", "detail": "\(error.detail ?? "")"]
            )
            return (nil, clock.total, true)
        }
    }

    /// Vectors for somebody who waits, until `end` when they come from elsewhere. What this machine computes is always
    /// soon, or refused.
    ///
    /// - Throws: `EmbeddingsError.serviceTimedOut` when they did not come in time; the call has then ended.
    func embedded(
        _ texts: [String],
        kind: EmbeddingKind,
        until end: ContinuousClock.Instant
    ) async throws -> [[Float]] {
        let embedder = embedder
        guard embedder.identity.pooling == .remote else {
            return try await embedder.embed(texts, kind: kind, priority: .interactive)
        }
        return try await withThrowingTaskGroup(of: [[Float]]?.self) { group in
            group.addTask { try await embedder.embed(texts, kind: kind, priority: .interactive) }
            group.addTask {
                try await Task.sleep(until: end, clock: .continuous)
                return nil
            }
            defer { group.cancelAll() }
            guard let first = try await group.next(), let vectors = first else {
                throw EmbeddingsError.questionTimedOut
            }
            return vectors
        }
    }

    /// Every unit in scope of the records that `keys` belong to.
    func storedUnits(
        _ keys: [UnitKey],
        scope: SearchScope,
        context: RequestContext
    ) async throws -> (records: [UnitKey: RecordID], units: [StoredUnit]) {
        let (store, tenant) = (store, context.tenant)
        return try await database.read(of: .tenant(context.tenant), deadline: context.deadline) { transaction in
            let records = try store.records(of: keys, tenant: tenant, in: transaction)
            let units = try store.units(
                of: Set(records.values).sorted(),
                in: Set(scope.byNumber.keys),
                tenant: tenant,
                transaction
            )
            return (records: records, units: units)
        }
    }

    /// The nearest units over all bases in scope.
    ///
    /// - Parameter keys: the only units to find; the index compares with each when there are few of them, so that a
    ///   narrow filter loses none.
    func nearest(
        _ vector: [Float],
        k: Int,
        scope: SearchScope,
        only keys: KeySet? = nil,
        tenant: TenantID
    ) async throws -> (units: [(key: UnitKey, score: Float)], statistics: SearchStatistics) {
        let collections = collections
        return try await pool.run(priority: .interactive) {
            var best = TopList(capacity: k)
            var statistics = SearchStatistics()
            // Exact until one base is not.
            statistics.wasExact = true
            for (base, partitions) in scope.partitions {
                // Never all: what a deleted table left may still be in the index.
                for allowed in Self.allowed(Set(partitions.map(\.number)), scope.seen, only: keys) {
                    var own = SearchStatistics()
                    let found = try collections.search(
                        vector,
                        k: k,
                        allowed: allowed,
                        tenant: tenant,
                        base: base,
                        statistics: &own
                    )
                    for neighbor in found { best.offer(neighbor.key, neighbor.score) }
                    statistics.distanceEvaluations += own.distanceEvaluations
                    if own.distanceEvaluations > 0, !own.wasExact { statistics.wasExact = false }
                }
            }
            return (best.sorted().map { (UnitKey(rawValue: $0.key), $0.score) }, statistics)
        }
    }

    /// What may be found in some partitions: all of those that are seen whole, and of others the units that are seen.
    private static func allowed(_ numbers: Set<UInt32>, _ seen: SeenUnits, only keys: KeySet?) -> [AllowedKeys] {
        if let keys {
            let inside = keys.inside(numbers)
            return [
                .keys(seen.isEmpty ? inside : KeySet(inside.sorted.filter { seen.contains(UnitKey(rawValue: $0)) }))
            ]
        }
        if seen.isEmpty { return [.partitions(numbers)] }
        let (limited, whole) = (numbers.filter { seen.limits($0) }, numbers.filter { !seen.limits($0) })
        return (whole.isEmpty ? [] : [.partitions(whole)]) + (limited.isEmpty ? [] : [.keys(seen.inside(limited))])
    }

    /// The exact cosines of some units with each of `vectors`, in their order.
    func cosines(
        _ vectors: [[Float]],
        of keys: [UnitKey],
        partitions: [UInt32: Partition],
        tenant: TenantID
    ) async throws -> [UnitKey: [Float]] {
        if keys.isEmpty || vectors.isEmpty { return [:] }
        let byBase = Dictionary(grouping: keys) { partitions[$0.partition]?.base }
        let collections = collections
        return try await pool.run(priority: .interactive) {
            var cosines: [UnitKey: [Float]] = [:]
            for (base, keys) in byBase {
                guard let base else { continue }
                let allowed = AllowedKeys.keys(KeySet(keys.map(\.rawValue)))
                for (position, vector) in vectors.enumerated() {
                    let found = try collections.search(
                        vector,
                        k: keys.count,
                        allowed: allowed,
                        tenant: tenant,
                        base: base
                    )
                    for neighbor in found {
                        let key = UnitKey(rawValue: neighbor.key)
                        cosines[key, default: Array(repeating: 0, count: vectors.count)][position] = neighbor.score
                    }
                }
            }
            return cosines
        }
    }
}
