import Domain
import Testing

@Suite("JSON numbers")
struct JSONNumberTests {
    @Test(
        "writes doubles in the shortest form that reads back",
        arguments: [
            (0.0, "0"), (-0.0, "-0"), (1.0, "1"), (-1.0, "-1"), (0.1, "0.1"), (1.5, "1.5"), (100.0, "100"),
            (1e15, "1000000000000000"),
            (9_007_199_254_740_991.0, "9007199254740991"), (9_007_199_254_740_992.0, "9007199254740992.0"),
            (1e16, "1e+16"), (1e300, "1e+300"),
            (1e-7, "1e-07"), (Double.leastNonzeroMagnitude, "5e-324"),
            (1.7976931348623157e308, "1.7976931348623157e+308"), (0.30000000000000004, "0.30000000000000004"),
        ]
    )
    func writesDoubles(value: Double, text: String) throws {
        let number = try #require(JSONNumber(value))
        #expect(number.text == text)
        #expect(number.doubleValue.bitPattern == value.bitPattern)
    }

    @Test("has no form for what is not finite", arguments: [Double.nan, .infinity, -.infinity])
    func refusesInfinite(value: Double) { #expect(JSONNumber(value) == nil) }

    @Test(
        "gives whole numbers however they are spelt",
        arguments: [
            ("0", 0), ("-0", 0), ("-0.000", 0), ("0e5", 0), ("1.0", 1), ("1e3", 1_000), ("-12.5e1", -125), ("10e-1", 1),
            ("1200e-2", 12),
            ("9223372036854775807", .max), ("-9223372036854775808", .min), ("9223372036854775807.0", .max),
            ("-922337203685477580.8e1", .min),
            ("9223372036854775808", nil), ("-9223372036854775809", nil), ("1e19", nil), ("0.5", nil), ("1e-1", nil),
            ("1e-99999999999", nil), ("1e300", nil),
            ("18446744073709551616", nil),
        ] as [(String, Int64?)]
    )
    func givesIntegers(literal: String, value: Int64?) throws {
        let number = try #require(JSONNumber(literal: literal))
        #expect(number.int64Value == value)
        #expect(JSONValue.number(number).intValue == value.map { Int($0) })
    }

    @Test("gives unsigned whole numbers up to their own bound")
    func givesUnsigned() {
        #expect(JSONNumber(UInt64.max).uint64Value == .max)
        #expect(JSONNumber(UInt64.max).int64Value == nil)
        #expect(JSONNumber(literal: "18446744073709551615.0")?.uint64Value == .max)
        #expect(JSONNumber(literal: "18446744073709551616")?.uint64Value == nil)
        #expect(JSONNumber(literal: "-1")?.uint64Value == nil)
        #expect(JSONNumber(literal: "-0")?.uint64Value == 0)
    }

    @Test(
        "is equal by exact value, whatever the spelling",
        arguments: [
            ("1", "1.0", true), ("1", "10e-1", true), ("-0", "0", true), ("0", "0e7", true), ("1e2", "100", true),
            ("0.10", "0.1", true),
            ("9007199254740993", "9007199254740992", false), ("9007199254740993", "9007199254740993.0", true),
            ("1", "-1", false),
            ("0.1", "0.10000000000000000001", false), ("1e-400", "0", false),
        ]
    )
    func equality(left: String, right: String, areEqual: Bool) throws {
        let pair = (try #require(JSONNumber(literal: left)), try #require(JSONNumber(literal: right)))
        #expect((pair.0 == pair.1) == areEqual)
        if areEqual { #expect(pair.0.hashValue == pair.1.hashValue) }
        #expect(!areEqual || !(pair.0 < pair.1) && !(pair.1 < pair.0))
    }

    @Test("orders by exact value")
    func order() throws {
        let literals = [
            "-1e300", "-10", "-9.99", "-1", "-0.5", "0", "1e-300", "0.09", "0.1", "0.11", "1", "9", "10",
            "9007199254740992", "9007199254740993", "1e300",
        ]
        let numbers = try literals.map { try #require(JSONNumber(literal: $0)) }
        for (index, left) in numbers.enumerated() {
            for (other, right) in numbers.enumerated() {
                #expect((left < right) == (index < other), "\(left) < \(right)")
            }
        }
    }

    @Test(
        "takes a literal only when it is one",
        arguments: ["", " 1", "1 ", "+1", "01", "1.", "a", "1e400", "--1", "0x1", "1,", "NaN"]
    )
    func refusesLiterals(literal: String) { #expect(JSONNumber(literal: literal) == nil) }

    @Test("reads the same double as the standard library from any literal")
    func readsDoubles() throws {
        var random = RandomJSON(seed: RandomRun.seed)
        for _ in 0..<RandomRun.count(3_000, long: 300_000) {
            let number = random.number()
            let expected = try #require(Double(number.text))
            #expect(number.doubleValue.bitPattern == expected.bitPattern, "\(number.text), seed \(RandomRun.seed)")
        }
    }
}
