import Domain
public import OpenAIDialect
import Outbound

/// Learns how many components the vectors of a model have by asking its server for one vector.
///
/// The number belongs to the name of the space, and no list of models of this dialect tells it.
public struct DimensionProbe: Sendable {
    private let client: OpenAIClient
    private let retrier: Retrier

    public init(client: OpenAIClient) { self.init(client: client, retrier: Retrier(policy: Self.policy)) }

    init(client: OpenAIClient, retrier: Retrier) {
        self.client = client
        self.retrier = retrier
    }

    /// Somebody waits for the start: a server that is just starting gets a few seconds.
    private static let policy = RetryPolicy(attemptsMax: 4, delayMax: .seconds(4), hintMax: .seconds(8))

    /// - Parameter text: a name for which `EmbeddingModelName.lacksDimensions` holds.
    /// - Throws: `EmbeddingsError`, with the cause's code; `CancellationError`.
    public func name(_ text: String) async throws -> EmbeddingModelName {
        guard let asked = EmbeddingModelName.withDimensions(1, text) else {
            return try EmbeddingModelName.reading(text)
        }
        let service = OpenAIEmbeddingService(
            client: client,
            model: asked.model,
            retrier: retrier,
            deadlines: Self.deadlines
        )
        let count: Int
        do {
            switch try await service.answer(for: ["dimensions"], kind: .query) {
            case .vectors(let vectors, _): count = vectors.first?.count ?? 0
            case .refused(let error): throw error
            }
        } catch let error as EmbeddingsError {
            throw Self.failed(text, error)
        }
        guard let name = EmbeddingModelName.withDimensions(count, text) else {
            let message = "its vectors have \(count) dimensions; 1 to \(Limits.vectorDimensions) can be used"
            throw Self.failed(text, EmbeddingsError(.badVector, message))
        }
        return name
    }

    private static let deadlines = OutboundDeadlines(
        firstByte: Limits.dimensionProbeTime,
        stall: Limits.dimensionProbeTime,
        total: Limits.dimensionProbeTime
    )

    private static func failed(_ text: String, _ cause: EmbeddingsError) -> EmbeddingsError {
        EmbeddingsError(
            cause.code,
            "the embedding model \(text) could not be asked how many dimensions its vectors have: \(cause.message)",
            hint:
                "see that its server runs and has the model, or say the number in the setting EMBEDDING_MODEL, such as "
                + "\(text)@768",
            detail: cause.detail
        )
    }
}
