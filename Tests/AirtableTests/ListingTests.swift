import Access
import Domain
import TestSupport
import Testing

@testable import Airtable

@Suite("Listing records")
struct ListingTests {
    static let name = FieldDraft(name: "Name", type: .singleLineText)
    static let rank = FieldDraft(name: "Rank", type: .number)

    static func filled(_ store: StoreFixture, _ names: [String]) async throws -> Table {
        let table = try await store.table([name, rank])
        let drafts = names.enumerated().map { rank, name in
            RecordDraft(fields: ["Name": .string(name), "Rank": .number(JSONNumber(rank))])
        }
        _ = try await store.service.create(drafts, in: table.id, context: store.context)
        return table
    }

    static func names(_ pages: [[Record]], _ table: Table) -> [[String]] {
        pages.map { page in
            page.map { record in
                guard case .text(let name)? = record.cells[table.primaryField] else { return "" }
                return name
            }
        }
    }

    @Test("unsorted: in the order they were made, by pages, up to maxRecords", arguments: DatabaseKind.allCases)
    func unsorted(_ kind: DatabaseKind) async throws {
        try await withStore(kind) { store in
            let table = try await Self.filled(store, ["e", "d", "c", "b", "a"])
            let service = store.listing()
            func list(_ query: RecordQuery) async throws -> [[String]] {
                Self.names(try await store.pages(query, table, service), table)
            }
            #expect(try await list(RecordQuery()) == [["e", "d", "c", "b", "a"]])
            #expect(try await list(RecordQuery(pageSize: 2)) == [["e", "d"], ["c", "b"], ["a"]])
            #expect(try await list(RecordQuery(pageSize: 5)) == [["e", "d", "c", "b", "a"]])
            #expect(try await list(RecordQuery(pageSize: 2, maxRecords: 3)) == [["e", "d"], ["c"]])
            #expect(try await list(RecordQuery(pageSize: 2, maxRecords: 4)) == [["e", "d"], ["c", "b"]])
            #expect(try await list(RecordQuery(pageSize: 2, maxRecords: 9)) == [["e", "d"], ["c", "b"], ["a"]])
            // Nothing is kept for it, and another process goes on with it.
            #expect(service.keptListings.count == 0)
            var query = RecordQuery(pageSize: 2)
            query.offset = try await service.list(query, in: table.id, context: store.context).offset
            let rest = try await store.otherProcess().list(query, in: table.id, context: store.context)
            #expect(Self.names([rest.records], table) == [["c", "b"]])
        }
    }

    @Test("filtered: a page is full when enough records match, wherever they lie", arguments: DatabaseKind.allCases)
    func filtered(_ kind: DatabaseKind) async throws {
        try await withStore(kind) { store in
            let table = try await Self.filled(store, (0..<700).map { $0 % 100 == 7 ? "seven" : "other" })
            let service = store.listing()
            let pages = try await store.pages(RecordQuery(filter: "Name=seven", pageSize: 3), table, service)
            #expect(pages.map(\.count) == [3, 3, 1])
            let ranks = pages.joined().compactMap { $0.cells[table.fields[1].id] }
            #expect(ranks == stride(from: 7, to: 700, by: 100).map { .number(Double($0)) })
            let few = RecordQuery(filter: "Name=seven", pageSize: 3, maxRecords: 4)
            #expect(try await store.pages(few, table, service).map(\.count) == [3, 1])
            let none = RecordQuery(filter: "Name=nine")
            #expect(try await store.pages(none, table, service) == [[]])
            #expect(try await store.pages(RecordQuery(filter: ""), table, service).joined().count == 700)
            await expectFailure(.invalidFilter) {
                try await service.list(RecordQuery(filter: "Nme=x"), in: table.id, context: store.context)
            }
        }
    }

    @Test("a filter of several blocks of rows meets each row once", arguments: DatabaseKind.allCases)
    func blocks(_ kind: DatabaseKind) async throws {
        try await withStore(kind) { store in
            let table = try await store.table([Self.name, Self.rank])
            for block in 0..<3 {
                let drafts = (0..<900).map { row in
                    RecordDraft(fields: [
                        "Name": row % 9 == 0 ? "x" : "y", "Rank": .number(JSONNumber(block * 900 + row)),
                    ])
                }
                _ = try await store.service.create(drafts, in: table.id, context: store.context)
            }
            let service = store.listing()
            let ranks = try await store.pages(RecordQuery(filter: "Name=x"), table, service).joined()
                .compactMap { $0.cells[table.fields[1].id] }
            #expect(ranks == stride(from: 0, to: 2_700, by: 9).map { .number(Double($0)) })
        }
    }

