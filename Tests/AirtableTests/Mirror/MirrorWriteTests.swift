import Domain
import TestSupport
import Testing

@testable import Airtable

@Suite("Writes to a mirrored base")
struct MirrorWriteTests {
    typealias Fixture = MirrorFixture

    @Test("go to the hosted base first, and are here in the shape of its answer", arguments: DatabaseKind.allCases)
    func written(kind: DatabaseKind) async throws {
        try await withMirror(kind) { mirror in
            let ids = mirror.seed(10)
            mirror.upstream.change(Fixture.base.description) { tables in
                for number in 1...2 {
                    let id = "recPPPPPPPPPPPPP\(number)"
                    tables[1].rows.append(.init(id: id, createdTime: "2023-01-01T00:00:00.000Z", fields: ["Part": "p"]))
                }
            }
            try await mirror.attach()
            try await mirror.round()
            let (service, context) = (mirror.service, mirror.context)
            let links: JSONValue = ["recPPPPPPPPPPPPP1", "recPPPPPPPPPPPPP2"]
            let made = try await service.create(
                [RecordDraft(fields: ["Name": "a", "Parts": links]), RecordDraft(fields: ["fldBBBBBBBBBBBBBB": 7])],
                in: Fixture.things,
                context: context
            )
            #expect(made.map(\.id.description) == mirror.upstream.rows(Fixture.base.description).suffix(2).map(\.id))
            #expect(made[0].createdTime.iso8601 == "2024-05-01T12:00:00.000Z")
            // Nobody has asked the service since: both sides of the links are here.
            try await mirror.expectInStep()
            let moved = RecordUpdate(id: made[0].id, fields: ["Parts": ["recPPPPPPPPPPPPP2"], "Kind": "red"])
            _ = try await service.update([moved], in: Fixture.things, context: context)
            try await mirror.expectInStep()
            let replaced = try await service.update(
                [RecordUpdate(id: ids[0], fields: ["Name": "only"])],
                in: Fixture.things,
                replacing: true,
                context: context
            )
            #expect(replaced[0].cells.count == 1)
            try await mirror.expectInStep()
            let upserted = try await service.upsert(
                [
                    RecordUpsert(fields: ["Name": "n5", "Number": 55]), RecordUpsert(fields: ["Name": "fresh"]),
                ],
                mergeOn: ["Name"],
                in: Fixture.things,
                context: context
            )
            #expect(upserted.updated == [ids[4]] && upserted.created.count == 1)
            try await mirror.expectInStep()
            try await service.delete([made[0].id, ids[1]], in: Fixture.things, context: context)
            try await mirror.expectInStep()
            #expect(mirror.upstream.arrivals.filter { $0.method == "GET" }.count < 8)
        }
    }

