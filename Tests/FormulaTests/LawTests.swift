import Domain
import Formula
import TestSupport
import Testing

/// Two formulas that must give the same for every record: what needs no expected value to be checked.
struct Law: Sendable, CustomTestStringConvertible {
    let left: String
    let right: String
    /// Whether it holds for empty cells too.
    let holdsForBlanks: Bool

    var testDescription: String { "\(left) = \(right)" }

    init(_ left: String, _ right: String, blanks: Bool = true) {
        self.left = left
        self.right = right
        holdsForBlanks = blanks
    }
}

@Suite("Laws of the formula language")
struct LawTests {
    @Test("of texts", arguments: texts)
    func text(_ law: Law) throws { try Self.check(law) }

    @Test("of truths and comparisons", arguments: truths)
    func truth(_ law: Law) throws { try Self.check(law) }

    @Test("of numbers", arguments: numbers)
    func number(_ law: Law) throws { try Self.check(law) }

    @Test("of arrays", arguments: arrays)
    func array(_ law: Law) throws { try Self.check(law) }

    @Test("of dates", arguments: dates + there + spans)
    func date(_ law: Law) throws { try Self.check(law) }

    @Test("of regular expressions", arguments: patterns)
    func pattern(_ law: Law) throws { try Self.check(law) }

    private static func check(_ law: Law) throws {
        let left = try Formula(law.left, schema: RandomRow.schema)
        let right = try Formula(law.right, schema: RandomRow.schema)
        let environment = FormulaEnvironment(now: Instant(milliseconds: 1_715_342_400_000))
        var random = SeededGenerator(seed: RandomRun.seed)
        for _ in 0..<RandomRun.count(300, long: 30_000) {
            let row = RandomRow(&random, blankOnceIn: law.holdsForBlanks ? 6 : .max)
            let (first, second) = (left.evaluate(row, in: environment), right.evaluate(row, in: environment))
            guard first.isLike(second) else {
                Issue.record("seed \(RandomRun.seed): \(first) and \(second) for \(row)")
                return
            }
        }
    }

