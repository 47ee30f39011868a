import Access
import Domain
import TestSupport
import Testing

@testable import Airtable

/// That formulas see stored cells as they are; what they make of them is the formula engine's own suite.
@Suite("Filtering by formula")
struct FormulaFilterTests {
    static let name = FieldDraft(name: "Name", type: .singleLineText)

    static func tables(_ store: StoreFixture) async throws -> (people: Table, things: Table) {
        let schema = try await store.service.createBase(
            name: "B",
            tables: [
                TableDraft(name: "People", fields: [name]),
                TableDraft(
                    name: "Things",
                    fields: [
                        name, FieldDraft(name: "Rank", type: .number), FieldDraft(name: "Done", type: .checkbox),
                        FieldDraft(name: "Size", type: .singleSelect, choices: ["S", "M", "L"]),
                        FieldDraft(name: "Tags", type: .multipleSelects, choices: ["z", "y"]),
                        FieldDraft(name: "Day", type: .date), FieldDraft(name: "At", type: .dateTime),
                        FieldDraft(name: "No", type: .autoNumber), .link("Who", to: "People"),
                    ]
                ),
            ],
            context: store.context
        )
        let (people, things) = (schema.tables[0], schema.tables[1])
        let ids = try await store.create(people, ["Name": "Zoe"], ["Name": "Adam"]).map(\.id)
        _ = try await store.create(
            things,
            [
                "Name": "one", "Rank": 1.5, "Done": true, "Size": "L", "Tags": ["z", "y"], "Day": "2024-05-01",
                "At": "2024-05-01T12:00:00.000Z", "Who": .ids(ids),
            ],
            ["Name": "two", "Rank": -2, "Size": "S", "Tags": ["y"], "Who": .ids([ids[1]])],
            ["Name": "O'Hara \"x\""],
            ["Rank": 7]
        )
        return (people, things)
    }

    @Test(
        "cells of each type",
        arguments: [
            ("{Name}='two'", ["two"]), ("Rank>1", ["one", ""]), ("{Done}=TRUE()", ["one"]), ("Done", ["one"]),
            ("NOT(Done)", ["two", "O'Hara \"x\"", ""]), ("Size='L'", ["one"]), ("Size=BLANK()", ["O'Hara \"x\"", ""]),
            ("FIND('y', Tags)", ["one", "two"]), ("Tags='z, y'", ["one"]), ("No=3", ["O'Hara \"x\""]),
            ("Who='Adam'", ["two"]), ("FIND('Zoe', {Who})", ["one"]), ("{Name}='O\\'Hara \"x\"'", ["O'Hara \"x\""]),
            ("AND(Rank>-3, OR(Size='S', Size='M'))", ["two"]), ("1", ["one", "two", "O'Hara \"x\"", ""]), ("0", []),
            ("''", []), ("0/0", []), ("ERROR()", []), ("Rank+2", ["one", "O'Hara \"x\"", ""]),
        ]
    )
    func cells(_ formula: String, _ expected: [String]) async throws {
        try await withStore(.sqlite) { store in
            let (_, things) = try await Self.tables(store)
            let listing = try await store.service.list(
                RecordQuery(filter: formula),
                in: things.id,
                context: store.context
            )
            #expect(ListingTests.names([listing.records], things) == [expected])
        }
    }

    @Test("identifiers, names in any case, RECORD_ID, sort and pages together", arguments: DatabaseKind.allCases)
    func together(_ kind: DatabaseKind) async throws {
        try await withStore(kind) { store in
            let (_, things) = try await Self.tables(store)
            func list(_ query: RecordQuery) async throws -> [[String]] {
                ListingTests.names(try await store.pages(query, things, store.service), things)
            }
            let rank = things.fields[1].id
            #expect(try await list(RecordQuery(filter: "{\(rank)}>0")) == [["one", ""]])
            let sorted = RecordQuery(filter: "{rank}", sort: [.init(field: "Rank")], pageSize: 1)
            #expect(try await list(sorted) == [["two"], ["one"], [""]])
            let page = try await store.service.list(RecordQuery(), in: things.id, context: store.context)
            let terms = page.records.suffix(2).map { "RECORD_ID()='\($0.id)'" }
            let many = "OR(\((terms + (0..<500).map { "RECORD_ID()='rec\($0)'" }).joined(separator: ",")))"
            #expect(try await list(RecordQuery(filter: many)) == [["O'Hara \"x\"", ""]])
        }
    }

    @Test("what is no formula is refused in the hosted API's words")
    func refusals() async throws {
        try await withStore(.sqlite) { store in
            let (_, things) = try await Self.tables(store)
            func message(_ formula: String, _ scope: VisibleScope? = nil) async -> String? {
                await expectFailure(.invalidFilter) {
                    let scope = scope ?? VisibleScope(tenant: store.context.tenant)
                    let query = RecordQuery(filter: formula)
                    return try await store.service.list(query, in: things.id, scope: scope, context: store.context)
                }?.message
            }
            let start = "The formula for filtering records is invalid: "
            #expect(await message("{Nobody}={Rank}+{Else}") == start + "Unknown field names: nobody, else")
            #expect(await message("{Rank") == start + "Invalid formula. Please check your formula text.")
            // A hidden field is one that does not exist.
            let hidden = VisibleScope(tenant: store.context.tenant, hidden: [things.id: [things.fields[1].id]])
            #expect(await message("{Rank}>0", hidden) == start + "Unknown field names: rank")
            #expect(
                await message("{\(things.fields[1].id)}>0", hidden)
                    == start + "Unknown field names: \(things.fields[1].id.description.lowercased())"
            )
        }
    }
}
