import Domain
import TestSupport
import Testing

@testable import Formula

@Suite("Dates: arithmetic")
struct DatesArithmeticTests {
    /// nil is an error.
    static let additions: [(date: String, count: Double, unit: String, result: String?)] = [
        ("2021-01-31", 1, "month", "2021-02-28"), ("2020-01-31", 1, "months", "2020-02-29"),
        ("2021-03-31", -1, "M", "2021-02-28"), ("2021-01-31", 13, "month", "2022-02-28"),
        ("2020-02-29", 1, "year", "2021-02-28"), ("2020-02-29", 4, "y", "2024-02-29"),
        ("2021-11-30", 1, "quarter", "2022-02-28"), ("2021-11-30", -1, "Q", "2021-08-30"),
        ("2021-01-01", 1, "week", "2021-01-08"), ("2021-01-01", -1, "w", "2020-12-25"),
        ("2021-12-31", 1, "day", "2022-01-01"), ("2021-12-31", 1, "d", "2022-01-01"),
        ("2021-12-31", 1, "Days", "2022-01-01"),
        // A day with a time added to is a moment.
        ("2021-01-01", 90, "m", "2021-01-01T01:30:00.000Z"), ("2021-01-01", 25, "h", "2021-01-02T01:00:00.000Z"),
        ("2021-01-01", -1, "s", "2020-12-31T23:59:59.000Z"), ("2021-01-01", 5, "ms", "2021-01-01T00:00:00.005Z"),
        ("2021-01-01T10:00:00Z", 1, "M", "2021-02-01T10:00:00.000Z"),
        ("2021-01-01T10:00:00Z", 1, "m", "2021-01-01T10:01:00.000Z"),
        // Fractions are dropped, towards zero.
        ("2021-01-01", 1.9, "day", "2021-01-02"), ("2021-01-01", -1.9, "day", "2020-12-31"),
        ("2021-01-01", 0.9, "month", "2021-01-01"),
        ("2021-01-01", 1, "fortnight", nil), ("2021-01-01", 1, "", nil), ("2021-02-30", 1, "day", nil),
        ("9999-12-31", 1, "day", nil), ("0001-01-01", -1, "ms", nil),
        ("9999-12-31", 1, "ms", "9999-12-31T00:00:00.001Z"),
        ("2021-01-01", 8_000, "years", nil), ("2021-01-01", 1e15, "ms", nil), ("2021-01-01", -1e300, "years", nil),
        ("2021-01-01", 9e14, "weeks", nil), ("2021-01-01", 9e14, "quarters", nil), ("2021-01-01", .nan, "day", nil),
        ("2021-01-01", .infinity, "day", nil), ("2021-01-01", 6e13, "ms", "3922-04-30T10:40:00.000Z"),
    ]

