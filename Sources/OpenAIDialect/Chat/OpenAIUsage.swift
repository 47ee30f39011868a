public import Domain

/// Tokens, as the dialect counts them.
public struct OpenAIUsage: Sendable, Hashable {
    /// Cached ones included.
    public var promptTokens: Int
    /// Reasoning included.
    public var completionTokens: Int
    public var cachedTokens: Int
    public var reasoningTokens: Int

    public init(promptTokens: Int = 0, completionTokens: Int = 0, cachedTokens: Int = 0, reasoningTokens: Int = 0) {
        self.promptTokens = promptTokens
        self.completionTokens = completionTokens
        self.cachedTokens = cachedTokens
        self.reasoningTokens = reasoningTokens
    }

    /// Nil for anything but an object; counts that are missing, or no numbers, are 0, and none
    /// is more than `Limits.reportedTokens`.
    public init?(json: JSONValue?) {
        guard case .object(let members)? = json else { return nil }
        func count(_ value: JSONValue?) -> Int { max(0, min(value?.intValue ?? 0, Limits.reportedTokens)) }
        promptTokens = count(members["prompt_tokens"])
        completionTokens = count(members["completion_tokens"])
        cachedTokens = min(promptTokens, count(members["prompt_tokens_details"]?["cached_tokens"]))
        reasoningTokens = min(completionTokens, count(members["completion_tokens_details"]?["reasoning_tokens"]))
    }

    public var json: JSONValue {
        [
            "prompt_tokens": .number(JSONNumber(promptTokens)),
            "completion_tokens": .number(JSONNumber(completionTokens)),
            "total_tokens": .number(JSONNumber(promptTokens + completionTokens)),
            "prompt_tokens_details": ["cached_tokens": .number(JSONNumber(cachedTokens))],
            "completion_tokens_details": ["reasoning_tokens": .number(JSONNumber(reasoningTokens))],
        ]
    }
}
