import Domain

/// Reads the text of spreadsheet cells, and of strings for other types, as people write them. Nil for
/// what it can't tell.
///
/// What is strict is what type inference recognises, and what a declared type takes from CSV; what is
/// loose, `typecast` takes beside it.
enum CellText {
    /// `true false yes no y n on off checked unchecked x 1 0`, ignoring case.
    static func checkbox(_ text: String) -> Bool? {
        switch text.lowercased() {
        case "true", "yes", "y", "on", "checked", "x", "1": true
        case "false", "no", "n", "off", "unchecked", "0": false
        default: nil
        }
    }

    /// A decimal number; thousands may be set off by commas in groups of three.
    ///
    /// Leading zeros are no number (`00123` is a code), nor is a lone sign, `nan` or `inf`.
    static func number(_ text: String) -> Double? {
        switch simpleNumber(text) {
        case .number(let number): return number
        case .none: return nil
        case .unknown: break
        }
        var digits = text
        if digits.contains(",") {
            let whole = digits.prefix { $0 != "." }
            let groups = whole.drop { $0 == "-" || $0 == "+" }.split(separator: ",", omittingEmptySubsequences: false)
            // No comma behind the point: 1.234,50 is another country's way of writing, and not to be guessed.
            guard let first = groups.first, (1...3).contains(first.count),
                groups.dropFirst().allSatisfy({ $0.count == 3 }), !digits.dropFirst(whole.count).contains(",")
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
        return plain(digits)
    }

    private enum SimpleNumber {
        case number(Double)
        case none
        /// To be looked at with more care.
        case unknown
    }

    /// What most texts are, told by their bytes: up to 15 digits with a point among them, or no number at all.
    private static func simpleNumber(_ text: String) -> SimpleNumber {
        var text = text
        return text.withUTF8 { bytes in
            var position = 0
            if bytes.first == UInt8(ascii: "-") || bytes.first == UInt8(ascii: "+") { position = 1 }
            guard position < bytes.count else { return .none }
            let start = position
            guard (0x30...0x39).contains(bytes[start]) else {
                return bytes[start] == UInt8(ascii: ".") ? .unknown : .none
            }
            var (mantissa, digits, decimals) = (Int64(0), 0, 0)
            var seenPoint = false
            while position < bytes.count {
                switch bytes[position] {
                case 0x30...0x39:
                    digits += 1
                    if seenPoint { decimals += 1 }
                    if digits > 15 { return .unknown }
                    mantissa = mantissa * 10 + Int64(bytes[position] - 0x30)
                case UInt8(ascii: "."):
                    if seenPoint { return .unknown }
                    seenPoint = true
                default: return .unknown
                }
                position += 1
            }
            if seenPoint, decimals == 0 { return .unknown }
            if digits - decimals > 1, bytes[start] == 0x30 { return .none }
            // Exact: both are whole numbers below 2⁵³, and division rounds correctly.
            let value = Double(mantissa) / powersOfTen[decimals]
            return .number(bytes[0] == UInt8(ascii: "-") ? -value : value)
        }
    }

    private static let powersOfTen: [Double] = (0...15).reduce(into: []) { list, _ in
        list.append((list.last ?? 0.1) * 10)
    }

    /// `12.5`, `1,234.5`, `$1,234.50`, `-3e4`, `007`, `(12)` as −12, and `50%`: 0.5 in a percent field,
    /// else 50. Commas and spaces may stand anywhere.
    static func looseNumber(_ text: String, isPercent: Bool, symbol: String?) -> Double? {
        var text = text
        let isNegative = text.hasPrefix("(") && text.hasSuffix(")")
        if isNegative { text = String(text.dropFirst().dropLast()) }
        let hasPercent = text.hasSuffix("%")
        if hasPercent { text.removeLast() }
        if let symbol, !symbol.isEmpty, let range = text.firstRange(of: symbol) { text.removeSubrange(range) }
        guard let number = plain(withoutCurrency(text).filter { $0 != "," }) else { return nil }
        let value = isNegative ? -number : number
        return hasPercent && isPercent ? value / 100 : value
    }

    /// Digits, point, signs and exponent only: `Double`'s own reader also knows "inf", "nan" and
    /// hexadecimal.
    private static func plain(_ digits: String) -> Double? {
        func isMark(_ byte: UInt8) -> Bool {
            byte | 0x20 == UInt8(ascii: "e") || byte == UInt8(ascii: ".") || byte == UInt8(ascii: "+")
                || byte == UInt8(ascii: "-")
        }
        guard !digits.isEmpty, digits.utf8.allSatisfy({ (0x30...0x39).contains($0) || isMark($0) }),
            let value = Double(digits), value.isFinite
        else { return nil }
        return value
    }

    /// Without currency signs and white space.
    private static func withoutCurrency(_ text: String) -> String {
        var body = text
        body.unicodeScalars.removeAll { $0.properties.generalCategory == .currencySymbol || $0.properties.isWhitespace }
        return body
    }

    /// A number in front of or behind a currency's sign: `$1,200.50`, `12 €`.
    static func currency(_ text: String) -> Double? {
        if let plain = number(text) { return plain }
        let body = withoutCurrency(text)
        return body == text ? nil : number(body)
    }

    /// `12.5%` is 0.125; a number without the sign is taken as it is.
    static func percent(_ text: String) -> Double? {
        guard text.hasSuffix("%") else { return number(text) }
        return number(String(text.dropLast()).trimmingSpace()).map { $0 / 100 }
    }

    /// Whether a number of `Double` gives the digits of `text` back, so that nothing is lost by reading it as one.
    static func isExact(_ text: String) -> Bool {
        func digits(_ text: some StringProtocol) -> [UInt8] {
            var digits = text.utf8.prefix { $0 | 0x20 != UInt8(ascii: "e") }.filter { (0x30...0x39).contains($0) }
            while digits.last == 0x30 { digits.removeLast() }
            return Array(digits.drop { $0 == 0x30 })
        }
        if text.utf8.count <= 15 { return true }
        let written = digits(text)
        // Any 15 digits survive.
        if written.count <= 15 { return true }
        return number(text).map { digits($0.description) == written } ?? false
    }

    /// Decimals written in `text`, at most 8: the precision that shows it whole.
    static func decimals(_ text: String) -> Int {
        if text.contains("e") || text.contains("E") { return 8 }
        guard let point = text.firstIndex(of: ".") else { return 0 }
        return min(8, text[text.index(after: point)...].prefix { $0.isNumber }.count)
    }

    /// The parts of a cell that holds several values: comma-separated; a part in double quotes may hold
    /// commas, and `""` for a quote. Empty parts are left out.
    static func list(_ text: String) -> [String] {
        var parts: [String] = []
        var part = ""
        var (isQuoted, hasJustClosed) = (false, false)
        for character in text {
            switch character {
            case "\"":
                // A quote right after one that closed was half of a doubled one.
                if hasJustClosed { part.append("\"") }
                hasJustClosed = isQuoted
                isQuoted.toggle()
                continue
            case "," where !isQuoted:
                parts.append(part)
                part = ""
            default:
                part.append(character)
            }
            hasJustClosed = false
        }
        parts.append(part)
        return parts.map { $0.trimmingSpace() }.filter { !$0.isEmpty }
    }

    static func isEmail(_ text: String) -> Bool {
        guard text.utf8.contains(UInt8(ascii: "@")) else { return false }
        let parts = text.split(separator: "@", omittingEmptySubsequences: false)
        guard parts.count == 2, !parts[0].isEmpty, text.count <= 254 else { return false }
        return parts[1].contains(".") && !parts[1].hasPrefix(".") && !parts[1].hasSuffix(".")
            && !text.contains { $0.isWhitespace || $0 == "," || $0 == ";" }
    }

    static func isURL(_ text: String) -> Bool {
        guard let first = text.utf8.first, first | 0x20 == UInt8(ascii: "h") else { return false }
        let lower = text.lowercased()
        guard lower.hasPrefix("http://") || lower.hasPrefix("https://") else { return false }
        return text.count > 10 && !text.contains(where: \.isWhitespace)
    }
}
