import Access
import Database
import Domain
import TestSupport
import Testing

@testable import Airtable

@Suite("Payloads of webhooks")
struct WebhookPayloadTests {
    private let base = BaseID.random()
    private let other = TableID.random()
    private let name = Field(id: .random(), name: "Name", type: .singleLineText, ordinal: 1)
    private let note = Field(id: .random(), name: "Note", type: .singleLineText, ordinal: 2)
    private let number = Field(id: .random(), name: "No", type: .autoNumber, ordinal: 3)
    private let status: Field
    private let friends: Field
    private let table: Table
    private let schema: TenantSchema
    private let choice = SelectChoice(id: .random(), name: "Open", color: "blueBright")

    init() {
        var options = FieldOptions()
        options.choices = [choice]
        status = Field(id: .random(), name: "Status", type: .multipleSelects, options: options, ordinal: 4)
        var link = FieldOptions()
        link.linkedTable = other
        friends = Field(id: .random(), name: "Friends", type: .multipleRecordLinks, options: link, ordinal: 5)
        table = Table(
            id: .random(),
            base: base,
            name: "Things",
            primaryField: name.id,
            fields: [name, note, number, status, friends]
        )
        schema = TenantSchema(
            tenant: .random(),
            version: 1,
            bases: [
                Base(id: base, workspace: .random(), name: "Base", createdTime: Instant(milliseconds: 0))
            ],
            tables: [TableModel(table: table, number: 1, nextOrdinal: 6)]
        )
    }

    private func change(
        _ event: RecordChange.Event,
        _ schemaChange: SchemaChange? = nil,
        isDerived: Bool = false
    ) -> RecordChange {
        RecordChange(
            sequence: 8,
            transaction: 7,
            base: base,
            table: table.id,
            time: Instant(milliseconds: 1_000),
            actor: .random(),
            event: event,
            schemaChange: schemaChange,
            isDerived: isDerived
        )
    }

    private func record(_ id: RecordID, _ cells: [FieldID: CellValue]) -> Record {
        Record(id: id, createdTime: Instant(milliseconds: 0), cells: cells)
    }

    private func payload(
        _ changes: [RecordChange],
        filters: JSONValue = ["dataTypes": ["tableData", "tableFields", "tableMetadata"]],
        includes: JSONValue = .null
    ) throws -> JSONValue? {
        let specification = try WebhookSpecification(["options": ["filters": filters, "includes": includes]])
        return WebhookPayload(specification: specification, schema: schema) { _ in "Ada" }
            .json(of: changes, actor: WebhookActor(id: .random(), name: "Grace"))
    }

    private func tableChange(_ payload: JSONValue?) -> JSONValue? {
        payload?["changedTablesById"]?[table.id.description]
    }