    @Test("sorted by each kind of field, blanks first, ties as they were made", arguments: DatabaseKind.allCases)
    func sorted(_ kind: DatabaseKind) async throws {
        try await withStore(kind) { store in
            let schema = try await store.service.createBase(
                name: "B",
                tables: [
                    TableDraft(name: "People", fields: [Self.name]),
                    TableDraft(
                        name: "Things",
                        fields: [
                            Self.name, Self.rank, FieldDraft(name: "Done", type: .checkbox),
                            FieldDraft(name: "Size", type: .singleSelect, choices: ["S", "M", "L"]),
                            FieldDraft(name: "Tags", type: .multipleSelects, choices: ["z", "y"]),
                            FieldDraft(name: "Day", type: .date), .link("Who", to: "People"),
                        ]
                    ),
                ],
                context: store.context
            )
            let (people, things) = (schema.tables[0], schema.tables[1])
            let ids = try await store.create(people, ["Name": "Zoe"], ["Name": "adam"], ["Name": "Bea"]).map(\.id)
            _ = try await store.create(
                things,
                [
                    "Name": "b", "Rank": 10, "Done": true, "Size": "L", "Tags": ["y"], "Day": "2024-01-02",
                    "Who": .ids([ids[0]]),
                ],
                ["Name": "B", "Rank": 9, "Size": "S", "Tags": ["z", "y"], "Day": "1969-12-31", "Who": .ids([ids[1]])],
                ["Name": "a", "Rank": -1, "Done": true, "Size": "M", "Tags": ["z"], "Who": .ids([ids[2], ids[0]])],
                ["Name": "Ä", "Day": "2023-06-01"],
                ["Rank": 0.5]
            )
            let service = store.listing()
            func order(_ field: String, falling: Bool = false) async throws -> [String] {
                let query = RecordQuery(sort: [.init(field: field, isDescending: falling)], pageSize: 2)
                return Array(Self.names(try await store.pages(query, things, service), things).joined())
            }
            #expect(try await order("Name") == ["", "a", "b", "B", "Ä"])
            #expect(try await order("Name", falling: true) == ["Ä", "b", "B", "a", ""])
            #expect(try await order("Rank") == ["Ä", "a", "", "B", "b"])
            #expect(try await order("Rank", falling: true) == ["b", "B", "", "a", "Ä"])
            #expect(try await order("Done") == ["B", "Ä", "", "b", "a"])
            #expect(try await order("Done", falling: true) == ["b", "a", "B", "Ä", ""])
            #expect(try await order("Size") == ["Ä", "", "B", "a", "b"])
            #expect(try await order("Tags") == ["Ä", "", "a", "B", "b"])
            #expect(try await order("Day") == ["a", "", "B", "Ä", "b"])
            #expect(try await order("Who") == ["Ä", "", "B", "a", "b"])
            #expect(try await order("Who", falling: true) == ["b", "a", "B", "Ä", ""])
            let two = RecordQuery(
                sort: [.init(field: "Done", isDescending: true), .init(field: things.fields[1].id.description)]
            )
            let pages = try await store.pages(two, things, service)
            #expect(Self.names(pages, things) == [["a", "b", "Ä", "", "B"]])
        }
    }

    @Test("a sorted list stays as it was, however the table changes", arguments: DatabaseKind.allCases)
    func stableSort(_ kind: DatabaseKind) async throws {
        try await withStore(kind) { store in
            let table = try await Self.filled(store, ["f", "e", "d", "c", "b", "a"])
            let service = store.listing()
            var query = RecordQuery(sort: [.init(field: "Name")], pageSize: 2)
            let first = try await service.list(query, in: table.id, context: store.context)
            #expect(Self.names([first.records], table) == [["a", "b"]])
            query.offset = first.offset
            let second = try await service.list(query, in: table.id, context: store.context)
            let ids = second.records.map(\.id)
            // A new one, one that would move, and the two of the second page gone.
            _ = try await store.create(table, ["Name": "aa"])
            _ = try await service.update(
                [RecordUpdate(id: first.records[0].id, fields: ["Name": "z"])],
                in: table.id,
                context: store.context
            )
            try await service.delete(ids, in: table.id, context: store.context)
            let rest = try await service.list(query, in: table.id, context: store.context)
            #expect(Self.names([rest.records], table) == [["e", "f"]])
            #expect(rest.offset == nil)
        }
    }

