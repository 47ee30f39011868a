import Access
import Airtable
import Domain
import Embeddings
import TestSupport
import Testing

@testable import Search

@Suite("Search service")
struct SearchServiceTests {
    @Test("a hit shows the first hundred of a cell's links")
    func manyLinks() async throws {
        try await withSearch(.sqlite) { world in
            let schema = try await world.base(
                "Linked",
                [
                    TableDraft(name: "Hubs", fields: [FieldDraft(name: "Name", type: .singleLineText)]),
                    TableDraft(
                        name: "Spokes",
                        fields: [FieldDraft(name: "Name", type: .singleLineText), .link("To", to: "Hubs")]
                    ),
                ]
            )
            let hub = try await world.create(schema.tables[0], ["Name": "Centre"])[0]
            for _ in 0..<12 {
                let spoke: [String: JSONValue] = ["Name": "Spoke", "To": [.string(hub.description)]]
                _ = try await world.airtable.create(
                    (0..<10).map { _ in RecordDraft(fields: JSONObject(spoke.map { ($0.key, $0.value) })) },
                    in: schema.tables[1].id,
                    context: world.context
                )
            }
            try await world.index()
            let request = SearchRequest(query: "centre", tables: [schema.tables[0].id.description])
            let hit = try #require(try await world.search.search(request, context: world.context).hits.first)
            #expect(hit.recordID == hub)
            #expect(hit.fields["Spokes"]?.arrayValue?.count == HitReader.linksMax)
        }
    }

