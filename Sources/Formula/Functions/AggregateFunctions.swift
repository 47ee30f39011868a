import Domain

extension FunctionDefinition {
    /// Functions over any number of values and arrays of them.
    static let aggregateFunctions: [FunctionDefinition] = [
        FunctionDefinition("AVERAGE", 1, nil, gives: .number) { arguments, _ in
            tally(arguments).map { .number($0.sum / Double($0.numbers)) } ?? .error
        },
        FunctionDefinition("COUNT", 1, nil, gives: .number) { arguments, _ in
            tally(arguments).map { .number(Double($0.numbers)) } ?? .error
        },
        FunctionDefinition("COUNTA", 1, nil, gives: .number) { arguments, _ in
            tally(arguments).map { .number(Double($0.filled)) } ?? .error
        },
        FunctionDefinition("COUNTALL", 1, nil, gives: .number) { arguments, _ in
            tally(arguments).map { .number(Double($0.all)) } ?? .error
        },
        FunctionDefinition("MAX", 1, nil, gives: extremeType) { arguments, _ in
            tally(arguments).map { $0.extreme($0.greatest) } ?? .error
        },
        FunctionDefinition("MIN", 1, nil, gives: extremeType) { arguments, _ in
            tally(arguments).map { $0.extreme($0.least) } ?? .error
        },
        FunctionDefinition("SUM", 1, nil, gives: .number) { arguments, _ in
            tally(arguments).map { .number($0.sum) } ?? .error
        },
    ]

    /// MAX and MIN of dates are dates.
    private static let extremeType: @Sendable ([FormulaType]) -> FormulaType = { types in
        let inner = types.map(\.innermost)
        if inner.contains(.any) { return .any }
        let dates = inner.filter { if case .date = $0 { true } else { false } }
        if dates.isEmpty { return .number }
        // Beside numbers that may be blank, only the record shows whether all there are is dates.
        let isMixed = inner.contains { $0 == .number || $0 == .boolean }
        return isMixed ? .any : dates.reduce(.blank) { $0.or($1) }
    }

    private static func tally(_ arguments: [FormulaValue]) -> Tally? {
        var tally = Tally()
        return tally.add(arguments) ? tally : nil
    }

    private struct Tally {
        var all = 0
        /// Not blank and not `""`.
        var filled = 0
        /// Numbers, truths and dates.
        var numbers = 0
        var sum = 0.0
        var least = Double.infinity
        var greatest = -Double.infinity
        private var dates = 0
        private var isDayOnly = true

        /// - Returns: false when there is an error among them.
        mutating func add(_ values: [FormulaValue]) -> Bool {
            for value in values {
                switch value {
                case .array(let items):
                    guard add(items) else { return false }
                case .error:
                    return false
                case .blank:
                    all += 1
                case .text(let text):
                    all += 1
                    if !text.isEmpty { filled += 1 }
                case .number(let number):
                    count(number)
                case .boolean(let boolean):
                    count(boolean ? 1 : 0)
                case .date(let date):
                    dates += 1
                    isDayOnly = isDayOnly && date.isDay
                    count(Double(date.instant.milliseconds))
                }
            }
            return true
        }

        private mutating func count(_ number: Double) {
            all += 1
            filled += 1
            numbers += 1
            sum += number
            // NaN stays: it is neither less nor greater, and the result is as unknown.
            least = number.isNaN || least.isNaN ? .nan : min(least, number)
            greatest = number.isNaN || greatest.isNaN ? .nan : max(greatest, number)
        }

        func extreme(_ number: Double) -> FormulaValue {
            if numbers == 0 { return .number(0) }
            guard dates == numbers, number.magnitude < 0x1p53 else { return .number(number) }
            return .date(FormulaDate(Instant(milliseconds: Int64(number)), isDay: isDayOnly))
        }
    }
}
