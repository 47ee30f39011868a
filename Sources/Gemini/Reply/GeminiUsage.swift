import Domain

/// Tokens of one reply as the API counts them, or of several replies together.
public struct GeminiUsage: Sendable, Hashable {
    /// Includes the cached ones.
    public var prompt = 0
    public var cached = 0
    /// Written, thoughts not included.
    public var candidates = 0
    /// Read by tools that run at the provider.
    public var toolUsePrompt = 0
    public var thoughts = 0

    public init() {}

    /// Everything read and written.
    public var total: Int { prompt + toolUsePrompt + candidates + thoughts }

    /// Takes `usageMetadata`, which counts from the beginning of its reply; numbers that are missing stay,
    /// and none is more than `Limits.reportedTokens`.
    mutating func update(_ json: JSONValue) {
        func take(_ name: String, _ count: inout Int) {
            if let new = json[name]?.wholeNumber { count = max(0, min(new, Limits.reportedTokens)) }
        }
        take("promptTokenCount", &prompt)
        take("cachedContentTokenCount", &cached)
        take("candidatesTokenCount", &candidates)
        take("toolUsePromptTokenCount", &toolUsePrompt)
        take("thoughtsTokenCount", &thoughts)
    }

    public static func + (left: Self, right: Self) -> Self {
        var sum = left
        sum.prompt += right.prompt
        sum.cached += right.cached
        sum.candidates += right.candidates
        sum.toolUsePrompt += right.toolUsePrompt
        sum.thoughts += right.thoughts
        return sum
    }

    public static func += (left: inout Self, right: Self) { left = left + right }
}

extension JSONValue {
    /// A whole number, also where proto3's JSON writes 64-bit ones as strings.
    var wholeNumber: Int? { intValue ?? stringValue.flatMap { Int($0) } }
}
