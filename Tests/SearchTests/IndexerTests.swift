import Airtable
import Database
import Domain
import Embeddings
import TestSupport
import Testing

@testable import Search

@Suite("Indexer")
struct IndexerTests {
    @Test("records are found once indexed, by their present text only", arguments: DatabaseKind.allCases)
    func life(_ kind: DatabaseKind) async throws {
        try await withSearch(kind) { world in
            let table = try await world.notes()
            let ids = try await world.create(
                table,
                ["Name": "Iron", "Text": "Makes strong steel beams."],
                ["Name": "Gold", "Text": "Jewellery and coins.", "Tag": "precious"],
                ["Name": "Tin", "Tag": "solder"]
            )
            #expect(try await world.byWords("steel").isEmpty)
            try await world.index()
            #expect(try await world.byWords("steel") == [ids[0]])
            #expect(try await world.byWords("precious coin") == [ids[1]])
            try await world.expectSound()

            try await world.update(table, ids[0], ["Text": "Rusts."])
            try await world.update(table, ids[1], ["Text": nil, "Tag": "shiny steel"])
            try await world.airtable.delete([ids[2]], in: table.id, context: world.context)
            try await world.index()
            #expect(try await world.byWords("steel") == [ids[1]])
            #expect(try await world.byWords("rust") == [ids[0]])
            #expect(try await world.byWords("coin").isEmpty)
            #expect(try await world.byWords("solder").isEmpty)
            try await world.expectSound()
        }
    }

    @Test("a damaged record is left out, and keeps no other from being found", arguments: DatabaseKind.allCases)
    func damage(_ kind: DatabaseKind) async throws {
        try await withSearch(kind) { world in
            let table = try await world.notes()
            let ids = try await world.create(
                table,
                ["Name": "Iron", "Text": "Makes strong steel beams."],
                ["Name": "Gold", "Text": "Never made of steel."]
            )
            let damage = { (id: RecordID) in
                _ = try await world.database.write(of: .everyTenant) { transaction in
                    try transaction.execute(
                        "UPDATE records SET cells = replace(cells, 'steel', 'stell') WHERE id = $1",
                        [.text(id.description)]
                    )
                }
            }
            try await damage(ids[0])
            try await world.index()
            #expect(try await world.byWords("steel") == [ids[1]])
            // Damaged after it was indexed: no hit, and no error.
            try await damage(ids[1])
            #expect(try await world.byWords("steel").isEmpty)
            let more = try await world.create(table, ["Name": "Tin", "Text": "Plates steel cans."])
            try await world.index()
            #expect(try await world.byWords("steel") == [more[0]])
        }
    }

    @Test("what did not change is not written again", arguments: DatabaseKind.allCases)
    func unchanged(_ kind: DatabaseKind) async throws {
        try await withSearch(kind) { world in
            let table = try await world.notes()
            let id = try await world.create(table, ["Name": "A", "Text": "one", "Tag": "t"])[0]
            try await world.index()
            let before = try await world.units()
            try await world.update(table, id, ["Tag": "u"])
            try await world.index()
            let after = try await world.units()
            #expect(before.map(\.key) == after.map(\.key), "keys stay")
            #expect(zip(before, after).filter { $0.hash != $1.hash }.count == 1)
            try await world.index()
            #expect(try await world.units() == after)
        }
    }

    @Test("records that show a changed primary value follow it, through their links", arguments: DatabaseKind.allCases)
    func links(_ kind: DatabaseKind) async throws {
        try await withSearch(kind) { world in
            let schema = try await world.base(
                "Linked",
                [
                    TableDraft(name: "Authors", fields: [FieldDraft(name: "Name", type: .singleLineText)]),
                    TableDraft(
                        name: "Books",
                        fields: [FieldDraft(name: "Title", type: .singleLineText), .link("By", to: "Authors")]
                    ),
                ]
            )
            let (authors, books) = (schema.tables[0], schema.tables[1])
            let author = try await world.create(authors, ["Name": "Melville"])[0]
            let book = try await world.create(books, ["Title": "Moby Dick", "By": [.string(author.description)]])[0]
            try await world.index()
            #expect(try await world.byWords("melville").count == 2)
            try await world.update(authors, author, ["Name": "Hawthorne"])
            try await world.index()
            #expect(try await world.byWords("melville").isEmpty)
            #expect(Set(try await world.byWords("hawthorne")) == [author, book])
            try await world.expectSound()
            try await world.airtable.delete([author], in: authors.id, context: world.context)
            try await world.index()
            #expect(try await world.byWords("hawthorne").isEmpty)
            try await world.expectSound()
        }
    }

    @Test(
        "a new field goes without a backfill, and scopes know it before it is shown",
        arguments: DatabaseKind.allCases
    )
    func schemaChange(_ kind: DatabaseKind) async throws {
        try await withSearch(kind) { world in
            let table = try await world.notes()
            let id = try await world.create(table, ["Name": "A", "Text": "one"])[0]
            try await world.index()
            let field = try await world.airtable.createField(
                FieldDraft(name: "Extra", type: .singleLineText),
                in: table.id,
                context: world.context
            )
            try await world.index()
            let partitions = try await world.partitions()
            let short = try #require(partitions.first { $0.group == .short })
            #expect(short.sources.contains(field.id.description))
            try await world.update(table, id, ["Extra": "walrus"])
            try await world.index()
            #expect(try await world.byWords("walrus") == [id])
            try await world.expectSound()
        }
    }

