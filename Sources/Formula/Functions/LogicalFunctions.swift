extension FunctionDefinition {
    /// IF, SWITCH and the constants are the compiler's own.
    static let logicalFunctions: [FunctionDefinition] = [
        FunctionDefinition("AND", 1, nil, gives: .boolean) { arguments, _ in
            truths(arguments).map { .boolean($0.truthy == $0.count) } ?? .error
        },
        FunctionDefinition("OR", 1, nil, gives: .boolean) { arguments, _ in
            truths(arguments).map { .boolean($0.truthy > 0) } ?? .error
        },
        FunctionDefinition("XOR", 1, nil, gives: .boolean) { arguments, _ in
            truths(arguments).map { .boolean($0.truthy % 2 == 1) } ?? .error
        },
        FunctionDefinition("NOT", 1, 1, gives: .boolean) { arguments, _ in
            arguments[0].asBoolean.map { .boolean(!$0) } ?? .error
        },
        FunctionDefinition("ERROR", 0, 1, gives: { _ in .any }, takesErrors: true) { _, _ in .error },
        FunctionDefinition("ISERROR", 1, 1, gives: { _ in .boolean }, takesErrors: true) { arguments, _ in
            .boolean(isError(arguments[0]))
        },
    ]

    /// How many conditions hold, and of how many; arrays stand for their items. Nil when one is an error.
    private static func truths(_ arguments: [FormulaValue]) -> (truthy: Int, count: Int)? {
        var truthy = 0
        var count = 0
        for argument in arguments {
            if case .array(let items) = argument {
                guard let inner = truths(items) else { return nil }
                truthy += inner.truthy
                count += inner.count
            } else {
                guard let holds = argument.asBoolean else { return nil }
                count += 1
                if holds { truthy += 1 }
            }
        }
        return (truthy, count)
    }

    private static func isError(_ value: FormulaValue) -> Bool {
        switch value {
        case .error: true
        case .number(let number): !number.isFinite
        case .array(let items): items.contains(where: isError)
        default: false
        }
    }
}
