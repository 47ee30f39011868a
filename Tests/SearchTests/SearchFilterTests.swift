import Access
import Airtable
import Domain
import TestSupport
import Testing

@testable import Search

@Suite("Searching through a filter")
struct SearchFilterTests {
    private static let words = ["walrus", "whale", "seal", "gull", "crab", "kelp", "reef", "tide", "wreck", "buoy"]

    /// Sixty notes of a few words each, with a number and a day that filters ask for.
    private static func sea(_ world: SearchFixture, count: Int = 60) async throws -> Table {
        let schema = try await world.base(
            "Sea",
            [
                TableDraft(
                    name: "Notes",
                    fields: [
                        FieldDraft(name: "Name", type: .singleLineText), FieldDraft(name: "Text", type: .multilineText),
                        FieldDraft(name: "Rank", type: .number),
                        FieldDraft(name: "State", type: .singleSelect, choices: ["open", "shut"]),
                    ]
                )
            ]
        )
        let table = try #require(schema.tables.first)
        for start in stride(from: 0, to: count, by: 60) {
            let drafts = (start..<min(start + 60, count)).map { number in
                let text = (0..<(3 + number % 5)).map { words[(number * 7 + $0 * 3) % words.count] }
                return RecordDraft(
                    fields: [
                        "Name": .string("note \(number)"), "Text": .string(text.joined(separator: " ")),
                        "Rank": .number(JSONNumber(Int64(number))), "State": number % 3 == 0 ? "open" : "shut",
                    ]
                )
            }
            _ = try await world.airtable.create(drafts, in: table.id, context: world.context)
        }
        try await world.index()
        return table
    }

    @Test(
        "ranks what the formula accepts as if nothing else were there",
        arguments: [
            "{State}='open'", "AND({Rank}>20, {State}='shut')", "MOD({Rank}, 7)=2", "FIND('crab', {Text})", "1",
        ],
        DatabaseKind.allCases
    )
    func bruteForce(_ filter: String, _ kind: DatabaseKind) async throws {
        try await withSearch(kind) { world in
            let table = try await Self.sea(world)
            var query = RecordQuery()
            query.filter = filter
            let accepted = try await world.airtable.list(query, in: table.id, context: world.context).records.map(\.id)
            #expect(!accepted.isEmpty)
            for mode in SearchMode.allCases {
                var request = SearchRequest(query: "a walrus on the reef", limit: 100, mode: mode, explain: true)
                let all = try await world.search.search(request, context: world.context).hits
                request.filter = filter
                let found = try await world.search.search(request, context: world.context).hits
                let wanted = Self.ranked(all.filter { accepted.contains($0.recordID) }, mode)
                #expect(Set(found.map(\.recordID)) == Set(wanted.map(\.id)), "\(mode)")
                for hit in found {
                    let expected = wanted.first { $0.id == hit.recordID }?.score ?? -9
                    #expect(abs(hit.score - expected) < 0.003, "\(mode): \(hit.score), \(expected)")
                }
                #expect(found.map(\.score) == found.map(\.score).sorted(by: >))
            }
        }
    }

    /// Scores of `hits` alone, from what each says of itself.
    private static func ranked(_ hits: [SearchHit], _ mode: SearchMode) -> [(id: RecordID, score: Double)] {
        let best = hits.compactMap { $0.explanation?.bm25 }.max() ?? 0
        return hits.map { hit in
            let words = best > 0 ? (hit.explanation?.bm25 ?? 0) / best : 0
            let meaning = hit.explanation?.cosine ?? (mode == .semantic ? -1 : 0)
            return (hit.recordID, mode == .lexical ? words : mode == .semantic ? meaning : meaning + 0.3 * words)
        }
    }

    @Test("a narrow filter loses nothing, however far from the question")
    func recall() async throws {
        try await withSearch { world in
            let table = try await Self.sea(world, count: 900)
            for mode in [SearchMode.semantic, .hybrid] {
                let request = SearchRequest(query: "walrus", filter: "MOD({Rank}, 180)=11", limit: 20, mode: mode)
                let hits = try await world.search.search(request, context: world.context).hits
                #expect(
                    Set(hits.compactMap { $0.fields["Name"]?.stringValue })
                        == Set((0..<5).map { "note \($0 * 180 + 11)" })
                )
            }
            let none = SearchRequest(query: "walrus", filter: "{Rank}<0")
            #expect(try await world.search.search(none, context: world.context).hits.isEmpty)
            _ = table
        }
    }

    @Test("pages go on within the filter, and a cursor is its filter's")
    func pages() async throws {
        try await withSearch { world in
            _ = try await Self.sea(world)
            var request = SearchRequest(query: "walrus reef", filter: "{State}='open'", limit: 8)
            var names: [RecordID] = []
            while true {
                let page = try await world.search.search(request, context: world.context)
                names += page.hits.map(\.recordID)
                guard let cursor = page.cursor else { break }
                request.cursor = cursor
            }
            #expect(names.count == 20 && Set(names).count == 20)
            request.filter = "{State}='shut'"
            await #expect(throws: SearchError(.invalidCursor, "")) {
                try await world.search.search(request, context: world.context)
            }
        }
    }

    @Test("tables without the fields give nothing; with none that has them it is an error that names them")
    func tables() async throws {
        try await withSearch { world in
            let sea = try await Self.sea(world)
            let other = try await world.notes(base: "Other")
            try await world.create(other, ["Name": "walrus", "Text": "walrus", "Tag": "a"])
            try await world.index()
            let both = SearchRequest(query: "walrus", filter: "{Rank}<10", limit: 50)
            let hits = try await world.search.search(both, context: world.context).hits
            #expect(hits.count == 10 && hits.allSatisfy { $0.tableID == sea.id })
            for request in [
                SearchRequest(query: "walrus", bases: ["Other"], filter: "{Rank}<10"),
                SearchRequest(query: "walrus", filter: "{Nothing}=1"),
                SearchRequest(query: "walrus", filter: "{Rank}<"),
            ] {
                await #expect(throws: AirtableError(.invalidFilter, "")) {
                    try await world.search.search(request, context: world.context)
                }
            }
        }
    }

    @Test("what is hidden cannot be asked about")
    func hidden() async throws {
        try await withSearch { world in
            let table = try await Self.sea(world)
            let rank = try #require(table.field("Rank"))
            let scope = VisibleScope(tenant: world.tenant, hidden: [table.id: [rank.id]])
            await #expect(throws: AirtableError(.invalidFilter, "")) {
                try await world.search.search(
                    SearchRequest(query: "walrus", filter: "{Rank}=1"),
                    visible: scope,
                    context: world.context
                )
            }
        }
    }
}
