import Domain

/// What is known of a column after reading it: enough to choose its type. Memory is bounded.
struct ColumnProfile {
    /// Values longer than this are prose.
    static let shortCharacters = 120
    /// A select has at most this many choices when nobody declared it.
    static let inferredChoicesMax = 24
    /// Choices of a declared select: more than people can choose from, and a bound on memory.
    static let declaredChoicesMax = 10_000

    /// Non-blank values seen.
    private(set) var count = 0
    private(set) var precision = 0
    /// Distinct short texts in order of first appearance, up to the bound given at the start.
    private(set) var choices: [String] = []
    private(set) var hasTooManyChoices = false

    private let choicesMax: Int
    private var seen: Set<String> = []
    private var longest = 0
    private var hasLineBreak = false
    private var hasStructure = false
    private var lists = 0
    /// The types that every value so far fits.
    private var candidates: Candidates = [.checkbox, .number, .date, .dateTime, .email, .url]

    /// Types that are told by what values look like.
    private struct Candidates: OptionSet {
        let rawValue: UInt8
        static let checkbox = Self(rawValue: 1)
        static let number = Self(rawValue: 2)
        static let date = Self(rawValue: 4)
        static let dateTime = Self(rawValue: 8)
        static let email = Self(rawValue: 16)
        static let url = Self(rawValue: 32)
    }

    init(choicesMax: Int = ColumnProfile.inferredChoicesMax) { self.choicesMax = choicesMax }

    mutating func note(_ value: JSONValue) {
        count += 1
        switch value {
        case .bool:
            candidates.formIntersection([.checkbox])
        case .number(let number):
            candidates.formIntersection(CellText.isExact(number.text) ? [.number] : [])
            precision = max(precision, CellText.decimals(number.text))
        case .string(let text):
            note(text)
        case .array(let elements):
            candidates = []
            note(list: elements)
        case .object, .null:
            candidates = []
            hasStructure = true
        }
    }

    private mutating func note(list elements: [JSONValue]) {
        lists += 1
        for element in elements {
            guard case .string(let text) = element else {
                hasStructure = true
                return
            }
            noteChoice(text)
        }
    }

    private mutating func note(_ text: String) {
        longest = max(longest, text.utf8.count)
        if text.utf8.contains(UInt8(ascii: "\n")) { hasLineBreak = true }
        noteChoice(text)
        guard !candidates.isEmpty else { return }
        if candidates.contains(.number) {
            if CellText.number(text) == nil || !CellText.isExact(text) {
                candidates.remove(.number)
            } else {
                noteDecimals(text)
            }
        }
        if candidates.contains(.checkbox),
            !(4...5).contains(text.utf8.count) || !["true", "false"].contains(text.lowercased())
        {
            candidates.remove(.checkbox)
        }
        if candidates.contains(.date) || candidates.contains(.dateTime) {
            switch CalendarMoment(loose: text) {
            case .day: candidates.remove(.dateTime)
            case .time: candidates.remove(.date)
            case nil: candidates.subtract([.date, .dateTime])
            }
        }
        if candidates.contains(.email), !CellText.isEmail(text) { candidates.remove(.email) }
        if candidates.contains(.url), !CellText.isURL(text) { candidates.remove(.url) }
    }

    private mutating func noteDecimals(_ text: String) { precision = max(precision, CellText.decimals(text)) }

    mutating func noteChoice(_ text: String) {
        guard !hasTooManyChoices, !seen.contains(text) else { return }
        guard choices.count < choicesMax else {
            hasTooManyChoices = true
            return
        }
        seen.insert(text)
        choices.append(text)
    }

    /// The type that fits best. A primary field must be readable as a name, so it is never a box or a select.
    func inferredType(isPrimary: Bool) -> FieldType {
        guard count > 0 else { return .singleLineText }
        if hasStructure { return .multilineText }
        if lists > 0 {
            return lists == count && !isPrimary && !hasTooManyChoices ? .multipleSelects : .multilineText
        }
        let order: [(Candidates, FieldType)] = [
            (.checkbox, .checkbox), (.number, .number), (.date, .date), (.dateTime, .dateTime), (.email, .email),
            (.url, .url),
        ]
        for (candidate, type) in order where candidates.contains(candidate) {
            if !(isPrimary && type == .checkbox) { return type }
        }
        if hasLineBreak || longest > Self.shortCharacters { return .multilineText }
        let repeats = count >= 20 && choices.count * 4 <= count
        if !isPrimary, !hasTooManyChoices, repeats, longest <= 40 { return .singleSelect }
        return .singleLineText
    }
}
