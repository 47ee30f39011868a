import Domain
import TestSupport
import Testing

@testable import Airtable

@Suite("Records")
struct RecordTests {
    static let fields: [FieldDraft] = [
        FieldDraft(name: "Name", type: .singleLineText), FieldDraft(name: "Notes", type: .multilineText),
        FieldDraft(name: "Count", type: .number), FieldDraft(name: "Done", type: .checkbox),
        FieldDraft(name: "State", type: .singleSelect, choices: ["Open", "Closed"]),
        FieldDraft(name: "Tags", type: .multipleSelects, choices: ["a", "b", "c"]),
        FieldDraft(name: "Day", type: .date), FieldDraft(name: "Moment", type: .dateTime),
        FieldDraft(name: "Number", type: .autoNumber), FieldDraft(name: "Made", type: .createdTime),
    ]

    @Test("a record is made, read, changed, replaced and deleted", arguments: DatabaseKind.allCases)
    func life(_ kind: DatabaseKind) async throws {
        try await withStore(kind) { store in
            let (service, context) = (store.service, store.context)
            let table = try await store.table(Self.fields)
            let made = try await store.create(
                table,
                [
                    "Name": "Ann \"x\"\n", "Count": 1.5, "Done": true, "State": "Open", "Tags": ["b", "a"],
                    "Day": "2024-05-01", "Moment": "2024-05-01T10:00:00Z", "Notes": "",
                ]
            )[0]
            let time = JSONValue.string(CellCodec.timestamp(store.clock.instant))
            let expected: JSONObject = [
                "Name": "Ann \"x\"\n", "Count": 1.5, "Done": true, "State": "Open", "Tags": ["b", "a"],
                "Day": "2024-05-01", "Moment": "2024-05-01T10:00:00.000Z", "Number": 1, "Made": time,
            ]
            #expect(JSONValue.object(CellCodec.fields(of: made, table: table)) == .object(expected))
            #expect(try await service.record(made.id, in: table.id, context: context) == made)
            #expect(made.createdTime == store.clock.instant)

            store.clock.advance(seconds: 60)
            let changed = try await service.update(
                [RecordUpdate(id: made.id, fields: ["Count": nil, "Done": false, "Name": "Bob", "State": "Closed"])],
                in: table.id,
                context: context
            )
            var merged = expected
            (merged["Count"], merged["Done"], merged["Name"], merged["State"]) = (nil, nil, "Bob", "Closed")
            #expect(try await store.fields(made.id, table) == .object(merged))
            #expect(changed[0].createdTime == made.createdTime)

            _ = try await service.update(
                [RecordUpdate(id: made.id, fields: ["Day": "2025-01-01"])],
                in: table.id,
                replacing: true,
                context: context
            )
            #expect(
                try await store.fields(made.id, table) == ["Day": "2025-01-01", "Number": 1, "Made": time]
            )
            try await service.delete([made.id], in: table.id, context: context)
            await expectFailure(.notFound) { try await service.record(made.id, in: table.id, context: context) }
            try await store.expectSound()
        }
    }

    @Test("fields are named by name or identifier, read by either", arguments: DatabaseKind.allCases)
    func fieldKeys(_ kind: DatabaseKind) async throws {
        try await withStore(kind) { store in
            let table = try await store.table(Self.fields)
            let (name, count) = (table.fields[0], table.fields[2])
            let record = try await store.service.create(
                [RecordDraft([name.id: "x", count.id: 2])],
                in: table.id,
                context: store.context
            )[0]
            #expect(record.cells[name.id] == .text("x"))
            let byID = CellCodec.fields(of: record, table: table, byID: true)
            #expect(byID[name.id.description] == "x")
            #expect(byID["Name"] == nil)
            let error = await expectFailure(.unknownFieldName) { try await store.create(table, ["Nam": "x"]) }
            #expect(error?.message == "Unknown field name: \"Nam\"")
            #expect(error?.hint == "did you mean \"Name\"?")
            await expectFailure(.invalidRequest) {
                try await store.create(table, ["Name": "x", name.id.description: "y"] as JSONObject)
            }
        }
    }

    @Test("a batch is made whole or not at all", arguments: DatabaseKind.allCases)
    func atomicBatch(_ kind: DatabaseKind) async throws {
        try await withStore(kind) { store in
            let (service, context) = (store.service, store.context)
            let table = try await store.table(Self.fields)
            let record = try await store.create(table, ["Name": "kept"])[0]
            await expectFailure(.invalidValueForColumn) {
                try await store.create(table, ["Name": "a"], ["Count": "five"])
            }
            await expectFailure(.rowDoesNotExist) {
                try await service.update(
                    [
                        RecordUpdate(id: record.id, fields: ["Name": "changed"]),
                        RecordUpdate(id: .random(), fields: ["Name": "x"]),
                    ],
                    in: table.id,
                    context: context
                )
            }
            await expectFailure(.rowDoesNotExist) {
                try await service.delete([record.id, .random()], in: table.id, context: context)
            }
            #expect(try await store.fields(record.id, table)["Name"] == "kept")
            #expect(try await service.recordCount(in: table.id, context: context) == 1)
            #expect(try await store.allChanges().count == 2)
            await expectFailure(.tooLarge) {
                try await service.create(
                    Array(repeating: RecordDraft(fields: [:]), count: 1_001),
                    in: table.id,
                    context: context
                )
            }
            await expectFailure(.modelNotFound) {
                try await service.create([RecordDraft([:])], in: .random(), context: context)
            }
            #expect(try await service.create([], in: table.id, context: context).isEmpty)
            #expect(try await service.update([], in: table.id, context: context).isEmpty)
            try await service.delete([], in: table.id, context: context)
        }
    }

    @Test(
        "pages come in the order of creation, and stay put while records come and go",
        arguments: DatabaseKind.allCases
    )
    func pages(_ kind: DatabaseKind) async throws {
        try await withStore(kind) { store in
            let (service, context) = (store.service, store.context)
            let table = try await store.table(Self.fields)
            // A second table in between: its rows must not show up.
            let other = try await store.table([FieldDraft(name: "X", type: .number)], base: "Other")
            var made: [RecordID] = []
            for part in 0..<5 {
                let drafts = (0..<5).map { RecordDraft(fields: ["Count": .number(JSONNumber(part * 5 + $0))]) }
                made += try await service.create(drafts, in: table.id, context: context).map(\.id)
                _ = try await store.create(other, ["X": 1])
            }
            var listed: [RecordID] = []
            var cursor: RecordCursor?
            repeat {
                let page = try await service.records(
                    in: table.id,
                    page: RecordPageRequest(limit: 4, after: cursor),
                    context: context
                )
                listed += page.records.map(\.id)
                cursor = page.next
                if let text = cursor?.description { cursor = RecordCursor(text) }
                // What is deleted where we stand, or before, moves nothing.
                if listed.count == 8 {
                    try await service.delete([listed[0], listed[7]], in: table.id, context: context)
                }
            } while cursor != nil
            #expect(listed == made)
            #expect(try await service.recordCount(in: table.id, context: context) == 23)
            let whole = try await service.records(in: table.id, page: RecordPageRequest(limit: 23), context: context)
            #expect(whole.records.count == 23)
            #expect(whole.next == nil)
            await expectFailure(.invalidOffset) {
                try await service.records(
                    in: other.id,
                    page: RecordPageRequest(after: RecordCursor(position: 1_099_511_627_777)),
                    context: context
                )
            }
            for limit in [0, -1, 1_001] {
                await expectFailure(.invalidRequest) {
                    try await service.records(in: table.id, page: RecordPageRequest(limit: limit), context: context)
                }
            }
        }
    }

    @Test(
        "cursors are opaque text, and nothing else is one",
        arguments: [
            "", "itr", "itr-1", "itr0", "itr+5", "recAAAAAAAAAAAAAA", "itrZZ", "itr00z",
            "itr" + String(repeating: "z", count: 20),
        ]
    )
    func cursorText(_ text: String) {
        #expect(RecordCursor(text) == nil)
        let cursor = RecordCursor(position: 2_199_023_255_559)
        #expect(RecordCursor(cursor.description) == cursor)
    }

    @Test("many records are read by identifier, in the order asked for", arguments: DatabaseKind.allCases)
    func byIdentifier(_ kind: DatabaseKind) async throws {
        try await withStore(kind) { store in
            let (service, context) = (store.service, store.context)
            let table = try await store.table(Self.fields)
            let drafts = (0..<600).map { RecordDraft(fields: ["Name": .string("n\($0)")]) }
            let made = try await service.create(drafts, in: table.id, context: context)
            for count in [1, 2, 9, 70, 600] {
                let wanted = made.shuffled().prefix(count)
                let ids = wanted.map(\.id)
                #expect(try await service.records(ids, in: table.id, context: context) == Array(wanted))
            }
            let some = try await service.records([made[3].id, .random(), made[1].id], in: table.id, context: context)
            #expect(some == [made[3], made[1]])
            let names = try await service.primaryValues(of: [made[5].id, .random()], in: table.id, context: context)
            #expect(names == [made[5].id: "n5"])
            await expectFailure(.tooLarge) {
                try await service.records((0..<1_001).map { _ in .random() }, in: table.id, context: context)
            }
        }
    }

    @Test("autoNumbers are never given twice", arguments: DatabaseKind.allCases)
    func autoNumber(_ kind: DatabaseKind) async throws {
        try await withStore(kind) { store in
            let table = try await store.table(Self.fields)
            let number = try #require(table.field("Number")?.id)
            let first = try await store.create(table, [:], [:], [:])
            #expect(first.map { $0.cells[number] } == [.number(1), .number(2), .number(3)])
            try await store.service.delete(first.map(\.id), in: table.id, context: store.context)
            #expect(try await store.create(table, [:])[0].cells[number] == .number(4))
        }
    }

    @Test("typecast adds choices, in the transaction of the record", arguments: DatabaseKind.allCases)
    func typecastChoices(_ kind: DatabaseKind) async throws {
        try await withStore(kind) { store in
            let (service, context) = (store.service, store.context)
            let table = try await store.table(Self.fields)
            await expectFailure(.invalidMultipleChoiceOptions) { try await store.create(table, ["State": "New"]) }
            await expectFailure(.rowDoesNotExist) {
                try await service.update(
                    [RecordUpdate(id: .random(), fields: ["State": "New"])],
                    in: table.id,
                    typecast: true,
                    context: context
                )
            }
            #expect(try await service.table(id: table.id, context: context) == table)
            let made = try await service.create(
                [
                    RecordDraft(fields: ["State": "New", "Tags": "c, d", "Count": "1,000", "Day": "5/1/2024"]),
                    RecordDraft(fields: ["State": "New"]),
                ],
                in: table.id,
                typecast: true,
                context: context
            )
            let cells = try await store.fields(made[0].id, table)
            #expect(cells["Tags"] == ["c", "d"])
            #expect(cells["Count"] == 1_000)
            #expect(cells["Day"] == "2024-05-01")
            #expect(made[0].cells[table.fields[4].id] == made[1].cells[table.fields[4].id])
            let now = try await service.table(id: table.id, context: context)
            #expect(now.field("State")?.options.choices?.map(\.name) == ["Open", "Closed", "New"])
            #expect(now.field("Tags")?.options.choices?.map(\.name) == ["a", "b", "c", "d"])
            let changes = try await store.allChanges()
            #expect(Set(changes.suffix(3).map(\.transaction)).count == 1)
            #expect(changes[1].event == .schemaChanged)
            try await store.expectSound()
        }
    }

    @Test("an upsert updates what matches and makes the rest", arguments: DatabaseKind.allCases)
    func upsert(_ kind: DatabaseKind) async throws {
        try await withStore(kind) { store in
            let (service, context) = (store.service, store.context)
            let table = try await store.table(Self.fields)
            let made = try await store.create(
                table,
                ["Name": "a", "Count": 1],
                ["Name": "b", "Count": 1],
                ["Name": "b", "Count": 2],
                ["Notes": "blank"]
            )
            let result = try await service.upsert(
                [
                    RecordUpsert(fields: ["Name": "a", "Count": 1, "Notes": "updated"]),
                    RecordUpsert(fields: ["Name": "b", "Count": 2, "Notes": "two"]),
                    RecordUpsert(fields: ["Name": "c", "Count": 1, "Notes": "new"]),
                    RecordUpsert(fields: ["Name": "c", "Count": 1, "Done": true]),
                    RecordUpsert(fields: ["Name": nil, "Count": 1]),
                    RecordUpsert(id: made[3].id, fields: ["Name": "d", "Count": 1]),
                ],
                mergeOn: ["Name", table.fields[2].id.description],
                in: table.id,
                context: context
            )
            #expect(result.updated == [made[0].id, made[2].id, made[3].id])
            #expect(result.created == [result.records[2].id, result.records[4].id])
            #expect(result.records.map(\.id)[3] == result.records[2].id)
            #expect(try await store.fields(result.records[2].id, table)["Notes"] == "new")
            #expect(try await store.fields(result.records[2].id, table)["Done"] == true)
            #expect(try await store.fields(made[0].id, table)["Notes"] == "updated")
            #expect(try await store.fields(made[3].id, table)["Notes"] == "blank")
            let ambiguous = await expectFailure(.ambiguousMatch) {
                try await service.upsert(
                    [RecordUpsert(fields: ["Name": "b"])],
                    mergeOn: ["Name"],
                    in: table.id,
                    context: context
                )
            }
            #expect(ambiguous?.message == "Record 1 of the request matches 2 records on \"Name\".")
            await expectFailure(.rowDoesNotExist) {
                try await service.upsert(
                    [RecordUpsert(id: .random(), fields: ["Name": "b"])],
                    mergeOn: ["Name"],
                    in: table.id,
                    context: context
                )
            }
            for fields in [[], ["Number"], ["Made"], ["Name", "Notes", "Count", "Day"]] {
                await expectFailure(.invalidRequest) {
                    try await service.upsert([], mergeOn: fields, in: table.id, context: context)
                }
            }
            await expectFailure(.unknownFieldName) {
                try await service.upsert([], mergeOn: ["Nothing"], in: table.id, context: context)
            }
            try await store.expectSound()
        }
    }

    @Test("an upsert matches values of every type that may be merged on", arguments: DatabaseKind.allCases)
    func upsertTypes(_ kind: DatabaseKind) async throws {
        try await withStore(kind) { store in
            let table = try await store.table(Self.fields)
            let cells: JSONObject = [
                "Name": "Zoë's \"x\" \\", "Notes": "line\nline", "Count": 0.1, "State": "Closed", "Tags": ["c", "a"],
                "Day": "2024-05-01", "Moment": "2024-05-01T10:00:00.123Z",
            ]
            let made = try await store.create(table, cells, ["Name": "other", "Count": 5])[0]
            for (field, value) in cells {
                let result = try await store.service.upsert(
                    [RecordUpsert(fields: [field: value, "Done": true])],
                    mergeOn: [field],
                    in: table.id,
                    context: store.context
                )
                #expect(result.updated == [made.id], "\(field)")
            }
            #expect(try await store.service.recordCount(in: table.id, context: store.context) == 2)
        }
    }
}
