import Domain

/// A unit of DATEADD, DATETIME_DIFF, IS_SAME and their like.
enum DateUnit: Sendable {
    case millisecond, second, minute, hour, day, week, month, quarter, year

    /// By name, singular or plural, or by letter; only `m` and `M` tell minutes and months apart by case.
    init?(_ name: String) {
        guard let unit = Self.byName[name] ?? Self.byName[name.lowercased()] else { return nil }
        self = unit
    }

    private static let byName: [String: DateUnit] = [
        "milliseconds": .millisecond, "millisecond": .millisecond, "ms": .millisecond,
        "seconds": .second, "second": .second, "s": .second,
        "minutes": .minute, "minute": .minute, "m": .minute,
        "hours": .hour, "hour": .hour, "h": .hour,
        "days": .day, "day": .day, "d": .day,
        "weeks": .week, "week": .week, "w": .week,
        "months": .month, "month": .month, "M": .month,
        "quarters": .quarter, "quarter": .quarter, "Q": .quarter, "q": .quarter,
        "years": .year, "year": .year, "y": .year,
    ]

    /// Units of one length; nil for those that hang on the calendar.
    private var milliseconds: Int? {
        switch self {
        case .millisecond: 1
        case .second: 1_000
        case .minute: 60_000
        case .hour: 3_600_000
        case .day: 86_400_000
        case .week: 604_800_000
        case .month, .quarter, .year: nil
        }
    }

    private var months: Int {
        switch self {
        case .quarter: 3
        case .year: 12
        default: 1
        }
    }

    /// Whether adding it to a day gives a day.
    var isWholeDays: Bool {
        switch self {
        case .millisecond, .second, .minute, .hour: false
        case .day, .week, .month, .quarter, .year: true
        }
    }

    /// `date` moved by so many units, in UTC; nil when that is no year of ours. Fractions of a unit are dropped.
    func adding(_ count: Double, to date: FormulaDate) -> FormulaDate? {
        // Ten thousand years are 3.2e14 milliseconds: what is larger leads outside in any unit.
        guard count.magnitude < 1e15 else { return nil }
        let count = Int(count)
        var date = date
        if !isWholeDays { date.isDay = false }
        let microseconds = date.instant.microseconds
        guard let milliseconds else {
            let day = CalendarDate(date.instant)
            guard let moved = day.adding(months: count * months) else { return nil }
            let days = Int64(moved.daysSinceEpoch) - Int64(day.daysSinceEpoch)
            return date.moved(to: Instant(microseconds: microseconds + days * 86_400_000_000))
        }
        let (step, overflows) = Int64(count).multipliedReportingOverflow(by: Int64(milliseconds) * 1_000)
        let (sum, overflowsToo) = microseconds.addingReportingOverflow(step)
        return overflows || overflowsToo ? nil : date.moved(to: Instant(microseconds: sum))
    }

    /// Whole units from `earlier` to `later`, rounded towards zero; negative when they stand the other way round.
    ///
    /// Months are counted as moment.js does: a month is over when the same day of the month (or the last of a shorter
    /// one) and the same time of day are reached.
    func count(from earlier: Instant, to later: Instant) -> Int {
        if let milliseconds {
            return (Int(later.milliseconds) - Int(earlier.milliseconds)) / milliseconds
        }
        return Self.wholeMonths(from: earlier, to: later) / months
    }

    static func wholeMonths(from earlier: Instant, to later: Instant) -> Int {
        let (start, end) = (CivilTime(earlier), CivilTime(later))
        // Counted from the later day of the month, so that 31 January to 28 February and back are alike.
        if end.day < start.day { return monthsCounted(start, end) }
        return -monthsCounted(end, start)
    }

    /// From the side whose day of the month is not the smaller.
    private static func monthsCounted(_ start: CivilTime, _ end: CivilTime) -> Int {
        let months = (end.year - start.year) * 12 + end.month - start.month
        // The same month exists in `end`, so it is one of our years.
        let anchor = (start.date.adding(months: months) ?? start.date).daysSinceEpoch
        let past =
            (Int(end.date.daysSinceEpoch) - Int(anchor)) * CivilTime.millisecondsPerDay
            + end.millisecondOfDay - start.millisecondOfDay
        if months > 0, past < 0 { return months - 1 }
        if months < 0, past > 0 { return months + 1 }
        return months
    }

    /// The first moment of the unit that `instant` is in, in UTC.
    func start(of instant: Instant) -> Instant {
        switch self {
        case .millisecond, .second, .minute, .hour, .day:
            let length = milliseconds ?? 1
            return Instant(milliseconds: Int64(Int(instant.milliseconds).floored(by: length) * length))
        case .week:
            let day = CalendarDate(instant)
            let back = (day.weekday - DateDecisions.weekUnitFirstDay).remainder(by: 7)
            return Instant(CalendarDate(daysSinceEpoch: day.daysSinceEpoch - Int32(back)))
        case .month, .quarter, .year:
            let (year, month, _) = CalendarDate(instant).components
            let first = (month - 1) / months * months + 1
            let day = CalendarDate(year: year, month: self == .year ? 1 : first, day: 1)
            return day.map { Instant($0) } ?? instant
        }
    }
}
