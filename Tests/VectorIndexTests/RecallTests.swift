import Testing
import VectorIndex

/// Searches in an index large enough that the graph matters; built once.
@Suite("Recall")
struct RecallTests {
    private static let count = 5_000
    private static let dimension = 48
    private static let vectors = clusteredVectors(count, dimension: dimension, clusters: 60, seed: 11)
    private static func key(_ row: Int) -> UInt64 { UInt64(row % 5) << 32 | UInt64(row) }

    /// Its files are gone when this returns; searches need none.
    private static let index = Result {
        try withTemporaryDirectory { directory in
            let writer = try IndexWriter.open(
                directory: directory,
                parameters: parameters(dimension, efConstruction: 200)
            )
            try writer.upsert(keys: (0..<count).map(key), vectors: vectors, threads: 2)
            return writer
        }
    }

    private static func queries(_ count: Int, seed: UInt64) -> [[Float]] {
        var generator = SeededGenerator(seed)
        return (0..<count).map { _ in
            let row = generator.below(Self.count) * dimension
            return vectors[row..<row + dimension].map { $0 + 0.5 * generator.normal() }
        }
    }

    @Test("the graph finds 98 % of the true ten nearest of 5,000, by at most 1,500 distances a query")
    func graph() throws {
        let index = try Self.index.get()
        var statistics = SearchStatistics()
        let queries = Self.queries(100, seed: 1)
        let found = try queries.map { try index.search($0, k: 10, ef: 100, plan: .graph, statistics: &statistics) }
        let truth = try queries.map { try index.search($0, k: 10, plan: .exact) }
        #expect(recall(found, truth) >= 0.98)
        #expect(!statistics.wasExact)
        #expect(statistics.distanceEvaluations <= 1_500 * queries.count)
    }

    @Test("exact search is what the plainest loop finds")
    func exact() throws {
        let index = try Self.index.get()
        var model = ModelIndex(metric: .cosine)
        for row in 0..<Self.count {
            model.vectors[Self.key(row)] = Array(Self.vectors[row * Self.dimension..<(row + 1) * Self.dimension])
        }
        for query in Self.queries(3, seed: 2) {
            #expect(agree(try index.search(query, k: 25, plan: .exact), model.search(query, k: 25)))
        }
    }

    @Test("a batch gives what its queries give one by one, on the graph and by matrix products")
    func batch() throws {
        let index = try Self.index.get()
        let queries = Self.queries(70, seed: 3)
        for plan in [SearchPlan.exact, .graph] {
            let together = try index.search(batch: queries.flatMap { $0 }, k: 7, plan: plan)
            #expect(together == (try queries.map { try index.search($0, k: 7, plan: plan) }))
        }
        let some = AllowedKeys.partitions([1, 3])
        let together = try index.search(batch: queries.flatMap { $0 }, k: 7, allowed: some)
        #expect(together == (try queries.map { try index.search($0, k: 7, allowed: some) }))
        #expect(try index.search(batch: [], k: 7).isEmpty)
    }

    @Test("filtered walks keep to the filter and find 95 % of what passes it")
    func filteredGraph() throws {
        let index = try Self.index.get()
        let keys = KeySet((0..<Self.count).filter { $0 % 10 < 3 }.map(Self.key))
        for allowed in [AllowedKeys.partitions([2]), .partitions([0, 4]), .keys(keys)] {
            let queries = Self.queries(30, seed: 4)
            let found = try queries.map { try index.search($0, k: 10, ef: 60, allowed: allowed, plan: .graph) }
            let truth = try queries.map { try index.search($0, k: 10, allowed: allowed, plan: .exact) }
            #expect(recall(found, truth) >= 0.95)
            for neighbor in found.joined() { #expect(allows(allowed, neighbor.key)) }
        }
    }

    private func allows(_ allowed: AllowedKeys, _ key: UInt64) -> Bool {
        switch allowed {
        case .all: true
        case .partitions(let partitions): partitions.contains(UInt32(key >> 32))
        case .keys(let keys): keys.contains(key)
        }
    }

    @Test("never fewer than k or than pass, however narrow the filter, the search and the plan")
    func neverFewer() throws {
        let index = try Self.index.get()
        let query = Self.queries(1, seed: 5)[0]
        for plan in SearchPlan.allCases {
            for size in [0, 1, 2, 9, 10, 11, 300] {
                let keys = (0..<size).map { Self.key($0 * 16) }
                let allowed = AllowedKeys.keys(KeySet(keys + [1 << 60]))
                let found = try index.search(query, k: 10, ef: 1, allowed: allowed, plan: plan)
                #expect(found.count == min(10, size))
                #expect(Set(found.map(\.key)).isSubset(of: keys))
            }
            #expect(try index.search(query, k: 10, allowed: .partitions([]), plan: plan).isEmpty)
            #expect(try index.search(query, k: 10, allowed: .partitions([77]), plan: plan).isEmpty)
            #expect(try index.search(query, k: 6_000, plan: plan).count == Self.count)
        }
    }
}
