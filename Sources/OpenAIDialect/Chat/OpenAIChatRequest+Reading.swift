public import Domain

extension OpenAIChatRequest {
    /// Reads a request as a server does: what the dialect has and this server cannot do is refused by name; members it
    /// has never heard of, and those that change nothing here (`user`, `metadata`, penalties), are passed over.
    public init(reading json: JSONValue) throws(OpenAIRequestError) {
        let reader = try OpenAIRequestReader(json)
        try Self.refuseUnsupported(reader)
        self.init(model: try reader.requiredString("model"), messages: try Self.messages(reader))
        tools = try Self.tools(reader)
        toolChoice = try Self.toolChoice(reader, tools: tools)
        responseFormat = try Self.responseFormat(reader)
        temperature = try reader.double("temperature", in: 0...2)
        topP = try reader.double("top_p", in: 0...1)
        if let limit = try reader.int("max_completion_tokens", in: 1...Int(Int32.max)) {
            outputTokensMax = limit
            tokenLimitName = .maxCompletionTokens
        } else {
            outputTokensMax = try reader.int("max_tokens", in: 1...Int(Int32.max))
        }
        stop = try Self.stop(reader)
        seed = try reader.int("seed", in: Int.min...Int.max)
        reasoningEffort = try reader.string("reasoning_effort")
        isStream = try reader.bool("stream") ?? false
        includesUsage = try reader.object("stream_options")?.bool("include_usage") ?? false
    }

    private static func refuseUnsupported(_ reader: OpenAIRequestReader) throws(OpenAIRequestError) {
        if let count = try reader.int("n", in: 1...128), count != 1 {
            throw reader.refused("n", "must be 1: this server gives one choice")
        }
        if try reader.bool("logprobs") == true { throw reader.refused("logprobs", "is not supported") }
        for key in ["functions", "function_call"] where reader.value(key) != nil {
            throw reader.refused(key, "is not supported: use 'tools' and 'tool_choice'")
        }
        if reader.value("audio") != nil { throw reader.refused("audio", "is not supported") }
        if let modalities = try reader.array("modalities"), modalities != ["text"] {
            throw reader.refused("modalities", "must be [\"text\"]")
        }
    }

    private static func messages(_ reader: OpenAIRequestReader) throws(OpenAIRequestError) -> [OpenAIMessage] {
        guard let elements = try reader.array("messages") else { throw reader.missing("messages") }
        guard !elements.isEmpty else { throw reader.refused("messages", "must have at least one message") }
        var messages: [OpenAIMessage] = []
        for (position, element) in elements.enumerated() {
            messages.append(try message(OpenAIRequestReader(element, path: "messages[\(position)]")))
        }
        return messages
    }

    private static func message(_ reader: OpenAIRequestReader) throws(OpenAIRequestError) -> OpenAIMessage {
        let name = try reader.requiredString("role")
        guard let role = OpenAIRole(rawValue: name) else {
            throw reader.refused("role", "must be system, developer, user, assistant or tool")
        }
        let message = OpenAIMessage(
            role,
            try content(reader),
            toolCalls: try toolCalls(reader),
            toolCallID: try reader.string("tool_call_id"),
            name: try reader.string("name")
        )
        guard role == .assistant || message.toolCalls.isEmpty else {
            throw reader.refused("tool_calls", "may only stand in a message of the assistant")
        }
        guard message.content != nil || role == .assistant else { throw reader.missing("content") }
        guard message.toolCallID != nil || role != .tool else { throw reader.missing("tool_call_id") }
        return message
    }

    /// A string, or a list of text parts.
    private static func content(_ reader: OpenAIRequestReader) throws(OpenAIRequestError) -> String? {
        guard let value = reader.value("content") else { return nil }
        if case .string(let text) = value { return text }
        guard case .array(let parts) = value else { throw reader.wrong("content", "a string or an array", value) }
        var text = ""
        for (position, element) in parts.enumerated() {
            let part = try OpenAIRequestReader(element, path: "\(reader.place("content"))[\(position)]")
            switch try part.requiredString("type") {
            case "text": text += try part.requiredString("text")
            case "refusal": text += try part.requiredString("refusal")
            case let type: throw part.refused("type", "must be text: '\(type)' is not supported")
            }
        }
        return text
    }

