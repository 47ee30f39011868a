import Domain

/// Dates and times as cells show them: `YYYY-MM-DD`, and ISO 8601 in UTC with milliseconds and `Z`.
///
/// The calendar is Domain's. What is here beside its ISO 8601 is what cells need: bytes in place of
/// strings, because each date in a page of records passes through, and telling a day from a moment.
/// A zone-less time is UTC.
enum CalendarText {
    static let millisecondsPerDay: Int64 = 86_400_000

    // MARK: Writing

    static func text(of date: CalendarDate) -> String {
        String(unsafeUninitializedCapacity: 10) { buffer in
            write(date, to: buffer)
            return 10
        }
    }

    static func text(ofMilliseconds milliseconds: Int64) -> String {
        String(unsafeUninitializedCapacity: 24) { buffer in
            let (days, rest) = split(milliseconds)
            write(CalendarDate(daysSinceEpoch: Int32(clamping: days)), to: buffer)
            buffer[10] = UInt8(ascii: "T")
            write(rest / 3_600_000, digits: 2, at: 11, to: buffer)
            buffer[13] = UInt8(ascii: ":")
            write(rest / 60_000 % 60, digits: 2, at: 14, to: buffer)
            buffer[16] = UInt8(ascii: ":")
            write(rest / 1_000 % 60, digits: 2, at: 17, to: buffer)
            buffer[19] = UInt8(ascii: ".")
            write(rest % 1_000, digits: 3, at: 20, to: buffer)
            buffer[23] = UInt8(ascii: "Z")
            return 24
        }
    }

    /// Rounded down to milliseconds.
    static func text(of instant: Instant) -> String { text(ofMilliseconds: milliseconds(of: instant)) }

    static func milliseconds(of instant: Instant) -> Int64 {
        instant.microseconds >= 0 ? instant.microseconds / 1_000 : (instant.microseconds - 999) / 1_000
    }

    /// The day in UTC that holds `milliseconds`.
    static func day(ofMilliseconds milliseconds: Int64) -> CalendarDate {
        CalendarDate(daysSinceEpoch: Int32(clamping: split(milliseconds).days))
    }

    // MARK: Reading

    /// Reads exactly `YYYY-MM-DD`.
    static func date(_ bytes: UnsafeBufferPointer<UInt8>) -> CalendarDate? {
        var scanner = DigitScanner(bytes)
        guard let date = scanner.date(), scanner.isAtEnd else { return nil }
        return date
    }

    /// What an ISO text says: a day, or a moment in milliseconds since the epoch.
    enum Moment: Equatable {
        case day(CalendarDate)
        case time(milliseconds: Int64)
    }

    /// Reads `YYYY-MM-DD`, or that with `T` or a space, `HH:MM[:SS[.fraction]]` and an optional `Z`
    /// or `±HH[:]MM`.
    ///
    /// A time without zone is UTC; a fraction is cut to milliseconds. Nil for anything else.
    static func moment(_ text: String) -> Moment? {
        var text = text
        return text.withUTF8 { bytes in
            var scanner = DigitScanner(bytes)
            guard let date = scanner.date() else { return nil }
            if scanner.isAtEnd { return .day(date) }
            guard scanner.skip(UInt8(ascii: "T")) || scanner.skip(UInt8(ascii: "t")) || scanner.skip(UInt8(ascii: " "))
            else { return nil }
            guard let time = scanner.time(), let offset = scanner.zoneOffset(), scanner.isAtEnd else { return nil }
            return .time(milliseconds: Int64(date.daysSinceEpoch) * millisecondsPerDay + time - offset)
        }
    }

    // MARK: Private

    private static func split(_ milliseconds: Int64) -> (days: Int64, rest: Int64) {
        let days = milliseconds >= 0 ? milliseconds / millisecondsPerDay : (milliseconds + 1) / millisecondsPerDay - 1
        return (days, milliseconds - days * millisecondsPerDay)
    }

    private static func write(_ date: CalendarDate, to buffer: UnsafeMutableBufferPointer<UInt8>) {
        let (year, month, day) = date.components
        write(Int64(min(max(year, 0), 9_999)), digits: 4, at: 0, to: buffer)
        buffer[4] = UInt8(ascii: "-")
        write(Int64(month), digits: 2, at: 5, to: buffer)
        buffer[7] = UInt8(ascii: "-")
        write(Int64(day), digits: 2, at: 8, to: buffer)
    }

    private static func write(
        _ value: Int64,
        digits: Int,
        at position: Int,
        to buffer: UnsafeMutableBufferPointer<UInt8>
    ) {
        var rest = value
        for offset in stride(from: digits - 1, through: 0, by: -1) {
            buffer[position + offset] = UInt8(ascii: "0") + UInt8(rest % 10)
            rest /= 10
        }
    }
}

/// Reads fixed-width numbers from ASCII.
private struct DigitScanner {
    private let bytes: UnsafeBufferPointer<UInt8>
    private var position = 0

    init(_ bytes: UnsafeBufferPointer<UInt8>) { self.bytes = bytes }

    var isAtEnd: Bool { position == bytes.count }

    mutating func skip(_ byte: UInt8) -> Bool {
        guard position < bytes.count, bytes[position] == byte else { return false }
        position += 1
        return true
    }

    mutating func number(digits: Int) -> Int? {
        guard position + digits <= bytes.count else { return nil }
        var value = 0
        for offset in 0..<digits {
            let digit = bytes[position + offset] &- UInt8(ascii: "0")
            guard digit <= 9 else { return nil }
            value = value * 10 + Int(digit)
        }
        position += digits
        return value
    }

    mutating func date() -> CalendarDate? {
        guard let year = number(digits: 4), skip(UInt8(ascii: "-")), let month = number(digits: 2),
            skip(UInt8(ascii: "-")), let day = number(digits: 2)
        else { return nil }
        return CalendarDate(year: year, month: month, day: day)
    }

    /// Milliseconds since midnight.
    mutating func time() -> Int64? {
        guard let hour = number(digits: 2), skip(UInt8(ascii: ":")), let minute = number(digits: 2), hour < 24,
            minute < 60
        else { return nil }
        var milliseconds = Int64(hour * 3_600 + minute * 60) * 1_000
        guard skip(UInt8(ascii: ":")) else { return milliseconds }
        guard let second = number(digits: 2), second < 60 else { return nil }
        milliseconds += Int64(second) * 1_000
        guard skip(UInt8(ascii: ".")) || skip(UInt8(ascii: ",")) else { return milliseconds }
        var unit: Int64 = 100
        guard let first = number(digits: 1) else { return nil }
        milliseconds += Int64(first) * unit
        while let digit = number(digits: 1) {
            unit /= 10
            milliseconds += Int64(digit) * unit
        }
        return milliseconds
    }

    /// Milliseconds east of UTC; 0 when nothing follows.
    mutating func zoneOffset() -> Int64? {
        if isAtEnd || skip(UInt8(ascii: "Z")) || skip(UInt8(ascii: "z")) { return 0 }
        let sign: Int64
        if skip(UInt8(ascii: "+")) { sign = 1 } else if skip(UInt8(ascii: "-")) { sign = -1 } else { return nil }
        guard let hours = number(digits: 2), hours < 24 else { return nil }
        _ = skip(UInt8(ascii: ":"))
        let minutes = isAtEnd ? 0 : number(digits: 2)
        guard let minutes, minutes < 60 else { return nil }
        return sign * Int64(hours * 60 + minutes) * 60_000
    }
}
