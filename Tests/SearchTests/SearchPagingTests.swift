import Domain
import TestSupport
import Testing

@testable import Search

@Suite("Pages, filters and explanations of a search")
struct SearchPagingTests {
    /// 25 records that all match, in two tables of one base.
    private static func whales(_ world: SearchFixture) async throws -> Table {
        let table = try await world.notes()
        for number in 0..<25 {
            try await world.create(
                table,
                ["Name": .string("whale \(number)"), "Text": .string("A whale of \(number) tons swims.")]
            )
        }
        try await world.index()
        return table
    }

    private static func pages(
        _ world: SearchFixture,
        _ request: SearchRequest,
        between: (Int) async throws -> Void = { _ in }
    ) async throws -> [[RecordID]] {
        var pages: [[RecordID]] = []
        var request = request
        repeat {
            let response = try await world.search.search(request, context: world.context)
            pages.append(response.hits.map(\.recordID))
            request.cursor = response.cursor
            try await between(pages.count)
        } while request.cursor != nil && pages.count < 50
        return pages
    }

    @Test("pages give what one long page gives, each record once", arguments: SearchMode.allCases)
    func pages(_ mode: SearchMode) async throws {
        try await withSearch { world in
            _ = try await Self.whales(world)
            let whole = SearchRequest(query: "whale tons", limit: 100, mode: mode)
            let all = try await world.search.search(whole, context: world.context)
            #expect(all.cursor == nil && all.hits.count == 25)
            let pages = try await Self.pages(world, SearchRequest(query: "whale tons", limit: 4, mode: mode))
            #expect(pages.map(\.count) == [4, 4, 4, 4, 4, 4, 1])
            #expect(pages.flatMap { $0 } == all.hits.map(\.recordID))
        }
    }

    @Test("no record comes twice, whatever is written between the pages", arguments: DatabaseKind.allCases)
    func changes(_ kind: DatabaseKind) async throws {
        try await withSearch(kind) { world in
            let table = try await Self.whales(world)
            let first = SearchRequest(query: "whale tons", limit: 5)
            let shown = try await world.search.search(first, context: world.context).hits
            let pages = try await Self.pages(world, first) { number in
                guard number == 1 else { return }
                // The best so far becomes the worst, and a better one appears.
                try await world.update(table, shown[0].recordID, ["Text": "swims", "Name": "whale"])
                try await world.create(table, ["Name": "whale tons", "Text": "whale tons"])
                try await world.index()
            }
            let all = pages.flatMap { $0 }
            #expect(Set(all).count == all.count)
            #expect(all.count == 26)
        }
    }

