public import Domain

/// What is wrong with the settings: everything at once, so that one round of mending is enough.
public struct ConfigurationError: Failure, Equatable {
    public enum Code: String, Sendable {
        case invalidSetting = "INVALID_SETTING"
        case unreadableFile = "UNREADABLE_CONFIG_FILE"
        /// A server would be open to others in a way that is seldom meant.
        case unsafeSetting = "UNSAFE_SETTING"
    }

    public let code: Code
    /// One line a problem: which setting, where it came from, what was expected.
    public let problems: [String]

    public var kind: FailureKind { .notConfigured }
    public var message: String { problems.joined(separator: "; ") }
    public var hint: String? { "`pyairtable-ai config` shows every setting and where it comes from" }

    init(_ code: Code, _ problems: [String]) {
        self.code = code
        self.problems = problems
    }

    public static func == (left: Self, right: Self) -> Bool { left.code == right.code }
}
