import Domain

/// What people write for numbers, dates and lists, as `typecast` takes it. Best effort; nil for
/// what it can't tell.
enum LooseText {
    /// `12.5`, `1,234.5`, `$1,234.50`, `-3e4`, `(12)` as −12, and `50%`: 0.5 in a percent field,
    /// else 50.
    static func number(_ text: String, isPercent: Bool, symbol: String?) -> Double? {
        var text = text
        var isNegative = false
        if text.hasPrefix("("), text.hasSuffix(")") {
            isNegative = true
            text = String(text.dropFirst().dropLast())
        }
        var hasPercent = false
        if text.hasSuffix("%") {
            hasPercent = true
            text.removeLast()
        }
        if let symbol, !symbol.isEmpty, let range = text.firstRange(of: symbol) { text.removeSubrange(range) }
        text.removeAll { $0 == "," || $0 == " " || $0 == "\u{A0}" || $0 == "$" || $0 == "€" || $0 == "£" || $0 == "¥" }
        // Double's own reader also knows "inf", "nan" and hexadecimal.
        guard !text.isEmpty, text.utf8.allSatisfy(isNumeric), let number = Double(text), number.isFinite else {
            return nil
        }
        let value = isNegative ? -number : number
        return hasPercent && isPercent ? value / 100 : value
    }

    /// Comma-separated; an element in double quotes may hold commas, and `""` for a quote.
    static func list(_ text: String) -> [String] {
        var elements: [String] = []
        var element = ""
        var isQuoted = false
        for character in text {
            switch character {
            case "\"":
                isQuoted.toggle()
                if isQuoted, element.hasSuffix("\u{0}") {
                    element.removeLast()
                    element.append("\"")
                } else if !isQuoted {
                    element.append("\u{0}")
                }
            case "," where !isQuoted:
                elements.append(element)
                element = ""
            default:
                if !isQuoted, element.hasSuffix("\u{0}") { element.removeLast() }
                element.append(character)
            }
        }
        elements.append(element)
        return elements.map { $0.replacing("\u{0}", with: "").trimmingSpace() }.filter { !$0.isEmpty }
    }

    /// `5/1/2024` (month first unless `isDayFirst` or impossible), `2024/5/1`, `1.5.2024` (day
    /// first), `May 1, 2024`, `1 May 2024`, each with an optional `3:05 pm` or `15:05:30` after it.
    /// UTC.
    static func moment(_ text: String, isDayFirst: Bool) -> CalendarText.Moment? {
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
        return .time(milliseconds: Int64(day.daysSinceEpoch) * CalendarText.millisecondsPerDay + milliseconds)
    }

    // MARK: Private

    private static func isNumeric(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "."), UInt8(ascii: "-"), UInt8(ascii: "+"),
            UInt8(ascii: "e"), UInt8(ascii: "E"):
            true
        default: false
        }
    }

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
