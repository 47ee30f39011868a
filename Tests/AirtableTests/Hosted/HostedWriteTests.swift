import Domain
import Outbound
import TestSupport
import Testing

@testable import Airtable

@Suite("Writes to the hosted service that wait go out together")
struct HostedWriteTests {
    private let base = HostedBench.base

    @Test("a hundred single creates of a hundred callers take few calls, and each caller gets their own record")
    func joined() throws {
        let bench = try HostedBench()
        try bench.time.run {
            try await withThrowingTaskGroup(of: Void.self) { group in
                for number in 0..<100 {
                    group.addTask {
                        let made = try await bench.client.create(
                            [["Name": .string("n\(number)")]],
                            in: bench.target,
                            bench.call("c\(number)")
                        )
                        #expect(try made[0].get().fields["Name"] == .string("n\(number)"))
                    }
                }
                try await group.waitForAll()
            }
        }
        #expect(bench.upstream.rows(base.description).count == 100)
        // Five at once before anybody waits, the rest in tens.
        #expect(bench.upstream.arrivals.count <= 15)
        #expect(bench.count(.joinedWrite) >= 85)
    }

    @Test("many records of one caller are written in tens, in order")
    func bulk() throws {
        let bench = try HostedBench()
        let drafts = (0..<95).map { JSONObject(dictionaryLiteral: ("Name", .string("n\($0)"))) }
        let made = try bench.time.run { try await bench.client.create(drafts, in: bench.target, bench.call()) }
        #expect(try made.map { try $0.get().fields["Name"] } == drafts.map { $0["Name"] })
        #expect(bench.upstream.arrivals.count == 10)
        #expect(bench.upstream.rows(base.description).map { $0.fields["Name"] } == drafts.map { $0["Name"] })
    }

    @Test("one bad record among joined ones fails alone, with the service's own words", arguments: [0, 4, 9])
    func oneBad(position: Int) throws {
        let bench = try HostedBench()
        let drafts: [JSONObject] = (0..<10).map { number in
            number == position
                ? ["Number": "bad"] : ["Name": .string("n\(number)"), "Number": JSONValue(integerLiteral: number)]
        }
        let made = try bench.time.run { try await bench.client.create(drafts, in: bench.target, bench.call()) }
        for (number, outcome) in made.enumerated() {
            if number == position {
                #expect(throws: AirtableError(.invalidValueForColumn, "")) { try outcome.get() }
                if case .failure(let error) = outcome {
                    #expect(error.message == "Field \"Number\" cannot accept the provided value")
                }
            } else {
                #expect(try outcome.get().fields["Name"] == .string("n\(number)"))
            }
        }
        // The good ones were made once each.
        #expect(bench.upstream.rows(base.description).count == 9)
        #expect(bench.count(.split) > 0)
    }

    @Test("records that belong together stand or fall together, also beside strangers")
    func together() throws {
        let bench = try HostedBench()
        let (bad, good) = try bench.time.run {
            async let bad = bench.client.create(
                [["Name": "a"], ["Nonsense": 1], ["Name": "b"]],
                in: bench.target,
                atomicity: .together,
                bench.call("bad")
            )
            async let good = bench.client.create(
                [["Name": "c"], ["Name": "d"]],
                in: bench.target,
                atomicity: .together,
                bench.call("good")
            )
            return try await (bad, good)
        }
        for outcome in bad { #expect(throws: AirtableError(.unknownFieldName, "")) { try outcome.get() } }
        #expect(try good.map { try $0.get().fields["Name"] } == ["c", "d"])
        #expect(bench.upstream.rows(base.description).count == 2)
    }

    @Test("writes to one record keep their order, whoever sends them, through 429s, 500s and cut connections")
    func order() throws {
        let bench = try HostedBench { number in
            switch number % 7 {
            case 2: .statusAfter(500)
            case 3: .status(429, body: "{}")
            case 4: .cutAfter
            case 5: .cutBefore
            default: nil
            }
        }
        let ids = bench.seed(5)
        try bench.time.run {
            try await withThrowingTaskGroup(of: Void.self) { group in
                for number in 0..<60 {
                    group.addTask {
                        // They arrive one after the other.
                        try await bench.time.sleep(.milliseconds(number))
                        let update = RecordUpdate(
                            id: ids[number % 5],
                            fields: ["Number": JSONValue(integerLiteral: number)]
                        )
                        let lane: HostedLane = number % 3 == 0 ? .bulk : .interactive
                        let done = try await bench.client.update(
                            [update],
                            in: bench.target,
                            bench.call("c\(number % 4)", lane)
                        )
                        _ = try done[0].get()
                    }
                }
                try await group.waitForAll()
            }
        }
        let writes = bench.upstream.snapshot.writes
        for (place, id) in ids.enumerated() {
            let values = writes.filter { $0.id == id.description }.compactMap { $0.fields["Number"]?.intValue }
            // A write whose answer was lost is sent again, so one may stand twice, but never behind a later one.
            #expect(values == values.sorted())
            #expect(Set(values) == Set(stride(from: place, to: 60, by: 5)))
        }
        #expect(bench.count(.limited) > 0 && bench.count(.retried) > 0)
    }

    @Test("a create whose answer was lost is not repeated: it says that it may have happened")
    func uncertain() throws {
        let bench = try HostedBench { number in number == 1 ? .cutAfter : number == 2 ? .cutBefore : nil }
        try bench.time.run {
            for _ in 1...2 {
                let made = try await bench.client.create([["Name": "x"]], in: bench.target, bench.call())
                #expect(throws: AirtableError(.writeUncertain, "")) { try made[0].get() }
            }
            let made = try await bench.client.create([["Name": "y"]], in: bench.target, bench.call())
            #expect(try made[0].get().fields["Name"] == "y")
        }
        #expect(bench.upstream.arrivals.count == 3)
        #expect(bench.upstream.rows(base.description).map { $0.fields["Name"] } == ["x", "y"])
    }

    @Test("an upsert tells what it made, and two with the same values at once make one record")
    func upsert() throws {
        let bench = try HostedBench()
        let outcomes = try bench.time.run {
            try await bench.client.upsert(
                [
                    RecordUpsert(fields: ["Name": "a", "Number": 1]), RecordUpsert(fields: ["Name": "b", "Number": 2]),
                    RecordUpsert(fields: ["Name": "a", "Number": 3]),
                ],
                mergeOn: ["Name"],
                in: bench.target,
                bench.call()
            )
        }
        #expect(try outcomes.map { try $0.get().isCreated } == [true, true, false])
        #expect(bench.upstream.rows(base.description).map { $0.fields["Number"] } == [3, 2])
        #expect(bench.upstream.arrivals.count == 2)
    }

    @Test("deletes go in tens, and an unknown record harms no other")
    func deleting() throws {
        let bench = try HostedBench()
        let ids = bench.seed(12)
        let unknown = RecordID("recZZZZZZZZZZZZZZ")!
        let outcomes = try bench.time.run {
            try await bench.client.delete(
                Array(ids[..<5]) + [unknown] + Array(ids[5...]),
                in: bench.target,
                bench.call()
            )
        }
        #expect(bench.upstream.rows(base.description).isEmpty)
        for (number, outcome) in outcomes.enumerated() {
            if number == 5 {
                #expect(throws: AirtableError(.rowDoesNotExist, "")) { try outcome.get() }
            } else {
                #expect(throws: Never.self) { try outcome.get() }
            }
        }
    }
}
