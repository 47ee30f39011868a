/// The 84 functions with the kinds of their arguments, as the reference lists them: for making formulas.
struct FormulaSignature {
    typealias Kind = FormulaGenerator.Kind

    let name: String
    let result: Kind
    let arguments: [Kind]
    var optional: [Kind] = []
    var repeats: Kind?

    static let all: [Self] = text + logical + numeric + dates + others

    private static let text: [Self] = [
        Self(name: "CONCATENATE", result: .text, arguments: [.text], repeats: .text),
        Self(name: "ENCODE_URL_COMPONENT", result: .text, arguments: [.text]),
        Self(name: "FIND", result: .count, arguments: [.text, .text], optional: [.count]),
        Self(name: "LEFT", result: .text, arguments: [.text, .count]),
        Self(name: "LEN", result: .count, arguments: [.text]),
        Self(name: "LOWER", result: .text, arguments: [.text]),
        Self(name: "MID", result: .text, arguments: [.text, .count, .count]),
        Self(name: "REPLACE", result: .text, arguments: [.text, .count, .count, .text]),
        Self(name: "REPT", result: .text, arguments: [.text, .count]),
        Self(name: "RIGHT", result: .text, arguments: [.text, .count]),
        Self(name: "SEARCH", result: .count, arguments: [.text, .text], optional: [.count]),
        Self(name: "SUBSTITUTE", result: .text, arguments: [.text, .text, .text], optional: [.count]),
        Self(name: "T", result: .text, arguments: [.text]),
        Self(name: "TRIM", result: .text, arguments: [.text]),
        Self(name: "UPPER", result: .text, arguments: [.text]),
    ]

    private static let logical: [Self] = [
        Self(name: "AND", result: .boolean, arguments: [.boolean], repeats: .boolean),
        Self(name: "OR", result: .boolean, arguments: [.boolean], repeats: .boolean),
        Self(name: "XOR", result: .boolean, arguments: [.boolean], repeats: .boolean),
        Self(name: "NOT", result: .boolean, arguments: [.boolean]),
        Self(name: "IF", result: .text, arguments: [.boolean, .text], optional: [.number]),
        Self(
            name: "SWITCH",
            result: .number,
            arguments: [.text, .text, .number],
            optional: [.text, .number, .number]
        ),
        Self(name: "BLANK", result: .text, arguments: []),
        Self(name: "ERROR", result: .boolean, arguments: [], optional: [.text]),
        Self(name: "TRUE", result: .boolean, arguments: []),
        Self(name: "FALSE", result: .boolean, arguments: []),
        Self(name: "ISERROR", result: .boolean, arguments: [.number]),
    ]

    private static let numeric: [Self] =
        ["ABS", "EVEN", "EXP", "INT", "ODD", "SQRT"].map { Self(name: $0, result: .number, arguments: [.number]) }
        + ["AVERAGE", "SUM", "MAX", "MIN", "COUNT", "COUNTA", "COUNTALL"].map {
            Self(name: $0, result: .number, arguments: [.number], optional: [.array], repeats: .number)
        }
        + ["CEILING", "FLOOR", "LOG"].map {
            Self(name: $0, result: .number, arguments: [.number], optional: [.number])
        }
        + ["MOD", "POWER"].map { Self(name: $0, result: .number, arguments: [.number, .number]) }
        + ["ROUND", "ROUNDUP", "ROUNDDOWN"].map { Self(name: $0, result: .number, arguments: [.number, .count]) }
        + [Self(name: "VALUE", result: .number, arguments: [.text])]

    private static let dates: [Self] =
        ["DAY", "HOUR", "MINUTE", "MONTH", "SECOND", "YEAR"].map { Self(name: $0, result: .count, arguments: [.date]) }
        + ["DATESTR", "TIMESTR", "FROMNOW", "TONOW"].map { Self(name: $0, result: .text, arguments: [.date]) }
        + ["IS_AFTER", "IS_BEFORE", "IS_SAME"].map {
            Self(name: $0, result: .boolean, arguments: [.date, .date], optional: [.unit])
        }
        + ["WEEKDAY", "WEEKNUM"].map { Self(name: $0, result: .count, arguments: [.date], optional: [.unit]) }
        + ["SET_LOCALE", "SET_TIMEZONE"].map { Self(name: $0, result: .date, arguments: [.date, .format]) }
        + ["NOW", "TODAY"].map { Self(name: $0, result: .date, arguments: []) }
        + [
            Self(name: "DATEADD", result: .date, arguments: [.date, .count, .unit]),
            Self(name: "DATETIME_DIFF", result: .number, arguments: [.date, .date], optional: [.unit]),
            Self(name: "DATETIME_FORMAT", result: .text, arguments: [.date], optional: [.format]),
            Self(name: "DATETIME_PARSE", result: .date, arguments: [.text], optional: [.format, .format]),
            Self(name: "WORKDAY", result: .date, arguments: [.date, .count], optional: [.text]),
            Self(name: "WORKDAY_DIFF", result: .number, arguments: [.date, .date], optional: [.text]),
        ]

    private static let others: [Self] = [
        Self(name: "ARRAYCOMPACT", result: .array, arguments: [.array]),
        Self(name: "ARRAYFLATTEN", result: .array, arguments: [.array], repeats: .array),
        Self(name: "ARRAYJOIN", result: .text, arguments: [.array], optional: [.text]),
        Self(name: "ARRAYSLICE", result: .array, arguments: [.array, .count], optional: [.count]),
        Self(name: "ARRAYUNIQUE", result: .array, arguments: [.array]),
        Self(name: "RECORD_ID", result: .text, arguments: []),
        Self(name: "CREATED_TIME", result: .date, arguments: []),
        Self(name: "LAST_MODIFIED_TIME", result: .date, arguments: []),
        Self(name: "REGEX_MATCH", result: .boolean, arguments: [.text, .pattern]),
        Self(name: "REGEX_EXTRACT", result: .text, arguments: [.text, .pattern]),
        Self(name: "REGEX_REPLACE", result: .text, arguments: [.text, .pattern, .text]),
    ]
}
