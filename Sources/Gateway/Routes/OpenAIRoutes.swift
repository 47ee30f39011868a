import Access
import Domain
import HTTPTypes
import LLM
import OpenAIDialect

/// OpenAI's dialect over our models and permissions, for clients that speak nothing else.
enum OpenAIRoutes {
    static let all = [completions, embeddings, models]

    private static let completions = Route(
        .post,
        "/v1/chat/completions",
        name: "createChatCompletion",
        summary: "An answer of a language model, in OpenAI's dialect. Tools are the caller's own and run there.",
        body: RouteBody(ChatCompletionBody.self, limit: Limits.jsonBytes),
        reply: .json(
            ChatCompletionWire.self,
            "The answer. With `stream` it comes as server-sent events, of which the last is `[DONE]`.",
            orEvents: ChatCompletionChunkWire.self
        ),
        problems: [.notFound, .tooManyRequests, .badGateway],
        timeout: Limits.runTime,
        endsWithClient: true,
        handler: .requires(.chat) { call, context in
            let chat = try OpenAIRefusal.reading { try OpenAIChatRequest(reading: call.body) }
            let completion = try await OpenAICompletion(
                chat,
                models: call.services.models,
                memory: call.services.callMemory,
                context: context
            )
            return chat.isStream ? completion.stream() : try await completion.whole()
        }
    )

    private static let embeddings = Route(
        .post,
        "/v1/embeddings",
        name: "createEmbeddings",
        summary: "Vectors of texts by the model of the index, in OpenAI's dialect.",
        body: RouteBody(EmbeddingsBody.self, limit: Limits.jsonBytes),
        reply: .json(EmbeddingsWire.self, "The vectors, in the order of the texts."),
        problems: [.notFound],
        endsWithClient: true,
        handler: .requires(.embed) { call, context in
            let request = try OpenAIRefusal.reading { try OpenAIEmbeddingRequest(reading: call.body) }
            let serving = call.services.vectors
            guard let model = try await serving.vectorModel(context: context), request.model == model.name else {
                throw OpenAIRefusal(
                    .modelNotFound,
                    "there is no embedding model '\(request.model.prefix(80))' here",
                    parameter: "model"
                )
            }
            guard request.dimensions == nil || request.dimensions == model.dimension else {
                throw OpenAIRefusal(
                    .invalid,
                    "'dimensions' must be \(model.dimension), the length of this model's vectors",
                    parameter: "dimensions"
                )
            }
            let served = try await serving.vectors(of: request.input, context: context)
            let reply = OpenAIEmbeddingReply(model: model.name, vectors: served.vectors, promptTokens: served.tokens)
            return Reply(contentType: "application/json", body: reply.json(request.encoding).encoded())
        }
    )

    private static let models = Route(
        .get,
        "/v1/models",
        name: "listModels",
        summary: "The models that may be asked for, the default first; those for vectors last.",
        reply: .json(ModelListWire.self, "The models."),
        handler: .requires(.chat) { call, context in
            var names = try await call.services.models.models(context: context).map { ($0.description, $0.provider) }
            if context.principal.permissions.contains(.embed),
                let model = try await call.services.vectors.vectorModel(context: context)
            {
                names.append((model.name, "embeddings"))
            }
            let data = names.map { name, owner -> JSONValue in
                ["id": .string(name), "object": "model", "created": 0, "owned_by": .string(owner)]
            }
            return Reply(
                contentType: "application/json",
                body: JSONValue.object(["object": "list", "data": .array(data)]).encoded()
            )
        }
    )
}
