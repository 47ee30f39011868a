import Domain
import TestSupport
import Testing

@testable import Formula

@Suite("Dates: DATETIME_PARSE")
struct DatesParseTests {
    /// nil is an error. Now is 2019-03-05T07:08:09.010Z.
    static let formatted: [(text: String, format: String, result: String?)] = [
        ("7 Mar 2020", "D MMM YYYY", "2020-03-07"),
        ("2020-03-07", "YYYY-MM-DD", "2020-03-07"),
        ("07/03/2020", "DD/MM/YYYY", "2020-03-07"),
        ("20200307", "YYYYMMDD", "2020-03-07"),
        ("March 7th, 2020", "MMMM Do, YYYY", "2020-03-07"),
        ("march 7 2020", "MMM D YYYY", "2020-03-07"),
        ("Sept 9 2020", "MMM D YYYY", "2020-09-09"),
        ("3/7/68", "M/D/YY", "2068-03-07"), ("3/7/69", "M/D/YY", "1969-03-07"),
        ("3/7/19", "M/D/YYYY", "2019-03-07"),
        ("2020-067", "YYYY-DDDD", "2020-03-07"), ("2020 366", "YYYY DDD", "2020-12-31"), ("2019 366", "YYYY DDD", nil),
        ("2020 Q3", "YYYY [Q]Q", "2020-07-01"), ("2020", "YYYY", "2020-01-01"),
        ("2020-03-07 14:05", "YYYY-MM-DD HH:mm", "2020-03-07T14:05:00.000Z"),
        ("2020-03-07 2:05 pm", "YYYY-MM-DD h:mm a", "2020-03-07T14:05:00.000Z"),
        ("2020-03-07 2:05 P.M.", "YYYY-MM-DD h:mm A", "2020-03-07T14:05:00.000Z"),
        ("2020-03-07 12:05 am", "YYYY-MM-DD h:mm a", "2020-03-07T00:05:00.000Z"),
        ("2020-03-07 12:05 pm", "YYYY-MM-DD h:mm a", "2020-03-07T12:05:00.000Z"),
        ("2020-03-07T14:05:09.5+02:00", "YYYY-MM-DD[T]HH:mm:ss.SZ", "2020-03-07T12:05:09.500Z"),
        ("2020-03-07 14:05 -0330", "YYYY-MM-DD HH:mm ZZ", "2020-03-07T17:35:00.000Z"),
        ("2020-03-07 14:05 Z", "YYYY-MM-DD HH:mm Z", "2020-03-07T14:05:00.000Z"),
        ("2020-03-07 24:00", "YYYY-MM-DD HH:mm", "2020-03-08T00:00:00.000Z"),
        ("2020-03-07 24:01", "YYYY-MM-DD HH:mm", nil), ("2020-03-07 12:60", "YYYY-MM-DD HH:mm", nil),
        ("1583590000", "X", "2020-03-07T14:06:40.000Z"), ("1583590000123", "x", "2020-03-07T14:06:40.123Z"),
        ("-1000", "x", "1969-12-31T23:59:59.000Z"),
        ("14:05", "HH:mm", "2019-03-05T14:05:00.000Z"), ("March 7", "MMMM D", "2019-03-07"),
        ("7", "D", "2019-03-07"),
        ("1405", "Hmm", "2019-03-05T14:05:00.000Z"),
        ("2020-W10-6", "GGGG-[W]WW-E", "2020-03-07"), ("2020 10 6", "gggg w e", "2020-03-07"),
        ("2020 54", "GGGG W", nil),
        ("Saturday March 7 2020", "dddd MMMM D YYYY", "2020-03-07"),
        // It was a Saturday.
        ("Sunday March 7 2020", "dddd MMMM D YYYY", nil),
        ("03/07/2020", "L", "2020-03-07"), ("March 7, 2020 2:05 PM", "LLL", "2020-03-07T14:05:00.000Z"),
        // Forgiving: what lies between is skipped, what lies behind doesn't matter.
        ("on 2020.03.07!", "YYYY-MM-DD", "2020-03-07"), ("2020-03-07 and more", "YYYY-MM-DD", "2020-03-07"),
        ("2020-02-30", "YYYY-MM-DD", nil), ("2020-13-01", "YYYY-MM-DD", nil), ("2020-00-01", "YYYY-MM-DD", nil),
        ("29 Feb 2019", "D MMM YYYY", nil), ("29 Feb 2020", "D MMM YYYY", "2020-02-29"),
        ("7 Foo 2020", "D MMM YYYY", nil), ("", "YYYY", nil), ("words", "YYYY", nil), ("2020", "[only text]", nil),
        ("0000-01-01", "YYYY-MM-DD", nil), ("99999999999999999999999", "x", nil),
    ]

