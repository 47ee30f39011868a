import Database
import Domain
import Foundation
import TestSupport
import Testing

@testable import Airtable

/// A base written to a document and read back is the same base.
@Suite("Base documents")
struct BaseDocumentTests {
    private static let seed =
        ProcessInfo.processInfo.environment["PYAIRTABLE_SEED"].flatMap(UInt64.init) ?? UInt64.random(in: 1...999_999)
    private static let isLong = ProcessInfo.processInfo.environment["PYAIRTABLE_LONG"] == "1"

    /// What of a base must be the same: names, types and options of fields, records in their order with every cell.
    private static func contents(_ base: BaseID, _ store: StoreFixture) async throws -> [JSONValue] {
        var contents: [JSONValue] = []
        for viewed in try await store.service.viewedTables(in: base, context: store.context) {
            let table = viewed.table
            contents += viewed.views.map { ["view": DocumentViews.json($0)] }
            contents.append([
                "table": .string(table.name), "description": table.description.map { .string($0) } ?? .null,
                "primary": table.field(id: table.primaryField).map { .string($0.name) } ?? .null,
                "fields": .array(
                    table.fields.map { field in
                        [
                            "name": .string(field.name), "type": .string(field.type.rawValue),
                            "description": field.description.map { .string($0) } ?? .null,
                            "options": FieldOptions.wire(of: field).map { .object($0) } ?? .null,
                        ]
                    }
                ),
            ])
            var cursor: RecordCursor?
            repeat {
                let request = RecordPageRequest(limit: 1_000, after: cursor)
                let page = try await store.service.records(in: table.id, page: request, context: store.context)
                for record in page.records {
                    contents.append([
                        "id": .string(record.id.description),
                        "created": .number(JSONNumber(record.createdTime.microseconds)),
                        "fields": .object(CellCodec.fields(of: record, table: table) { file, _ in file.contentHash }),
                    ])
                }
                cursor = page.next
            } while cursor != nil
        }
        return contents
    }

    private static func identifiers(_ base: BaseID, _ store: StoreFixture) async throws -> [String] {
        try await store.service.tables(in: base, context: store.context).flatMap { table in
            [table.id.description] + table.fields.map(\.id.description)
        }
    }

    private static func write(_ text: String, _ directory: URL) throws -> String {
        let path = directory.appendingPathComponent("Base.jsonl").path
        try Data(text.utf8).write(to: URL(fileURLWithPath: path))
        return path
    }

    @Test(
        "bases of all field types come back with every record, where their identifiers are free",
        arguments: DatabaseKind.allCases
    )
    func keeping(_ kind: DatabaseKind) async throws {
        for round in 0..<(Self.isLong ? 40 : 3) {
            let seed = Self.seed + UInt64(round)
            try await withExports(kind) { store, spool in
                var random = RandomBase(seed: seed)
                let base = try await random.make(in: store)
                let before = try await Self.contents(base, store)
                let ids = try await Self.identifiers(base, store)
                let file = try spool.makeFile(ending: "jsonl", byteLimit: 1 << 26)
                let summary = try await store.service.export(base: base, to: file, context: store.context)
                #expect(summary.recordCount == before.count { $0["created"] != nil }, "seed \(seed)")
                try await store.service.deleteBase(base, context: store.context)

                let importer = Importer(service: store.service, context: store.context)
                let report = try await importer.run(file.path)
                #expect(report.base == base && report.baseName == "Random", "seed \(seed)")
                #expect(try await Self.contents(base, store) == before, "seed \(seed)")
                #expect(try await Self.identifiers(base, store) == ids, "seed \(seed)")
                try await store.expectSound()
                try await random.expectAlive(base, store)
            }
        }
    }

