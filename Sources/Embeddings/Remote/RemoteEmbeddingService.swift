/// What a service elsewhere gives for one batch of texts.
package struct RemoteVectors: Sendable, Equatable {
    /// In the order of the texts; nil for a text that the service would not take.
    package var vectors: [[Float]?]
    /// As the service counts them; nil when it does not say.
    package var tokenCount: Int?

    package init(vectors: [[Float]?], tokenCount: Int?) {
        self.vectors = vectors
        self.tokenCount = tokenCount
    }
}

/// A service that embeds: one call for one batch, which keeps to its bounds of count and tokens.
///
/// Retrying, pausing and what stands on the wire are its own matter; what comes back is checked by `RemoteEmbedder`.
package protocol RemoteEmbeddingService: Sendable {
    /// - Throws: `EmbeddingsError` `quotaExhausted`, `serviceFailed`, `serviceRefused`; `CancellationError`.
    func vectors(of texts: [String], kind: EmbeddingKind) async throws -> RemoteVectors
}
