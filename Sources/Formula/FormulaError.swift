public import Domain

/// Why a text is no formula.
public struct FormulaError: Failure, Hashable {
    public enum Code: String, Sendable, Hashable, CaseIterable {
        case syntax
        case unknownField
        case unknownFunction
        case argumentCount
        case argumentType
        case tooLarge
    }

    public let code: Code
    public let message: String
    /// The nearest name, or what to write instead.
    public let hint: String?
    /// Where in the text, counted in Unicode scalars from 0.
    public let position: Int
    /// Every unknown field of the formula, in lower case, as the hosted API lists them.
    public let unknownFields: [String]

    public init(
        _ code: Code,
        _ message: String,
        at position: Int,
        hint: String? = nil,
        unknownFields: [String] = []
    ) {
        self.code = code
        self.message = message
        self.hint = hint
        self.position = position
        self.unknownFields = unknownFields
    }

    public var kind: FailureKind { code == .tooLarge ? .tooLarge : .invalid }
}
