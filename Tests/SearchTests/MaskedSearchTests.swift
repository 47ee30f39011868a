import Access
import Airtable
import Domain
import Jobs
import TestSupport
import Testing

@testable import Search

@Suite("Searching what one sees a part of")
struct MaskedSearchTests {
    /// Notes of two people: half of them are hers.
    private struct World {
        let base: SearchFixture
        let notes: Table
        let hers: [RecordID]
        let his: [RecordID]
        /// For her.
        let access: AccessService
        let search: SearchService

        init(_ base: SearchFixture, hiding field: String? = nil, ruled: Bool = true) async throws {
            self.base = base
            notes = try await base.notes()
            var (hers, his): ([RecordID], [RecordID]) = ([], [])
            for number in 0..<12 {
                let isHers = number % 2 == 0
                let made = try await base.create(
                    notes,
                    [
                        "Name": .string(isHers ? "walrus \(number)" : "walrus hushword \(number)"),
                        "Text": .string(isHers ? "ice floe \(number) walrus" : "hushword walrus walrus ice"),
                        "Tag": .string(isHers ? "hers" : "his"),
                    ]
                )
                if isHers { hers += made } else { his += made }
            }
            (self.hers, self.his) = (hers, his)
            try await base.index()
            var sight = Reach()
            if ruled {
                let reader = RecordRule.Reader(user: base.context.principal.user, name: "owner")
                sight.rules[notes.id] = RecordRule(allowances: [.init(formulas: ["{Tag}='hers'"])], reader: reader)
            }
            if let field { sight.excludedFields[notes.id] = [try #require(notes.field(field)).id] }
            var access = base.access
            let narrow = sight
            access.narrowing = { scope, _ in VisibleScope(tenant: scope.tenant, sight: narrow) }
            self.access = access
            let airtable = AirtableService(database: base.database, access: access)
            search = SearchService(
                database: base.database,
                access: access,
                airtable: airtable,
                embedder: base.embedder,
                collections: base.services.collections,
                pool: base.services.pool
            )
        }

        func everything(_ search: SearchService) async throws -> [String] {
            var found: [String] = []
            for mode in [SearchMode.hybrid, .lexical, .semantic] {
                for query in ["walrus ice", "hushword", "ice floe 4"] {
                    var request = SearchRequest(query: query, limit: 20)
                    (request.mode, request.explain) = (mode, true)
                    let response = try await search.search(request, context: base.context)
                    found += response.hits.map { "\($0.recordID) \($0.score) \($0.snippet) \($0.matched)" }
                    if let explanation = response.explanation {
                        found.append("\(explanation.units) \(explanation.records) \(explanation.lexicalCandidates)")
                    }
                }
            }
            let similar = SimilarRequest(recordID: hers[0].description, limit: 20)
            found += try await search.similar(similar, context: base.context).hits.map { "\($0.recordID) \($0.score)" }
            let answer = try await AnswerExtractor(search: search).answer(
                "Which walrus is on an ice floe?",
                bases: nil,
                tables: nil,
                context: base.context
            )
            found.append("\(answer)")
            let status = try await search.status(context: base.context)
            found += status.tables.map { "\($0.table) \($0.records) \($0.units)" }
            return found
        }
    }

    @Test(
        "AUTHZ-05: hits, scores, counts and answers are as if the records that a rule keeps back had never been there",
        arguments: DatabaseKind.allCases
    )
    func rules(_ kind: DatabaseKind) async throws {
        try await withSearch(kind) { base in
            let world = try await World(base)
            let masked = try await world.everything(world.search)
            #expect(!masked.contains { $0.contains("hushword") || $0.contains("his") })
            #expect(!masked.contains { line in world.his.contains { line.contains($0.description) } })
            let whole = try await world.everything(base.search)
            #expect(whole != masked && whole.contains { $0.contains("hushword") })
            try await base.airtable.delete(world.his, in: world.notes.id, context: base.context)
            try await base.index()
            #expect(try await world.everything(base.search) == masked)
        }
    }

    @Test("AUTHZ-05: a record that is kept back is unknown as the one to compare with")
    func source() async throws {
        try await withSearch { base in
            let world = try await World(base)
            for record in [world.his[0], .random()] {
                await #expect(throws: SearchError.unknownRecord) {
                    try await world.search.similar(
                        SimilarRequest(recordID: record.description),
                        context: base.context
                    )
                }
            }
        }
    }

    @Test(
        "AUTHZ-05: a filter chooses among what is seen, and what changes is seen at once",
        arguments: DatabaseKind.allCases
    )
    func filtered(_ kind: DatabaseKind) async throws {
        try await withSearch(kind) { base in
            let world = try await World(base)
            func found(_ filter: String?) async throws -> Set<RecordID> {
                let request = SearchRequest(query: "walrus", filter: filter, limit: 20)
                return Set(try await world.search.search(request, context: base.context).hits.map(\.recordID))
            }
            #expect(try await found("{Tag}!='x'") == Set(world.hers))
            #expect(try await found("{Tag}='his'").isEmpty)
            try await base.update(world.notes, world.his[0], ["Tag": "hers"])
            try await base.update(world.notes, world.hers[0], ["Tag": "his"])
            try await base.index()
            #expect(try await found(nil) == Set(world.hers.dropFirst() + [world.his[0]]))
        }
    }

