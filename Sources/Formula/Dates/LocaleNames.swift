import Domain
import Foundation

/// What a language calls months, weekdays and halves of the day, how it counts weeks and in which order it writes dates.
///
/// English is written down here, as moment.js has it; the others come from Foundation (Unicode's locale data) when first
/// asked for, and are kept.
final class LocaleNames: Sendable {
    /// ISO 639, in lower case.
    let language: String
    /// Beside a day of the month, which some languages decline: `5 января`.
    let months: [String]
    let shortMonths: [String]
    /// By themselves: `январь`.
    let standaloneMonths: [String]
    let standaloneShortMonths: [String]
    /// From Sunday, as the next two.
    let weekdays: [String]
    let shortWeekdays: [String]
    let tinyWeekdays: [String]
    /// Before and after noon.
    let halves: [String]
    let weeks: WeekRule
    /// For reading: months from 0, weekdays from Sunday, halves of the day.
    let monthNames: NameTable
    let weekdayNames: NameTable
    let halfNames: NameTable
    private let formats: [DateFormat]

    func format(_ form: DateToken.LocalisedForm) -> DateFormat { formats[form.rawValue] }

    /// The names of a language such as `fr`, `pt-br` or `zh_CN`; English when it is nil or nobody knows it.
    static func named(_ identifier: String?) -> LocaleNames {
        guard let identifier, identifier != "en", identifier.utf8.count <= 32 else { return english }
        return cache.value(identifier) { LocaleNames(identifier: $0) ?? english }
    }

    private static let cache = BoundedCache<String, LocaleNames>(capacity: Limits.formulaLocales)

    static let english = LocaleNames()

    private init() {
        language = "en"
        months = [
            "January", "February", "March", "April", "May", "June", "July", "August", "September", "October",
            "November", "December",
        ]
        shortMonths = months.map { String($0.prefix(3)) }
        standaloneMonths = months
        standaloneShortMonths = shortMonths
        weekdays = ["Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"]
        shortWeekdays = weekdays.map { String($0.prefix(3)) }
        tinyWeekdays = weekdays.map { String($0.prefix(2)) }
        halves = ["AM", "PM"]
        weeks = WeekRule(firstDay: 0, minimumDays: 1)
        monthNames = NameTable([months, standaloneMonths, shortMonths, standaloneShortMonths])
        weekdayNames = NameTable([weekdays, shortWeekdays, tinyWeekdays])
        halfNames = NameTable([halves])
        formats = Self.formats(
            time: "h:mm A",
            timeWithSeconds: "h:mm:ss A",
            dates: ["MM/DD/YYYY", "MMMM D, YYYY", "dddd, MMMM D, YYYY", "M/D/YYYY", "MMM D, YYYY", "ddd, MMM D, YYYY"]
        )
    }

    private init?(identifier: String) {
        let canonical = Locale.canonicalLanguageIdentifier(from: identifier)
        let locale = Locale(identifier: canonical)
        guard let code = locale.language.languageCode?.identifier.lowercased(), Self.known.contains(code) else {
            return nil
        }
        language = code
        var calendar = Calendar(identifier: .gregorian)
        calendar.locale = locale
        let formatter = SymbolFormatter(locale, calendar)
        months = formatter.months("MMMM")
        shortMonths = formatter.months("MMM")
        standaloneMonths = formatter.months("LLLL")
        standaloneShortMonths = formatter.months("LLL")
        weekdays = formatter.weekdays("EEEE")
        shortWeekdays = formatter.weekdays("EEE")
        tinyWeekdays = formatter.weekdays("EEEEEE")
        halves = [calendar.amSymbol, calendar.pmSymbol]
        weeks = WeekRule(firstDay: calendar.firstWeekday - 1, minimumDays: calendar.minimumDaysInFirstWeek)
        monthNames = NameTable([months, standaloneMonths, shortMonths, standaloneShortMonths])
        weekdayNames = NameTable([weekdays, shortWeekdays, tinyWeekdays])
        halfNames = NameTable([halves])
        formats = Self.formats(
            time: formatter.pattern("jm"),
            timeWithSeconds: formatter.pattern("jms"),
            dates: ["yMMdd", "yMMMMd", "yMMMMEEEEd", "yMd", "yMMMd", "yMMMEd"].map(formatter.pattern)
        )
    }

