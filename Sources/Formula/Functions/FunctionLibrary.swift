/// Every function of the language by its name.
enum FunctionLibrary {
    /// Functions of which the compiler makes instructions, with their arguments at least and at most: they are lazy, or
    /// look at the record.
    static let builtIn: [String: (least: Int, most: Int?)] = [
        "IF": (2, 3), "SWITCH": (3, nil), "BLANK": (0, 0), "TRUE": (0, 0), "FALSE": (0, 0),
        "RECORD_ID": (0, 0), "CREATED_TIME": (0, 0), "LAST_MODIFIED_TIME": (0, nil),
    ]

    static let definitions: [String: FunctionDefinition] = {
        let all: [[FunctionDefinition]] = [
            FunctionDefinition.textFunctions, FunctionDefinition.logicalFunctions,
            FunctionDefinition.numericFunctions, FunctionDefinition.aggregateFunctions,
            FunctionDefinition.arrayFunctions,
            FunctionDefinition.dateFunctions, FunctionDefinition.regexFunctions,
        ]
        return Dictionary(all.joined().map { ($0.name, $0) }) { first, _ in first }
    }()

    static let names: [String] = (Array(builtIn.keys) + Array(definitions.keys)).sorted()

    static func isKnown(_ name: String) -> Bool { builtIn[name] != nil || definitions[name] != nil }

    /// Arguments at least and at most of a known function; nil is any number.
    static func arity(of name: String) -> (least: Int, most: Int?) {
        builtIn[name] ?? definitions[name].map { ($0.least, $0.most) } ?? (0, nil)
    }
}
