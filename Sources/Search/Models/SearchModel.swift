package import Database
package import Domain
package import Embeddings
import Synchronization

/// A model and the vectors made by it: the one way in which a question meets an index, so that vectors of two models
/// never meet. The index files' headers say the same once more.
package struct SearchModel: Sendable {
    package let name: EmbeddingModelName
    package let embedder: any Embedder
    package let pipeline: EmbeddingPipeline
    package let collections: VectorCollections

    package init(
        name: EmbeddingModelName,
        pipeline: EmbeddingPipeline,
        collections: VectorCollections
    ) {
        self.name = name
        self.embedder = pipeline.embedder
        self.pipeline = pipeline
        self.collections = collections
    }
}

/// The models of a data directory: which one is live for a tenant, and each one opened once.
///
/// The live one is what the database says, whatever this process was configured with: all processes answer from the
/// same index, and all change over at the same commit.
package final class SearchModels: Sendable {
    /// Makes an embedder by its name.
    package typealias Factory = @Sendable (EmbeddingModelName) throws -> any Embedder

    /// What this process was configured with.
    package let configured: EmbeddingModelName
    /// Whether somebody said so, rather than nobody anything: only then it is a wish to change the model.
    package let isWish: Bool
    /// The `index` directory.
    package let directory: String
    private let database: (any SQLDatabase)?
    private let factory: Factory
    private let cache: EmbeddingCache?
    private let opened: Mutex<[EmbeddingModelName: SearchModel]>

    package init(
        database: any SQLDatabase,
        directory: String,
        configured: EmbeddingModelName,
        isWish: Bool,
        cache: EmbeddingCache?,
        factory: @escaping Factory
    ) {
        self.database = database
        self.directory = directory
        self.configured = configured
        self.isWish = isWish
        self.cache = cache
        self.factory = factory
        opened = Mutex([:])
    }

    /// One model for ever, whatever the database says: for tests and tools that bring their own.
    package init(fixed model: SearchModel) {
        database = nil
        directory = model.collections.directory
        configured = model.name
        isWish = false
        cache = nil
        factory = { name in
            throw EmbeddingsError(.invalidModelName, "there is one model here, \(model.name), and not \(name)")
        }
        opened = Mutex([model.name: model])
    }

    /// What the index of a data directory calls the model that `text` names without its dimensions; nil when it has not
    /// met that one.
    package static func known(
        _ text: String,
        database: any SQLDatabase,
        tenant: TenantID
    ) async throws -> EmbeddingModelName? {
        let store = SearchStore()
        return try await database.read(of: .tenant(tenant)) { transaction in
            let stored = try store.models(tenant: tenant, in: transaction)
            let target = try store.build(tenant: tenant, in: transaction)?.target
            // What is being made was asked for last.
            let names = [target, stored.flatMap { EmbeddingModelName($0.configured) }, stored?.live]
            return names.compactMap(\.self).first { name in
                name.dimensions.map { name == EmbeddingModelName.withDimensions($0, text) } ?? false
            }
        }
    }

    /// Whether the model may change at all.
    package var mayChange: Bool { database != nil }

    /// The model that answers this tenant's questions.
    package func live(tenant: TenantID) async throws -> SearchModel { try model(try await liveName(tenant: tenant)) }

    package func liveName(tenant: TenantID) async throws -> EmbeddingModelName {
        guard let database else { return configured }
        let stored = try await database.read(of: .tenant(tenant)) {
            try SearchStore().liveModel(tenant: tenant, in: $0)
        }
        return stored ?? configured
    }

    /// The model of that name, made at the first call.
    package func model(_ name: EmbeddingModelName) throws -> SearchModel {
        if let known = opened.withLock({ $0[name] }) { return known }
        let pipeline = EmbeddingPipeline(embedder: try factory(name), cache: cache)
        let made = SearchModel(
            name: name,
            pipeline: pipeline,
            collections: VectorCollections(directory: directory, identity: pipeline.embedder.identity)
        )
        // Of two made at once the first stays, so that an index has one writer in a process.
        return opened.withLock { opened in
            if let other = opened[name] { return other }
            opened[name] = made
            return made
        }
    }

    /// Closes what is open for writing, of every model, so that another process may take over.
    package func closeWriters() {
        for model in opened.withLock({ Array($0.values) }) { model.collections.closeWriters() }
    }

    /// Closes what this process has open of a tenant's indexes, of every model, and removes all of them from disk.
    package func removeIndexes(of tenant: TenantID) throws {
        for model in opened.withLock({ Array($0.values) }) { model.collections.close(tenant: tenant) }
        try VectorCollections.removeOthers(in: directory, tenant: tenant, keeping: [])
    }

    /// Forgets a model that is no longer used, and closes its files.
    package func forget(_ name: EmbeddingModelName) {
        guard mayChange else { return }
        let model = opened.withLock { $0.removeValue(forKey: name) }
        model?.collections.closeWriters()
    }
}
