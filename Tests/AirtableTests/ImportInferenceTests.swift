import Domain
import Foundation
import TestSupport
import Testing

@testable import Airtable

@Suite("Inferring field types")
struct ImportInferenceTests {
    private func type(_ values: [JSONValue], isPrimary: Bool = false) -> FieldType {
        var profile = ColumnProfile()
        for value in values { profile.note(value) }
        return profile.inferredType(isPrimary: isPrimary)
    }

    @Test(
        "recognises what every value of a column is",
        arguments: [
            (["1", "-2.5", "1,234", "3e5"], FieldType.number), (["007", "008"], .singleLineText),
            (["1", "x"], .singleLineText), (["true", "FALSE"], .checkbox), (["2024-05-01", "1999-12-31"], .date),
            (["2024-05-01T10:00:00Z", "2024-05-01 10:00"], .dateTime),
            (["2024-05-01", "2024-05-01T10:00Z"], .singleLineText),
            (["a@b.org", "c.d@e.co.uk"], .email), (["https://example.org/a", "http://x.org"], .url),
            (["one\ntwo", "three"], .multilineText), ([String(repeating: "long ", count: 40)], .multilineText),
            (["1.234,50", "2.000,00"], .singleLineText), (["9007199254740993"], .singleLineText),
            (["0.30000000000000004", "123456789012345"], .number), (["1", "12345678901234567890"], .singleLineText),
            (["nan", "inf"], .singleLineText), (["2024-02-30"], .singleLineText), ([], .singleLineText),
        ]
    )
    func texts(values: [String], expected: FieldType) {
        #expect(type(values.map { .string($0) }) == expected)
    }

    @Test("takes few repeated short texts for a select, but never in the primary field")
    func selects() {
        let values = (0..<40).map { JSONValue.string(["red", "green", "blue"][$0 % 3]) }
        #expect(type(values) == .singleSelect)
        #expect(type(values, isPrimary: true) == .singleLineText)
        #expect(type(Array(values.prefix(10))) == .singleLineText)
    }

    @Test("takes JSON's own kinds")
    func kinds() throws {
        #expect(type([.bool(true), .bool(false)]) == .checkbox)
        #expect(type([.number(1), .number(2)]) == .number)
        #expect(type([["a", "b"], ["b"]]) == .multipleSelects)
        #expect(type([["a": 1]]) == .multilineText)
        // Digits that a Double would change stay the text they are.
        #expect(type([.number(1), try JSONValue(parsing: "9007199254740993")]) == .singleLineText)
    }

    @Test("shows numbers with the decimals they were written with")
    func precision() {
        var profile = ColumnProfile()
        for text in ["1", "2.50", "3.125"] { profile.note(.string(text)) }
        #expect(profile.precision == 3)
    }
}

@Suite("Reading cells of a declared type")
struct ImportColumnTests {
    private func cell(_ type: FieldType, _ value: JSONValue) -> String {
        let red = ChoiceID("selAAAAAAAAAAAAAA")
        let column = ImportColumn(name: "C", type: type)
        do throws(ImportColumn.Mismatch) {
            let cell = try column.cell(value, choiceIDs: red.map { ["red": $0] })
            return cell.map { "\($0)" } ?? "nothing"
        } catch {
            return "refused"
        }
    }

    @Test(
        "reads what people write, and refuses what it is not",
        arguments: [
            (FieldType.number, "1,234.5", "number(1234.5)"), (.number, "12 apples", "refused"),
            (.currency, "$1,200.50", "number(1200.5)"), (.currency, "12 €", "number(12.0)"),
            (.percent, "12.5%", "number(0.125)"), (.percent, "0.5", "number(0.5)"),
            (.rating, "3", "number(3.0)"), (.rating, "11", "refused"), (.rating, "0", "nothing"),
            (.checkbox, "yes", "checked"), (.checkbox, "false", "nothing"), (.checkbox, "maybe", "refused"),
            (.date, "soon", "refused"), (.dateTime, "2024-13-01", "refused"),
            (.singleSelect, "red", "choice(selAAAAAAAAAAAAAA)"),
            (.singleLineText, "x", "text(\"x\")"),
        ]
    )
    func values(type: FieldType, text: String, expected: String) {
        #expect(cell(type, .string(text)) == expected)
    }

