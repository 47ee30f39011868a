import Access
import Domain
import Foundation
import TestSupport
import Testing

@testable import Airtable

/// An import of rows for tables there are, as many as a write may have, is a write: told row by row, and taken back by `undo`.
@Suite("Undoing imports")
struct ImportUndoTests {
    private static func fields(_ tasks: Table) throws -> (name: FieldID, number: FieldID, project: FieldID) {
        (
            try #require(tasks.field("Name")).id, try #require(tasks.field("No")).id,
            try #require(tasks.field("Project")).id
        )
    }

    private static func run(
        _ store: StoreFixture,
        _ files: [String: String],
        into base: Base,
        options: ImportOptions = ImportOptions(mode: .append)
    ) async throws -> ImportReport {
        var options = options
        options.baseName = base.name
        return try await withTemporaryDirectory { directory in
            for (name, text) in files {
                let file = directory.appendingPathComponent(name)
                try text.write(to: file, atomically: true, encoding: .utf8)
            }
            return try await Importer(service: store.service, context: store.context)
                .run(directory.path, options: options)
        }
    }

    @Test(
        "rows with links, numbers and choices go, and what links to them is as it was",
        arguments: DatabaseKind.allCases
    )
    func rows(_ kind: DatabaseKind) async throws {
        try await withStore(kind) { store in
            let (service, context) = (store.service, store.context)
            let (projects, tasks) = try await UndoTests.tables(store)
            let field = try Self.fields(tasks)
            let project = try await store.create(projects, ["Name": "p"])[0].id
            _ = try await store.create(tasks, ["Name": "mine", "Project": .ids([project])])
            let before = try await UndoTests.state(store, [projects, tasks])
            let base = try await service.base(projects.base.description, context: context)
            let text = "Name,Done,State,Project\na,true,new,p\nb,false,brand new,q\nc,,,\"p, q\"\n"
            // Rows of both tables, which link to each other.
            let files = ["Tasks.csv": text, "Projects.csv": "Name\nq\nr\n"]
            let sequence = try await service.changes.latestSequence(tenant: context.tenant)
            let report = try await Self.run(store, files, into: base)
            let number = try #require(report.transaction)
            let after = try await UndoTests.state(store, [projects, tasks])
            #expect(after.count == before.count + 5)
            let told = try await store.allChanges().filter { $0.sequence > sequence && $0.transaction == number }
            #expect(Set(told.compactMap(\.record)).count == 6, "five are made, and one is linked to")
            for change in told { #expect(change.event != .imported) }
            let made = try #require(after.values.first { $0.cells[field.name] == .text("c") })
            guard case .links(let linked)? = made.cells[field.project] else { throw TestSupportError("no links") }
            #expect(linked.first == project && linked.count == 2)
            for target in linked {
                let inverse = try #require(tasks.field("Project")?.options.inverseLinkField)
                guard case .links(let back)? = after[target]?.cells[inverse] else {
                    throw TestSupportError("no links back")
                }
                #expect(back.last == made.id)
            }
            try await store.expectSound()

            let undone = try await service.undo(transaction: number, context: context)
            guard case .undone(let redo?, 6) = undone else { throw TestSupportError("\(undone)") }
            #expect(try await UndoTests.state(store, [projects, tasks]) == before)
            try await store.expectSound()
            // And once more.
            _ = try await service.undo(transaction: redo, context: context)
            #expect(try await UndoTests.state(store, [projects, tasks]) == after)
            try await store.expectSound()
            // Numbers were given once.
            let next = try await store.create(tasks, ["Name": "next"])[0]
            #expect(next.cells[field.number] == .number(5))
        }
    }

    @Test("a row that was changed since, or linked to, stands against it", arguments: DatabaseKind.allCases)
    func conflict(_ kind: DatabaseKind) async throws {
        try await withStore(kind) { store in
            let (service, context) = (store.service, store.context)
            let (projects, tasks) = try await UndoTests.tables(store)
            let base = try await service.base(projects.base.description, context: context)
            let report = try await Self.run(store, ["Projects.csv": "Name\nq\nr\ns\n"], into: base)
            let ids = try await service.records(in: projects.id, page: RecordPageRequest(), context: context).records
                .map(\.id)
            _ = try await service.update(
                [RecordUpdate(id: ids[0], fields: ["Name": "mine"])],
                in: projects.id,
                context: context
            )
            _ = try await store.create(tasks, ["Project": .ids([ids[2]])])
            let state = try await UndoTests.state(store, [projects, tasks])
            let number = try #require(report.transaction)
            guard case .refused(let obstacles) = try await service.undo(transaction: number, context: context) else {
                throw TestSupportError("it was undone")
            }
            #expect(Set(obstacles.compactMap(\.record)) == [ids[0], ids[2]])
            for obstacle in obstacles { #expect(obstacle.reason == .changed) }
            #expect(try await UndoTests.state(store, [projects, tasks]) == state)
        }
    }

    @Test("a new table, and more rows than a write may have, are told as a whole and not undone")
    func whole() async throws {
        try await withStore(.sqlite) { store in
            let (service, context) = (store.service, store.context)
            let (projects, _) = try await UndoTests.tables(store)
            let base = try await service.base(projects.base.description, context: context)
            let many = "Name\n" + (0...Limits.proposedRecords).map { "n\($0)\n" }.joined()
            for files in [["Places.csv": "Name\nx\n"], ["Projects.csv": many]] {
                let report = try await Self.run(store, files, into: base)
                #expect(report.transaction == nil && report.json["transaction"] == .null)
                let last = try #require(try await store.allChanges().last)
                #expect(last.event == .imported)
                let outcome = try await service.undo(transaction: last.transaction, context: context)
                guard case .refused(let obstacles) = outcome else { throw TestSupportError("\(outcome)") }
                #expect(obstacles.map(\.reason) == [.imported])
            }
            #expect(try await service.recordCount(in: projects.id, context: context) == Limits.proposedRecords + 1)
        }
    }

    @Test(
        "nothing is shown when it cannot be, and the import is there to be abandoned",
        arguments: DatabaseKind.allCases
    )
    func refusals(_ kind: DatabaseKind) async throws {
        try await withStore(kind) { store in
            let (service, context) = (store.service, store.context)
            let (projects, tasks) = try await UndoTests.tables(store)
            let field = try Self.fields(tasks)
            let target = ImportTarget.appending(projects.base, tables: [tasks.id])
            let session = try await StagingTests.begin(store, target, [])
            // A link to a record that is gone by then.
            let project = try await store.create(projects, ["Name": "p"])[0].id
            let row = ImportRow(cells: [field.project: .links([project])])
            try await service.imports.insertRows([row], into: tasks.id, of: session, context: context)
            try await service.delete([project], in: projects.id, context: context)
            let sequence = try await service.changes.latestSequence(tenant: context.tenant)
            await expectFailure(.rowDoesNotExist) { try await service.imports.write(session, context: context) }
            #expect(try await service.imports.journal(context: context).count == 1)
            #expect(try await service.recordCount(in: tasks.id, context: context) == 0)
            try await service.imports.abandon(session.id, context: context)
            await expectFailure(.importGone) { try await service.imports.write(session, context: context) }
            // A table that is gone by then.
            let second = try await StagingTests.begin(store, target, [])
            try await service.deleteTable(tasks.id, context: context)
            await expectFailure(.modelNotFound) { try await service.imports.write(second, context: context) }
            try await service.imports.abandon(second.id, context: context)
            // Without rows there is nothing to tell.
            let empty = try await StagingTests.begin(store, .appending(projects.base, tables: [projects.id]), [])
            #expect(try await service.imports.write(empty, context: context) == nil)
            #expect(try await service.imports.journal(context: context).isEmpty)
            let schemaOnly = try await store.allChanges().filter { $0.sequence > sequence }
            for change in schemaOnly { #expect(change.record == nil) }
            try await store.expectSound()
        }
    }

    @Test(
        "what is computed over the rows follows, goes with them, and may be too much for a write",
        arguments: DatabaseKind.allCases
    )
    func computed(_ kind: DatabaseKind) async throws {
        try await withStore(kind) { store in
            let shop = try await Shop(store)
            let (imports, context) = (store.service.imports, store.context)
            let product = try await shop.create("Products", ["Name": "Saw", "Price": 10])
            let lines = try await shop.table("Lines")
            let (quantity, link) = (lines.field("Quantity")!.id, lines.field("Product")!.id)
            func begin(_ quantities: [Double]) async throws -> ImportSession {
                let session = try await StagingTests.begin(store, .appending(shop.base, tables: [lines.id]), [])
                let rows = quantities.map { ImportRow(cells: [quantity: .number($0), link: .links([product])]) }
                try await imports.insertRows(rows, into: lines.id, of: session, context: context)
                return session
            }
            let number = try #require(try await imports.write(try await begin([4, 5]), context: context))
            #expect(try await shop.cell(product, "Products", "Revenue") == 90)
            try await shop.expectRight()
            _ = try await store.service.undo(transaction: number, context: context)
            #expect(try await shop.cell(product, "Products", "Revenue") == 0)
            try await shop.expectRight()

            let large = try await begin([6])
            await expectFailure(.tooLarge) {
                try await imports.write(large, computedCellsMax: 1, context: context)
            }
            #expect(try await store.service.recordCount(in: lines.id, context: context) == 0)
            _ = try await imports.publish(large, context: context)
            #expect(try await shop.cell(product, "Products", "Revenue") == 60)
            try await shop.expectRight()
            try await store.expectSound()
        }
    }
}
