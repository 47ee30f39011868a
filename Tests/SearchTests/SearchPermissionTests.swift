import Access
import Airtable
import Domain
import TestSupport
import Testing

@testable import Search

@Suite("Who may search what")
struct SearchPermissionTests {
    @Test("who may only search sees what a hit shows, in their bases", arguments: DatabaseKind.allCases)
    func searchAlone(_ kind: DatabaseKind) async throws {
        try await withSearch(kind) { world in
            let notes = try await world.notes(base: "Open")
            let secret = try await world.notes(base: "Secret")
            let id = try await world.create(notes, ["Name": "walrus", "Text": "tusks"])[0]
            try await world.create(secret, ["Name": "walrus"])
            try await world.index()
            let made = try await world.access.createKey(
                APIKeyDraft(name: "search", scopes: [.search], bases: [notes.base]),
                context: world.context
            )
            let context = try await world.access.authenticate(
                bearer: made.text,
                timeout: .seconds(60),
                requestID: "x",
                logger: world.context.logger
            )
            for request in [
                SearchRequest(query: "walrus"),
                SearchRequest(query: "walrus", bases: ["open"], tables: ["notes"]),
            ] {
                let hits = try await world.search.search(request, context: context).hits
                #expect(hits.map(\.recordID) == [id])
                #expect(hits.first?.base == "Open" && hits.first?.table == "Notes")
                #expect(hits.first?.fields["Text"] == "tusks")
            }
            await #expect(throws: SearchError(.unknownBase, "")) {
                try await world.search.search(SearchRequest(query: "walrus", bases: ["Secret"]), context: context)
            }
            // It opens nothing else.
            await #expect(throws: AccessError.self) { try await world.airtable.bases(context: context) }
            await #expect(throws: AccessError.self) {
                try await world.airtable.record(id, in: notes.id, context: context)
            }
        }
    }

    @Test("a key for some bases finds nothing in others, and another tenant nothing at all")
    func keys() async throws {
        try await withSearch { world in
            let open = try await world.notes(base: "Open")
            let secret = try await world.notes(base: "Secret")
            let id = try await world.create(open, ["Name": "walrus"])[0]
            try await world.create(secret, ["Name": "walrus"])
            try await world.index()
            let made = try await world.access.createKey(
                APIKeyDraft(name: "narrow", scopes: Set(Permission.allCases), bases: [open.base]),
                context: world.context
            )
            let narrow = try await world.access.authenticate(
                bearer: made.text,
                timeout: .seconds(60),
                requestID: "x",
                logger: world.context.logger
            )
            let hits = try await world.search.search(SearchRequest(query: "walrus"), context: narrow).hits
            #expect(hits.map(\.recordID) == [id])
            let other = try await world.access.createTenant(name: "Other", ownerName: "Eve", context: world.context)
            let stranger = try await world.access.authenticate(
                bearer: other.key.text,
                timeout: .seconds(60),
                requestID: "s",
                logger: world.context.logger
            )
            #expect(try await world.search.search(SearchRequest(query: "walrus"), context: stranger).hits.isEmpty)
            let weak = RequestContext(
                id: "w",
                principal: Principal(user: world.context.principal.user, key: nil, permissions: [.recordsRead]),
                tenant: world.tenant,
                deadline: world.context.deadline,
                origin: .http,
                logger: world.context.logger
            )
            await #expect(throws: AccessError.self) {
                try await world.search.search(SearchRequest(query: "walrus"), context: weak)
            }
        }
    }
}
