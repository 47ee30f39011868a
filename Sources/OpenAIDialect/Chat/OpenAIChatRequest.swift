public import Domain

/// The body of `POST /v1/chat/completions`.
public struct OpenAIChatRequest: Sendable, Hashable {
    public enum ToolChoice: Sendable, Hashable {
        case auto, none, required
        case function(String)
    }

    public enum ResponseFormat: Sendable, Hashable {
        case text
        case jsonObject
        case jsonSchema(name: String, schema: JSONSchema, isStrict: Bool)
    }

    /// How the bound of written tokens is called: the newer name, or the one that local servers know.
    public enum TokenLimitName: String, Sendable, Hashable, Codable {
        case maxTokens = "max_tokens"
        case maxCompletionTokens = "max_completion_tokens"
    }

    public var model: String
    public var messages: [OpenAIMessage]
    public var tools: [OpenAITool]
    public var toolChoice: ToolChoice?
    public var responseFormat: ResponseFormat?
    public var temperature: Double?
    public var topP: Double?
    public var outputTokensMax: Int?
    public var tokenLimitName: TokenLimitName
    public var stop: [String]
    public var seed: Int?
    public var reasoningEffort: String?
    public var isStream: Bool
    /// Of a stream: whether its last chunk tells the usage.
    public var includesUsage: Bool

    public init(
        model: String,
        messages: [OpenAIMessage],
        tools: [OpenAITool] = [],
        toolChoice: ToolChoice? = nil,
        responseFormat: ResponseFormat? = nil,
        temperature: Double? = nil,
        topP: Double? = nil,
        outputTokensMax: Int? = nil,
        tokenLimitName: TokenLimitName = .maxTokens,
        stop: [String] = [],
        seed: Int? = nil,
        reasoningEffort: String? = nil,
        isStream: Bool = false,
        includesUsage: Bool = false
    ) {
        self.model = model
        self.messages = messages
        self.tools = tools
        self.toolChoice = toolChoice
        self.responseFormat = responseFormat
        self.temperature = temperature
        self.topP = topP
        self.outputTokensMax = outputTokensMax
        self.tokenLimitName = tokenLimitName
        self.stop = stop
        self.seed = seed
        self.reasoningEffort = reasoningEffort
        self.isStream = isStream
        self.includesUsage = includesUsage
    }

    public var json: JSONValue {
        var members: JSONObject = ["model": .string(model), "messages": .array(messages.map(\.json))]
        if !tools.isEmpty {
            members["tools"] = .array(tools.map(\.json))
            members["tool_choice"] = toolChoice?.json
        }
        members["response_format"] = responseFormat?.json
        members["temperature"] = temperature.flatMap { JSONNumber($0) }.map { .number($0) }
        members["top_p"] = topP.flatMap { JSONNumber($0) }.map { .number($0) }
        members[tokenLimitName.rawValue] = outputTokensMax.map { .number(JSONNumber($0)) }
        if !stop.isEmpty { members["stop"] = .array(stop.map { .string($0) }) }
        members["seed"] = seed.map { .number(JSONNumber($0)) }
        members["reasoning_effort"] = reasoningEffort.map { .string($0) }
        if isStream {
            members["stream"] = true
            if includesUsage { members["stream_options"] = ["include_usage": true] }
        }
        return .object(members)
    }
}

extension OpenAIChatRequest.ToolChoice {
    var json: JSONValue {
        switch self {
        case .auto: "auto"
        case .none: "none"
        case .required: "required"
        case .function(let name): ["type": "function", "function": ["name": .string(name)]]
        }
    }
}

extension OpenAIChatRequest.ResponseFormat {
    var json: JSONValue {
        switch self {
        case .text: return ["type": "text"]
        case .jsonObject: return ["type": "json_object"]
        case .jsonSchema(let name, let schema, let isStrict):
            var members: JSONObject = ["name": .string(name), "schema": schema.json]
            if isStrict { members["strict"] = true }
            return ["type": "json_schema", "json_schema": .object(members)]
        }
    }
}
