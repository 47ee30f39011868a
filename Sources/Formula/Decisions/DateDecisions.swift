/// What Airtable leaves open about dates and regular expressions, decided once, each with its reason.
enum DateDecisions {
    /// DATETIME_DIFF with a unit that nobody knows counts these; Airtable's help says so, among other things.
    static let differenceOfUnknownUnit = DateUnit.millisecond
    /// DATETIME_DIFF without a unit.
    static let differenceUnit = DateUnit.second
    /// IS_SAME, IS_BEFORE and IS_AFTER with a unit that nobody knows compare these, as moment.js does.
    static let comparisonOfUnknownUnit = DateUnit.millisecond
    // DATEADD with a unit that nobody knows is #ERROR!: to add nothing would look like an answer.

    /// Years that a date may have: those that ISO 8601 writes with four digits. What leads outside is #ERROR!.
    static let years = 1...9_999
    /// Two-digit years above this one belong to the 20th century, as in moment.js and POSIX.
    static let twoDigitPivot = 68
    /// WEEKNUM without a first day: Sunday. Week 1 is the one with 1 January in it, so that the last days of December
    /// can belong to it too (moment.js's `week()` in English).
    static let weekNumbers = WeekRule(firstDay: 0, minimumDays: 1)
    /// The first day of a week as a unit of IS_SAME: Sunday, whatever the locale.
    static let weekUnitFirstDay = 0
    /// WORKDAY by 0 days of a day that is not worked moves on to the next that is: it never lands on another.
    static let zeroWorkdaysMoveForward = true

    /// The request's own time zone (the `timeZone` of the API, `--time-zone`) is that of moments which carry none when
    /// they are shown or taken apart (DATETIME_FORMAT, HOUR, WEEKDAY…). Days stay the days they are, and arithmetic is
    /// UTC. A zone set by SET_TIMEZONE moves days too, as Airtable does.
    static let requestZoneMovesDays = false
    // SET_TIMEZONE with a zone that nobody knows is #ERROR!; SET_LOCALE with such a language is English, as in
    // moment.js. FROMNOW and TONOW are English in any locale: SET_LOCALE is about formatting.

    /// How ordinals are written by language; those not named here have the number alone, as moment.js's default.
    static func ordinal(_ number: Int, language: String) -> String {
        switch language {
        case "en":
            switch (number % 100, number % 10) {
            case (11...13, _): "\(number)th"
            case (_, 1): "\(number)st"
            case (_, 2): "\(number)nd"
            case (_, 3): "\(number)rd"
            default: "\(number)th"
            }
        case "fr": number == 1 ? "1er" : String(number)
        case "es", "it", "pt", "gl": "\(number)º"
        case "de", "da", "nb", "nn", "no", "fi", "cs", "sk", "pl", "hu", "hr", "sl", "sr", "et", "is", "tr":
            "\(number)."
        case "nl": number == 1 || number == 8 || number >= 20 ? "\(number)ste" : "\(number)de"
        default: String(number)
        }
    }

    /// REGEX_EXTRACT gives the whole match, also where the pattern has groups.
    static let extractedGroup = 0
}
