/// Reads dates and times from ASCII, piece by piece: bytes in place of strings, because each date in a
/// page of records passes through.
struct ISO8601Reader {
    /// Which spellings are taken.
    enum Strictness {
        /// RFC 3339's, with seconds and zone optional: what programs write.
        case strict
        /// Also a space or `t` for `T`, `z` for `Z`, `+0100` and `+01` for `+01:00`, a comma before the
        /// fraction and any number of its digits: what files and people have.
        case loose
    }

    private let bytes: UnsafeBufferPointer<UInt8>
    private let isLoose: Bool
    private var position = 0

    init(_ bytes: UnsafeBufferPointer<UInt8>, _ strictness: Strictness) {
        self.bytes = bytes
        isLoose = strictness == .loose
    }

    var isAtEnd: Bool { position == bytes.count }

    /// `YYYY-MM-DD`, year 0001–9999.
    mutating func date() -> CalendarDate? {
        guard let year = number(4), take("-"), let month = number(2), take("-"), let day = number(2) else {
            return nil
        }
        return CalendarDate(year: year, month: month, day: day)
    }

    /// What follows the date, up to the end: a separator, `HH:MM[:SS[.fraction]]`, and perhaps a zone.
    ///
    /// - Returns: microseconds from the start of the day in UTC; a time without zone is UTC.
    mutating func rest() -> Int64? {
        guard take("T") || isLoose && (take("t") || take(" ")), let time = timeMicroseconds() else { return nil }
        if isAtEnd || take("Z") || isLoose && take("z") { return isAtEnd ? time : nil }
        guard let offset = offsetMicroseconds(), isAtEnd else { return nil }
        return time - offset
    }

    private mutating func take(_ mark: Unicode.Scalar) -> Bool {
        guard position < bytes.count, UInt32(bytes[position]) == mark.value else { return false }
        position += 1
        return true
    }

    private mutating func digit() -> Int? {
        guard position < bytes.count, case let digit = bytes[position] &- UInt8(ascii: "0"), digit <= 9 else {
            return nil
        }
        position += 1
        return Int(digit)
    }

    /// A number of exactly so many digits.
    private mutating func number(_ digits: Int) -> Int? {
        var value = 0
        for _ in 0..<digits {
            guard let digit = digit() else { return nil }
            value = value * 10 + digit
        }
        return value
    }

    private mutating func timeMicroseconds() -> Int64? {
        guard let hour = number(2), hour < 24, take(":"), let minute = number(2), minute < 60 else { return nil }
        var microseconds = Int64(hour * 60 + minute) * 60_000_000
        guard take(":") else { return microseconds }
        guard let second = number(2), second < 60 else { return nil }
        microseconds += Int64(second) * 1_000_000
        guard take(".") || isLoose && take(",") else { return microseconds }
        guard let fraction = fractionMicroseconds() else { return nil }
        return microseconds + fraction
    }

    /// One to nine digits; those below a microsecond are dropped.
    private mutating func fractionMicroseconds() -> Int64? {
        var (value, digits): (Int64, Int) = (0, 0)
        while let digit = digit() {
            digits += 1
            if digits <= 6 { value = value * 10 + Int64(digit) }
        }
        guard digits >= 1, digits <= 9 || isLoose else { return nil }
        for _ in 0..<max(0, 6 - digits) { value *= 10 }
        return value
    }

    /// `±HH:MM`, east of UTC.
    private mutating func offsetMicroseconds() -> Int64? {
        let isNegative = take("-")
        guard isNegative || take("+"), let hours = number(2), hours < 24 else { return nil }
        let hasColon = take(":")
        let minutes = isLoose && isAtEnd && !hasColon ? 0 : number(2)
        guard let minutes, minutes < 60, hasColon || isLoose else { return nil }
        let offset = Int64(hours * 60 + minutes) * 60_000_000
        return isNegative ? -offset : offset
    }
}
