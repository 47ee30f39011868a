import Access
import Embeddings
import Logging
import Search

/// Makes the embedder of a name from the settings.
struct EmbedderFactory: Sendable {
    let configuration: AppConfiguration
    let pool: ComputePool
    let upstreams: Upstreams

    /// - Throws: `EmbeddingsError` naming the file or the setting that is missing.
    func embedder(_ name: EmbeddingModelName) throws -> any Embedder {
        switch name.provider {
        case .local: return try TransformerEmbedder.load(directory: configuration.modelDirectory, pool: pool)
        case .hash: return HashEmbedder()
        case .gemini:
            guard let client = upstreams.gemini else {
                throw EmbeddingsError.settingMissing(name, "GEMINI_API_KEY")
            }
            return try RemoteEmbedder.gemini(name, client: client)
        case .openai:
            guard let client = upstreams.openAI else {
                throw EmbeddingsError.settingMissing(name, "OPENAI_BASE_URL")
            }
            return RemoteEmbedder.openAICompatible(name, client: client)
        }
    }
}

extension Services {
    /// The configured model, with the number of its dimensions: as its name says it, as the index has it, or as its
    /// server is asked, once: whoever keeps the index writes the whole name down before anything is encoded.
    ///
    /// - Throws: `EmbeddingsError`, naming the setting where the number can be said.
    func embeddingModelName(_ upstreams: Upstreams) async throws -> EmbeddingModelName {
        guard let text = configuration.models.embeddingModel, EmbeddingModelName.lacksDimensions(text) else {
            return try configuration.embeddingModelName()
        }
        if let known = try await SearchModels.known(text, database: database, tenant: first.tenant) { return known }
        guard let client = upstreams.openAI else { throw EmbeddingsError.settingMissing(text, "OPENAI_BASE_URL") }
        let name = try await DimensionProbe(client: client).name(text)
        logger.notice("learnt the dimensions of the embedding model", metadata: ["model": "\(name)"])
        return name
    }
}

extension AppConfiguration {
    /// - Throws: `EmbeddingsError.invalidModelName`.
    func embeddingModelName() throws(EmbeddingsError) -> EmbeddingModelName {
        if let text = models.embeddingModel { return try EmbeddingModelName.reading(text) }
        return embedder == .hash ? .hash : .local
    }

    /// Whether somebody named the model, so that another one in the index has to give way.
    var namesEmbeddingModel: Bool {
        models.embeddingModel != nil || sources[.embedder].map { $0 != .default } ?? false
    }
}
