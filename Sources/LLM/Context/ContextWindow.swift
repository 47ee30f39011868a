public import Domain

/// Fits a conversation into what a model reads, by leaving out its oldest turns.
///
/// A model turn with calls and the results of those calls are one atom: providers refuse histories in which they are
/// apart. What is kept always begins with a user message, always has the newest one, and holds the newest atoms; older
/// turns are kept or left whole, a turn being a user message and everything up to the next one.
public struct ContextWindow: Sendable, Hashable {
    /// Tokens for the conversation, by `TokenEstimate.likely`; system prompt and tools are not part of it.
    public var tokens: Int

    public init(tokens: Int) { self.tokens = tokens }

    /// What is left for the conversation of a model's `inputTokens`.
    public init(inputTokens: Int, system: String, tools: [ModelTool], responseSchema: JSONSchema? = nil) {
        let rest = ModelRequest(system: system, messages: [], tools: tools, responseSchema: responseSchema)
        tokens = inputTokens - TokenEstimate(of: rest).likely
    }

    /// - Throws: `ModelError` `inputTooLong` when the newest user message, with the newest atom after it, is too long.
    public func fitting(_ messages: [ModelMessage]) throws(ModelError) -> [ModelMessage] {
        var turns = Self.turns(of: messages)
        guard let newest = turns.popLast() else {
            throw ModelError(.inputTooLong, "the conversation has no user message")
        }
        var left = tokens - newest.question.cost
        var kept: [Atom] = []
        for atom in newest.answers.reversed() {
            guard atom.cost <= left else { break }
            left -= atom.cost
            kept.append(atom)
        }
        guard left >= 0, newest.answers.isEmpty || !kept.isEmpty else {
            let need = newest.question.cost + (newest.answers.last?.cost ?? 0)
            throw ModelError(
                .inputTooLong,
                "the newest message needs about \(need) tokens, and the model has room for \(max(tokens, 0))",
                hint: "ask for less at once, or use a model that reads more"
            )
        }
        var result = [newest.question] + kept.reversed()
        // A gap in the newest turn would look like a turn of its own; older ones would not follow from it.
        if kept.count == newest.answers.count {
            for turn in turns.reversed() {
                guard turn.cost <= left else { break }
                left -= turn.cost
                result.insert(contentsOf: [turn.question] + turn.answers, at: 0)
            }
        }
        return result.flatMap(\.messages)
    }

    /// The messages in whole atoms: results that are missing are made up as errors, those without a call are dropped.
    ///
    /// Stored histories are whole already; this is for what a killed process or an import left.
    public static func wholeAtoms(of messages: [ModelMessage]) -> [[ModelMessage]] {
        var atoms: [[ModelMessage]] = []
        for (position, message) in messages.enumerated() {
            switch message.role {
            case .user: atoms.append([message])
            case .tool: continue
            case .model:
                let calls = message.toolCalls
                guard !calls.isEmpty else {
                    atoms.append([message])
                    continue
                }
                let next = messages.indices.contains(position + 1) ? messages[position + 1] : nil
                atoms.append([message, results(of: calls, from: next)])
            }
        }
        return atoms
    }

    private static func results(of calls: [ModelToolCall], from next: ModelMessage?) -> ModelMessage {
        var given: [String: ModelToolResult] = [:]
        if let next, next.role == .tool {
            let answered = next.parts.map { if case .toolResult(let result) = $0 { result.callID } else { "" } }
            if answered == calls.map(\.id) { return next }
            for case .toolResult(let result) in next.parts where given[result.callID] == nil {
                given[result.callID] = result
            }
        }
        return ModelMessage(.tool, calls.map { .toolResult(given[$0.id] ?? .missing(of: $0)) })
    }

    private struct Atom {
        var messages: [ModelMessage]
        var cost: Int

        init(_ messages: [ModelMessage]) {
            self.messages = messages
            cost = messages.reduce(0) { $0 + TokenEstimate(of: $1).likely }
        }
    }

    private struct Turn {
        var question: Atom
        var answers: [Atom] = []
        var cost: Int { answers.reduce(question.cost) { $0 + $1.cost } }
    }

    /// What stands before the first user message belongs to no turn and is left out.
    private static func turns(of messages: [ModelMessage]) -> [Turn] {
        var turns: [Turn] = []
        for atom in wholeAtoms(of: messages) {
            if atom[0].role == .user {
                turns.append(Turn(question: Atom(atom)))
            } else if !turns.isEmpty {
                turns[turns.count - 1].answers.append(Atom(atom))
            }
        }
        return turns
    }
}

extension ModelToolResult {
    fileprivate static func missing(of call: ModelToolCall) -> Self {
        Self(callID: call.id, name: call.name, text: "There is no result: the run ended before it.", isError: true)
    }
}
