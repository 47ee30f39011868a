import Chat
import Domain
import LLM
import TestSupport

/// Answers by a script, through the product's real tools and with the asker's own context.
struct ScriptedPerformer: RunPerforming {
    /// Says what happens in a run.
    struct Stage: Sendable {
        let work: RunWork
        let context: RequestContext
        let tools: any ToolProvider
        let emit: @Sendable (RunEvent) async throws -> Void

        /// The question as the model got it.
        var question: String { work.messages.last?.text ?? "" }

        func say(_ text: String) async throws { try await emit(.text(text)) }

        /// Calls a tool as the agent loop does; the result is what the model would read.
        @discardableResult
        func call(_ name: String, _ arguments: JSONObject, id: String = "c1") async throws -> ToolResult {
            let call = ModelToolCall(id: id, name: name, arguments: .object(arguments))
            try await emit(.toolStarted(call))
            var result: ToolResult
            do {
                result = try await tools.call(ToolCall(name: name, arguments: arguments), context: context)
            } catch let error as ToolProviderError {
                result = ToolResult(failure: error)
            }
            try await emit(.toolFinished(callID: id, result: result, duration: .milliseconds(1)))
            return result
        }
    }

    static let model = ModelName(provider: "scripted", model: "test")

    let tools: any ToolProvider
    /// What happens; throwing `ModelError` is how a run fails.
    let script: @Sendable (Stage) async throws -> EndReason
    let forgotten = Guarded<[RunID]>([])
    var isConfigured = true

    var prompt: (version: String, text: String) { ("test-v1", "Answer from the records.") }

    func models(for name: String?) throws -> [any LanguageModel] {
        if name == ModelName.extractive || name == nil && !isConfigured { return [] }
        guard name == nil || name == "scripted/test" else { throw ModelError(.modelNotFound, "No such model.") }
        return [Name()]
    }

    func perform(
        _ work: RunWork,
        context: RequestContext,
        onEvent: @Sendable (RunEvent) async throws -> Void
    ) async -> RunEnd {
        do {
            return try await withoutActuallyEscaping(onEvent) { onEvent in
                try await onEvent(.stepStarted(step: 1, model: Self.model))
                let said = Guarded("")
                let stage = Stage(work: work, context: context, tools: tools) { event in
                    if case .text(let text) = event { said.update { $0 += text } }
                    try await onEvent(event)
                }
                let reason = try await script(stage)
                try await onEvent(.atom([ModelMessage(.model, [.text(said.value)], original: Self.original)]))
                let usage = TokenUsage(input: 10, output: 5)
                try await onEvent(.usage(usage))
                return RunEnd(reason: reason, model: Self.model, usage: usage)
            }
        } catch {
            let isCancelled = error is CancellationError || Task.isCancelled
            let message = isCancelled ? nil : (error as? any Failure)?.message ?? "\(error)"
            return RunEnd(
                reason: isCancelled ? .cancelled : .failed,
                model: Self.model,
                usage: TokenUsage(),
                message: message
            )
        }
    }

    func forget(_ runs: [RunID], tenant: TenantID) async throws { forgotten.update { $0 += runs } }

    /// What must come back from the database as it went in.
    static let original = ProviderOriginal(
        provider: "scripted",
        family: "test",
        value: ["parts": [["thoughtSignature": "c2ln+/=", "empty": ""], ["n": 1.50]]]
    )

    private struct Name: LanguageModel {
        var name: ModelName { ScriptedPerformer.model }
        var limits: ModelLimits { ModelLimits(inputTokens: 100_000, outputTokens: 8_192) }

        func respond(
            to request: ModelRequest,
            call: ModelCallContext,
            onDelta: @Sendable (ModelDelta) async throws -> Void
        ) async throws -> ModelReply {
            throw ModelError(.notConfigured, "The performer speaks for this model.")
        }
    }
}