    @Test("give selects with identifier and colour, links with names")
    func shapes() throws {
        let (id, friend) = (RecordID.random(), RecordID.random())
        let created = record(
            id,
            [status.id: .choices([choice.id]), friends.id: .links([friend]), number.id: .number(4)]
        )
        let cells = tableChange(try payload([change(.created(created))]))?["createdRecordsById"]?[id.description]?[
            "cellValuesByFieldId"
        ]
        #expect(
            cells == [
                status.id.description: [
                    ["id": .string(choice.id.description), "name": "Open", "color": "blueBright"]
                ],
                friends.id.description: [["id": .string(friend.description), "name": "Ada"]],
            ],
            "and no computed cell, since nobody asked"
        )
        let asked = try payload(
            [change(.created(created))],
            filters: ["dataTypes": ["tableData"], "watchDataInFieldIds": [.string(number.id.description)]]
        )
        #expect(
            tableChange(asked)?["createdRecordsById"]?[id.description]?["cellValuesByFieldId"]
                == [number.id.description: 4]
        )
    }

    @Test("show before, after and beside as the specification says, and an emptied cell as null")
    func included() throws {
        let id = RecordID.random()
        let before = record(id, [name.id: .text("a"), note.id: .text("n"), number.id: .number(1)])
        let after = record(id, [name.id: .text("a"), number.id: .number(1)])
        let plain = tableChange(try payload([change(.updated(before: before, after: after))]))
        #expect(
            plain == [
                "changedRecordsById": [
                    id.description: ["current": ["cellValuesByFieldId": [note.id.description: .null]]]
                ]
            ]
        )
        let all = tableChange(
            try payload(
                [change(.updated(before: before, after: after))],
                includes: ["includePreviousCellValues": true, "includeCellValuesInFieldIds": "all"]
            )
        )
        #expect(
            all?["changedRecordsById"]?[id.description] == [
                "current": ["cellValuesByFieldId": [note.id.description: .null]],
                "previous": ["cellValuesByFieldId": [note.id.description: "n"]],
                "unchanged": ["cellValuesByFieldId": [name.id.description: "a", number.id.description: 1]],
            ]
        )
    }

    @Test(
        "are none when the filters leave nothing",
        arguments: [
            ["dataTypes": ["tableFields"]], ["dataTypes": ["tableData"], "changeTypes": ["add", "remove"]],
            ["dataTypes": ["tableData"], "fromSources": ["client", "automation"]],
        ] as [JSONValue]
    )
    func filtered(_ filters: JSONValue) throws {
        let id = RecordID.random()
        let update = change(
            .updated(before: record(id, [name.id: .text("a")]), after: record(id, [name.id: .text("b")]))
        )
        #expect(try payload([update]) != nil)
        #expect(try payload([update], filters: filters) == nil)
    }

    @Test("watch only the fields and the table that the filters name")
    func watched() throws {
        let id = RecordID.random()
        let update = change(
            .updated(before: record(id, [:]), after: record(id, [name.id: .text("b"), note.id: .text("c")]))
        )
        let watching = try payload(
            [update],
            filters: ["dataTypes": ["tableData"], "watchDataInFieldIds": [.string(note.id.description)]]
        )
        #expect(
            tableChange(watching)?["changedRecordsById"]?[id.description]?["current"]?["cellValuesByFieldId"]
                == [note.id.description: "c"]
        )
        for (table, isTold) in [(table.id, true), (other, false)] {
            let scoped = try payload(
                [update],
                filters: ["dataTypes": ["tableData"], "recordChangeScope": .string(table.description)]
            )
            #expect((scoped != nil) == isTold)
        }
        let computedOnly = change(
            .updated(before: record(id, [number.id: .number(1)]), after: record(id, [number.id: .number(2)]))
        )
        #expect(try payload([computedOnly]) == nil)
        // Of many records at once: that there is something to read, for who asked for such cells.
        let many = change(.imported, isDerived: true)
        #expect(try payload([many]) == nil)
        let watched: JSONValue = ["dataTypes": ["tableData"], "watchDataInFieldIds": [.string(number.id.description)]]
        #expect(tableChange(try payload([many], filters: watched)) == [:])
        #expect(tableChange(try payload([change(.imported)])) == [:])
        #expect(
            try payload([computedOnly], includes: ["includeCellValuesInFieldIds": [.string(number.id.description)]])
                != nil
        )
    }

    @Test("tell of tables and fields made, changed and deleted")
    func schemaChanges() throws {
        var renamed = note
        renamed.name = "Remark"
        let fields: [RecordChange] = [
            change(.schemaChanged, .fieldCreated(name)),
            change(.schemaChanged, .fieldUpdated(before: note, after: renamed)),
            change(.schemaChanged, .fieldDeleted(status)),
            change(
                .schemaChanged,
                .tableUpdated(
                    before: TableHead(name: "Old", description: nil),
                    after: TableHead(name: "Things", description: "d")
                )
            ),
        ]
        let told = tableChange(try payload(fields, includes: ["includePreviousFieldDefinitions": true]))
        #expect(
            told == [
                "createdFieldsById": [name.id.description: ["name": "Name", "type": "singleLineText"]],
                "changedFieldsById": [
                    note.id.description: [
                        "current": ["name": "Remark", "type": "singleLineText"],
                        "previous": ["name": "Note", "type": "singleLineText"],
                    ]
                ],
                "destroyedFieldIds": [.string(status.id.description)],
                "changedMetadata": [
                    "current": ["name": "Things", "description": "d"], "previous": ["name": "Old"],
                ],
            ]
        )
        let created = try payload([
            change(.schemaChanged, .tableCreated(name: "Things")), change(.schemaChanged, .fieldCreated(name)),
        ])
        #expect(created?["changedTablesById"] == nil)
        #expect(
            created?["createdTablesById"]?[table.id.description] == [
                "metadata": ["name": "Things"],
                "fieldsById": [name.id.description: ["name": "Name", "type": "singleLineText"]],
                "recordsById": [:],
            ]
        )
        let destroyed = try payload([change(.tableDeleted)])
        #expect(destroyed?["destroyedTableIds"] == [.string(table.id.description)])
        #expect(try payload([change(.tableDeleted)], filters: ["dataTypes": ["tableData"]]) == nil)
    }

    @Test("lack what is hidden from their reader, wherever it stands")
    func hidden() throws {
        let id = RecordID.random()
        let changes = [
            change(.updated(before: record(id, [:]), after: record(id, [name.id: .text("b"), note.id: .text("c")]))),
            change(.schemaChanged, .fieldDeleted(note)),
        ]
        let json = try #require(try payload(changes, includes: ["includePreviousCellValues": true]))
        let scope = VisibleScope(tenant: schema.tenant, hidden: [table.id: [note.id]])
        let visible = try #require(WebhookVisibility(scope: scope, schema: schema, base: base).visible(json))
        #expect(json.text.contains(note.id.description) && !visible.text.contains(note.id.description))
        #expect(visible.text.contains(name.id.description))
        let elsewhere = VisibleScope(tenant: schema.tenant, bases: [.random()])
        #expect(WebhookVisibility(scope: elsewhere, schema: schema, base: base).visible(json) == nil)
    }

    @Test(
        "are asked for by a specification that is read strictly",
        arguments: [
            [], ["options": [:]], ["options": ["filters": [:]]], ["options": ["filters": ["dataTypes": []]]],
            ["options": ["filters": ["dataTypes": ["cells"]]]], ["options": ["filters": ["dataTypes": "tableData"]]],
            ["options": ["filters": ["dataTypes": ["tableData"], "colour": 1]]],
            ["options": ["filters": ["dataTypes": ["tableData"], "recordChangeScope": "tbl"]]],
            ["options": ["filters": ["dataTypes": ["tableData"], "fromSources": ["nowhere"]]]],
            ["options": ["filters": ["dataTypes": ["tableData"]], "includes": ["includePreviousCellValues": 1]]],
            [
                "options": [
                    "filters": ["dataTypes": ["tableData"]], "includes": ["includeCellValuesInFieldIds": "some"],
                ]
            ],
        ] as [JSONValue]
    )
    func strict(_ json: JSONValue) {
        #expect(throws: AirtableError(.invalidRequest, "")) { try WebhookSpecification(json) }
    }
}

@Suite("Base64 as senders write it")
struct Base64Tests {
    @Test("is read with line breaks, without padding, and in the alphabet of addresses")
    func lenient() {
        let bytes = (0..<200).map { UInt8($0) }
        let text = Base64.text(bytes)
        #expect(Base64.bytes(lenient: text) == bytes)
        let lines = text.enumerated().map { $0.offset % 57 == 56 ? "\($0.element)\r\n" : "\($0.element)" }.joined()
        #expect(Base64.bytes(lenient: lines + "\n") == bytes)
        #expect(Base64.bytes(lenient: "-_8") == [0xFB, 0xFF])
        #expect(Base64.bytes(lenient: "YQ") == [0x61] && Base64.bytes(lenient: "YQ==") == [0x61])
        #expect(Base64.bytes(lenient: "") == [])
        for bad in ["Y", "Y*==", "YQ==YQ==", "=YQ="] { #expect(Base64.bytes(lenient: bad) == nil, "\(bad)") }
    }
}
