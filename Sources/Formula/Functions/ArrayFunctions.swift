extension FunctionDefinition {
    static let arrayFunctions: [FunctionDefinition] = [
        FunctionDefinition("ARRAYCOMPACT", 1, 1, gives: sameArray) { arguments, _ in
            .array(items(arguments[0]).filter { !$0.isEmptyItem })
        },
        FunctionDefinition("ARRAYFLATTEN", 1, nil, gives: flatArray) { arguments, _ in
            var result: [FormulaValue] = []
            for argument in arguments {
                if case .array(let items) = argument {
                    flatten(items, into: &result)
                } else if argument != .blank {
                    result.append(argument)
                }
            }
            return .array(result)
        },
        FunctionDefinition("ARRAYJOIN", 1, 2, gives: .text) { arguments, _ in
            let separator = arguments.count > 1 ? arguments[1].asText : FormulaDecisions.itemSeparator
            guard let separator else { return .error }
            return FormulaValue.joined(items(arguments[0]), separator).map { .text($0) } ?? .error
        },
        FunctionDefinition("ARRAYSLICE", 2, 3, gives: sameArray) { arguments, _ in
            let items = items(arguments[0])
            guard let start = arguments[1].asCount else { return .error }
            guard let end = arguments.count > 2 ? arguments[2].asCount : items.count else { return .error }
            // Counted from 1; negative ones from the end, where -1 is the last.
            let first = max(start < 0 ? items.count + start : start - 1, 0)
            let last = min(end < 0 ? items.count + end : end - 1, items.count - 1)
            return .array(first <= last ? Array(items[first...last]) : [])
        },
        FunctionDefinition("ARRAYUNIQUE", 1, 1, gives: sameArray) { arguments, _ in
            var seen: Set<ItemKey> = []
            return .array(items(arguments[0]).filter { seen.insert(ItemKey($0)).inserted })
        },
    ]

    /// What an array function works on: of a value that is none, the array of it alone; of blank, nothing.
    private static func items(_ value: FormulaValue) -> [FormulaValue] {
        switch value {
        case .array(let items): items
        case .blank: []
        default: [value]
        }
    }

    private static func flatten(_ items: [FormulaValue], into result: inout [FormulaValue]) {
        for item in items {
            if case .array(let inner) = item { flatten(inner, into: &result) } else { result.append(item) }
        }
    }

    private static let sameArray: @Sendable ([FormulaType]) -> FormulaType = { types in
        switch types[0] {
        case .array: types[0]
        case .blank: .array(.any)
        default: .array(types[0])
        }
    }

    private static let flatArray: @Sendable ([FormulaType]) -> FormulaType = { types in
        .array(types.map(\.innermost).reduce(.blank) { $0.or($1) })
    }

    /// What ARRAYUNIQUE tells apart: values of the same type, texts by code point.
    private struct ItemKey: Hashable {
        let value: FormulaValue
        let bytes: [UInt8]?

        init(_ value: FormulaValue) {
            if case .text(let text) = value {
                self.value = .blank
                bytes = Array(text.utf8)
            } else if case .date(let date) = value {
                self.value = .date(FormulaDate(date.instant))
                bytes = nil
            } else {
                self.value = value
                bytes = nil
            }
        }
    }
}

extension FormulaValue {
    /// Whether ARRAYCOMPACT drops it: `""` and blank, not FALSE and not a text of spaces.
    fileprivate var isEmptyItem: Bool {
        switch self {
        case .blank: true
        case .text(let text): text.isEmpty
        default: false
        }
    }
}
