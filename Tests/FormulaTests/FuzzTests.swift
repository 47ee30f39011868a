import Domain
import Formula
import Foundation
import TestSupport
import Testing

/// Random formulas, grown by the grammar and then damaged, over random records. A failure names its seed, and
/// `PYAIRTABLE_SEED` runs it again; `PYAIRTABLE_LONG=1` goes on for ten minutes.
@Suite("Formula fuzz")
struct FuzzTests {
    private static let environment = ProcessInfo.processInfo.environment
    private static let isLong = environment["PYAIRTABLE_LONG"] == "1"
    private static let firstSeed =
        environment["PYAIRTABLE_SEED"].flatMap(UInt64.init) ?? UInt64.random(in: 1...999_999_999)

    @Test(
        "INP-04, OPS-04: no formula and no record crash or hang, and what compiles keeps its promises",
        .timeLimit(.minutes(15))
    )
    func everything() throws {
        let end = ContinuousClock.now + .seconds(600)
        var seed = Self.firstSeed
        var compiled = 0
        for round in 0... {
            if Self.isLong ? ContinuousClock.now >= end : round == 3_000 { break }
            var generator = FuzzGenerator(seed: seed)
            if let complaint = Self.complaint(&generator, &compiled) {
                Issue.record("seed \(seed): \(complaint)")
                return
            }
            seed += 1
        }
        // Damage must leave enough whole for the evaluator to be tried as well.
        #expect(compiled > 500, "from seed \(Self.firstSeed)")
    }

    /// What is wrong with what the engine makes of one formula.
    private static func complaint(_ generator: inout FuzzGenerator, _ compiled: inout Int) -> String? {
        let text = generator.formula()
        let formula: Formula
        do {
            formula = try Formula(text, schema: FuzzGenerator.schema)
        } catch {
            let isInside = (0...text.unicodeScalars.count).contains(error.position)
            return isInside && !error.message.isEmpty ? nil : "the error of \(text) is at \(error.position)"
        }
        compiled += 1
        let environment = FormulaEnvironment(now: Instant(milliseconds: 1_700_000_000_000))
        guard let again = try? Formula(formula.text(naming: { "F\($0)" }), schema: FuzzGenerator.schema) else {
            return "\(text) does not compile under its own names"
        }
        for _ in 0..<3 {
            let record = generator.record()
            let value = formula.evaluate(record, in: environment)
            let cell = value.cell
            if formula.evaluate(record, in: environment).cell != cell { return "\(text) gives two values" }
            if again.evaluate(record, in: environment).cell != cell { return "\(text) renamed gives another value" }
            if (try? JSONValue(parsing: cell.text, limits: JSONLimits(stringBytes: 8 << 20))) != cell {
                return "\(text) gives a cell that is not JSON"
            }
            if !fits(value, formula.resultType) { return "\(text) gives \(cell), not \(formula.resultType.name)" }
        }
        return nil
    }

    /// Whether a value is one of its formula's type.
    private static func fits(_ value: FormulaValue, _ type: FormulaType) -> Bool {
        switch (value, type) {
        case (.blank, _), (.error, _), (_, .any): true
        case (.number, .number), (.text, .text), (.boolean, .boolean), (.date, .date), (.array, .array): true
        default: false
        }
    }
}

/// Makes formulas and records.
struct FuzzGenerator {
    static let schema = FormulaSchema([
        FormulaField(name: "F0", type: .number), FormulaField(name: "F1", type: .text),
        FormulaField(name: "F2", type: .boolean), FormulaField(name: "F3", type: .date(isDay: false)),
        FormulaField(name: "F4", type: .array(.text)), FormulaField(name: "F5", type: .any),
    ])

    private var generator: SeededGenerator

    init(seed: UInt64) { generator = SeededGenerator(seed: seed) }

    private mutating func number(_ range: Range<Int>) -> Int { Int.random(in: range, using: &generator) }
    private mutating func pick<T>(_ choices: [T]) -> T { choices[number(0..<choices.count)] }

    /// Whole two times in three.
    mutating func formula() -> String {
        let depth = number(1..<6)
        let text = expression(depth: depth)
        return number(0..<3) == 0 ? damaged(text) : text
    }

    mutating func record() -> FormulaRecord {
        FormulaRecord(
            [
                number(0..<4) == 0 ? .blank : .number(pick(Self.numbers)),
                number(0..<4) == 0 ? .blank : .text(pick(Self.texts)),
                number(0..<2) == 0 ? .blank : .boolean(true),
                number(0..<4) == 0 ? .blank : .date(FormulaDate(Instant(milliseconds: pick(Self.moments)))),
                .array((0..<number(0..<4)).map { _ in .text(pick(Self.texts)) }),
                anything(),
            ],
            recordID: "recAAAAAAAAAAAAAA",
            createdTime: Instant(milliseconds: pick(Self.moments))
        )
    }

    private mutating func anything() -> FormulaValue {
        switch number(0..<7) {
        case 0: .blank
        case 1: .error
        case 2: .number(pick(Self.numbers))
        case 3: .text(pick(Self.texts))
        case 4: .array([.error, .blank, .number(1)])
        case 5: .array([.array([.text("a"), .number(.nan)]), .boolean(false)])
        default: .date(FormulaDate(Instant(milliseconds: pick(Self.moments)), isDay: true))
        }
    }

