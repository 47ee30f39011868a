import Domain

/// How the weeks of a year are counted.
struct WeekRule: Sendable, Hashable {
    /// 0 is Sunday.
    let firstDay: Int
    /// Days of the new year that a week needs to be its first: 1 for the week with 1 January, 4 for ISO 8601's.
    let minimumDays: Int

    /// ISO 8601's: from Monday, and the first week has the year's first Thursday.
    static let iso = WeekRule(firstDay: 1, minimumDays: 4)

    /// The week of a day, from 1, and the year it is counted in.
    func week(of day: CalendarDate) -> (year: Int, week: Int) {
        let days = Int(day.daysSinceEpoch)
        var year = day.components.year
        if days >= firstWeekStart(ofYear: year + 1) {
            year += 1
        } else if days < firstWeekStart(ofYear: year) {
            year -= 1
        }
        return (year, (days - firstWeekStart(ofYear: year)) / 7 + 1)
    }

    /// The first day of week 1, in days since the epoch.
    func firstWeekStart(ofYear year: Int) -> Int {
        let newYear = CalendarDate.firstDay(ofYear: year)
        let passed = ((newYear + 4).remainder(by: 7) - firstDay).remainder(by: 7)
        return newYear - passed + (7 - passed < minimumDays ? 7 : 0)
    }

    /// 0 for Sunday, by English name in any case.
    static func weekday(named name: String) -> Int? {
        weekdays.firstIndex(of: name.lowercased())
    }

    private static let weekdays = ["sunday", "monday", "tuesday", "wednesday", "thursday", "friday", "saturday"]
}