    @Test("AUTHZ-05: how far the index is tells of the records that are seen only")
    func jobs() async throws {
        try await withSearch { base in
            let world = try await World(base)
            #expect(try await world.search.status(context: base.context).tables.map(\.records) == [6])
            #expect(try await base.search.status(context: base.context).tables.map(\.records) == [12])
        }
    }

    /// What the words of several queries find, with scores and counts, also among filtered records.
    private static func lexical(_ search: SearchService, _ context: RequestContext) async throws -> [String] {
        var lines: [String] = []
        for query in ["walrus 4", "hushword", "hers", "his", "walrus ice"] {
            for filter in [nil, "FIND('4',{Name})", "{Name}!='walrus 4'"] {
                var request = SearchRequest(query: query, filter: filter, limit: 50, mode: .lexical)
                request.explain = true
                let response = try await search.search(request, context: context)
                lines += response.hits.map { "\(query): \($0.recordID) \($0.score) \($0.snippet)" }
                if let found = response.explanation {
                    lines.append("\(found.units) \(found.records) \(found.lexicalCandidates)")
                }
            }
        }
        return lines
    }

    @Test(
        "AUTHZ-04: with a hidden short field the others are found by their words, as if it had never been there",
        arguments: DatabaseKind.allCases,
        [false, true]
    )
    func shortFields(_ kind: DatabaseKind, ruled: Bool) async throws {
        try await withSearch(kind) { base in
            let world = try await World(base, hiding: "Tag", ruled: ruled)
            let (search, context) = (world.search, base.context)
            let masked = try await Self.lexical(search, context)
            #expect(masked.contains { $0.hasPrefix("walrus 4") } && !masked.contains { $0.hasPrefix("hers") })
            for mode in SearchMode.allCases {
                let request = SearchRequest(query: "walrus 4 hers his", limit: 50, mode: mode)
                let hits = try await search.search(request, context: context).hits
                #expect(!hits.isEmpty && hits.allSatisfy { $0.fields["Tag"] == nil && !$0.snippet.contains("Tag") })
                // Asked again, it comes from what was kept.
                #expect(try await search.search(request, context: context).hits == hits)
            }
            let hybrid = try await search.search(SearchRequest(query: "walrus 4", limit: 50), context: context).hits
            #expect(hybrid.contains { $0.recordID == world.hers[2] && $0.matched.lexical })
            let answer = try await AnswerExtractor(search: search).answer(
                "Which walrus is hers?",
                bases: nil,
                tables: nil,
                context: context
            )
            #expect(!answer.text.contains("Tag"))
            // What changes is found at once.
            try await base.update(world.notes, world.hers[0], ["Name": "narwhal"])
            try await base.index()
            let changed = SearchRequest(query: "narwhal", limit: 50, mode: .lexical)
            #expect(try await search.search(changed, context: context).hits.map(\.recordID) == [world.hers[0]])
            let seen = try await Self.lexical(search, context)
            if ruled { try await base.airtable.delete(world.his, in: world.notes.id, context: context) }
            let tag = try #require(world.notes.field("Tag")).id
            try await base.airtable.deleteField(tag, in: world.notes.id, context: context)
            try await base.index()
            #expect(try await Self.lexical(base.search, context) == seen)
        }
    }

    @Test("AUTHZ-04: with a hidden short field a record of short fields alone can be compared with")
    func similarToShort() async throws {
        try await withSearch { base in
            let world = try await World(base, hiding: "Tag")
            let name = try await base.create(world.notes, ["Name": "walrus ice floe", "Tag": "hers"])[0]
            let other = try await base.create(world.notes, ["Name": "walrus ice floe", "Tag": "his"])[0]
            try await base.index()
            func similar(_ id: RecordID) async throws -> [SearchHit] {
                try await world.search.similar(SimilarRequest(recordID: id.description), context: base.context).hits
            }
            let hits = try await similar(name)
            #expect(!hits.isEmpty && hits.allSatisfy { world.hers.contains($0.recordID) })
            await #expect(throws: SearchError.unknownRecord) { try await similar(other) }
        }
    }

    @Test("AUTHZ-05: texts are made once for a place in the log, and for what is seen")
    func kept() {
        let cache = MaskedTextCache()
        let key = { (sequence: Int64, indexed: Int64, records: Set<RecordID>?) in
            MaskedTextCache.Key(
                scope: VisibleScope(tenant: Self.tenant),
                sequence: sequence,
                indexed: indexed,
                records: records
            )
        }
        let words = WordAnalyzer.counts(of: "walrus")
        let unit = MaskedTexts.Unit(key: UnitKey(partition: 1, entry: 0), record: .random(), words: words)
        cache.keep([unit], of: 1, key(1, 1, nil))
        #expect(cache.units(of: 1, key(1, 1, nil)) == [unit])
        #expect(cache.units(of: 2, key(1, 1, nil)) == nil)
        for other in [key(2, 1, nil), key(1, 2, nil), key(1, 1, [])] { #expect(cache.units(of: 1, other) == nil) }
        cache.keep([], of: 1, key(2, 1, nil))
        #expect(cache.units(of: 1, key(1, 1, nil)) == nil && cache.units(of: 1, key(2, 1, nil))?.isEmpty == true)
    }

    private static let tenant = TenantID.random()
}
