public import Domain

/// A whole answer: `chat.completion`.
public struct OpenAIChatReply: Sendable, Hashable {
    public var id: String
    /// Seconds since 1970.
    public var created: Int
    public var model: String
    public var message: OpenAIMessage
    /// `stop`, `length`, `tool_calls`, `content_filter`; servers have others.
    public var finishReason: String?
    public var usage: OpenAIUsage?

    public init(
        id: String,
        created: Int,
        model: String,
        message: OpenAIMessage,
        finishReason: String?,
        usage: OpenAIUsage?
    ) {
        self.id = id
        self.created = created
        self.model = model
        self.message = message
        self.finishReason = finishReason
        self.usage = usage
    }

    public var json: JSONValue {
        var members: JSONObject = [
            "id": .string(id), "object": "chat.completion", "created": .number(JSONNumber(created)),
            "model": .string(model),
            "choices": [
                [
                    "index": 0, "message": message.json, "logprobs": .null,
                    "finish_reason": finishReason.map { .string($0) } ?? .null,
                ]
            ],
        ]
        members["usage"] = usage?.json
        return .object(members)
    }
}

/// One frame of a streamed answer: `chat.completion.chunk`.
public struct OpenAIChunk: Sendable, Hashable {
    public enum Delta: Sendable, Hashable {
        case role
        case content(String)
        case reasoning(String)
        /// Whole calls, each with its place.
        case toolCalls([OpenAIToolCall])
        case finish(String)
        /// The last frame, if it was asked for; it has no choices.
        case usage(OpenAIUsage)
    }

    public var id: String
    public var created: Int
    public var model: String
    public var delta: Delta

    public init(id: String, created: Int, model: String, delta: Delta) {
        self.id = id
        self.created = created
        self.model = model
        self.delta = delta
    }

    /// - Parameter announcesUsage: whether a usage frame will come; the others then carry a null in its place.
    public func json(announcesUsage: Bool) -> JSONValue {
        var members: JSONObject = [
            "id": .string(id), "object": "chat.completion.chunk", "created": .number(JSONNumber(created)),
            "model": .string(model),
        ]
        if case .usage(let usage) = delta {
            members["choices"] = []
            members["usage"] = usage.json
            return .object(members)
        }
        var finish = JSONValue.null
        if case .finish(let reason) = delta { finish = .string(reason) }
        members["choices"] = [["index": 0, "delta": .object(deltaMembers), "logprobs": .null, "finish_reason": finish]]
        if announcesUsage { members["usage"] = .null }
        return .object(members)
    }

    private var deltaMembers: JSONObject {
        switch delta {
        case .role: return ["role": "assistant", "content": ""]
        case .content(let text): return ["content": .string(text)]
        case .reasoning(let text): return ["reasoning_content": .string(text)]
        case .toolCalls(let calls):
            let elements = calls.enumerated().map { position, call -> JSONValue in
                guard case .object(var members) = call.json else { return call.json }
                members["index"] = .number(JSONNumber(position))
                return .object(members)
            }
            return ["tool_calls": .array(elements)]
        case .finish, .usage: return [:]
        }
    }
}
