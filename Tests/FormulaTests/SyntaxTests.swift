import Domain
import Formula
import Testing

@Suite("Formula syntax")
struct SyntaxTests {
    @Test(
        "operators bind as in arithmetic, then &, then comparisons, each from the left",
        arguments: [
            ("1+2*3", 7), ("(1+2)*3", 9), ("10-4-3", 3), ("16/4/2", 2), ("-2*-3", 6), ("--5", 5), ("+5", 5),
            (#"1+1&2+2="24""#, 1), ("3>2>1", 0), ("1&2=12", 1), ("2-1&\"\"=\"1\"", 1), (".5+1e2", 100.5),
        ] as [(String, JSONValue)]
    )
    func precedence(formula: String, value: JSONValue) {
        #expect(evaluate(formula) == value)
    }

    @Test("white space of every kind, also before a call's parenthesis, means nothing")
    func whiteSpace() {
        #expect(evaluate(" \n\tIF (\r\n1 ,\u{A0}2, 3 )\n") == 2)
        #expect(evaluate("sum(1,2)+Sum(3)") == 6)
    }

    @Test(
        "texts take two quotes and six escapes; an unknown escape keeps its backslash",
        arguments: [
            (#""a'b""#, "a'b"), (#"'a"b'"#, "a\"b"), (#""\"\'\\\n\t\r""#, "\"'\\\n\t\r"), (#""\d\\d""#, #"\d\d"#),
            ("\"\"", ""), ("\"line\nline\"", "line\nline"),
        ] as [(String, JSONValue)]
    )
    func texts(formula: String, value: JSONValue) {
        #expect(evaluate(formula) == value)
    }

    @Test("fields are found by name in braces without case, bare when one word, or by identifier")
    func fields() throws {
        #expect(evaluate("{first name}&Zip&zip", ["First Name": "Ada", "Zip": 7]) == "Ada77")
        #expect(evaluate(#"{odd \} name}"#, ["odd } name": 5]) == 5)
        #expect(evaluate("größe+1", ["Größe": 5]) == 6)
        let id = try #require(FieldID("fldAAAAAAAAAAAAAA"))
        let schema = FormulaSchema([FormulaField(name: "A", id: id, type: .number)])
        let formula = try Formula("{fldAAAAAAAAAAAAAA} + fldAAAAAAAAAAAAAA + {a}", schema: schema)
        #expect(
            formula.evaluate(FormulaRecord([.number(2)]), in: FormulaEnvironment(now: Instant(microseconds: 0)))
                == .number(6)
        )
        #expect(formula.referencedSlots == [0])
    }

    @Test("TRUE, FALSE and BLANK need no parentheses; a field of that name needs braces")
    func bareCalls() {
        #expect(evaluate("IF(TRUE, 1, 2)") == 1)
        #expect(evaluate("false = FALSE()") == 1)
        #expect(evaluate("{True}&TRUE", ["True": "field"]) == "field1")
    }

    @Test(
        "an error says where, counted in Unicode scalars",
        arguments: [
            ("1+", 2), ("", 0), ("(1", 0), ("1)", 1), ("1 2", 2), ("SUM(1,)", 6), ("SUM(,1)", 4), ("1,2", 1),
            ("\"é\u{301}🎉\" & \"open", 8), ("1 == 1", 3), ("1 <> 2", 3), ("5 % 2", 2), ("“a”", 0), ("a b", 2),
            ("{a", 0),
            ("1 // no", 3), ("IF(1,2", 0), ("1 + ", 4), ("[1]", 0),
        ]
    )
    func positions(formula: String, position: Int) throws {
        let error = try #require(failure(formula, fields: ["a"]))
        #expect(error.code == .syntax)
        #expect(error.position == position, "\(error.message)")
    }

    @Test("an error names the nearest known field or function, or what is written instead")
    func hints() throws {
        #expect(failure("SUMM(1)")?.hint == "did you mean SUM?")
        #expect(failure("x + SUMM(1)", fields: ["x"])?.position == 4)
        #expect(failure("ISBLANK(1)")?.hint == "use {Field} = BLANK()")
        #expect(failure("{Prise}", fields: ["Price", "Name"])?.hint == "did you mean {Price}?")
        #expect(failure("5 ^ 2")?.hint == "write POWER(a, b)")
        #expect(failure("“a”")?.hint == "write straight quotes: \" or '")
        let unknown = try #require(failure("{A}&{b}&{a}&{C}", fields: ["c"]))
        #expect(unknown.code == .unknownField)
        #expect(unknown.unknownFields == ["a", "b"])
        #expect(unknown.message == "Unknown field names: a, b")
    }

    @Test(
        "a function takes its number of arguments",
        arguments: [
            ("LEN()", "LEN takes 1 argument, not 0."), ("IF(1)", "IF takes 2 to 3 arguments, not 1."),
            ("SUM()", "SUM takes at least 1 argument, not 0."), ("TRUE(1)", "TRUE takes no argument, not 1."),
            ("1+SWITCH(1,2)", "SWITCH takes at least 3 arguments, not 2."),
        ]
    )
    func argumentCounts(formula: String, message: String) {
        #expect(failure(formula)?.code == .argumentCount)
        #expect(failure(formula)?.message == message)
    }

    @Test("the text is written again with other names for its fields")
    func renaming() throws {
        let schema = FormulaSchema([FormulaField(name: "A", type: .any), FormulaField(name: "b c", type: .any)])
        let formula = try Formula(#"a & "{A}" & { b}&{B C}"#.replacing("{ b}", with: "A"), schema: schema)
        #expect(formula.text { ["x}y", "fld1"][$0] } == #"{x\}y} & "{A}" & {x\}y}&{fld1}"#)
    }
}

@Suite("Formula bounds")
struct BoundsTests {
    @Test("INP-04: 20,000 parentheses, calls or signs are an error with a position, 1,500 are none")
    func nesting() throws {
        for (open, close) in [("(", ")"), ("ABS(", ")"), ("-", ""), ("IF(1,", ")")] {
            let deep = String(repeating: open, count: 20_000) + "1" + String(repeating: close, count: 20_000)
            let error = try #require(failure(deep))
            #expect(error.code == .tooLarge)
            #expect(error.position == 2_000 * open.count)
            let fine = String(repeating: open, count: 1_500) + "1" + String(repeating: close, count: 1_500)
            #expect(evaluate(fine) == 1)
        }
    }

    @Test("INP-04: a chain of 50,000 operators, a call of 20,000 arguments and 100 KB of text are fine")
    func length() {
        #expect(evaluate(String(repeating: "1+", count: 50_000) + "1") == 50_001)
        #expect(evaluate("LEN(" + String(repeating: "\"x\"&", count: 50_000) + "\"x\")") == 50_001)
        #expect(evaluate("SUM(" + String(repeating: "1,", count: 19_999) + "1)") == 20_000)
        #expect(evaluate("LEN(\"" + String(repeating: "x", count: 100_000) + "\")") == 100_000)
        let filter = "OR(" + (0..<1_000).map { "{n}=\($0 + 1)" }.joined(separator: ",") + ")"
        #expect(evaluate(filter, ["n": 1_000]) == 1)
        #expect(failure("\"" + String(repeating: "x", count: 600_000) + "\"")?.code == .tooLarge)
    }

    @Test("deep chains of each lazy function run and end")
    func lazyChains() {
        let ifs = (0..<1_900).map { "IF({n}=\($0),\($0)," }.joined() + "\"none\"" + String(repeating: ")", count: 1_900)
        #expect(evaluate(ifs, ["n": 1_899]) == "1899")
        let cases = (0..<10_000).map { "\($0),\($0 * 2)" }.joined(separator: ",")
        #expect(evaluate("SWITCH({n},\(cases))", ["n": 9_999]) == 19_998)
        #expect(evaluate("SWITCH({n},\(cases),\"no\")", ["n": -1]) == "no")
    }

    @Test(
        "INP-04: a text that would grow past 1 MB is an error, whatever makes it",
        arguments: [
            #"REPT("ab", 600000)"#, #"REPT(REPT(REPT("ab",1000),1000),1000)"#,
            #"LEN(SUBSTITUTE(REPT("a",1000),"a",REPT("b",2000)))"#,
            #"REPT("a",1000000)&REPT("a",1000000)"#, #"CONCATENATE(REPT("a",1000000),REPT("a",1000000))"#,
            #"ENCODE_URL_COMPONENT(REPT(" ",1000000))"#, #"REPT("a", 1e300)"#,
        ]
    )
    func growth(formula: String) {
        #expect(evaluate(formula) == errorCell)
        #expect(evaluate("ISERROR(\(formula))") == 1)
    }

    @Test("INP-04: a formula that reads too much altogether is an error")
    func work() {
        let thousand = (0..<500).reduce(#"REPT("a",1000000)"#) { text, _ in "SUBSTITUTE(\(text),\"b\",\"c\")" }
        #expect(evaluate("LEN(\(thousand))") == errorCell)
        let few = (0..<5).reduce(#"REPT("a",1000000)"#) { text, _ in "SUBSTITUTE(\(text),\"b\",\"c\")" }
        #expect(evaluate("LEN(\(few))") == 1_000_000)
    }

    @Test(
        "counts of days beyond every calendar are errors",
        arguments: ["1e8", "-1e8", "819133196", "1e21", "-1e300", "0/0"]
    )
    func farDays(count: String) {
        #expect(evaluate("WORKDAY(\"2024-05-01\", \(count))") == errorCell)
        #expect(evaluate("DATEADD(\"2024-05-01\", \(count), \"days\")") == errorCell)
    }

    @Test("searching a long text for a long one takes one pass")
    func search() {
        let needle = #"REPT("a",200000)&"b""#
        #expect(evaluate("FIND(\(needle), REPT(\"a\",1000000))") == 0)
        #expect(evaluate("FIND(\(needle), REPT(\"a\",300000)&\"b\")") == 100_001)
    }
}
