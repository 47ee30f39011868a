import Domain

/// Dates of HTTP headers (RFC 9110, 5.6.7): `Sun, 06 Nov 1994 08:49:37 GMT` and the two older forms,
/// `Sunday, 06-Nov-94 08:49:37 GMT` and `Sun Nov  6 08:49:37 1994`. The weekday is not compared with the date.
enum HTTPDate {
    static func instant(_ text: String) -> Instant? {
        let words = text.split { $0 == " " || $0 == "-" || $0 == "," }
        switch words.count {
        // Weekday, day, month, year, time, GMT.
        case 6 where words[5] == "GMT":
            return instant(day: words[1], month: words[2], year: words[3], time: words[4])
        // Weekday, month, day, time, year.
        case 5: return instant(day: words[2], month: words[1], year: words[4], time: words[3])
        default: return nil
        }
    }

    private static let months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]

    private static func instant(day: Substring, month: Substring, year: Substring, time: Substring) -> Instant? {
        let clock = time.split(separator: ":", omittingEmptySubsequences: false)
        guard let day = number(day, 1...2), let month = months.firstIndex(of: String(month)),
            let year = number(year, 2...4), clock.count == 3, let hour = number(clock[0], 2...2), hour < 24,
            let minute = number(clock[1], 2...2), minute < 60, let second = number(clock[2], 2...2), second <= 60
        else { return nil }
        // Two digits are a year of this century or, from 70 on, the last: nobody says when to come back in 1994.
        let full = year >= 100 ? year : year + (year < 70 ? 2_000 : 1_900)
        guard let date = CalendarDate(year: full, month: month + 1, day: day) else { return nil }
        let seconds = Int64(hour * 3_600 + minute * 60 + second)
        return Instant(microseconds: Instant(date).microseconds + seconds * 1_000_000)
    }

    private static func number(_ text: Substring, _ digits: ClosedRange<Int>) -> Int? {
        guard digits.contains(text.utf8.count), text.utf8.allSatisfy({ (0x30...0x39).contains($0) }) else { return nil }
        return Int(text)
    }
}