    @Test("offsets: kept for a while, for the same query, by the same reader", arguments: DatabaseKind.allCases)
    func offsets(_ kind: DatabaseKind) async throws {
        try await withStore(kind) { store in
            let table = try await Self.filled(store, ["c", "b", "a"])
            let clock = TickClock()
            let service = store.listing(tick: clock)
            let query = RecordQuery(sort: [.init(field: "Name")], pageSize: 1)
            let offset = try #require(try await service.list(query, in: table.id, context: store.context).offset)
            #expect(offset.wholeMatch(of: /itr[A-Za-z1-9][A-Za-z0-9]{13}\/rec[A-Za-z0-9]{14}/) != nil)
            func list(_ change: (inout RecordQuery) -> Void) async throws -> [String] {
                var query = query
                query.offset = offset
                change(&query)
                let page = try await service.list(query, in: table.id, context: store.context)
                return Self.names([page.records], table)[0]
            }
            #expect(try await list { _ in } == ["b"])
            #expect(try await list { $0.pageSize = 100 } == ["b", "c"])
            #expect(try await list { $0.fields = ["Rank"] } == [""])
            await expectFailure(.iteratorNotAvailable) { try await list { $0.sort = [] } }
            await expectFailure(.iteratorNotAvailable) { try await list { $0.filter = "Name=a" } }
            await expectFailure(.iteratorNotAvailable) { try await list { $0.maxRecords = 2 } }
            await expectFailure(.invalidOffset) { try await list { $0.offset = "itr/rec" } }
            await expectFailure(.invalidOffset) { try await list { $0.offset = String(offset.dropLast()) } }
            await expectFailure(.invalidOffset) { try await list { $0.offset = String(offset.dropLast()) + "z" } }
            var other = query
            other.offset = offset
            await expectFailure(.iteratorNotAvailable) {
                try await store.otherProcess().list(other, in: table.id, context: store.context)
            }
            let narrow = VisibleScope(tenant: store.context.tenant, bases: [table.base])
            await expectFailure(.iteratorNotAvailable) {
                try await service.list(other, in: table.id, scope: narrow, context: store.context)
            }
            // Each use begins its time anew.
            clock.advance(.seconds(Limits.keptListingSeconds - 1))
            #expect(try await list { _ in } == ["b"])
            clock.advance(.seconds(Limits.keptListingSeconds - 1))
            #expect(try await list { _ in } == ["b"])
            clock.advance(.seconds(Limits.keptListingSeconds))
            await expectFailure(.iteratorNotAvailable) { try await list { _ in } }
            #expect(service.keptListings.count == 0)
        }
    }

    @Test("an offset of one table is none of another's", arguments: DatabaseKind.allCases)
    func foreignOffsets(_ kind: DatabaseKind) async throws {
        try await withStore(kind) { store in
            let table = try await Self.filled(store, ["a", "b"])
            let other = try await store.table([Self.name], base: "Other")
            var query = RecordQuery(pageSize: 1)
            query.offset = try await store.service.list(query, in: table.id, context: store.context).offset
            await expectFailure(.invalidOffset) {
                try await store.service.list(query, in: other.id, context: store.context)
            }
            query.sort = [.init(field: "Name")]
            await expectFailure(.invalidOffset) {
                try await store.service.list(query, in: table.id, context: store.context)
            }
            query.offset = ""
            #expect(try await store.service.list(query, in: table.id, context: store.context).records.count == 1)
        }
    }

