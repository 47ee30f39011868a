public import Domain

/// What happens in a run, in order; the shape that chat shows and stores.
public enum RunEvent: Sendable, Hashable {
    case stepStarted(step: Int, model: ModelName)
    case text(String)
    case thought(String)
    /// All text since the last `stepStarted` is void.
    case textVoided
    case toolStarted(ModelToolCall)
    case toolFinished(callID: String, result: ToolResult, duration: Duration)
    /// One turn and, with calls, their results: an atom, to be stored whole.
    case atom([ModelMessage])
    /// Of the run so far.
    case usage(TokenUsage)
}

/// Why a run is over.
public enum EndReason: String, Sendable, Hashable, Codable, CaseIterable {
    case complete
    /// The model's bound of output: the answer is a beginning.
    case truncated
    /// The provider declined.
    case refused
    /// The provider stopped for another reason of its own.
    case stopped
    case stepLimit = "step_limit"
    case timeLimit = "time_limit"
    case tokenLimit = "token_limit"
    /// The user's or the tenant's cap of tokens.
    case capReached = "cap_reached"
    /// The model asks for the same again and again.
    case loop
    case failed
    case cancelled
    /// The server ended before the run did.
    case interrupted
}

/// How a run ended.
public struct RunEnd: Sendable, Hashable {
    public var reason: EndReason
    /// The model that answered last.
    public var model: ModelName
    public var usage: TokenUsage
    /// For people: what went wrong and what to do; nil when all is well.
    public var message: String?

    public init(reason: EndReason, model: ModelName, usage: TokenUsage, message: String? = nil) {
        self.reason = reason
        self.model = model
        self.usage = usage
        self.message = message
    }
}
