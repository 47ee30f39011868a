import Access
import Airtable
import Domain
import Embeddings
import TestSupport
import Testing

@testable import Search

@Suite("Status of the index")
struct SearchStatusTests {
    @Test("tells what waits, table by table, and that all is there once it is", arguments: DatabaseKind.allCases)
    func lag(_ kind: DatabaseKind) async throws {
        try await withSearch(kind) { world in
            let quiet = try await world.notes(base: "Quiet")
            let busy = try await world.notes(base: "Busy")
            try await world.create(quiet, ["Name": "one"])
            let before = try await world.search.status(context: world.context)
            #expect(before.indexedSequence == nil && !before.isCurrent)
            #expect(before.tables.map(\.state) == [.waiting, .waiting])
            try await world.index()
            let current = try await world.search.status(context: world.context)
            #expect(current.isCurrent && current.tables.allSatisfy { $0.state == .current && $0.lagChanges == 0 })
            #expect(current.indexedSequence == current.latestSequence)
            #expect(current.model.id == world.embedder.identity.id)
            try await world.create(busy, ["Name": "two", "Text": "a text"], ["Name": "three"])
            let written = Instant.now()
            let later = Instant(microseconds: written.microseconds + 5_000_000)
            let behind = try await world.search.status(now: later, context: world.context)
            let entries = Dictionary(uniqueKeysWithValues: behind.tables.map { ($0.tableID, $0) })
            #expect(entries[quiet.id]?.state == .current && entries[quiet.id]?.lagChanges == 0)
            #expect(entries[quiet.id]?.units == 1 && entries[quiet.id]?.records == 1)
            let entry = try #require(entries[busy.id])
            #expect(entry.state == .behind && entry.lagChanges == 2 && entry.records == 2 && entry.units == 0)
            #expect(try #require(entry.lagSeconds) >= 5)
            #expect(entry.base == "Busy" && entry.table == "Notes")
            #expect(!behind.isCurrent && behind.latestSequence - (behind.indexedSequence ?? 0) == 2)
            try await world.index()
            let after = try await world.search.status(context: world.context)
            #expect(after.isCurrent && after.tables.first { $0.tableID == busy.id }?.units == 3)
        }
    }

    @Test("shows no base that may not be seen, and asks for the permission search")
    func permission() async throws {
        try await withSearch { world in
            let open = try await world.notes(base: "Open")
            _ = try await world.notes(base: "Secret")
            try await world.index()
            let made = try await world.access.createKey(
                APIKeyDraft(name: "search", scopes: [.search], bases: [open.base]),
                context: world.context
            )
            let narrow = try await world.access.authenticate(
                bearer: made.text,
                timeout: .seconds(60),
                requestID: "x",
                logger: world.context.logger
            )
            #expect(try await world.search.status(context: narrow).tables.map(\.base) == ["Open"])
            let weak = RequestContext(
                id: "w",
                principal: Principal(user: world.context.principal.user, key: nil, permissions: [.recordsRead]),
                tenant: world.tenant,
                deadline: world.context.deadline,
                origin: .http,
                logger: world.context.logger
            )
            await #expect(throws: AccessError.self) { try await world.search.status(context: weak) }
        }
    }
}
