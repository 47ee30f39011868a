import Domain
import Outbound
import TestSupport
import Testing

@testable import Airtable

@Suite("Answers of the hosted service are kept for seconds")
struct HostedCacheTests {
    private let base = HostedBench.base

    /// Things links to Others; Apart stands alone.
    private func bench() throws -> HostedBench {
        let bench = try HostedBench()
        let name: JSONObject = ["id": "fldCCCCCCCCCCCCCC", "name": "Name", "type": "singleLineText"]
        let link: JSONObject = [
            "id": "fldDDDDDDDDDDDDDD", "name": "Thing", "type": "multipleRecordLinks",
            "options": ["linkedTableId": "tblAAAAAAAAAAAAAA"],
        ]
        bench.upstream.change(base.description) { tables in
            tables.append(HostedStandIn.Table(id: "tblBBBBBBBBBBBBBB", name: "Others", fields: [name, link]))
            tables.append(HostedStandIn.Table(id: "tblCCCCCCCCCCCCCC", name: "Apart", fields: [name]))
        }
        return bench
    }

    private func read(_ table: String, _ bench: HostedBench, token: String = "patToken") async throws {
        _ = try await bench.client.page(of: table, in: base, bench.call(token: token))
    }

    @Test("the same question within seconds is answered from memory, and counted; later it is asked again")
    func hits() throws {
        let bench = try bench()
        try bench.time.run {
            for _ in 1...4 { try await read("Things", bench) }
            #expect(bench.upstream.arrivals.count == 1)
            #expect(bench.count(.cacheHit) == 3 && bench.count(.cacheMiss) == 1)
            try await bench.time.sleep(HostedRules().recordFreshness)
            try await read("Things", bench)
            #expect(bench.upstream.arrivals.count == 2)
        }
    }

    @Test("no other token is given the answer, and who wants it fresh gets it so")
    func tokens() throws {
        let bench = try bench()
        try bench.time.run {
            try await read("Things", bench)
            try await read("Things", bench, token: "patOther")
            var call = bench.call()
            call.wantsFresh = true
            _ = try await bench.client.page(of: "Things", in: base, call)
        }
        #expect(bench.upstream.arrivals.count == 3)
        #expect(bench.count(.cacheHit) == 0)
    }

    @Test("a write drops its table and those linked with it, and no other")
    func linked() throws {
        let bench = try bench()
        try bench.time.run {
            _ = try await bench.client.tables(of: base, bench.call())
            for table in ["Things", "tblAAAAAAAAAAAAAA", "Others", "Apart"] { try await read(table, bench) }
            let before = bench.upstream.arrivals.count
            let made = try await bench.client.create([["Name": "x"]], in: bench.target, bench.call())
            #expect(throws: Never.self) { try made[0].get() }
            for table in ["Things", "tblAAAAAAAAAAAAAA", "Others", "Apart"] { try await read(table, bench) }
            // The write itself, and three of the four.
            #expect(bench.upstream.arrivals.count == before + 4)
            #expect(bench.count(.cacheHit) == 1)
        }
    }

    @Test("without a known schema a write drops the whole base")
    func unknownSchema() throws {
        let bench = try bench()
        try bench.time.run {
            try await read("Apart", bench)
            _ = try await bench.client.create([["Name": "x"]], in: bench.target, bench.call())
            try await read("Apart", bench)
        }
        #expect(bench.count(.cacheHit) == 0)
    }

    @Test("a schema that turns out to have changed drops the records of its base")
    func changedSchema() throws {
        let bench = try bench()
        try bench.time.run {
            _ = try await bench.client.tables(of: base, bench.call())
            try await read("Apart", bench)
            bench.upstream.change(base.description) { $0[2].fields[0]["name"] = "Title" }
            var call = bench.call()
            call.wantsFresh = true
            _ = try await bench.client.tables(of: base, call)
            try await read("Apart", bench)
        }
        #expect(bench.count(.cacheHit) == 0)
    }

    @Test("who reads after a write of theirs sees it, though a read from before is still under way")
    func ownWrites() throws {
        // The read takes long to come back, the write is quick.
        let bench = try HostedBench(latency: { number in
            (.milliseconds(10), number == 1 ? .seconds(3) : .milliseconds(10))
        })
        try bench.time.run {
            async let early = bench.client.page(of: HostedBench.things, in: base, bench.call())
            try await bench.time.sleep(.milliseconds(50))
            _ = try await bench.client.create([["Name": "x"]], in: bench.target, bench.call())
            let late = try await bench.client.page(of: HostedBench.things, in: base, bench.call())
            #expect(late.records.count == 1)
            #expect(try await early.records.isEmpty)
            // The early answer, which came last, was not kept.
            let again = try await bench.client.page(of: HostedBench.things, in: base, bench.call())
            #expect(again.records.count == 1)
        }
    }
}
