import Domain
import LLM
import OpenAIDialect

/// A chat of the dialect as our models take it.
enum OpenAIConversation {
    /// - Throws: `OpenAIRequestError` for what no model could answer: calls without their results, results without a
    ///   call, an end that is the assistant's.
    static func request(
        _ chat: OpenAIChatRequest,
        memory: OpenAICallMemory,
        owner: OpenAICallMemory.Owner
    ) throws(OpenAIRequestError) -> ModelRequest {
        var request = ModelRequest(
            system: system(chat),
            messages: try messages(chat.messages, memory, owner),
            tools: tools(chat),
            toolChoice: choice(chat.toolChoice),
            outputTokensMax: chat.outputTokensMax ?? Limits.turnOutputTokens,
            temperature: chat.temperature,
            topP: chat.topP,
            stop: chat.stop,
            seed: chat.seed,
            responseSchema: schema(chat.responseFormat)
        )
        if let effort = chat.reasoningEffort {
            guard let thinking = thinking[effort] else {
                throw OpenAIRequestError(
                    "'reasoning_effort' must be none, minimal, low, medium or high",
                    parameter: "reasoning_effort"
                )
            }
            request.thinking = thinking
        }
        return request
    }

    private static let thinking: [String: ModelRequest.Thinking] = [
        "none": .off, "minimal": .minimal, "low": .low, "medium": .medium, "high": .high,
    ]

    private static func system(_ chat: OpenAIChatRequest) -> String {
        chat.messages.filter { $0.role == .system || $0.role == .developer }.compactMap(\.content)
            .joined(separator: "\n\n")
    }

    private static func tools(_ chat: OpenAIChatRequest) -> [ModelTool] {
        let tools = chat.tools.map {
            ModelTool(name: $0.name, description: $0.description ?? "", parameters: $0.parameters)
        }
        // A call of one function, and of no other, is asked for by showing no other.
        if case .function(let name) = chat.toolChoice { return tools.filter { $0.name == name } }
        return tools
    }

    private static func choice(_ choice: OpenAIChatRequest.ToolChoice?) -> ModelRequest.ToolChoice {
        switch choice {
        case nil, .some(.auto): .auto
        case .some(.none): .none
        case .some(.required), .some(.function): .required
        }
    }

    private static func schema(_ format: OpenAIChatRequest.ResponseFormat?) -> JSONSchema? {
        switch format {
        case nil, .text: nil
        case .jsonObject: JSONSchema(json: ["type": "object"])
        case .jsonSchema(_, let schema, _): schema
        }
    }

    private static func messages(
        _ messages: [OpenAIMessage],
        _ memory: OpenAICallMemory,
        _ owner: OpenAICallMemory.Owner
    ) throws(OpenAIRequestError) -> [ModelMessage] {
        var built: [ModelMessage] = []
        /// What the user says until somebody else does: messages that follow one another are one.
        var said: [String] = []
        /// The calls that wait for their results, and how the caller knows them.
        var open: [(known: String, call: ModelToolCall)] = []
        var results: [String: String] = [:]
        for (position, message) in messages.enumerated() {
            let place = "messages[\(position)]"
            if message.role == .tool {
                let id = message.toolCallID ?? ""
                guard open.contains(where: { $0.known == id }), results[id] == nil else {
                    throw OpenAIRequestError(
                        "'\(place)' answers no call of the assistant's message before it, or one that is answered",
                        parameter: "\(place).tool_call_id"
                    )
                }
                results[id] = message.content ?? ""
                if results.count == open.count {
                    built.append(answers(open, results))
                    open = []
                    results = [:]
                }
                continue
            }
            guard open.isEmpty else { throw unanswered(place, open.first { results[$0.known] == nil }?.known) }
            switch message.role {
            case .user: said.append(message.content ?? "")
            case .assistant:
                let turn = try turn(message, place)
                let kept = memory.turn(turn, of: owner) ?? turn
                open = zip(turn.toolCalls, kept.toolCalls).map { ($0.id, $1) }
                guard !kept.parts.isEmpty else { continue }
                close(&said, into: &built)
                built.append(kept)
            case .system, .developer, .tool: break
            }
        }
        guard open.isEmpty else { throw unanswered("messages", open.first { results[$0.known] == nil }?.known) }
        close(&said, into: &built)
        guard let last = built.last, last.role != .model else {
            throw OpenAIRequestError("'messages' must end with a message of the user or a tool", parameter: "messages")
        }
        guard last.role != .user || !last.text.isEmpty else {
            throw OpenAIRequestError("'messages' must not end with an empty message", parameter: "messages")
        }
        return built
    }

    private static func close(_ said: inout [String], into messages: inout [ModelMessage]) {
        if !said.isEmpty { messages.append(.user(said.joined(separator: "\n\n"))) }
        said = []
    }

    private static func turn(_ message: OpenAIMessage, _ place: String) throws(OpenAIRequestError) -> ModelMessage {
        var parts: [ModelPart] = []
        if let text = message.content, !text.isEmpty { parts.append(.text(text)) }
        var seen: Set<String> = []
        for (position, call) in message.toolCalls.enumerated() {
            let callPlace = "\(place).tool_calls[\(position)]"
            guard seen.insert(call.id).inserted else {
                throw OpenAIRequestError("'\(callPlace).id' stands twice", parameter: "\(callPlace).id")
            }
            let text = call.arguments.isEmpty ? "{}" : call.arguments
            guard case .object(let arguments)? = try? JSONValue(parsing: text) else {
                throw OpenAIRequestError(
                    "'\(callPlace).function.arguments' must be a JSON object, as text",
                    parameter: "\(callPlace).function.arguments"
                )
            }
            parts.append(.toolCall(ModelToolCall(id: call.id, name: call.name, arguments: .object(arguments))))
        }
        return ModelMessage(.model, parts)
    }

    /// One result for each call, in the order of the calls.
    private static func answers(
        _ open: [(known: String, call: ModelToolCall)],
        _ results: [String: String]
    ) -> ModelMessage {
        ModelMessage(
            .tool,
            open.map { entry in
                .toolResult(
                    ModelToolResult(callID: entry.call.id, name: entry.call.name, text: results[entry.known] ?? "")
                )
            }
        )
    }

    private static func unanswered(_ place: String, _ id: String?) -> OpenAIRequestError {
        OpenAIRequestError(
            "'\(place)': the call '\(id ?? "")' has no result: a message with 'tool_calls' must be followed by one "
                + "message of a tool for each",
            parameter: place
        )
    }
}

extension OpenAIUsage {
    /// Thoughts are part of the completion here.
    init(_ usage: TokenUsage) {
        self.init(
            promptTokens: usage.input,
            completionTokens: usage.output + usage.thoughts,
            cachedTokens: usage.cachedInput,
            reasoningTokens: usage.thoughts
        )
    }
}

extension ModelOutcome {
    /// The dialect's word.
    var finishReason: String {
        switch self {
        case .complete: "stop"
        case .toolCalls: "tool_calls"
        case .truncated: "length"
        case .refused, .stopped: "content_filter"
        }
    }
}
