import Domain
import Outbound
import TestSupport
import Testing

@testable import Airtable

@Suite("Faults of the hosted service stay away from callers")
struct HostedFaultTests {
    private let base = HostedBench.base

    @Test("a storm of 429s: everybody waits it out, nothing is sent meanwhile, and nobody sees one")
    func storm() throws {
        let bench = try HostedBench { number in [3, 9, 10].contains(number) ? .status(429, body: "{}") : nil }
        let ids = bench.seed(30)
        try bench.time.run {
            try await withThrowingTaskGroup(of: Void.self) { group in
                for id in ids {
                    group.addTask {
                        _ = try await bench.client.record(id, of: HostedBench.things, in: base, bench.call())
                    }
                }
                try await group.waitForAll()
            }
        }
        let arrivals = bench.upstream.arrivals
        #expect(arrivals.count == 33)
        for (position, arrival) in arrivals.enumerated() where arrival.status == 429 {
            // Those that were under way already still arrive.
            let next = arrivals[(position + 1)...].first { $0.time > arrival.time + .milliseconds(100) }
            #expect(try #require(next).time >= arrival.time + .seconds(30))
        }
        // Two storms: the second one's two refusals came together.
        #expect(bench.time.elapsed < .seconds(70))
    }

    @Test("who would be gone before a storm is over is told at once, and when to come back")
    func hopeless() throws {
        let bench = try HostedBench { number in number == 1 ? .status(429, body: "{}") : nil }
        let ids = bench.seed(2)
        try bench.time.run {
            let call = bench.call(patience: .seconds(20))
            for _ in 1...2 {
                do {
                    _ = try await bench.client.record(ids[0], of: HostedBench.things, in: base, call)
                    Issue.record("nothing can have come")
                } catch let error as AirtableError {
                    #expect(error.code == .busy)
                    #expect(error.hint?.hasPrefix("try again in 3") == true)
                }
            }
            #expect(bench.time.elapsed < .seconds(1))
            // Nobody sent a second one; who has the time gets it.
            #expect(bench.upstream.arrivals.count == 1)
            _ = try await bench.client.record(ids[0], of: HostedBench.things, in: base, bench.call())
        }
    }

    @Test("a deadline that passes while a write is out, or may have been done before, is uncertain; else it is busy")
    func late() throws {
        let bench = try HostedBench(
            fault: { $0 == 2 ? .statusAfter(500) : nil },
            latency: { number in number == 1 ? (.seconds(2), .seconds(600)) : (.milliseconds(20), .milliseconds(80)) },
            random: { 0.999 }
        )
        let ids = bench.seed(2)
        try bench.time.run {
            // Out, and no answer; its turn never comes, since the record's first write is not over.
            async let out = bench.client.update(
                [RecordUpdate(id: ids[0], fields: ["Number": 1])],
                in: bench.target,
                bench.call(patience: .seconds(10))
            )
            try await bench.time.sleep(.seconds(1))
            async let waiting = bench.client.update(
                [RecordUpdate(id: ids[0], fields: ["Number": 2])],
                in: bench.target,
                bench.call(patience: .seconds(3))
            )
            let (second, first) = (try await waiting[0], try await out[0])
            #expect(throws: AirtableError(.busy, "")) { try second.get() }
            #expect(throws: AirtableError(.writeUncertain, "")) { try first.get() }
            // Answered 500 after it was done; the deadline comes before the next attempt.
            let again = try await bench.client.update(
                [RecordUpdate(id: ids[1], fields: ["Number": 3])],
                in: bench.target,
                bench.call(patience: .milliseconds(300))
            )
            #expect(throws: AirtableError(.writeUncertain, "")) { try again[0].get() }
        }
        #expect(bench.upstream.rows(base.description)[1].fields["Number"] == 3)
    }

    @Test("a limit that another program uses up as well costs time, and is never seen")
    func sharedLimit() throws {
        let bench = try HostedBench(callsPerSecond: 3)
        let ids = bench.seed(12)
        try bench.time.run {
            try await withThrowingTaskGroup(of: Void.self) { group in
                for id in ids {
                    group.addTask {
                        _ = try await bench.client.record(id, of: HostedBench.things, in: base, bench.call())
                    }
                }
                try await group.waitForAll()
            }
        }
        #expect(bench.upstream.refusals > 0)
    }

