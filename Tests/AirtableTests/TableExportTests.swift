import Access
import Domain
import Foundation
import TestSupport
import Testing

@testable import Airtable

extension SpooledFile {
    /// All of it.
    var text: String {
        get throws { String(decoding: try read(at: 0, count: Int(byteCount)), as: UTF8.self) }
    }
}

/// A store with a directory for its exports.
func withExports(
    _ kind: DatabaseKind,
    _ body: @escaping @Sendable (StoreFixture, SpoolDirectory) async throws -> Void
) async throws {
    try await withTemporaryDirectory { directory in
        let spool = SpoolDirectory(directory.path + "/spool")
        try await withStore(kind) { store in try await body(store, spool) }
        let left = try FileManager.default.contentsOfDirectory(atPath: directory.path + "/spool")
        #expect(left.isEmpty, "files of requests that are over: \(left)")
    }
}

@Suite("Exporting a table")
struct TableExportTests {
    private static let fields = [
        FieldDraft(name: "Name", type: .singleLineText), FieldDraft(name: "Mass", type: .number),
        FieldDraft(name: "State", type: .singleSelect, choices: ["Gas", "Solid"]),
        FieldDraft(name: "Tags", type: .multipleSelects, choices: ["a,b", "c"]),
        FieldDraft(name: "Found", type: .date), FieldDraft(name: "Stable", type: .checkbox),
    ]

    private static func export(
        _ export: TableExport,
        of table: Table,
        _ store: StoreFixture,
        _ spool: SpoolDirectory
    ) async throws -> String {
        let file = try spool.makeFile(byteLimit: 1 << 20)
        _ = try await store.service.export(export, of: table.id, to: file, context: store.context)
        return try file.text
    }

