import Airtable
import Domain
import HTTPTypes
import HummingbirdTesting
import Testing

@testable import Gateway

@Suite("History and undo by HTTP")
struct HistoryRouteTests {
    @Test("tells of a record, a table, a base and a transaction what changed, by whom")
    func reading() async throws {
        try await withGateway { fixture in
            let (key, user) = (fixture.key, fixture.owner.principal.user)
            let (iron, state) = (fixture.records[1].id, try #require(fixture.elements.field("State")).id)
            let update = RecordUpdate(id: iron, fields: ["State": "Gas"])
            _ = try await fixture.airtable.update([update], in: fixture.elements.id, context: fixture.owner)
            let view = try await fixture.airtable.createView(
                ViewDraft(name: "V"),
                in: fixture.elements.id,
                context: fixture.owner
            )
            let base = "/api/v1/airtable/bases/\(fixture.base.id)"
            try await fixture.server().publicApplication.test(.router) { client in
                let record = try await client.send(.get, "\(fixture.tablePath)/records/\(iron)/history", key: key)
                let entry = try #require(record.json?["entries"]?[0])
                #expect(
                    entry["kind"] == "updated" && entry["actor"] == ["id": .string(user.description), "name": "owner"]
                )
                #expect(entry["recordId"] == .string(iron.description))
                #expect(
                    entry["cells"] == [
                        [
                            "fieldId": .string(state.description), "fieldName": "State", "before": "Solid",
                            "after": "Gas",
                        ]
                    ]
                )
                let creation = record.json?["entries"]?[1]
                #expect(creation?["kind"] == "created" && creation?["cells"]?[0]?["after"] == "Iron")
                #expect(creation?["cells"]?[0]?["before"] == nil)
                let table = try await client.send(.get, "\(fixture.tablePath)/history?limit=2", key: key)
                #expect(table.json?["entries"]?[1] == entry)
                #expect(
                    table.json?["entries"]?[0]?["schema"] == [
                        "kind": "viewCreated",
                        "after": ["id": .string(view.id.description), "name": "V", "type": "grid"],
                    ]
                )
                let next = try #require(table.json?["next"]?.intValue)
                let rest = try await client.send(.get, "\(fixture.tablePath)/history?before=\(next)", key: key)
                #expect(
                    rest.json?["entries"]?.arrayValue?.allSatisfy { ($0["sequence"]?.intValue ?? 0) < next } == true
                )
                #expect(rest.json?["next"] == nil)
                let whole = try await client.send(.get, "\(base)/history", key: key)
                #expect(
                    Set(whole.json?["entries"]?.arrayValue?.compactMap { $0["tableId"]?.stringValue } ?? [])
                        == [fixture.elements.id.description, fixture.isotopes.id.description]
                )
                let number = try #require(entry["transaction"]?.intValue)
                let transaction = "/api/v1/airtable/transactions/\(number)"
                #expect(try await client.send(.get, transaction, key: key).json == ["entries": [entry]])
                for path in [
                    "/api/v1/airtable/transactions/99999", "/api/v1/airtable/transactions/0", base + "x/history",
                ] {
                    #expect(try await client.send(.get, path, key: key).status == 404, "\(path)")
                }
                let broken = try await client.send(.get, "\(base)/history?limit=0", key: key)
                #expect(broken.status == 400 && broken.code == "invalidParameter")
            }
        }
    }

    @Test("tells what only follows from a change apart from the change itself")
    func derived() async throws {
        try await withGateway { fixture in
            let isotopes = try await fixture.airtable.table(id: fixture.isotopes.id, context: fixture.owner)
            let link = try #require(isotopes.fields.first { $0.type == .multipleRecordLinks })
            var lookup = FieldDraft(name: "Of", type: .multipleLookupValues)
            (lookup.recordLink, lookup.fieldInLinkedTable) = (link.name, "Name")
            _ = try await fixture.airtable.createField(lookup, in: isotopes.id, context: fixture.owner)
            let update = RecordUpdate(id: fixture.records[0].id, fields: ["Name": "He"])
            _ = try await fixture.airtable.update([update], in: fixture.elements.id, context: fixture.owner)
            try await fixture.server().publicApplication.test(.router) { client in
                let path = "/api/v1/airtable/bases/\(fixture.base.id)/history?limit=2"
                let entries = try await client.send(.get, path, key: fixture.key).json?["entries"]?.arrayValue ?? []
                #expect(entries.map { $0["derived"] } == [true, nil])
                #expect(entries.map { $0["cells"]?[0]?["after"] } == [["He"], "He"])
                #expect(entries[0]["transaction"] == entries[1]["transaction"])
            }
        }
    }

    @Test("undoes a transaction, and says what stands against it")
    func undoing() async throws {
        try await withGateway { fixture in
            let (key, iron) = (fixture.key, fixture.records[1].id)
            let state = try #require(fixture.elements.field("State")).id
            @Sendable func set(_ value: JSONValue) async throws -> Int64 {
                let update = RecordUpdate(id: iron, fields: ["State": value])
                _ = try await fixture.airtable.update([update], in: fixture.elements.id, context: fixture.owner)
                return try await fixture.airtable.changes.latestSequence(tenant: fixture.owner.tenant)
            }
            let first = try await set("Gas")
            try await fixture.server().publicApplication.test(.router) { client in
                func undo(_ number: Int64, _ key: String) async throws -> Answer {
                    try await client.send(.post, "/api/v1/airtable/transactions/\(number)/undo", key: key)
                }
                let undone = try await undo(first, key)
                #expect(undone.json == ["transaction": .number(JSONNumber(Int(first) + 1)), "records": 1])
                let again = try await undo(first + 1, key)
                #expect(again.status == 200)
                let record = try await fixture.airtable.record(iron, in: fixture.elements.id, context: fixture.owner)
                #expect(
                    record.cells[state]
                        == .choice(try #require(fixture.elements.field("State")?.options.choices?[0].id))
                )
                let last = try await set(.null)
                let refused = try await undo(first, key)
                #expect(refused.status == 409 && refused.code == "undoObstructed")
                #expect(refused.headers[.contentType] == "application/problem+json")
                let obstacle = try #require(refused.json?["obstacles"]?[0])
                #expect(obstacle["reason"] == "changed" && obstacle["recordId"] == .string(iron.description))
                #expect(obstacle["fieldIds"] == [.string(state.description)])
                #expect(obstacle["since"]?["transaction"]?.intValue == Int(last))
                #expect(try await undo(99_999, key).status == 404)
                let reader = try await fixture.key([.recordsRead])
                #expect(try await undo(last, reader).status == 403)
            }
        }
    }
}
