import Access
import Database
import Domain
import TestSupport
import Testing

@testable import Airtable

@Suite("Imports under cover")
struct StagingTests {
    static let drafts = [
        TableDraft(
            name: "People",
            fields: [
                FieldDraft(name: "Name", type: .singleLineText), .link("Team", to: "Teams"),
                FieldDraft(name: "Level", type: .singleSelect, choices: ["Low"]),
                FieldDraft(name: "No", type: .autoNumber),
            ]
        ),
        TableDraft(name: "Teams", fields: [FieldDraft(name: "Name", type: .singleLineText)]),
    ]

    static func rows(_ count: Int, _ table: Table, from first: Int = 0) -> [ImportRow] {
        (first..<(first + count)).map { ImportRow(cells: [table.primaryField: .text("n\($0)")]) }
    }

    static func begin(_ store: StoreFixture, _ target: ImportTarget, _ drafts: [TableDraft]) async throws
        -> ImportSession
    {
        try await store.service.imports.begin(target, tables: drafts, owner: "test 1", context: store.context)
    }

    static func names(_ table: Table, _ store: StoreFixture) async throws -> [String] {
        let page = try await store.service.records(
            in: table.id,
            page: RecordPageRequest(limit: 1_000),
            context: store.context
        )
        return page.records.map { record in
            if case .text(let text) = record.cells[table.primaryField] { text } else { "" }
        }
    }

