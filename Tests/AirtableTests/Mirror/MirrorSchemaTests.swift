import Domain
import TestSupport
import Testing

@testable import Airtable

@Suite("The schema of a hosted base")
struct MirrorSchemaTests {
    typealias Fixture = MirrorFixture

    @Test("follows what people change there: names, order, types, choices, tables", arguments: DatabaseKind.allCases)
    func follows(kind: DatabaseKind) async throws {
        try await withMirror(kind) { mirror in
            mirror.seed(30)
            try await mirror.attach()
            try await mirror.round()
            mirror.upstream.change(Fixture.base.description) { tables in
                // The two tables change names with each other.
                (tables[0].name, tables[1].name) = (tables[1].name, tables[0].name)
                tables[0].fields.swapAt(1, 2)
                // Numbers become texts.
                tables[0].fields[2] = Fixture.field("B", "Number", "singleLineText")
                for row in tables[0].rows.indices {
                    let number = tables[0].rows[row].fields["Number"]?.numberValue?.text ?? ""
                    tables[0].rows[row].fields["Number"] = .string("no. \(number)")
                }
                tables.append(
                    HostedStandIn.Table(
                        id: "tblCCCCCCCCCCCCCC",
                        name: "More",
                        fields: [Fixture.field("M", "Name", "singleLineText")],
                    )
                )
            }
            try await mirror.round()
            #expect(try await mirror.stored() == mirror.hosted())
            let tables = try await mirror.service.tables(in: Fixture.base, context: mirror.context)
            #expect(tables.map(\.name) == ["Parts", "Things", "More"])
            #expect(tables[0].fields.map(\.name) == ["Name", "Kind", "Number", "Parts", "Twice"])
            #expect(tables[0].fields[2].type == .singleLineText)
            try await mirror.store.expectSound()
            // A second round finds nothing to do.
            let latest = try await mirror.service.changes.latestSequence(tenant: mirror.context.tenant)
            try await mirror.round()
            #expect(try await mirror.service.changes.latestSequence(tenant: mirror.context.tenant) == latest)
        }
    }

    @Test("a field, and a table, that people delete and bring back are as they were", arguments: DatabaseKind.allCases)
    func restored(kind: DatabaseKind) async throws {
        try await withMirror(kind) { mirror in
            mirror.seed(30)
            try await mirror.attach()
            try await mirror.round()
            let before = mirror.hosted()
            let (fields, parts) = (Fixture.thingsTable.fields, Fixture.partsTable)
            mirror.upstream.change(Fixture.base.description) { tables in
                tables[0].fields.removeAll { $0["name"] == "Number" || $0["name"] == "Parts" }
                tables.remove(at: 1)
            }
            try await mirror.round()
            let table = try await mirror.service.table(id: Fixture.things, context: mirror.context)
            #expect(table.fields.map(\.name) == ["Name", "Kind", "Twice"])
            #expect(try await mirror.stored().values.allSatisfy { $0["Number"] == nil })
            await expectFailure(.modelNotFound) {
                try await mirror.service.table(id: Fixture.parts, context: mirror.context)
            }
            mirror.upstream.change(Fixture.base.description) { tables in
                tables[0].fields = fields
                tables.append(parts)
            }
            try await mirror.round()
            #expect(try await mirror.stored() == before)
            try await mirror.expectInStep()
        }
    }

    @Test("a type that this program does not know stays readable, under its own name", arguments: DatabaseKind.allCases)
    func unknownType(kind: DatabaseKind) async throws {
        try await withMirror(kind) { mirror in
            mirror.upstream.change(Fixture.base.description) { tables in
                tables[0].fields.append(Fixture.field("U", "Orbit", "orbitalElements", ["epoch": 2000]))
                tables[0].fields.append(Fixture.field("V", "Odd", "singleSelect", ["choices": "none"]))
                let fields: JSONObject = ["Name": "x", "Orbit": ["a", 1, true], "Odd": "left"]
                tables[0].rows.append(
                    .init(id: "recUUUUUUUUUUUUUU", createdTime: "2024-06-01T00:00:00.000Z", fields: fields)
                )
            }
            try await mirror.attach()
            try await mirror.round()
            try await mirror.expectInStep()
            let table = try await mirror.service.table(id: Fixture.things, context: mirror.context)
            #expect(table.fields.suffix(2).map(\.options.hostedType) == ["orbitalElements", "singleSelect"])
            let made = try await mirror.service.create(
                [RecordDraft(fields: ["Orbit": [2]])],
                in: Fixture.things,
                context: mirror.context
            )
            #expect(made[0].cells.values.first == .computed(.list([.number(2)])))
            try await mirror.expectInStep()
        }
    }
}

@Suite("Cells of the hosted service")
struct HostedCellsTests {
    private static let moment = "2024-05-01T12:34:56.789Z"

