public import Domain

/// Answers conversations: Gemini, an OpenAI-compatible server, a script, or extraction without any model.
///
/// One call is one turn. The provider retries on its own, but never after `onDelta` has seen visible text or a call.
public protocol LanguageModel: Sendable {
    var name: ModelName { get }
    var limits: ModelLimits { get }
    /// How many times one call may be billed at most: a provider that tries a failed turn once more answers 2. The
    /// ledger reserves that many times the turn's maximum. 2 unless the provider says otherwise.
    var billedAttemptsMax: Int { get }

    /// Asks for the next turn.
    ///
    /// - Parameters:
    ///   - onDelta: called in order, awaited: a slow consumer slows the provider's stream.
    /// - Returns: the whole turn; its text is what `onDelta` was given.
    /// - Throws: `ModelError`; `CancellationError` when the task is cancelled, within a second and with the
    ///   connection closed; whatever `onDelta` throws.
    func respond(
        to request: ModelRequest,
        call: ModelCallContext,
        onDelta: @Sendable (ModelDelta) async throws -> Void
    ) async throws -> ModelReply
}

extension LanguageModel {
    public var billedAttemptsMax: Int { 2 }
}

/// `gemini/gemini-flash-latest`: the provider, and its own name of the model.
public struct ModelName: Sendable, Hashable, Codable, CustomStringConvertible {
    public var provider: String
    public var model: String

    public init(provider: String, model: String) {
        self.provider = provider
        self.model = model
    }

    public var description: String { "\(provider)/\(model)" }
}

public struct ModelLimits: Sendable, Hashable {
    /// Tokens of a request that are certainly accepted.
    public var inputTokens: Int
    /// Tokens of one reply at most.
    public var outputTokens: Int

    public init(inputTokens: Int, outputTokens: Int) {
        self.inputTokens = inputTokens
        self.outputTokens = outputTokens
    }
}

/// Everything one turn is made from.
public struct ModelRequest: Sendable, Hashable {
    public enum ToolChoice: String, Sendable, Hashable, Codable {
        case auto
        case none
        case required
    }

    public enum Thinking: String, Sendable, Hashable, Codable, CaseIterable {
        case off, minimal, low, medium, high
    }

    /// Trusted instructions; no record text is ever in here.
    public var system: String
    /// Ends with a user or tool message. Calls and their results are never apart.
    public var messages: [ModelMessage]
    public var tools: [ModelTool]
    public var toolChoice: ToolChoice
    public var outputTokensMax: Int
    public var temperature: Double?
    public var topP: Double?
    public var stop: [String]
    public var seed: Int?
    /// The answer must be JSON of this shape.
    public var responseSchema: JSONSchema?
    public var thinking: Thinking?

    public init(
        system: String = "",
        messages: [ModelMessage],
        tools: [ModelTool] = [],
        toolChoice: ToolChoice = .auto,
        outputTokensMax: Int = 8_192,
        temperature: Double? = nil,
        topP: Double? = nil,
        stop: [String] = [],
        seed: Int? = nil,
        responseSchema: JSONSchema? = nil,
        thinking: Thinking? = nil
    ) {
        self.system = system
        self.messages = messages
        self.tools = tools
        self.toolChoice = toolChoice
        self.outputTokensMax = outputTokensMax
        self.temperature = temperature
        self.topP = topP
        self.stop = stop
        self.seed = seed
        self.responseSchema = responseSchema
        self.thinking = thinking
    }
}

/// A tool as a model sees it.
public struct ModelTool: Sendable, Hashable {
    public var name: String
    public var description: String
    public var parameters: JSONSchema

    public init(name: String, description: String, parameters: JSONSchema) {
        self.name = name
        self.description = description
        self.parameters = parameters
    }
}

/// What a call belongs to, and who listens to its traffic.
public struct ModelCallContext: Sendable {
    public var deadline: ContinuousClock.Instant
    /// Gets every request and reply of the provider, as sent and received; keys are never part of it.
    public var traffic: (any TrafficRecorder)?
    /// Hears what the provider has counted so far, so that a call that ends by `CancellationError` is settled too.
    public var meter: UsageMeter?

    public init(
        deadline: ContinuousClock.Instant,
        traffic: (any TrafficRecorder)? = nil,
        meter: UsageMeter? = nil
    ) {
        self.deadline = deadline
        self.traffic = traffic
        self.meter = meter
    }
}

/// Something new of a turn that is being answered.
public enum ModelDelta: Sendable, Hashable {
    case text(String)
    case thought(String)
    /// The provider began again, visibly: all text of this turn so far is void.
    case restarted
}

/// One finished turn.
public struct ModelReply: Sendable, Hashable {
    public var message: ModelMessage
    public var outcome: ModelOutcome
    /// Over all hops and attempts that were billed.
    public var usage: TokenUsage
    /// As the provider reports it; may be finer than the name asked for.
    public var modelVersion: String?

    public init(message: ModelMessage, outcome: ModelOutcome, usage: TokenUsage, modelVersion: String? = nil) {
        self.message = message
        self.outcome = outcome
        self.usage = usage
        self.modelVersion = modelVersion
    }
}

/// How a turn ended, when it ended at all.
public enum ModelOutcome: Sendable, Hashable {
    case complete
    /// Tools are asked for: they are in the message.
    case toolCalls
    /// The bound of output tokens was reached: the text is a beginning.
    case truncated
    /// The provider declined, with its own word such as `SAFETY`. The same input will be declined again.
    case refused(reason: String)
    /// Stopped for another reason, such as `RECITATION`, after one more try.
    case stopped(reason: String)
}

/// Tokens, as the provider counts them.
public struct TokenUsage: Sendable, Hashable, Codable {
    /// Read, those from a cache included.
    public var input: Int
    public var cachedInput: Int
    /// Written, thoughts not included.
    public var output: Int
    public var thoughts: Int

    public init(input: Int = 0, cachedInput: Int = 0, output: Int = 0, thoughts: Int = 0) {
        self.input = input
        self.cachedInput = cachedInput
        self.output = output
        self.thoughts = thoughts
    }

    /// What caps count: everything read and written.
    public var total: Int { input + output + thoughts }

    public static func + (left: Self, right: Self) -> Self {
        Self(
            input: left.input + right.input,
            cachedInput: left.cachedInput + right.cachedInput,
            output: left.output + right.output,
            thoughts: left.thoughts + right.thoughts
        )
    }

    public static func += (left: inout Self, right: Self) { left = left + right }
}

/// Listens to what goes to a provider and comes back, so that a run can be replayed.
public protocol TrafficRecorder: Sendable {
    /// One exchange is over, well or not.
    func record(_ exchange: ProviderExchange) async
}

/// One request to a provider and what it answered, without keys.
public struct ProviderExchange: Sendable, Hashable {
    public var model: ModelName
    public var path: String
    public var request: [UInt8]
    /// Nil when no head of a reply came.
    public var status: Int?
    /// What arrived of the body, as it arrived.
    public var reply: [UInt8]
    public var failure: String?

    public init(
        model: ModelName,
        path: String,
        request: [UInt8],
        status: Int?,
        reply: [UInt8],
        failure: String? = nil
    ) {
        self.model = model
        self.path = path
        self.request = request
        self.status = status
        self.reply = reply
        self.failure = failure
    }
}
