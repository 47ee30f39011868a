import Domain
import Testing

@testable import Formula

@Suite("Dates: DATETIME_FORMAT")
struct DatesFormatTests {
    /// Of 2019-03-05T07:08:09.010Z, a Tuesday, the 64th day of the year, in the 10th week from Sunday and by ISO 8601.
    static let tokens: [(format: String, text: String)] = [
        ("YYYY/MM/DD", "2019/03/05"), ("MMM Do, YY", "Mar 5th, 19"), ("dddd", "Tuesday"), ("h:mm a", "7:08 am"),
        ("[Q]Q", "Q1"), ("DDDD", "064"), ("x", "1551769689010"), ("LL", "March 5, 2019"), ("LT", "7:08 AM"),
        ("YYYY", "2019"), ("YY", "19"), ("Y", "2019"), ("Q", "1"), ("Qo", "1st"),
        ("M", "3"), ("Mo", "3rd"), ("MM", "03"), ("MMM", "Mar"), ("MMMM", "March"), ("MMMMM", "March3"),
        ("D", "5"), ("Do", "5th"), ("DD", "05"), ("DDD", "64"), ("DDDo", "64th"),
        ("d", "2"), ("do", "2nd"), ("dd", "Tu"), ("ddd", "Tue"), ("e", "2"), ("E", "2"),
        ("w", "10"), ("wo", "10th"), ("ww", "10"), ("W", "10"), ("Wo", "10th"), ("WW", "10"),
        ("gg", "19"), ("gggg", "2019"), ("GG", "19"), ("GGGG", "2019"),
        ("a", "am"), ("A", "AM"), ("H", "7"), ("HH", "07"), ("h", "7"), ("hh", "07"), ("k", "7"), ("kk", "07"),
        ("m", "8"), ("mm", "08"), ("s", "9"), ("ss", "09"), ("S", "0"), ("SS", "01"), ("SSS", "010"),
        ("SSSS", "0100"), ("SSSSSSSSS", "010000000"), ("hmm", "708"), ("Hmmss", "70809"),
        ("Z", "+00:00"), ("ZZ", "+0000"), ("z", "UTC"), ("X", "1551769689"),
        ("L", "03/05/2019"), ("LLL", "March 5, 2019 7:08 AM"), ("LLLL", "Tuesday, March 5, 2019 7:08 AM"),
        ("l", "3/5/2019"), ("ll", "Mar 5, 2019"), ("lll", "Mar 5, 2019 7:08 AM"), ("llll", "Tue, Mar 5, 2019 7:08 AM"),
        ("LTS", "7:08:09 AM"), ("HH:mm:ss.SSS", "07:08:09.010"), ("YYYYMMDDHHmmss", "20190305070809"),
        // Brackets, backslashes, and what is no token.
        ("[Today is] dddd", "Today is Tuesday"), ("D [de] MMMM [de] YYYY", "5 de March de 2019"),
        ("[[D]", "[D"), ("[", "["), ("[]D", "5"), ("\\D", "D"), ("\\MMMM D", "MMMM 5"), ("D\\", "5\\"),
        ("r – D ☃", "r – 5 ☃"), ("n", "n"), ("g", "g"),
    ]

    @Test("every token", arguments: tokens)
    func token(format: String, text: String) throws {
        #expect(try DateCalls.call("DATETIME_FORMAT", .date(FormulaDate(DateCalls.now)), .text(format)) == .text(text))
    }

    /// Where tokens differ from each other: midnight, noon, ends of years, Sundays.
    static let edges: [(date: String, format: String, text: String)] = [
        ("2020-01-01T00:00:00Z", "H HH h hh k kk a A", "0 00 12 12 24 24 am AM"),
        ("2020-01-01T12:00:00Z", "H HH h hh k kk a A", "12 12 12 12 12 12 pm PM"),
        ("2020-01-01T23:59:59.999Z", "h k SSS SS S X x", "11 23 999 99 9 1577923199 1577923199999"),
        // 2021-01-03 is a Sunday: ISO's week 53 of 2020, English week 2.
        ("2021-01-03T00:00:00Z", "d E e w W gggg GGGG gg GG", "0 7 0 2 53 2021 2020 21 20"),
        // 2019-12-31 is a Tuesday in a week with 1 January 2020.
        ("2019-12-31T00:00:00Z", "w gggg W GGGG DDD Q Qo", "1 2020 1 2020 365 4 4th"),
        ("2020-12-31T00:00:00Z", "DDDD DDDo", "366 366th"),
        ("0001-01-01T00:00:00Z", "YYYY YY Y dddd", "0001 01 1 Monday"),
        ("9999-12-31T23:59:59.999Z", "YYYY-MM-DD dddd", "9999-12-31 Friday"),
        // Before 1970 times still run forward.
        ("1969-12-31T23:59:59.250Z", "YYYY-MM-DD HH:mm:ss.SSS X x", "1969-12-31 23:59:59.250 -1 -750"),
        // 1600 was a leap year, and 29 February a Tuesday.
        ("1600-02-29T00:00:00Z", "dddd DDD", "Tuesday 60"),
    ]

