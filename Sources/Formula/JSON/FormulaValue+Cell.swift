public import Domain

// The shapes of cells in Airtable's API.

extension FormulaValue {
    /// Reads a cell as the API gives it; where the type leaves it open, the JSON kind decides.
    public init(cell: JSONValue, type: FormulaType = .any) {
        switch cell {
        case .null: self = .blank
        case .bool(let boolean):
            // A box that is not ticked is an empty cell; only where nobody said what it is may it be FALSE.
            self = type == .boolean && !boolean ? .blank : .boolean(boolean)
        case .number(let number): self = Self(number: number.doubleValue, type: type)
        case .string(let text): self = Self(text: text, type: type)
        case .array(let elements):
            let itemType = if case .array(let item) = type { item } else { FormulaType.any }
            self = .array(elements.map { FormulaValue(cell: $0, type: itemType) })
            return
        case .object(let members): self = Self(object: members)
        }
        if case .array = type, self != .blank, self != .error { self = .array([self]) }
    }

    private init(number: Double, type: FormulaType) {
        switch type {
        case .boolean: self = .boolean(number != 0)
        case .text: self = .text(Self.text(of: number))
        default: self = .number(number)
        }
    }

    private init(text: String, type: FormulaType) {
        switch type {
        case .number: self = Self.number(in: text).map { .number($0) } ?? .text(text)
        case .date(let isDay):
            guard var date = FormulaDate(reading: text) else {
                self = .error
                return
            }
            if isDay { date.instant = Instant(CalendarDate(date.instant)) }
            date.isDay = isDay
            self = .date(date)
        case .array(let item): self = Self(text: text, type: item)
        default: self = .text(text)
        }
    }

    /// Errors, and what stands for a person, a file, a code, a button or a generated text.
    private init(object members: JSONObject) {
        func text(_ key: String) -> String? { members[key]?.stringValue }
        if members["error"] != nil {
            self = .error
        } else if let special = text("specialValue") {
            switch special {
            case "NaN": self = .number(.nan)
            case "Infinity": self = .number(.infinity)
            case "-Infinity": self = .number(-.infinity)
            default: self = .error
            }
        } else if let file = text("filename") {
            self = .text(text("url").map { "\(file) (\($0))" } ?? file)
        } else if let words = text("text") ?? text("name") ?? text("email") ?? text("label") ?? text("value") {
            self = .text(words)
        } else {
            self = (text("url") ?? text("id")).map { .text($0) } ?? .blank
        }
    }

    /// The value as a cell: null when blank, 1 and 0 for truths, an object for errors and for numbers that JSON lacks.
    public var cell: JSONValue {
        switch self {
        case .blank: .null
        case .number(let number):
            if number == 0 {
                .number(0)
            } else {
                JSONNumber(number).map { .number($0) } ?? ["specialValue": .string(Self.text(of: number))]
            }
        case .text(let text): .string(text)
        case .boolean(let boolean): .number(boolean ? 1 : 0)
        case .date(let date): .string(date.isDay ? CalendarDate(date.instant).iso8601 : date.instant.iso8601)
        case .array(let items): .array(items.map(\.cell))
        case .error: ["error": "#ERROR!"]
        }
    }
}