    @Test("that the hosted base refuses change nothing, and say what it said", arguments: DatabaseKind.allCases)
    func refused(kind: DatabaseKind) async throws {
        try await withMirror(kind) { mirror in
            let ids = mirror.seed(3)
            try await mirror.attach()
            try await mirror.round()
            let (service, context) = (mirror.service, mirror.context)
            let error = await expectFailure(.invalidValueForColumn) {
                try await service.create(
                    [RecordDraft(fields: ["Name": "x"]), RecordDraft(fields: ["Number": "x"])],
                    in: Fixture.things,
                    context: context
                )
            }
            #expect(error?.message == #"Field "Number" cannot accept the provided value"#)
            await expectFailure(.rowDoesNotExist) {
                try await service.delete([ids[0], .random()], in: Fixture.things, context: context)
            }
            let calls = mirror.upstream.arrivals.count { $0.method != "GET" }
            // What may not be written, or is no field even there, is not asked for.
            let reader = mirror.store.context(with: [.recordsRead])
            await #expect(throws: (any Error).self) {
                try await service.create([RecordDraft(fields: ["Name": "x"])], in: Fixture.things, context: reader)
            }
            await expectFailure(.unknownFieldName) {
                try await service.create([RecordDraft(fields: ["Nme": "x"])], in: Fixture.things, context: context)
            }
            #expect(mirror.upstream.arrivals.count { $0.method != "GET" } == calls)
            try await mirror.expectInStep()
        }
    }

    @Test("a field that people have just made there can be written here", arguments: DatabaseKind.allCases)
    func newField(kind: DatabaseKind) async throws {
        try await withMirror(kind) { mirror in
            mirror.seed(3)
            try await mirror.attach()
            try await mirror.round()
            mirror.upstream.change(Fixture.base.description) { tables in
                tables[0].fields.append(Fixture.field("N", "Note", "multilineText"))
            }
            let made = try await mirror.service.create(
                [RecordDraft(fields: ["Name": "x", "Note": "there"])],
                in: Fixture.things,
                context: mirror.context
            )
            #expect(made[0].cells[try #require(FieldID("fldNNNNNNNNNNNNNN"))] == .text("there"))
            try await mirror.expectInStep()
        }
    }

    @Test(
        "a create whose answer is lost is uncertain, and the next round shows what came of it",
        arguments: DatabaseKind.allCases
    )
    func uncertain(kind: DatabaseKind) async throws {
        let cuts = Guarded(false)
        try await withMirror(kind, fault: { _ in cuts.value ? .cutAfter : nil }) { mirror in
            mirror.upstream.setGivesWebhooks(false)
            mirror.seed(3)
            try await mirror.attach()
            try await mirror.round()
            cuts.value = true
            await expectFailure(.writeUncertain) {
                try await mirror.service.create(
                    [RecordDraft(fields: ["Name": "perhaps"])],
                    in: Fixture.things,
                    context: mirror.context
                )
            }
            cuts.value = false
            #expect(try await mirror.stored().count == 3)
            let state = try await mirror.round()
            // Every record was compared, not only what changed.
            #expect(state[Fixture.things].sweepTime == mirror.store.clock.instant)
            #expect(try await mirror.stored().count == 4)
            try await mirror.expectInStep()
        }
    }

    @Test(
        "answers that come in another order than the writes leave what was written last",
        arguments: DatabaseKind.allCases
    )
    func crossing(kind: DatabaseKind) async throws {
        try await withMirror(kind) { mirror in
            let ids = mirror.seed(3)
            try await mirror.attach()
            try await mirror.round()
            mirror.transport.hook.value = { _ in
                mirror.transport.hook.value = nil
                // Before this answer arrives, somebody there changes the record again, and a round brings it here.
                mirror.upstream.change(Fixture.base.description) { $0[0].rows[0].fields["Number"] = 99 }
                try await mirror.round(sweeps: true)
            }
            _ = try await mirror.service.update(
                [RecordUpdate(id: ids[0], fields: ["Number": 1])],
                in: Fixture.things,
                context: mirror.context
            )
            #expect(mirror.hosted()[ids[0].description]?["Number"] == 99)
            try await mirror.expectInStep()
        }
    }

    @Test("more than ten go in tens; a failure says how many were written before it", arguments: DatabaseKind.allCases)
    func many(kind: DatabaseKind) async throws {
        try await withMirror(kind) { mirror in
            try await mirror.attach()
            try await mirror.round()
            let drafts = (1...25).map {
                RecordDraft(fields: ["Name": .string("n\($0)"), "Number": $0 == 23 ? "x" : 1])
            }
            let error = await expectFailure(.invalidValueForColumn) {
                try await mirror.service.create(drafts, in: Fixture.things, context: mirror.context)
            }
            #expect(error?.message.hasPrefix("20 of 25 records were written, then: ") == true)
            try await mirror.round()
            #expect(try await mirror.stored().count == 20)
            let made = try await mirror.service.create(
                drafts.prefix(22).map { $0 },
                in: Fixture.things,
                context: mirror.context
            )
            #expect(made.count == 22)
            try await mirror.expectInStep()
        }
    }

    @Test("what only the hosted service may decide is refused here, and says so", arguments: DatabaseKind.allCases)
    func theirs(kind: DatabaseKind) async throws {
        try await withMirror(kind) { mirror in
            mirror.seed(3)
            try await mirror.attach()
            try await mirror.round()
            let (service, context) = (mirror.service, mirror.context)
            let field = try #require(FieldID("fldAAAAAAAAAAAAAA"))
            await expectFailure(.invalidRequest) { try await service.deleteBase(Fixture.base, context: context) }
            await expectFailure(.invalidRequest) { try await service.deleteTable(Fixture.things, context: context) }
            await expectFailure(.invalidRequest) {
                try await service.deleteField(field, in: Fixture.things, context: context)
            }
            await expectFailure(.invalidRequest) {
                try await service.imports.begin(
                    .appending(Fixture.base, tables: [Fixture.things]),
                    tables: [],
                    owner: "test",
                    context: context
                )
            }
            let made = try await service.create(
                [RecordDraft(fields: ["Name": "x"])],
                in: Fixture.things,
                context: context
            )
            let history = try await service.history(of: made[0].id, in: Fixture.things, context: context)
            let number = try #require(history.entries.first?.transaction)
            await expectFailure(.invalidRequest) { try await service.undo(transaction: number, context: context) }
            try await mirror.expectInStep()
        }
    }
}
