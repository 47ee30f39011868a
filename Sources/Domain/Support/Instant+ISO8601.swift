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
        var text = text
        guard let date = text.withUTF8({ Self(iso8601: $0) }) else { return nil }
        self = date
    }

    /// As of the text that is these bytes.
    package init?(iso8601 bytes: UnsafeBufferPointer<UInt8>) {
        var reader = ISO8601Reader(bytes, .strict)
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
        guard (0...9_999).contains(year) else {
            return (year < 0 ? "-" : "+") + Int(year.magnitude).padded(6) + "-\(month.padded(2))-\(day.padded(2))"
        }
        return String(unsafeUninitializedCapacity: 10) { buffer in
            write(year, digits: 4, at: 0, to: buffer)
            buffer[4] = UInt8(ascii: "-")
            write(month, digits: 2, at: 5, to: buffer)
            buffer[7] = UInt8(ascii: "-")
            write(day, digits: 2, at: 8, to: buffer)
            return 10
        }
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
        switch CalendarMoment(text, .strict) {
        case .day(let date): self.init(date)
        case .time(let instant): self = instant
        case nil: return nil
        }
    }

    /// Since 1970, rounded down.
    public var milliseconds: Int64 { microseconds.flooringQuotient(1_000) }

    /// `2024-05-01T12:34:56.789Z`, always in UTC, rounded down to milliseconds.
    public var iso8601: String {
        let date = CalendarDate(self)
        let time = Int(milliseconds - Int64(date.daysSinceEpoch) * 86_400_000)
        let clock = String(unsafeUninitializedCapacity: 14) { buffer in
            buffer[0] = UInt8(ascii: "T")
            write(time / 3_600_000, digits: 2, at: 1, to: buffer)
            buffer[3] = UInt8(ascii: ":")
            write(time / 60_000 % 60, digits: 2, at: 4, to: buffer)
            buffer[6] = UInt8(ascii: ":")
            write(time / 1_000 % 60, digits: 2, at: 7, to: buffer)
            buffer[9] = UInt8(ascii: ".")
            write(time % 1_000, digits: 3, at: 10, to: buffer)
            buffer[13] = UInt8(ascii: "Z")
            return 14
        }
        return date.iso8601 + clock
    }
}

/// What an ISO text says: a day, or a moment.
package enum CalendarMoment: Hashable, Sendable {
    case day(CalendarDate)
    case time(Instant)

    /// Reads what files and people have: `YYYY-MM-DD`, or that with `T` or a space, `HH:MM[:SS[.fraction]]`
    /// and an optional `Z`, `±HH`, `±HHMM` or `±HH:MM`; letters in either case, a comma for the point.
    ///
    /// Nil for anything else, as in `Instant(iso8601:)`.
    package init?(loose text: String) { self.init(text, .loose) }

    fileprivate init?(_ text: String, _ strictness: ISO8601Reader.Strictness) {
        var text = text
        let moment: Self? = text.withUTF8 { bytes in
            var reader = ISO8601Reader(bytes, strictness)
            guard let date = reader.date() else { return nil }
            if reader.isAtEnd { return .day(date) }
            guard let rest = reader.rest() else { return nil }
            let instant = Instant(microseconds: Instant(date).microseconds + rest)
            guard (1...9_999).contains(CalendarDate(instant).components.year) else { return nil }
            return .time(instant)
        }
        guard let moment else { return nil }
        self = moment
    }
}

extension CalendarDate: CustomStringConvertible {
    public var description: String { iso8601 }
}

extension Instant: CustomStringConvertible {
    public var description: String { iso8601 }
}

/// Decimal digits, with zeros in front.
private func write(_ value: Int, digits: Int, at position: Int, to buffer: UnsafeMutableBufferPointer<UInt8>) {
    var rest = value
    for offset in stride(from: digits - 1, through: 0, by: -1) {
        buffer[position + offset] = UInt8(ascii: "0") + UInt8(rest % 10)
        rest /= 10
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
}
