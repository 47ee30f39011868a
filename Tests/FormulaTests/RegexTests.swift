import Domain
import Testing

@testable import Formula

@Suite("Regular expressions")
struct RegexTests {
    @Test(
        "REGEX_MATCH looks anywhere in the text",
        arguments: [
            ("inv-0042", "[0-9]+", true), ("inv-0042", "^[0-9]+", false), ("inv-0042", "[0-9]+$", true),
            ("inv-0042", "^inv-\\d{4}$", true), ("Airtable", "airtable", false), ("Airtable", "(?i)airtable", true),
            ("naïve", "^.{5}$", true), ("año", "^\\pL+$", true), ("año", "^[a-z]+$", false), ("日本", "\\p{Han}", true),
            ("a b", "\\bb", true), ("ab", "\\bb", false), ("", "", true), ("", "^$", true), ("", ".", false),
            ("a\nb", "a.b", false), ("a\nb", "(?s)a.b", true), ("a\nb", "^b", false), ("a\nb", "(?m)^b", true),
            ("aaa", "a{2}", true), ("x+y", "x\\+y", true), ("x", "a|b|x", true),
        ]
    )
    func match(text: String, pattern: String, matches: Bool) throws {
        #expect(try DateCalls.call("REGEX_MATCH", .text(text), .text(pattern)) == .boolean(matches))
    }

    /// nil is an error.
    static let extracts: [(text: String, pattern: String, match: String?)] = [
        ("inv-0042", "[0-9]+", "0042"), ("a1b22", "\\d+", "1"), ("a1b22", "\\d+$", "22"), ("abc", "x", nil),
        // The whole match, also with groups; the leftmost, then by preference.
        ("key=value", "(\\w+)=(\\w+)", "key=value"), ("<a><b>", "<.+?>", "<a>"), ("<a><b>", "<.+>", "<a><b>"),
        ("abc", "x*", ""), ("crème brûlée", "\\pL+$", "brûlée"), ("ab", "a|ab", "a"),
    ]

    @Test("REGEX_EXTRACT gives the first match", arguments: extracts)
    func extract(text: String, pattern: String, match: String?) throws {
        let value = try DateCalls.call("REGEX_EXTRACT", .text(text), .text(pattern))
        #expect(value == match.map { .text($0) } ?? .error)
    }

    /// Expected as by JavaScript's `replace` with the flags `gu`, but for `$0`.
    static let replacements: [(text: String, pattern: String, replacement: String, result: String)] = [
        ("a-b-c", "-", "+", "a+b+c"), ("2024-05-01", "(\\d+)-(\\d+)-(\\d+)", "$3.$2.$1", "01.05.2024"),
        ("abc", "b", "[$0]", "a[b]c"), ("abc", "b", "[$&]", "a[b]c"), ("abc", "b", "$$", "a$c"),
        ("abc", "b", "$", "a$c"),
        ("abc", "b", "$1", "a$1c"), ("abc", "(b)", "$12", "ab2c"), ("abc", "(b)|(x)", "<$2>", "a<>c"),
        ("abc", "b", "$x", "a$xc"), ("abc", "", "-", "-a-b-c-"), ("año", "", "-", "-a-ñ-o-"),
        ("baaac", "a*", "-", "-b--c-"), ("abc", "x", "y", "abc"), ("", "x*", "y", "y"), ("", "x", "y", ""),
        ("aaa", "^a", "b", "baa"), ("one two", "\\b(\\w)", "_$1", "_one _two"), ("  x ", "^\\s+|\\s+$", "", "x"),
        ("abcdefghij", "(a)(b)(c)(d)(e)(f)(g)(h)(i)(j)", "$9$8$10", "iha0"),
        ("日本語", "本", "★", "日★語"),
    ]

    @Test("REGEX_REPLACE replaces every match", arguments: replacements)
    func replace(text: String, pattern: String, replacement: String, result: String) throws {
        let value = try DateCalls.call("REGEX_REPLACE", .text(text), .text(pattern), .text(replacement))
        #expect(value == .text(result))
    }

    @Test(
        "what is no pattern of RE2 is an error",
        arguments: [
            "(", "[a", "a**", "(?=x)", "(?<!x)y", "(a)\\1", "\\", "a{1001}", "(?z)", "*", "\\p{Nonsense}",
        ]
    )
    func noPattern(pattern: String) throws {
        #expect(try DateCalls.call("REGEX_MATCH", .text("text"), .text(pattern)) == .error)
        #expect(try DateCalls.call("REGEX_EXTRACT", .text("text"), .text(pattern)) == .error)
        #expect(try DateCalls.call("REGEX_REPLACE", .text("text"), .text(pattern), .text("")) == .error)
    }

