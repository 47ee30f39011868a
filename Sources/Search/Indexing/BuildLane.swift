import Airtable
import Database
import Domain
import Embeddings
import Logging
import VectorIndex

/// Makes the index of another model beside the live one, behind the other lanes, and changes over when it is whole.
///
/// Units and their keys stay: a build gives each unit a second vector, in a collection of the new model. It goes
/// through all units by key, then through those that changed meanwhile, which every transaction that changes units
/// notes beside them (`search_build_keys`). When none is left, one transaction, in the gate, makes the new model the
/// live one. Until then every question is answered by the old model from the old index.
///
/// Vectors are on disk before the place to go on from is committed, and texts are in the embedding cache before that:
/// after a sudden end a block is written once more, and no more than one batch is encoded again (`BulkShape`).
struct BuildLane: Sendable {
    /// Units of one block: seconds of encoding.
    static let blockUnits = 128

    enum Step: Sendable, Hashable {
        case idle, worked
        /// Another model is live now.
        case switched
    }

    let services: IndexingServices
    let tenant: TenantID
    let indexer: RecordIndexer
    private let store = SearchStore()

    init(services: IndexingServices, tenant: TenantID, indexer: RecordIndexer) {
        self.services = services
        self.tenant = tenant
        self.indexer = indexer
    }

    /// Does one block, or changes over.
    func step() async throws -> Step {
        guard services.models.mayChange else { return .idle }
        let (tenant, store) = (tenant, store)
        let found = try await services.database.read(of: .tenant(tenant)) { try store.build(tenant: tenant, in: $0) }
        guard let build = found, !build.isStuck, !build.isFinished else { return .idle }
        do {
            return try await advance(build)
        } catch let error as EmbeddingsError {
            let isStuck = error.kind != .busy && error.kind != .cancelled
            var noted = build
            noted.trouble = error.description
            noted.isStuck = isStuck
            let state = noted
            try await services.database.write(of: .tenant(tenant)) {
                _ = try store.update(state, tenant: tenant, in: $0)
            }
            guard isStuck else { throw error }
            services.logger.error(
                "the index of another model can't be made; the old one stays",
                metadata: ["model": "\(build.target)", "error": "\(error)"]
            )
            return .idle
        }
    }

    private func advance(_ build: IndexBuild) async throws -> Step {
        let target = try services.models.model(build.target)
        if !build.isFilled { return try await fill(build, target) }
        let (tenant, store) = (tenant, store)
        let keys = try await services.database.read(of: .tenant(tenant)) { transaction in
            try store.buildKeys(.changed, limit: Self.blockUnits, tenant: tenant, in: transaction)
        }
        if !keys.isEmpty { return try await follow(keys, build, target) }
        return try await change(build, target)
    }

    // MARK: Blocks

    private func fill(_ build: IndexBuild, _ target: SearchModel) async throws -> Step {
        // Whoever was writing units without having seen the build is through after this.
        if build.cursor < 0 { try await indexer.gate.run {} }
        let (tenant, store) = (tenant, store)
        let found = try await services.database.read(of: .tenant(tenant)) { transaction in
            try store.units(after: build.cursor, limit: Self.blockUnits, tenant: tenant, in: transaction)
        }
        let block = try await block(found, build, target)
        try await write(block, target)
        var next = build
        next.cursor = found.last?.unit.key.sqlInteger ?? .max
        next.done += found.count
        next.total = next.isFilled ? next.done : max(next.total, next.done)
        next.counts.add(block.counts)
        next.trouble = nil
        let state = next
        try await services.database.write(of: .tenant(tenant)) { transaction in
            guard try store.update(state, tenant: tenant, in: transaction) else { return }
            try store.noteForBuild(block.unmatched.map(\.unit.key), tenant: tenant, in: transaction)
            try store.noteOutcome(.refused, of: block.refused, tenant: tenant, in: transaction)
            try store.noteOutcome(.accepted, of: block.accepted, tenant: tenant, in: transaction)
        }
        try services.afterStep(.committed)
        return .worked
    }

    /// Deals with units that changed since they were dealt with.
    private func follow(
        _ keys: [(key: UnitKey, version: Int64)],
        _ build: IndexBuild,
        _ target: SearchModel
    ) async throws -> Step {
        let (tenant, store) = (tenant, store)
        let found = try await services.database.read(of: .tenant(tenant)) { transaction in
            (
                try store.units(keys.map(\.key), tenant: tenant, in: transaction),
                try store.partitions(tenant: tenant, in: transaction)
            )
        }
        var block = try await block(found.0, build, target)
        // Rendered anew they are noted again, unless nothing is left of them.
        try await bringUpToDate(block.unmatched)
        let bases = Dictionary(found.1.map { ($0.number, $0.base) }, uniquingKeysWith: { first, _ in first })
        let present = Set(found.0.map(\.unit.key))
        for (key, _) in keys where !present.contains(key) {
            if let base = bases[key.partition] { block.gone[base, default: []].append(key) }
        }
        try await write(block, target)
        let done = block
        var next = build
        next.counts.add(block.counts)
        next.trouble = nil
        let state = next
        try await services.database.write(of: .tenant(tenant)) { transaction in
            guard try store.update(state, tenant: tenant, in: transaction) else { return }
            try store.forgetBuildKeys(keys, tenant: tenant, in: transaction)
            try store.noteOutcome(.refused, of: done.refused, tenant: tenant, in: transaction)
            try store.noteOutcome(.accepted, of: done.accepted, tenant: tenant, in: transaction)
        }
        try services.afterStep(.committed)
        return .worked
    }