    /// Type, options, and cells as the service gives them: each comes back as it went in.
    private static let cases: [(String, JSONObject?, [JSONValue])] = [
        ("singleLineText", nil, ["x", "é\u{301}\n"]), ("richText", nil, ["**x**\n"]),
        ("number", ["precision": 2], [1.25, -3, 0, 1e21]), ("percent", ["precision": 0], [0.123]),
        ("currency", ["precision": 2, "symbol": "$"], [9.99]), ("duration", ["durationFormat": "h:mm:ss.SSS"], [59.25]),
        ("rating", ["max": 5, "icon": "star", "color": "yellowBright"], [4]),
        ("checkbox", ["icon": "check", "color": "greenBright"], [true]),
        ("singleSelect", ["choices": [MirrorFixture.choice("1", "a b")]], ["a b"]),
        (
            "multipleSelects", ["choices": [MirrorFixture.choice("1", "a"), MirrorFixture.choice("2", "b")]],
            [["b", "a"]]
        ),
        ("date", ["dateFormat": ["name": "iso"]], ["2024-02-29"]),
        (
            "dateTime", ["dateFormat": ["name": "us"], "timeFormat": ["name": "12hour"], "timeZone": "utc"],
            [.string(moment)]
        ),
        ("multipleRecordLinks", ["linkedTableId": "tblBBBBBBBBBBBBBB"], [["recAAAAAAAAAAAAAA"]]),
        ("singleCollaborator", nil, [["id": "usrAAAAAAAAAAAAAA", "email": "a@b.c", "name": "A"]]),
        ("multipleCollaborators", nil, [[["id": "usrAAAAAAAAAAAAAA", "name": "A"]]]),
        ("barcode", nil, [["text": "123", "type": "ean8"]]), ("autoNumber", nil, [17]),
        ("createdBy", nil, [["id": "usrAAAAAAAAAAAAAA", "email": "a@b.c", "name": "A"]]),
        (
            "lastModifiedTime", ["isValid": true, "referencedFieldIds": [], "result": ["type": "dateTime"]],
            [.string(moment)]
        ),
        (
            "lastModifiedTime",
            [
                "isValid": true, "referencedFieldIds": [],
                "result": ["type": "date", "options": ["dateFormat": ["name": "iso"]]],
            ],
            ["2024-02-29"]
        ),
        ("count", ["isValid": true, "recordLinkFieldId": "fldAAAAAAAAAAAAAA"], [3]),
        ("button", nil, [["label": "Go", "url": "https://example.com"]]),
        ("aiText", ["prompt": ["x"]], [["state": "generated", "isStale": false, "value": "words"]]),
        (
            "formula", ["isValid": true, "formula": "1", "result": ["type": "number"]],
            [1.5, ["specialValue": "NaN"], ["error": "#ERROR!"], "text after all", [1, "x"], true]
        ),
        (
            "rollup", ["isValid": true, "result": ["type": "dateTime", "options": ["timeZone": "utc"]]],
            [.string(moment), "2024-05-01T12:34:56.123456Z", "next week"]
        ),
        ("rollup", ["isValid": true, "result": ["type": "somethingNew"]], ["x"]),
        (
            "multipleLookupValues", ["isValid": true, "result": ["type": "multipleRecordLinks"]],
            [["recAAAAAAAAAAAAAA"], [["error": "#ERROR!"]], [["id": "usrAAAAAAAAAAAAAA", "name": "A"]], [.null, "x"]]
        ),
        ("manualSort", nil, ["a0"]), ("externalSyncSource", ["choices": [MirrorFixture.choice("1", "Base")]], ["Base"]),
    ]

    @Test("come back as they went in, whatever their type", arguments: cases.indices)
    func everyType(_ index: Int) throws {
        let (type, options, values) = Self.cases[index]
        let field = try #require(HostedField(.object(MirrorFixture.field("A", "Field", type, options)))).field(
            ordinal: 1
        )
        #expect(field.type.rawValue == type)
        let table = Table(id: .random(), base: .random(), name: "T", primaryField: field.id, fields: [field])
        let model = TableModel(table: table, number: 1, nextOrdinal: 2)
        for value in values {
            var reader = HostedCells(model: model)
            let cells = reader.cells([field.id.description: value])
            #expect(reader.isWhole, "\(value)")
            // As it is stored and read again.
            let stored = try StoredCells.decode(StoredCells.encode(cells, model: model), model: model)
            #expect(stored == cells, "\(value)")
            let cell = try #require(stored[field.id], "\(value)")
            #expect(CellCodec.json(of: cell, field: field) == value)
        }
    }

    @Test("attachments keep their address only for who asks there; what is no value of the type is reported")
    func others() throws {
        let fields = [
            MirrorFixture.field("A", "Files", "multipleAttachments", ["isReversed": false]),
            MirrorFixture.field("B", "Kind", "singleSelect", ["choices": [MirrorFixture.choice("1", "a")]]),
            MirrorFixture.field("C", "Text", "singleLineText"),
        ].enumerated().compactMap { HostedField(.object($1))?.field(ordinal: $0 + 1) }
        let table = Table(id: .random(), base: .random(), name: "T", primaryField: fields[2].id, fields: fields)
        let model = TableModel(table: table, number: 1, nextOrdinal: 4)
        let file: JSONValue = [
            "id": "attAAAAAAAAAAAAAA", "url": "https://files.test/x", "filename": "x.png", "type": "image/png",
            "size": 9,
            "width": 3, "height": 4,
        ]
        for keeps in [true, false] {
            var reader = HostedCells(model: model, keepsAddresses: keeps)
            let cells = reader.cells(["fldAAAAAAAAAAAAAA": [file, file]])
            let cell = try #require(cells[fields[0].id])
            let shown = CellCodec.json(of: cell, field: fields[0])[0]
            #expect(shown?["url"] == (keeps ? "https://files.test/x" : nil))
            #expect(shown?["filename"] == "x.png" && shown?["width"] == 3)
        }
        for cells: JSONObject in [
            ["fldBBBBBBBBBBBBBB": "z"], ["fldCCCCCCCCCCCCCC": 1], ["fldZZZZZZZZZZZZZZ": "x"],
            ["fldAAAAAAAAAAAAAA": "x"],
        ] {
            var reader = HostedCells(model: model)
            #expect(reader.cells(cells).isEmpty && !reader.isWhole, "\(cells)")
        }
        var reader = HostedCells(model: model)
        #expect(reader.cells(["fldCCCCCCCCCCCCCC": "a\u{0}b"])[fields[2].id] == .text("a\u{FFFD}b"))
    }
}
