import Database
import Domain
import TestSupport
import Testing

@testable import Airtable

/// Formulas that read the clock, or when their record was changed.
@Suite("Computed fields and time")
struct ComputedTimeTests {
    static let fields = [
        FieldDraft(name: "Name", type: .singleLineText), FieldDraft(name: "n", type: .number),
        ShopBase.formula("Any", "DATETIME_FORMAT(LAST_MODIFIED_TIME(), \"X\")"),
        ShopBase.formula("Number", "LAST_MODIFIED_TIME({n})"), FieldDraft(name: "When", type: .lastModifiedTime),
    ]

    @Test("LAST_MODIFIED_TIME is when a cell was last set to another value", arguments: DatabaseKind.allCases)
    func modified(_ kind: DatabaseKind) async throws {
        try await withStore(kind) { store in
            let table = try await store.table(Self.fields)
            let start = store.clock.instant
            func seconds(_ offset: Int64) -> JSONValue { .string("\(start.milliseconds / 1_000 + offset)") }
            func time(_ offset: Int64) -> JSONValue {
                .string(CellCodec.timestamp(Instant(milliseconds: start.milliseconds + offset * 1_000)))
            }
            func set(_ id: RecordID, _ fields: JSONObject) async throws {
                store.clock.advance(seconds: 10)
                _ = try await store.service.update(
                    [RecordUpdate(id: id, fields: fields)],
                    in: table.id,
                    context: store.context
                )
            }
            let id = try await store.create(table, ["Name": "a", "n": 1])[0].id
            var fields = try await store.fields(id, table)
            #expect(fields["Any"] == seconds(0) && fields["Number"] == time(0))
            try await set(id, ["Name": "b"])
            fields = try await store.fields(id, table)
            #expect(fields["Any"] == seconds(10) && fields["Number"] == time(0) && fields["When"] == time(10))
            try await set(id, ["n": 2, "Name": "b"])
            fields = try await store.fields(id, table)
            #expect(fields["Any"] == seconds(20) && fields["Number"] == time(20))
            // What is there already is no change.
            try await set(id, ["n": 2])
            #expect(try await store.fields(id, table)["Any"] == seconds(20))
            // A record that was deleted and comes back was last changed when it had been.
            try await store.service.delete([id], in: table.id, context: store.context)
            let number = try await store.allChanges().last!.transaction
            store.clock.advance(seconds: 10)
            _ = try await store.service.undo(transaction: number, context: store.context)
            #expect(try await store.fields(id, table)["Any"] == seconds(20))
            #expect(try await store.fields(id, table)["When"] == time(20))
            try await store.expectSound()
        }
    }

    @Test("a filter asks when cells were changed", arguments: DatabaseKind.allCases)
    func filtered(_ kind: DatabaseKind) async throws {
        try await withStore(kind) { store in
            let table = try await store.table(Self.fields)
            let start = store.clock.instant
            let records = try await store.create(table, ["Name": "a"], ["Name": "b"], ["Name": "c"])
            store.clock.advance(seconds: 100)
            let changes: [(Record, JSONObject)] = [(records[1], ["n": 1]), (records[2], ["Name": "d"])]
            for (record, fields) in changes {
                _ = try await store.service.update(
                    [RecordUpdate(id: record.id, fields: fields)],
                    in: table.id,
                    context: store.context
                )
            }
            func names(_ filter: String) async throws -> [RecordID] {
                try await store.service.list(RecordQuery(filter: filter), in: table.id, context: store.context)
                    .records.map(\.id)
            }
            let later = "'\(CellCodec.timestamp(Instant(milliseconds: start.milliseconds + 50_000)))'"
            #expect(try await names("IS_AFTER(LAST_MODIFIED_TIME(), \(later))") == [records[1].id, records[2].id])
            #expect(try await names("IS_AFTER(LAST_MODIFIED_TIME({n}), \(later))") == [records[1].id])
            #expect(
                try await names("IS_BEFORE(LAST_MODIFIED_TIME({Name}), \(later))") == [records[0].id, records[1].id]
            )
            // What is computed is changed by nobody.
            #expect(try await names("IS_AFTER(LAST_MODIFIED_TIME({Any}), \(later))") == [])
        }
    }

    @Test(
        "cells that change with time are made anew, with what follows, where they changed",
        arguments: DatabaseKind.allCases
    )
    func refresh(_ kind: DatabaseKind) async throws {
        try await withStore(kind) { store in
            let table = try await store.table([
                FieldDraft(name: "Name", type: .singleLineText), FieldDraft(name: "Due", type: .dateTime),
                ShopBase.formula("Days", "DATETIME_DIFF({Due}, TODAY(), \"days\")"),
                ShopBase.formula("State", "IF({Days} < 0, \"late\", \"ok\")"),
            ])
            let today = CalendarDate(store.clock.instant)
            let due = [1, 400].map { JSONValue.string(CalendarDate(daysSinceEpoch: today.daysSinceEpoch + $0).iso8601) }
            let records = try await store.create(table, ["Due": due[0]], ["Due": due[1]], ["Name": "never"])
            #expect(try await store.fields(records[0].id, table)["Days"] == 1)
            let latest = try await store.service.changes.latestSequence(tenant: store.context.tenant)
            #expect(try await store.service.refreshComputed(context: store.context) == 0)
            #expect(try await store.service.changes.latestSequence(tenant: store.context.tenant) == latest)

            store.clock.advance(seconds: 3 * 86_400)
            #expect(try await store.service.refreshComputed(context: store.context) == 2)
            #expect(try await store.fields(records[0].id, table)["Days"] == -2)
            #expect(try await store.fields(records[0].id, table)["State"] == "late")
            #expect(try await store.fields(records[1].id, table)["State"] == "ok")
            let changes = try await store.allChanges().suffix(2)
            #expect(changes.allSatisfy { $0.isDerived && $0.transaction == changes.first?.transaction })
            await #expect(throws: (any Error).self) {
                try await store.service.refreshComputed(context: store.context(with: [.recordsRead]))
            }
        }
    }

    @Test(
        "verifying makes computed cells anew, and tells of those that are not what they should be",
        arguments: DatabaseKind.allCases
    )
    func verify(_ kind: DatabaseKind) async throws {
        try await withStore(kind) { store in
            let table = try await store.table([
                FieldDraft(name: "Name", type: .singleLineText), ShopBase.formula("Text", "{Name} & \"!\""),
            ])
            let text = try #require(table.field("Text")).id
            let record = try await store.create(table, ["Name": "x"])[0]
            try await store.expectSound()
            let (clock, context) = (store.clock, store.context)
            try await store.service.change(context) { transaction, schema in
                var session = WriteSession(
                    schema: schema,
                    actor: context.principal.user,
                    now: clock.instant,
                    computing: .asGiven,
                    transaction: transaction
                )
                try session.load([record.id], in: table.id)
                try session.set([text: .computed(.text("y"))], of: record.id, in: table.id)
                try session.flush()
            }
            let report = try await store.service.verify(context: context)
            #expect(
                report.problems.count == 1 && report.problems[0].contains(record.id.description),
                "\(report.problems)"
            )
        }
    }
}