    @Test("a deleted table, and a deleted base, leave nothing behind", arguments: DatabaseKind.allCases)
    func deletion(_ kind: DatabaseKind) async throws {
        try await withSearch(kind) { world in
            let table = try await world.notes()
            let other = try await world.airtable.createTable(
                TableDraft(name: "Other", fields: [FieldDraft(name: "Name", type: .singleLineText)]),
                in: table.base,
                context: world.context
            )
            let kept = try await world.create(other, ["Name": "walrus"])
            for number in 0..<40 {
                try await world.create(table, ["Name": "walrus \(number)", "Text": "text \(number)"])
            }
            try await world.index()
            #expect(try await world.byWords("walrus", limit: 100).count == 41)
            try await world.airtable.deleteTable(table.id, context: world.context)
            try await world.index()
            #expect(try await world.byWords("walrus", limit: 100) == kept)
            try await world.expectSound()
            #expect(try await world.units().count == 1)
            try await world.airtable.deleteBase(table.base, context: world.context)
            try await world.index()
            #expect(try await world.hits("walrus").isEmpty)
            #expect(try await world.units().isEmpty)
            try await world.expectSound()
        }
    }

    @Test("a table of many records is indexed in blocks, with progress that only rises")
    func backfill() async throws {
        try await withSearch { world in
            let table = try await world.notes()
            for start in stride(from: 0, to: 300, by: 50) {
                _ = try await world.airtable.create(
                    (start..<(start + 50)).map {
                        RecordDraft(fields: ["Name": .string("n\($0)"), "Text": .string("walrus number\($0)")])
                    },
                    in: table.id,
                    context: world.context
                )
            }
            let seen = Guarded<[IndexProgress]>([])
            try await world.indexer.indexAll { progress in seen.update { $0.append(progress) } }
            // The first start goes through the table as a whole.
            #expect(seen.value.last == IndexProgress(done: 300, total: 300))
            #expect(seen.value.map(\.done) == seen.value.map(\.done).sorted())
            #expect(seen.value.count > 3)
            #expect(try await world.byWords("number217").count == 1)
            let status = try await world.indexer.status(tenant: world.tenant)
            #expect(status.isCurrent && status.lag == 0)
            try await world.expectSound()
        }
    }

    @Test("while it runs, a record can be found at once, also by another process")
    func live() async throws {
        try await withSearch { world in
            let table = try await world.notes()
            let other = world.otherProcess()
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask { try await world.indexer.run() }
                group.addTask { try await other.indexer.run() }
                for number in 0..<5 {
                    let id = try await other.create(table, ["Name": "n", "Text": .string("walrus\(number)")])[0]
                    try await eventually { try await world.byWords("walrus\(number)") == [id] }
                    try await eventually { try await other.byWords("walrus\(number)") == [id] }
                }
                group.cancelAll()
                while let result = await group.nextResult() {
                    if case .failure(let error) = result { #expect(error is CancellationError) }
                }
            }
            try await world.index()
            try await world.expectSound()
        }
    }

    @Test("a checkpoint that the log has left behind means going through everything", arguments: DatabaseKind.allCases)
    func resynchronise(_ kind: DatabaseKind) async throws {
        try await withSearch(kind) { world in
            let table = try await world.notes()
            let ids = try await world.create(table, ["Name": "A", "Text": "walrus"], ["Name": "B", "Text": "seal"])
            try await world.index()
            try await world.update(table, ids[0], ["Text": "otter"])
            try await world.airtable.delete([ids[1]], in: table.id, context: world.context)
            _ = try await world.airtable.changes.trim(
                to: ChangeRetention(age: .zero, bytes: 0),
                now: Instant(microseconds: .max / 2),
                tenant: world.tenant
            )
            try await world.index()
            #expect(try await world.byWords("otter") == [ids[0]])
            #expect(try await world.byWords("walrus seal").isEmpty)
            try await world.expectSound()
        }
    }

    @Test("a lost index, another model and a rebuild on request are mended from the records")
    func lostIndex() async throws {
        try await withSearch { world in
            let table = try await world.notes()
            let ids = try await world.create(table, ["Name": "A", "Text": "walrus"], ["Name": "B", "Text": "seal"])
            try await world.index()
            try world.services.collections.remove(tenant: world.tenant, base: table.base)
            #expect(try await world.hits("walrus").filter(\.matched.semantic).isEmpty)
            #expect(try await world.byWords("walrus") == [ids[0]])
            try await world.index()
            #expect(try await world.hits("walrus").filter(\.matched.semantic).count == 2)
            try await world.expectSound()

            let other = SearchFixture(
                database: world.database,
                access: world.access,
                embedder: HashEmbedder(dimension: 32),
                context: world.context,
                directory: world.directory
            )
            try await other.index()
            #expect(try await other.hits("walrus").filter(\.matched.semantic).count == 2)
            try await other.expectSound()
            try await other.indexer.requestRebuild(context: world.context)
            #expect(try await !other.indexer.status(tenant: world.tenant).isCurrent)
            try await other.index()
            try await other.expectSound()
        }
    }
}

extension SearchFixture {
    func partitions() async throws -> [Partition] {
        let tenant = tenant
        return try await database.read(of: .everyTenant) { try SearchStore().partitions(tenant: tenant, in: $0) }
    }

    /// All units there are, by key.
    func units() async throws -> [StoredUnit] {
        let tenant = tenant
        return try await database.read(of: .everyTenant) { transaction in
            let store = SearchStore()
            return try store.partitions(tenant: tenant, in: transaction).flatMap { partition in
                try store.units(in: partition.number, after: -1, limit: 100_000, tenant: tenant, transaction)
            }
        }
    }
}