    @Test("a hit says where it is, shows the record, and marks the words", arguments: DatabaseKind.allCases)
    func shape(_ kind: DatabaseKind) async throws {
        try await withSearch(kind) { world in
            let table = try await world.notes(base: "Metals")
            let id = try await world.create(table, ["Name": "Iron", "Text": "Makes strong steel beams."])[0]
            try await world.create(table, ["Name": "Helium", "Text": "Floats in balloons."])
            try await world.index()
            let response = try await world.search.search(SearchRequest(query: "Beam of STEEL"), context: world.context)
            let hit = try #require(response.hits.first)
            let text = try #require(table.field("Text"))
            #expect(hit.recordID == id && hit.tableID == table.id && hit.baseID == table.base)
            #expect(hit.base == "Metals" && hit.table == "Notes")
            #expect(JSONValue.object(hit.fields) == ["Name": "Iron", "Text": "Makes strong steel beams."])
            #expect(hit.fieldID == text.id)
            #expect(hit.snippet == "Makes strong steel beams.")
            #expect(
                hit.highlights == [
                    SearchHighlight(fieldID: text.id, start: 13, end: 18),
                    SearchHighlight(fieldID: text.id, start: 19, end: 24),
                ]
            )
            #expect(hit.matched == SearchMatch(lexical: true, semantic: true))
            #expect(response.hits.count == 2 && response.hits[0].score > response.hits[1].score)
            let json = try JSONCoder.value(of: response)
            #expect(SearchResponse.schema.violations(of: json).isEmpty)
            #expect(json["hits"]?[0]?["recordId"]?.stringValue == id.description)
            #expect(json["tookMs"]?.doubleValue != nil)
            #expect(try JSONCoder.decode(SearchResponse.self, from: json) == response)
        }
    }

    @Test("requests are read as the schema says")
    func request() throws {
        let json: JSONValue = ["query": "x", "bases": ["a"], "limit": 3]
        #expect(SearchRequest.schema.violations(of: json).isEmpty)
        #expect(
            try JSONCoder.decode(SearchRequest.self, from: json) == SearchRequest(query: "x", bases: ["a"], limit: 3)
        )
        #expect(SearchRequest.schema.violations(of: ["query": "", "limit": 0, "bases": "a"]).count == 3)
        let many = JSONValue.array(Array(repeating: "a", count: Limits.searchPlaces + 1))
        #expect(SearchRequest.schema.violations(of: ["query": "x", "bases": many, "tables": many]).count == 2)
    }

    @Test("a hundred names of bases or tables are the most")
    func places() async throws {
        try await withSearch { world in
            _ = try await world.notes(base: "One")
            let names = Array(repeating: "One", count: Limits.searchPlaces)
            _ = try await world.search.search(SearchRequest(query: "x", bases: names), context: world.context)
            for request in [
                SearchRequest(query: "x", bases: names + ["One"]), SearchRequest(query: "x", tables: names + ["One"]),
            ] {
                await #expect(throws: SearchError(.invalidOption, "")) {
                    try await world.search.search(request, context: world.context)
                }
            }
        }
    }

    @Test("bases and tables narrow the search, by name in any case or by identifier")
    func filters() async throws {
        try await withSearch { world in
            let one = try await world.notes(base: "One")
            let two = try await world.notes(base: "Two")
            let first = try await world.create(one, ["Name": "walrus"])[0]
            let second = try await world.create(two, ["Name": "walrus"])[0]
            try await world.index()
            func found(_ bases: [String]?, _ tables: [String]? = nil) async throws -> Set<RecordID> {
                let request = SearchRequest(query: "walrus", bases: bases, tables: tables)
                return Set(try await world.search.search(request, context: world.context).hits.map(\.recordID))
            }
            #expect(try await found(nil) == [first, second])
            #expect(try await found(["one"]) == [first])
            #expect(try await found([" ONE ", two.base.description]) == [first, second])
            #expect(try await found(nil, ["Notes"]) == [first, second])
            #expect(try await found(nil, [two.id.description]) == [second])
            #expect(try await found([]) == [])
            #expect(try await found(nil, []) == [])
            await world.expect(.unknownBase, "no base 'Twoo'; did you mean 'Two'?") { try await found(["Twoo"]) }
            await world.expect(.unknownTable, "no table 'Note'; did you mean 'Notes'?") {
                try await found(["One"], ["Note"])
            }
            await world.expect(.unknownTable) { try await found(["One"], [two.id.description]) }
        }
    }

    @Test("what can't be searched for is refused, with a reason")
    func refusals() async throws {
        try await withSearch { world in
            try await world.index()
            func search(_ request: SearchRequest) async throws {
                _ = try await world.search.search(request, context: world.context)
            }
            await world.expect(.emptyQuery) { try await search(SearchRequest(query: " \n")) }
            await world.expect(.queryTooLong) {
                try await search(SearchRequest(query: String(repeating: "x", count: Limits.queryCharacters + 1)))
            }
            await world.expect(.invalidOption) { try await search(SearchRequest(query: "x", limit: 0)) }
            await world.expect(.invalidOption) { try await search(SearchRequest(query: "x", limit: 101)) }
            #expect(try await world.hits("nothing is indexed yet").isEmpty)
            #expect(try await world.hits("?!").isEmpty)
        }
    }

    @Test("a record found by words only is compared in meaning too, and the other way round")
    func bothSides() async throws {
        try await withSearch { world in
            let table = try await world.notes()
            for start in stride(from: 0, to: 600, by: 100) {
                _ = try await world.airtable.create(
                    (start..<(start + 100)).map { RecordDraft(fields: ["Name": .string("filler item\($0)")]) },
                    in: table.id,
                    context: world.context
                )
            }
            try await world.create(table, ["Name": "walrus"])
            try await world.index()
            let scope = try await world.access.visibleScope(for: world.context, doing: .recordsRead)
            let response = try await world.search.search(
                SearchRequest(query: "walrus item5", limit: 100),
                fusion: .standard,
                visible: scope,
                context: world.context
            )
            #expect(response.hits.count == 100)
            #expect(response.hits.allSatisfy { $0.score > -1 })
            let lexical = try await world.search.search(
                SearchRequest(query: "walrus item5"),
                fusion: .lexical,
                visible: scope,
                context: world.context
            )
            #expect(lexical.hits.prefix(2).allSatisfy { $0.matched.lexical })
        }
    }

    @Test("hits that are gone since they were indexed give way to the next")
    func goneRecords() async throws {
        try await withSearch { world in
            let table = try await world.notes()
            var ids: [RecordID] = []
            for number in 0..<6 { ids += try await world.create(table, ["Name": .string("walrus \(number)")]) }
            try await world.index()
            let first = try await world.hits("walrus", limit: 3).map(\.recordID)
            try await world.airtable.delete(first, in: table.id, context: world.context)
            let second = try await world.hits("walrus", limit: 3).map(\.recordID)
            #expect(second.count == 3)
            #expect(Set(first).isDisjoint(with: second))
            try await world.update(table, second[0], ["Name": "seal"])
            let hit = try #require(try await world.hits("walrus", limit: 3).first { $0.recordID == second[0] })
            #expect(hit.snippet == "Name: seal", "shown as it is now")
        }
    }

    @Test("long cells are found by what stands anywhere in them")
    func longCells() async throws {
        try await withSearch { world in
            let table = try await world.notes()
            var words = (0..<12_000).map { "word\($0 % 50)" }
            words[6_000] = "walrus"
            words[11_990] = "narwhal"
            let id = try await world.create(
                table,
                ["Name": "Long", "Text": .string(words.joined(separator: " "))]
            )[0]
            try await world.index()
            for word in ["walrus", "narwhal"] {
                let hit = try #require(try await world.hits(word).first)
                #expect(hit.recordID == id)
                #expect(hit.snippet.contains(word))
            }
            try await world.expectSound()
        }
    }
}

