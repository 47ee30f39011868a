import Access
import Domain
import TestSupport
import Testing

@testable import Airtable

@Suite("A hosted base that is not mirrored")
struct WebAPIBackendTests {
    typealias Fixture = MirrorFixture

    @Test("answers every read from the service, and keeps its schema here only", arguments: DatabaseKind.allCases)
    func reads(kind: DatabaseKind) async throws {
        try await withMirror(kind) { mirror in
            let ids = mirror.seed(250)
            try await mirror.attach(.hosted)
            try await mirror.round()
            let (service, context) = (mirror.service, mirror.context)
            #expect(try await mirror.stored() == mirror.hosted())
            var (query, found) = (RecordQuery(), [RecordID]())
            query.pageSize = 60
            query.fields = ["Number"]
            repeat {
                let page = try await service.list(query, in: Fixture.things, context: context)
                #expect(page.fields.map(\.name) == ["Number"])
                found += page.records.map(\.id)
                query.offset = page.offset
            } while query.offset != nil
            #expect(found == ids)
            let named = try await service.reads(by: .recordsRead).record(
                ids[7],
                inTable: "things",
                of: Fixture.base,
                context: context
            )
            #expect(CellCodec.fields(of: named.record, table: named.table)["Name"] == "n8")
            let some = [ids[3], RecordID.random(), ids[1], ids[3]]
            #expect(
                try await service.records(some, in: Fixture.things, context: context).map(\.id) == [
                    ids[3], ids[1], ids[3],
                ]
            )
            await expectFailure(.notFound) {
                try await service.record(.random(), in: Fixture.things, context: context)
            }
            #expect(try await service.recordCount(in: Fixture.things, context: context) == 250)
            let names = try await service.primaryValues(of: [ids[0]], in: Fixture.things, context: context)
            #expect(names == [ids[0]: "n1"])
            let stored = service.storedReads(by: .recordsRead)
            let page = try await stored.records(in: Fixture.things, page: RecordPageRequest(), context: context)
            #expect(page.records.isEmpty)
            #expect(try await stored.recordCount(in: Fixture.things, context: context) == 0)
        }
    }

    @Test("takes every write there, with the same rights, names and answers", arguments: DatabaseKind.allCases)
    func writes(kind: DatabaseKind) async throws {
        try await withMirror(kind) { mirror in
            let ids = mirror.seed(5)
            try await mirror.attach(.hosted)
            let (service, context) = (mirror.service, mirror.context)
            let made = try await service.create(
                [RecordDraft(fields: ["Name": "a", "Kind": "blue"])],
                in: Fixture.things,
                context: context
            )
            let kind = try #require(FieldID("fldCCCCCCCCCCCCCC"))
            #expect(made[0].cells[kind] == .choice(try #require(ChoiceID("sel22222222222222"))))
            _ = try await service.update(
                [RecordUpdate(id: ids[0], fields: ["Number": 3])],
                in: Fixture.things,
                context: context
            )
            try await service.delete([ids[1]], in: Fixture.things, context: context)
            let upserted = try await service.upsert(
                [RecordUpsert(fields: ["Name": "n3", "Number": 33])],
                mergeOn: ["Name"],
                in: Fixture.things,
                context: context
            )
            #expect(upserted.updated == [ids[2]])
            #expect(try await mirror.stored() == mirror.hosted())
            let reader = mirror.store.context(with: [.recordsRead])
            await #expect(throws: AccessError.forbidden(.recordsDelete)) {
                try await service.delete([ids[0]], in: Fixture.things, context: reader)
            }
            await expectFailure(.rowDoesNotExist) {
                try await service.delete([ids[1]], in: Fixture.things, context: context)
            }
            try await mirror.store.expectSound()
        }
    }

    @Test("sees nothing of another tenant, nor through a key for other bases", arguments: DatabaseKind.allCases)
    func scope(kind: DatabaseKind) async throws {
        try await withMirror(kind) { mirror in
            mirror.seed(5)
            try await mirror.attach(.hosted)
            let stranger = try await mirror.store.otherTenant()
            #expect(try await mirror.service.hostedBases(context: stranger).isEmpty)
            let calls = mirror.upstream.arrivals.count
            await expectFailure(.modelNotFound) {
                try await mirror.service.list(RecordQuery(), in: Fixture.things, context: stranger)
            }
            await expectFailure(.modelNotFound) {
                try await mirror.service.create([RecordDraft(fields: [:])], in: Fixture.things, context: stranger)
            }
            #expect(mirror.upstream.arrivals.count == calls)
        }
    }

    @Test(
        "what a caller may not see is neither sent, shown, filtered by, nor cleared",
        arguments: DatabaseKind.allCases
    )
    func hidden(kind: DatabaseKind) async throws {
        try await withMirror(kind) { mirror in
            let ids = mirror.seed(3)
            try await mirror.attach(.hosted)
            let number = try #require(FieldID("fldBBBBBBBBBBBBBB"))
            let open = try await mirror.service.backend(
                of: Fixture.things,
                isWrite: true,
                doing: .recordsWrite,
                context: mirror.context
            )
            let known = try #require(open)
            let backend = WebAPIBackend(
                service: known.service,
                upstream: known.upstream,
                base: known.base,
                home: known.home,
                model: known.model,
                scope: VisibleScope(tenant: mirror.context.tenant, hidden: [Fixture.things: [number]]),
                context: mirror.context
            )
            let listing = try await backend.list(RecordQuery())
            #expect(listing.records.allSatisfy { $0.cells[number] == nil && $0.cells.count == 2 })
            #expect(mirror.upstream.arrivals.last?.target.contains("fldBBBBBBBBBBBBBB") == false)
            var query = RecordQuery()
            query.filter = "{Number}>0"
            await expectFailure(.invalidFilter) { try await backend.list(query) }
            await expectFailure(.invalidPermissions) {
                try await backend.create([RecordDraft(fields: ["Number": 1])], typecast: false)
            }
            let update = RecordUpdate(id: ids[0], fields: ["Name": "x"])
            _ = try await backend.update([update], replacing: true, typecast: false)
            #expect(mirror.hosted()[ids[0].description]?["Number"] == 1)
            #expect(mirror.hosted()[ids[0].description]?["Name"] == "x")
        }
    }

    @Test("becomes a mirror when that is wanted, and back", arguments: DatabaseKind.allCases)
    func becomesMirror(kind: DatabaseKind) async throws {
        try await withMirror(kind) { mirror in
            mirror.seed(30)
            try await mirror.attach(.hosted)
            try await mirror.attach(.mirrored)
            try await mirror.round()
            let calls = mirror.upstream.arrivals.count
            try await mirror.expectInStep()
            #expect(mirror.upstream.arrivals.count == calls)
        }
    }
}
