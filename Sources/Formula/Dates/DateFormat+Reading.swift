import Domain

extension DateFormat {
    /// Reads a text in this format, forgivingly as moment.js: what the text has besides is skipped, and what it lacks
    /// is filled from `now` (a missing year) or left at its least (a missing month, day or time).
    ///
    /// Without an offset in the text the date is UTC. Nil when nothing of the format is found, a name is unknown, or the
    /// day or time doesn't exist.
    func date(in text: String, locale: String?, now: Instant) -> FormulaDate? {
        guard text.utf8.count <= Limits.formulaDateTextBytes else { return nil }
        let names = LocaleNames.named(locale)
        let format = expanded(names)
        var parts = DateParts()
        var scanner = DateScanner(text)
        for token in format.tokens {
            guard parts.read(token, from: &scanner, names) else { return nil }
        }
        return parts.date(now: now, names: names, isDay: !format.tokens.contains { $0.isTime })
    }
}

/// What has been read of a date so far.
private struct DateParts {
    private var isEmpty = true
    private var year: Int?
    private var month: Int?
    private var day: Int?
    private var dayOfYear: Int?
    private var weekday: Int?
    private var localeWeekday: Int?
    private var isoWeekday: Int?
    private var week: Int?
    private var weekYear: Int?
    private var isoWeek: Int?
    private var isoWeekYear: Int?
    private var hour: Int?
    private var minute: Int?
    private var second: Int?
    private var millisecond: Int?
    private var isAfternoon: Bool?
    private var offsetSeconds: Int?
    private var timestampMilliseconds: Int?

    /// - Returns: false when a name is none: then the text is no date. A part that isn't there is passed over.
    mutating func read(_ token: DateToken, from scanner: inout DateScanner, _ names: LocaleNames) -> Bool {
        switch token {
        case .literal(let text):
            scanner.skip(text)
            return true
        case .shortMonthName, .monthName:
            return read(scanner.name(of: names.monthNames), as: \.month, from: 1)
        case .tinyWeekdayName, .shortWeekdayName, .weekdayName:
            return read(scanner.name(of: names.weekdayNames), as: \.weekday)
        case .lowerHalf, .upperHalf: note(scanner.isAfternoon(names.halfNames), as: \.isAfternoon)
        case .offset, .compactOffset: note(scanner.offsetSeconds(), as: \.offsetSeconds)
        case .zoneAbbreviation, .localised: break
        case .year, .fourDigitYear, .twoDigitYear, .weekYear, .twoDigitWeekYear, .isoWeekYear, .twoDigitISOWeekYear:
            readYear(token, from: &scanner)
        case .milliseconds, .seconds: readTimestamp(token, from: &scanner)
        case .fraction(let digits): note(scanner.fraction(digits: max(3, digits)), as: \.millisecond)
        case .compactClock(_, let hasSeconds):
            note(scanner.number(digits: 2)?.value, as: \.hour)
            note(scanner.number(digits: 2)?.value, as: \.minute)
            if hasSeconds { note(scanner.number(digits: 2)?.value, as: \.second) }
        case .quarter, .quarterOrdinal:
            note(scanner.number(digits: 1).map { ($0.value - 1) * 3 + 1 }, as: \.month)
        case .dayOfYear, .dayOfYearOrdinal, .threeDigitDayOfYear:
            note(scanner.number(digits: 3)?.value, as: \.dayOfYear)
        default:
            if let part = Self.twoDigitPart(token) { note(scanner.number(digits: 2)?.value, as: part) }
        }
        return true
    }

    private static func twoDigitPart(_ token: DateToken) -> WritableKeyPath<Self, Int?>? {
        switch token {
        case .month, .monthOrdinal, .twoDigitMonth: \.month
        case .day, .dayOrdinal, .twoDigitDay: \.day
        case .weekday, .weekdayOrdinal: \.weekday
        case .localeWeekday: \.localeWeekday
        case .isoWeekday: \.isoWeekday
        case .week, .weekOrdinal, .twoDigitWeek: \.week
        case .isoWeek, .isoWeekOrdinal, .twoDigitISOWeek: \.isoWeek
        case .hour24, .twoDigitHour24, .hour12, .twoDigitHour12, .hourFrom1, .twoDigitHourFrom1: \.hour
        case .minute, .twoDigitMinute: \.minute
        case .second, .twoDigitSecond: \.second
        default: nil
        }
    }

    private mutating func read(_ name: Int??, as part: WritableKeyPath<Self, Int?>, from first: Int = 0) -> Bool {
        guard let name else { return true }
        guard let name else { return false }
        note(name + first, as: part)
        return true
    }

    private mutating func note<Value>(_ value: Value?, as part: WritableKeyPath<Self, Value?>) {
        guard let value else { return }
        self[keyPath: part] = value
        isEmpty = false
    }

