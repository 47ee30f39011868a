import Domain
import Formula
import Testing

@Suite("Formula questions in JSON")
struct QuestionTests {
    private func answer(_ line: String) throws -> JSONValue {
        let now = try #require(Instant(iso8601: "2024-05-01T12:00:00Z"))
        return try JSONValue(parsing: FormulaQuestion.answer(line: line.utf8, now: now))
    }

    @Test("a question is answered with its identifier, whatever that is, and a cell")
    func ordinary() throws {
        #expect(try answer(#"{"id":7,"formula":"{a}+1","fields":{"a":2}}"#) == ["id": 7, "value": 3])
        #expect(try answer(#"{"id":["x"],"formula":"BLANK()"}"#) == ["id": ["x"], "value": nil])
        #expect(try answer(#"{"formula":"1"}"#) == ["id": nil, "value": 1])
    }

    @Test(
        "values have the shapes of cells",
        arguments: [
            ("1/0", ["specialValue": "Infinity"]), ("-1/0", ["specialValue": "-Infinity"]),
            ("0/0", ["specialValue": "NaN"]), ("ERROR()", ["error": "#ERROR!"]), ("1=1", 1), ("1=2", 0), ("-0", 0),
            ("0.1+0.2", 0.30000000000000004), ("\"\"", ""), ("1e21&\"\"", "1e+21"), ("1e-7&\"\"", "1e-7"),
            ("123456789012345680000&\"\"", "123456789012345680000"), ("0.000001&\"\"", "0.000001"),
            ("-1.5e300&\"\"", "-1.5e+300"),
            ("{tags}", ["a", ["error": "#ERROR!"]]), ("{day}", "2024-05-01"), ("{time}", "2024-05-01T10:00:00.000Z"),
        ] as [(String, JSONValue)]
    )
    func shapes(formula: String, cell: JSONValue) {
        let fields: JSONObject = [
            "tags": ["a", ["error": "#ERROR!"]], "day": "2024-05-01", "time": "2024-05-01T12:00:00+02:00",
        ]
        #expect(evaluate(formula, fields, types: ["day": "date", "time": "dateTime"]) == cell)
    }