    @Test("with a format", arguments: formatted)
    func format(text: String, format: String, result: String?) throws {
        let value = try DateCalls.call("DATETIME_PARSE", .text(text), .text(format))
        #expect(DateCalls.iso(value) == result)
        if result == nil { #expect(value == .error) }
    }

    static let loose: [(text: String, result: String?)] = [
        ("2020-03-07", "2020-03-07"), ("2020-03-07T14:05:09.123Z", "2020-03-07T14:05:09.123Z"),
        ("2020-03-07 14:05", "2020-03-07T14:05:00.000Z"), ("2020-03-07T14:05:09+0100", "2020-03-07T13:05:09.000Z"),
        ("3/7/2020", "2020-03-07"), ("3/7/2020 2:05pm", "2020-03-07T14:05:00.000Z"),
        ("03/07/2020 14:05:09", "2020-03-07T14:05:09.000Z"), ("3/7/20", "2020-03-07"),
        ("2020/3/7", "2020-03-07"), ("2020-3-7", "2020-03-07"), ("2020/03/07 2:05 PM", "2020-03-07T14:05:00.000Z"),
        ("March 7, 2020", "2020-03-07"), ("Mar 7 2020", "2020-03-07"), ("7 March 2020", "2020-03-07"),
        ("7th of March", nil), ("Saturday, March 7th, 2020", "2020-03-07"),
        ("March 7, 2020 2:05 pm", "2020-03-07T14:05:00.000Z"), ("7 Mar 2020 14:05:09.25", "2020-03-07T14:05:09.250Z"),
        ("March 7, 2020 2pm", "2020-03-07T14:00:00.000Z"), ("Sunday, March 7th, 2020", nil),
        ("13/7/2020", nil), ("2/30/2020", nil), ("2020-02-30", nil), ("tomorrow", nil), ("12", nil), ("", nil),
        ("foo 12 2020", nil), ("3/7/2020 25:00", nil), ("3/7/2020 noon", nil), ("a b c d e f", nil), ("1/2", nil),
    ]

    @Test("without a format", arguments: loose)
    func withoutFormat(text: String, result: String?) throws {
        #expect(DateCalls.iso(try DateCalls.call("DATETIME_PARSE", .text(text))) == result)
    }

    @Test(
        "in another language",
        arguments: [
            ("7 mars 2020", "D MMMM YYYY", "fr", "2020-03-07"), ("7 FÉVR. 2020", "D MMM YYYY", "fr", "2020-02-07"),
            ("7 févr 2020", "D MMM YYYY", "fr", "2020-02-07"), ("7. März 2020", "D. MMMM YYYY", "de", "2020-03-07"),
            ("5 марта 2019", "D MMMM YYYY", "ru", "2019-03-05"), ("2019年3月5日", "LL", "ja", "2019-03-05"),
            ("07.03.2020", "L", "de", "2020-03-07"),
        ]
    )
    func language(text: String, format: String, locale: String, result: String) throws {
        let value = try DateCalls.call("DATETIME_PARSE", .text(text), .text(format), .text(locale))
        #expect(DateCalls.iso(value) == result)
    }

    @Test("English names are none in another language, and the other way round")
    func wrongLanguage() throws {
        #expect(try DateCalls.call("DATETIME_PARSE", .text("7 May 2020"), .text("D MMMM YYYY"), .text("ru")) == .error)
        #expect(try DateCalls.call("DATETIME_PARSE", .text("7 mai 2020"), .text("D MMMM YYYY")) == .error)
    }

    @Test("a date stays what it is, numbers are read as their text, blank is an error")
    func otherTypes() throws {
        let date = DateCalls.date("2020-03-07T14:05:00Z")
        #expect(try DateCalls.call("DATETIME_PARSE", date, .text("YYYY")) == date)
        #expect(
            DateCalls.iso(try DateCalls.call("DATETIME_PARSE", .number(20_200_307), .text("YYYYMMDD"))) == "2020-03-07"
        )
        #expect(try DateCalls.call("DATETIME_PARSE", .blank, .text("YYYY")) == .error)
        #expect(try DateCalls.call("DATETIME_PARSE", .blank) == .error)
    }