    /// Two-letter and longer codes of the languages there are data for.
    private static let known = Set(
        Locale.availableIdentifiers.map { String($0.prefix { $0 != "_" && $0 != "-" }).lowercased() }
    )

    /// In the order of `LocalisedForm`.
    ///
    /// - Parameter dates: numeric, long, with weekday; and the same shorter.
    private static func formats(time: String, timeWithSeconds: String, dates: [String]) -> [DateFormat] {
        let texts = [
            time, timeWithSeconds,
            dates[0], dates[1], "\(dates[1]) \(time)", "\(dates[2]) \(time)",
            dates[3], dates[4], "\(dates[4]) \(time)", "\(dates[5]) \(time)",
        ]
        return texts.map { DateFormat($0) }
    }
}

/// Asks Foundation for names and patterns of one locale.
private struct SymbolFormatter {
    private let formatter = DateFormatter()
    private let locale: Locale

    init(_ locale: Locale, _ calendar: Calendar) {
        self.locale = locale
        formatter.locale = locale
        formatter.calendar = calendar
        formatter.timeZone = TimeZone(secondsFromGMT: 0)
    }

    func months(_ pattern: String) -> [String] {
        formatter.dateFormat = pattern
        return (1...12).map { text(CalendarDate(year: 2_023, month: $0, day: 15)) }
    }

    /// 1 January 2023 was a Sunday.
    func weekdays(_ pattern: String) -> [String] {
        formatter.dateFormat = pattern
        return (1...7).map { text(CalendarDate(year: 2_023, month: 1, day: $0)) }
    }

    private func text(_ day: CalendarDate?) -> String {
        formatter.string(from: Date(timeIntervalSince1970: Double(day?.daysSinceEpoch ?? 0) * 86_400))
    }

    /// What the locale makes of a skeleton, in moment.js's letters.
    func pattern(_ skeleton: String) -> String {
        let pattern = DateFormatter.dateFormat(fromTemplate: skeleton, options: 0, locale: locale) ?? ""
        return Self.translated(pattern)
    }

    /// From the letters of Unicode's patterns (UTS 35) to moment.js's.
    private static func translated(_ pattern: String) -> String {
        let scalars = Array(pattern.unicodeScalars)
        var result = ""
        var position = 0
        while position < scalars.count {
            let letter = scalars[position]
            var run = 1
            while position + run < scalars.count, scalars[position + run] == letter { run += 1 }
            if letter == "'" {
                let end = scalars[(position + 1)...].firstIndex(of: "'") ?? scalars.count
                let quoted = String(String.UnicodeScalarView(scalars[(position + 1)..<end]))
                result += quoted.isEmpty ? "'" : "[\(quoted)]"
                position = end + 1
                continue
            }
            position += run
            switch letter {
            case "y": result += run == 2 ? "YY" : "YYYY"
            case "M", "L": result += String(repeating: "M", count: run)
            case "d": result += String(repeating: "D", count: run)
            case "E", "c": result += String(repeating: "d", count: run <= 3 ? 3 : 4)
            case "H", "h", "m", "s": result += String(repeating: String(letter), count: run)
            case "k": result += String(repeating: "k", count: run)
            case "K": result += String(repeating: "h", count: run)
            case "a", "b", "B": result += "A"
            case "G": break
            // Marks of direction, which a text in one direction doesn't need.
            case "\u{200E}", "\u{200F}", "\u{061C}": break
            case "\u{202F}", "\u{00A0}": result += String(repeating: " ", count: run)
            default: result += String(repeating: String(letter), count: run)
            }
        }
        return result
    }
}
