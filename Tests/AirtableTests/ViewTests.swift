import Access
import Database
import Domain
import TestSupport
import Testing

@testable import Airtable

@Suite("Views")
struct ViewTests {
    static let fields = [
        FieldDraft(name: "Name", type: .singleLineText), FieldDraft(name: "Rank", type: .number),
        FieldDraft(name: "Note", type: .singleLineText),
    ]

    static func table(_ store: StoreFixture) async throws -> Table {
        let table = try await store.table(fields)
        _ = try await store.create(
            table,
            ["Name": "c", "Rank": 1, "Note": "x"],
            ["Name": "b", "Rank": 2],
            ["Name": "a", "Rank": 3, "Note": "x"]
        )
        return table
    }

    @Test("every table begins with one grid", arguments: DatabaseKind.allCases)
    func first(_ kind: DatabaseKind) async throws {
        try await withStore(kind) { store in
            let table = try await Self.table(store)
            let views = try await store.service.views(in: table.id, context: store.context)
            #expect(views.map(\.name) == ["Grid view"] && views.map(\.type) == ["grid"])
            #expect(views[0].filter == nil && views[0].sort.isEmpty && views[0].visibleFields == nil)
            await expectFailure(.invalidRequest) {
                try await store.service.deleteView(views[0].id, in: table.id, context: store.context)
            }
        }
    }

    @Test("a list by view has its records and order; a sort in the query overrides", arguments: DatabaseKind.allCases)
    func listing(_ kind: DatabaseKind) async throws {
        try await withStore(kind) { store in
            let (service, context) = (store.service, store.context)
            let table = try await Self.table(store)
            let view = try await service.createView(
                ViewDraft(name: "Noted", filter: "{note}='x'", sort: [.init(field: "Name")], visibleFields: ["Name"]),
                in: table.id,
                context: context
            )
            #expect(view.filter == "{Note}='x'" && view.visibleFields == [table.primaryField])
            func list(_ change: (inout RecordQuery) -> Void) async throws -> [String] {
                var query = RecordQuery()
                query.view = "noted"
                change(&query)
                let pages = try await store.pages(query, table, service)
                return Array(ListingTests.names(pages, table).joined())
            }
            #expect(try await list { _ in } == ["a", "c"])
            #expect(try await list { $0.view = view.id.description } == ["a", "c"])
            #expect(try await list { $0.maxRecords = 1 } == ["a"])
            #expect(try await list { $0.view = "Grid view" } == ["c", "b", "a"])
            #expect(try await list { $0.sort = [.init(field: "Rank")] } == ["c", "a"])
            #expect(try await list { $0.filter = "Rank>1" } == ["a"])
            #expect(try await list { $0.pageSize = 1 } == ["a", "c"])
            await expectFailure(.viewNotFound) { try await list { $0.view = "Notd" } }
            // What a view hides is shown nowhere but in it: lists give all fields unless told.
            var query = RecordQuery()
            query.view = "Noted"
            #expect(try await service.list(query, in: table.id, context: context).fields == table.fields)
        }
    }

