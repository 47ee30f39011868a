import Testing
import VectorIndex

@Suite("Changing an index")
struct ChangeTests {
    @Test("an update moves a key, a deletion takes it out, both are seen at once")
    func basics() throws {
        try withTemporaryDirectory { directory in
            let index = try IndexWriter.open(directory: directory, parameters: parameters(2))
            try index.upsert(1, [1, 0])
            try index.upsert(2, [0, 1])
            #expect(try index.search([1, 0.1], k: 1).map(\.key) == [1])
            try index.upsert(1, [-1, 0])
            #expect(try index.search([1, 0.1], k: 1).map(\.key) == [2])
            #expect(index.count == 2)
            #expect(try index.delete(2))
            #expect(try !index.delete(2))
            #expect(!index.contains(2) && index.contains(1))
            #expect(try index.search([1, 0.1], k: 5).map(\.key) == [1])
            #expect(try index.delete(1))
            #expect(try index.search([1, 0.1], k: 5).isEmpty)
            try index.upsert(1, [1, 1])
            #expect(try index.search([1, 0.1], k: 5).map(\.key) == [1])
        }
    }

    @Test("of a key that is twice in a batch the last vector counts")
    func duplicateInBatch() throws {
        try withTemporaryDirectory { directory in
            let index = try IndexWriter.open(directory: directory, parameters: parameters(2))
            try index.upsert(keys: [1, 2, 1], vectors: [1, 0, 0, 1, -1, 0])
            #expect(index.count == 2)
            #expect(try index.search([-1, 0], k: 1).map(\.key) == [1])
        }
    }

    @Test("random changes leave what a dictionary would hold", arguments: [UInt64(1), 2, 3, 4], Metric.allCases)
    func againstModel(seed: UInt64, metric: Metric) throws {
        // A failure names the arguments, which reproduce it.
        var generator = SeededGenerator(seed)
        let dimension = [1, 3, 8, 17][Int(seed) % 4]
        // Few different vectors on even seeds: most are then equal to others, and twins come and go.
        let palette = (0..<(seed % 2 == 0 ? 6 : 5_000)).map { _ in generator.vector(dimension) }
        try withTemporaryDirectory { directory in
            var index = try IndexWriter.open(
                directory: directory,
                parameters: parameters(dimension, metric: metric, m: 4, efConstruction: 40)
            )
            var model = ModelIndex(metric: metric)
            var hits = Hits()
            for step in 0..<900 {
                let key = UInt64(generator.below(3)) << 32 | UInt64(generator.below(60))
                switch generator.below(10) {
                case 0:
                    let keys = (0...generator.below(12)).map { _ in
                        UInt64(generator.below(3)) << 32 | UInt64(generator.below(60))
                    }
                    let vectors = keys.map { _ in palette[generator.below(palette.count)] }
                    try index.upsert(keys: keys, vectors: vectors.flatMap { $0 })
                    for (key, vector) in zip(keys, vectors) { model.vectors[key] = vector }
                case 1..<6:
                    let vector = palette[generator.below(palette.count)]
                    try index.upsert(key, vector)
                    model.vectors[key] = vector
                case 6..<9:
                    #expect(try index.delete(key) == (model.vectors.removeValue(forKey: key) != nil))
                default: try index.flush()
                }
                if step % 30 == 0 { try compare(index, model, &generator, dimension, &hits) }
                if step % 300 == 299 {
                    try index.flush()
                    index.close()
                    index = try IndexWriter.open(directory: directory, parameters: index.parameters)
                    try compare(index, model, &generator, dimension, &hits)
                    #expect(try IndexVerifier.verify(directory: directory).problems == [])
                }
            }
            // Under the inner product short vectors are nobody's neighbours, and a walk may miss them.
            #expect(Double(hits.found) >= (metric == .dot ? 0.7 : 0.98) * Double(hits.expected), "\(hits)")
        }
    }

    /// What walks found of what they should have.
    private struct Hits {
        var found = 0
        var expected = 0
    }

