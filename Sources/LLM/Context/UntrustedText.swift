/// Puts text from records into a model's input as data: labelled, fenced, and with nothing hidden in it.
///
/// The fence has a random word that no record can know, so no record can close it. Nothing here makes a model immune to
/// what it reads: that a record cannot do harm rests on tools working with the asker's rights only. The fence lets the
/// system prompt say precisely which text is data.
public struct UntrustedText: Sendable, Hashable {
    /// Of one run; letters and digits.
    public let word: String

    public init(word: String) { self.word = word }

    public static func random(using generator: inout some RandomNumberGenerator) -> Self {
        let letters = Array("abcdefghjkmnpqrstuvwxyz23456789")
        return Self(word: String((0..<12).map { _ in letters.randomElement(using: &generator) ?? "x" }))
    }

    public static func random() -> Self {
        var generator = SystemRandomNumberGenerator()
        return random(using: &generator)
    }

    /// The text between its fences. `label` says whose it is, such as a record's id or a tool's name.
    public func framed(_ text: String, label: String) -> String {
        // The word can get into a record only after a model has seen it and written it there.
        let body = Self.visible(text).replacing(word, with: "…")
        let shownLabel = Self.visible(label).map { "<>\"\n".contains($0) ? "_" : String($0) }.joined()
        return "<data-\(word) of=\"\(shownLabel.replacing(word, with: "…"))\">\n\(body)\n</data-\(word)>"
    }

    /// The text with characters that a reader does not see, or that turn the order of others, written as `\u{202E}`.
    ///
    /// Line feeds and tabs stay; joiners stay inside words and emoji; a lone emoji variation selector stays.
    public static func visible(_ text: String) -> String {
        guard text.unicodeScalars.contains(where: isHidden) else { return text }
        var result = String.UnicodeScalarView()
        let scalars = Array(text.unicodeScalars)
        for (position, scalar) in scalars.enumerated() {
            if isHidden(scalar), !isHarmless(at: position, scalars) {
                result.append(contentsOf: "\\u{\(String(scalar.value, radix: 16, uppercase: true))}".unicodeScalars)
            } else {
                result.append(scalar)
            }
        }
        return String(result)
    }

    private static func isHidden(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.value {
        case 0x09, 0x0A: return false
        case 0x20...0x7E: return false
        // Blank or ignorable, though letters or marks by category.
        case 0x034F, 0x115F, 0x1160, 0x17B4, 0x17B5, 0x2800, 0x3164, 0xFFA0, 0xFE00...0xFE0F, 0xE0000...0xE0FFF:
            return true
        default:
            switch scalar.properties.generalCategory {
            case .control, .format, .lineSeparator, .paragraphSeparator, .surrogate, .privateUse, .unassigned:
                return true
            default: return false
            }
        }
    }

    /// Joiners (ZWNJ, ZWJ) and the two emoji selectors, right after something that shows and not in a row.
    private static func isHarmless(at position: Int, _ scalars: [Unicode.Scalar]) -> Bool {
        let value = scalars[position].value
        guard [0x200C, 0x200D, 0xFE0E, 0xFE0F].contains(value), position > 0 else { return false }
        let before = scalars[position - 1]
        // 👁️‍🗨️ is eye, selector, joiner, bubble, selector.
        let followsSelector = value == 0x200D && before.value == 0xFE0F
        guard followsSelector || !isHidden(before), before.value > 0x7F else { return false }
        if value == 0xFE0E || value == 0xFE0F { return true }
        guard scalars.indices.contains(position + 1) else { return false }
        let after = scalars[position + 1]
        return !isHidden(after) && after.value > 0x7F
    }
}