    @Test("as CSV has a line of names and a line a record, by RFC 4180", arguments: DatabaseKind.allCases)
    func csv(_ kind: DatabaseKind) async throws {
        try await withExports(kind) { store, spool in
            let table = try await store.table(Self.fields)
            _ = try await store.create(
                table,
                ["Name": "Iron", "Mass": 55.845, "State": "Solid", "Found": "2024-05-01", "Stable": true],
                ["Name": "He said \"no\", and\nleft", "Tags": ["a,b", "c"], "Mass": -5],
                [:],
                ["Name": " é🎉 "]
            )
            let text = try await Self.export(TableExport(format: .csv), of: table, store, spool)
            #expect(
                text
                    == "Name,Mass,State,Tags,Found,Stable\r\n"
                    + "Iron,55.845,Solid,,2024-05-01,checked\r\n"
                    + "\"He said \"\"no\"\", and\nleft\",-5,,\"\"\"a,b\"\", c\",,\r\n"
                    + ",,,,,\r\n" + "\" é🎉 \",,,,,\r\n"
            )
            let values = try await Self.export(TableExport(format: .csv, cells: .values), of: table, store, spool)
            #expect(values.contains("Iron,55.845,Solid,,2024-05-01,true\r\n"))
            #expect(values.contains("-5,,\"[\"\"a,b\"\",\"\"c\"\"]\",,\r\n"))
        }
    }

    @Test("INP-07: guards what a spreadsheet would run, and no number", arguments: DatabaseKind.allCases)
    func formulas(_ kind: DatabaseKind) async throws {
        try await withExports(kind) { store, spool in
            var money = FieldDraft(name: "=Price", type: .currency)
            money.options.symbol = "=1+"
            let table = try await store.table([
                FieldDraft(name: "Name", type: .singleLineText), FieldDraft(name: "Mass", type: .number), money,
            ])
            _ = try await store.create(
                table,
                ["Name": "=HYPERLINK(\"http://x\")", "Mass": -1],
                ["Name": "@x"],
                ["Name": "-2+3", "=Price": 5],
                ["Name": "+1"],
                ["Name": "\tx"],
                ["Name": "a=b"]
            )
            var export = TableExport(format: .csv)
            #expect(
                try await Self.export(export, of: table, store, spool)
                    == "Name,Mass,'=Price\r\n\"'=HYPERLINK(\"\"http://x\"\")\",-1,\r\n'@x,,\r\n'-2+3,,'=1+5.00\r\n'+1,,\r\n"
                    + "'\tx,,\r\na=b,,\r\n"
            )
            export.guardsFormulas = false
            #expect(
                try await Self.export(export, of: table, store, spool)
                    == "Name,Mass,=Price\r\n\"=HYPERLINK(\"\"http://x\"\")\",-1,\r\n@x,,\r\n-2+3,,=1+5.00\r\n+1,,\r\n"
                    + "\tx,,\r\na=b,,\r\n"
            )
        }
    }

    @Test("as JSON Lines has a record of the API a line", arguments: DatabaseKind.allCases)
    func lines(_ kind: DatabaseKind) async throws {
        try await withExports(kind) { store, spool in
            let table = try await store.table(Self.fields)
            let records = try await store.create(table, ["Name": "Iron", "Mass": 55.845], ["Tags": ["c"]])
            let text = try await Self.export(TableExport(format: .jsonl), of: table, store, spool)
            let lines = try text.split(separator: "\n").map { try JSONValue(parsing: String($0)) }
            #expect(
                lines == [
                    [
                        "id": .string(records[0].id.description),
                        "createdTime": .string(records[0].createdTime.iso8601),
                        "fields": ["Name": "Iron", "Mass": 55.845],
                    ],
                    [
                        "id": .string(records[1].id.description),
                        "createdTime": .string(records[1].createdTime.iso8601), "fields": ["Tags": ["c"]],
                    ],
                ]
            )
            let texts = TableExport(
                format: .jsonl,
                cells: .texts(timeZone: "utc", locale: "de"),
                byFieldID: true
            )
            let shown = try await Self.export(texts, of: table, store, spool).split(separator: "\n")
            let first = try JSONValue(parsing: String(try #require(shown.first)))
            #expect(first["fields"]?[table.fields[1].id.description] == "55.845")
        }
    }

    @Test("takes fields, filter, sort and a bound as lists do, over many blocks", arguments: DatabaseKind.allCases)
    func queries(_ kind: DatabaseKind) async throws {
        try await withExports(kind) { store, spool in
            let table = try await store.table(Self.fields)
            for first in stride(from: 0, to: 2_500, by: 500) {
                let drafts = (first..<first + 500).map {
                    RecordDraft(fields: ["Name": .string("n\($0)"), "Mass": .number(JSONNumber($0))])
                }
                _ = try await store.service.create(drafts, in: table.id, context: store.context)
            }
            func masses(_ change: (inout RecordQuery) -> Void) async throws -> [Int] {
                var export = TableExport(format: .csv)
                export.query.fields = ["Mass"]
                change(&export.query)
                let text = try await Self.export(export, of: table, store, spool)
                return text.split(separator: "\r\n").dropFirst().compactMap { Int($0) }
            }
            #expect(try await masses { _ in } == Array(0..<2_500))
            #expect(try await masses { $0.filter = "MOD({Mass},500)=7" } == [7, 507, 1_007, 1_507, 2_007])
            #expect(
                try await masses { $0.sort = [RecordQuery.SortKey(field: "Mass", isDescending: true)] }
                    == (0..<2_500).reversed()
            )
            #expect(try await masses { $0.maxRecords = 1_234 } == Array(0..<1_234))
            #expect(
                try await masses {
                    $0.sort = [RecordQuery.SortKey(field: "Mass", isDescending: true)]
                    $0.maxRecords = 3
                } == [2_499, 2_498, 2_497]
            )
            await expectFailure(.unknownFieldName) { try await masses { $0.fields = ["Nope"] } }
            await expectFailure(.invalidFilter) { try await masses { $0.filter = "{Nope}" } }
        }
    }

    @Test("links are the names of what they lead to", arguments: DatabaseKind.allCases)
    func links(_ kind: DatabaseKind) async throws {
        try await withExports(kind) { store, spool in
            let schema = try await store.service.createBase(
                name: "B",
                tables: [
                    TableDraft(
                        name: "People",
                        fields: [
                            FieldDraft(name: "Name", type: .singleLineText), .link("Team", to: "Teams"),
                        ]
                    ), TableDraft(name: "Teams", fields: [FieldDraft(name: "Name", type: .singleLineText)]),
                ],
                context: store.context
            )
            let teams = try await store.create(schema.tables[1], ["Name": "Red"], ["Name": "Blue, pale"])
            let ids = teams.map { JSONValue.string($0.id.description) }
            _ = try await store.create(schema.tables[0], ["Name": "Eve", "Team": .array(ids)])
            let text = try await Self.export(TableExport(format: .csv), of: schema.tables[0], store, spool)
            #expect(text == "Name,Team\r\nEve,\"Red, \"\"Blue, pale\"\"\"\r\n")
        }
    }

    @Test("a column alone keeps its empty cells as lines")
    func oneColumn() throws {
        var line = CSVLine(guardsFormulas: true)
        for cell in ["Name", "", "x"] {
            line.add(cell, isText: true)
            line.end()
        }
        #expect(String(decoding: line.drain(), as: UTF8.self) == "Name\r\n\"\"\r\nx\r\n")
    }

    @Test("needs the permission to read records, and sees no other base", arguments: DatabaseKind.allCases)
    func permission(_ kind: DatabaseKind) async throws {
        try await withExports(kind) { store, spool in
            let table = try await store.table(Self.fields)
            let file = try spool.makeFile(byteLimit: 1 << 20)
            let reader = store.context(with: [.recordsRead])
            _ = try await store.service.export(TableExport(format: .csv), of: table.id, to: file, context: reader)
            _ = try await store.service.export(base: table.base, to: file, context: reader)
            let others = Set(Permission.allCases).subtracting([.recordsRead])
            await #expect(throws: AccessError.self) {
                try await store.service.export(base: table.base, to: file, context: store.context(with: others))
            }
            let stranger = try await store.otherTenant()
            await expectFailure(.modelNotFound) {
                try await store.service.export(TableExport(format: .csv), of: table.id, to: file, context: stranger)
            }
            await expectFailure(.modelNotFound) {
                try await store.service.export(base: table.base, to: file, context: stranger)
            }
        }
    }
}

