import Domain
import Outbound
import TestSupport
import Testing

@testable import Airtable

@Suite("Calls to the hosted service wait their turn")
struct HostedQueueTests {
    private let base = HostedBench.base

    @Test("a hundred callers at once: nobody meets the limit, and all are served in little more than its own time")
    func hundredCallers() throws {
        var generator = SeededGenerator(seed: 7)
        let jitter = (0..<200).map { _ in Int.random(in: 0..<40, using: &generator) }
        let bench = try HostedBench(latency: { (.milliseconds(20 + jitter[$0]), .milliseconds(jitter[$0] * 9)) })
        let ids = bench.seed(100)
        let last = try bench.time.run {
            try await withThrowingTaskGroup(of: RecordID.self) { group in
                for (number, id) in ids.enumerated() {
                    group.addTask {
                        let call = bench.call("caller \(number)")
                        return try await bench.client.record(id, of: HostedBench.things, in: base, call).id
                    }
                }
                return Set(try await group.reduce(into: []) { $0.append($1) })
            }
        }
        #expect(last == Set(ids))
        #expect(bench.upstream.refusals == 0)
        #expect(bench.arrivalsPerSecondMax <= 5)
        let floor = Duration.seconds(100 / 5 - 1)
        #expect(bench.time.elapsed >= floor)
        #expect(bench.time.elapsed <= floor * 1.1, "\(bench.time.elapsed)")
    }

    @Test("a token's own limit holds over all bases together")
    func tokenLimit() throws {
        let bench = try HostedBench()
        let bases = try (0..<26).map { number in
            let letter = Character(UnicodeScalar(UInt8(ascii: "A") + UInt8(number)))
            return try #require(BaseID("app" + String(repeating: letter, count: 14)))
        }
        let tables = try #require(bench.upstream.snapshot.tables[base.description])
        for base in bases { bench.upstream.add(base: base.description, name: "B", tables) }
        try bench.time.run {
            try await withThrowingTaskGroup(of: Void.self) { group in
                for base in bases {
                    for page in 1...8 {
                        group.addTask {
                            var listing = HostedListing()
                            listing.pageSize = page
                            _ = try await bench.client.page(listing, of: HostedBench.things, in: base, bench.call())
                        }
                    }
                }
                try await group.waitForAll()
            }
        }
        #expect(bench.upstream.arrivals.count == 26 * 8)
        #expect(bench.arrivalsPerSecondMax == 50)
        #expect(bench.upstream.refusals == 0)
    }

    @Test("callers take turns: one with a single call does not wait for another's hundred")
    func fair() throws {
        let bench = try HostedBench()
        let ids = bench.seed(101)
        let order = Guarded<[String]>([])
        try bench.time.run {
            try await withThrowingTaskGroup(of: Void.self) { group in
                for id in ids.dropLast() {
                    group.addTask {
                        _ = try await bench.client.record(id, of: HostedBench.things, in: base, bench.call("greedy"))
                        order.update { $0.append("greedy") }
                    }
                }
                group.addTask {
                    try await bench.time.sleep(.milliseconds(500))
                    _ = try await bench.client.record(ids[100], of: HostedBench.things, in: base, bench.call("modest"))
                    order.update { $0.append("modest") }
                }
                try await group.waitForAll()
            }
        }
        // Five went out before it came; it goes with the next token.
        #expect(order.value.firstIndex(of: "modest") == 5)
    }

    @Test("interactive calls go before bulk ones, which still get a small share")
    func lanes() throws {
        let bench = try HostedBench()
        let ids = bench.seed(60)
        let order = Guarded<[HostedLane]>([])
        try bench.time.run {
            try await withThrowingTaskGroup(of: Void.self) { group in
                for (number, id) in ids.enumerated() {
                    let lane: HostedLane = number < 20 ? .bulk : .interactive
                    group.addTask {
                        let call = bench.call("\(lane)", lane)
                        _ = try await bench.client.record(id, of: HostedBench.things, in: base, call)
                        order.update { $0.append(lane) }
                    }
                }
                try await group.waitForAll()
            }
        }
        // All are there before the first goes: nine, one, nine, one, …, and what is left of the bulk at the end.
        let bulk = order.value.enumerated().filter { $0.element == .bulk }.map(\.offset)
        #expect(bulk == [9, 19, 29, 39] + Array(44..<60))
    }

