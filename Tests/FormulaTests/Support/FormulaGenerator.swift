import Domain
import Formula
import TestSupport

/// Makes formulas from the grammar, mostly of sense: the right kinds of arguments four times in five.
struct FormulaGenerator {
    /// What a place wants; the generator may put something else.
    enum Kind: CaseIterable {
        case number, text, boolean, date, array, unit, format, pattern, count
    }

    var random: SeededGenerator
    /// Parts that may still be written; what is left over keeps formulas from growing without end.
    private var budget = 0

    init(seed: UInt64) { random = SeededGenerator(seed: seed) }

    mutating func formula(parts: Int = 30) -> String {
        budget = parts
        return expression(pick(Kind.allCases), depth: 0)
    }

    private mutating func pick<T>(_ choices: [T]) -> T { choices[random.number(0..<choices.count)] }

    private mutating func expression(_ wanted: Kind, depth: Int) -> String {
        let kind = random.once(in: 5) ? pick(Kind.allCases) : wanted
        budget -= 1
        if budget <= 0 || depth > 12 || random.once(in: 4) { return leaf(kind) }
        switch random.number(0..<10) {
        case 0: return "(\(expression(kind, depth: depth + 1)))"
        case 1: return operation(kind, depth: depth)
        case 2: return "IF(\(list([.boolean, kind, kind], depth)))"
        case 3: return pick(["-", "+", "- -"]) + expression(.number, depth: depth + 1)
        default: return call(kind, depth: depth)
        }
    }

    private mutating func operation(_ kind: Kind, depth: Int) -> String {
        let (sign, side): (String, Kind) =
            switch kind {
            case .number, .count: (pick(["+", "-", "*", "/", " + "]), .number)
            case .boolean: (pick(["=", "!=", "<", "<=", ">", ">="]), pick([.number, .text, .date]))
            default: ("&", pick([.text, .number, .array]))
            }
        return expression(side, depth: depth + 1) + sign + expression(side, depth: depth + 1)
    }

    private mutating func list(_ kinds: [Kind], _ depth: Int) -> String {
        var parts: [String] = []
        for kind in kinds { parts.append(expression(kind, depth: depth + 1)) }
        return parts.joined(separator: pick([",", ", ", " ,\n"]))
    }

    private mutating func call(_ kind: Kind, depth: Int) -> String {
        let fitting = FormulaSignature.all.filter { $0.result == kind }
        let signature = pick(fitting.isEmpty || random.once(in: 6) ? FormulaSignature.all : fitting)
        var kinds = signature.arguments
        let optional = random.number(0..<signature.optional.count + 1)
        kinds += signature.optional.prefix(optional)
        if let more = signature.repeats { kinds += Array(repeating: more, count: random.number(0..<4)) }
        let name = random.once(in: 8) ? signature.name.lowercased() : signature.name
        return "\(name)(\(list(kinds, depth)))"
    }

    private mutating func leaf(_ kind: Kind) -> String {
        switch kind {
        case .number:
            pick([
                "0", "1", "2.5", "-1", ".5", "1e5", "1e308", "{Number}", "{Number}", "{Whole}", "(1/0)", "(0/0)", "0.1",
            ])
        case .count: pick(["0", "1", "2", "3", "-1", "7.9", "1000000", "1e300", "{Whole}", "-9007199254740993"])
        case .text:
            pick(["\"\"", "'a'", "\"red, blue\"", "\"😀é\"", "{Text}", "{Text}", "{Other}", "\"12\"", "\" x \""])
        case .boolean: pick(["TRUE()", "FALSE()", "TRUE", "{Flag}", "{Empty}", "1", "\"\"", "ERROR()"])
        case .date:
            pick([
                "{Day}", "{Moment}", "NOW()", "TODAY()", "\"2024-02-29\"", "\"1/31/2024\"", "CREATED_TIME()",
                "\"0001-01-01\"", "\"9999-12-31T23:59:59.999Z\"", "LAST_MODIFIED_TIME({Text})",
            ])
        case .array: pick(["{Texts}", "{Texts}", "{Numbers}", "{Nested}", "{Empty}", "\"a\""])
        case .unit:
            pick([
                "'days'", "\"M\"", "'m'", "'weeks'", "'quarters'", "'years'", "'ms'", "'nonsense'", "\"Monday\"", "'h'",
            ])
        case .format:
            pick([
                "\"YYYY-MM-DD\"", "'LLLL'", "\"[x]Do ddd HH:mm:ss.SSS ZZ\"", "'gggg ww GGGG WW e E'", "'x X k'",
                "\"[\"",
                "'YYYYYYYYYY'", "'fr'", "'America/New_York'", "'Nowhere/Land'", "'de'",
            ])
        case .pattern:
            pick([
                "\"[a-z]+\"", "'\\d+'", "\"(a|b)*\"", "\"(\"", "'^$'", "\"(?i)RED\"", "\"$1\"", "'(a+)+$'",
                "\"x{1000}\"",
                "'\\pL'",
            ])
        }
    }
}
