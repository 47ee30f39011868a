import CKernels

/// A search as a caller asked for it, checked.
struct SearchRequest {
    var k: Int
    var ef: Int
    var allowed: AllowedKeys
    var plan: SearchPlan

    init(k: Int, ef: Int?, allowed: AllowedKeys, plan: SearchPlan) throws(VectorIndexError) {
        guard k >= 0 else { throw .invalidParameter("k", "at least 0", received: k) }
        if let ef, !(1...SearchPlanner.efMax ~= ef) {
            throw .invalidParameter("ef", "1...\(SearchPlanner.efMax)", received: ef)
        }
        self.k = k
        self.ef = max(ef ?? SearchPlanner.efDefault, k)
        self.allowed = allowed
        self.plan = plan
    }
}

extension Graph {
    /// The nearest of the allowed keys; never fewer than are allowed or than `k`.
    func search(
        _ query: UnsafeBufferPointer<Float>,
        _ request: SearchRequest,
        _ statistics: inout SearchStatistics
    ) throws(VectorIndexError) -> [Neighbor] {
        try scratch.with { (scratch) throws(VectorIndexError) in
            try space.store(query, into: scratch.query)
            return gate.read { find(scratch.query, request, scratch, &statistics) }
        }
    }

    /// The same for several queries, row-major.
    func search(
        batch queries: UnsafeBufferPointer<Float>,
        _ request: SearchRequest,
        _ statistics: inout SearchStatistics
    ) throws(VectorIndexError) -> [[Neighbor]] {
        guard queries.count % space.dimension == 0 else {
            throw .dimensionMismatch(expected: space.dimension, received: queries.count % space.dimension)
        }
        let count = queries.count / space.dimension
        let rows = UnsafeMutableRawPointer.allocate(byteCount: max(count, 1) * space.rowBytes, alignment: 64)
            .bindMemory(to: Float.self, capacity: max(count, 1) * space.stride)
        defer { rows.deallocate() }
        for row in 0..<count {
            let source = UnsafeBufferPointer(rebasing: queries[row * space.dimension..<(row + 1) * space.dimension])
            try space.store(source, into: rows + row * space.stride)
        }
        return gate.read {
            let matches = matches(request.allowed)
            if prefersScan(request, matches) {
                let candidates = matches.rows(self)
                statistics.distanceEvaluations += candidates.count * count
                statistics.wasExact = true
                return ExactScan(graph: self, rows: candidates)
                    .run(queries: rows, count: count, k: min(request.k, candidates.count))
            }
            return scratch.with { scratch in
                (0..<count).map { find(rows + $0 * space.stride, request, scratch, &statistics) }
            }
        }
    }

    private func find(
        _ query: UnsafePointer<Float>,
        _ request: SearchRequest,
        _ scratch: SearchScratch,
        _ statistics: inout SearchStatistics
    ) -> [Neighbor] {
        let matches = matches(request.allowed)
        let wanted = min(request.k, matches.count)
        guard wanted > 0 else { return [] }
        var request = request
        request.k = wanted
        request.ef = min(request.ef, matches.count)
        if !prefersScan(request, matches), let entry {
            scratch.evaluations = 0
            let found = walk(query, request, matches.count, entry, scratch)
            statistics.distanceEvaluations += scratch.evaluations
            if let found, found.count >= wanted { return found }
        }
        let rows = matches.rows(self)
        statistics.distanceEvaluations += rows.count
        statistics.wasExact = true
        return ExactScan(graph: self, rows: rows).run(query: query, k: min(request.k, rows.count))
    }

    // MARK: Planning

    /// What passes a filter: how many at most, and which rows when they had to be looked up for it.
    struct Matches {
        let allowed: AllowedKeys
        let count: Int
        let found: ExactScan.Rows?

        func rows(_ graph: Graph) -> ExactScan.Rows {
            if let found { return found }
            return graph.readCatalog { catalog in
                let slots =
                    switch allowed {
                    case .all: catalog.partitionNumbers.flatMap { catalog.slots(inPartition: $0) }
                    case .partitions(let partitions): partitions.flatMap { catalog.slots(inPartition: $0) }
                    case .keys(let keys): keys.sorted.compactMap { catalog.slot(for: $0, in: graph.view) }
                    }
                return ExactScan.Rows(slots, graph.view)
            }
        }
    }