    @Test("are changed and deleted, each in the change log", arguments: DatabaseKind.allCases)
    func changes(_ kind: DatabaseKind) async throws {
        try await withStore(kind) { store in
            let (service, context) = (store.service, store.context)
            let table = try await Self.table(store)
            let before = try await store.allChanges().count
            let draft = ViewDraft(name: " V ", filter: "{Rank}>1")
            let view = try await service.createView(draft, in: table.id, context: context)
            #expect(view.name == "V" && view.sort.isEmpty && view.visibleFields == nil)
            let update = ViewUpdate(name: "W", sort: [.init(field: "Rank", isDescending: true)])
            let changed = try await service.updateView(view.id, update, in: table.id, context: context)
            #expect(changed.sort == [TableView.SortKey(field: table.fields[1].id, isDescending: true)])
            #expect(changed.filter == "{Rank}>1")
            #expect(try await service.views(in: table.id, context: context).last == changed)
            // What changes nothing is no change.
            #expect(try await service.updateView(view.id, ViewUpdate(), in: table.id, context: context) == changed)
            let bare = ViewUpdate(filter: "", sort: [], visibleFields: [])
            let plain = try await service.updateView(view.id, bare, in: table.id, context: context)
            #expect(plain == TableView(id: view.id, table: table.id, name: "W"))
            try await service.deleteView(view.id, in: table.id, context: context)
            await expectFailure(.noSuchView) {
                try await service.updateView(view.id, update, in: table.id, context: context)
            }
            #expect(try await service.views(in: table.id, context: context).map(\.name) == ["Grid view"])
            let entries = Array(try await store.allChanges().dropFirst(before))
            // As they are stored: by identifiers.
            let rank = table.fields[1].id
            let made = TableView(id: view.id, table: table.id, name: "V", filter: "{\(rank)}>1")
            var sorted = made
            (sorted.name, sorted.sort) = ("W", changed.sort)
            #expect(
                entries.map(\.schemaChange) == [
                    .viewCreated(made), .viewUpdated(before: made, after: sorted),
                    .viewUpdated(before: sorted, after: plain), .viewDeleted(plain),
                ]
            )
            #expect(entries.allSatisfy { $0.actor == context.principal.user && $0.table == table.id })
            try await store.expectSound()
        }
    }

    @Test("are refused with a name twice, an unknown field, a broken formula", arguments: DatabaseKind.allCases)
    func refusals(_ kind: DatabaseKind) async throws {
        try await withStore(kind) { store in
            let (service, context) = (store.service, store.context)
            let table = try await Self.table(store)
            let before = try await store.allChanges().count
            let many = (0...Limits.sortFields).map { _ in RecordQuery.SortKey(field: "Rank") }
            let drafts: [(AirtableError.Code, ViewDraft)] = [
                (.duplicateViewName, ViewDraft(name: "grid VIEW ")), (.invalidRequest, ViewDraft(name: " ")),
                (.unknownFieldName, ViewDraft(name: "X", sort: [.init(field: "Nobody")])),
                (.unknownFieldName, ViewDraft(name: "X", visibleFields: ["Nobody"])),
                (.invalidFilter, ViewDraft(name: "X", filter: "{")),
                (.invalidRequest, ViewDraft(name: "X", sort: many)),
                (.invalidFilter, ViewDraft(name: "X", filter: "{Nobody}=1")),
            ]
            for (code, draft) in drafts {
                await expectFailure(code) { try await service.createView(draft, in: table.id, context: context) }
            }
            let reader = store.context(with: Set(Permission.allCases).subtracting([.schemaWrite]))
            await #expect(throws: AccessError.self) {
                try await service.createView(ViewDraft(name: "X"), in: table.id, context: reader)
            }
            let stranger = try await store.otherTenant()
            await expectFailure(.modelNotFound) { try await service.views(in: table.id, context: stranger) }
            await expectFailure(.modelNotFound) {
                try await service.createView(ViewDraft(name: "X"), in: table.id, context: stranger)
            }
            #expect(try await store.allChanges().count == before)
            #expect(try await service.views(in: table.id, context: context).count == 1)
        }
    }

    @Test(
        "the first one keeps its identifier when others come, and can be deleted then",
        arguments: DatabaseKind.allCases
    )
    func firstOfSeveral(_ kind: DatabaseKind) async throws {
        try await withStore(kind) { store in
            let (service, context) = (store.service, store.context)
            let table = try await Self.table(store)
            let first = try await service.views(in: table.id, context: context)[0]
            #expect(first == TableView(firstOf: table.id))
            _ = try await service.createView(ViewDraft(name: "B"), in: table.id, context: context)
            _ = try await service.createView(ViewDraft(name: "A"), in: table.id, context: context)
            let views = try await service.views(in: table.id, context: context)
            #expect(views.map(\.name) == ["Grid view", "B", "A"] && views[0] == first)
            try await service.deleteView(first.id, in: table.id, context: context)
            #expect(try await service.views(in: table.id, context: context).map(\.name) == ["B", "A"])
            let viewed = try await service.viewedTables(in: table.base, context: context)
            #expect(viewed == [ViewedTable(table: table, views: Array(views.dropFirst()))])
            try await service.deleteTable(table.id, context: context)
            let left = try await store.database.read(of: .everyTenant) {
                try $0.firstRow("SELECT COUNT(*) FROM views")?.integer(0)
            }
            #expect(left == 0)
        }
    }

    @Test(
        "follow fields that are renamed; one whose filter lost its field lists nothing",
        arguments: DatabaseKind.allCases
    )
    func fieldsChange(_ kind: DatabaseKind) async throws {
        try await withStore(kind) { store in
            let (service, context) = (store.service, store.context)
            let table = try await Self.table(store)
            let draft = ViewDraft(
                name: "V",
                filter: "Rank > 1",
                sort: [.init(field: "Note"), .init(field: "Name")],
                visibleFields: ["Note", "Rank"]
            )
            let view = try await service.createView(draft, in: table.id, context: context)
            // The primary field comes first, the others as they were given.
            #expect(view.visibleFields == [0, 2, 1].map { table.fields[$0].id })
            let (rank, note) = (table.fields[1].id, table.fields[2].id)
            _ = try await service.updateField(rank, FieldUpdate(name: "R}nk"), in: table.id, context: context)
            let renamed = try await service.views(in: table.id, context: context)[1]
            #expect(renamed.filter == #"{R\}nk} > 1"#)
            var query = RecordQuery()
            query.view = "V"
            func names() async throws -> [String] {
                Array(ListingTests.names(try await store.pages(query, table, service), table).joined())
            }
            #expect(try await names() == ["b", "a"])
            try await service.deleteField(note, in: table.id, context: context)
            let narrowed = try await service.views(in: table.id, context: context)[1]
            #expect(
                narrowed.sort.map(\.field) == [table.fields[0].id]
                    && narrowed.visibleFields == [0, 1].map { table.fields[$0].id }
            )
            #expect(try await names() == ["a", "b"])
            try await service.deleteField(rank, in: table.id, context: context)
            // Not all records: that is what nobody asked for.
            await expectFailure(.invalidFilter) { try await names() }
            let mended = ViewUpdate(filter: "")
            _ = try await service.updateView(view.id, mended, in: table.id, context: context)
            #expect(try await names() == ["a", "b", "c"])
            try await store.expectSound()
        }
    }

    @Test("a row that was changed outside is an error, and verifying finds it", arguments: DatabaseKind.allCases)
    func damage(_ kind: DatabaseKind) async throws {
        try await withStore(kind) { store in
            let table = try await Self.table(store)
            _ = try await store.service.createView(ViewDraft(name: "V"), in: table.id, context: store.context)
            try await store.database.write(of: .everyTenant) {
                try $0.execute("UPDATE views SET name = 'W' WHERE name = 'V'")
            }
            await expectFailure(.corrupt) { try await store.service.views(in: table.id, context: store.context) }
            let report = try await store.service.verify(context: store.context)
            #expect(report.problems.count == 1 && report.problems[0].contains("view viw"))
        }
    }

    @Test("one that filters or sorts by a hidden field does not exist", arguments: DatabaseKind.allCases)
    func hidden(_ kind: DatabaseKind) async throws {
        try await withStore(kind) { store in
            let (service, context) = (store.service, store.context)
            let table = try await Self.table(store)
            let drafts = [
                ViewDraft(name: "By rank", sort: [.init(field: "Rank")]), ViewDraft(name: "Few", filter: "{Rank}>1"),
                ViewDraft(name: "Shown", visibleFields: ["Name", "Rank"]),
            ]
            for draft in drafts { _ = try await service.createView(draft, in: table.id, context: context) }
            let scope = VisibleScope(tenant: context.tenant, hidden: [table.id: [table.fields[1].id]])
            let seen = try await service.history(in: table.base, context: context).entries
            #expect(seen.filter { $0.schemaChange != nil }.count == 4)
            let views = try await service.views(in: table.id, scope: scope, context: context)
            #expect(views.map(\.name) == ["Grid view", "Shown"])
            #expect(views[1].visibleFields == [table.primaryField])
            for name in ["By rank", "Few"] {
                var query = RecordQuery()
                query.view = name
                await expectFailure(.viewNotFound) {
                    try await service.list(query, in: table.id, scope: scope, context: context)
                }
            }
        }
    }
}
