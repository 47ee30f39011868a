import Access
import Domain
import TestSupport
import Testing

@testable import Airtable

@Suite("History")
struct HistoryTests {
    static let fields = [
        FieldDraft(name: "Name", type: .singleLineText), FieldDraft(name: "Count", type: .number),
        FieldDraft(name: "Made", type: .createdTime),
    ]

    @Test("of a record: what changed, when and by whom, newest first", arguments: DatabaseKind.allCases)
    func record(_ kind: DatabaseKind) async throws {
        try await withStore(kind) { store in
            let (service, context) = (store.service, store.context)
            let table = try await store.table(Self.fields)
            let (name, count, made) = (table.fields[0].id, table.fields[1].id, table.fields[2].id)
            let records = try await store.create(table, ["Name": "a", "Count": 1], ["Name": "other"])
            let (id, created) = (records[0].id, store.clock.instant)
            store.clock.advance(seconds: 5)
            _ = try await service.update(
                [RecordUpdate(id: id, fields: ["Name": "b"])],
                in: table.id,
                context: context
            )
            try await service.delete([id], in: table.id, context: context)
            let page = try await service.history(of: id, in: table.id, context: context)
            #expect(page.next == nil)
            #expect(page.entries.map(\.kind) == [.deleted, .updated, .created])
            #expect(page.entries.map(\.sequence) == [5, 4, 2])
            #expect(page.entries.map(\.transaction) == [5, 4, 2])
            #expect(page.entries.allSatisfy { $0.record == id && $0.table == table.id && $0.base == table.base })
            #expect(page.entries.allSatisfy { $0.actor == context.principal.user })
            #expect(page.entries.map(\.time) == [store.clock.instant, store.clock.instant, created])
            #expect(page.entries[1].cells == [CellChange(field: name, before: .text("a"), after: .text("b"))])
            #expect(
                page.entries[2].cells == [
                    CellChange(field: name, before: nil, after: .text("a")),
                    CellChange(field: count, before: nil, after: .number(1)),
                    CellChange(field: made, before: nil, after: .dateTime(created)),
                ]
            )
            #expect(page.entries[0].cells.map(\.after) == [nil, nil, nil])
            #expect(page.entries[0].cells.first?.before == .text("b"))
            // By pages.
            let first = try await service.history(of: id, in: table.id, limit: 2, context: context)
            #expect(first.entries == Array(page.entries.prefix(2)))
            let rest = try await service.history(of: id, in: table.id, before: first.next, limit: 2, context: context)
            #expect(rest == HistoryPage(entries: [page.entries[2]], next: nil))
            await expectFailure(.notFound) { try await service.history(of: .random(), in: table.id, context: context) }
            await expectFailure(.invalidRequest) {
                try await service.history(of: id, in: table.id, limit: 0, context: context)
            }
        }
    }

    @Test("of a base, a table and a transaction; trimmed entries are gone", arguments: DatabaseKind.allCases)
    func base(_ kind: DatabaseKind) async throws {
        try await withStore(kind) { store in
            let (service, context) = (store.service, store.context)
            let table = try await store.table(Self.fields)
            let other = try await store.table(Self.fields, base: "Other")
            _ = try await store.create(table, ["Name": "a"], ["Name": "b"])
            _ = try await store.create(other, ["Name": "c"])
            let second = try await service.createTable(
                TableDraft(name: "Second", fields: Self.fields),
                in: table.base,
                context: context
            )
            let all = try await service.history(in: table.base, context: context)
            #expect(all.entries.map(\.kind) == [.schemaChanged, .created, .created, .schemaChanged])
            #expect(all.entries.map(\.sequence) == [6, 4, 3, 1])
            #expect(all.next == nil)
            let ofSecond = try await service.history(in: table.base, table: second.id, context: context)
            #expect(ofSecond.entries.map(\.sequence) == [6])
            let pages = try await service.history(in: table.base, limit: 3, context: context)
            #expect(pages.entries == Array(all.entries.prefix(3)))
            let rest = try await service.history(in: table.base, before: pages.next, limit: 3, context: context)
            #expect(rest.entries == Array(all.entries.suffix(1)))
            #expect(try await service.history(ofTransaction: 3, context: context).map(\.sequence) == [3, 4])
            for number in [0, 2, 4, 7, Int64.max] where number != 2 {
                await expectFailure(.notFound) { try await service.history(ofTransaction: number, context: context) }
            }
            _ = try await service.changes.trim(
                to: ChangeRetention(bytes: 0),
                now: store.clock.instant,
                tenant: context.tenant
            )
            #expect(try await service.history(in: table.base, context: context).entries.isEmpty)
            await expectFailure(.notFound) { try await service.history(ofTransaction: 3, context: context) }
            await expectFailure(.notFound) { try await service.undo(transaction: 3, context: context) }
        }
    }

    @Test("another tenant's, a hidden field's and a foreign base's is not there", arguments: DatabaseKind.allCases)
    func scope(_ kind: DatabaseKind) async throws {
        try await withStore(kind) { store in
            let (service, context) = (store.service, store.context)
            let table = try await store.table(Self.fields)
            let record = try await store.create(table, ["Name": "a", "Count": 1])[0]
            _ = try await service.update(
                [RecordUpdate(id: record.id, fields: ["Count": 2])],
                in: table.id,
                context: context
            )
            let other = try await store.otherTenant()
            await expectFailure(.modelNotFound) {
                try await service.history(of: record.id, in: table.id, context: other)
            }
            await expectFailure(.modelNotFound) { try await service.history(in: table.base, context: other) }
            await expectFailure(.notFound) { try await service.history(ofTransaction: 2, context: other) }
            await expectFailure(.notFound) { try await service.undo(transaction: 2, context: other) }
            let scope = VisibleScope(tenant: context.tenant, hidden: [table.id: [table.fields[1].id]])
            let page = try await service.history(
                of: record.id,
                in: table.id,
                before: nil,
                limit: 10,
                scope: scope,
                context: context
            )
            #expect(page.entries.map(\.kind) == [.created])
            #expect(page.entries[0].cells.map(\.field) == [table.fields[0].id, table.fields[2].id])
            // Whoever cannot see all of it cannot take it back.
            for number in [Int64(2), 3] {
                await expectFailure(.notFound) { try await service.undo(number, scope: scope, context: context) }
            }
            let elsewhere = VisibleScope(tenant: context.tenant, bases: [])
            await expectFailure(.notFound) { try await service.undo(3, scope: elsewhere, context: context) }
            let reader = store.context(with: [.recordsRead])
            await #expect(throws: AccessError.self) { try await service.undo(transaction: 3, context: reader) }
            let blind = store.context(with: [.recordsWrite])
            await #expect(throws: AccessError.self) { try await service.history(ofTransaction: 3, context: blind) }
            // Undoing the making of a record deletes it.
            let writer = store.context(with: [.recordsWrite])
            #expect(try await service.undo(transaction: 3, context: writer) == .undone(transaction: 4, records: 1))
            await #expect(throws: AccessError.self) { try await service.undo(transaction: 2, context: writer) }
        }
    }
}