@Suite("Files of requests")
struct SpoolTests {
    @Test("are written up to their bound, read from anywhere, and gone with their last reference")
    func lifetime() async throws {
        try await withTemporaryDirectory { directory in
            let spool = SpoolDirectory(directory.path + "/spool")
            var file: SpooledFile? = try spool.makeFile(ending: "csv", byteLimit: 10)
            let path = try #require(file?.path)
            #expect(path.hasSuffix(".csv"))
            try file?.write(Array("12345".utf8))
            try file?.write(Array("67890".utf8))
            #expect(throws: SpoolError.self) { try file?.write([0]) }
            #expect(try file?.read(at: 3, count: 4) == Array("4567".utf8))
            #expect(try file?.read(at: 10, count: 4) == [])
            try file?.restart()
            #expect(file?.byteCount == 0)
            #expect(try FileManager.default.attributesOfItem(atPath: path)[.posixPermissions] as? Int == 0o600)
            file = nil
            #expect(!FileManager.default.fileExists(atPath: path))
        }
    }

    @Test("are few at once, and give their places back")
    func bound() async throws {
        try await withTemporaryDirectory { directory in
            let spool = SpoolDirectory(directory.path)
            var files = try (0..<Limits.spooledFiles).map { _ in try spool.makeFile(byteLimit: 1) }
            do throws(SpoolError) {
                _ = try spool.makeFile(byteLimit: 1)
                Issue.record("one too many")
            } catch {
                #expect(error.code == .busy && error.kind == .busy)
            }
            files.removeLast()
            _ = try spool.makeFile(byteLimit: 1)
        }
    }

    @Test("an abandoned one ends its writer")
    func abandoned() async throws {
        try await withTemporaryDirectory { directory in
            let file = try SpoolDirectory(directory.path).makeFile(byteLimit: 100)
            file.abandon()
            #expect(throws: CancellationError.self) { try file.write([1]) }
            #expect(throws: CancellationError.self) { try file.restart() }
        }
    }

    @Test("of processes that are gone are removed, those of others stay")
    func clearing() async throws {
        try await withTemporaryDirectory { directory in
            // No process has so high a number; the first one is always there.
            for name in ["2147483646-a.csv", "1-b.csv", "note.txt"] {
                try Data().write(to: directory.appendingPathComponent(name))
            }
            SpoolDirectory(directory.path).clear()
            #expect(
                try Set(FileManager.default.contentsOfDirectory(atPath: directory.path)) == ["1-b.csv", "note.txt"]
            )
        }
    }
}
