import Access
import Database
import Domain
import TestSupport
import Testing

@testable import Airtable

@Suite("Indexes of fields")
struct FieldIndexTests {
    private static let drafts = [
        FieldDraft(name: "Name", type: .singleLineText), FieldDraft(name: "Rank", type: .number),
        FieldDraft(name: "Size", type: .singleSelect, choices: ["S", "M", "L"]),
    ]

    @Test("hold after any writes the keys that the rows have", arguments: DatabaseKind.allCases)
    func inStep(_ kind: DatabaseKind) async throws {
        let seed = UInt64.random(in: 1...999_999)
        try await withStore(kind) { store in
            let table = try await store.table(Self.drafts)
            try await store.begin(["Name", "Rank"], of: table)
            var random = SeededGenerator(seed: seed)
            var ids: [RecordID] = []
            for round in 0..<60 {
                // In the middle of the writes the rest of the build: rows from before and after meet in it.
                if round % 20 == 10 { try await store.build(table, rows: 5) }
                if round == 40 { try await store.begin(["Size"], of: table) }
                let value = Int.random(in: 0..<4, using: &random)
                let fields: JSONObject = [
                    "Name": value == 0 ? .null : .string("n\(value)"), "Rank": .number(JSONNumber(Int64(value))),
                    "Size": .string(["S", "M", "L"].randomElement(using: &random) ?? "S"),
                ]
                switch Int.random(in: 0..<4, using: &random) {
                case 0 where ids.count > 3:
                    let gone = ids.remove(at: Int.random(in: ids.indices, using: &random))
                    try await store.service.delete([gone], in: table.id, context: store.context)
                case 1 where !ids.isEmpty:
                    let update = RecordUpdate(id: ids.randomElement(using: &random) ?? ids[0], fields: fields)
                    _ = try await store.service.update([update], in: table.id, context: store.context)
                default: ids += try await store.create(table, fields, fields).map(\.id)
                }
            }
            while try await store.build(table, rows: 7) {}
            #expect(try await store.storedKeys(table) == (try await store.wantedKeys(table)), "seed \(seed)")
        }
    }

    @Test("are made when a filter asks twice, and used from then on", arguments: DatabaseKind.allCases)
    func onDemand(_ kind: DatabaseKind) async throws {
        try await withStore(kind) { store in
            let table = try await store.table(Self.drafts)
            for batch in 0..<(Limits.indexedTableRecords / 1_000) {
                let drafts = (0..<1_000).map { number in
                    RecordDraft(fields: ["Name": .string("n\(batch * 1_000 + number)"), "Rank": 1])
                }
                _ = try await store.service.create(drafts, in: table.id, context: store.context)
            }
            func names(_ filter: String) async throws -> [[String]] {
                let query = RecordQuery(filter: filter)
                return ListingTests.names(try await store.pages(query, table, store.service), table)
            }
            let filter = "AND({Name}='n2345', {Rank}=1)"
            #expect(try await names(filter) == [["n2345"]])
            #expect(try await store.service.fieldIndexes.buildWanted() == 0)
            #expect(try await names(filter) == [["n2345"]])
            #expect(try await store.service.fieldIndexes.buildWanted() == 1)
            #expect(try await store.service.fieldIndexes.buildWanted() == 0)
            #expect(try await names(filter) == [["n2345"]])
            let updates = [RecordUpsert(fields: ["Name": "n2345", "Rank": 2])]
            let merged = try await store.service.upsert(
                updates,
                mergeOn: ["Name"],
                in: table.id,
                context: store.context
            )
            #expect(merged.updated.count == 1 && merged.created.isEmpty)
            #expect(try await names("{Name}='n2345'") == [["n2345"]])
            // Without its keys a record is not found: the index it is that is asked.
            _ = try await store.database.write(of: .everyTenant) { try $0.execute("DELETE FROM cell_keys") }
            #expect(try await names("{Name}='n2345'").joined().isEmpty)
            #expect(try await names("{Name}<='n0'") == [["n0"]])
        }
    }

    @Test("page through a value that many records have", arguments: DatabaseKind.allCases)
    func pages(_ kind: DatabaseKind) async throws {
        try await withStore(kind) { store in
            let table = try await store.table(Self.drafts)
            let drafts = (0..<800).map { number in
                RecordDraft(fields: ["Name": .string("n\(number)"), "Size": number % 3 == 0 ? "S" : "L"])
            }
            _ = try await store.service.create(drafts, in: table.id, context: store.context)
            try await store.begin(["Size"], of: table)
            while try await store.build(table, rows: 300) {}
            var query = RecordQuery(filter: "OR({Size}='S', {Size}='M')", pageSize: 100)
            let pages = ListingTests.names(try await store.pages(query, table, store.service), table)
            #expect(pages.map(\.count) == [100, 100, 67])
            #expect(Array(pages.joined()) == (0..<800).filter { $0 % 3 == 0 }.map { "n\($0)" })
            query.maxRecords = 150
            #expect(try await store.pages(query, table, store.service).map(\.count) == [100, 50])
        }
    }

