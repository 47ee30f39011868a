import Domain

/// A moment taken apart into what a calendar and a clock show somewhere.
struct CivilTime {
    let date: CalendarDate
    let year: Int
    /// From 1.
    let month: Int
    /// From 1.
    let day: Int
    /// Since midnight.
    let millisecondOfDay: Int
    /// East of UTC.
    let offsetSeconds: Int

    /// - Precondition: the instant is within the years that `FormulaDate.isInRange` allows, which leaves room for any
    ///   offset.
    init(_ instant: Instant, offsetSeconds: Int = 0) {
        let milliseconds = Int(instant.milliseconds) + offsetSeconds * 1_000
        let days = milliseconds.floored(by: Self.millisecondsPerDay)
        date = CalendarDate(daysSinceEpoch: Int32(clamping: days))
        (year, month, day) = date.components
        millisecondOfDay = milliseconds - days * Self.millisecondsPerDay
        self.offsetSeconds = offsetSeconds
    }

    static let millisecondsPerDay = 86_400_000

    var hour: Int { millisecondOfDay / 3_600_000 }
    var minute: Int { millisecondOfDay / 60_000 % 60 }
    var second: Int { millisecondOfDay / 1_000 % 60 }
    var millisecond: Int { millisecondOfDay % 1_000 }
    /// 0 is Sunday.
    var weekday: Int { date.weekday }
    /// From 1.
    var dayOfYear: Int { Int(date.daysSinceEpoch) - CalendarDate.firstDay(ofYear: year) + 1 }
    /// From 1.
    var quarter: Int { (month - 1) / 3 + 1 }
}

extension CalendarDate {
    /// 0 is Sunday. The epoch was a Thursday.
    var weekday: Int { (Int(daysSinceEpoch) + 4).remainder(by: 7) }

    /// 1 January of any year, in days since the epoch.
    static func firstDay(ofYear year: Int) -> Int {
        let before = year - 1
        return 365 * before + before.floored(by: 4) - before.floored(by: 100) + before.floored(by: 400) - 719_162
    }

    static func dayCount(year: Int, month: Int) -> Int {
        switch month {
        case 2: year.remainder(by: 4) == 0 && (year.remainder(by: 100) != 0 || year.remainder(by: 400) == 0) ? 29 : 28
        case 4, 6, 9, 11: 30
        default: 31
        }
    }

    /// So many months later (or earlier) on the same day of the month, or the last day of a shorter one; nil outside
    /// the years that dates may have.
    func adding(months: Int) -> CalendarDate? {
        let (year, month, day) = components
        let (total, overflows) = (year * 12 + month - 1).addingReportingOverflow(months)
        guard !overflows else { return nil }
        let newYear = total.floored(by: 12)
        let newMonth = total.remainder(by: 12) + 1
        guard DateDecisions.years.contains(newYear) else { return nil }
        let newDay = min(day, Self.dayCount(year: newYear, month: newMonth))
        return CalendarDate(year: newYear, month: newMonth, day: newDay)
    }
}

extension FormulaDate {
    /// Whether the date is one that formulas work with; others come from no cell and no function.
    var isInRange: Bool { Self.microseconds.contains(instant.microseconds) }

    /// From the first moment of year 1 to the last of year 9999, UTC.
    private static let microseconds: Range<Int64> = {
        let day: Int64 = 86_400_000_000
        let first = Int64(CalendarDate.firstDay(ofYear: DateDecisions.years.lowerBound)) * day
        let end = Int64(CalendarDate.firstDay(ofYear: DateDecisions.years.upperBound + 1)) * day
        return first..<end
    }()

    /// This date at another instant, or nil when no date may stand there.
    func moved(to instant: Instant) -> FormulaDate? {
        var date = self
        date.instant = instant
        return date.isInRange ? date : nil
    }
}

extension Int {
    /// Divided and rounded towards −∞, by a positive divisor.
    func floored(by divisor: Int) -> Int {
        let (quotient, remainder) = quotientAndRemainder(dividingBy: divisor)
        return remainder < 0 ? quotient - 1 : quotient
    }

    /// What is left of `floored(by:)`: 0 or more, below the divisor.
    func remainder(by divisor: Int) -> Int {
        let remainder = self % divisor
        return remainder < 0 ? remainder + divisor : remainder
    }
}
