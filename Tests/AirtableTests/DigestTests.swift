import Database
import Domain
import TestSupport
import Testing

@testable import Airtable

@Suite("Digests of rows")
struct DigestTests {
    /// A column, and what SQL makes of it: something else that reads just as well.
    struct Edit: Sendable, CustomStringConvertible {
        let table: String
        let column: String
        let value: String

        var description: String { "\(table).\(column)" }
        var sql: String { "UPDATE \(table) SET \(column) = \(value) WHERE \(column) IS NOT NULL" }

        /// Flips a letter or bit of what is there.
        init(_ table: DigestedTable, _ column: String) {
            self.table = table.name
            self.column = column
            let integers: Set<String> = [
                "created", "number", "ordinal", "next_field", "table_number", "position", "sequence", "tx", "time",
                "kind", "bytes", "digest",
            ]
            value = integers.contains(column) ? "\(column) + 1" : "\(column) || 'x'"
        }

        init(_ column: String, _ value: String) {
            (self.table, self.column, self.value) = ("records", column, value)
        }
    }

    static let recordEdits: [Edit] = [
        Edit("cells", "replace(cells, 'Ada', 'Eda')"), Edit("cells", "'{}'"), Edit("created", "created + 1"),
        Edit("position", "position + 1"), Edit("digest", "digest + 1"), Edit("tenant", "tenant || 'x'"),
        Edit("id", "'recAAAAAAAAAAAAAA'"), Edit("id", "'nonsense'"),
    ]

    @Test("a record changed outside the product is refused, by table and record", arguments: recordEdits)
    func record(_ edit: Edit) async throws {
        try await Self.refused(edit, on: .sqlite)
    }

    /// There a row that was given to another tenant is theirs (`RowSecurity`), and so isn't found here at all.
    @Test("on PostgreSQL too", arguments: [recordEdits[0], recordEdits[4]])
    func recordOnPostgres(_ edit: Edit) async throws {
        try await Self.refused(edit, on: .postgres)
    }

    static func refused(_ edit: Edit, on kind: DatabaseKind) async throws {
        try await withStore(kind) { store in
            let (service, context) = (store.service, store.context)
            let table = try await store.table([FieldDraft(name: "Name", type: .singleLineText)])
            let id = try await store.create(table, ["Name": "Ada"])[0].id
            try await store.database.write(of: .everyTenant) { try $0.execute(edit.sql) }
            let error = await expectFailure(.corrupt) {
                try await service.records(in: table.id, page: RecordPageRequest(), context: context)
            }
            let message = try #require(error?.message)
            #expect(message.contains("\"Things\" (\(table.id))"))
            #expect(message.contains("record \(id)") || edit.column == "id")
            #expect(error?.hint?.contains("restore a backup") == true)
            #expect(!message.contains("Ada") && !message.contains("Eda"))
            if edit.column != "id" {
                await expectFailure(.corrupt) { try await service.record(id, in: table.id, context: context) }
                await expectFailure(.corrupt) {
                    try await service.primaryValues(of: [id], in: table.id, context: context)
                }
                // Nothing is written over it: the next digest would vouch for the damage.
                await expectFailure(.corrupt) {
                    let update = RecordUpdate(id: id, fields: ["Name": "Eve"])
                    return try await service.update([update], in: table.id, context: context)
                }
            }
            #expect(try await service.verify(context: context).problems.contains { $0.contains("changed outside") })
        }
    }

    static let schemaEdits: [Edit] = [SchemaStore.bases, SchemaStore.tables, SchemaStore.fields].flatMap { table in
        (table.columns + ["digest"]).filter { !["import", "staging_for", "description"].contains($0) }
            .map { Edit(table, $0) }
    }

    @Test("a schema changed outside is refused, whatever the column", arguments: schemaEdits)
    func schema(_ edit: Edit) async throws {
        try await withStore(.sqlite) { store in
            let table = try await store.table([FieldDraft(name: "Name", type: .singleLineText)])
            try await store.database.write(of: .everyTenant) { try $0.execute(edit.sql) }
            let fresh = store.otherProcess()
            await expectFailure(.corrupt) { try await fresh.bases(context: store.context) }
            await expectFailure(.corrupt) { try await fresh.table(id: table.id, context: store.context) }
            #expect(try await !store.service.verify(context: store.context).isSound)
        }
    }

