import Domain
import LLM
import Logging
import OpenAIDialect

/// One chat completion: a request of the dialect, the model that answers, and the answer on its way back.
struct OpenAICompletion: Sendable {
    let chat: OpenAIChatRequest
    let request: ModelRequest
    let model: any LanguageModel
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
        model = try await models.model(named: chat.model, context: context)
    }

    /// The whole answer at once.
    func whole() async throws -> Reply {
        let reply = try await model.respond(to: request, call: call) { _ in }
        let answer = OpenAIChatReply(
            id: id,
            created: created,
            model: model.name.description,
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
                try await write(.role, to: writer)
                let reply = try await model.respond(to: request, call: call) { delta in
                    switch delta {
                    case .text(let text): try await write(.content(text), to: writer)
                    case .thought(let text): try await write(.reasoning(text), to: writer)
                    // The dialect can take nothing back; providers restart only before text was shown.
                    case .restarted: break
                    }
                }
                let calls = toolCalls(of: reply)
                if !calls.isEmpty { try await write(.toolCalls(calls), to: writer) }
                try await write(.finish(reply.outcome.finishReason), to: writer)
                if chat.includesUsage { try await write(.usage(OpenAIUsage(reply.usage)), to: writer) }
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

    private func write(_ delta: OpenAIChunk.Delta, to writer: ReplyWriter) async throws {
        let chunk = OpenAIChunk(id: id, created: created, model: model.name.description, delta: delta)
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