    @Test("a cursor goes with its own search only, and a broken one is told as such")
    func cursors() async throws {
        try await withSearch { world in
            _ = try await Self.whales(world)
            let request = SearchRequest(query: "whale", tables: ["Notes"], limit: 3)
            let cursor = try #require(try await world.search.search(request, context: world.context).cursor)
            var others: [SearchRequest] = []
            for change in [
                { (request: inout SearchRequest) in request.query = "tons" }, { $0.tables = nil },
                { $0.bases = ["Base"] },
                { $0.fields = ["Text"] }, { $0.mode = .lexical }, { $0.minScore = 0.1 },
            ] as [(inout SearchRequest) -> Void] {
                var other = request
                change(&other)
                others.append(other)
            }
            for broken in ["x", "!!!!", String(cursor.dropLast(2)), "AQ", cursor + "AAAA"] {
                var other = request
                other.cursor = broken
                await #expect(throws: SearchError(.invalidCursor, "")) {
                    try await world.search.search(other, context: world.context)
                }
            }
            for var other in others {
                other.cursor = cursor
                await #expect(throws: SearchError(.invalidCursor, "")) {
                    try await world.search.search(other, context: world.context)
                }
            }
            // The size of a page and its explanation may change on the way.
            var longer = request
            (longer.cursor, longer.limit, longer.explain) = (cursor, 9, true)
            #expect(try await world.search.search(longer, context: world.context).hits.count == 9)
        }
    }

    @Test("only the named fields are searched and shown, and one that is nowhere is an error")
    func fields() async throws {
        try await withSearch { world in
            let table = try await world.notes()
            let byText = try await world.create(table, ["Name": "first", "Text": "a walrus", "Tag": "sea"])[0]
            let byTag = try await world.create(table, ["Name": "second", "Text": "nothing", "Tag": "walrus"])[0]
            try await world.index()
            func found(_ fields: [String]?) async throws -> [SearchHit] {
                try await world.search.search(
                    SearchRequest(query: "walrus", fields: fields, mode: .lexical),
                    context: world.context
                ).hits
            }
            #expect(Set(try await found(nil).map(\.recordID)) == [byText, byTag])
            let texts = try await found(["text"])
            #expect(texts.map(\.recordID) == [byText])
            #expect(texts.first?.fieldID == table.field("Text")?.id)
            let tags = try await found([try #require(table.field("Tag")).id.description])
            #expect(tags.map(\.recordID) == [byTag])
            #expect(tags.first?.snippet == "Tag: walrus")
            await #expect(throws: SearchError(.unknownField, "")) { try await found(["Texd"]) }
        }
    }

    @Test("a mode uses its own side only, and a hit below the least score is left out")
    func modes() async throws {
        try await withSearch { world in
            _ = try await Self.whales(world)
            for mode in SearchMode.allCases {
                let request = SearchRequest(query: "whale 7 tons", limit: 5, mode: mode, explain: true)
                let response = try await world.search.search(request, context: world.context)
                let explanation = try #require(response.explanation)
                #expect(explanation.mode == mode)
                #expect((explanation.lexicalCandidates > 0) == (mode != .semantic))
                #expect((explanation.semanticCandidates > 0) == (mode != .lexical))
                #expect(explanation.plan == (mode == .lexical ? .none : .exact))
                for hit in response.hits {
                    let own = try #require(hit.explanation)
                    #expect((own.lexicalRank != nil) == (mode != .semantic))
                    #expect((own.semanticRank != nil) == (mode != .lexical))
                }
                #expect(response.hits.first?.fields["Name"] == "whale 7")
                let first = try #require(response.hits.first)
                let least = SearchRequest(query: "whale 7 tons", limit: 5, mode: mode, minScore: first.score)
                let kept = try await world.search.search(least, context: world.context).hits
                #expect(kept.allSatisfy { $0.score >= first.score } && kept.first?.recordID == first.recordID)
                let above = SearchRequest(query: "whale 7 tons", mode: mode, minScore: first.score + 0.001)
                #expect(try await world.search.search(above, context: world.context).hits.isEmpty)
            }
        }
    }

    @Test("an explanation tells both sides' ranks and scores, which give the score")
    func explanation() async throws {
        try await withSearch { world in
            _ = try await Self.whales(world)
            let request = SearchRequest(query: "whale 7 tons", limit: 25, explain: true)
            let response = try await world.search.search(request, context: world.context)
            let whole = try #require(response.explanation)
            #expect(whole.words == ["whale", "7", "ton"])
            #expect(whole.records == 25 && whole.units == 50 && whole.partitions == 2)
            let explained = try response.hits.map { ($0, try #require($0.explanation)) }
            #expect(Set(explained.compactMap(\.1.semanticRank)) == Set(1...25))
            #expect(Set(explained.compactMap(\.1.lexicalRank)) == Set(1...25))
            let best = try #require(explained.compactMap(\.1.bm25).max())
            for (hit, own) in explained {
                let expected = try #require(own.cosine) + 0.3 * (try #require(own.bm25)) / best
                #expect((hit.score - expected).magnitude < 0.001)
            }
            let plain = try await world.search.search(SearchRequest(query: "whale"), context: world.context)
            #expect(plain.explanation == nil && plain.hits.allSatisfy { $0.explanation == nil })
        }
    }
}
