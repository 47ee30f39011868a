import Domain
import TestSupport
import Testing

@testable import Airtable

@Suite("Fields in the shapes of the metadata API")
struct FieldWireTests {
    private func draft(_ type: FieldType, _ options: JSONValue?) throws -> FieldDraft {
        var json: JSONObject = ["name": "F", "type": .string(type.rawValue)]
        json["options"] = options
        return try FieldDraft(wire: .object(json))
    }

    /// What is shown of a field that was made from `options`.
    private func shown(_ type: FieldType, _ options: JSONValue?) throws -> JSONValue? {
        let draft = try draft(type, options)
        let checked = try FieldOptions(checking: draft.options, of: type, named: "F")
        let stored = try FieldOptions(storedText: checked.storedText)
        #expect(stored == checked, "options of \(type) as they are stored")
        let field = Field(id: .random(), name: "F", type: type, options: stored, ordinal: 1)
        return FieldOptions.wire(of: field).map { .object($0) }
    }

    private static let time: JSONValue = [
        "dateFormat": ["name": "european", "format": "D/M/YYYY"], "timeFormat": ["name": "12hour", "format": "h:mma"],
        "timeZone": "Europe/Paris",
    ]
    private static let choices: JSONValue = [
        "choices": [["id": "selAAAAAAAAAAAAAA", "name": "A", "color": "redBright"]]
    ]

    /// Options that are shown as they were given.
    static let whole: [(FieldType, JSONValue)] = [
        (.number, ["precision": 3]), (.percent, ["precision": 0]), (.currency, ["precision": 7, "symbol": "€"]),
        (.duration, ["durationFormat": "h:mm:ss.SS"]), (.checkbox, ["icon": "heart", "color": "redBright"]),
        (.rating, ["max": 10, "icon": "flag", "color": "blueBright"]), (.singleSelect, choices),
        (.multipleSelects, choices), (.externalSyncSource, choices),
        (.date, ["dateFormat": ["name": "local", "format": "l"]]), (.dateTime, time),
        (.createdTime, ["result": ["type": "dateTime", "options": time]]),
        (
            .createdTime,
            ["result": ["type": "date", "options": ["dateFormat": ["name": "us", "format": "M/D/YYYY"]]]]
        ),
        (
            .lastModifiedTime,
            [
                "isValid": true, "referencedFieldIds": ["fldAAAAAAAAAAAAAA"],
                "result": ["type": "dateTime", "options": time],
            ]
        ),
        (.lastModifiedBy, ["referencedFieldIds": ["fldAAAAAAAAAAAAAA"]]),
        (.multipleAttachments, ["isReversed": true]),
        (
            .formula,
            [
                "isValid": true, "formula": "{fldAAAAAAAAAAAAAA} & 1", "referencedFieldIds": ["fldAAAAAAAAAAAAAA"],
                "result": ["type": "number", "options": ["precision": 1]],
            ]
        ),
        (
            .rollup,
            [
                "isValid": true, "formula": "SUM(values)", "referencedFieldIds": [],
                "recordLinkFieldId": "fldAAAAAAAAAAAAAA", "fieldIdInLinkedTable": "fldBBBBBBBBBBBBBB",
                "result": ["type": "singleLineText"],
            ]
        ),
        (
            .multipleLookupValues,
            [
                "isValid": true, "recordLinkFieldId": "fldAAAAAAAAAAAAAA",
                "fieldIdInLinkedTable": "fldBBBBBBBBBBBBBB", "result": ["type": "singleSelect", "options": choices],
            ]
        ),
        (.count, ["isValid": true, "recordLinkFieldId": "fldAAAAAAAAAAAAAA"]),
        (.button, ["label": "Go", "url": "{Link}"]),
        (
            .aiText,
            [
                "prompt": ["Sum up ", ["field": ["fieldId": "fldAAAAAAAAAAAAAA"]]],
                "referencedFieldIds": ["fldAAAAAAAAAAAAAA"],
            ]
        ),
    ]

    @Test("options are shown as they were given", arguments: whole)
    func roundTrip(_ type: FieldType, _ options: JSONValue) throws {
        #expect(try shown(type, options) == options)
    }

    @Test(
        "types without options have none",
        arguments: [
            FieldType.singleLineText, .multilineText, .richText, .email, .url, .phoneNumber, .autoNumber, .barcode,
            .singleCollaborator, .multipleCollaborators, .createdBy, .manualSort,
        ]
    )
    func none(_ type: FieldType) throws {
        #expect(try shown(type, nil) == nil)
        #expect(try shown(type, ["precision": 3]) == nil)
    }

    @Test("links say where they lead; a name will do where there is no identifier yet")
    func links() async throws {
        let link = try draft(
            .multipleRecordLinks,
            [
                "linkedTableId": "Teams", "prefersSingleRecordLink": true,
                "viewIdForRecordSelection": "viwAAAAAAAAAAAAAA",
            ]
        )
        #expect(link.linkedTable == "Teams" && link.options.prefersSingleRecordLink == true)
        try await withStore(.sqlite) { store in
            let made = try await store.service.createBase(
                name: "B",
                tables: [
                    TableDraft(name: "People", fields: [FieldDraft(name: "Name", type: .singleLineText), link]),
                    TableDraft(
                        name: "Teams",
                        fields: [FieldDraft(name: "Name", type: .singleLineText), .link("Over", to: "Teams")]
                    ),
                ],
                context: store.context
            )
            let field = try #require(made.tables[0].field("F"))
            let inverse = try #require(made.tables[1].field("People"))
            let expected: JSONObject = [
                "linkedTableId": .string(made.tables[1].id.description), "isReversed": false,
                "prefersSingleRecordLink": true, "inverseLinkFieldId": .string(inverse.id.description),
                "viewIdForRecordSelection": "viwAAAAAAAAAAAAAA",
            ]
            #expect(FieldOptions.wire(of: field) == expected)
            #expect(inverse.options.isReversed == true)
            // A table linked to itself has both sides, of which one came of the other.
            let reversed = made.tables[1].fields.filter { $0.type == .multipleRecordLinks }.map(\.options.isReversed)
            #expect(reversed == [nil, true, true])
        }
    }