    @Test("a base, table or field that is gone is missed", arguments: ["bases", "tables", "fields", "store_tenants"])
    func lost(_ name: String) async throws {
        try await withStore(.sqlite) { store in
            _ = try await store.table([FieldDraft(name: "Name", type: .singleLineText)])
            try await store.database.write(of: .everyTenant) { try $0.execute("DELETE FROM \(name)") }
            await expectFailure(.corrupt) { try await store.otherProcess().bases(context: store.context) }
        }
    }

    static let changeEdits: [Edit] = (ChangeLogStore.rows.columns + ["digest"]).map { Edit(ChangeLogStore.rows, $0) }

    @Test("a change that was changed is refused, whatever the column", arguments: changeEdits)
    func change(_ edit: Edit) async throws {
        try await withStore(.sqlite) { store in
            let table = try await store.table([FieldDraft(name: "Name", type: .singleLineText)])
            let id = try await store.create(table, ["Name": "Ada"])[0].id
            _ = try await store.service.update(
                [RecordUpdate(id: id, fields: ["Name": "Eve"])],
                in: table.id,
                context: store.context
            )
            let sql = edit.column == "sequence" ? edit.sql + " AND sequence = 3" : edit.sql
            try await store.database.write(of: .everyTenant) { try $0.execute(sql) }
            await expectFailure(.corrupt) { try await store.allChanges() }
            #expect(try await !store.service.verify(context: store.context).isSound)
        }
    }

    @Test("a change that is gone is missed", arguments: [1, 2, 3])
    func lostChange(_ sequence: Int) async throws {
        try await withStore(.sqlite) { store in
            let table = try await store.table([FieldDraft(name: "Name", type: .singleLineText)])
            _ = try await store.create(table, ["Name": "Ada"], ["Name": "Eve"])
            try await store.database.write(of: .everyTenant) {
                try $0.execute("DELETE FROM change_log WHERE sequence = \(sequence)")
            }
            await expectFailure(.corrupt) { try await store.allChanges() }
        }
    }

    @Test("an append publishes no row that was changed while it waited", arguments: DatabaseKind.allCases)
    func waiting(_ kind: DatabaseKind) async throws {
        try await withStore(kind) { store in
            let (service, context) = (store.service, store.context)
            let table = try await store.table([FieldDraft(name: "Name", type: .singleLineText)])
            let session = try await service.imports.begin(
                .appending(table.base, tables: [table.id]),
                tables: [],
                owner: "test",
                context: context
            )
            let row = ImportRow(cells: [table.fields[0].id: .text("Ada")])
            try await service.imports.insertRows([row], into: table.id, of: session, context: context)
            try await store.database.write(of: .everyTenant) { try $0.execute(Self.recordEdits[0].sql) }
            await expectFailure(.corrupt) { try await service.imports.publish(session, context: context) }
            #expect(try await service.recordCount(in: table.id, context: context) == 0)
        }
    }

    @Test("values, kinds and rows do not slide into each other")
    func borders() {
        func digest(_ values: SQLValue..., table: StaticString = "t") -> SQLValue {
            RowDigest(table: table).adding(values).sql
        }
        let all = [
            digest(), digest(.null), digest(""), digest("", ""), digest("a", ""), digest("", "a"), digest("a"),
            digest("ab"), digest("a", "b"), digest(0), digest(.real(0)), digest(1), digest(.bytes([])),
            digest(.bytes([0x61])), digest(.text(String(repeating: "\u{1}", count: 8))), digest(.null, .null),
            digest("a", table: "u"),
        ]
        #expect(Set(all).count == all.count)
        // What is stored today must read tomorrow.
        #expect(digest("a", 1, nil) == 819_286_679_179_629_709)
    }
}