    private func matches(_ allowed: AllowedKeys) -> Matches {
        readCatalog { catalog in
            switch allowed {
            case .all: return Matches(allowed: allowed, count: catalog.count, found: nil)
            case .partitions(let partitions):
                let count = partitions.reduce(0) { $0 + catalog.count(inPartition: $1) }
                return Matches(allowed: allowed, count: count, found: nil)
            case .keys(let keys):
                if keys.count > SearchPlanner.exactRowsMax {
                    return Matches(allowed: allowed, count: min(keys.count, catalog.count), found: nil)
                }
                let rows = ExactScan.Rows(keys.sorted.compactMap { catalog.slot(for: $0, in: view) }, view)
                return Matches(allowed: allowed, count: rows.count, found: rows)
            }
        }
    }

    private func prefersScan(_ request: SearchRequest, _ matches: Matches) -> Bool {
        switch request.plan {
        case .exact: true
        case .graph: false
        case .automatic:
            SearchPlanner.prefersScan(
                matches: matches.count,
                count: count,
                ef: request.ef,
                m: parameters.m
            )
        }
    }

    // MARK: Walking

    private func walk(
        _ query: UnsafePointer<Float>,
        _ request: SearchRequest,
        _ matches: Int,
        _ entry: (slot: UInt32, level: Int),
        _ scratch: SearchScratch
    ) -> [Neighbor]? {
        let walk = GraphWalk(self, query: query, scratch: scratch)
        let start = walk.descend(from: entry, to: 0)
        let evaluationsMax =
            request.plan == .graph ? Int.max / 2 : SearchPlanner.evaluationsMax(matches: matches)
        switch request.allowed {
        case .all:
            let pool = walk.beam(from: start, level: 0, ef: request.ef, hasDead: deadCount > 0)
            return collect(pool, k: request.k, filter: EveryKey())
        case .partitions(let partitions):
            let filter = PartitionFilter(partitions)
            return walk.filteredBeam(from: start, ef: request.ef, evaluationsMax: evaluationsMax, filter: filter)
                .map { collect($0, k: request.k, filter: filter) }
        case .keys(let keys):
            let filter = KeyFilter(keys: keys)
            return walk.filteredBeam(from: start, ef: request.ef, evaluationsMax: evaluationsMax, filter: filter)
                .map { collect($0, k: request.k, filter: filter) }
        }
    }

    /// The best `k` keys of a pool and of its slots' twins, as far as the catalog still holds them.
    private func collect(_ pool: BeamPool, k: Int, filter: some SlotFilter) -> [Neighbor] {
        readCatalog { catalog in
            var top = TopResults(k: k)
            for position in 0..<pool.count {
                let candidate = pool.base[position]
                // Equally near ones may have lower keys.
                if candidate.distance > top.bound { break }
                var slot = candidate.slot
                var steps = 0
                while slot != CK_NO_SLOT && steps <= TwinChain.stepsMax {
                    if filter.allows(view.key(slot)) && catalog.holds(slot, in: view) {
                        top.offer(distance: candidate.distance, key: view.key(slot))
                    }
                    slot = view.twin(slot)
                    steps += 1
                }
            }
            return top.sorted()
        }
    }
}

struct EveryKey: SlotFilter {
    func allows(_ key: UInt64) -> Bool { true }
}

struct PartitionFilter: SlotFilter {
    private let only: UInt32?
    private let partitions: Set<UInt32>

    init(_ partitions: Set<UInt32>) {
        self.partitions = partitions
        only = partitions.count == 1 ? partitions.first : nil
    }

    @inline(__always)
    func allows(_ key: UInt64) -> Bool {
        let partition = UInt32(truncatingIfNeeded: key >> 32)
        if let only { return partition == only }
        return partitions.contains(partition)
    }
}

struct KeyFilter: SlotFilter {
    let keys: KeySet

    @inline(__always)
    func allows(_ key: UInt64) -> Bool { keys.contains(key) }
}
