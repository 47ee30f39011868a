import Domain
import TestSupport
import Testing

@testable import Formula

@Suite("Dates: weeks and working days")
struct DatesWeekTests {
    @Test("WEEKDAY counts from Sunday, or from the day named")
    func weekday() throws {
        let wednesday = FormulaValue.text("2021-05-05")
        #expect(try DateCalls.call("WEEKDAY", wednesday) == .number(3))
        #expect(try DateCalls.call("WEEKDAY", wednesday, .text("Monday")) == .number(2))
        #expect(try DateCalls.call("WEEKDAY", wednesday, .text("sunday")) == .number(3))
        #expect(try DateCalls.call("WEEKDAY", wednesday, .text("Thursday")) == .number(6))
        #expect(try DateCalls.call("WEEKDAY", wednesday, .blank) == .number(3))
        #expect(try DateCalls.call("WEEKDAY", wednesday, .text("Someday")) == .error)
        #expect(try DateCalls.call("WEEKDAY", .text("1900-01-01")) == .number(1))
    }

    /// 2021-01-01 was a Friday, 2023-01-01 a Sunday, 2024-01-01 a Monday.
    @Test(
        "WEEKNUM: week 1 is the one with 1 January",
        arguments: [
            ("2021-01-01", nil, 1), ("2021-01-02", nil, 1), ("2021-01-03", nil, 2), ("2021-01-03", "Monday", 1),
            ("2021-01-04", "Monday", 2), ("2023-01-01", nil, 1), ("2023-01-08", nil, 2), ("2023-01-02", "Monday", 2),
            ("2024-01-07", nil, 2), ("2024-01-07", "Monday", 1), ("2021-05-05", nil, 19),
            // Saturday, in the 52nd week from Sunday; and a Friday of a week with 1 January 2022, a Saturday.
            ("2021-12-25", nil, 52), ("2021-12-31", nil, 1),
        ] as [(String, String?, Double)]
    )
    func weekNumber(date: String, first: String?, week: Double) throws {
        let result =
            try first.map { try DateCalls.call("WEEKNUM", .text(date), .text($0)) }
            ?? DateCalls.call("WEEKNUM", .text(date))
        #expect(result == .number(week))
    }

    @Test("WEEKNUM of an unknown first day is an error")
    func unknownFirstDay() throws {
        #expect(try DateCalls.call("WEEKNUM", .text("2021-05-05"), .text("Moonday")) == .error)
    }