    @Test("go with their field and their table", arguments: DatabaseKind.allCases)
    func removal(_ kind: DatabaseKind) async throws {
        try await withStore(kind) { store in
            let table = try await store.table(Self.drafts)
            _ = try await store.create(table, ["Name": "a", "Rank": 1], ["Name": "b", "Rank": 2])
            try await store.begin(["Name", "Rank"], of: table)
            while try await store.build(table, rows: 10) {}
            #expect(try await store.storedKeys(table).count == 4)
            try await store.service.deleteField(table.fields[1].id, in: table.id, context: store.context)
            #expect(try await store.storedKeys(table).count == 2)
            try await store.service.deleteTable(table.id, context: store.context)
            try await store.service.clearDeleted(context: store.context)
            for left in ["cell_keys", "field_indexes"] {
                let count = try await store.database.read(of: .everyTenant) {
                    try $0.firstRow("SELECT COUNT(*) FROM \(left)")?.integer(0)
                }
                #expect(count == 0, "\(left)")
            }
        }
    }

    @Test("a table has only so many")
    func bound() async throws {
        try await withStore(.sqlite) { store in
            let fields = (0...Limits.fieldIndexesPerTable).map { FieldDraft(name: "F\($0)", type: .number) }
            let table = try await store.table([FieldDraft(name: "Name", type: .singleLineText)] + fields)
            let keeper = store.service.fieldIndexes
            for field in table.fields.dropFirst() {
                for _ in 0..<2 {
                    keeper.want(.init(tenant: store.context.tenant, table: table.id, field: field.id))
                }
            }
            #expect(try await keeper.buildWanted() == Limits.fieldIndexesPerTable)
        }
    }
}

extension StoreFixture {
    private func model(_ table: Table) async throws -> TableModel {
        let schema = try await service.read(context) { _, schema in schema }
        return try schema.table(table.id, VisibleScope(tenant: context.tenant))
    }

    fileprivate func begin(_ names: [String], of table: Table) async throws {
        let (model, tenant) = (try await model(table), context.tenant)
        try await database.write(of: .everyTenant) { transaction in
            for field in model.table.fields where names.contains(field.name) {
                try FieldIndexStore().begin(field, of: model, tenant: tenant, in: transaction)
            }
        }
    }

    /// A step of every index that is not ready.
    ///
    /// - Returns: whether there was one.
    @discardableResult
    fileprivate func build(_ table: Table, rows: Int) async throws -> Bool {
        let (model, tenant) = (try await model(table), context.tenant)
        return try await database.write(of: .everyTenant) { transaction in
            let store = FieldIndexStore()
            let indexes = try store.indexes(ofTable: model.number, tenant: tenant, in: transaction)
            for index in indexes where !index.isReady {
                _ = try store.build(index, of: model, rows: rows, tenant: tenant, in: transaction)
            }
            return indexes.contains { !$0.isReady }
        }
    }

    fileprivate func storedKeys(_ table: Table) async throws -> Set<[SQLValue]> {
        try await database.read(of: .everyTenant) { transaction in
            let rows = try transaction.rows("SELECT field, cell_key, position FROM cell_keys")
            return Set(rows.map { [$0[0], $0[1], $0[2]] })
        }
    }

    /// What the index of each field should hold, from the cells alone.
    fileprivate func wantedKeys(_ table: Table) async throws -> Set<[SQLValue]> {
        let (model, tenant) = (try await model(table), context.tenant)
        return try await database.read(of: .everyTenant) { transaction in
            var keys: Set<[SQLValue]> = []
            let rows = try RecordStore().page(after: nil, limit: 10_000, of: model, tenant: tenant, in: transaction)
            for index in try FieldIndexStore().indexes(ofTable: model.number, tenant: tenant, in: transaction) {
                guard let field = model.table.fields.first(where: { $0.ordinal == index.ordinal }) else { continue }
                for row in rows {
                    let key: CellKey
                    switch try StoredCells.decode(row.cells, model: model)[field.id] {
                    case .text(let text): key = CellKey(text: text)
                    case .number(let number): key = CellKey(number: number)
                    case .choice(let id): key = CellKey(text: id.description)
                    default: continue
                    }
                    keys.insert([SQLValue(index.number), key.sql, SQLValue(row.position)])
                }
            }
            return keys
        }
    }
}
