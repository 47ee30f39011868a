import Domain
import Gemini

/// Reads a finished turn of Gemini as a message of ours, with the original kept beside it.
struct GeminiTurnReader {
    let turn: GeminiTurn
    let family: GeminiFamily
    let names: GeminiFunctionNames
    /// Of calls in the history.
    let takenIDs: Set<String>
    let makeID: @Sendable () -> String

    func reply() -> ModelReply {
        let outcome = outcome
        // Calls that will not be run may not stay: they would wait for their answers for ever.
        let parts = outcome == .toolCalls ? turn.parts : turn.parts.filter { GeminiPartView($0).call == nil }
        let original = ProviderOriginal(
            provider: GeminiModel.provider,
            family: family.name,
            value: ["parts": .array(parts.map { .object($0) })]
        )
        return ModelReply(
            message: ModelMessage(.model, pieces(of: parts), original: original),
            outcome: outcome,
            usage: TokenUsage(turn.usage),
            modelVersion: turn.modelVersion
        )
    }

    private var outcome: ModelOutcome {
        switch turn.finish.kind {
        case .stop: turn.calls.isEmpty ? .complete : .toolCalls
        case .maxTokens, .continuation: .truncated
        case .refused: .refused(reason: turn.finish.reason)
        case .stopped, .malformed, .missingSignature, .abnormal: .stopped(reason: turn.finish.reason)
        }
    }

    /// Neighbouring text as one part: for our own use pieces have no meaning.
    private func pieces(of parts: [JSONObject]) -> [ModelPart] {
        var pieces: [ModelPart] = []
        var taken = takenIDs
        for part in parts {
            let view = GeminiPartView(part)
            if let call = view.call {
                pieces.append(.toolCall(toolCall(call, &taken)))
            } else if let text = view.text, !text.isEmpty {
                switch (pieces.last, view.isThought) {
                case (.text(let before), false): pieces[pieces.count - 1] = .text(before + text)
                case (.thought(let before), true): pieces[pieces.count - 1] = .thought(before + text)
                default: pieces.append(view.isThought ? .thought(text) : .text(text))
                }
            }
        }
        return pieces
    }

    private func toolCall(_ call: GeminiPartView.Call, _ taken: inout Set<String>) -> ModelToolCall {
        var id = call.id ?? makeID()
        while !taken.insert(id).inserted { id = makeID() }
        let isObject = call.arguments.objectValue != nil
        return ModelToolCall(
            id: id,
            name: names.received(call.name),
            arguments: isObject ? call.arguments : [:],
            defect: isObject ? nil : "the arguments are no object but \(call.arguments.typeName)"
        )
    }
}