    @Test("only the fields that are asked for, in the table's order", arguments: DatabaseKind.allCases)
    func fields(_ kind: DatabaseKind) async throws {
        try await withStore(kind) { store in
            let table = try await Self.filled(store, ["a"])
            func list(_ fields: [String]?) async throws -> RecordListing {
                try await store.service.list(RecordQuery(fields: fields), in: table.id, context: store.context)
            }
            let rank = try await list(["Rank"])
            #expect(rank.fields.map(\.name) == ["Rank"])
            #expect(rank.records.map(\.cells) == [[table.fields[1].id: .number(0)]])
            #expect(try await list(["Rank", table.primaryField.description]).fields.map(\.name) == ["Name", "Rank"])
            #expect(try await list(nil).fields == table.fields)
            #expect(try await list([]).fields == table.fields)
            await expectFailure(.unknownFieldName) { try await list(["Rnk"]) }
        }
    }

    @Test("what is out of bounds is refused", arguments: DatabaseKind.allCases)
    func refusals(_ kind: DatabaseKind) async throws {
        try await withStore(kind) { store in
            let table = try await Self.filled(store, ["a"])
            let many = Array(repeating: RecordQuery.SortKey(field: "Name"), count: Limits.sortFields + 1)
            let queries = [
                RecordQuery(pageSize: 0), RecordQuery(pageSize: 101), RecordQuery(maxRecords: 0),
                RecordQuery(sort: many),
            ]
            for query in queries {
                await expectFailure(.invalidRequest) {
                    try await store.service.list(query, in: table.id, context: store.context)
                }
            }
            await expectFailure(.unknownFieldName) {
                let query = RecordQuery(sort: [.init(field: "name")])
                return try await store.service.list(query, in: table.id, context: store.context)
            }
            await expectFailure(.modelNotFound) {
                try await store.service.list(RecordQuery(), in: .random(), context: store.context)
            }
            let other = try await store.otherTenant()
            await expectFailure(.modelNotFound) {
                try await store.service.list(RecordQuery(), in: table.id, context: other)
            }
            let blind = store.context(with: Set(Permission.allCases).subtracting([.recordsRead]))
            await #expect(throws: AccessError.self) {
                try await store.service.list(RecordQuery(), in: table.id, context: blind)
            }
        }
    }

    @Test("a hidden field is unknown: in fields, sort and filter, and as a linked record's name")
    func hidden() async throws {
        try await withStore(.sqlite) { store in
            let schema = try await store.service.createBase(
                name: "B",
                tables: [
                    TableDraft(name: "People", fields: [Self.name]),
                    TableDraft(name: "Things", fields: [Self.name, Self.rank, .link("Who", to: "People")]),
                ],
                context: store.context
            )
            let (people, things) = (schema.tables[0], schema.tables[1])
            let ids = try await store.create(people, ["Name": "z"], ["Name": "a"]).map(\.id)
            _ = try await store.create(
                things,
                ["Name": "first", "Rank": 2, "Who": .ids([ids[0]])],
                ["Name": "second", "Rank": 1, "Who": .ids([ids[1]])]
            )
            let service = store.listing()
            let scope = VisibleScope(
                tenant: store.context.tenant,
                hidden: [things.id: [things.fields[1].id], people.id: [people.primaryField]]
            )
            func list(_ query: RecordQuery) async throws -> RecordListing {
                try await service.list(query, in: things.id, scope: scope, context: store.context)
            }
            let listing = try await list(RecordQuery())
            #expect(listing.fields.map(\.name) == ["Name", "Who"])
            #expect(listing.records.allSatisfy { $0.cells[things.fields[1].id] == nil })
            for name in ["Rank", things.fields[1].id.description] {
                await expectFailure(.unknownFieldName) { try await list(RecordQuery(fields: [name])) }
                await expectFailure(.unknownFieldName) { try await list(RecordQuery(sort: [.init(field: name)])) }
                await expectFailure(.invalidFilter) { try await list(RecordQuery(filter: "\(name)=1")) }
            }
            // Sorting and filtering by a link would tell the linked records' names.
            let byWho = try await list(RecordQuery(sort: [.init(field: "Who")]))
            #expect(Self.names([byWho.records], things) == [["first", "second"]])
            #expect(try await list(RecordQuery(filter: "Who=a")).records.isEmpty)
            let all = try await service.list(
                RecordQuery(filter: "Who=a", sort: [.init(field: "Who")]),
                in: things.id,
                context: store.context
            )
            #expect(Self.names([all.records], things) == [["second"]])
        }
    }
}