extension SearchFixture {
    func expect<T>(
        _ code: SearchError.Code,
        _ message: String? = nil,
        sourceLocation: SourceLocation = #_sourceLocation,
        _ body: () async throws -> T
    ) async {
        do {
            _ = try await body()
            Issue.record("nothing was refused; expected \(code.rawValue)", sourceLocation: sourceLocation)
        } catch let error as SearchError {
            #expect(error.code == code, "\(error)", sourceLocation: sourceLocation)
            if let message { #expect(error.message == message, sourceLocation: sourceLocation) }
        } catch {
            Issue.record("\(error) is no SearchError", sourceLocation: sourceLocation)
        }
    }
}

@Suite("Search scope")
struct SearchScopeTests {
    /// Everything about a response but the time it took.
    private func trace(_ hits: [SearchHit]) -> [String] {
        hits.map { "\($0.recordID) \($0.score) \($0.snippet) \($0.highlights.count) \($0.matched)" }
    }

    @Test("a hidden table has no influence on results, scores or order", arguments: DatabaseKind.allCases)
    func hiddenTable(_ kind: DatabaseKind) async throws {
        try await withSearch(kind) { world in
            let open = try await world.notes(base: "Open")
            for number in 0..<20 {
                try await world.create(
                    open,
                    ["Name": .string("walrus \(number)"), "Text": .string("ice floe \(number % 3) walrus")]
                )
            }
            try await world.index()
            let scope = VisibleScope(tenant: world.tenant, bases: [open.base])
            func search() async throws -> [String] {
                let request = SearchRequest(query: "walrus ice 2", limit: 20)
                return trace(
                    try await world.search.search(
                        request,
                        fusion: .standard,
                        visible: scope,
                        context: world.context
                    ).hits
                )
            }
            let before = try await search()
            #expect(before.count == 20)
            let secret = try await world.notes(base: "Secret")
            for number in 0..<30 {
                try await world.create(secret, ["Name": .string("walrus ice \(number)"), "Text": "2 2 2 walrus ice"])
            }
            try await world.index()
            #expect(try await search() == before)
            #expect(try await world.byWords("walrus ice 2", limit: 100).count == 50)
            await world.expect(.unknownBase) {
                try await world.search.search(
                    SearchRequest(query: "x", bases: ["Secret"]),
                    fusion: .standard,
                    visible: scope,
                    context: world.context
                )
            }
        }
    }

    @Test(
        "a hidden field betrays itself neither by words nor by ranking nor by links",
        arguments: DatabaseKind.allCases
    )
    func hiddenField(_ kind: DatabaseKind) async throws {
        try await withSearch(kind) { world in
            let schema = try await world.base(
                "Base",
                [
                    TableDraft(
                        name: "Persons",
                        fields: [
                            FieldDraft(name: "Name", type: .singleLineText),
                            FieldDraft(name: "Public", type: .multilineText),
                            FieldDraft(name: "Secret", type: .multilineText),
                        ]
                    ),
                    TableDraft(
                        name: "Rooms",
                        fields: [
                            FieldDraft(name: "Room", type: .singleLineText), .link("Who", to: "Persons"),
                            FieldDraft(name: "About", type: .multilineText),
                        ]
                    ),
                ]
            )
            let (persons, rooms) = (schema.tables[0], schema.tables[1])
            let secret = try #require(persons.field("Secret"))
            let ann = try await world.create(
                persons,
                ["Name": "Ann", "Public": "likes tea", "Secret": "earns a fortune"]
            )[0]
            let bob = try await world.create(persons, ["Name": "Bob", "Public": "likes tea too"])[0]
            let room = try await world.create(
                rooms,
                ["Room": "Attic", "Who": [.string(ann.description)], "About": "has a tea pot"]
            )[0]
            try await world.index()
            func search(_ query: String, hidden: [TableID: Set<FieldID>]) async throws -> [SearchHit] {
                try await world.search.search(
                    SearchRequest(query: query),
                    fusion: .standard,
                    visible: VisibleScope(tenant: world.tenant, hidden: hidden),
                    context: world.context
                ).hits
            }
            let all = try await search("fortune", hidden: [:])
            #expect(all.first?.recordID == ann && all.first?.matched.lexical == true)
            let some = try await search("fortune", hidden: [persons.id: [secret.id]])
            #expect(some.allSatisfy { !$0.matched.lexical && !$0.snippet.contains("fortune") })
            #expect(Set(some.map(\.recordID)) == [ann, bob, room])

            // The same as if it had never been written.
            let query = "fortune tea"
            let hiding = trace(try await search(query, hidden: [persons.id: [secret.id]]))
            try await world.update(persons, ann, ["Secret": nil])
            try await world.index()
            #expect(trace(try await search(query, hidden: [persons.id: [secret.id]])) == hiding)

            // The primary field of the linked table, hidden, takes the link's text with it.
            let byLink = try await search("Ann", hidden: [persons.id: [persons.primaryField]])
            #expect(byLink.map(\.recordID) == [room])
            #expect(byLink.allSatisfy { !$0.matched.lexical })
            let whole = try await search("Ann", hidden: [:])
            #expect(Set(whole.filter(\.matched.lexical).map(\.recordID)) == [ann, room])
        }
    }
}
