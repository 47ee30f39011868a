/// A request to run one tool.
public struct ToolCall: Sendable, Hashable {
    public let name: String
    public let arguments: JSONObject

    public init(name: String, arguments: JSONObject = [:]) {
        self.name = name
        self.arguments = arguments
    }
}

/// What a tool answered. A tool that failed answers too, so that a model can read why and try again.
public struct ToolResult: Sendable, Hashable {
    /// For reading: compact, complete enough to act on.
    public let text: String
    /// By the tool's output schema; nil when it has none or failed.
    public let structured: JSONValue?
    /// What follows the text: links to what it speaks of, pictures.
    public let content: [ContentBlock]
    public let isError: Bool
    /// Why it failed, for edges that have a form of their own for that.
    public let problem: ToolProblem?

    public init(
        text: String,
        structured: JSONValue? = nil,
        content: [ContentBlock] = [],
        isError: Bool = false,
        problem: ToolProblem? = nil
    ) {
        self.text = text
        self.structured = structured
        self.content = content
        self.isError = isError
        self.problem = problem
    }

    /// The result that tells of a failure: its message and, on a second line, what to do next.
    public init(failure: some Failure) {
        let lines = [failure.message, failure.hint].compactMap(\.self)
        self.init(text: lines.joined(separator: "\n"), isError: true, problem: ToolProblem(failure))
    }
}

/// A failure as a value.
public struct ToolProblem: Sendable, Hashable {
    public let code: String
    public let kind: FailureKind
    public let message: String
    public let hint: String?

    public init(code: String, kind: FailureKind, message: String, hint: String? = nil) {
        self.code = code
        self.kind = kind
        self.message = message
        self.hint = hint
    }

    public init(_ failure: some Failure) {
        self.init(code: failure.code.rawValue, kind: failure.kind, message: failure.message, hint: failure.hint)
    }
}
