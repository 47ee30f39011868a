import Database
import Domain
import TestSupport
import Testing

@testable import Airtable

@Suite("A mirror of a hosted base")
struct MirrorTests {
    typealias Fixture = MirrorFixture

    // MARK: Pulling

    @Test(
        "the first round brings schema and records, with the service's identifiers and times",
        arguments: DatabaseKind.allCases
    )
    func pull(kind: DatabaseKind) async throws {
        try await withMirror(kind) { mirror in
            let ids = mirror.seed(250)
            mirror.upstream.change(Fixture.base.description) { tables in
                tables[0].rows[0].fields["Kind"] = "blue"
                tables[0].rows[0].fields["Parts"] = ["recPPPPPPPPPPPPPP"]
                let fields: JSONObject = ["Part": "wheel", "Things": [.string(ids[0].description)]]
                tables[1].rows.append(
                    .init(id: "recPPPPPPPPPPPPPP", createdTime: "2023-01-01T00:00:00.000Z", fields: fields)
                )
            }
            try await mirror.attach()
            let state = try await mirror.round()
            #expect(state.isPulled)
            #expect(state[Fixture.things].pulled == 250)
            try await mirror.expectInStep()
            let base = try await mirror.service.base(Fixture.base.description, context: mirror.context)
            #expect(base.name == "Hosted")
            let table = try await mirror.service.table("things", in: base.id, context: mirror.context)
            #expect(
                table.fields.map(\.type) == [.singleLineText, .number, .singleSelect, .multipleRecordLinks, .formula]
            )
            #expect(table.fields[3].options.inverseLinkField == FieldID("fldQQQQQQQQQQQQQQ"))
            let status = try #require(try await mirror.service.hostedBases(context: mirror.context).first)
            #expect(status.home == .mirrored && !status.isTended && status.state == state)
            // A filter runs here, over cells that were computed there.
            var query = RecordQuery()
            query.filter = "AND({Twice}=2,{Number}>240)"
            let asked = mirror.upstream.arrivals.count
            let listing = try await mirror.service.list(query, in: table.id, context: mirror.context)
            #expect(listing.records.count == 10)
            #expect(mirror.upstream.arrivals.count == asked)
        }
    }

    @Test("a pull that fails anywhere goes on where it was", arguments: DatabaseKind.allCases)
    func resumed(kind: DatabaseKind) async throws {
        let fails = Guarded(false)
        try await withMirror(
            kind,
            fault: { number in fails.value && number.isMultiple(of: 2) ? .status(401, body: "{}") : nil }
        ) {
            mirror in
            mirror.seed(450)
            try await mirror.attach()
            fails.value = true
            var rounds = 0
            while true {
                rounds += 1
                try #require(rounds < 50)
                do {
                    try await mirror.round()
                    break
                } catch let error as AirtableError {
                    #expect(error.code == .authenticationRequired)
                    let status = try await mirror.service.hostedBases(context: mirror.context)[0]
                    #expect(status.state.problem == error.message && !status.isTended)
                }
                if rounds == 12 { fails.value = false }
            }
            #expect(rounds > 3)
            try await mirror.expectInStep()
            // Each of the five pages has come once only.
            let pages = mirror.upstream.arrivals.filter { arrival in
                arrival.status == 200 && arrival.target.hasPrefix("\(Fixture.base)/\(Fixture.things)")
                    && !arrival.target.contains("filterByFormula")
            }
            #expect(pages.count == 5)
        }
    }

    @Test("a service that forgets where a listing was is read again from the start", arguments: DatabaseKind.allCases)
    func lostPlace(kind: DatabaseKind) async throws {
        let body = #"{"error":{"type":"LIST_RECORDS_ITERATOR_NOT_AVAILABLE","message":"gone"}}"#
        let lost = Guarded<Set<Int>>([])
        try await withMirror(kind, fault: { lost.value.contains($0) ? .status(422, body: body) : nil }) { mirror in
            mirror.seed(350)
            try await mirror.attach()
            let start = mirror.upstream.arrivals.count
            // After schema and webhook: the third page of the pull.
            lost.value = [start + 5]
            try await mirror.round()
            try await mirror.expectInStep()
            let next = mirror.upstream.arrivals.count
            lost.value = [next + 4, next + 6]
            mirror.upstream.change(Fixture.base.description) { $0[0].rows.removeFirst(20) }
            try await mirror.round(sweeps: true)
            try await mirror.expectInStep()
            #expect(mirror.upstream.arrivals.count { $0.status == 422 } >= 2)
        }
    }

    // MARK: Following

    @Test(
        "what people do there is here after the next round, with a webhook and without",
        arguments: DatabaseKind.allCases,
        [true, false]
    )
    func follows(kind: DatabaseKind, hasWebhook: Bool) async throws {
        try await withMirror(kind) { mirror in
            mirror.upstream.setGivesWebhooks(hasWebhook)
            mirror.seed(120)
            try await mirror.attach()
            var state = try await mirror.round()
            #expect((state.webhook != nil) == hasWebhook)
            let before = mirror.upstream.arrivals.count
            mirror.upstream.change(Fixture.base.description) { tables in
                tables[0].rows[5].fields["Name"] = "changed"
                tables[0].rows[6].fields["Number"] = nil
                tables[0].rows.append(
                    .init(id: "recNEWNEWNEWNEWNE", createdTime: "2024-06-01T00:00:00.000Z", fields: ["Name": "new"])
                )
            }
            mirror.store.clock.advance(seconds: 30)
            state = try await mirror.round()
            #expect(state.changesTime == mirror.store.clock.instant)
            try await mirror.expectInStep()
            #expect(mirror.upstream.arrivals.count - before < 5)
            mirror.upstream.change(Fixture.base.description) { $0[0].rows.remove(at: 3) }
            try await mirror.round()
            // Only a webhook tells of deletions; without one, the next comparison of all records does.
            #expect(try await mirror.stored().count == (hasWebhook ? 120 : 121))
            // An hour after the pull, however often it was asked for changes in between.
            for _ in 1...60 {
                mirror.store.clock.advance(seconds: 60)
                state = try await mirror.round()
            }
            #expect(state.sweepTime == mirror.store.clock.instant)
            try await mirror.expectInStep()
        }
    }

    @Test("a webhook that is lost is noticed, and nothing with it", arguments: DatabaseKind.allCases)
    func lostWebhook(kind: DatabaseKind) async throws {
        try await withMirror(kind) { mirror in
            mirror.seed(20)
            try await mirror.attach()
            try await mirror.round()
            mirror.upstream.setGivesWebhooks(false)
            mirror.upstream.change(Fixture.base.description) { tables in
                tables[0].rows.remove(at: 3)
                tables[0].rows[3].fields["Name"] = "changed"
            }
            let state = try await mirror.round()
            #expect(state.webhook == nil)
            try await mirror.expectInStep()
        }
    }

    @Test("a page that was asked for before a write through us does not undo it", arguments: DatabaseKind.allCases)
    func stalePage(kind: DatabaseKind) async throws {
        try await withMirror(kind) { mirror in
            let ids = mirror.seed(20)
            try await mirror.attach()
            try await mirror.round()
            mirror.transport.hook.value = { target in
                guard target.contains("pageSize") else { return }
                mirror.transport.hook.value = nil
                // The answer is on its way; now somebody writes, deletes and makes records here.
                _ = try await mirror.service.update(
                    [RecordUpdate(id: ids[0], fields: ["Name": "newer"])],
                    in: Fixture.things,
                    context: mirror.context
                )
                try await mirror.service.delete([ids[1]], in: Fixture.things, context: mirror.context)
                _ = try await mirror.service.create(
                    [RecordDraft(fields: ["Name": "made"])],
                    in: Fixture.things,
                    context: mirror.context
                )
            }
            try await mirror.round(sweeps: true)
            #expect(mirror.transport.hook.value == nil)
            try await mirror.expectInStep()
        }
    }

    // MARK: Who keeps it

    @Test("one keeps a base in step at a time; who has died is followed at once", arguments: DatabaseKind.allCases)
    func lease(kind: DatabaseKind) async throws {
        try await withMirror(kind) { mirror in
            mirror.seed(5)
            try await mirror.attach()
            let other = MirrorKeeper.randomOwner
            mirror.transport.hook.value = { target in
                guard target.contains("pageSize") else { return }
                mirror.transport.hook.value = nil
                await expectFailure(.busy) {
                    try await mirror.service.synchronise(Fixture.base, owner: other, context: mirror.context)
                }
                let status = try await mirror.service.hostedBases(context: mirror.context)
                #expect(status[0].isTended)
            }
            try await mirror.round()
            // A process of this machine that no longer runs: 2^22 is above every process number.
            let dead = mirror.owner.split(separator: " ")[0] + " 4194305 usrAAAAAAAAAAAAAA"
            try await mirror.store.database.write(of: .everyTenant) { transaction in
                try transaction.execute(
                    "UPDATE hosted_bases SET owner = $1, lease_end = $2",
                    [.text(String(dead)), .integer(.max)]
                )
            }
            let status = try await mirror.service.hostedBases(context: mirror.context)[0]
            #expect(!status.isTended)
            _ = try await mirror.service.synchronise(Fixture.base, owner: other, context: mirror.context)
            try await mirror.expectInStep()
        }
    }

    @Test("the keeper finds bases that come, keeps each in step, and ends when told", arguments: DatabaseKind.allCases)
    func keeper(kind: DatabaseKind) async throws {
        try await withMirror(kind) { mirror in
            mirror.seed(20)
            var rules = MirrorRules()
            rules.pollInterval = .milliseconds(20)
            let tenant = mirror.context.tenant
            let keeper = MirrorKeeper(
                service: mirror.service,
                access: mirror.store.access,
                rules: rules,
                logger: mirror.context.logger
            ) { [tenant] }
            try await withThrowingTaskGroup { group in
                group.addTask { try await keeper.run() }
                try await mirror.attach()
                try await eventually("the records are here") { try await mirror.stored() == mirror.hosted() }
                mirror.upstream.change(Fixture.base.description) { $0[0].rows[4].fields["Name"] = "changed" }
                try await eventually("the change is here") { try await mirror.stored() == mirror.hosted() }
                try await mirror.service.detach(Fixture.base, context: mirror.context)
                try await mirror.attach()
                try await eventually("the records are here again") { try await mirror.stored() == mirror.hosted() }
                group.cancelAll()
                await #expect(throws: CancellationError.self) { try await group.waitForAll() }
            }
        }
    }

    @Test("a base that is forgotten is gone here, stays there, and can come again", arguments: DatabaseKind.allCases)
    func forgotten(kind: DatabaseKind) async throws {
        try await withMirror(kind) { mirror in
            mirror.seed(30)
            try await mirror.attach()
            try await mirror.round()
            try await mirror.service.detach(Fixture.base, context: mirror.context)
            #expect(try await mirror.service.bases(context: mirror.context).isEmpty)
            #expect(try await mirror.service.hostedBases(context: mirror.context).isEmpty)
            await expectFailure(.modelNotFound) { try await mirror.round() }
            #expect(mirror.hosted().count == 30)
            try await mirror.attach()
            try await mirror.round()
            try await mirror.expectInStep()
        }
    }

    @Test("what is not there, not to be seen, or embedded here is not attached", arguments: DatabaseKind.allCases)
    func refused(kind: DatabaseKind) async throws {
        try await withMirror(kind) { mirror in
            await expectFailure(.modelNotFound) {
                try await mirror.service.attach(.random(), home: .mirrored, context: mirror.context)
            }
            let own = try await mirror.store.table([FieldDraft(name: "Name", type: .singleLineText)])
            mirror.upstream.add(base: own.base.description, name: "Same", [Fixture.partsTable])
            await expectFailure(.modelNotFound) {
                try await mirror.service.attach(own.base, home: .mirrored, context: mirror.context)
            }
            await expectFailure(.modelNotFound) { try await mirror.service.detach(own.base, context: mirror.context) }
            let tokenless = try MirrorFixture(mirror.store, token: nil)
            await expectFailure(.authenticationRequired) { try await tokenless.attach() }
            // Its name is taken: the base gets another one here.
            mirror.upstream.add(base: Fixture.base.description, name: "base", [Fixture.thingsTable])
            try await mirror.attach()
            let base = try await mirror.service.base(Fixture.base.description, context: mirror.context)
            #expect(base.name == "base 2")
        }
    }
}