    @Test("reads several names from one cell, a comma inside quotes kept")
    func names() throws {
        let column = ImportColumn(name: "C", type: .multipleSelects)
        #expect(try column.names(.string(#"a, "b, c",a , d"#)) == ["a", "b, c", "d"])
        #expect(try column.names(["x", "y", "x"]) == ["x", "y"])
    }

    @Test("dates take times and times take dates, in UTC")
    func moments() throws {
        let date = ImportColumn(name: "C", type: .date)
        #expect(
            try date.cell(.string("2024-05-01T23:30:00-02:00"))
                == .date(try #require(CalendarDate(iso8601: "2024-05-02")))
        )
        let time = ImportColumn(name: "C", type: .dateTime)
        #expect(
            try time.cell(.string("2024-05-01")) == .dateTime(try #require(Instant(iso8601: "2024-05-01T00:00:00Z")))
        )
    }
}

@Suite("Reading base.json")
struct ImportPlanTests {
    private func plan(_ json: String) async throws -> ImportPlan {
        try await withTemporaryDirectory { directory in
            try Data(json.utf8).write(to: directory.appendingPathComponent("base.json"))
            return try ImportPlan.read(directory.path)
        }
    }

    @Test("gives the tables, their files and declared types")
    func ordinary() async throws {
        let found = try await plan(
            #"{"name":"B","tables":[{"name":"T","file":"t.csv","primary":"N","fields":{"A":"number","L":{"type":"multipleRecordLinks","table":"t"}}}]}"#
        )
        #expect(found.baseName == "B")
        #expect(found.tables[0].name == "T")
        #expect(found.tables[0].primary == "N")
        #expect(found.tables[0].fields == ["A": .type(.number), "L": .link(table: "t")])
    }

    @Test(
        "says where it is malformed",
        arguments: [
            ("{", "JSON"), ("[]", "name"), (#"{"name":"B"}"#, "tables"), (#"{"name":"B","tables":[{}]}"#, "tables[0]"),
            (#"{"name":"B","tables":[{"name":"T","file":"../x.csv"}]}"#, "inside the directory"),
            (#"{"name":"B","tables":[{"name":"T","file":"t.csv","fields":{"A":"numbr"}}]}"#, "did you mean number"),
            (#"{"name":"B","tables":[{"name":"T","file":"t.csv","fields":{"A":"autoNumber"}}]}"#, "computed"),
            (
                #"{"name":"B","tables":[{"name":"T","file":"t.csv","fields":{"A":{"type":"multipleRecordLinks","table":"X"}}}]}"#,
                "no table here"
            ),
            (#"{"name":"B","tables":[{"name":"T","file":"a.csv"},{"name":"t","file":"b.csv"}]}"#, "two tables"),
            (#"{"name":"B","tables":[{"name":"T","file":"t.csv","feilds":{}}]}"#, "feilds"),
        ]
    )
    func malformed(json: String, mention: String) async {
        do {
            _ = try await plan(json)
            Issue.record("accepted")
        } catch {
            #expect((error as? ImportError)?.code == .malformedPlan)
            #expect((error as? ImportError)?.message.contains(mention) == true, "\(error)")
        }
    }

    @Test("without base.json each data file is a table")
    func directory() async throws {
        try await withTemporaryDirectory { directory in
            for name in ["b.csv", "a.jsonl", "notes.txt"] {
                try Data("A\n1\n".utf8).write(to: directory.appendingPathComponent(name))
            }
            let plan = try ImportPlan.read(directory.path)
            #expect(plan.tables.map(\.name) == ["a", "b"])
            #expect(plan.baseName == directory.lastPathComponent)
        }
    }
}
