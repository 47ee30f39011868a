/// One piece of a date format (moment.js's tokens).
enum DateToken: Sendable, Hashable {
    /// Copied as it is.
    case literal(String)
    case year
    case fourDigitYear
    case twoDigitYear
    case quarter
    case quarterOrdinal
    case month
    case monthOrdinal
    case twoDigitMonth
    case shortMonthName
    case monthName
    case day
    case dayOrdinal
    case twoDigitDay
    case dayOfYear
    case dayOfYearOrdinal
    case threeDigitDayOfYear
    case weekday
    case weekdayOrdinal
    case tinyWeekdayName
    case shortWeekdayName
    case weekdayName
    /// From 0, counted from the first day of the locale's week.
    case localeWeekday
    /// 1 is Monday.
    case isoWeekday
    case week
    case weekOrdinal
    case twoDigitWeek
    case isoWeek
    case isoWeekOrdinal
    case twoDigitISOWeek
    case weekYear
    case twoDigitWeekYear
    case isoWeekYear
    case twoDigitISOWeekYear
    case lowerHalf
    case upperHalf
    case hour24
    case twoDigitHour24
    case hour12
    case twoDigitHour12
    /// From 1 to 24.
    case hourFrom1
    case twoDigitHourFrom1
    /// `hmm`, `hmmss`, `Hmm`, `Hmmss`: a clock without separators.
    case compactClock(is24: Bool, seconds: Bool)
    case minute
    case twoDigitMinute
    case second
    case twoDigitSecond
    /// So many digits of the second's fraction.
    case fraction(Int)
    case offset
    case compactOffset
    case zoneAbbreviation
    case milliseconds
    case seconds
    case localised(LocalisedForm)

    /// The forms that each locale writes in its own way.
    enum LocalisedForm: Int, Sendable, Hashable, CaseIterable {
        case time, timeWithSeconds
        case numericDate, longDate, longDateTime, weekdayDateTime
        case shortNumericDate, mediumDate, mediumDateTime, shortWeekdayDateTime
    }

    /// Whether it says something of the time of day, so that what is read is more than a day.
    var isTime: Bool {
        switch self {
        case .lowerHalf, .upperHalf, .hour24, .twoDigitHour24, .hour12, .twoDigitHour12, .hourFrom1,
            .twoDigitHourFrom1, .compactClock, .minute, .twoDigitMinute, .second, .twoDigitSecond, .fraction,
            .offset, .compactOffset, .zoneAbbreviation, .milliseconds, .seconds:
            true
        default: false
        }
    }
}
