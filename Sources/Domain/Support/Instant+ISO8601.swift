// Dates and times as text: the forms of RFC 3339 that Airtable and JSON use, on the proleptic Gregorian
// calendar. The conversions between days and dates are H. Hinnant's ("chrono-compatible low-level date
// algorithms", days_from_civil and civil_from_days): years begin in March, so that the leap day is the last.

extension CalendarDate {
    /// The day, if it exists; year 1–9999.
    public init?(year: Int, month: Int, day: Int) {
        guard (1...9_999).contains(year), (1...12).contains(month), day >= 1 else { return nil }
        guard day <= Self.dayCount(year: year, month: month) else { return nil }
        let marchYear = month > 2 ? year : year - 1
        let era = marchYear / 400
        let yearOfEra = marchYear % 400
        let dayOfYear = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1
        let dayOfEra = yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear
        self.init(daysSinceEpoch: Int32(era * 146_097 + dayOfEra - 719_468))
    }

    /// Reads `YYYY-MM-DD`, year 0001–9999; nil for anything else and for days that don't exist.
    public init?(iso8601 text: String) {
        var reader = DigitReader(text)
        guard let date = reader.date(), reader.isAtEnd else { return nil }
        self = date
    }

    /// The day this instant belongs to in UTC.
    public init(_ instant: Instant) {
        self.init(daysSinceEpoch: Int32(clamping: instant.microseconds.flooringQuotient(Instant.microsecondsPerDay)))
    }

    /// Month and day count from 1; the year before 1 is 0.
    public var components: (year: Int, month: Int, day: Int) {
        let shifted = Int(daysSinceEpoch) + 719_468
        let era = shifted.flooringQuotient(146_097)
        let dayOfEra = shifted - era * 146_097
        let yearOfEra = (dayOfEra - dayOfEra / 1_460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let marchMonth = (5 * dayOfYear + 2) / 153
        let month = marchMonth < 10 ? marchMonth + 3 : marchMonth - 9
        let year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0)
        return (year, month, dayOfYear - (153 * marchMonth + 2) / 5 + 1)
    }

    /// `YYYY-MM-DD`; years outside 0–9999 with a sign and six digits or more.
    public var iso8601: String {
        let (year, month, day) = components
        return "\(year.yearText)-\(month.padded(2))-\(day.padded(2))"
    }

    private static func dayCount(year: Int, month: Int) -> Int {
        switch month {
        case 2: year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) ? 29 : 28
        case 4, 6, 9, 11: 30
        default: 31
        }
    }
}

extension Instant {
    static let microsecondsPerDay: Int64 = 86_400_000_000

    /// The first moment of that day in UTC.
    public init(_ date: CalendarDate) {
        self.init(microseconds: Int64(date.daysSinceEpoch) * Self.microsecondsPerDay)
    }

    /// Reads `YYYY-MM-DD` and `YYYY-MM-DDTHH:MM[:SS[.fraction]][Z|±HH:MM]`; without a zone it is UTC.
    ///
    /// One to nine digits of a fraction are taken, those below a microsecond dropped. Nil for anything else, for
    /// days and times that don't exist (24:00 and leap seconds among them) and for years outside 0001–9999 in UTC.
    public init?(iso8601 text: String) {
        var reader = DigitReader(text)
        guard let date = reader.date() else { return nil }
        self.init(date)
        guard !reader.isAtEnd else { return }
        guard reader.take("T"), let time = reader.timeMicroseconds() else { return nil }
        microseconds += time
        if !reader.isAtEnd, !reader.take("Z") {
            guard let offset = reader.offsetMicroseconds() else { return nil }
            microseconds -= offset
        }
        guard reader.isAtEnd, (1...9_999).contains(CalendarDate(self).components.year) else { return nil }
    }

    /// `2024-05-01T12:34:56.789Z`, always in UTC, rounded down to milliseconds.
    public var iso8601: String {
        let milliseconds = Int(microseconds.flooringQuotient(1_000))
        let day = milliseconds.flooringQuotient(86_400_000)
        let time = milliseconds - day * 86_400_000
        let clock = "\((time / 3_600_000).padded(2)):\((time / 60_000 % 60).padded(2)):\((time / 1_000 % 60).padded(2))"
        return "\(CalendarDate(daysSinceEpoch: Int32(day)).iso8601)T\(clock).\((time % 1_000).padded(3))Z"
    }
}

extension CalendarDate: CustomStringConvertible {
    public var description: String { iso8601 }
}

extension Instant: CustomStringConvertible {
    public var description: String { iso8601 }
}

/// Reads fixed numbers of ASCII digits and single marks.
private struct DigitReader {
    private var rest: Substring.UTF8View

    init(_ text: String) { rest = text[...].utf8 }

    var isAtEnd: Bool { rest.isEmpty }

    mutating func take(_ mark: Unicode.Scalar) -> Bool {
        guard let byte = rest.first, UInt32(byte) == mark.value else { return false }
        rest = rest.dropFirst()
        return true
    }

    /// A number of exactly so many digits.
    mutating func number(_ digits: Int) -> Int? {
        var value = 0
        for _ in 0..<digits {
            guard let digit = digit() else { return nil }
            value = value * 10 + digit
        }
        return value
    }

    private mutating func digit() -> Int? {
        guard let byte = rest.first, (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) else { return nil }
        rest = rest.dropFirst()
        return Int(byte - UInt8(ascii: "0"))
    }

    mutating func date() -> CalendarDate? {
        guard let year = number(4), take("-"), let month = number(2), take("-"), let day = number(2) else {
            return nil
        }
        return CalendarDate(year: year, month: month, day: day)
    }

    /// `HH:MM[:SS[.fraction]]`.
    mutating func timeMicroseconds() -> Int64? {
        guard let hour = number(2), hour < 24, take(":"), let minute = number(2), minute < 60 else { return nil }
        var microseconds = Int64(hour * 60 + minute) * 60_000_000
        guard take(":") else { return microseconds }
        guard let second = number(2), second < 60 else { return nil }
        microseconds += Int64(second) * 1_000_000
        guard take(".") else { return microseconds }
        guard let fraction = fractionMicroseconds() else { return nil }
        return microseconds + fraction
    }

    private mutating func fractionMicroseconds() -> Int64? {
        var value: Int64 = 0
        var digits = 0
        while let digit = digit() {
            digits += 1
            if digits <= 6 { value = value * 10 + Int64(digit) }
        }
        guard (1...9).contains(digits) else { return nil }
        for _ in 0..<max(0, 6 - digits) { value *= 10 }
        return value
    }

    /// `±HH:MM`.
    mutating func offsetMicroseconds() -> Int64? {
        let isNegative = take("-")
        guard isNegative || take("+") else { return nil }
        guard let hours = number(2), hours < 24, take(":"), let minutes = number(2), minutes < 60 else { return nil }
        let offset = Int64(hours * 60 + minutes) * 60_000_000
        return isNegative ? -offset : offset
    }
}

extension FixedWidthInteger {
    /// Rounded towards −∞, for a positive divisor.
    fileprivate func flooringQuotient(_ divisor: Self) -> Self {
        let (quotient, remainder) = quotientAndRemainder(dividingBy: divisor)
        return remainder < 0 ? quotient - 1 : quotient
    }
}

extension Int {
    fileprivate func padded(_ width: Int) -> String {
        let digits = String(self)
        return String(repeating: "0", count: Swift.max(0, width - digits.utf8.count)) + digits
    }

    fileprivate var yearText: String {
        if (0...9_999).contains(self) { return padded(4) }
        return (self < 0 ? "-" : "+") + Int(magnitude).padded(6)
    }
}