    @Test("ask for the one permission that their caller was asked for", arguments: DatabaseKind.allCases)
    func permissions(_ kind: DatabaseKind) async throws {
        try await withStore(kind) { store in
            let table = try await store.table([FieldDraft(name: "Name", type: .singleLineText)])
            let append = ImportTarget.appending(table.base, tables: [table.id])
            let writer = store.context(with: [.recordsWrite])
            let rows = store.service.imports(by: .recordsWrite)
            let session = try await rows.begin(append, tables: [], owner: "test 1", context: writer)
            try await rows.insertRows(Self.rows(3, table), into: table.id, of: session, context: writer)
            _ = try await rows.publish(session, context: writer)
            #expect(try await Self.names(table, store).count == 3)
            // More than rows is more than it was asked for, and so is either permission without the other by default.
            for (target, drafts) in [(append, [Self.drafts[1]]), (.newBase(name: "New", workspace: nil), [])] {
                await #expect(throws: AccessError.self) {
                    _ = try await rows.begin(target, tables: drafts, owner: "test 1", context: writer)
                }
            }
            for permission in [Permission.recordsWrite, .schemaWrite] {
                await #expect(throws: AccessError.self) {
                    let context = store.context(with: [permission])
                    _ = try await store.service.imports.begin(append, tables: [], owner: "test 1", context: context)
                }
            }
            let maker = store.context(with: [.schemaWrite])
            let tables = store.service.imports(by: .schemaWrite)
            let new = try await tables.begin(
                .newBase(name: "New", workspace: nil),
                tables: Self.drafts,
                owner: "test 1",
                context: maker
            )
            #expect(try await tables.publish(new, context: maker).tables.count == 2)
        }
    }

    @Test("a new base is not there until it is published, then it is there whole", arguments: DatabaseKind.allCases)
    func newBase(_ kind: DatabaseKind) async throws {
        try await withStore(kind) { store in
            let (service, context) = (store.service, store.context)
            let session = try await Self.begin(store, .newBase(name: "New", workspace: nil), Self.drafts)
            let (people, teams) = (session.tables[0].table, session.tables[1].table)
            let persons = Self.rows(150, people)
            let groups = Self.rows(3, teams)
            try await service.imports.insertRows(groups, into: teams.id, of: session, context: context)
            for part in 0..<3 {
                let chunk = Array(persons[(part * 50)..<(part * 50 + 50)])
                try await service.imports.insertRows(chunk, into: people.id, of: session, context: context)
            }
            let ids = try await service.imports.addChoices(
                ["Low", "High"],
                to: people.fields[2].id,
                in: people.id,
                of: session,
                context: context
            )
            #expect(Set(ids.keys) == ["Low", "High"])
            let link = people.fields[1].id
            try await service.imports.resolveLinks(
                persons.prefix(100).map { ($0.id, [groups[0].id, groups[2].id]) },
                field: link,
                in: people.id,
                of: session,
                context: context
            )
            let page = try await service.imports.rows(
                of: people.id,
                after: nil,
                limit: 100,
                of: session,
                context: context
            )
            #expect(page.records.map(\.id) == persons.prefix(100).map(\.id))
            let rest = try await service.imports.rows(
                of: people.id,
                after: page.next,
                limit: 100,
                of: session,
                context: context
            )
            #expect(rest.records.map(\.id) == persons.suffix(50).map(\.id))
            #expect(rest.next == nil)

            // Nobody sees any of it.
            #expect(try await service.bases(context: context).isEmpty)
            await expectFailure(.modelNotFound) { try await service.table(id: people.id, context: context) }
            await expectFailure(.modelNotFound) {
                try await service.records(in: people.id, page: RecordPageRequest(), context: context)
            }
            await expectFailure(.modelNotFound) { try await store.create(people, ["Name": "x"]) }
            #expect(try await service.changes.latestSequence(tenant: context.tenant) == 0)

            let published = try await service.imports.publish(session, context: context)
            #expect(published.base.name == "New")
            #expect(published.tables.map(\.name) == ["People", "Teams"])
            #expect(try await Self.names(people, store) == (0..<150).map { "n\($0)" })
            #expect(try await service.recordCount(in: people.id, context: context) == 150)
            let changes = try await store.allChanges()
            #expect(changes.map(\.event) == [.imported, .imported])
            #expect(changes.map(\.table) == [people.id, teams.id])
            let group = try await service.record(groups[2].id, in: teams.id, context: context)
            #expect(group.cells[teams.fields[1].id] == .links(persons.prefix(100).map(\.id)))
            let last = try await service.record(persons[149].id, in: people.id, context: context)
            #expect(last.cells[people.fields[3].id] == .number(150))
            #expect(try await service.imports.journal(context: context).isEmpty)
            try await store.expectSound()
        }
    }

    @Test("abandoning leaves nothing, and whoever goes on is told", arguments: DatabaseKind.allCases)
    func abandon(_ kind: DatabaseKind) async throws {
        try await withStore(kind) { store in
            let (service, context) = (store.service, store.context)
            let session = try await Self.begin(store, .newBase(name: "New", workspace: nil), Self.drafts)
            let people = session.tables[0].table
            let rows = Self.rows(10, people)
            try await service.imports.insertRows(rows, into: people.id, of: session, context: context)
            try await service.imports.abandon(session.id, context: context)
            try await service.imports.abandon(session.id, context: context)
            for name in ["bases", "tables", "fields", "records", "table_counters", "imports"] {
                let row = try await store.database.read(of: .everyTenant) {
                    try $0.firstRow("SELECT COUNT(*) FROM \(name)")
                }
                #expect(try row?.integer(0) == 0, "\(name)")
            }
            await expectFailure(.importGone) {
                try await service.imports.insertRows(rows, into: people.id, of: session, context: context)
            }
            await expectFailure(.importGone) { try await service.imports.publish(session, context: context) }
            try await store.expectSound()
        }
    }

    @Test("replacing keeps the base and puts new tables in place of the old", arguments: DatabaseKind.allCases)
    func replace(_ kind: DatabaseKind) async throws {
        try await withStore(kind) { store in
            let (service, context) = (store.service, store.context)
            let old = try await store.table([FieldDraft(name: "Name", type: .singleLineText)], named: "People")
            _ = try await store.create(old, ["Name": "old"])
            let session = try await Self.begin(store, .replacing(old.base), Self.drafts)
            let people = session.tables[0].table
            try await service.imports.insertRows(Self.rows(2, people), into: people.id, of: session, context: context)
            #expect(try await Self.names(old, store) == ["old"])
            #expect(try await service.tables(in: old.base, context: context).map(\.id) == [old.id])
            let published = try await service.imports.publish(session, context: context)
            #expect(published.base.id == old.base)
            #expect(published.tables.map(\.id) == session.tables.map(\.table.id))
            #expect(try await Self.names(people, store) == ["n0", "n1"])
            await expectFailure(.modelNotFound) { try await service.table(id: old.id, context: context) }
            #expect(try await store.allChanges().suffix(3).map(\.event) == [.tableDeleted, .imported, .imported])
            let left = try await store.database.read(of: .everyTenant) { try $0.rows("SELECT id FROM records") }
            #expect(left.count == 2)
            try await store.expectSound()
        }
    }

    @Test("appending waits out of sight, then stands behind what is there", arguments: DatabaseKind.allCases)
    func append(_ kind: DatabaseKind) async throws {
        try await withStore(kind) { store in
            let (service, context) = (store.service, store.context)
            let schema = try await service.createBase(name: "B", tables: Self.drafts, context: context)
            let (people, teams) = (schema.tables[0], schema.tables[1])
            let team = try await store.create(teams, ["Name": "T"])[0]
            let first = try await store.create(people, ["Name": "first", "Team": .ids([team.id])])[0]
            let session = try await Self.begin(
                store,
                .appending(schema.base.id, tables: [people.id]),
                [TableDraft(name: "Extra", fields: [FieldDraft(name: "Name", type: .singleLineText)])]
            )
            #expect(session.tables.map(\.table.name) == ["People", "Extra"])
            let ids = try await service.imports.addChoices(
                ["High"],
                to: people.fields[2].id,
                in: people.id,
                of: session,
                context: context
            )
            var rows = Self.rows(1_200, people)
            rows[0].cells[people.fields[1].id] = .links([team.id])
            rows[1].cells[people.fields[2].id] = ids["High"].map { .choice($0) }
            try await service.imports.insertRows(rows, into: people.id, of: session, context: context)
            try await service.imports.resolveLinks(
                [(rows[1_150].id, [team.id])],
                field: people.fields[1].id,
                in: people.id,
                of: session,
                context: context
            )
            #expect(try await Self.names(people, store) == ["first"])
            // Somebody writes to the table meanwhile.
            let meanwhile = try await store.create(people, ["Name": "meanwhile"])[0]
            #expect(try await service.recordCount(in: people.id, context: context) == 2)
            let before = try await service.changes.latestSequence(tenant: context.tenant)

            let published = try await service.imports.publish(session, context: context)
            #expect(published.tables.map(\.name) == ["People", "Teams", "Extra"])
            let shown = try await Self.names(people, store)
            #expect(shown.prefix(3) == ["first", "meanwhile", "n0"])
            #expect(try await service.recordCount(in: people.id, context: context) == 1_202)
            let linked = try await service.record(team.id, in: teams.id, context: context)
            #expect(linked.cells[teams.fields[1].id] == .links([first.id, rows[0].id, rows[1_150].id]))
            let changes = try await service.changes.changes(after: before, limit: 10, tenant: context.tenant).changes
            #expect(changes.allSatisfy { $0.event == .imported })
            #expect(Set(changes.map(\.table)) == Set(published.tables.map(\.id)))
            let numbers = try await service.records([rows[0].id, meanwhile.id], in: people.id, context: context)
            #expect(numbers[0].cells[people.fields[3].id] == .number(2))
            #expect(numbers[1].cells[people.fields[3].id] == .number(1_202))
            try await store.expectSound()
        }
    }

    @Test("publishing is refused when the place is taken or gone", arguments: DatabaseKind.allCases)
    func refusals(_ kind: DatabaseKind) async throws {
        try await withStore(kind) { store in
            let (service, context) = (store.service, store.context)
            let session = try await Self.begin(store, .newBase(name: "New", workspace: nil), Self.drafts)
            let table = try await store.table([FieldDraft(name: "Name", type: .singleLineText)], base: "new")
            await expectFailure(.duplicateBaseName) { try await service.imports.publish(session, context: context) }
            await expectFailure(.duplicateBaseName) {
                try await Self.begin(store, .newBase(name: "NEW", workspace: nil), Self.drafts)
            }
            let append = try await Self.begin(store, .appending(table.base, tables: [table.id]), [])
            let rows = Self.rows(5, table)
            try await service.imports.insertRows(rows, into: table.id, of: append, context: context)
            try await service.deleteTable(table.id, context: context)
            await expectFailure(.modelNotFound) { try await service.imports.publish(append, context: context) }
            let named = try await Self.begin(store, .appending(table.base, tables: []), Self.drafts)
            _ = try await service.createTable(Self.drafts[1], in: table.base, context: context)
            await expectFailure(.duplicateTableName) { try await service.imports.publish(named, context: context) }
            try await service.deleteBase(table.base, context: context)
            await expectFailure(.importGone) {
                try await service.imports.insertRows(rows, into: table.id, of: append, context: context)
            }
            await expectFailure(.modelNotFound) { try await Self.begin(store, .replacing(table.base), []) }
            for entry in try await service.imports.journal(context: context) {
                try await service.imports.abandon(entry.id, context: context)
            }
            let left = try await store.database.read(of: .everyTenant) { try $0.rows("SELECT id FROM records") }
            #expect(left.isEmpty)
            try await store.expectSound()
        }
    }

    @Test(
        "interrupted imports are cleared when their lease ends or their owner is gone",
        arguments: DatabaseKind.allCases
    )
    func interrupted(_ kind: DatabaseKind) async throws {
        try await withStore(kind) { store in
            let (imports, context) = (store.service.imports, store.context)
            let silent = try await Self.begin(store, .newBase(name: "Silent", workspace: nil), Self.drafts)
            store.clock.advance(seconds: 50)
            let lively = try await Self.begin(store, .newBase(name: "Lively", workspace: nil), Self.drafts)
            let people = lively.tables[0].table
            #expect(try await imports.journal(context: context).map(\.id) == [silent.id, lively.id])
            #expect(try await imports.clearInterrupted(context: context) == 0)
            store.clock.advance(seconds: 11)
            #expect(try await imports.clearInterrupted(context: context) == 1)
            let entries = try await imports.journal(context: context)
            #expect(entries.map(\.id) == [lively.id])
            #expect(entries.first?.owner == "test 1")
            // A sign of life renews the lease.
            try await imports.insertRows(Self.rows(1, people), into: people.id, of: lively, context: context)
            store.clock.advance(seconds: 50)
            #expect(try await imports.clearInterrupted(context: context) == 0)
            #expect(try await imports.clearInterrupted(isGone: { $0.owner == "test 1" }, context: context) == 1)
            let left = try await store.database.read(of: .everyTenant) { try $0.rows("SELECT number FROM tables") }
            #expect(left.isEmpty)
        }
    }

    @Test("importing needs both rights, and chunks are bounded")
    func rights() async throws {
        try await withStore(.sqlite) { store in
            let session = try await Self.begin(store, .newBase(name: "New", workspace: nil), Self.drafts)
            for permission in [Permission.schemaWrite, .recordsWrite] {
                let context = store.context(with: Set(Permission.allCases).subtracting([permission]))
                await #expect(throws: AccessError.self) {
                    try await store.service.imports.publish(session, context: context)
                }
            }
            let table = session.tables[0].table
            await expectFailure(.tooLarge) {
                let rows = Array(repeating: ImportRow(cells: [:]), count: ImportStore.chunkRowsMax + 1)
                try await store.service.imports.insertRows(rows, into: table.id, of: session, context: store.context)
            }
            await expectFailure(.rowDoesNotExist) {
                try await store.service.imports.resolveLinks(
                    [(.random(), [.random()])],
                    field: table.fields[1].id,
                    in: table.id,
                    of: session,
                    context: store.context
                )
            }
        }
    }
}
