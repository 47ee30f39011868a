import Domain

// The 3 functions of regular expressions (docs/formula.md). A pattern that is none is #ERROR!, and so is too much work.

extension FunctionDefinition {
    static let regexFunctions: [FunctionDefinition] = [
        FunctionDefinition("REGEX_MATCH", 2, 2, gives: .boolean) { arguments, _ in
            applied(arguments) { (expression, text) throws(RegularExpression.TooLarge) in
                .boolean(try expression.matches(text))
            }
        },
        FunctionDefinition("REGEX_EXTRACT", 2, 2, gives: .text) { arguments, _ in
            applied(arguments) { (expression, text) throws(RegularExpression.TooLarge) in
                try expression.firstMatch(in: text).map { .text($0) } ?? .error
            }
        },
        FunctionDefinition("REGEX_REPLACE", 3, 3, gives: .text) { arguments, _ in
            guard let replacement = arguments[2].asText else { return .error }
            return applied(arguments) { (expression, text) throws(RegularExpression.TooLarge) in
                .text(try expression.replacing(in: text, with: replacement))
            }
        },
    ]

    private static func applied(
        _ arguments: [FormulaValue],
        _ apply: (RegularExpression, String) throws(RegularExpression.TooLarge) -> FormulaValue
    ) -> FormulaValue {
        guard let text = arguments[0].asText, let pattern = arguments[1].asText,
            let expression = RegularExpression.compiled(pattern)
        else { return .error }
        do {
            return try apply(expression, text)
        } catch {
            return .error  // the work is bounded, and what it would have given nobody knows
        }
    }
}
