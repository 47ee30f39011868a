public import Domain

/// How far a run may go. Each bound has an end reason of its own.
public struct RunLimits: Sendable, Hashable {
    /// Turns of the model. The last one is asked for without tools, so that it answers with what it has.
    public var steps: Int
    /// Calls of one turn that are run; the others get an error to read.
    public var parallelCalls: Int
    /// Each tool call.
    public var toolTime: Duration
    /// The whole run; the context's deadline counts too.
    public var runTime: Duration
    /// Tokens of all turns together, read and written; nil for no bound.
    public var tokens: Int?
    /// The same calls with the same arguments for this many turns are a loop.
    public var repeatsMax: Int

    public init(
        steps: Int = Limits.runSteps,
        parallelCalls: Int = Limits.runParallelCalls,
        toolTime: Duration = Limits.runToolTime,
        runTime: Duration = Limits.runTime,
        tokens: Int? = Limits.runTokens,
        repeatsMax: Int = Limits.runRepeats
    ) {
        self.steps = steps
        self.parallelCalls = parallelCalls
        self.toolTime = toolTime
        self.runTime = runTime
        self.tokens = tokens
        self.repeatsMax = repeatsMax
    }

    public static let standard = RunLimits()
}

/// What is asked of the model in every turn of a run.
public struct RunSettings: Sendable, Hashable {
    public var temperature: Double?
    public var topP: Double?
    /// Of one turn; nil for 8,192, or what the model can.
    public var outputTokensMax: Int?
    public var stop: [String]
    public var seed: Int?
    public var responseSchema: JSONSchema?
    public var thinking: ModelRequest.Thinking?
    /// Of the first turn; later ones choose for themselves.
    public var toolChoice: ModelRequest.ToolChoice
    /// Whether text that was shown may be taken back (`RunEvent.textVoided`) when another model has to begin again. A
    /// stream that cannot take anything back says false, and ends then.
    public var mayVoidText: Bool

    public init(
        temperature: Double? = nil,
        topP: Double? = nil,
        outputTokensMax: Int? = nil,
        stop: [String] = [],
        seed: Int? = nil,
        responseSchema: JSONSchema? = nil,
        thinking: ModelRequest.Thinking? = nil,
        toolChoice: ModelRequest.ToolChoice = .auto,
        mayVoidText: Bool = true
    ) {
        self.temperature = temperature
        self.topP = topP
        self.outputTokensMax = outputTokensMax
        self.stop = stop
        self.seed = seed
        self.responseSchema = responseSchema
        self.thinking = thinking
        self.toolChoice = toolChoice
        self.mayVoidText = mayVoidText
    }
}