    @Test(
        "beside the base itself they come back with new identifiers, also inside of options",
        arguments: DatabaseKind.allCases
    )
    func renaming(_ kind: DatabaseKind) async throws {
        try await withExports(kind) { store, spool in
            var random = RandomBase(seed: Self.seed)
            let base = try await random.make(in: store)
            let file = try spool.makeFile(ending: "jsonl", byteLimit: 1 << 26)
            _ = try await store.service.export(base: base, to: file, context: store.context)
            let importer = Importer(service: store.service, context: store.context)
            let refused = await #expect(throws: ImportError.self) { try await importer.run(file.path) }
            #expect(refused?.code == .baseExists)
            let report = try await importer.run(file.path, options: ImportOptions(baseName: "Copy"))
            let copy = try #require(report.base)
            #expect(copy != base && report.baseName == "Copy")
            let old = try await store.service.tables(in: base, context: store.context)
            let new = try await store.service.tables(in: copy, context: store.context)
            #expect(Set(old.map(\.id)).isDisjoint(with: new.map(\.id)))
            var names: [String: String] = [:]
            for (old, new) in zip(old, new) {
                let (olds, news) = (
                    try await store.service.views(in: old.id, context: store.context),
                    try await store.service.views(in: new.id, context: store.context)
                )
                for (old, new) in zip(olds, news) { names[old.id.description] = new.id.description }
                names[old.id.description] = new.id.description
                for (old, new) in zip(old.fields, new.fields) { names[old.id.description] = new.id.description }
            }
            func renamed(_ values: [JSONValue]) throws -> [JSONValue] {
                var text = JSONValue.array(values).text
                for (old, new) in names { text = text.replacing(old, with: new) }
                return try #require(try JSONValue(parsing: text).arrayValue)
            }
            let before = try await Self.contents(base, store)
            #expect(try await Self.contents(copy, store) == renamed(before), "seed \(Self.seed)")

            // And in place of the copy once more.
            let replaced = try await importer.run(
                file.path,
                options: ImportOptions(mode: .replace, baseName: "Copy")
            )
            #expect(replaced.base == copy)
            #expect(try await Self.contents(copy, store).count == before.count)
            let absent = try await importer.run(file.path, options: ImportOptions(mode: .ifAbsent, baseName: "Copy"))
            #expect(absent.outcome == .alreadyThere)
            try await store.expectSound()
        }
    }

    @Test(
        "numbers go on behind the highest, and whoever made and changed a record stays",
        arguments: DatabaseKind.allCases
    )
    func numbers(_ kind: DatabaseKind) async throws {
        try await withExports(kind) { store, spool in
            let table = try await store.table([
                FieldDraft(name: "Name", type: .singleLineText), FieldDraft(name: "No", type: .autoNumber),
                FieldDraft(name: "By", type: .createdBy), FieldDraft(name: "Changed", type: .lastModifiedTime),
            ])
            let records = try await store.create(table, ["Name": "a"], ["Name": "b"], ["Name": "c"])
            store.clock.advance(seconds: 100)
            _ = try await store.service.update(
                [RecordUpdate(id: records[1].id, fields: ["Name": "B"])],
                in: table.id,
                context: store.context
            )
            let before = try await store.fields(records[1].id, table)
            try await store.service.delete([records[0].id], in: table.id, context: store.context)
            let file = try spool.makeFile(ending: "jsonl", byteLimit: 1 << 20)
            _ = try await store.service.export(base: table.base, to: file, context: store.context)
            try await store.service.deleteBase(table.base, context: store.context)
            store.clock.advance(seconds: 100)
            _ = try await Importer(service: store.service, context: store.context).run(file.path)
            #expect(try await store.fields(records[1].id, table) == before)
            let made = try await store.create(table, ["Name": "d"])
            #expect(try await store.fields(made[0].id, table)["No"] == 4)
        }
    }

