import Synchronization

/// A model and those that stand in for it, for callers who run their own loop: one turn, from the first that gives one.
///
/// `AgentLoop` has the same rule for runs.
public struct ModelChain: Sendable {
    private let first: any LanguageModel
    private let fallbacks: [any LanguageModel]

    public init(_ first: any LanguageModel, fallbacks: [any LanguageModel] = []) {
        self.first = first
        self.fallbacks = fallbacks
    }

    /// The model that is asked first.
    public var name: ModelName { first.name }

    /// Asks for the next turn.
    ///
    /// - Parameters:
    ///   - mayBeginAgain: whether text that `onDelta` was given may be void. A stream that can take nothing back says
    ///     false, and gets the failure then.
    ///   - onDelta: as `LanguageModel`'s, with the model that speaks; given `restarted` when another one begins again.
    /// - Returns: the turn, and who gave it.
    /// - Throws: what the last model that was asked threw.
    public func respond(
        to request: ModelRequest,
        call: ModelCallContext,
        mayBeginAgain: Bool,
        onDelta: @Sendable (ModelDelta, ModelName) async throws -> Void
    ) async throws -> (reply: ModelReply, name: ModelName) {
        let needed = TokenEstimate(of: request).likely
        var rest = fallbacks.filter { needed <= $0.limits.inputTokens }[...]
        var model = first
        while true {
            let shown = Flag()
            do {
                let name = model.name
                var request = request
                request.outputTokensMax = min(request.outputTokensMax, model.limits.outputTokens)
                let reply = try await model.respond(to: request, call: call) { delta in
                    switch delta {
                    case .text(let text): if !text.isEmpty { shown.set(true) }
                    case .thought: break
                    case .restarted:
                        if shown.isSet, !mayBeginAgain { throw ModelError(.cut, RunMessage.beganAgain) }
                        shown.set(false)
                    }
                    try await onDelta(delta, name)
                }
                return (reply, name)
            } catch let error as ModelError where error.mayFallBack && (mayBeginAgain || !shown.isSet) {
                guard let next = rest.popFirst(), !Task.isCancelled else { throw error }
                if shown.isSet { try await onDelta(.restarted, model.name) }
                model = next
            }
        }
    }
}

/// Whether a call has shown text; set by its callback and read when it is over.
private final class Flag: Sendable {
    private let state = Mutex(false)

    var isSet: Bool { state.withLock { $0 } }
    func set(_ value: Bool) { state.withLock { $0 = value } }
}
