public import Domain

/// One message of a chat.
public struct OpenAIMessage: Sendable, Hashable {
    public var role: OpenAIRole
    /// Text parts of a list are joined.
    public var content: String?
    public var toolCalls: [OpenAIToolCall]
    /// Of a tool's answer: the call it answers.
    public var toolCallID: String?
    /// Who speaks, where several have one role; a tool's name in older clients.
    public var name: String?
    /// What a model thought aloud: `reasoning_content` (llama.cpp, vLLM) or `reasoning` (Ollama).
    public var reasoning: String?
    /// Why a model declined.
    public var refusal: String?

    public init(
        _ role: OpenAIRole,
        _ content: String? = nil,
        toolCalls: [OpenAIToolCall] = [],
        toolCallID: String? = nil,
        name: String? = nil,
        reasoning: String? = nil,
        refusal: String? = nil
    ) {
        self.role = role
        self.content = content
        self.toolCalls = toolCalls
        self.toolCallID = toolCallID
        self.name = name
        self.reasoning = reasoning
        self.refusal = refusal
    }

    public var json: JSONValue {
        var members: JSONObject = ["role": .string(role.rawValue), "content": content.map { .string($0) } ?? .null]
        if !toolCalls.isEmpty { members["tool_calls"] = .array(toolCalls.map(\.json)) }
        members["tool_call_id"] = toolCallID.map { .string($0) }
        members["name"] = name.map { .string($0) }
        members["reasoning_content"] = reasoning.map { .string($0) }
        members["refusal"] = refusal.map { .string($0) }
        return .object(members)
    }
}

/// A function that a model asks for.
public struct OpenAIToolCall: Sendable, Hashable {
    public var id: String
    public var name: String
    /// JSON as text, as the model wrote it: it may be no JSON at all.
    public var arguments: String

    public init(id: String, name: String, arguments: String) {
        self.id = id
        self.name = name
        self.arguments = arguments
    }

    public var json: JSONValue {
        [
            "id": .string(id), "type": "function",
            "function": ["name": .string(name), "arguments": .string(arguments)],
        ]
    }
}

/// A function that a model may ask for.
public struct OpenAITool: Sendable, Hashable {
    public var name: String
    public var description: String?
    public var parameters: JSONSchema

    public init(name: String, description: String?, parameters: JSONSchema) {
        self.name = name
        self.description = description
        self.parameters = parameters
    }

    public var json: JSONValue {
        var function: JSONObject = ["name": .string(name)]
        function["description"] = description.map { .string($0) }
        function["parameters"] = parameters.json
        return ["type": "function", "function": .object(function)]
    }

    /// Names of functions: `[A-Za-z0-9_-]{1,64}`.
    public static func isName(_ text: String) -> Bool {
        (1...64).contains(text.utf8.count)
            && text.utf8.allSatisfy { byte in
                switch byte {
                case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                    UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"), UInt8(ascii: "-"):
                    true
                default: false
                }
            }
    }
}
