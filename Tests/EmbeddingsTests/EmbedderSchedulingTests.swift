import TestSupport
import Testing

@testable import Embeddings

@Suite("Scheduling of the transformer")
struct EmbedderSchedulingTests {
    @Test("blocks hold similar lengths and at most the bound, every text once", arguments: [1, 2, 8])
    func plan(threads: Int) {
        var generator = SeededGenerator(seed: testSeed)
        for count in [1, 2, 31, 400] {
            let lengths = (0..<count).map { _ in Int.random(in: 2...256, using: &generator) }
            let plan = EncodingPlan(lengths, threads: threads)
            #expect(plan.blocks.flatMap { $0 }.sorted() == Array(0..<count))
            for block in plan.blocks {
                let tokens = block.reduce(0) { $0 + lengths[$1] }
                #expect(block.count == 1 || tokens <= EncodingPlan.blockTokens)
            }
            let order = plan.blocks.flatMap { $0 }.map { lengths[$0] }
            #expect(order == order.sorted(by: >))
        }
        // Little work is still shared between the threads.
        #expect(EncodingPlan([Int](repeating: 15, count: 32), threads: 2).blocks.count == 2)
        #expect(EncodingPlan([15, 15], threads: 8).blocks.count == 1)
    }

    @Test("a query passes a long bulk call")
    func queryPassesBulk() async throws {
        let embedder = try RealModel.oneThread.get()
        let texts = (0..<60).map { "\($0) " + String(repeating: "a long description of a package ", count: 40) }
        let isDone = Guarded(false)
        let hasBegun = Guarded(false)
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask {
                hasBegun.value = true
                _ = try await embedder.embed(texts, priority: .bulk)
                isDone.value = true
            }
            try await eventually { hasBegun.value }
            _ = try await embedder.embed(["a short query"], priority: .interactive)
            #expect(!isDone.value)
            group.cancelAll()
            do { try await group.waitForAll() } catch is CancellationError {}
        }
    }

    @Test("cancelling a bulk call drops its remaining blocks")
    func cancellation() async throws {
        let pool = ComputePool(threads: 1)
        let embedder = try TransformerEmbedder.load(directory: RealModel.directory, pool: pool)
        let texts = (0..<2_000).map { "\($0) " + String(repeating: "word ", count: 100) }
        let task = Task { try await embedder.embed(texts, priority: .bulk) }
        try await eventually { pool.load.running > 0 }
        task.cancel()
        await #expect(throws: CancellationError.self) { try await task.value }
        try await eventually { pool.load == ComputeLoad(waitingInteractive: 0, waitingBulk: 0, running: 0) }
        #expect(try await embedder.embed(["still alive"], priority: .interactive).count == 1)
    }

    @Test("too long texts are refused by position when asked")
    func refusal() async throws {
        let embedder = try RealModel.twoThreads.get()
        let long = String(repeating: "the ", count: 255)
        do {
            _ = try await embedder.encode(["short", long], overlong: .refuse, priority: .bulk)
            Issue.record("took a text of 257 tokens")
        } catch let error as EmbeddingsError {
            #expect(error.code == .textTooLong)
            #expect(error.message == "text 1 has more than 254 tokens")
        }
        let exact = String(repeating: "the ", count: 254)
        #expect(try await embedder.encode([exact], overlong: .refuse, priority: .bulk).tokenCounts == [256])
    }

    @Test("many callers at once get their own vectors")
    func concurrency() async throws {
        let embedder = try RealModel.twoThreads.get()
        let words = ["iron", "gold", "helium", "oxygen", "lead", "tin", "zinc", "neon"]
        var alone: [[Float]] = []
        for word in words { alone += try await embedder.embed([word], priority: .bulk) }
        try await withThrowingTaskGroup(of: (Int, [Float]).self) { group in
            for number in 0..<64 {
                group.addTask {
                    let priority: EmbeddingPriority = number.isMultiple(of: 2) ? .interactive : .bulk
                    return (number % 8, try await embedder.embed([words[number % 8]], priority: priority)[0])
                }
            }
            for try await (number, vector) in group { #expect(maxDifference(vector, alone[number]) <= 2e-6) }
        }
    }
}
