import Testing
import VectorIndex

@Suite("Searching")
struct SearchTests {
    private func withIndex<T>(
        _ dimension: Int,
        metric: Metric = .cosine,
        _ body: (IndexWriter) throws -> T
    ) throws -> T {
        try withTemporaryDirectory { directory in
            try body(IndexWriter.open(directory: directory, parameters: parameters(dimension, metric: metric)))
        }
    }

    @Test("gives the score of each metric, nearest first", arguments: Metric.allCases)
    func metrics(metric: Metric) throws {
        try withIndex(2, metric: metric) { index in
            try index.upsert(1, [3, 0])
            try index.upsert(2, [0, 2])
            try index.upsert(3, [1, 1])
            let found = try index.search([2, 0], k: 3)
            switch metric {
            case .cosine:
                #expect(found.map(\.key) == [1, 3, 2])
                #expect(abs(found[1].score - 0.5.squareRoot().float) < 1e-6)
                #expect(found[0].score == 1 && found[2].score == 0)
            case .dot: #expect(found == [.init(key: 1, score: 6), .init(key: 3, score: 2), .init(key: 2, score: 0)])
            case .l2: #expect(found == [.init(key: 1, score: -1), .init(key: 3, score: -2), .init(key: 2, score: -8)])
            }
        }
    }

    @Test("of equally near ones the lower key comes first, by every plan", arguments: SearchPlan.allCases)
    func ties(plan: SearchPlan) throws {
        try withIndex(4) { index in
            // Two directions, twenty keys each, in falling order; the graph knows two heads with twins.
            for key in (0..<40).reversed() {
                try index.upsert(UInt64(key), key % 2 == 0 ? [1, 2, 3, 4] : [4, 3, 2, 1])
            }
            let found = try index.search([1, 2, 3, 4], k: 23, plan: plan)
            #expect(found.map(\.key) == (0..<20).map { $0 * 2 } + [1, 3, 5])
            let batch = try index.search(
                batch: [Float](repeating: 0, count: 4 * 5).enumerated().map { Float($0.0 % 4 + 1) },
                k: 23,
                plan: plan
            )
            #expect(batch == [[Neighbor]](repeating: found, count: 5))
        }
    }

    @Test("an empty index, k of 0 and a filter that nothing passes give no results")
    func nothing() throws {
        try withIndex(3) { index in
            #expect(try index.search([1, 2, 3], k: 5).isEmpty)
            #expect(try index.search(batch: [1, 2, 3, 1, 2, 3], k: 5) == [[], []])
            try index.upsert(9, [1, 2, 3])
            #expect(try index.search([1, 2, 3], k: 0).isEmpty)
            #expect(try index.search([1, 2, 3], k: 5, allowed: .keys(KeySet([]))).isEmpty)
            for plan in SearchPlan.allCases {
                #expect(try index.search([1, 2, 3], k: .max, plan: plan).map(\.key) == [9])
                #expect(try index.search(batch: [1, 2, 3], k: .max, plan: plan).map { $0.map(\.key) } == [[9]])
            }
        }
    }

    @Test("refuses what can't be compared, and says why")
    func refusals() throws {
        try withIndex(3) { index in
            try index.upsert(1, [1, 2, 3])
            func code(_ body: () throws -> Void) -> VectorIndexError.Code? {
                do { try body() } catch { return (error as? VectorIndexError)?.code }
                return nil
            }
            let unusable: [[Float]] = [[.nan, 0, 0], [0, .infinity, 0], [0, 0, -Float.infinity], [3e38, 3e38, 0]]
            for bad in unusable {
                #expect(code { try index.upsert(2, bad) } == .notFinite)
                #expect(code { _ = try index.search(bad, k: 1) } == .notFinite)
            }
            #expect(code { try index.upsert(2, [0, 0, 0]) } == .zeroVector)
            #expect(code { _ = try index.search([0, 0, 0], k: 1) } == .zeroVector)
            #expect(code { try index.upsert(2, [1, 2]) } == .dimensionMismatch)
            #expect(code { try index.upsert(2, []) } == .dimensionMismatch)
            #expect(code { _ = try index.search([1, 2, 3, 4], k: 1) } == .dimensionMismatch)
            #expect(code { _ = try index.search(batch: [1, 2, 3, 4], k: 1) } == .dimensionMismatch)
            #expect(code { _ = try index.search([1, 2, 3], k: -1) } == .invalidParameter)
            #expect(code { _ = try index.search([1, 2, 3], k: 1, ef: 0) } == .invalidParameter)
            // A batch is taken whole or not at all.
            #expect(code { try index.upsert(keys: [5, 6], vectors: [1, 2, 3, 0, 0, 0]) } == .zeroVector)
            #expect(index.count == 1 && !index.contains(5))
        }
    }

