import Domain

/// Reads the text of spreadsheet cells as values of a field type, as people write them.
///
/// What these accept is what type inference recognises, and what a declared type takes from CSV.
enum CellText {
    /// `true false yes no checked unchecked x 1 0`, ignoring case.
    static func checkbox(_ text: String) -> Bool? {
        switch text.lowercased() {
        case "true", "yes", "checked", "x", "1": true
        case "false", "no", "unchecked", "0": false
        default: nil
        }
    }

    /// A decimal number; thousands may be set off by commas in groups of three.
    ///
    /// Leading zeros are no number (`00123` is a code), nor is a lone sign, `nan` or `inf`.
    static func number(_ text: String) -> Double? {
        var digits = text
        if digits.contains(",") {
            let whole = digits.prefix { $0 != "." }
            let groups = whole.drop { $0 == "-" || $0 == "+" }.split(separator: ",", omittingEmptySubsequences: false)
            guard let first = groups.first, (1...3).contains(first.count),
                groups.dropFirst().allSatisfy({ $0.count == 3 })
            else { return nil }
            digits.removeAll { $0 == "," }
        }
        var rest = Substring(digits)
        if rest.first == "-" || rest.first == "+" { rest.removeFirst() }
        guard let first = rest.utf8.first, (0x30...0x39).contains(first) || first == UInt8(ascii: ".") else {
            return nil
        }
        let whole = rest.prefix { $0.isASCII && $0.isNumber }
        if whole.count > 1, whole.first == "0" { return nil }
        guard rest.allSatisfy({ $0.isASCII && ($0.isNumber || ".eE+-".contains($0)) }) else { return nil }
        guard let value = Double(digits), value.isFinite else { return nil }
        return value
    }

    /// A number in front of or behind a currency's sign: `$1,200.50`, `12 €`.
    static func currency(_ text: String) -> Double? {
        if let plain = number(text) { return plain }
        var body = text
        body.unicodeScalars.removeAll { $0.properties.generalCategory == .currencySymbol || $0.properties.isWhitespace }
        return body == text ? nil : number(body)
    }

    /// `12.5%` is 0.125; a number without the sign is taken as it is.
    static func percent(_ text: String) -> Double? {
        guard text.hasSuffix("%") else { return number(text) }
        return number(String(text.dropLast()).trimmed).map { $0 / 100 }
    }

    /// Decimals written in `text`, at most 8: the precision that shows it whole.
    static func decimals(_ text: String) -> Int {
        if text.contains("e") || text.contains("E") { return 8 }
        guard let point = text.firstIndex(of: ".") else { return 0 }
        return min(8, text[text.index(after: point)...].prefix { $0.isNumber }.count)
    }

    /// The parts of a cell that holds several values, separated by commas; a part with a comma stands in quotes.
    static func list(_ text: String) -> [String] {
        var parts: [String] = []
        var part = ""
        var isQuoted = false
        for character in text {
            switch character {
            case "\"": isQuoted.toggle()
            case "," where !isQuoted:
                parts.append(part.trimmed)
                part = ""
            default: part.append(character)
            }
        }
        parts.append(part.trimmed)
        return parts.filter { !$0.isEmpty }
    }

    static func isEmail(_ text: String) -> Bool {
        let parts = text.split(separator: "@", omittingEmptySubsequences: false)
        guard parts.count == 2, !parts[0].isEmpty, text.count <= 254 else { return false }
        return parts[1].contains(".") && !parts[1].hasPrefix(".") && !parts[1].hasSuffix(".")
            && !text.contains { $0.isWhitespace || $0 == "," || $0 == ";" }
    }

    static func isURL(_ text: String) -> Bool {
        let lower = text.lowercased()
        guard lower.hasPrefix("http://") || lower.hasPrefix("https://") else { return false }
        return text.count > 10 && !text.contains(where: \.isWhitespace)
    }
}
