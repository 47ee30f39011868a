import Domain
public import OpenAIDialect
import Outbound

extension RemoteEmbedder {
    /// Vectors by a server of OpenAI's dialect: Ollama, llama.cpp, vLLM, or OpenAI itself.
    ///
    /// Texts are sent as they are, the same for both kinds: which words a model wants before a question is not known
    /// here. `dimensions` is not sent: most local servers refuse it; a vector of another size is an error.
    public static func openAICompatible(_ name: EmbeddingModelName, client: OpenAIClient) -> RemoteEmbedder {
        RemoteEmbedder(
            name: name,
            scheme: "openai-plain",
            // What the smallest of the usual models read whole; windows are much shorter.
            tokenLimit: 512,
            service: BisectingService(
                base: OpenAIEmbeddingService(client: client, model: name.model, retrier: Retrier())
            )
        )
    }
}

/// One server of the dialect as a service that embeds: tries again what passes, and tells what is refused.
struct OpenAIEmbeddingService: BisectableService {
    let client: OpenAIClient
    let model: String
    let retrier: Retrier
    var deadlines = OutboundDeadlines.standard

    func answer(for texts: [String], kind: EmbeddingKind) async throws -> BatchAnswer {
        do {
            let reply = try await retrier.run(verdict: Self.verdict) { _ in
                try await client.embeddings(
                    OpenAIEmbeddingRequest(model: model, input: texts),
                    deadlines: deadlines
                )
            }
            return .vectors(reply.vectors, tokenCount: reply.promptTokens > 0 ? reply.promptTokens : nil)
        } catch let error as OpenAIError where error.code == .requestRefused || error.code == .inputTooLong {
            return .refused(EmbeddingsError(error))
        } catch let error as OpenAIError {
            throw EmbeddingsError(error)
        } catch let error as OutboundError {
            throw EmbeddingsError(.serviceFailed, error.message, hint: error.hint, detail: error.detail)
        }
    }

    private static func verdict(_ error: any Error) -> RetryVerdict {
        switch error {
        case let error as OpenAIError: error.isTransient ? .retry(after: error.retryAfter) : .giveUp
        case let error as OutboundError: error.kind == .busy || error.kind == .timedOut ? .retry(after: nil) : .giveUp
        default: .giveUp
        }
    }
}

extension EmbeddingsError {
    init(_ error: OpenAIError) {
        let code: Code =
            switch error.code {
            case .keyRefused, .modelNotFound, .requestRefused, .inputTooLong: .serviceRefused
            case .overloaded, .quotaUsedUp: .quotaExhausted
            case .serverFailed, .cut, .malformedReply: .serviceFailed
            }
        self.init(code, error.message, hint: error.hint, detail: error.detail)
        retryAfter = error.retryAfter
    }
}
