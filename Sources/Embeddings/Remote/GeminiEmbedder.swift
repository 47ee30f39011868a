public import Gemini

extension RemoteEmbedder {
    /// Vectors by Gemini's embedding models.
    ///
    /// How the task is told belongs to the identity: `gemini-embedding-001` takes it beside the text, later models in
    /// words before it, and their spaces have nothing in common.
    ///
    /// - Throws: `EmbeddingsError.invalidModelName` for a name that Gemini's addresses can't hold.
    public static func gemini(
        _ name: EmbeddingModelName,
        client: GeminiClient
    ) throws(EmbeddingsError) -> RemoteEmbedder {
        let model: GeminiModelName
        do { model = try GeminiModelName(name.model) } catch {
            throw EmbeddingsError(.invalidModelName, error.message, hint: error.hint)
        }
        let scheme = GeminiEmbeddingScheme(model: model)
        return RemoteEmbedder(
            name: name,
            scheme: "gemini-\(scheme.rawValue)",
            tokenLimit: scheme == .taskType ? 2_048 : 8_192,
            service: GeminiEmbeddingService(client: client, model: name.model, dimensions: name.dimensions)
        )
    }
}

/// Gemini as a service that embeds. Its client bisects, retries and checks; here errors are translated.
struct GeminiEmbeddingService: RemoteEmbeddingService {
    let client: GeminiClient
    let model: String
    let dimensions: Int?

    func vectors(of texts: [String], kind: EmbeddingKind) async throws -> RemoteVectors {
        do {
            let found = try await client.embedWherePossible(
                texts.map { GeminiEmbeddingText($0) },
                model: model,
                task: kind == .query ? .query : .document,
                dimensions: dimensions
            )
            return RemoteVectors(vectors: found.vectors, tokenCount: found.tokenCount)
        } catch let error as GeminiError {
            throw EmbeddingsError(error)
        }
    }
}

extension EmbeddingsError {
    init(_ error: GeminiError) {
        let code: Code =
            switch error.code {
            case .quotaOfMinute, .quotaOfDay: .quotaExhausted
            case .invalidName, .invalidRequest, .requestRefused, .historyAltered, .keyRefused, .preconditionFailed,
                .modelNotFound, .inputTooLong:
                .serviceRefused
            case .textsRefused: .textRefused
            case .wrongEmbeddings: .badVector
            case .overloaded, .cannotConnect, .cut, .timedOut, .replyTooLarge, .malformedReply, .emptyReply:
                .serviceFailed
            }
        self.init(code, error.message, hint: error.hint, detail: error.detail)
        retryAfter = error.retryAfter
    }
}