    static let texts = [
        Law(#"({Any}&"")&"""#, #"{Any}&"""#),
        Law("CONCATENATE({Text},{Number},{Texts},{Any})", "{Text}&{Number}&{Texts}&{Any}"),
        Law("LEFT({Text},3)&MID({Text},4,LEN({Text}))", #"{Text}&"""#),
        Law("LEFT({Text},LEN({Text})-2)&RIGHT({Text},2)", #"{Text}&"""#),
        Law("REPLACE({Text},2,1,{Other})", "LEFT({Text},1)&{Other}&MID({Text},3,LEN({Text}))"),
        Law(
            #"LEN(SUBSTITUTE({Text},"a","xyz"))"#,
            #"LEN({Text})+2*(LEN({Text})-LEN(SUBSTITUTE({Text},"a","")))"#
        ),
        Law(#"SUBSTITUTE(SUBSTITUTE({Text},"a","☃"),"☃","a")"#, #"{Text}&"""#),
        Law(
            "IF(FIND({Other},{Text}),MID({Text},FIND({Other},{Text}),LEN({Other})),{Other}&\"\")",
            #"{Other}&"""#
        ),
        Law("LEN(REPT({Text},3))", "3*LEN({Text})"), Law("REPT({Text},2)", "{Text}&{Text}"),
        Law("UPPER(UPPER({Text}))", "UPPER({Text})"), Law("LOWER(LOWER({Text}))", "LOWER({Text})"),
        Law("TRIM(TRIM({Text}))", "TRIM({Text})"), Law("LEN({Text}&{Other})", "LEN({Text})+LEN({Other})"),
        Law("ENCODE_URL_COMPONENT({Text}&{Other})", "ENCODE_URL_COMPONENT({Text})&ENCODE_URL_COMPONENT({Other})"),
        Law("FIND({Other},{Text}&{Other})>0", "TRUE()"), Law("VALUE({Whole}&\"\")", "{Whole}+0", blanks: false),
    ]

    static let truths = [
        Law("NOT(NOT({Any}))", "IF({Any},TRUE(),FALSE())"),
        Law("AND({Flag},{Text})", "NOT(OR(NOT({Flag}),NOT({Text})))"),
        Law("XOR({Flag},{Text})", "NOT({Flag})!=NOT({Text})"),
        Law(#"IF({Any},"t",IF({Any},ERROR(),"f"))"#, #"IF({Any},"t","f")"#),
        Law(
            #"SWITCH({Whole},1,"a",2,"b",{Number},"n","c")"#,
            #"IF({Whole}=1,"a",IF({Whole}=2,"b",IF({Whole}={Number},"n","c")))"#
        ),
        Law("{Number}<{Whole}", "{Whole}>{Number}"), Law("{Text}<={Other}", "NOT({Text}>{Other})"),
        Law("{Text}={Other}", "{Other}={Text}"), Law("{Any}={Number}", "{Number}={Any}"),
        Law("{Any}={Text}", "{Text}={Any}"), Law("{Any}!={Text}", "NOT({Any}={Text})"),
        Law("{Any}={Any}", "TRUE()"), Law("ISERROR(ERROR()&{Any})", "TRUE()"),
    ]

    static let numbers = [
        Law("SUM({Whole},3,{Numbers})", "SUM({Numbers},{Whole},3)"),
        Law("SUM({Numbers},{Whole})", "SUM({Numbers})+{Whole}"),
        Law("INT({Number})+MOD({Number},1)", "{Number}+0"),
        Law("MOD({Whole},7)", "{Whole}-7*FLOOR({Whole}/7)"), Law("ROUND({Whole}/8,0)", "INT({Whole}/8+0.5)"),
        Law("MAX({Whole}+0,{Number}+0)", "-MIN(-{Whole},-{Number})"), Law("ABS({Number})", "MAX({Number}+0,-{Number})"),
        Law("MOD(EVEN({Number}),2)", "0"), Law("MOD(ODD({Whole}),2)", "1"),
        Law("POWER(SQRT(ABS({Number})),2)", "ABS({Number})"), Law("LOG(EXP({Whole}/4),EXP(1))", "{Whole}/4"),
        Law("AVERAGE({Numbers})", "SUM({Numbers})/COUNT({Numbers})"),
        Law("COUNT({Numbers},{Texts})", "COUNT({Numbers})+COUNT({Texts})"),
        Law("CEILING({Number},5)", "-FLOOR(-{Number},5)"), Law("ROUNDUP({Number},1)", "-ROUNDUP(-{Number},1)"),
        Law("IF({Number}>0,FLOOR({Number}),CEILING({Number}))", "ROUNDDOWN({Number},0)"),
    ]

    static let arrays = [
        Law(#"ARRAYJOIN({Texts})"#, #"{Texts}&"""#),
        Law("ARRAYUNIQUE(ARRAYUNIQUE({Texts}))", "ARRAYUNIQUE({Texts})"),
        Law("ARRAYCOMPACT(ARRAYCOMPACT({Texts}))", "ARRAYCOMPACT({Texts})"),
        Law("ARRAYFLATTEN(ARRAYFLATTEN({Nested},{Any}))", "ARRAYFLATTEN({Nested},{Any})", blanks: false),
        Law(
            "ARRAYFLATTEN(ARRAYSLICE({Numbers},1,2),ARRAYSLICE({Numbers},3))",
            "ARRAYFLATTEN({Numbers})",
            blanks: false
        ),
        Law("COUNTA({Texts})", "COUNTALL(ARRAYCOMPACT({Texts}))", blanks: false),
        Law("SUM(ARRAYFLATTEN({Numbers},{Numbers}))", "2*SUM({Numbers})"),
        Law(#"ARRAYJOIN({Texts},"")"#, "SUBSTITUTE(ARRAYJOIN({Texts},\"☃\"),\"☃\",\"\")"),
    ]

    static let dates = [
        (#"DATETIME_PARSE({Moment}&"")"#, "{Moment}"),
        (#"DATETIME_PARSE(DATETIME_FORMAT({Moment},"x"),"x")"#, "{Moment}"),
        (
            #"DATETIME_PARSE(DATETIME_FORMAT({Moment},"D MMMM YYYY h:mm:ss.SSS A"),"D MMMM YYYY h:mm:ss.SSS A")"#,
            "{Moment}"
        ),
        ("IS_BEFORE({Day},{Moment})", "{Day}<{Moment}"), ("IS_AFTER({Day},{Moment})", "IS_BEFORE({Moment},{Day})"),
        ("IS_SAME({Day},{Moment})", "{Day}={Moment}"),
        (#"IS_SAME(DATESTR({Moment}),{Moment},"day")"#, "TRUE()"),
        ("DATESTR({Moment})", #"LEFT({Moment}&"",10)"#), ("TIMESTR({Moment})", #"MID({Moment}&"",12,8)"#),
        (
            #"DATETIME_FORMAT({Moment},"YYYY-M-D-H-m-s")"#,
            #"YEAR({Moment})&"-"&MONTH({Moment})&"-"&DAY({Moment})&"-"&HOUR({Moment})&"-"&MINUTE({Moment})"#
                + #"&"-"&SECOND({Moment})"#
        ),
        ("WEEKDAY({Day})", #"DATETIME_FORMAT({Day},"d")+0"#),
        (#"MOD(WEEKDAY({Day},"Monday")+1,7)"#, "WEEKDAY({Day})"),
        ("WORKDAY_DIFF({Day},WORKDAY({Day},5))", "IF(MOD(WEEKDAY({Day}),6)=0,5,6)"),
        ("WORKDAY_DIFF({Day},WORKDAY({Day},500))", "IF(MOD(WEEKDAY({Day}),6)=0,500,501)"),
        ("DATESTR(WORKDAY(WORKDAY({Day},3),-3))", "DATESTR(IF(MOD(WEEKDAY({Day}),6)=0,WORKDAY({Day},-1),{Day}))"),
        (#"DATETIME_FORMAT(SET_TIMEZONE({Moment},"America/New_York"),"x")"#, #"DATETIME_FORMAT({Moment},"x")"#),
        ("FROMNOW({Moment})", "TONOW({Moment})"), ("DATETIME_DIFF({Day},{Moment})", "-DATETIME_DIFF({Moment},{Day})"),
        (#"DATETIME_FORMAT(SET_TIMEZONE({Moment},"Europe/Berlin"),"YYYY-MM-DDTHH:mm:ss.SSSZ")={Moment}"#, "TRUE()"),
    ].map { Law($0.0, $0.1, blanks: false) }

    /// DATEADD there and back again, in units of one length.
    static let there = ["ms", "seconds", "m", "hours", "d", "weeks"].map { unit in
        Law("DATEADD(DATEADD({Moment},{Whole},'\(unit)'),-{Whole},'\(unit)')=({Moment})", "TRUE()", blanks: false)
    }

    /// What DATEADD goes, DATETIME_DIFF measures, also over ends of months.
    static let spans = ["ms", "s", "minutes", "h", "days", "w", "months", "quarters", "years"].flatMap { unit in
        ["Day", "Moment"].map { field in
            Law("DATETIME_DIFF(DATEADD({\(field)},{Whole},'\(unit)'),{\(field)},'\(unit)')", "{Whole}+0", blanks: false)
        }
    }

    static let patterns = [
        Law(#"REGEX_REPLACE({Text},"a","$0")"#, #"{Text}&"""#),
        Law(#"REGEX_REPLACE({Text},"[ab]","")"#, #"SUBSTITUTE(SUBSTITUTE({Text},"a",""),"b","")"#),
        Law(#"REGEX_MATCH({Text},"a")"#, #"FIND("a",{Text})>0"#),
        Law(#"REGEX_REPLACE({Text},"(.)(.)","$2$1")"#, #"REGEX_REPLACE({Text},"(?:(.))(.)","$2$1")"#),
        Law(#"LEN(REGEX_REPLACE({Text},"(?s).","xx"))"#, "2*LEN({Text})"),
        Law(#"REGEX_EXTRACT({Text}&"!","(?s)^.*$")"#, #"{Text}&"!""#),
    ]
}

extension FormulaValue {
    /// The same cell, where numbers may differ by 1e-12 of their size and any NaN is like another.
    fileprivate func isLike(_ other: Self) -> Bool {
        if case .number(let left) = self, case .number(let right) = other {
            return left == right || (left.isNaN && right.isNaN)
                || abs(left - right) <= 1e-12 * max(abs(left), abs(right))
        }
        return cell == other.cell
    }
}
