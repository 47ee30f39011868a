import Airtable
import Domain
import HTTPTypes
import HummingbirdTesting
import Testing

@testable import Gateway

@Suite("Cells as text")
struct AirtableTextFormatTests {
    @Test("are for the reader's time zone and language, in lists, by body, and of one record")
    func texts() async throws {
        try await withGateway { fixture in
            let schema = try await fixture.airtable.createBase(
                name: "Lab",
                tables: [
                    TableDraft(
                        name: "Runs",
                        fields: [
                            FieldDraft(name: "Name", type: .singleLineText), FieldDraft(name: "Done", type: .checkbox),
                            try FieldDraft(wire: [
                                "name": "Cost", "type": "currency", "options": ["precision": 2, "symbol": "€"],
                            ]),
                            FieldDraft(name: "Tags", type: .multipleSelects, choices: ["hot", "cold, wet"]),
                            try FieldDraft(
                                wire: [
                                    "name": "At", "type": "dateTime",
                                    "options": [
                                        "timeZone": "client", "dateFormat": ["name": "local"],
                                        "timeFormat": ["name": "24hour"],
                                    ],
                                ]
                            ),
                            .link("Next", to: "Runs"),
                        ]
                    )
                ],
                context: fixture.owner
            )
            let table = schema.tables[0]
            let first = try await fixture.airtable.create(
                [RecordDraft(fields: ["Name": "A, B"])],
                in: table.id,
                context: fixture.owner
            )[0]
            let second = try await fixture.airtable.create(
                [
                    RecordDraft(fields: [
                        "Name": "C", "Done": true, "Cost": 3.5, "Tags": ["hot", "cold, wet"],
                        "At": "2024-05-01T22:30:00.000Z", "Next": [.string(first.id.description)],
                    ])
                ],
                in: table.id,
                context: fixture.owner
            )[0]
            let expected: JSONValue = [
                "Name": "C", "Done": "checked", "Cost": "€3.50", "Tags": "hot, \"cold, wet\"",
                "At": "02.05.2024 00:30", "Next": "A, B",
            ]
            let path = "/v0/\(schema.base.id)/Runs"
            let zone = "timeZone=Europe/Berlin&userLocale=de"
            try await fixture.server().publicApplication.test(.router) { client in
                func get(_ path: String) async throws -> Answer { try await client.send(.get, path, key: fixture.key) }
                #expect(try await get("\(path)/\(second.id)?cellFormat=string&\(zone)").json?["fields"] == expected)
                let listed = try await get("\(path)?cellFormat=string&\(zone)")
                #expect(listed.json?["records"]?[1]?["fields"] == expected)
                let posted = try await client.send(
                    .post,
                    "\(path)/listRecords?\(zone)",
                    key: fixture.key,
                    body: #"{"cellFormat":"string","returnFieldsByFieldId":true,"fields":["Cost"]}"#
                )
                let cost = try #require(table.field("Cost")).id
                #expect(posted.json?["records"]?[1]?["fields"] == [cost.description: "€3.50"])
                #expect(posted.json?["records"]?[0]?["fields"] == [:])
                for query in ["", "&timeZone=utc", "&userLocale=de"] {
                    for path in [path, "\(path)/\(second.id)"] {
                        let refused = try await get("\(path)?cellFormat=string\(query)")
                        #expect(refused.status == 422, "\(query)")
                        #expect(refused.json?["error"]?["type"] == "INVALID_REQUEST_UNKNOWN")
                    }
                }
                #expect(try await get("\(path)?cellFormat=string&timeZone=Mars&userLocale=de").status == 422)
            }
        }
    }
}
