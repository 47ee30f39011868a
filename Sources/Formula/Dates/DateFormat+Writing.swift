import Domain

extension DateFormat {
    /// The date in this format, in its own time zone and language; nil when its time zone doesn't exist.
    func text(of date: FormulaDate) -> String? {
        guard let offset = Zones.offsetSeconds(date.timeZone, at: date.instant) else { return nil }
        let names = LocaleNames.named(date.locale)
        var writer = DateWriter(date: date, time: CivilTime(date.instant, offsetSeconds: offset), names: names)
        writer.write(self)
        return String(decoding: writer.bytes, as: UTF8.self)
    }

    /// ISO 8601 with milliseconds: in UTC with a `Z`, elsewhere with the offset.
    static func isoText(of date: FormulaDate) -> String? {
        guard let offset = Zones.offsetSeconds(date.timeZone, at: date.instant) else { return nil }
        return offset == 0 ? date.instant.iso8601 : iso.text(of: date)
    }

    private static let iso = DateFormat("YYYY-MM-DD[T]HH:mm:ss.SSSZ")
}

private struct DateWriter {
    let date: FormulaDate
    let time: CivilTime
    let names: LocaleNames
    var bytes: [UInt8] = []

    init(date: FormulaDate, time: CivilTime, names: LocaleNames) {
        self.date = date
        self.time = time
        self.names = names
        bytes.reserveCapacity(48)
    }

    mutating func write(_ format: DateFormat) {
        for token in format.tokens { write(token, declines: format.hasDay) }
    }

    private mutating func write(_ token: DateToken, declines: Bool) {
        switch token {
        case .literal(let text): bytes.append(contentsOf: text.utf8)
        case .year: number(time.year)
        case .fourDigitYear: number(time.year, digits: 4)
        case .twoDigitYear: number(time.year.remainder(by: 100), digits: 2)
        case .quarter: number(time.quarter)
        case .quarterOrdinal: ordinal(time.quarter)
        case .month: number(time.month)
        case .monthOrdinal: ordinal(time.month)
        case .twoDigitMonth: number(time.month, digits: 2)
        case .shortMonthName: text((declines ? names.shortMonths : names.standaloneShortMonths)[time.month - 1])
        case .monthName: text((declines ? names.months : names.standaloneMonths)[time.month - 1])
        case .day: number(time.day)
        case .dayOrdinal: ordinal(time.day)
        case .twoDigitDay: number(time.day, digits: 2)
        case .dayOfYear: number(time.dayOfYear)
        case .dayOfYearOrdinal: ordinal(time.dayOfYear)
        case .threeDigitDayOfYear: number(time.dayOfYear, digits: 3)
        case .localised(let form): write(names.format(form))
        default:
            if !writeWeek(token) { writeTime(token) }
        }
    }

    private mutating func writeWeek(_ token: DateToken) -> Bool {
        switch token {
        case .weekday: number(time.weekday)
        case .weekdayOrdinal: ordinal(time.weekday)
        case .tinyWeekdayName: text(names.tinyWeekdays[time.weekday])
        case .shortWeekdayName: text(names.shortWeekdays[time.weekday])
        case .weekdayName: text(names.weekdays[time.weekday])
        case .localeWeekday: number((time.weekday - names.weeks.firstDay).remainder(by: 7))
        case .isoWeekday: number(time.weekday == 0 ? 7 : time.weekday)
        case .week: number(names.weeks.week(of: time.date).week)
        case .weekOrdinal: ordinal(names.weeks.week(of: time.date).week)
        case .twoDigitWeek: number(names.weeks.week(of: time.date).week, digits: 2)
        case .isoWeek: number(WeekRule.iso.week(of: time.date).week)
        case .isoWeekOrdinal: ordinal(WeekRule.iso.week(of: time.date).week)
        case .twoDigitISOWeek: number(WeekRule.iso.week(of: time.date).week, digits: 2)
        case .weekYear: number(names.weeks.week(of: time.date).year, digits: 4)
        case .twoDigitWeekYear: number(names.weeks.week(of: time.date).year.remainder(by: 100), digits: 2)
        case .isoWeekYear: number(WeekRule.iso.week(of: time.date).year, digits: 4)
        case .twoDigitISOWeekYear: number(WeekRule.iso.week(of: time.date).year.remainder(by: 100), digits: 2)
        default: return false
        }
        return true
    }

    private mutating func writeTime(_ token: DateToken) {
        switch token {
        case .lowerHalf: text(names.halves[time.hour / 12].lowercased())
        case .upperHalf: text(names.halves[time.hour / 12])
        case .hour24: number(time.hour)
        case .twoDigitHour24: number(time.hour, digits: 2)
        case .hour12: number(hour12)
        case .twoDigitHour12: number(hour12, digits: 2)
        case .hourFrom1: number(time.hour == 0 ? 24 : time.hour)
        case .twoDigitHourFrom1: number(time.hour == 0 ? 24 : time.hour, digits: 2)
        case .compactClock(let is24, let hasSeconds):
            number(is24 ? time.hour : hour12)
            number(time.minute, digits: 2)
            if hasSeconds { number(time.second, digits: 2) }
        case .minute: number(time.minute)
        case .twoDigitMinute: number(time.minute, digits: 2)
        case .second: number(time.second)
        case .twoDigitSecond: number(time.second, digits: 2)
        case .fraction(let digits): fraction(digits)
        case .offset: offset(separator: ":")
        case .compactOffset: offset(separator: "")
        case .zoneAbbreviation: text(Zones.abbreviation(date.timeZone, at: date.instant))
        case .milliseconds: number(Int(date.instant.milliseconds))
        case .seconds: number(Int(date.instant.milliseconds).floored(by: 1_000))
        default: break  // the others are written above
        }
    }

    private var hour12: Int { time.hour % 12 == 0 ? 12 : time.hour % 12 }

    private mutating func text(_ text: String) { bytes.append(contentsOf: text.utf8) }

    private mutating func ordinal(_ number: Int) { text(DateDecisions.ordinal(number, language: names.language)) }

    /// In decimal, with zeros in front up to so many digits.
    private mutating func number(_ value: Int, digits: Int = 1) {
        if value < 0 { bytes.append(UInt8(ascii: "-")) }
        var power: UInt = 1
        var length = 1
        while value.magnitude / power >= 10 {
            power *= 10
            length += 1
        }
        for _ in stride(from: length, to: digits, by: 1) { bytes.append(UInt8(ascii: "0")) }
        var rest = value.magnitude
        while power > 0 {
            bytes.append(UInt8(ascii: "0") + UInt8(rest / power))
            rest %= power
            power /= 10
        }
    }

    /// The first digits of the fraction; what is below a millisecond is zeros.
    private mutating func fraction(_ digits: Int) {
        let milliseconds = time.millisecond
        switch digits {
        case 1: number(milliseconds / 100)
        case 2: number(milliseconds / 10, digits: 2)
        default:
            number(milliseconds, digits: 3)
            bytes.append(contentsOf: repeatElement(UInt8(ascii: "0"), count: digits - 3))
        }
    }

    private mutating func offset(separator: String) {
        let minutes = time.offsetSeconds / 60
        bytes.append(minutes < 0 ? UInt8(ascii: "-") : UInt8(ascii: "+"))
        number(abs(minutes) / 60, digits: 2)
        text(separator)
        number(abs(minutes) % 60, digits: 2)
    }
}