    @Test(
        "a document that is cut off, doubled or contradicts itself leaves nothing, and its line is named",
        arguments: DatabaseKind.allCases
    )
    func broken(_ kind: DatabaseKind) async throws {
        try await withExports(kind) { store, spool in
            let schema = try await store.service.createBase(
                name: "B",
                tables: [
                    TableDraft(
                        name: "A",
                        fields: [
                            FieldDraft(name: "Name", type: .singleLineText), .link("Others", to: "O"),
                            FieldDraft(name: "Kind", type: .singleSelect, choices: ["x"]),
                        ]
                    ), TableDraft(name: "O", fields: [FieldDraft(name: "Name", type: .singleLineText)]),
                ],
                context: store.context
            )
            let others = try await store.create(schema.tables[1], ["Name": "o"])
            let link = JSONValue.string(others[0].id.description)
            _ = try await store.create(schema.tables[0], ["Name": "a", "Others": [link], "Kind": "x"], ["Name": "b"])
            let file = try spool.makeFile(ending: "jsonl", byteLimit: 1 << 20)
            _ = try await store.service.export(base: schema.base.id, to: file, context: store.context)
            try await store.service.deleteBase(schema.base.id, context: store.context)
            let lines = try file.text.split(separator: "\n").map(String.init)
            #expect(lines.count == 7)
            for damage in Self.damages(lines, link.text) {
                let error = try await Self.failure(damage.lines, store)
                #expect(error?.code == .malformedFile, "\(damage.name): \(error?.message ?? "nothing")")
                if let line = damage.line { #expect(error?.line == line, "\(damage.name): \(error?.message ?? "")") }
                #expect(try await store.service.bases(context: store.context).isEmpty, "\(damage.name)")
                #expect(try await store.service.imports.journal(context: store.context).isEmpty, "\(damage.name)")
            }
        }
    }

    private struct Damage {
        let name: String
        let lines: [String]
        /// Where it is told to be; nil when it is one of the whole.
        let line: Int?
    }

    /// - Parameter lines: a base, two tables, two records of the first, one of the second, and the end.
    private static func damages(_ lines: [String], _ link: String) -> [Damage] {
        func damage(_ name: String, line: Int?, _ change: (inout [String]) -> Void) -> Damage {
            var changed = lines
            change(&changed)
            return Damage(name: name, lines: changed, line: line)
        }
        return [
            damage("cut off", line: 6) { $0.removeLast() },
            damage("a record less than told", line: 6) { $0.remove(at: 4) },
            damage("a record twice", line: 6) { $0.insert($0[4], at: 5) },
            damage("something behind the end", line: 8) { $0.append($0[6]) },
            damage("no JSON", line: 4) { $0[3] = "{" },
            damage("another version", line: 1) { $0[0] = $0[0].replacing("\"version\":1", with: "\"version\":2") },
            damage("an unknown choice", line: 4) { $0[3] = $0[3].replacing("\"x\"", with: "\"y\"") },
            damage("a link on one side", line: nil) { $0[3] = $0[3].replacing("[\(link)]", with: "[]") },
            damage("tables mixed", line: 5) { $0.swapAt(3, 5) },
            damage("a table twice", line: nil) { $0[2] = $0[1] },
        ]
    }

    private static func failure(_ lines: [String], _ store: StoreFixture) async throws -> ImportError? {
        try await withTemporaryDirectory { directory in
            let path = try write(lines.joined(separator: "\n") + "\n", directory)
            do {
                _ = try await Importer(service: store.service, context: store.context).run(path)
                return nil
            } catch let error as ImportError {
                return error
            }
        }
    }

    @Test("what its reader may not see is not in it, and does not keep it from being read")
    func partial() throws {
        // The document of somebody who sees one of two linked tables.
        let json: JSONValue = [
            "id": "tblAAAAAAAAAAAAAA", "name": "A", "primaryFieldId": "fldAAAAAAAAAAAAAA",
            "fields": [
                ["id": "fldAAAAAAAAAAAAAA", "name": "Name", "type": "singleLineText"],
                [
                    "id": "fldBBBBBBBBBBBBBB", "name": "Link", "type": "multipleRecordLinks",
                    "options": ["linkedTableId": "tblBBBBBBBBBBBBBB", "inverseLinkFieldId": "fldCCCCCCCCCCCCCC"],
                ],
                [
                    "id": "fldDDDDDDDDDDDDDD", "name": "Count", "type": "count",
                    "options": ["recordLinkFieldId": "fldZZZZZZZZZZZZZZ", "isValid": true],
                ],
            ],
        ]
        var schema = DocumentSchema(base: .random(), name: "B")
        schema.add(json, line: 2)
        let drafts = try schema.drafts([:]) { line, problem in .malformedFile("x", line: line, problem) }
        #expect(drafts[0].fields.map(\.name) == ["Name", "Count"])
        #expect(drafts[0].fields[1].isBroken)
        let renamed = try schema.drafts(["fldAAAAAAAAAAAAAA": "fldEEEEEEEEEEEEEE"]) { line, problem in
            .malformedFile("x", line: line, problem)
        }
        #expect(renamed[0].fields[0].id?.description == "fldEEEEEEEEEEEEEE")
        #expect(renamed[0].primaryField == "Name")
    }
}
