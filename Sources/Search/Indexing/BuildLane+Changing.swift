import Airtable
import Database
import Domain
import Embeddings
import Logging
import VectorIndex

/// Changing over, and what comes before and after.
extension BuildLane {
    /// Makes the build's model the live one, in one transaction, if nothing is left to do; else has it done.
    func change(_ build: IndexBuild, _ target: SearchModel) async throws -> Step {
        let (services, tenant, store) = (services, tenant, SearchStore())
        return try await indexer.gate.run {
            if let base = try await incompleteBase(target) {
                services.logger.warning(
                    "vectors of another model are lost; they are made again from the cache",
                    metadata: ["model": "\(build.target)", "base": "\(base)"]
                )
                var again = build
                again.cursor = -1
                let state = again
                try await services.database.write(of: .tenant(tenant)) {
                    _ = try store.update(state, tenant: tenant, in: $0)
                }
                return .worked
            }
            try services.afterStep(.planned)
            let isChanged = try await services.database.write(of: .tenant(tenant)) { transaction in
                let present = try store.build(tenant: tenant, in: transaction)
                let left = try store.buildKeys(.changed, limit: 1, tenant: tenant, in: transaction)
                guard present?.number == build.number, left.isEmpty else { return false }
                try store.finish(build, tenant: tenant, in: transaction)
                return true
            }
            guard isChanged else { return .worked }
            services.logger.notice("another model makes the vectors now", metadata: ["model": "\(build.target)"])
            return .switched
        }
    }

    /// A base that lacks vectors which its units have according to SQL; nil when all is there.
    private func incompleteBase(_ target: SearchModel) async throws -> BaseID? {
        let (tenant, store, collections) = (tenant, SearchStore(), target.collections)
        let expected = try await services.database.read(of: .tenant(tenant)) { transaction in
            try store.countsAfterBuild(tenant: tenant, in: transaction)
        }
        return try await services.pool.run(priority: .bulk) {
            try expected.sorted { $0.key < $1.key }.first { base, count in
                try collections.count(tenant: tenant, base: base) < count
            }?.key
        }
    }

    /// Removes what models of before have left, and has every record rendered once more after a change: where the new
    /// model counts tokens differently, long texts are cut elsewhere.
    func prepare() async throws {
        guard services.models.mayChange else { return }
        let (tenant, store) = (tenant, SearchStore())
        let kept = try await services.collectionsKept(tenant: tenant)
        let directory = services.models.directory
        try await services.pool.run(priority: .bulk) {
            try VectorCollections.removeOthers(in: directory, tenant: tenant, keeping: kept)
        }
        let models = try await services.database.read(of: .tenant(tenant)) { try store.models(tenant: tenant, in: $0) }
        guard let models, models.needsPass else { return }
        let context = try await services.context(tenant)
        for base in try await services.airtable.bases(context: context) {
            for table in try await services.airtable.tables(in: base.id, context: context) {
                try await indexer.enqueue(table, because: .recordsChanged, context)
            }
        }
        try await services.database.write(of: .tenant(tenant)) { transaction in
            try store.setLiveModel(
                models.live,
                configured: models.configured,
                needsPass: false,
                tenant: tenant,
                in: transaction
            )
        }
    }
}

extension IndexingServices {
    /// The collections in use: those of the live model, and those that are being made.
    func collectionsKept(tenant: TenantID) async throws -> [VectorCollections] {
        guard models.mayChange else { return [collections] }
        let build = try await database.read(of: .tenant(tenant)) { try SearchStore().build(tenant: tenant, in: $0) }
        guard let build, !build.isFinished else { return [collections] }
        do {
            return [collections, try models.model(build.target).collections]
        } catch {
            logger.warning("a model cannot be opened", metadata: ["model": "\(build.target)", "error": "\(error)"])
            return [collections]
        }
    }

    /// Takes the configured model for a wish, where it is one, and opens the live one.
    ///
    /// A live model that can't be opened any more, such as one whose key is gone, gives way to the configured one at
    /// once: then records are found by words only until its index is made.
    func settle(tenant: TenantID) async throws -> IndexingServices {
        guard models.mayChange else { return self }
        let (store, configured, isWish) = (SearchStore(), models.configured, models.isWish)
        let live = try await database.write(of: .tenant(tenant)) { transaction -> EmbeddingModelName in
            try transaction.lock("search-models-\(tenant)")
            guard let stored = try store.models(tenant: tenant, in: transaction) else {
                // An index from before models could change was made by the local one.
                let isOld = try !store.partitions(tenant: tenant, in: transaction).isEmpty && configured.isRemote
                let live = isOld ? .local : configured
                try store.setLiveModel(
                    live,
                    configured: configured.description,
                    needsPass: false,
                    tenant: tenant,
                    in: transaction
                )
                if isOld { try store.startBuild(configured, reencodes: nil, tenant: tenant, in: transaction) }
                return live
            }
            guard isWish, stored.configured != configured.description else { return stored.live }
            try store.setLiveModel(
                stored.live,
                configured: configured.description,
                needsPass: stored.needsPass,
                tenant: tenant,
                in: transaction
            )
            if stored.live == configured {
                try store.stopBuild(tenant: tenant, in: transaction)
            } else {
                try store.startBuild(configured, reencodes: nil, tenant: tenant, in: transaction)
            }
            return stored.live
        }
        do {
            return using(try models.model(live))
        } catch let error as EmbeddingsError where isWish && live != configured {
            let model = try models.model(configured)
            logger.error(
                "the model of the index can't be opened; the configured one takes over",
                metadata: ["model": "\(live)", "error": "\(error)"]
            )
            try await database.write(of: .tenant(tenant)) { transaction in
                try store.stopBuild(tenant: tenant, in: transaction)
                try store.setLiveModel(
                    configured,
                    configured: configured.description,
                    needsPass: true,
                    tenant: tenant,
                    in: transaction
                )
            }
            return using(model)
        }
    }
}

extension SearchStore {
    /// Vectors that each base's index will need once the build's model is the live one.
    func countsAfterBuild(tenant: TenantID, in transaction: any Transaction) throws -> [BaseID: Int] {
        var counts = try encodedCounts(tenant: tenant, in: transaction)
        for (state, change) in [(BuildKeyState.refused, -1), (.accepted, 1)] {
            let rows = try transaction.rows(
                """
                SELECT partitions.base, count(*) FROM search_build_keys keys
                JOIN search_units units ON units.key = keys.key
                JOIN search_partitions partitions
                    ON partitions.tenant = $1 AND partitions.number = units.key / 4294967296
                WHERE keys.tenant = $1 AND keys.state = $2 AND units.is_encoded = $3
                GROUP BY partitions.base
                """,
                [.text(tenant.description), .text(state.rawValue), SQLValue(change < 0)]
            )
            for row in rows {
                guard let base = BaseID(try row.text(0)) else { throw SearchError.corrupt("list of partitions") }
                counts[base, default: 0] += change * Int(try row.integer(1))
            }
        }
        return counts
    }
}