    @Test("vectors too short for their squares keep their direction under cosine")
    func tinyVectors() throws {
        try withIndex(2) { index in
            try index.upsert(1, [1e-30, 0])
            try index.upsert(2, [0, 1e-38])
            let found = try index.search([3e-25, 1e-25], k: 2)
            #expect(found.map(\.key) == [1, 2])
            #expect(abs(found[0].score - 0.948_683_3) < 1e-6)
        }
    }

    @Test("zero vectors are points like others under dot and l2", arguments: [Metric.dot, .l2])
    func zeroVectors(metric: Metric) throws {
        try withIndex(2, metric: metric) { index in
            try index.upsert(1, [0, 0])
            try index.upsert(2, [1, 1])
            #expect(try index.search([0, 0], k: 2).map(\.key) == [1, 2])
        }
    }

    @Test("parameters out of range are refused")
    func parameterRanges() throws {
        try withTemporaryDirectory { directory in
            for bad in [
                parameters(0), parameters(70_000), parameters(3, m: 1), parameters(3, m: 65),
                parameters(3, efConstruction: 2), parameters(3, identity: String(repeating: "x", count: 1_025)),
            ] {
                #expect(throws: VectorIndexError(.invalidParameter, "")) {
                    try IndexWriter.open(directory: directory, parameters: bad)
                }
            }
        }
    }

    @Test("the same seed and order give the same graph, file for file")
    func determinism() throws {
        let vectors = clusteredVectors(300, dimension: 8, clusters: 10, seed: 3)
        func build(_ directory: String) throws -> [UInt8] {
            let writer = try IndexWriter.open(directory: directory, parameters: parameters(8))
            try writer.upsert(keys: (0..<300).map { $0 }, vectors: vectors)
            for key in stride(from: UInt64(0), to: 300, by: 3) { try writer.delete(key) }
            try writer.checkpoint()
            return try bytes("\(directory)/checkpoint-2")
        }
        let first = try withTemporaryDirectory(build)
        #expect(try withTemporaryDirectory(build) == first)
    }

    @Test("several threads build an index as good as one")
    func parallelBuild() throws {
        let vectors = clusteredVectors(1_500, dimension: 16, clusters: 30, seed: 4)
        try withIndex(16) { index in
            try index.upsert(keys: (0..<1_500).map { $0 }, vectors: vectors, threads: 4)
            #expect(index.count == 1_500)
            let queries = stride(from: 0, to: 1_500, by: 50).map { Array(vectors[$0 * 16..<($0 + 1) * 16]) }
            let found = try queries.map { try index.search($0, k: 10, ef: 64, plan: .graph) }
            let truth = try queries.map { try index.search($0, k: 10, plan: .exact) }
            #expect(recall(found, truth) >= 0.98)
        }
    }
}

extension Double {
    fileprivate var float: Float { Float(self) }
}

@Suite("Key sets")
struct KeySetTests {
    @Test("sort, drop duplicates and answer membership")
    func membership() {
        var generator = SeededGenerator(8)
        for size in [0, 1, 2, 3, 50, 1_000] {
            let keys = (0..<size).map { _ in generator.next() % 2_000 }
            let set = KeySet(keys)
            #expect(set.sorted == Set(keys).sorted())
            for key in UInt64(0)..<2_000 { #expect(set.contains(key) == keys.contains(key)) }
        }
        #expect(KeySet([1, 2, 3]).sorted == [1, 2, 3])
    }
}