    @Test("a formula that does not compile is INVALID, with message, position and hint")
    func invalid() throws {
        let answer = try answer(#"{"id":1,"formula":"1 + SUMM(2)"}"#)
        #expect(answer["value"] == ["error": "INVALID"])
        #expect(answer["position"] == 4)
        #expect(answer["message"] == "Unknown function SUMM.")
        #expect(answer["hint"] == "did you mean SUM?")
    }

    @Test(
        "a line that is no question is INVALID under its identifier, without a position",
        arguments: [
            ("nonsense", nil), ("[1]", nil), (#"{"id":3}"#, 3), (#"{"id":3,"formula":5}"#, 3),
            (#"{"id":3,"formula":"1","fields":[]}"#, 3), (#"{"id":3,"formula":"1","now":"soon"}"#, 3),
            (#"{"id":3,"formula":"1","types":{"a":"nubmer"}}"#, 3), (#"{"id":3,"formula":"1","types":{"a":4}}"#, 3),
        ] as [(String, JSONValue)]
    )
    func badLines(line: String, id: JSONValue) throws {
        let answer = try answer(line)
        #expect(answer["id"] == id)
        #expect(answer["value"] == ["error": "INVALID"])
        #expect(answer["message"]?.stringValue?.isEmpty == false)
        #expect(answer["position"] == nil)
    }

    @Test("every type of field is understood, and a misspelt one is told")
    func types() throws {
        #expect(FormulaType.airtableTypes.count == 34)
        for name in FormulaType.airtableTypes { #expect(FormulaType(airtableType: name) != nil, "\(name)") }
        let answer = try answer(#"{"id":3,"formula":"1","types":{"a":"nubmer"}}"#)
        #expect(answer["message"] == "Unknown field type nubmer of a; did you mean number?")
    }

    @Test(
        "a typed cell is what its field holds; a type alone is an empty cell",
        arguments: [
            ("checkbox", true, "{f}&\"\"", "1"), ("checkbox", false, "{f}=BLANK()", 1),
            ("checkbox", nil, "IF({f},1,2)", 2),
            ("number", nil, "{f}+1", 1), ("singleSelect", "a", "{f}&\"!\"", "a!"), ("rating", 3, "{f}*2", 6),
            ("multipleSelects", ["a", "b"], "{f}&\"\"", "a, b"), ("multipleLookupValues", [1, 2], "SUM({f})", 3),
            ("multipleLookupValues", 5, "COUNTALL({f})", 1),
            ("multipleAttachments", [["filename": "a.pdf", "url": "http://x/a"]], "{f}&\"\"", "a.pdf (http://x/a)"),
            ("singleCollaborator", ["id": "usr1", "email": "a@b.c", "name": "Ada"], "{f}&\"\"", "Ada"),
            ("barcode", ["text": "123", "type": "ean"], "{f}&\"\"", "123"),
            ("button", ["label": "Go", "url": "u"], "{f}&\"\"", "Go"),
            ("aiText", ["state": "generated", "value": "words"], "{f}&\"\"", "words"),
            ("date", "2024-05-01", "{f}", "2024-05-01"),
            ("date", "2024-05-01", "{f}&\"\"", "2024-05-01T00:00:00.000Z"),
            ("date", "never", "{f}", ["error": "#ERROR!"]),
            ("formula", ["specialValue": "NaN"], "ISERROR({f})", 1),
            ("formula", ["error": "#ERROR!"], "{f}", ["error": "#ERROR!"]),
            ("singleLineText", 5, "{f}", "5"), ("duration", 90, "{f}/60", 1.5),
        ] as [(String, JSONValue, String, JSONValue)]
    )
    func typedCells(type: String, cell: JSONValue, formula: String, value: JSONValue) {
        #expect(evaluate(formula, ["f": cell], types: ["f": .string(type)]) == value)
    }

    @Test("a computed field's type is told by its result")
    func resultTypes() {
        let type: JSONValue = ["type": "formula", "options": ["result": ["type": "date"]]]
        #expect(evaluate("{f}", ["f": "2024-05-01"], types: ["f": type]) == "2024-05-01")
        #expect(evaluate("{f}&\"\"", ["f": "2024-05-01"], types: ["f": type]) == "2024-05-01T00:00:00.000Z")
    }

    @Test("record functions read what the question says of its record")
    func record() throws {
        let question = #"{"id":1,"formula":"RECORD_ID()&CREATED_TIME()&LAST_MODIFIED_TIME({a})","fields":{"a":1},"#
        let rest = #""recordId":"rec1","createdTime":"2024-01-01T00:00:00Z","lastModifiedTime":"2024-02-01T00:00:00Z"}"#
        #expect(try answer(question + rest)["value"] == "rec12024-01-01T00:00:00.000Z2024-02-01T00:00:00.000Z")
        #expect(failure("LAST_MODIFIED_TIME(1)")?.code == .argumentType)
    }
}

@Suite("Formula explanation")
struct ExplanationTests {
    @Test("a valid formula is told by its type, fields and functions")
    func valid() {
        let schema = FormulaSchema([FormulaField(name: "Due", type: .number), FormulaField(name: "b", type: .text)])
        let report = FormulaExplanation("IF({due} > 1, {b}, LAST_MODIFIED_TIME())", schema: schema).report
        #expect(
            report == """
                valid: gives text
                fields: {Due} (number), {b} (text)
                functions: IF, LAST_MODIFIED_TIME
                changes with each edit it looks at
                """
        )
    }

    @Test("without a schema every name is a field")
    func assumed() {
        let json = FormulaExplanation("{A}+b", schema: nil).json
        #expect(json["valid"] == true)
        #expect(json["fields"] == ["a": "any", "b": "any"])
    }

    @Test("a wrong formula is shown with a mark below the place")
    func invalid() {
        let report = FormulaExplanation("IF({a},\n\t1 +* 2)", schema: nil).report
        #expect(report.hasSuffix("\n   1 +* 2)\n      ^"), "\(report)")
        let long = String(repeating: "1+", count: 500) + "*" + String(repeating: "+1", count: 500)
        let lines = FormulaExplanation(long, schema: nil).report.split(separator: "\n")
        #expect(lines[1].count == 82)
        #expect(lines[2].count == 53)
    }
}
