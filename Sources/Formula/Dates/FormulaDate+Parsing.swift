import Domain

extension FormulaDate {
    /// Reads the text of DATETIME_PARSE without a format: what is a date everywhere, and what people write in ISO's, the
    /// American and the English manner besides: `2024/5/1`, `5/1/24`, `May 1, 2024`, `1 May 2024 3:04 pm`.
    init?(parsing text: String, locale: String?, now: Instant) {
        if let date = FormulaDate(reading: text) {
            self = date
            return
        }
        guard let shape = Shape(text), let date = shape.format.date(in: text, locale: locale, now: now) else {
            return nil
        }
        self = date
    }

    /// How a text is built: what its tokens are, told by its marks alone. The format has no separators, since each
    /// number and name is looked for behind the one before.
    private struct Shape {
        let format: DateFormat

        /// Nil when the text has none of the forms, so that `foo 12` is no date.
        init?(_ text: String) {
            guard text.utf8.count <= Limits.formulaDateTextBytes else { return nil }
            var words = text.split { $0 == " " || $0 == "," || $0 == "\t" || $0 == "T" && text.first?.isNumber == true }
            var tokens: [String] = []
            guard let first = words.first else { return nil }
            if let date = Self.numeric(first) {
                tokens.append(date)
                words.removeFirst()
            } else {
                // A weekday stands before the day and its month, in either order of those.
                if words.count > 3, Self.isWord(words[0]),
                    Self.isWord(words[1]) || Self.isDay(words[1]) && Self.isWord(words[2])
                {
                    tokens.append("dddd")
                    words.removeFirst()
                }
                guard words.count >= 3, Self.isNumber(words[2], 4...4) else { return nil }
                if Self.isWord(words[0]), Self.isDay(words[1]) {
                    tokens.append("MMMMDYYYY")
                } else if Self.isDay(words[0]), Self.isWord(words[1]) {
                    tokens.append("DMMMMYYYY")
                } else {
                    return nil
                }
                words.removeFirst(3)
            }
            if !words.isEmpty {
                guard let clock = Self.clock(words.joined()) else { return nil }
                tokens.append(clock)
            }
            guard let format = DateFormat.compiled(tokens.joined()) else { return nil }
            self.format = format
        }

        private static func numeric(_ word: Substring) -> String? {
            let parts = word.split(omittingEmptySubsequences: false) { $0 == "/" || $0 == "-" }
            guard parts.count == 3, word.contains("/") != word.contains("-") else { return nil }
            if isNumber(parts[0], 4...4), isNumber(parts[1], 1...2), isNumber(parts[2], 1...2) { return "YYYYMD" }
            guard word.contains("/"), isNumber(parts[0], 1...2), isNumber(parts[1], 1...2) else { return nil }
            return isNumber(parts[2], 4...4) ? "MDYYYY" : isNumber(parts[2], 2...2) ? "MDYY" : nil
        }

        /// `15:04`, `3:04:05.678 pm`, `3pm`, with or without an offset.
        private static func clock(_ text: String) -> String? {
            var rest = text[...]
            var format = ""
            func digits(_ counts: ClosedRange<Int>) -> Bool {
                let run = rest.prefix { ("0"..."9").contains($0) }
                guard counts.contains(run.count) else { return false }
                rest = rest.dropFirst(run.count)
                return true
            }
            guard digits(1...2) else { return nil }
            format = "H"
            let hasMinutes = rest.first == ":"
            for part in ["m", "s"] where rest.first == ":" {
                rest = rest.dropFirst()
                guard digits(2...2) else { return nil }
                format += part
            }
            if rest.first == ".", format == "Hms" {
                rest = rest.dropFirst()
                guard digits(1...9) else { return nil }
                format += "SSSSSSSSS"
            }
            let half = rest.prefix { $0.isLetter || $0 == "." }.lowercased().filter { $0 != "." }
            if ["am", "pm", "a", "p"].contains(half) {
                format += "a"
                rest = rest.drop { $0.isLetter || $0 == "." }
            } else if !hasMinutes {
                return nil
            }
            if !rest.isEmpty {
                guard rest == "Z" || rest == "z" || rest.first == "+" || rest.first == "-" else { return nil }
                format += "Z"
            }
            return format
        }

        private static func isNumber(_ word: Substring, _ digits: ClosedRange<Int>) -> Bool {
            digits.contains(word.utf8.count) && word.utf8.allSatisfy { (0x30...0x39).contains($0) }
        }

        private static func isWord(_ word: Substring) -> Bool { word.allSatisfy { $0.isLetter || $0 == "." } }

        /// `7`, `7.` or `7th`.
        private static func isDay(_ word: Substring) -> Bool {
            let digits = word.prefix { ("0"..."9").contains($0) }
            let rest = word.dropFirst(digits.count).lowercased()
            return (1...2).contains(digits.count) && ["", ".", "st", "nd", "rd", "th"].contains(rest)
        }
    }
}
