import Dispatch
import Synchronization
import Testing
import VectorIndex

@Suite("Searching while it changes")
struct ConcurrencyTests {
    @Test("searches on several threads always find keys that never change, while one thread changes the others")
    func searchesBesideChanges() throws {
        let dimension = 12
        let vectors = clusteredVectors(700, dimension: dimension, clusters: 20, seed: 41)
        @Sendable func vector(_ row: Int) -> [Float] { Array(vectors[row * dimension..<(row + 1) * dimension]) }
        try withTemporaryDirectory { directory in
            let index = try IndexWriter.open(
                directory: directory,
                parameters: parameters(dimension, m: 6, efConstruction: 40)
            )
            try index.upsert(keys: (0..<300).map { $0 }, vectors: Array(vectors[..<(300 * dimension)]))
            let isDone = Atomic<Bool>(false)
            let searches = Atomic<Int>(0)
            let failures = Mutex<[String]>([])
            DispatchQueue.concurrentPerform(iterations: 3) { thread in
                var generator = SeededGenerator(UInt64(thread))
                do {
                    if thread == 0 {
                        // Keys 300 to 399 come, change and go; 0 to 299 stay.
                        for step in 0..<1_500 {
                            let key = UInt64(300 + generator.below(100))
                            if step % 3 == 0 {
                                try index.delete(key)
                            } else {
                                try index.upsert(key, vector(300 + generator.below(400)))
                            }
                        }
                        isDone.store(true, ordering: .releasing)
                    }
                    repeat {
                        let row = generator.below(300)
                        let plan = SearchPlan.allCases[generator.below(3)]
                        let found = try index.search(vector(row), k: 5, ef: 50, plan: plan)
                        searches.add(1, ordering: .relaxed)
                        if found.count != 5 { failures.withLock { $0.append("\(found.count) results") } }
                        if Set(found.map(\.key)).count != found.count { failures.withLock { $0.append("a key twice") } }
                        if !found.contains(where: { $0.key == UInt64(row) && $0.score > 0.999 }) {
                            failures.withLock { $0.append("row \(row) not found by \(plan)") }
                        }
                    } while !isDone.load(ordering: .acquiring)
                } catch {
                    failures.withLock { $0.append("\(error)") }
                    isDone.store(true, ordering: .releasing)
                }
            }
            #expect(failures.withLock { $0 } == [])
            #expect(searches.load(ordering: .relaxed) > 0)
            try index.flush()
            #expect(try IndexVerifier.verify(directory: directory).problems == [])
        }
    }

    @Test("a reader refreshes while it is searched, through changes and new generations")
    func refreshBesideSearches() throws {
        let dimension = 8
        try withTemporaryDirectory { directory in
            var generator = SeededGenerator(43)
            let fixed = (0..<60).map { _ in generator.vector(dimension) }
            let index = try IndexWriter.open(
                directory: directory,
                parameters: parameters(dimension, m: 4, efConstruction: 30),
                options: IndexOptions(tailBytesMin: 30_000, tailShareMax: 0.2)
            )
            for (key, vector) in fixed.enumerated() { try index.upsert(UInt64(key), vector) }
            try index.flush()
            let reader = try IndexReader.open(directory: directory, identity: "test")
            let isDone = Atomic<Bool>(false)
            let failures = Mutex<[String]>([])
            DispatchQueue.concurrentPerform(iterations: 3) { thread in
                var generator = SeededGenerator(UInt64(thread))
                do {
                    if thread == 0 {
                        for step in 0..<60 {
                            for _ in 0..<10 {
                                let key = UInt64(100 + generator.below(60))
                                if step % 3 == 2 {
                                    try index.delete(key)
                                } else {
                                    try index.upsert(key, generator.vector(dimension))
                                }
                            }
                            try index.flush()
                            if try !reader.refresh() { failures.withLock { $0.append("nothing new at \(step)") } }
                        }
                        isDone.store(true, ordering: .releasing)
                    }
                    while !isDone.load(ordering: .acquiring) {
                        let key = generator.below(fixed.count)
                        let found = try reader.search(fixed[key], k: 3, ef: 200, plan: thread == 1 ? .graph : .exact)
                        if found.first?.key != UInt64(key) || found.count != 3 {
                            failures.withLock { $0.append("key \(key): \(found)") }
                        }
                    }
                } catch {
                    failures.withLock { $0.append("\(error)") }
                    isDone.store(true, ordering: .releasing)
                }
            }
            #expect(failures.withLock { $0 } == [])
            #expect(reader.statistics.generation > 1)
            #expect(reader.statistics == index.statistics)
        }
    }
}