    private func compare(
        _ index: IndexWriter,
        _ model: ModelIndex,
        _ generator: inout SeededGenerator,
        _ dimension: Int,
        _ hits: inout Hits
    ) throws {
        #expect(index.count == model.vectors.count)
        let query = generator.vector(dimension)
        let k = 1 + generator.below(20)
        let all = model.search(query, k: k)
        #expect(agree(try index.search(query, k: k, plan: .exact), all))
        let one = model.search(query, k: k) { $0 >> 32 == 1 }
        #expect(agree(try index.search(query, k: k, allowed: .partitions([1]), plan: .exact), one))
        for (allowed, truth) in [(AllowedKeys.all, all), (.partitions([1]), one)] {
            let found = try index.search(query, k: k, ef: 100, allowed: allowed, plan: .graph)
            #expect(found.count == truth.count)
            let scores = Set(truth.map { ($0.score * 1e4).rounded() })
            hits.found += found.count { scores.contains(($0.score * 1e4).rounded()) }
            hits.expected += truth.count
        }
        for key in model.vectors.keys.prefix(5) { #expect(index.contains(key)) }
    }

    @Test("ten times as many changes as rows leave recall, size and reachability as in a fresh build")
    func churn() throws {
        let dimension = 16
        let live = 600
        let pool = clusteredVectors(live * 11, dimension: dimension, clusters: 40, seed: 21)
        func vector(_ row: Int) -> [Float] { Array(pool[row * dimension..<(row + 1) * dimension]) }
        try withTemporaryDirectory { directory in
            let old = try IndexWriter.open(directory: directory + "/old", parameters: parameters(dimension))
            try old.upsert(keys: (0..<UInt64(live)).map { $0 }, vectors: Array(pool[..<(live * dimension)]))
            try old.checkpoint()
            let before = old.statistics
            var generator = SeededGenerator(22)
            // Half replaced by others, half given another vector.
            var keys = (0..<UInt64(live)).map { $0 }
            var rows = Array(0..<live)
            for row in live..<live * 11 {
                let place = generator.below(live)
                if row % 2 == 0 {
                    try old.delete(keys[place])
                    keys[place] = UInt64(row)
                }
                try old.upsert(keys[place], vector(row))
                rows[place] = row
            }
            try old.checkpoint()
            let fresh = try IndexWriter.open(directory: directory + "/fresh", parameters: parameters(dimension))
            try fresh.upsert(keys: keys, vectors: rows.flatMap(vector))
            let queries = (0..<100).map { _ in vector(generator.below(live * 11)).map { $0 + 0.3 * generator.normal() }
            }
            let truth = try queries.map { try fresh.search($0, k: 10, plan: .exact) }
            #expect(try queries.map { try old.search($0, k: 10, plan: .exact) } == truth)
            let oldRecall = recall(try queries.map { try old.search($0, k: 10, ef: 20, plan: .graph) }, truth)
            let freshRecall = recall(try queries.map { try fresh.search($0, k: 10, ef: 20, plan: .graph) }, truth)
            #expect(oldRecall >= freshRecall - 0.01, "fresh \(freshRecall)")
            #expect(Double(old.statistics.slotCount) <= 1.3 * Double(before.slotCount))
            #expect(Double(old.statistics.checkpointBytes) <= 1.3 * Double(before.checkpointBytes))
            let report = try IndexVerifier.verify(directory: directory + "/old")
            #expect(report.problems == [])
            #expect(report.reachableShare == 1)
        }
    }

    @Test("thousands of equal vectors stay one node of the graph, are all found, and leave one by one")
    func twins() throws {
        try withTemporaryDirectory { directory in
            let index = try IndexWriter.open(directory: directory, parameters: parameters(4))
            var generator = SeededGenerator(31)
            for key in 0..<50 { try index.upsert(UInt64(key), generator.vector(4)) }
            for key in 100..<900 { try index.upsert(UInt64(key), [1, 2, 3, 4]) }
            var statistics = SearchStatistics()
            let found = try index.search([1, 2, 3, 4], k: 800, plan: .graph, statistics: &statistics)
            #expect(found.map(\.key) == (100..<900).map { UInt64($0) })
            #expect(statistics.distanceEvaluations < 100 && !statistics.wasExact)
            // Heads go, twins go, in any order; the rest stays findable.
            var left = Array(100..<900).map { UInt64($0) }
            while left.count > 1 {
                try index.delete(left.remove(at: generator.below(left.count)))
                if left.count % 100 == 1 {
                    let found = try index.search([1, 2, 3, 4], k: left.count, plan: .graph)
                    #expect(Set(found.map(\.key)) == Set(left))
                    try index.flush()
                    #expect(try IndexVerifier.verify(directory: directory).problems == [])
                }
            }
            #expect(try index.search([1, 2, 3, 4], k: 1, plan: .graph).map(\.key) == left)
        }
    }

    @Test("an index that lost most of its keys gives their room back at the next checkpoint")
    func compaction() throws {
        try withTemporaryDirectory { directory in
            let index = try IndexWriter.open(directory: directory, parameters: parameters(4, m: 4, efConstruction: 20))
            let vectors = clusteredVectors(3_000, dimension: 4, clusters: 30, seed: 61)
            // A tenth are equal vectors, so that chains are renumbered too.
            for key in 0..<3_000 {
                let row = key % 10 == 0 ? 7 : key
                try index.upsert(UInt64(key), Array(vectors[row * 4..<(row + 1) * 4]))
            }
            try index.checkpoint()
            let full = index.statistics
            for key in 0..<3_000 where key % 10 > 1 { try index.delete(UInt64(key)) }
            let queries = (0..<20).map { Array(vectors[$0 * 40..<$0 * 40 + 4]) }
            let before = try queries.map { try index.search($0, k: 30, plan: .exact) }
            try index.checkpoint()
            #expect(index.statistics.slotCount == 600)
            #expect(index.statistics.checkpointBytes < full.checkpointBytes / 3)
            #expect(try queries.map { try index.search($0, k: 30, plan: .exact) } == before)
            #expect(recall(try queries.map { try index.search($0, k: 30, plan: .graph) }, before) > 0.97)
            try index.upsert(5_000, [1, 2, 3, 4])
            try index.delete(10)
            try index.flush()
            let reader = try IndexReader.open(directory: directory, identity: "test")
            #expect(reader.count == 600 && reader.contains(5_000) && !reader.contains(10))
            #expect(try IndexVerifier.verify(directory: directory).problems == [])
        }
    }
}
