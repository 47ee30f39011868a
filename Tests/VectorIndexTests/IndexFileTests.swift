import Foundation
import Testing
import VectorIndex

@Suite("Index files")
struct IndexFileTests {
    private let dimension = 6

    /// Changes an index at random and notes in the model what it should hold.
    private func change(
        _ index: IndexWriter,
        _ model: inout ModelIndex,
        _ generator: inout SeededGenerator,
        _ steps: Int
    ) throws {
        for _ in 0..<steps {
            let key = UInt64(generator.below(2)) << 32 | UInt64(generator.below(80))
            if generator.below(4) == 0 {
                try index.delete(key)
                model.vectors[key] = nil
            } else {
                let vector = generator.below(5) == 0 ? [1, 2, 3, 4, 5, 6] : generator.vector(dimension)
                try index.upsert(key, vector)
                model.vectors[key] = vector
            }
        }
    }

    private func expect(
        _ index: IndexReader,
        equals model: ModelIndex,
        _ generator: inout SeededGenerator,
        _ location: SourceLocation = #_sourceLocation
    ) throws {
        #expect(index.count == model.vectors.count, sourceLocation: location)
        for plan in [SearchPlan.exact, .graph] {
            let query = generator.vector(dimension)
            let found = try index.search(query, k: 12, ef: 300, plan: plan)
            #expect(agree(found, model.search(query, k: 12)), "\(plan)", sourceLocation: location)
        }
    }

    @Test("what was flushed is there again, from checkpoint and tail, mapped or resident", arguments: Metric.allCases)
    func roundTrip(metric: Metric) throws {
        try withTemporaryDirectory { directory in
            var generator = SeededGenerator(51)
            var model = ModelIndex(metric: metric)
            for round in 0..<4 {
                let index = try IndexWriter.open(
                    directory: directory,
                    parameters: parameters(dimension, metric: metric, m: 4),
                    options: IndexOptions(residency: round % 2 == 0 ? .mapped : .resident)
                )
                for _ in 0..<3 {
                    try change(index, &model, &generator, 40)
                    try index.flush()
                }
                if round == 1 { try index.checkpoint() }
                for residency in IndexResidency.allCases {
                    let reader = try IndexReader.open(
                        directory: directory,
                        identity: "test",
                        options: IndexOptions(residency: residency)
                    )
                    try expect(reader, equals: model, &generator)
                }
                // Not flushed: lost, as told.
                try index.upsert(999, generator.vector(dimension))
                #expect(try !IndexReader.open(directory: directory, identity: "test").contains(999))
                index.close()
            }
        }
    }

    @Test("the reopened graph answers link for link like the one in memory")
    func sameGraph() throws {
        try withTemporaryDirectory { directory in
            let vectors = clusteredVectors(400, dimension: 6, clusters: 9, seed: 5)
            let index = try IndexWriter.open(directory: directory, parameters: parameters(6, m: 5))
            for row in 0..<400 {
                try index.upsert(UInt64(row), Array(vectors[row * 6..<(row + 1) * 6]))
                if row % 7 == 3 { try index.delete(UInt64(row - 3)) }
                if row % 50 == 0 { try index.flush() }
            }
            try index.flush()
            let reader = try IndexReader.open(directory: directory, identity: "test")
            for row in stride(from: 0, to: 400, by: 9) {
                let query = Array(vectors[row * 6..<(row + 1) * 6])
                var here = SearchStatistics()
                var there = SearchStatistics()
                let found = try index.search(query, k: 9, ef: 12, plan: .graph, statistics: &here)
                #expect(try reader.search(query, k: 9, ef: 12, plan: .graph, statistics: &there) == found)
                #expect(here == there)
            }
        }
    }

    @Test("a change costs its own size in the tail; a new generation comes when the tail is long, and the old one goes")
    func generations() throws {
        try withTemporaryDirectory { directory in
            let index = try IndexWriter.open(
                directory: directory,
                parameters: parameters(dimension, m: 4),
                options: IndexOptions(tailBytesMin: 40_000, tailShareMax: 0.25)
            )
            var generator = SeededGenerator(52)
            var model = ModelIndex(metric: .cosine)
            try change(index, &model, &generator, 100)
            try index.flush()
            let before = index.statistics
            #expect(before.generation == 1)
            try index.upsert(5_000, generator.vector(dimension))
            model.vectors[5_000] = nil
            try index.flush()
            #expect(index.statistics.tailBytes - before.tailBytes < 2_000)
            try index.delete(5_000)
            try index.flush()
            let unchanged = index.statistics
            try index.flush()
            #expect(index.statistics == unchanged)
            while index.statistics.generation < 4 {
                try change(index, &model, &generator, 20)
                try index.flush()
                #expect(index.statistics.tailBytes < 60_000)
            }
            #expect(try files(in: directory) == ["CURRENT", "checkpoint-4", "lock", "tail-4"])
            try expect(IndexReader.open(directory: directory, identity: "test"), equals: model, &generator)
        }
    }

    @Test("one writer at a time; its end, or its closing, frees the lock")
    func locking() throws {
        try withTemporaryDirectory { directory in
            var first: IndexWriter? = try IndexWriter.open(directory: directory, parameters: parameters(3))
            let second = { _ = try IndexWriter.open(directory: directory, parameters: parameters(3)) }
            #expect(try errorCode(second) == .locked)
            first?.close()
            #expect(try errorCode { try first?.upsert(1, [1, 2, 3]) } == .closed)
            #expect(try errorCode(second) == nil)
            first = try IndexWriter.open(directory: directory, parameters: parameters(3))
            #expect(try errorCode(second) == .locked)
            first = nil
            #expect(try errorCode(second) == nil)
        }
    }