    @Test("other types are read as their text")
    func coercion() throws {
        #expect(try DateCalls.call("REGEX_MATCH", .number(42), .text("^4")) == .boolean(true))
        #expect(try DateCalls.call("REGEX_MATCH", .blank, .text(".")) == .boolean(false))
        #expect(try DateCalls.call("REGEX_MATCH", .blank, .blank) == .boolean(true))
        #expect(try DateCalls.call("REGEX_EXTRACT", DateCalls.date("2024-05-01"), .text("^\\d+")) == .text("2024"))
        let array = FormulaValue.array([.text("a"), .text("b")])
        #expect(try DateCalls.call("REGEX_REPLACE", array, .text(", "), .number(1)) == .text("a1b"))
    }

    @Test("INP-04: patterns that make others run away take linear time")
    func noBlowUp() throws {
        let text = String(repeating: "a", count: 50_000)
        #expect(try DateCalls.call("REGEX_MATCH", .text(text), .text("^(a+)+$")) == .boolean(true))
        #expect(try DateCalls.call("REGEX_MATCH", .text(text + "!"), .text("^(a|a)*$")) == .boolean(false))
        #expect(
            try DateCalls.call("REGEX_MATCH", .text(text.prefix(20_000).description), .text("^(a?){500}a{500}$"))
                == .boolean(false)
        )
    }

    @Test("INP-04: too long, too large and too much are errors")
    func bounds() throws {
        // Repetitions of repetitions: a million letters.
        #expect(try DateCalls.call("REGEX_MATCH", .text("a"), .text("((a{100}){100}){100}")) == .error)
        let pattern = String(repeating: "a", count: Limits.regexPatternBytes + 1)
        #expect(try DateCalls.call("REGEX_MATCH", .text("a"), .text(pattern)) == .error)
        let longest = String(repeating: "a", count: Limits.formulaTextBytes)
        #expect(try DateCalls.call("REGEX_MATCH", .text(longest), .text("b")) == .boolean(false))
        #expect(try DateCalls.call("REGEX_MATCH", .text(longest + "a"), .text("b")) == .error)
        // 64 KiB, each letter made sixteen, and seventeen.
        let short = FormulaValue.text(String(repeating: "a", count: Limits.formulaTextBytes / 16))
        let sixteen = FormulaValue.text(String(repeating: "b", count: 16))
        let full = try DateCalls.call("REGEX_REPLACE", short, .text("a"), sixteen)
        #expect(full == .text(String(repeating: "b", count: Limits.formulaTextBytes)))
        let seventeen = FormulaValue.text(String(repeating: "b", count: 17))
        #expect(try DateCalls.call("REGEX_REPLACE", short, .text("a"), seventeen) == .error)
        // A pattern of many steps does for a short text, and not for a long one.
        let heavy = "(?:\\pL\\pN){50}"
        #expect(try DateCalls.call("REGEX_MATCH", .text("a1"), .text(heavy)) == .boolean(false))
        #expect(try DateCalls.call("REGEX_MATCH", .text(longest), .text(heavy)) == .error)
    }

    @Test("INP-04: replacing ends, also where each match reads the whole text")
    func quadratic() throws {
        let text = FormulaValue.text(String(repeating: "a", count: 900_000))
        #expect(try DateCalls.call("REGEX_REPLACE", text, .text("a(.*b)?"), .text("")) == .error)
    }

    @Test("patterns are shared between threads")
    func threads() async {
        await withTaskGroup(of: Bool.self) { group in
            for worker in 0..<4 {
                group.addTask {
                    (0..<300).allSatisfy { round in
                        let digit = (round + worker) % 100
                        let expression = RegularExpression.compiled("^x\(digit)(y*)$")
                        return (try? expression?.replacing(in: "x\(digit)yy", with: "$1")) == "yy"
                    }
                }
            }
            for await isRight in group { #expect(isRight) }
        }
    }
}

@Suite("A bounded cache")
struct BoundedCacheTests {
    @Test("makes a value once, keeps what is used, and forgets the rest")
    func generations() {
        let cache = BoundedCache<Int, Int>(capacity: 4)
        var made: [Int] = []
        func ask(_ key: Int) -> Int {
            cache.value(key) {
                made.append($0)
                return $0 * 10
            }
        }
        #expect(ask(1) == 10)
        #expect(ask(1) == 10)
        #expect(made == [1])
        for key in 2...40 {
            #expect(ask(key) == key * 10)
            #expect(ask(1) == 10)
            #expect(cache.count <= 8)
        }
        #expect(made == Array(1...40))
        #expect(ask(2) == 20)
        #expect(made.last == 2)
    }

    @Test("keeps that something can't be made, too")
    func absence() {
        let cache = BoundedCache<String, Int?>(capacity: 2)
        var count = 0
        for _ in 0..<3 {
            let value = cache.value("x") { _ in
                count += 1
                return nil
            }
            #expect(value == nil)
        }
        #expect(count == 1)
    }
}
