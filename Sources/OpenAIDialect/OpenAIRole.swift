/// Who speaks in a message of the chat completions dialect.
public enum OpenAIRole: String, Sendable, Hashable, Codable {
    case system, developer, user, assistant, tool
}
