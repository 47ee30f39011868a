import Domain

/// What the loop is told.
enum AgentEvent: Sendable {
    case started
    case delta(ModelDelta)
    /// - `isCapped`: the ledger had room for fewer output tokens than were asked for.
    case replied(ModelReply, isCapped: Bool)
    /// The turn failed; `error.usage` is what was billed all the same.
    case failed(ModelError)
    /// The turn ended because it was told to; with what was billed.
    case abandoned(TokenUsage)
    /// `position` is the call's in its turn: identifiers are a provider's word and are not relied upon.
    case toolFinished(position: Int, ToolResult, duration: Duration)
    case toolTimedOut(position: Int)
    /// The run's time is over.
    case timePassed
    case cancelled
}

/// What the loop wants done, in this order.
enum AgentAction: Sendable, Hashable {
    case emit(RunEvent)
    case ask(AgentRequest)
    case runTool(position: Int, ToolCall)
    /// Cancel whatever is being asked or run.
    case stop
    /// Nothing comes after it.
    case end(RunEnd)
}

/// One turn to be asked for.
struct AgentRequest: Sendable, Hashable {
    /// Position in the chain of models.
    var model: Int
    var request: ModelRequest
    /// An upper bound of what will be read.
    var inputTokensMax: Int
}

/// A model as far as the loop has to know it.
struct AgentModel: Sendable, Hashable {
    var name: ModelName
    var limits: ModelLimits
    var billedAttemptsMax: Int

    init(name: ModelName, limits: ModelLimits, billedAttemptsMax: Int = 1) {
        self.name = name
        self.limits = limits
        self.billedAttemptsMax = billedAttemptsMax
    }

    init(_ model: any LanguageModel) {
        self.init(name: model.name, limits: model.limits, billedAttemptsMax: model.billedAttemptsMax)
    }
}