    private static let numbers: [Double] = [
        0, -0.0, 1, -1, 0.1, 1.005, -2.5, .leastNonzeroMagnitude, 1.7976931348623157e308, .nan, .infinity, -.infinity,
        9_007_199_254_740_992,
        1e21, 123_456.789, 86_400,
    ]
    private static let texts = [
        "", "a", "abc", "Äé", "e\u{301}", "🎉👩‍👩‍👧", "12.5", "$1,250.50", "2024-02-29", "31/31/2024", "a,b;c",
        "\u{0}\u{FEFF}",
        "(a+)+$", "[", "YYYY-MM-DD", "days", "Europe/Berlin", "İstanbul", "-", String(repeating: "ab", count: 3_000),
    ]
    private static let moments: [Int64] = [
        0, -1, 1_709_164_800_000, -62_135_596_800_000, 253_402_300_799_999, 4_102_444_800_000, Int64.max / 1_000,
        Int64.min / 1_000,
    ]

    private static let functions: [(name: String, counts: ClosedRange<Int>)] = [
        ("AND", 1...3), ("OR", 1...3), ("XOR", 1...3), ("NOT", 1...1), ("IF", 2...3), ("SWITCH", 3...6),
        ("BLANK", 0...0),
        ("ERROR", 0...1), ("TRUE", 0...0), ("FALSE", 0...0), ("ISERROR", 1...1), ("CONCATENATE", 1...4),
        ("ENCODE_URL_COMPONENT", 1...1), ("FIND", 2...3), ("LEFT", 2...2), ("RIGHT", 2...2), ("LEN", 1...1),
        ("LOWER", 1...1), ("UPPER", 1...1), ("MID", 3...3), ("REPLACE", 4...4), ("REPT", 2...2), ("SEARCH", 2...3),
        ("SUBSTITUTE", 3...4), ("T", 1...1), ("TRIM", 1...1), ("VALUE", 1...1), ("ABS", 1...1), ("AVERAGE", 1...3),
        ("SUM", 1...3), ("MAX", 1...3), ("MIN", 1...3), ("COUNT", 1...3), ("COUNTA", 1...3), ("COUNTALL", 1...3),
        ("CEILING", 1...2), ("FLOOR", 1...2), ("EVEN", 1...1), ("ODD", 1...1), ("EXP", 1...1), ("LOG", 1...2),
        ("POWER", 2...2), ("SQRT", 1...1), ("INT", 1...1), ("MOD", 2...2), ("ROUND", 2...2), ("ROUNDUP", 2...2),
        ("ROUNDDOWN", 2...2), ("ARRAYCOMPACT", 1...1), ("ARRAYFLATTEN", 1...2), ("ARRAYJOIN", 1...2),
        ("ARRAYUNIQUE", 1...1), ("ARRAYSLICE", 2...3), ("RECORD_ID", 0...0), ("CREATED_TIME", 0...0),
        ("DATEADD", 3...3), ("DATESTR", 1...1), ("DATETIME_DIFF", 2...3), ("DATETIME_FORMAT", 1...2),
        ("DATETIME_PARSE", 1...3), ("DAY", 1...1), ("HOUR", 1...1), ("MINUTE", 1...1), ("MONTH", 1...1),
        ("SECOND", 1...1), ("YEAR", 1...1), ("FROMNOW", 1...1), ("TONOW", 1...1), ("IS_AFTER", 2...2),
        ("IS_BEFORE", 2...2), ("IS_SAME", 2...3), ("NOW", 0...0), ("TODAY", 0...0), ("SET_LOCALE", 2...2),
        ("SET_TIMEZONE", 2...2), ("TIMESTR", 1...1), ("WEEKDAY", 1...2), ("WEEKNUM", 1...2), ("WORKDAY", 2...3),
        ("WORKDAY_DIFF", 2...3), ("REGEX_MATCH", 2...2), ("REGEX_EXTRACT", 2...2), ("REGEX_REPLACE", 3...3),
    ]

    private mutating func expression(depth: Int) -> String {
        guard depth > 0 else { return leaf() }
        switch number(0..<10) {
        case 0: return leaf()
        case 1: return "(" + expression(depth: depth - 1) + ")"
        case 2: return pick(["-", "+"]) + expression(depth: depth - 1)
        case 3, 4, 5:
            let sign = pick(["+", "-", "*", "/", "&", "=", "!=", "<", "<=", ">", ">="])
            return "(\(expression(depth: depth - 1)) \(sign) \(expression(depth: depth - 1)))"
        default:
            let (name, counts) = pick(Self.functions)
            let arguments = (0..<number(counts.lowerBound..<counts.upperBound + 1)).map { _ in
                expression(depth: depth - 1)
            }
            return name + "(" + arguments.joined(separator: ", ") + ")"
        }
    }

    private mutating func leaf() -> String {
        switch number(0..<6) {
        case 0: pick(["0", "1", "2", "10", "0.1", "1e21", "1e300", "1000000", "7"])
        case 1:
            "\"" + pick(Self.texts).replacing("\\", with: "\\\\").replacing("\"", with: "\\\"") + "\""
        default: "{f\(number(0..<6))}"
        }
    }

    private mutating func damaged(_ text: String) -> String {
        var scalars = Array(text.unicodeScalars)
        for _ in 0..<number(1..<4) {
            let place = number(0..<scalars.count + 1)
            switch number(0..<4) {
            case 0 where place < scalars.count: scalars.remove(at: place)
            case 1: scalars.insert(pick(Array("(){},\"'\\&=<>!+-*/ .eX9\u{301}🎉\u{0}".unicodeScalars)), at: place)
            case 2 where place < scalars.count:
                scalars.swapAt(place, number(0..<scalars.count))
            default:
                let piece = scalars[min(place, scalars.count)..<min(place + number(0..<12), scalars.count)]
                scalars.insert(contentsOf: Array(piece), at: number(0..<scalars.count + 1))
            }
        }
        var view = String.UnicodeScalarView()
        view.append(contentsOf: scalars)
        return String(view)
    }
}
