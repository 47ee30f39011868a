import Chat
import Domain
import LLM
import Logging
import TestSupport

/// A model that a test writes in Swift: from the request to the next turn. Its text comes in pieces of a few scalars.
struct ModelByFunction: LanguageModel {
    enum Turn: Sendable {
        case text(String)
        case calls([(name: String, arguments: JSONObject)])
    }

    let name = ModelName(provider: "function", model: "test")
    let limits = ModelLimits(inputTokens: 200_000, outputTokens: 8_192)
    /// Everything it was sent.
    let requests = Guarded<[ModelRequest]>([])
    let next: @Sendable (ModelRequest) -> Turn

    func respond(
        to request: ModelRequest,
        call: ModelCallContext,
        onDelta: @Sendable (ModelDelta) async throws -> Void
    ) async throws -> ModelReply {
        requests.update { $0.append(request) }
        let usage = TokenUsage(input: 100, output: 20)
        switch next(request) {
        case .text(let text):
            var rest = Array(text.unicodeScalars)[...]
            while !rest.isEmpty {
                var piece = String.UnicodeScalarView()
                piece.append(contentsOf: rest.prefix(5))
                rest = rest.dropFirst(5)
                try await onDelta(.text(String(piece)))
            }
            let message = ModelMessage(.model, [.text(text)])
            return ModelReply(message: message, outcome: .complete, usage: usage)
        case .calls(let calls):
            let parts = calls.enumerated().map { number, call in
                ModelPart.toolCall(
                    ModelToolCall(
                        id: "call\(requests.value.count).\(number)",
                        name: call.name,
                        arguments: .object(call.arguments)
                    )
                )
            }
            return ModelReply(message: ModelMessage(.model, parts), outcome: .toolCalls, usage: usage)
        }
    }
}

extension ModelRequest {
    /// The results of the newest turn's calls.
    var results: [ModelToolResult] {
        guard let last = messages.last, last.role == .tool else { return [] }
        return last.parts.compactMap { if case .toolResult(let result) = $0 { result } else { nil } }
    }

    /// Everything in it that is no instruction: what people, tools and records said.
    var everything: String {
        messages.flatMap(\.parts).map { part in
            switch part {
            case .text(let text), .thought(let text): text
            case .toolCall(let call): "\(call.name) \(call.arguments.text)"
            case .toolResult(let result): result.text
            }
        }.joined(separator: "\n")
    }
}

extension ChatFixture {
    /// Chat with the real orchestrator over one model.
    func service(_ model: ModelByFunction) -> ChatService {
        let traffic = RunTrafficStore(database: database)
        let catalog = ModelCatalog(
            preferred: "function/test",
            providers: [ModelProvider("function", defaultModel: "test") { _ in model }]
        )
        return service(
            OrchestratorPerformer(
                orchestrator: Orchestrator(
                    tools: tools,
                    ledger: TokenLedger(database: database, logger: context.logger),
                    traffic: traffic,
                    logger: context.logger
                ),
                catalog: catalog,
                traffic: traffic
            )
        )
    }
}