    @Test("who has no time gets an error at the deadline, not a 429, and is never sent")
    func deadline() throws {
        let bench = try HostedBench()
        let ids = bench.seed(50)
        let error = try bench.time.run {
            try await withThrowingTaskGroup(of: AirtableError?.self) { group in
                for id in ids.dropLast() {
                    group.addTask {
                        _ = try await bench.client.record(id, of: HostedBench.things, in: base, bench.call("a"))
                        return nil
                    }
                }
                group.addTask {
                    do {
                        let call = bench.call("a", patience: .milliseconds(2_500))
                        _ = try await bench.client.record(ids[49], of: HostedBench.things, in: base, call)
                        return nil
                    } catch let error as AirtableError {
                        #expect(bench.time.elapsed == .milliseconds(2_500))
                        return error
                    }
                }
                return try await group.reduce(nil) { $0 ?? $1 }
            }
        }
        #expect(error?.code == .busy)
        #expect(bench.count(.expired) == 1)
        #expect(!bench.upstream.arrivals.contains { $0.target.contains(ids[49].description) })
    }

    @Test("reads that are the same share one answer, but never with another token")
    func joinedReads() throws {
        let bench = try HostedBench()
        _ = bench.seed(3)
        try bench.time.run {
            try await withThrowingTaskGroup(of: HostedPage.self) { group in
                for number in 0..<50 {
                    group.addTask {
                        let call = bench.call("c\(number)", token: number < 25 ? "patOne" : "patTwo")
                        return try await bench.client.page(of: HostedBench.things, in: base, call)
                    }
                }
                for try await page in group { #expect(page.records.count == 3) }
            }
        }
        #expect(bench.upstream.arrivals.map(\.token).sorted() == ["Bearer patOne", "Bearer patTwo"])
        #expect(bench.count(.joinedRead) == 48)
    }

    @Test("a reader who goes away takes nobody's answer along; a write nobody waits for is not sent")
    func cancelled() throws {
        let bench = try HostedBench()
        let ids = bench.seed(8)
        try bench.time.run {
            let call = bench.call()
            async let second = { () async throws -> HostedRecord in
                try await bench.time.sleep(.milliseconds(10))
                return try await bench.client.record(ids[0], of: HostedBench.things, in: base, call)
            }()
            await withTaskGroup { group in
                group.addTask {
                    do {
                        _ = try await bench.client.record(ids[0], of: HostedBench.things, in: base, call)
                        Issue.record("it was cancelled")
                    } catch { #expect(error is CancellationError) }
                }
                try? await bench.time.sleep(.milliseconds(15))  // nobody cancels it
                group.cancelAll()
            }
            #expect(try await second.id == ids[0])
            // Four more fill the second, so that the write has to wait.
            async let others = withThrowingTaskGroup(of: Void.self) { group in
                for id in ids[1...4] {
                    group.addTask { _ = try await bench.client.record(id, of: HostedBench.things, in: base, call) }
                }
                try await group.waitForAll()
            }
            try await bench.time.sleep(.milliseconds(10))
            await withTaskGroup { group in
                group.addTask {
                    do {
                        _ = try await bench.client.create([["Name": "x"]], in: bench.target, call)
                        Issue.record("it was cancelled")
                    } catch { #expect(error is CancellationError) }
                }
                try? await bench.time.sleep(.milliseconds(10))  // nobody cancels it
                group.cancelAll()
            }
            try await others
            try await bench.time.sleep(.seconds(10))
        }
        #expect(bench.upstream.arrivals.count { $0.target.contains(ids[0].description) } == 1)
        #expect(!bench.upstream.arrivals.contains { $0.method == "POST" })
    }

    @Test("an end of the program fails everybody who waits")
    func shutdown() throws {
        let bench = try HostedBench()
        let ids = bench.seed(20)
        try bench.time.run {
            await withTaskGroup { group in
                for id in ids {
                    group.addTask {
                        await #expect(throws: CancellationError.self) {
                            _ = try await bench.client.record(id, of: HostedBench.things, in: base, bench.call())
                        }
                    }
                }
                try? await bench.time.sleep(.milliseconds(5))  // nobody cancels it
                bench.client.shutdown()
            }
            await #expect(throws: CancellationError.self) { _ = try await bench.client.bases(bench.call()) }
        }
    }
}
