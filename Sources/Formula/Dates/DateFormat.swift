import Domain

/// A format of DATETIME_FORMAT or DATETIME_PARSE, taken apart.
struct DateFormat: Sendable {
    let tokens: [DateToken]
    /// Whether it has a day of the month: some languages then decline the month's name.
    let hasDay: Bool

    /// Any text is a format: what is no token is copied. Nil when it is longer than `Limits.formulaDateFormatBytes`.
    static func compiled(_ text: String) -> DateFormat? {
        guard text.utf8.count <= Limits.formulaDateFormatBytes else { return nil }
        return cache.value(text) { DateFormat($0) }
    }

    private static let cache = BoundedCache<String, DateFormat>(capacity: Limits.formulaDateFormats)

    init(_ text: String) {
        var reader = FormatReader(text)
        var tokens: [DateToken] = []
        while let token = reader.next() { tokens.append(token) }
        self.tokens = tokens
        hasDay = tokens.contains { $0 == .day || $0 == .dayOrdinal || $0 == .twoDigitDay }
    }

    /// The same with the localised forms of `names` put in.
    func expanded(_ names: LocaleNames) -> DateFormat {
        let isExpanded = !tokens.contains { if case .localised = $0 { true } else { false } }
        if isExpanded { return self }
        return DateFormat(
            tokens: tokens.flatMap { token in
                if case .localised(let form) = token { names.format(form).tokens } else { [token] }
            }
        )
    }

    private init(tokens: [DateToken]) {
        self.tokens = tokens
        hasDay = tokens.contains { $0 == .day || $0 == .dayOrdinal || $0 == .twoDigitDay }
    }
}

/// Cuts a format into tokens, the longest first, as moment.js does.
private struct FormatReader {
    private let scalars: [Unicode.Scalar]
    private var position = 0

    init(_ text: String) { scalars = Array(text.unicodeScalars) }

    mutating func next() -> DateToken? {
        guard position < scalars.count else { return nil }
        let scalar = scalars[position]
        if scalar == "[", let literal = bracketed() { return literal }
        if scalar == "\\", position + 1 < scalars.count {
            // A backslash makes the token behind it literal.
            position += 1
            let start = position
            if token() == nil { position += 1 }
            return .literal(text(start, position))
        }
        if let token = token() { return token }
        position += 1
        return .literal(String(scalar))
    }

    /// From a bracket to the last closing one before another opens.
    private mutating func bracketed() -> DateToken? {
        let rest = scalars[(position + 1)...]
        let limit = rest.firstIndex(of: "[") ?? scalars.endIndex
        guard let end = scalars[position + 1..<limit].lastIndex(of: "]") else { return nil }
        defer { position = end + 1 }
        return .literal(text(position + 1, end))
    }

    private func text(_ start: Int, _ end: Int) -> String {
        var text = ""
        text.unicodeScalars.append(contentsOf: scalars[start..<end])
        return text
    }

    private mutating func token() -> DateToken? {
        var run = 1
        let letter = scalars[position]
        while position + run < scalars.count, scalars[position + run] == letter, run < 9 { run += 1 }
        guard let (token, length) = longToken(letter, run) ?? Self.token(letter, run, isOrdinal: follows(run, "o"))
        else { return nil }
        position += length
        return token
    }

    private func follows(_ offset: Int, _ letter: Unicode.Scalar) -> Bool {
        position + offset < scalars.count && scalars[position + offset] == letter
    }

    /// Tokens of more than one letter: `hmm`, `LTS`.
    private func longToken(_ letter: Unicode.Scalar, _ run: Int) -> (DateToken, Int)? {
        switch letter {
        case "h", "H":
            guard run == 1, follows(1, "m"), follows(2, "m") else { return nil }
            let hasSeconds = follows(3, "s") && follows(4, "s")
            return (.compactClock(is24: letter == "H", seconds: hasSeconds), hasSeconds ? 5 : 3)
        case "L":
            guard run == 1, follows(1, "T") else { return nil }
            return follows(2, "S") ? (.localised(.timeWithSeconds), 3) : (.localised(.time), 2)
        default: return nil
        }
    }

    /// A token made of `run` times the same letter, perhaps with an `o` behind; and how much of that it takes.
    private static func token(_ letter: Unicode.Scalar, _ run: Int, isOrdinal: Bool) -> (DateToken, Int)? {
        if isOrdinal, let ordinal = ordinals[letter]?[run] { return (ordinal, run + 1) }
        if letter == "S" { return (.fraction(run), run) }
        guard let forms = forms[letter] else { return nil }
        for length in stride(from: run, through: 1, by: -1) {
            if let token = forms[length] { return (token, length) }
        }
        return nil
    }

    private static let ordinals: [Unicode.Scalar: [Int: DateToken]] = [
        "Q": [1: .quarterOrdinal], "M": [1: .monthOrdinal],
        "D": [1: .dayOrdinal, 3: .dayOfYearOrdinal],
        "d": [1: .weekdayOrdinal], "w": [1: .weekOrdinal], "W": [1: .isoWeekOrdinal],
    ]

    /// By letter and how often it stands there.
    private static let forms: [Unicode.Scalar: [Int: DateToken]] = [
        "Y": [1: .year, 2: .twoDigitYear, 4: .fourDigitYear],
        "Q": [1: .quarter],
        "M": [1: .month, 2: .twoDigitMonth, 3: .shortMonthName, 4: .monthName],
        "D": [1: .day, 2: .twoDigitDay, 3: .dayOfYear, 4: .threeDigitDayOfYear],
        "d": [1: .weekday, 2: .tinyWeekdayName, 3: .shortWeekdayName, 4: .weekdayName],
        "e": [1: .localeWeekday], "E": [1: .isoWeekday],
        "w": [1: .week, 2: .twoDigitWeek], "W": [1: .isoWeek, 2: .twoDigitISOWeek],
        "g": [2: .twoDigitWeekYear, 4: .weekYear], "G": [2: .twoDigitISOWeekYear, 4: .isoWeekYear],
        "a": [1: .lowerHalf], "A": [1: .upperHalf],
        "H": [1: .hour24, 2: .twoDigitHour24], "h": [1: .hour12, 2: .twoDigitHour12],
        "k": [1: .hourFrom1, 2: .twoDigitHourFrom1],
        "m": [1: .minute, 2: .twoDigitMinute], "s": [1: .second, 2: .twoDigitSecond],
        "Z": [1: .offset, 2: .compactOffset], "z": [1: .zoneAbbreviation, 2: .zoneAbbreviation],
        "x": [1: .milliseconds], "X": [1: .seconds],
        "L": [
            1: .localised(.numericDate), 2: .localised(.longDate), 3: .localised(.longDateTime),
            4: .localised(.weekdayDateTime),
        ],
        "l": [
            1: .localised(.shortNumericDate), 2: .localised(.mediumDate), 3: .localised(.mediumDateTime),
            4: .localised(.shortWeekdayDateTime),
        ],
    ]
}