    @Test("rollups, lookups and counts find their link and field by name, in the call that makes them")
    func references() async throws {
        try await withStore(.sqlite) { store in
            let json: JSONValue = [
                "name": "Sum", "type": "rollup",
                "options": ["recordLinkFieldId": "Parts", "fieldIdInLinkedTable": "Price", "formula": "SUM(values)"],
            ]
            let count: JSONValue = ["name": "Count", "type": "count", "options": ["recordLinkFieldId": "Parts"]]
            let lookup: JSONValue = [
                "name": "Prices", "type": "multipleLookupValues",
                "options": ["recordLinkFieldId": "Parts", "fieldIdInLinkedTable": "Price"],
            ]
            let name = FieldDraft(name: "Name", type: .singleLineText)
            func tables(_ fields: [FieldDraft]) -> [TableDraft] {
                [
                    TableDraft(name: "Kits", fields: [name] + fields + [.link("Parts", to: "Parts")]),
                    TableDraft(name: "Parts", fields: [name, FieldDraft(name: "Price", type: .currency)]),
                ]
            }
            let made = try await store.service.createBase(
                name: "B",
                tables: tables([FieldDraft(wire: json), FieldDraft(wire: count), FieldDraft(wire: lookup)]),
                context: store.context
            )
            let (kits, parts) = (made.tables[0], made.tables[1])
            let (link, price) = (try #require(kits.field("Parts")), try #require(parts.field("Price")))
            let sum = try #require(kits.field("Sum")).options
            #expect(sum.recordLinkField == link.id && sum.fieldInLinkedTable == price.id)
            #expect(kits.field("Count")?.options.recordLinkField == link.id)
            #expect(kits.field("Prices")?.options.result == .of(.currency, price.options))
            let unfit: [JSONValue] = [["recordLinkFieldId": "Name"], ["recordLinkFieldId": "Gone"], [:]]
            for bad in unfit {
                let draft = try FieldDraft(wire: ["name": "X", "type": "count", "options": bad])
                await expectFailure(.invalidFieldOptions) {
                    try await store.service.createField(draft, in: kits.id, context: store.context)
                }
            }
            try await store.expectSound()
        }
    }

    static let refusals: [(JSONValue, AirtableError.Code)] = [
        (["name": "F"], .invalidRequest), (["type": "number"], .invalidRequest),
        (["name": "F", "type": "numbr"], .invalidFieldOptions), (["name": 5, "type": "number"], .invalidRequest),
        (["name": "F", "type": "number", "options": 5], .invalidFieldOptions),
        (["name": "F", "type": "number", "options": ["precision": "1"]], .invalidFieldOptions),
        (["name": "F", "type": "number", "description": 5], .invalidRequest),
        (["name": "F", "type": "date", "options": ["dateFormat": ["format": "x"]]], .invalidFieldOptions),
        (["name": "F", "type": "singleSelect", "options": ["choices": ["A"]]], .invalidFieldOptions),
        (
            ["name": "F", "type": "singleSelect", "options": ["choices": [["id": "x", "name": "A"]]]],
            .invalidFieldOptions
        ),
        (["name": "F", "type": "formula", "options": ["result": ["type": "x"]]], .invalidFieldOptions),
    ]

    @Test("what is no field is refused", arguments: refusals)
    func refused(_ json: JSONValue, _ code: AirtableError.Code) async {
        await expectFailure(code) { try FieldDraft(wire: json) }
    }

    static let outOfRange: [(FieldType, JSONValue)] = [
        (.duration, ["durationFormat": "mm"]), (.dateTime, ["timeZone": "Mars/Base"]), (.formula, [:]),
        (.formula, ["formula": " "]), (.formula, ["formula": "1", "result": ["type": "formula"]]),
        (.formula, ["formula": "1", "result": ["type": "number", "options": ["precision": 9]]]),
    ]

    @Test("options out of their range are refused", arguments: outOfRange)
    func refusesOptions(_ type: FieldType, _ options: JSONValue) async {
        await expectFailure(.invalidFieldOptions) { try shown(type, options) }
    }

    @Test("a change of a field names what changes only")
    func update() throws {
        let field = Field(id: .random(), name: "F", type: .singleSelect, ordinal: 1)
        let update = try FieldUpdate(
            wire: [
                "name": "G", "description": nil,
                "options": ["choices": [["name": "A"]], "enableSelectFieldChoiceDeletion": true],
            ],
            of: field
        )
        #expect(update.name == "G" && update.description == "" && update.deletesChoices)
        #expect(update.options?.choices?.map(\.name) == ["A"])
        let none = try FieldUpdate(wire: [:], of: field)
        #expect(none == FieldUpdate())
    }
}