    /// ISO 8601's own examples and ends of years with 53 weeks.
    @Test(
        "ISO weeks",
        arguments: [
            ("2008-12-28", 2_008, 52), ("2008-12-29", 2_009, 1), ("2009-12-31", 2_009, 53), ("2010-01-03", 2_009, 53),
            ("2010-01-04", 2_010, 1), ("2020-12-31", 2_020, 53), ("2005-01-01", 2_004, 53),
        ]
    )
    func isoWeek(date: String, year: Int, week: Int) throws {
        let found = WeekRule.iso.week(of: try #require(CalendarDate(iso8601: date)))
        #expect(found == (year, week))
    }

    @Test("weeks have seven days and follow each other, by every rule")
    func weeksFollow() throws {
        let start = try #require(CalendarDate(iso8601: "1995-01-01")).daysSinceEpoch
        for rule in (0..<7).flatMap({ first in [1, 4, 7].map { WeekRule(firstDay: first, minimumDays: $0) } }) {
            var last = rule.week(of: CalendarDate(daysSinceEpoch: start))
            for day in start + 1..<start + 11_000 {
                let date = CalendarDate(daysSinceEpoch: day)
                let week = rule.week(of: date)
                let follows =
                    date.weekday != rule.firstDay
                    ? week == last
                    : week == (last.year, last.week + 1) || week == (last.year + 1, 1) && last.week >= 52
                if !follows { Issue.record("\(date) by \(rule): \(week) after \(last)") }
                last = week
            }
        }
    }

    /// nil is an error. 2021-05-07 was a Friday.
    static let moves: [(date: String, count: Double, holidays: String, result: String?)] = [
        ("2021-05-07", 1, "", "2021-05-10"), ("2021-05-07", 5, "", "2021-05-14"), ("2021-05-08", 1, "", "2021-05-10"),
        ("2021-05-09", 1, "", "2021-05-10"), ("2021-05-10", -1, "", "2021-05-07"), ("2021-05-09", -1, "", "2021-05-07"),
        ("2021-05-08", -1, "", "2021-05-07"), ("2021-05-07", 0, "", "2021-05-07"), ("2021-05-08", 0, "", "2021-05-10"),
        ("2021-05-07", 1, "2021-05-10", "2021-05-11"), ("2021-05-07", 1, "2021-05-10, 2021-05-11", "2021-05-12"),
        ("2021-05-07", 1, "2021-05-11,2021-05-10,2021-05-10", "2021-05-12"),
        // A holiday on a Sunday costs nothing; the start's own neither, unless nothing is added to it.
        ("2021-05-07", 1, "2021-05-09", "2021-05-10"), ("2021-05-07", 1, "2021-05-07", "2021-05-10"),
        ("2021-05-07", 0, "2021-05-07", "2021-05-10"), ("2021-05-10", -1, "2021-05-07", "2021-05-06"),
        ("2021-05-07", 1.9, "", "2021-05-10"), ("2021-05-07", 1, "soon", nil), ("2021-05-07", 1e12, "", nil),
        ("2021-05-07", .nan, "", nil), ("2021-05-07", 3_000_000, "", nil), ("2021-05-07", -3_000_000, "", nil),
        // 2,000,000 working days are 400,000 weeks, 2,800,000 days.
        ("2021-05-07", 2_000_000, "", "9687-06-27"),
    ]

    @Test("WORKDAY", arguments: moves)
    func workday(date: String, count: Double, holidays: String, result: String?) throws {
        let value = try DateCalls.call("WORKDAY", .text(date), .number(count), .text(holidays))
        #expect(DateCalls.iso(value) == result)
        if result == nil { #expect(value == .error) }
    }

    @Test("WORKDAY keeps the time of day, and takes holidays as dates and arrays too")
    func workdayForms() throws {
        let friday = DateCalls.date("2021-05-07T15:30:00Z")
        #expect(DateCalls.iso(try DateCalls.call("WORKDAY", friday, .number(1))) == "2021-05-10T15:30:00.000Z")
        let holidays = FormulaValue.array([DateCalls.day("2021-05-10"), .text("2021-05-11"), .blank])
        #expect(DateCalls.iso(try DateCalls.call("WORKDAY", .text("2021-05-07"), .number(1), holidays)) == "2021-05-12")
        #expect(try DateCalls.call("WORKDAY", friday, .number(1), .number(7)) == .error)
        #expect(try DateCalls.call("WORKDAY", .blank, .number(1)) == .error)
    }

    @Test(
        "WORKDAY_DIFF counts both ends",
        arguments: [
            ("2021-05-03", "2021-05-07", "", 5), ("2021-05-03", "2021-05-03", "", 1),
            ("2021-05-08", "2021-05-08", "", 0),
            ("2021-05-07", "2021-05-10", "", 2), ("2021-05-07", "2021-05-03", "", -5),
            ("2021-05-08", "2021-05-09", "", 0),
            ("2021-05-03", "2021-05-07", "2021-05-04,2021-05-08", 4), ("2021-05-07", "2021-05-03", "2021-05-04", -4),
            ("2021-01-01", "2021-12-31", "", 261),
        ] as [(String, String, String, Double)]
    )
    func workdayDifference(start: String, end: String, holidays: String, count: Double) throws {
        let value = try DateCalls.call("WORKDAY_DIFF", .text(start), .text(end), .text(holidays))
        #expect(value == .number(count))
    }

    @Test("working days are those that walking day by day finds")
    func againstWalking() throws {
        var generator = SeededGenerator(seed: 3)
        for _ in 0..<400 {
            let start = Int32.random(in: -2_000...2_000, using: &generator)
            let holidays = (0..<Int.random(in: 0..<12, using: &generator)).map { _ in
                CalendarDate(daysSinceEpoch: start + Int32.random(in: -40...40, using: &generator))
            }
            let workdays = Workdays(holidays: holidays)
            func isWorked(_ day: Int32) -> Bool {
                let date = CalendarDate(daysSinceEpoch: day)
                return (1...5).contains(date.weekday) && !holidays.contains(date)
            }
            let count = Int.random(in: -30...30, using: &generator)
            var day = start
            if count == 0 { while !isWorked(day) { day += 1 } }
            for _ in 0..<count.magnitude {
                repeat { day += count < 0 ? -1 : 1 } while !isWorked(day)
            }
            let from = CalendarDate(daysSinceEpoch: start)
            #expect(
                workdays.day(count, from: from) == CalendarDate(daysSinceEpoch: day),
                "\(from), \(count), \(holidays)"
            )
            let end = start + Int32.random(in: 0...60, using: &generator)
            let worked = (start...end).count(where: isWorked)
            #expect(workdays.count(from: from, to: CalendarDate(daysSinceEpoch: end)) == worked)
        }
    }
}