    /// Some units with their vectors by the new model.
    private struct Block: Sendable {
        var vectors: [BaseID: [(key: UnitKey, vector: [Float])]] = [:]
        var gone: [BaseID: [UnitKey]] = [:]
        /// Units whose record shows another text by now, or cannot be read.
        var unmatched: [(unit: StoredUnit, partition: Partition)] = []
        var refused: [UnitKey] = []
        var accepted: [UnitKey] = []
        var counts = EncodingCounts()
    }

    private func block(
        _ units: [(unit: StoredUnit, partition: Partition)],
        _ build: IndexBuild,
        _ target: SearchModel
    ) async throws -> Block {
        var block = Block()
        var texts: [(unit: StoredUnit, base: BaseID, text: String)] = []
        for (table, members) in Dictionary(grouping: units, by: \.partition.table).sorted(by: { $0.key < $1.key }) {
            let rendered = try await render(Set(members.map(\.unit.record)), of: table)
            for (unit, partition) in members {
                let place = UnitPlace(record: unit.record, group: partition.group, window: unit.window)
                guard let new = rendered[place], new.hash == unit.hash else {
                    block.unmatched.append((unit, partition))
                    continue
                }
                if new.isEncoded { texts.append((unit, partition.base, new.text)) }
            }
        }
        let vectors = try await IndexEmbedder(pipeline: target.pipeline).vectors(
            of: texts.map(\.text),
            tenant: tenant,
            priority: .bulk,
            reencodes: build.reencodes
        )
        try services.afterStep(.encoded)
        block.counts = EncodingCounts(encoded: vectors.encoded.count, tokens: vectors.tokens)
        for (unit, base, text) in texts {
            if !vectors.encoded.contains(text) { block.counts.skipped += 1 }
            if let vector = vectors.byText[text] {
                block.vectors[base, default: []].append((unit.key, vector))
                if !unit.isEncoded { block.accepted.append(unit.key) }
            } else {
                block.refused.append(unit.key)
                block.gone[base, default: []].append(unit.key)
                block.counts.failed += 1
                block.counts.failedRecords.append(unit.record)
            }
        }
        return block
    }

    /// The units of some records as they should be now; none when the table is gone.
    private func render(_ ids: Set<RecordID>, of table: TableID) async throws -> [UnitPlace: SearchUnit] {
        let context = try await services.context(tenant)
        let shown: RecordReader.Shown
        do {
            let model = try await services.airtable.table(id: table, context: context)
            shown = try await indexer.reader.shown(ids.sorted(), in: model, context: context)
        } catch let error as AirtableError where error.code == .modelNotFound {
            return [:]
        }
        let renderer = services.renderer
        return try await services.pool.run(priority: .bulk) { turn in
            var units: [UnitPlace: SearchUnit] = [:]
            for record in shown.records {
                for unit in shown.texts(of: record).flatMap(renderer.units) {
                    units[UnitPlace(record: record.id, group: unit.group, window: unit.window)] = unit
                }
                turn.letInteractivePass()
            }
            return units
        }
    }

    private func bringUpToDate(_ units: [(unit: StoredUnit, partition: Partition)]) async throws {
        if units.isEmpty { return }
        let context = try await services.context(tenant)
        for (table, members) in Dictionary(grouping: units, by: \.partition.table).sorted(by: { $0.key < $1.key }) {
            do {
                let model = try await services.airtable.table(id: table, context: context)
                let ids = Set(members.map(\.unit.record)).sorted()
                let batch = RecordIndexer.Batch(
                    layout: try await indexer.reader.layout(of: model, context: context),
                    ids: ids,
                    shown: try await indexer.reader.shown(ids, in: model, context: context),
                    priority: .bulk,
                    isForced: false
                )
                _ = try await indexer.index(batch)
            } catch let error as AirtableError where error.code == .modelNotFound {
                // The log will say so, and its partitions go.
                continue
            }
        }
    }

    private func write(_ block: Block, _ target: SearchModel) async throws {
        let (tenant, collections) = (tenant, target.collections)
        let bases = Set(block.vectors.keys).union(block.gone.keys).sorted()
        if bases.isEmpty { return }
        for base in bases {
            let changes = VectorChanges(removed: block.gone[base] ?? [], written: block.vectors[base] ?? [])
            try await collections.make(changes, tenant: tenant, base: base, on: services.pool)
        }
        try services.afterStep(.vectorsFlushed)
    }
}
