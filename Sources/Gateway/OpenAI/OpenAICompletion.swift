import Domain
import LLM
import Logging
import OpenAIDialect

/// One chat completion: a request of the dialect, the models that may answer, and the answer on its way back.
struct OpenAICompletion: Sendable {
    let chat: OpenAIChatRequest
    let request: ModelRequest
    let models: ModelChain
    let memory: OpenAICallMemory
    let context: RequestContext

    private var id: String { "chatcmpl-\(context.id)" }
    private let created = Int(Instant.now().microseconds / 1_000_000)

    init(
        _ chat: OpenAIChatRequest,
        models: any ModelServing,
        memory: OpenAICallMemory,
        context: RequestContext
    ) async throws {
        self.chat = chat
        self.memory = memory
        self.context = context
        request = try OpenAIRefusal.reading {
            try OpenAIConversation.request(chat, memory: memory, owner: OpenAICallMemory.Owner(context))
        }
        self.models = try await models.models(named: chat.model, context: context)
    }

    /// The whole answer at once.
    func whole() async throws -> Reply {
        let (reply, model) = try await models.respond(to: request, call: call, mayBeginAgain: true) { _, _ in }
        let answer = OpenAIChatReply(
            id: id,
            created: created,
            model: model.description,
            message: OpenAIMessage(
                .assistant,
                reply.message.text.isEmpty && !reply.message.toolCalls.isEmpty ? nil : reply.message.text,
                toolCalls: toolCalls(of: reply),
                reasoning: Self.thoughts(reply.message),
                refusal: nil
            ),
            finishReason: reply.outcome.finishReason,
            usage: OpenAIUsage(reply.usage)
        )
        return Reply(contentType: "application/json", body: answer.json.encoded())
    }

    /// The answer as it comes. A failure is the last event, since the head is out.
    func stream() -> Reply {
        .events { writer in
            do {
                try await write(.role, of: models.name, to: writer)
                // The dialect can take nothing back.
                let (reply, model) = try await models.respond(
                    to: request,
                    call: call,
                    mayBeginAgain: false
                ) { delta, model in
                    switch delta {
                    case .text(let text): try await write(.content(text), of: model, to: writer)
                    case .thought(let text): try await write(.reasoning(text), of: model, to: writer)
                    // Nothing was shown.
                    case .restarted: break
                    }
                }
                let calls = toolCalls(of: reply)
                if !calls.isEmpty { try await write(.toolCalls(calls), of: model, to: writer) }
                try await write(.finish(reply.outcome.finishReason), of: model, to: writer)
                if chat.includesUsage { try await write(.usage(OpenAIUsage(reply.usage)), of: model, to: writer) }
            } catch let failure as any Failure {
                context.logger.warning(
                    "chat completion failed in its stream",
                    metadata: ["code": "\(failure.codeText)", "detail": "\(failure.detail ?? failure.message)"]
                )
                let body = OpenAIProblem.body(of: failure, requestID: context.id)
                try await writer.write(ServerSentEvent.bytes(data: body.json.encoded()))
            }
            try await writer.write(ServerSentEvent.bytes(data: Array("[DONE]".utf8)))
        }
    }

    private var call: ModelCallContext {
        ModelCallContext(deadline: min(context.deadline, .now + Limits.runTime))
    }

    private func write(_ delta: OpenAIChunk.Delta, of model: ModelName, to writer: ReplyWriter) async throws {
        let chunk = OpenAIChunk(id: id, created: created, model: model.description, delta: delta)
        let json = chunk.json(announcesUsage: chat.includesUsage)
        try await writer.write(ServerSentEvent.bytes(data: json.encoded()))
    }

    /// The calls under the identifiers that the caller is to know them by.
    private func toolCalls(of reply: ModelReply) -> [OpenAIToolCall] {
        guard !reply.message.toolCalls.isEmpty else { return [] }
        let identifiers = memory.keep(reply.message, for: OpenAICallMemory.Owner(context))
        return zip(identifiers, reply.message.toolCalls).map { identifier, call in
            OpenAIToolCall(id: identifier, name: call.name, arguments: call.arguments.text)
        }
    }

    private static func thoughts(_ message: ModelMessage) -> String? {
        let text = message.parts.reduce(into: "") { text, part in
            if case .thought(let piece) = part { text += piece }
        }
        return text.isEmpty ? nil : text
    }
}