    @Test("long texts and formats are refused, and whatever comes is no trap")
    func bounds() throws {
        let long = String(repeating: "1", count: Limits.formulaDateTextBytes + 1)
        #expect(try DateCalls.call("DATETIME_PARSE", .text(long), .text("YYYY")) == .error)
        #expect(try DateCalls.call("DATETIME_PARSE", .text(long)) == .error)
        let format = String(repeating: "YYYY", count: Limits.formulaDateFormatBytes / 4)
        #expect(try DateCalls.call("DATETIME_PARSE", .text(long.dropLast().description), .text(format)) != .blank)
        let alphabet = Array("YMDdwWgGeEaAHhkmsSZzxXLlQo[]\\ 0123456789:-/.TZ+apé三".unicodeScalars)
        var generator = SeededGenerator(seed: 4)
        for _ in 0..<3_000 {
            let (text, format) = (random(alphabet, &generator), random(alphabet, &generator))
            let value = try DateCalls.call("DATETIME_PARSE", .text(text), .text(format), .text("ja"))
            guard case .date(let date) = value else { continue }
            #expect(date.isInRange, "\(text) in \(format)")
            #expect(try DateCalls.call("DATETIME_FORMAT", value, .text(format)) != .error)
        }
    }

    private func random(_ alphabet: [Unicode.Scalar], _ generator: inout SeededGenerator) -> String {
        var text = ""
        for _ in 0..<Int.random(in: 0..<24, using: &generator) {
            text.unicodeScalars.append(alphabet.randomElement(using: &generator) ?? "Y")
        }
        return text
    }

    @Test(
        "what is formatted reads back as it was",
        arguments: [
            "YYYY-MM-DD HH:mm:ss.SSS", "D MMMM YYYY h:mm:ss.SSS A", "x", "DDDo YYYY, kk:mm:ss.SSS",
            "GGGG-[W]WW-E HH:mm:ss.SSS", "gggg ww e HH:mm:ss.SSS", "dddd MMM Do YYYY Hmmss.SSS Z",
        ]
    )
    func roundTrip(format: String) throws {
        var generator = SeededGenerator(seed: 11)
        let first = DateCalls.moment("1000-01-01").milliseconds
        let last = DateCalls.moment("9999-12-30").milliseconds
        for _ in 0..<300 {
            var milliseconds = Int64.random(in: first...last, using: &generator)
            // `Hmmss` has no room for an hour of one digit, and 24:mm is read as no time.
            if format.contains("Hmmss") || format.contains("kk") {
                milliseconds +=
                    (12 * 3_600_000 - milliseconds % 86_400_000) + Int64.random(in: 0..<3_600_000, using: &generator)
            }
            let value = FormulaValue.date(FormulaDate(Instant(milliseconds: milliseconds)))
            let text = try DateCalls.call("DATETIME_FORMAT", value, .text(format))
            #expect(try DateCalls.call("DATETIME_PARSE", text, .text(format)) == value, "\(text)")
        }
    }
}