    @Test("reads and updates survive 500, 503 and lost connections")
    func passing() throws {
        let bench = try HostedBench { number in
            switch number {
            case 1: .status(500, body: "<html>")
            case 2: .cutBefore
            case 3: .status(503, body: #"{"error":"SERVICE_UNAVAILABLE"}"#)
            case 5: .statusAfter(502)
            default: nil
            }
        }
        let ids = bench.seed(1)
        try bench.time.run {
            _ = try await bench.client.record(ids[0], of: HostedBench.things, in: base, bench.call())
            let update = RecordUpdate(id: ids[0], fields: ["Number": 5])
            let done = try await bench.client.update([update], in: bench.target, bench.call())
            #expect(try done[0].get().id == ids[0])
        }
        #expect(bench.upstream.arrivals.count == 6)
        #expect(bench.upstream.rows(base.description)[0].fields["Number"] == 5)
    }

    @Test("a failure that stays is told after a few attempts, with its cause")
    func staying() throws {
        let bench = try HostedBench { _ in .status(500, body: "{}") }
        try bench.time.run {
            let failure = await #expect(throws: AirtableError(.upstreamFailed, "")) {
                _ = try await bench.client.bases(bench.call())
            }
            #expect(failure?.detail?.hasPrefix("HTTP 500") == true)
        }
        #expect(bench.upstream.arrivals.count == HostedRules().attemptsMax)
    }

    @Test("a service that is down is left alone, and found again when it is back")
    func circuit() throws {
        let time = Guarded<VirtualTime?>(nil)
        let bench = try HostedBench { _ in
            guard let time = time.value, time.elapsed < .seconds(300) else { return nil }
            return .status(503, body: "{}")
        }
        time.value = bench.time
        let ids = bench.seed(20)
        let answered = try bench.time.run {
            try await withThrowingTaskGroup(of: Bool.self) { group in
                for id in ids {
                    group.addTask {
                        while bench.time.elapsed < .seconds(900) {
                            do {
                                let call = bench.call(id.description, patience: .seconds(60))
                                _ = try await bench.client.record(id, of: HostedBench.things, in: base, call)
                                return true
                            } catch { #expect((error as? AirtableError)?.kind == .busy) }
                        }
                        return false
                    }
                }
                return try await group.reduce(0) { $0 + ($1 ? 1 : 0) }
            }
        }
        #expect(answered == 20)
        // Five a second would have been 1,500; a probe now and then is a few dozen.
        #expect(bench.upstream.arrivals.count { $0.status == 503 } < 60)
        #expect(bench.time.elapsed < .seconds(480))
    }

    @Test("a service that is slow does not get more calls at once than are bounded")
    func slow() throws {
        let bench = try HostedBench(latency: { _ in (.seconds(5), .seconds(20)) })
        let ids = bench.seed(100)
        try bench.time.run {
            try await withThrowingTaskGroup(of: Void.self) { group in
                for id in ids {
                    group.addTask {
                        _ = try await bench.client.record(id, of: HostedBench.things, in: base, bench.call())
                    }
                }
                try await group.waitForAll()
            }
        }
        let times = bench.upstream.arrivals.map(\.time)
        #expect(
            times.map { end in times.count { $0 > end - .seconds(25) && $0 <= end } }.max()
                == Limits.hostedCallsInFlight
        )
    }

    @Test("random callers, faults and latencies: every acknowledged write is there, in order", arguments: 1...6)
    func random(seed: UInt64) throws {
        var generator = SeededGenerator(seed: seed)
        let dice = (0..<4_000).map { _ in Int.random(in: 0..<100, using: &generator) }
        let bench = try HostedBench(
            fault: { number in
                switch dice[number * 7 % 4_000] {
                case 0..<4: .status(500, body: "{}")
                case 4..<8: .statusAfter(500)
                case 8..<12: .cutBefore
                case 12..<16: .cutAfter
                case 16..<18: .status(429, body: "{}")
                default: nil
                }
            },
            latency: { (.milliseconds(10 + dice[$0 * 3 % 4_000] / 3), .milliseconds(dice[$0 * 5 % 4_000] * 12)) }
        )
        let ids = bench.seed(10)
        let acknowledged = Guarded<Set<Int>>([])
        try bench.time.run {
            try await withThrowingTaskGroup(of: Void.self) { group in
                for number in 0..<200 {
                    group.addTask {
                        try await bench.time.sleep(.milliseconds(number * 20))
                        let id = ids[dice[number] % 10]
                        let update = RecordUpdate(id: id, fields: ["Number": JSONValue(integerLiteral: number)])
                        let call = bench.call(
                            "c\(dice[number + 500] % 9)",
                            dice[number + 900] < 30 ? .bulk : .interactive
                        )
                        let outcome = try await bench.client.update([update], in: bench.target, call)[0]
                        if case .success = outcome { acknowledged.update { $0.insert(number) } }
                    }
                }
                try await group.waitForAll()
            }
        }
        let writes = bench.upstream.snapshot.writes
        for id in ids {
            let values = writes.filter { $0.id == id.description }.compactMap { $0.fields["Number"]?.intValue }
            #expect(values == values.sorted(), "seed \(seed)")
        }
        let written = Set(writes.compactMap { $0.fields["Number"]?.intValue })
        #expect(acknowledged.value.isSubset(of: written), "seed \(seed)")
        #expect(acknowledged.value.count > 180, "seed \(seed)")
    }
}