    private static func toolCalls(_ reader: OpenAIRequestReader) throws(OpenAIRequestError) -> [OpenAIToolCall] {
        var calls: [OpenAIToolCall] = []
        for (position, element) in try bounded("tool_calls", reader).enumerated() {
            let call = try OpenAIRequestReader(element, path: "\(reader.place("tool_calls"))[\(position)]")
            guard let function = try call.object("function") else { throw call.missing("function") }
            calls.append(
                OpenAIToolCall(
                    id: try call.requiredString("id"),
                    name: try function.requiredString("name"),
                    arguments: try function.string("arguments") ?? ""
                )
            )
        }
        return calls
    }

    /// Tools or calls: they are looked up by name and identifier, so their number has a bound.
    private static func bounded(
        _ key: String,
        _ reader: OpenAIRequestReader
    ) throws(OpenAIRequestError) -> [JSONValue] {
        let elements = try reader.array(key) ?? []
        guard elements.count <= Limits.dialectTools else {
            throw reader.refused(key, "must have at most \(Limits.dialectTools) elements")
        }
        return elements
    }

    private static func tools(_ reader: OpenAIRequestReader) throws(OpenAIRequestError) -> [OpenAITool] {
        var tools: [OpenAITool] = []
        for (position, element) in try bounded("tools", reader).enumerated() {
            let tool = try OpenAIRequestReader(element, path: "tools[\(position)]")
            guard try tool.string("type") ?? "function" == "function" else {
                throw tool.refused("type", "must be function")
            }
            guard let function = try tool.object("function") else { throw tool.missing("function") }
            let name = try function.requiredString("name")
            guard OpenAITool.isName(name) else {
                throw function.refused("name", "must be 1 to 64 letters, digits, underscores or hyphens")
            }
            guard !tools.contains(where: { $0.name == name }) else { throw function.refused("name", "stands twice") }
            let parameters = try function.object("parameters").map { JSONSchema(json: .object($0.members)) }
            tools.append(
                OpenAITool(
                    name: name,
                    description: try function.string("description"),
                    parameters: parameters ?? JSONSchema.object(properties: [:])
                )
            )
        }
        return tools
    }

    private static func toolChoice(
        _ reader: OpenAIRequestReader,
        tools: [OpenAITool]
    ) throws(OpenAIRequestError) -> ToolChoice? {
        guard let value = reader.value("tool_choice") else { return nil }
        switch value {
        case "none": return ToolChoice.none
        case "auto": return .auto
        case "required":
            guard !tools.isEmpty else { throw reader.refused("tool_choice", "needs 'tools'") }
            return .required
        case .object:
            guard let name = value["function"]?["name"]?.stringValue, tools.contains(where: { $0.name == name }) else {
                throw reader.refused("tool_choice", "must name a function of 'tools'")
            }
            return .function(name)
        default: throw reader.refused("tool_choice", "must be none, auto, required or a function")
        }
    }

    private static func responseFormat(_ reader: OpenAIRequestReader) throws(OpenAIRequestError) -> ResponseFormat? {
        guard let format = try reader.object("response_format") else { return nil }
        switch try format.requiredString("type") {
        case "text": return .text
        case "json_object": return .jsonObject
        case "json_schema":
            guard let schema = try format.object("json_schema") else { throw format.missing("json_schema") }
            let json = try schema.object("schema").map { JSONValue.object($0.members) } ?? [:]
            return .jsonSchema(
                name: try schema.requiredString("name"),
                schema: JSONSchema(json: json),
                isStrict: try schema.bool("strict") ?? false
            )
        default: throw format.refused("type", "must be text, json_object or json_schema")
        }
    }

    private static func stop(_ reader: OpenAIRequestReader) throws(OpenAIRequestError) -> [String] {
        guard let value = reader.value("stop") else { return [] }
        let texts: [JSONValue]
        if case .array(let elements) = value { texts = elements } else { texts = [value] }
        guard texts.count <= 4 else { throw reader.refused("stop", "must have at most 4 texts") }
        var stop: [String] = []
        for element in texts {
            guard case .string(let text) = element, !text.isEmpty else {
                throw reader.refused("stop", "must be a text or an array of texts, none of them empty")
            }
            stop.append(text)
        }
        return stop
    }
}
