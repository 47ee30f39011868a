/// Shows characters that a reader does not see, or that turn the order of others, as `\u{202E}`.
///
/// For text of records and models where it is given to a model or shown to a person; what is stored stays as it is. Line
/// feeds and tabs stay; joiners stay inside words and emoji; a lone emoji variation selector stays.
public enum HiddenText {
    public static func visible(_ text: String) -> String {
        guard text.unicodeScalars.contains(where: isHidden) else { return text }
        let scalars = Array(text.unicodeScalars)
        return shown(scalars.indices, of: scalars)
    }

    /// All texts in it, names of members too.
    public static func visible(_ value: JSONValue) -> JSONValue {
        switch value {
        case .string(let text): .string(visible(text))
        case .array(let elements): .array(elements.map { visible($0) })
        case .object(let members):
            .object(members.reduce(into: JSONObject()) { $0[visible($1.key)] = visible($1.value) })
        case .null, .bool, .number: value
        }
    }

    /// The scalars at `positions`, each judged by its neighbours in `scalars`.
    static func shown(_ positions: Range<Int>, of scalars: [Unicode.Scalar]) -> String {
        var result = String.UnicodeScalarView()
        for position in positions {
            let scalar = scalars[position]
            if isHidden(scalar), !isHarmless(at: position, scalars) {
                result.append(contentsOf: "\\u{\(String(scalar.value, radix: 16, uppercase: true))}".unicodeScalars)
            } else {
                result.append(scalar)
            }
        }
        return String(result)
    }

    package static func isHidden(_ scalar: Unicode.Scalar) -> Bool {
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

    static func isJoiner(_ scalar: Unicode.Scalar) -> Bool { scalar.value == 0x200C || scalar.value == 0x200D }

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

/// `HiddenText.visible` for a text that comes in pieces: however it is cut, the pieces together give the same.
///
/// Carriage returns go, so that a line ends with a line feed alone. At most one scalar is held back: a joiner, which is
/// judged by what follows.
public struct VisibleTextStream: Sendable {
    private var before: Unicode.Scalar?
    private var held: Unicode.Scalar?

    public init() {}

    public mutating func feed(_ piece: String) -> String {
        var scalars = [before, held].compactMap(\.self)
        let start = before == nil ? 0 : 1
        scalars.append(contentsOf: piece.unicodeScalars.lazy.filter { $0 != "\r" })
        held = nil
        guard scalars.count > start else { return "" }
        var end = scalars.count
        if HiddenText.isJoiner(scalars[end - 1]) {
            held = scalars[end - 1]
            end -= 1
        }
        if end > start { before = scalars[end - 1] }
        return HiddenText.shown(start..<end, of: scalars)
    }

    /// What was held back. The next piece begins another text.
    public mutating func finish() -> String {
        defer { self = Self() }
        return held.map { HiddenText.visible(String(Character($0))) } ?? ""
    }
}
