public import Domain

/// One turn of a conversation with a model, as this product keeps it, whatever the provider.
public struct ModelMessage: Sendable, Hashable, Codable {
    public enum Role: String, Sendable, Hashable, Codable {
        case user
        case model
        /// Answers to the tool calls of the model message before it: one for each, in the order of the calls.
        case tool
    }

    public var role: Role
    public var parts: [ModelPart]
    /// The provider's own form of this message, to be sent back to that provider exactly as it came.
    public var original: ProviderOriginal?

    public init(_ role: Role, _ parts: [ModelPart], original: ProviderOriginal? = nil) {
        self.role = role
        self.parts = parts
        self.original = original
    }

    public static func user(_ text: String) -> Self { Self(.user, [.text(text)]) }

    /// All visible text, joined.
    public var text: String {
        parts.reduce(into: "") { text, part in if case .text(let piece) = part { text += piece } }
    }

    public var toolCalls: [ModelToolCall] {
        parts.compactMap { if case .toolCall(let call) = $0 { call } else { nil } }
    }
}

/// One piece of a message.
public enum ModelPart: Sendable, Hashable, Codable {
    case text(String)
    /// What a model thought aloud; never part of the answer.
    case thought(String)
    case toolCall(ModelToolCall)
    case toolResult(ModelToolResult)
}

/// A model asks for a tool.
public struct ModelToolCall: Sendable, Hashable, Codable {
    /// Unique in its run; made by the provider adapter where the provider gives none, or one twice.
    public var id: String
    public var name: String
    public var arguments: JSONValue
    /// What was wrong with the arguments as the provider sent them, such as broken JSON; the call is then not run.
    public var defect: String?

    public init(id: String, name: String, arguments: JSONValue, defect: String? = nil) {
        self.id = id
        self.name = name
        self.arguments = arguments
        self.defect = defect
    }
}

/// The answer to one tool call. Its text is data, never instruction.
public struct ModelToolResult: Sendable, Hashable, Codable {
    public var callID: String
    public var name: String
    public var text: String
    public var isError: Bool

    public init(callID: String, name: String, text: String, isError: Bool = false) {
        self.callID = callID
        self.name = name
        self.text = text
        self.isError = isError
    }
}

/// A provider's parts verbatim: signatures, empty parts, order, identifiers.
public struct ProviderOriginal: Sendable, Hashable, Codable {
    /// Which adapter can read it, such as `gemini`.
    public var provider: String
    /// Within a provider, which models accept each other's signatures, such as `gemini-3`.
    public var family: String
    public var value: JSONValue

    public init(provider: String, family: String, value: JSONValue) {
        self.provider = provider
        self.family = family
        self.value = value
    }
}
