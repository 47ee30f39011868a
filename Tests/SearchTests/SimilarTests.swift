import Access
import Domain
import TestSupport
import Testing

@testable import Search

@Suite("Records like one record")
struct SimilarTests {
    @Test("the most alike come first, without the record itself", arguments: DatabaseKind.allCases)
    func alike(_ kind: DatabaseKind) async throws {
        try await withSearch(kind) { world in
            let table = try await world.notes()
            let source = try await world.create(table, ["Name": "walrus", "Text": "tusks on the ice shelf"])[0]
            let twin = try await world.create(table, ["Name": "walrus", "Text": "tusks on the ice shelf"])[0]
            let cousin = try await world.create(table, ["Name": "seal", "Text": "sleeps on the ice shelf"])[0]
            let stranger = try await world.create(table, ["Name": "tax", "Text": "due in April"])[0]
            try await world.index()
            let request = SimilarRequest(recordID: source.description)
            let hits = try await world.search.similar(request, context: world.context).hits
            #expect(hits.map(\.recordID).prefix(2) == [twin, cousin])
            #expect(!hits.map(\.recordID).contains(source))
            #expect(hits.last?.recordID == stranger || hits.count == 2)
            #expect(try #require(hits.first).score > 0.999)
            let few = SimilarRequest(recordID: source.description, limit: 1)
            #expect(try await world.search.similar(few, context: world.context).hits.map(\.recordID) == [twin])
            let near = SimilarRequest(recordID: source.description, minScore: 0.99)
            #expect(try await world.search.similar(near, context: world.context).hits.map(\.recordID) == [twin])
        }
    }

    @Test("named tables and bases bound what is found, not what it is compared with")
    func places() async throws {
        try await withSearch { world in
            let here = try await world.notes(base: "Here")
            let there = try await world.notes(base: "There")
            let source = try await world.create(here, ["Name": "walrus"])[0]
            try await world.create(here, ["Name": "walrus"])
            let other = try await world.create(there, ["Name": "walrus"])[0]
            try await world.index()
            let request = SimilarRequest(recordID: source.description, bases: ["There"])
            #expect(try await world.search.similar(request, context: world.context).hits.map(\.recordID) == [other])
        }
    }

    @Test("a record that is hidden, unknown or no id is not there, and no hidden one is like another")
    func hidden() async throws {
        try await withSearch { world in
            let open = try await world.notes(base: "Open")
            let secret = try await world.notes(base: "Secret")
            let seen = try await world.create(open, ["Name": "walrus"])[0]
            let unseen = try await world.create(secret, ["Name": "walrus"])[0]
            try await world.index()
            let visible = VisibleScope(tenant: world.tenant, bases: [open.base])
            func similar(_ id: String) async throws -> [RecordID] {
                try await world.search.similar(
                    SimilarRequest(recordID: id),
                    visible: visible,
                    context: world.context
                ).hits.map(\.recordID)
            }
            #expect(try await similar(seen.description).isEmpty)
            for id in [unseen.description, RecordID.random().description, "nonsense"] {
                await #expect(throws: SearchError(.unknownRecord, "")) { try await similar(id) }
            }
        }
    }
}