    @Test("DATEADD", arguments: additions)
    func add(date: String, count: Double, unit: String, result: String?) throws {
        let value = try DateCalls.call("DATEADD", .text(date), .number(count), .text(unit))
        #expect(DateCalls.iso(value) == result)
        if result == nil { #expect(value == .error) }
    }

    /// Later, earlier: as DATETIME_DIFF takes them.
    static let differences: [(later: String, earlier: String, unit: String, count: Double)] = [
        ("2021-03-01", "2021-02-01", "days", 28), ("2021-02-01", "2021-03-01", "days", -28),
        ("2021-03-01", "2021-02-01", "months", 1), ("2021-03-01", "2021-02-02", "months", 0),
        ("2021-02-28", "2021-01-31", "months", 1), ("2021-01-31", "2021-02-28", "months", -1),
        // Truncated towards zero: half a month either way is none.
        ("2021-01-15", "2021-01-31", "months", 0), ("2021-01-31", "2021-01-15", "months", 0),
        ("2021-02-01T10:00:00Z", "2021-01-01T10:00:01Z", "months", 0),
        ("2021-02-01T10:00:00Z", "2021-01-01T10:00:00Z", "months", 1),
        ("2024-02-29", "2020-02-29", "years", 4), ("2024-02-28", "2020-02-29", "years", 3),
        ("2021-02-28", "2020-02-29", "years", 1), ("2020-01-01", "2021-01-02", "years", -1),
        ("2022-01-01", "2021-01-01", "quarters", 4), ("2021-12-31", "2021-01-01", "quarters", 3),
        ("2021-01-15", "2021-01-01", "weeks", 2), ("2021-01-14", "2021-01-01", "weeks", 1),
        ("2021-01-01T23:59:59Z", "2021-01-01", "hours", 23), ("2021-01-01", "2021-01-01T23:59:59Z", "hours", -23),
        ("2021-01-01T00:01:59Z", "2021-01-01", "m", 1), ("2021-01-01T00:00:01.999Z", "2021-01-01", "s", 1),
        ("2021-01-01T00:00:01.999Z", "2021-01-01", "milliseconds", 1_999),
        // Nobody knows the unit: milliseconds.
        ("2021-01-02", "2021-01-01", "fortnights", 86_400_000),
        ("9999-12-31", "0001-01-01", "days", 3_652_058), ("9999-12-31", "0001-01-01", "years", 9_998),
    ]

    @Test("DATETIME_DIFF", arguments: differences)
    func difference(later: String, earlier: String, unit: String, count: Double) throws {
        #expect(try DateCalls.call("DATETIME_DIFF", .text(later), .text(earlier), .text(unit)) == .number(count))
    }

    @Test("DATETIME_DIFF without a unit counts seconds; what is no date is an error")
    func differenceDefaults() throws {
        let days = [FormulaValue.text("2021-01-02"), .text("2021-01-01")]
        #expect(try DateCalls.call("DATETIME_DIFF", days[0], days[1]) == .number(86_400))
        #expect(try DateCalls.call("DATETIME_DIFF", days[0], days[1], .blank) == .number(86_400))
        #expect(try DateCalls.call("DATETIME_DIFF", days[0], .blank) == .error)
        #expect(try DateCalls.call("DATETIME_DIFF", .text("x"), days[0]) == .error)
        #expect(try DateCalls.call("DATETIME_DIFF", .number(1), days[0], .text("days")) == .error)
    }

    @Test("as many months as were added are counted, when the day of the month exists")
    func monthsThereAndBack() throws {
        var generator = SeededGenerator(seed: 7)
        for _ in 0..<2_000 {
            let day = Int64.random(in: -300_000...300_000, using: &generator) * 86_400_000_000
            let time = Int64.random(in: 0..<86_400_000, using: &generator) * 1_000
            let start = Instant(microseconds: day + time)
            let months = Int.random(in: -600...600, using: &generator)
            guard CalendarDate(start).components.day <= 28 else { continue }
            let moved = try #require(DateUnit.month.adding(Double(months), to: FormulaDate(start)))
            #expect(DateUnit.month.count(from: start, to: moved.instant) == months, "\(start) and \(months) months")
            #expect(DateUnit.month.adding(Double(-months), to: moved)?.instant == start)
        }
    }

    /// Of Wednesday 2021-05-05T10:20:30.400Z.
    @Test(
        "the start of a unit",
        arguments: [
            ("ms", "2021-05-05T10:20:30.400Z"), ("s", "2021-05-05T10:20:30.000Z"), ("m", "2021-05-05T10:20:00.000Z"),
            ("h", "2021-05-05T10:00:00.000Z"), ("d", "2021-05-05T00:00:00.000Z"), ("w", "2021-05-02T00:00:00.000Z"),
            ("M", "2021-05-01T00:00:00.000Z"), ("Q", "2021-04-01T00:00:00.000Z"), ("y", "2021-01-01T00:00:00.000Z"),
        ]
    )
    func start(unit: String, result: String) throws {
        let unit = try #require(DateUnit(unit))
        #expect(unit.start(of: DateCalls.moment("2021-05-05T10:20:30.400Z")).iso8601 == result)
    }

    @Test("IS_SAME, IS_BEFORE and IS_AFTER, with and without a unit")
    func comparisons() throws {
        let (morning, evening) = (DateCalls.date("2021-05-05T08:00:00Z"), DateCalls.date("2021-05-05T20:00:00Z"))
        #expect(try DateCalls.call("IS_SAME", morning, evening) == .boolean(false))
        #expect(try DateCalls.call("IS_SAME", morning, evening, .text("day")) == .boolean(true))
        #expect(try DateCalls.call("IS_SAME", morning, evening, .text("nonsense")) == .boolean(false))
        #expect(try DateCalls.call("IS_SAME", morning, .text("2021-06-30"), .text("quarter")) == .boolean(true))
        #expect(try DateCalls.call("IS_SAME", morning, .text("2021-05-01"), .text("week")) == .boolean(false))
        #expect(try DateCalls.call("IS_SAME", morning, .text("2021-05-08"), .text("week")) == .boolean(true))
        #expect(try DateCalls.call("IS_BEFORE", morning, evening) == .boolean(true))
        #expect(try DateCalls.call("IS_BEFORE", morning, morning) == .boolean(false))
        #expect(try DateCalls.call("IS_BEFORE", morning, evening, .text("day")) == .boolean(false))
        #expect(try DateCalls.call("IS_AFTER", evening, morning) == .boolean(true))
        #expect(try DateCalls.call("IS_AFTER", evening, morning, .text("day")) == .boolean(false))
        #expect(try DateCalls.call("IS_AFTER", evening, .text("5/4/2021"), .text("day")) == .boolean(true))
        for name in ["IS_SAME", "IS_BEFORE", "IS_AFTER"] {
            #expect(try DateCalls.call(name, .blank, morning) == .error)
            #expect(try DateCalls.call(name, morning, .number(3)) == .error)
        }
    }

    @Test("parts of a date")
    func parts() throws {
        let date = DateCalls.date("2021-05-06T07:08:09.999Z")
        for (name, number) in [("YEAR", 2_021.0), ("MONTH", 5), ("DAY", 6), ("HOUR", 7), ("MINUTE", 8), ("SECOND", 9)] {
            #expect(try DateCalls.call(name, date) == .number(number))
            #expect(try DateCalls.call(name, .text("2021-05-06T07:08:09.999Z")) == .number(number))
            #expect(try DateCalls.call(name, .blank) == .error)
            #expect(try DateCalls.call(name, .boolean(true)) == .error)
        }
    }

    @Test("NOW is the request's moment and TODAY its day in UTC")
    func present() throws {
        #expect(DateCalls.iso(try DateCalls.call("NOW")) == "2019-03-05T07:08:09.010Z")
        #expect(DateCalls.iso(try DateCalls.call("TODAY")) == "2019-03-05")
    }

    /// Seconds from now, and moment.js's words for them; its thresholds are 45 s, 45 min, 22 h, 26 days, 11 months.
    static let distances: [(seconds: Double, text: String)] = [
        (0, "a few seconds"), (44, "a few seconds"), (45, "a minute"), (89, "a minute"), (90, "2 minutes"),
        (44 * 60, "44 minutes"), (45 * 60, "an hour"), (89 * 60, "an hour"), (90 * 60, "2 hours"),
        (21 * 3_600, "21 hours"), (22 * 3_600, "a day"), (35 * 3_600, "a day"), (36 * 3_600, "2 days"),
        (3 * 86_400, "3 days"), (25 * 86_400, "25 days"), (26 * 86_400, "a month"),
    ]

    @Test("FROMNOW and TONOW say the distance, on either side", arguments: distances)
    func distance(seconds: Double, text: String) throws {
        for sign in [1.0, -1] {
            let microseconds = DateCalls.now.microseconds + Int64(sign * seconds * 1_000_000)
            let date = FormulaValue.date(FormulaDate(Instant(microseconds: microseconds)))
            #expect(try DateCalls.call("FROMNOW", date) == .text(text))
            #expect(try DateCalls.call("TONOW", date) == .text(text))
        }
    }

    @Test(
        "months and years of distance go by the calendar",
        arguments: [
            ("2019-04-05T07:08:09.010Z", "a month"), ("2019-05-05T07:08:09.010Z", "2 months"),
            ("2020-01-05T07:08:09.010Z", "10 months"), ("2020-02-05T07:08:09.010Z", "a year"),
            ("2020-09-05T07:08:09.010Z", "2 years"), ("2018-03-05T07:08:09.010Z", "a year"),
            ("0001-01-01", "2018 years"),
        ]
    )
    func longDistance(date: String, text: String) throws {
        #expect(try DateCalls.call("FROMNOW", DateCalls.date(date)) == .text(text))
    }
}