    @Test("an index opens only with its own model, dimension, metric and links")
    func mismatches() throws {
        try withTemporaryDirectory { directory in
            #expect(try errorCode { _ = try IndexReader.open(directory: directory, identity: "test") } == .notFound)
            #expect(try errorCode { _ = try IndexVerifier.verify(directory: directory) } == .notFound)
            _ = try IndexWriter.open(directory: directory, parameters: parameters(3))
            func code(_ other: IndexParameters) throws -> VectorIndexError.Code? {
                try errorCode { _ = try IndexWriter.open(directory: directory, parameters: other) }
            }
            #expect(try code(parameters(3, identity: "other")) == .identityMismatch)
            #expect(
                try errorCode { _ = try IndexReader.open(directory: directory, identity: "x") } == .identityMismatch
            )
            #expect(try code(parameters(4)) == .parameterMismatch)
            #expect(try code(parameters(3, metric: .l2)) == .parameterMismatch)
            #expect(try code(parameters(3, m: 8)) == .parameterMismatch)
            #expect(try code(parameters(3, efConstruction: 300)) == nil)
        }
    }

    @Test("a reader sees a flush after a refresh, across new generations, and goes on searching meanwhile")
    func refreshing() throws {
        try withTemporaryDirectory { directory in
            let index = try IndexWriter.open(
                directory: directory,
                parameters: parameters(dimension, m: 4),
                options: IndexOptions(tailBytesMin: 20_000, tailShareMax: 0.1)
            )
            let reader = try IndexReader.open(directory: directory, identity: "test")
            #expect(try !reader.refresh())
            var generator = SeededGenerator(53)
            var model = ModelIndex(metric: .cosine)
            for _ in 0..<25 {
                let before = model
                try change(index, &model, &generator, 15)
                #expect(try !reader.refresh())
                try expect(reader, equals: before, &generator)
                try index.flush()
                #expect(try reader.refresh())
                #expect(try !reader.refresh())
                try expect(reader, equals: model, &generator)
            }
            #expect(reader.statistics.generation > 2)
            #expect(reader.statistics == index.statistics)
        }
    }

    @Test("a torn last change does not count, wherever it is torn, and the writer goes on from before it")
    func tornTail() throws {
        try withTemporaryDirectory { directory in
            let index = try IndexWriter.open(directory: directory, parameters: parameters(dimension, m: 4))
            for key in 0..<12 { try index.upsert(UInt64(key), [Float](repeating: Float(key), count: 5) + [1]) }
            try index.flush()
            let kept = index.statistics.tailBytes
            try index.upsert(77, [6, 5, 4, 3, 2, 1])
            try index.flush()
            index.close()
            let whole = try bytes(directory + "/tail-1")
            #expect(whole.count > kept)
            let reader = try IndexReader.open(directory: directory, identity: "test")
            #expect(reader.count == 13)
            for end in kept..<whole.count {
                // Cut short; or of full length but never written.
                for torn in [Array(whole[..<end]), whole[..<end] + [UInt8](repeating: 0, count: whole.count - end)] {
                    if torn == whole { continue }
                    try write(torn, to: directory + "/tail-1")
                    #expect(try IndexReader.open(directory: directory, identity: "test").count == 12, "cut at \(end)")
                }
            }
            try write(Array(whole[..<(whole.count - 1)]), to: directory + "/tail-1")
            let again = try IndexWriter.open(directory: directory, parameters: parameters(dimension, m: 4))
            #expect(again.count == 12 && !again.contains(77))
            #expect(again.statistics.tailBytes == kept)
            try again.upsert(78, [1, 1, 1, 1, 1, 2])
            try again.flush()
            #expect(try IndexReader.open(directory: directory, identity: "test").contains(78))
        }
    }

    @Test("damage before the last change is an error, also when it hits a length")
    func damagedMiddle() throws {
        try withTemporaryDirectory { directory in
            let index = try IndexWriter.open(directory: directory, parameters: parameters(dimension, m: 4))
            var ends: [Int] = [index.statistics.tailBytes]
            for key in 0..<3 {
                try index.upsert(UInt64(key), [1, 2, 3, 4, 5, Float(key)])
                try index.flush()
                ends.append(index.statistics.tailBytes)
            }
            index.close()
            let whole = try bytes(directory + "/tail-1")
            for position in 0..<ends[2] {
                var damaged = whole
                damaged[position] ^= 0x55
                try write(damaged, to: directory + "/tail-1")
                let code = try errorCode { _ = try IndexReader.open(directory: directory, identity: "test") }
                #expect(code == .corrupt, "byte \(position)")
            }
        }
    }

    @Test("a reader that has seen a good state keeps it when the next change is damaged")
    func damageSeenByRefresh() throws {
        try withTemporaryDirectory { directory in
            let index = try IndexWriter.open(directory: directory, parameters: parameters(3))
            try index.upsert(1, [1, 2, 3])
            try index.flush()
            let reader = try IndexReader.open(directory: directory, identity: "test")
            let kept = index.statistics.tailBytes
            for key in 2..<4 {
                try index.upsert(UInt64(key), [3, 2, Float(key)])
                try index.flush()
            }
            index.close()
            let whole = try bytes(directory + "/tail-1")
            var damaged = whole
            damaged[kept + 40] ^= 1
            try write(damaged, to: directory + "/tail-1")
            #expect(try errorCode { try reader.refresh() } == .corrupt)
            #expect(try reader.search([1, 2, 3], k: 3).map(\.key) == [1])
            try write(whole, to: directory + "/tail-1")
            #expect(try reader.refresh())
            #expect(reader.count == 3)
        }
    }
}
