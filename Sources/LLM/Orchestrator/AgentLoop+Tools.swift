import Domain

/// A turn whose calls are being run.
struct ToolTurn: Sendable {
    var message: ModelMessage
    var calls: [ModelToolCall]
    /// By position; nil while a call is open.
    var results: [ModelToolResult?]

    init(_ message: ModelMessage) {
        self.message = message
        calls = message.toolCalls
        results = Array(repeating: nil, count: calls.count)
    }

    var open: [Int] { results.indices.filter { results[$0] == nil } }

    /// The turn with its results, in the order of the calls; every call has one.
    var atom: [ModelMessage] {
        precondition(open.isEmpty, "\(open.count) of \(calls.count) calls have no result")
        return [message, ModelMessage(.tool, results.compactMap(\.self).map { .toolResult($0) })]
    }
}

extension AgentLoop {
    /// Starts the calls of a turn: checked first, so that a tool is run only with arguments that fit it.
    mutating func begin(_ message: ModelMessage) -> [AgentAction] {
        guard step < configuration.limits.steps else {
            return refuseAll(message, .stepLimit, RunMessage.steps(step))
        }
        guard repeats.add(message.toolCalls, tools: configuration.tools) < configuration.limits.repeatsMax else {
            return refuseAll(message, .loop, RunMessage.loop)
        }
        let check = ToolCallCheck(tools: configuration.tools)
        var turn = ToolTurn(message)
        var actions: [AgentAction] = []
        var runs: [AgentAction] = []
        for (position, call) in turn.calls.enumerated() {
            actions.append(.emit(.toolStarted(call)))
            if runs.count >= configuration.limits.parallelCalls {
                actions += settle(position, of: &turn, .tooMany(max: configuration.limits.parallelCalls))
                continue
            }
            switch check.checked(call) {
            case .success(let accepted): runs.append(.runTool(position: position, accepted))
            case .failure(let refusal): actions += settle(position, of: &turn, refusal.result)
            }
        }
        if turn.open.isEmpty { return actions + close(turn) }
        state = .running(turn)
        return actions + runs
    }

    /// Takes the result of one call; the last one closes the turn. What is of our own making needs no fence.
    mutating func finish(
        _ position: Int,
        of turn: ToolTurn,
        _ result: ToolResult,
        _ duration: Duration,
        isData: Bool = true
    ) -> [AgentAction] {
        guard turn.results.indices.contains(position), turn.results[position] == nil else { return [] }
        var turn = turn
        let call = turn.calls[position]
        turn.results[position] = ModelToolResult(
            callID: call.id,
            name: call.name,
            text: isData
                ? ToolResultText.forModel(result, of: call.name, data: configuration.data) : result.text,
            isError: result.isError
        )
        let finished = AgentAction.emit(.toolFinished(callID: call.id, result: result, duration: duration))
        guard turn.open.isEmpty else {
            state = .running(turn)
            return [finished]
        }
        return [finished] + close(turn)
    }

    /// Ends in the midst of a turn: open calls get an error, so that the atom is whole.
    mutating func breakOff(_ turn: ToolTurn, _ reason: EndReason, _ message: String? = nil) -> [AgentAction] {
        var turn = turn
        var actions: [AgentAction] = []
        for position in turn.open { actions += settle(position, of: &turn, .brokenOff) }
        return actions + [.emit(.atom(turn.atom))] + end(reason, message)
    }

    /// Ends with a turn none of whose calls is run.
    mutating func refuseAll(_ message: ModelMessage, _ reason: EndReason, _ text: String?) -> [AgentAction] {
        var turn = ToolTurn(message)
        var actions: [AgentAction] = []
        for (position, call) in turn.calls.enumerated() {
            actions.append(.emit(.toolStarted(call)))
            actions += settle(position, of: &turn, .notRun)
        }
        return actions + [.emit(.atom(turn.atom))] + end(reason, text)
    }

    private mutating func close(_ turn: ToolTurn) -> [AgentAction] {
        history += turn.atom
        step += 1
        return [.emit(.atom(turn.atom))] + ask()
    }

    /// A result of our own making: not data, so it needs no fence.
    private func settle(_ position: Int, of turn: inout ToolTurn, _ result: ToolResult) -> [AgentAction] {
        let call = turn.calls[position]
        turn.results[position] = ModelToolResult(
            callID: call.id,
            name: call.name,
            text: result.text,
            isError: true
        )
        return [.emit(.toolFinished(callID: call.id, result: result, duration: .zero))]
    }
}

extension ToolResult {
    fileprivate static func tooMany(max: Int) -> Self {
        ToolResult(text: "Not run: at most \(max) calls at once. Ask for it again.", isError: true)
    }

    fileprivate static let brokenOff = ToolResult(text: "The run ended before the tool had answered.", isError: true)

    fileprivate static let notRun = ToolResult(text: "Not run: the run ended here.", isError: true)
}

/// Counts turns that ask for the same calls with the same arguments, in whatever order.
struct RepeatedCalls: Sendable {
    private struct Call: Hashable {
        var name: String
        var arguments: JSONValue
    }

    private struct Entry {
        var count = 0
        var isReadOnly = true
    }

    private var entries: [Set<Call>: Entry] = [:]

    /// - Returns: how often this run has asked for exactly these calls, this time included. Reading the same again
    ///   after something was written is no repetition.
    mutating func add(_ calls: [ModelToolCall], tools: [ToolDefinition]) -> Int {
        let writing = Set(tools.filter { !$0.annotations.readOnlyHint }.map(\.name))
        let isReadOnly = calls.allSatisfy { !writing.contains($0.name) }
        if !isReadOnly { entries = entries.filter { !$0.value.isReadOnly } }
        let key = Set(calls.map { Call(name: $0.name, arguments: $0.arguments) })
        entries[key, default: Entry(isReadOnly: isReadOnly)].count += 1
        return entries[key]?.count ?? 1
    }
}
