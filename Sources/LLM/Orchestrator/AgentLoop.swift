import Domain

/// Decides what happens in a run: asks the model, has tools run, and knows when to stop.
///
/// Pure: no clock, no I/O, no waiting. The runner tells it what happened and does what it answers. Whatever it is told,
/// in whatever order: every atom it emits is whole, each call in it has its `toolStarted` and its `toolFinished`, and
/// there is exactly one `end`, with nothing after it.
struct AgentLoop: Sendable {
    struct Configuration: Sendable {
        /// Asked in this order; not empty.
        var models: [AgentModel]
        var system: String
        /// Empty when none are offered.
        var tools: [ToolDefinition]
        var settings: RunSettings
        var limits: RunLimits
        /// Fences tool results.
        var data: UntrustedText
    }

    enum State: Sendable {
        case idle
        case asking(Asking)
        case running(ToolTurn)
        /// The run is over; what is being asked has yet to say what it cost.
        case stopping(EndReason, String?)
        case ended
    }

    struct Asking: Sendable {
        var request: AgentRequest
        /// The run's own bound of tokens left less room than was wanted.
        var isLowered: Bool
    }

    let configuration: Configuration
    let modelTools: [ModelTool]
    var state = State.idle
    /// The conversation with what this run added.
    var history: [ModelMessage]
    /// 1 for the first turn.
    var step = 1
    /// Position in the chain.
    var model = 0
    /// Text of the turn being asked for, as it was shown and not taken back.
    var shown = ""
    var usage = TokenUsage()
    var repeats = RepeatedCalls()

    init(_ configuration: Configuration, messages: [ModelMessage]) {
        precondition(!configuration.models.isEmpty, "a run needs a model")
        self.configuration = configuration
        modelTools = configuration.tools.map {
            ModelTool(name: $0.name, description: $0.description, parameters: $0.inputSchema.withoutExtensions)
        }
        history = messages
    }

    /// Takes what happened; what does not fit the state, such as the answer of work that was stopped, is ignored.
    mutating func handle(_ event: AgentEvent) -> [AgentAction] {
        switch (state, event) {
        case (.ended, _): []
        case (.idle, .started): ask()
        case (.idle, .cancelled): end(.cancelled)
        case (.idle, .timePassed): end(.timeLimit, RunMessage.time)
        case (.asking, .delta(let delta)): show(delta)
        case (.asking(let asking), .replied(let reply, let isCapped)): take(reply, of: asking, isCapped)
        case (.asking, .failed(let error)): fallBack(after: error)
        case (.asking, .abandoned(let usage)):
            fallBack(after: ModelError(.cut, "the model's answer was broken off", usage: usage))
        case (.asking, .cancelled): stop(.cancelled)
        case (.asking, .timePassed): stop(.timeLimit, RunMessage.time)
        case (.stopping(let reason, let message), .replied(let reply, _)):
            stopped(reason, message, reply.usage)
        case (.stopping(let reason, let message), .failed(let error)): stopped(reason, message, error.usage)
        case (.stopping(let reason, let message), .abandoned(let usage)): stopped(reason, message, usage)
        case (.running(let turn), .toolFinished(let position, let result, let duration)):
            finish(position, of: turn, result, duration)
        case (.running(let turn), .toolTimedOut(let position)):
            finish(position, of: turn, timedOut, configuration.limits.toolTime, isData: false)
        case (.running(let turn), .cancelled): [.stop] + breakOff(turn, .cancelled)
        case (.running(let turn), .timePassed): [.stop] + breakOff(turn, .timeLimit, RunMessage.time)
        default: []
        }
    }

    var modelName: ModelName { configuration.models[model].name }

    /// Adds what a turn cost.
    mutating func count(_ more: TokenUsage) -> [AgentAction] {
        guard more != TokenUsage() else { return [] }
        usage += more
        return [.emit(.usage(usage))]
    }

    mutating func end(_ reason: EndReason, _ message: String? = nil) -> [AgentAction] {
        state = .ended
        return [.end(RunEnd(reason: reason, model: modelName, usage: usage, message: message))]
    }

    /// Ends with what was shown of the turn kept as an atom, so that the next question follows from what people saw.
    mutating func endKeepingText(_ reason: EndReason, _ message: String?) -> [AgentAction] {
        guard !shown.isEmpty else { return end(reason, message) }
        let atom = [ModelMessage(.model, [.text(shown)])]
        return [.emit(.atom(atom))] + end(reason, message)
    }

    private mutating func stop(_ reason: EndReason, _ message: String? = nil) -> [AgentAction] {
        state = .stopping(reason, message)
        return [.stop]
    }

    private mutating func stopped(_ reason: EndReason, _ message: String?, _ more: TokenUsage) -> [AgentAction] {
        count(more) + endKeepingText(reason, message)
    }

    private mutating func show(_ delta: ModelDelta) -> [AgentAction] {
        switch delta {
        case .text(let text):
            guard !text.isEmpty else { return [] }
            shown += text
            return [.emit(.text(text))]
        case .thought(let text):
            return text.isEmpty ? [] : [.emit(.thought(text))]
        case .restarted:
            guard !shown.isEmpty else { return [] }
            guard configuration.settings.mayVoidText else { return stop(.failed, RunMessage.beganAgain) }
            shown = ""
            return [.emit(.textVoided)]
        }
    }

    private var timedOut: ToolResult {
        ToolResult(
            text: "The tool did not answer within \(configuration.limits.toolTime.components.seconds) seconds. "
                + "Ask for less at once.",
            isError: true
        )
    }
}

/// What people read of an end.
enum RunMessage {
    static let time = "The run took too long and was ended."
    static let tokens = "The run used all the tokens it may and was ended."
    static let beganAgain = "The model had to begin again after part of its answer was sent."
    static let loop = "The model kept asking for the same and was stopped."
    static let truncated = "The answer reached the bound of output tokens: it is a beginning."
    static let cap = "The answer was cut: today's tokens are used up."

    static func steps(_ count: Int) -> String { "The run was ended after \(count) turns without an answer." }
    static func refused(_ reason: String) -> String { "The provider declined to answer (\(reason))." }
    static func stopped(_ reason: String) -> String { "The provider stopped the answer (\(reason))." }
}