    /// Two digits are a year of this century or the last, wherever they stand.
    private mutating func readYear(_ token: DateToken, from scanner: inout DateScanner) {
        let isShort = token == .twoDigitYear || token == .twoDigitWeekYear || token == .twoDigitISOWeekYear
        guard let (number, digits) = scanner.number(digits: isShort ? 2 : 4) else { return }
        let value = digits == 2 ? number + (number > DateDecisions.twoDigitPivot ? 1_900 : 2_000) : number
        switch token {
        case .weekYear, .twoDigitWeekYear: note(value, as: \.weekYear)
        case .isoWeekYear, .twoDigitISOWeekYear: note(value, as: \.isoWeekYear)
        default: note(value, as: \.year)
        }
    }

    private mutating func readTimestamp(_ token: DateToken, from scanner: inout DateScanner) {
        guard let (number, digits) = scanner.number(digits: 18, isSigned: true), digits < 16 else { return }
        note(token == .seconds ? number * 1_000 : number, as: \.timestampMilliseconds)
    }

    func date(now: Instant, names: LocaleNames, isDay: Bool) -> FormulaDate? {
        guard !isEmpty else { return nil }
        if let timestampMilliseconds {
            let (microseconds, overflows) = Int64(timestampMilliseconds).multipliedReportingOverflow(by: 1_000)
            return overflows
                ? nil : FormulaDate(Instant(microseconds: 0)).moved(to: Instant(microseconds: microseconds))
        }
        guard let calendarDay = calendarDay(now: now, names: names), let milliseconds = timeOfDay else { return nil }
        // A weekday that isn't that of the day is a mistake somewhere; which one, nobody can tell.
        let isWeekdayOnly = day == nil && month == nil && dayOfYear == nil
        if let weekday, !isWeekdayOnly, calendarDay.weekday != weekday { return nil }
        let offset = Int64(offsetSeconds ?? 0) * 1_000_000
        let instant = Instant(microseconds: Instant(calendarDay).microseconds + Int64(milliseconds) * 1_000 - offset)
        return FormulaDate(instant, isDay: isDay).moved(to: instant)
    }

    /// In milliseconds; nil when no clock shows it. 24:00 is the end of the day.
    private var timeOfDay: Int? {
        var hour = hour ?? 0
        if let isAfternoon, hour <= 12 { hour = hour % 12 + (isAfternoon ? 12 : 0) }
        let (minute, second, millisecond) = (minute ?? 0, second ?? 0, millisecond ?? 0)
        guard hour <= 24, minute < 60, second < 60, hour < 24 || minute + second + millisecond == 0 else { return nil }
        return ((hour * 60 + minute) * 60 + second) * 1_000 + millisecond
    }

    private func calendarDay(now: Instant, names: LocaleNames) -> CalendarDate? {
        let today = CalendarDate(now).components
        if month == nil, day == nil {
            if let weekBased = weekBasedDay(now: now, names: names) { return weekBased.day }
            if let dayOfYear {
                let year = year ?? today.year
                guard DateDecisions.years.contains(year), dayOfYear >= 1 else { return nil }
                let day = CalendarDate.firstDay(ofYear: year) + dayOfYear - 1
                guard day < CalendarDate.firstDay(ofYear: year + 1) else { return nil }
                return CalendarDate(daysSinceEpoch: Int32(day))
            }
            // Only a time: today.
            if year == nil { return CalendarDate(now) }
        }
        // What is larger than the first part read is today's, what is smaller the first there is.
        let monthDefault = year == nil && month == nil ? today.month : 1
        return CalendarDate(year: year ?? today.year, month: month ?? monthDefault, day: day ?? 1)
    }

    /// Nil when no part of a week was read; its day nil when there is no such week or day.
    private func weekBasedDay(now: Instant, names: LocaleNames) -> (day: CalendarDate?, Void)? {
        if isoWeekYear != nil || isoWeek != nil || isoWeekday != nil {
            let year = isoWeekYear ?? year ?? WeekRule.iso.week(of: CalendarDate(now)).year
            return (Self.day(.iso, year, isoWeek ?? 1, (isoWeekday ?? 1) - 1), ())
        }
        guard weekYear != nil || week != nil || weekday != nil || localeWeekday != nil else { return nil }
        let rule = names.weeks
        let current = rule.week(of: CalendarDate(now))
        let day = localeWeekday ?? weekday.map { $0 > 6 ? -1 : ($0 - rule.firstDay).remainder(by: 7) } ?? 0
        return (Self.day(rule, weekYear ?? year ?? current.year, week ?? current.week, day), ())
    }

    private static func day(_ rule: WeekRule, _ year: Int, _ week: Int, _ day: Int) -> CalendarDate? {
        guard DateDecisions.years.contains(year), (0...6).contains(day), week >= 1 else { return nil }
        let start = rule.firstWeekStart(ofYear: year) + (week - 1) * 7
        guard start < rule.firstWeekStart(ofYear: year + 1) else { return nil }
        return CalendarDate(daysSinceEpoch: Int32(start + day))
    }
}
