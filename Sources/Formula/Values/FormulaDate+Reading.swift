import Domain

extension FormulaDate {
    /// Reads a text where a date is wanted: ISO in its loose forms, or `M/D/YYYY[ h:mm[:ss] [am|pm]]`. Nil for
    /// anything else.
    package init?(reading text: String) {
        let trimmed = text.trimmingSpaces
        // The longest there is has 35; a megabyte need not be looked through.
        guard trimmed.utf8.count <= 64 else { return nil }
        switch CalendarMoment(loose: trimmed) {
        case .day(let day): self.init(Instant(day), isDay: true)
        case .time(let instant): self.init(instant)
        case nil:
            guard let date = Self.american(trimmed) else { return nil }
            self = date
        }
    }

    private static func american(_ text: String) -> FormulaDate? {
        let parts = text.split(separator: " ", maxSplits: 2)
        let numbers = (parts.first ?? "").split(separator: "/", omittingEmptySubsequences: false).map(wholeNumber)
        guard numbers.count == 3, let month = numbers[0], let day = numbers[1], let year = numbers[2], year >= 100,
            let date = CalendarDate(year: year, month: month, day: day)
        else { return nil }
        if parts.count == 1 { return FormulaDate(Instant(date), isDay: true) }
        guard let seconds = clock(parts.dropFirst().joined()) else { return nil }
        return FormulaDate(Instant(microseconds: Instant(date).microseconds + Int64(seconds) * 1_000_000))
    }

    /// Seconds since midnight of `h:mm[:ss][am|pm]`.
    private static func clock(_ text: String) -> Int? {
        let lowered = text.lowercased()
        let half = lowered.hasSuffix("pm") ? 12 : lowered.hasSuffix("am") ? 0 : nil
        let digits = half == nil ? lowered[...] : lowered.dropLast(2)
        let fields = digits.split(separator: ":", omittingEmptySubsequences: false).map(wholeNumber)
        guard (2...3).contains(fields.count), var hour = fields[0], let minute = fields[1], minute < 60 else {
            return nil
        }
        guard let second = fields.count == 3 ? fields[2] : 0, second < 60 else { return nil }
        if let half {
            guard (1...12).contains(hour) else { return nil }
            hour = hour % 12 + half
        }
        guard hour < 24 else { return nil }
        return (hour * 60 + minute) * 60 + second
    }

    private static func wholeNumber(_ text: Substring) -> Int? {
        guard (1...4).contains(text.utf8.count), text.utf8.allSatisfy({ $0 >= 0x30 && $0 <= 0x39 }) else { return nil }
        return Int(text)
    }
}

extension String {
    /// Without white space at either end, as JavaScript's `trim`.
    var trimmingSpaces: String {
        let scalars = unicodeScalars
        guard let first = scalars.firstIndex(where: { !$0.isTrimmed }) else { return "" }
        guard let last = scalars.lastIndex(where: { !$0.isTrimmed }) else { return "" }
        return String(scalars[first...last])
    }
}

extension Unicode.Scalar {
    fileprivate var isTrimmed: Bool { properties.isWhitespace || value == 0xFEFF }
}
