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

    public init(text: String, structured: JSONValue? = nil, content: [ContentBlock] = [], isError: Bool = false) {
        self.text = text
        self.structured = structured
        self.content = content
        self.isError = isError
    }

    /// The result that tells of a failure: its message and, on a second line, what to do next.
    public init(failure: some Failure) {
        let lines = [failure.message, failure.hint].compactMap(\.self)
        self.init(text: lines.joined(separator: "\n"), isError: true)
    }
}