    @Test("edges of days, weeks and years", arguments: edges)
    func edge(date: String, format: String, text: String) throws {
        #expect(try DateCalls.call("DATETIME_FORMAT", DateCalls.date(date), .text(format)) == .text(text))
    }

    @Test(
        "English ordinals",
        arguments: [
            (1, "1st"), (2, "2nd"), (3, "3rd"), (4, "4th"), (10, "10th"), (11, "11th"), (12, "12th"), (13, "13th"),
            (20, "20th"), (21, "21st"), (22, "22nd"), (23, "23rd"), (30, "30th"), (31, "31st"),
        ]
    )
    func ordinal(day: Int, text: String) throws {
        let date = DateCalls.date("2024-01-\(day < 10 ? "0" : "")\(day)")
        #expect(try DateCalls.call("DATETIME_FORMAT", date, .text("Do")) == .text(text))
    }

    @Test("without a format it is ISO 8601, with the offset where that isn't UTC")
    func withoutFormat() throws {
        let date = DateCalls.date("2019-03-05T07:08:09.010Z")
        #expect(try DateCalls.call("DATETIME_FORMAT", date) == .text("2019-03-05T07:08:09.010Z"))
        #expect(try DateCalls.call("DATETIME_FORMAT", date, .blank) == .text("2019-03-05T07:08:09.010Z"))
        #expect(try DateCalls.call("DATETIME_FORMAT", date, .text("")) == .text("2019-03-05T07:08:09.010Z"))
        let moved = try DateCalls.call("SET_TIMEZONE", date, .text("Asia/Kolkata"))
        #expect(try DateCalls.call("DATETIME_FORMAT", moved) == .text("2019-03-05T12:38:09.010+05:30"))
    }

    @Test("what is no date, or a format too long, is an error")
    func refusals() throws {
        #expect(try DateCalls.call("DATETIME_FORMAT", .blank, .text("YYYY")) == .error)
        #expect(try DateCalls.call("DATETIME_FORMAT", .number(5), .text("YYYY")) == .error)
        #expect(try DateCalls.call("DATETIME_FORMAT", .text("soon"), .text("YYYY")) == .error)
        let longest = String(repeating: "[a]", count: Limits.formulaDateFormatBytes / 3)
        let day = DateCalls.day("2024-01-01")
        #expect(
            try DateCalls.call("DATETIME_FORMAT", day, .text(longest))
                == .text(String(repeating: "a", count: Limits.formulaDateFormatBytes / 3))
        )
        #expect(try DateCalls.call("DATETIME_FORMAT", day, .text(longest + "[a]")) == .error)
        // From no cell and no function, yet no trap.
        let beyond = FormulaValue.date(FormulaDate(Instant(microseconds: .max)))
        #expect(try DateCalls.call("DATETIME_FORMAT", beyond, .text("YYYY")) == .error)
        #expect(try DateCalls.call("YEAR", .date(FormulaDate(Instant(microseconds: .min)))) == .error)
    }

    @Test("DATESTR and TIMESTR")
    func fixedForms() throws {
        let date = DateCalls.date("2019-03-05T07:08:09.010Z")
        #expect(try DateCalls.call("DATESTR", date) == .text("2019-03-05"))
        #expect(try DateCalls.call("TIMESTR", date) == .text("07:08:09"))
        #expect(try DateCalls.call("TIMESTR", DateCalls.day("2019-03-05")) == .text("00:00:00"))
        #expect(try DateCalls.call("DATESTR", .text("nonsense")) == .error)
        #expect(try DateCalls.call("DATESTR", .array([.text("2019-03-05")])) == .text("2019-03-05"))
    }
}
