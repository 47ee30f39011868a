import Domain

/// Dates as people write them, for `typecast`. Best effort; nil for what it can't tell.
extension CellText {
    /// `5/1/2024` (month first unless `isDayFirst` or impossible), `2024/5/1`, `1.5.2024` (day
    /// first), `May 1, 2024`, `1 May 2024`, each with an optional `3:05 pm` or `15:05:30` after it.
    /// UTC.
    static func moment(_ text: String, isDayFirst: Bool) -> CalendarMoment? {
        var words = text.lowercased().split { " ,\t".contains($0) }.map(String.init)
        var milliseconds: Int64?
        if let position = words.firstIndex(where: { $0.contains(":") }) {
            var time = words.remove(at: position)
            if position < words.count, words[position] == "am" || words[position] == "pm" {
                time += words.remove(at: position)
            }
            guard let read = clock(time) else { return nil }
            milliseconds = read
        }
        guard let day = day(words, isDayFirst: isDayFirst) else { return nil }
        guard let milliseconds else { return .day(day) }
        return .time(Instant(milliseconds: Instant(day).milliseconds + milliseconds))
    }

    // MARK: Private

    private static func day(_ words: [String], isDayFirst: Bool) -> CalendarDate? {
        if words.count == 1 {
            let isDotted = words[0].contains(".")
            let parts = words[0].split { "/.-".contains($0) }.map(String.init)
            let numbers = parts.compactMap { plainNumber($0) }
            guard parts.count == 3 else { return nil }
            guard numbers.count == 3 else {
                // 1-May-2024
                return named(parts)
            }
            if parts[0].count == 4 { return CalendarDate(year: numbers[0], month: numbers[1], day: numbers[2]) }
            guard let year = year(parts[2]) else { return nil }
            let dayFirst = isDayFirst || isDotted || numbers[0] > 12
            let (day, month) = dayFirst ? (numbers[0], numbers[1]) : (numbers[1], numbers[0])
            return CalendarDate(year: year, month: month, day: day)
        }
        return words.count == 3 ? named(words) : nil
    }

    /// A month's name, a day and a year, with the month first or second.
    private static func named(_ words: [String]) -> CalendarDate? {
        guard let position = words.prefix(2).firstIndex(where: { month($0) != nil }), let month = month(words[position])
        else { return nil }
        let dayWord = words[1 - position].trimmingSuffix(["st", "nd", "rd", "th", "."])
        guard let day = plainNumber(dayWord), let year = year(words[2]) else { return nil }
        return CalendarDate(year: year, month: month, day: day)
    }

    private static func month(_ word: String) -> Int? {
        let word = word.trimmingSuffix(["."])
        guard word.count >= 3, word.allSatisfy(\.isLetter) else { return nil }
        let matches = monthNames.indices.filter { monthNames[$0].hasPrefix(word) || word == "sept" && $0 == 8 }
        return matches.count == 1 ? matches[0] + 1 : nil
    }

    /// Four digits, or two: 70 to 99 in the last century, the rest in this one.
    private static func year(_ text: String) -> Int? {
        guard let number = plainNumber(text) else { return nil }
        switch text.utf8.count {
        case 4: return number
        case 2: return number >= 70 ? 1900 + number : 2000 + number
        default: return nil
        }
    }

    private static func plainNumber(_ text: String) -> Int? {
        guard !text.isEmpty, text.utf8.count <= 4, text.utf8.allSatisfy({ $0 >= 0x30 && $0 <= 0x39 }) else {
            return nil
        }
        return Int(text)
    }

    private static func clock(_ text: String) -> Int64? {
        let isPM = text.hasSuffix("pm")
        let isTwelveHour = isPM || text.hasSuffix("am")
        let parts = (isTwelveHour ? text.dropLast(2) : text[...]).split(separator: ":").map(String.init)
        guard (2...3).contains(parts.count), var hour = plainNumber(parts[0]), let minute = plainNumber(parts[1]) else {
            return nil
        }
        let second = parts.count == 3 ? plainNumber(parts[2]) : 0
        guard let second, minute < 60, second < 60, hour < 24, !isTwelveHour || (1...12).contains(hour) else {
            return nil
        }
        if isTwelveHour { hour = hour % 12 + (isPM ? 12 : 0) }
        return Int64(hour * 3_600 + minute * 60 + second) * 1_000
    }

    private static let monthNames = [
        "january", "february", "march", "april", "may", "june", "july", "august", "september", "october", "november",
        "december",
    ]
}

extension String {
    fileprivate func trimmingSuffix(_ suffixes: [String]) -> String {
        for suffix in suffixes where hasSuffix(suffix) { return String(dropLast(suffix.count)) }
        return self
    }
}

/// As cells keep it.
extension CalendarMoment {
    /// The day in UTC.
    var date: CalendarDate {
        switch self {
        case .day(let date): date
        case .time(let instant): CalendarDate(instant)
        }
    }

    /// Cut to milliseconds; of a day its first moment in UTC.
    var instant: Instant {
        switch self {
        case .day(let date): Instant(date)
        case .time(let instant): Instant(milliseconds: instant.milliseconds)
        }
    }
}
