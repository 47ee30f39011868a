import Airtable
import Database
import Domain
import Embeddings
import VectorIndex

/// Brings the index up to date with some records of one table: the one way in which units change.
///
/// 1. Render the records, compare with the stored units, encode what changed. Nothing is written yet.
/// 2. In the tenant's gate: read the stored units again, decide keys, write the vectors and flush them to disk,
/// 3. then write units, postings and the caller's own rows (checkpoint, cursor) in one transaction.
///
/// A crash between 2 and 3 leaves vectors that SQL does not know, or knows by an older hash. New keys follow from the
/// partition's counter in SQL, so repeating the batch uses the same ones again; and everything up to where the change
/// log stood at the start is written once without trusting hashes (`isForced`), so that a text that changed and
/// changed back cannot keep the vector of the time between. A search that meets an unknown key leaves it out.
struct RecordIndexer: Sendable {
    let services: IndexingServices
    let tenant: TenantID
    let gate: Gate
    let store = SearchStore()

    var reader: RecordReader { RecordReader(airtable: services.soundReads) }

    init(services: IndexingServices, tenant: TenantID, gate: Gate) {
        self.services = services
        self.tenant = tenant
        self.gate = gate
    }

    /// One batch.
    struct Batch: Sendable {
        var layout: TableLayout
        /// Every record the batch is about; those that are not in `shown` no longer exist.
        var ids: [RecordID]
        var shown: RecordReader.Shown
        var priority: EmbeddingPriority
        /// Write vectors anew even where the text's hash is the stored one.
        var isForced: Bool
        /// Have the model read also what the cache has had since before this moment.
        var reencodes: Instant?
    }

    /// What a batch did.
    struct Outcome: Sendable {
        var records = 0
        var unitsWritten = 0
        var unitsRemoved = 0
        var counts = EncodingCounts()
    }

    /// A batch rendered and encoded; nothing of it is written yet.
    struct Prepared: Sendable {
        fileprivate let batch: Batch
        fileprivate let rendered: [RecordID: [Rendered]]
        fileprivate let vectors: IndexVectors
    }

    /// Brings some records up to date: `prepare` and `apply`.
    func index(
        _ batch: Batch,
        skipping: @escaping @Sendable () -> Set<RecordID> = { [] },
        applied: @escaping @Sendable ([RecordID]) -> Void = { _ in },
        commit: @escaping @Sendable (any Transaction, Outcome) throws -> Void = { _, _ in }
    ) async throws -> Outcome {
        try await apply(prepare(batch), skipping: skipping, applied: applied, commit: commit)
    }

    /// Renders and encodes, outside the gate: what takes time and changes nothing.
    func prepare(_ batch: Batch) async throws -> Prepared {
        let rendered = try await render(batch)
        try services.afterStep(.rendered)
        let first = try await plan(batch.ids, rendered, batch)
        let vectors = try await services.embedder.vectors(
            of: first.texts,
            tenant: tenant,
            priority: batch.priority,
            reencodes: batch.reencodes
        )
        try services.afterStep(.encoded)
        return Prepared(batch: batch, rendered: rendered, vectors: vectors)
    }

    /// Writes what was prepared, in the gate.
    ///
    /// - Parameters:
    ///   - skipping: asked in the gate; records that somebody else has brought up to date meanwhile.
    ///   - applied: told in the gate which records are up to date now.
    ///   - commit: further rows to write in the same transaction; run even when no unit changes.
    func apply(
        _ prepared: Prepared,
        skipping: @escaping @Sendable () -> Set<RecordID> = { [] },
        applied: @escaping @Sendable ([RecordID]) -> Void = { _ in },
        commit: @escaping @Sendable (any Transaction, Outcome) throws -> Void = { _, _ in }
    ) async throws -> Outcome {
        try await gate.run {
            try Task.checkCancellation()
            let (skipped, ids) = (skipping(), prepared.batch.ids)
            let wanted = skipped.isEmpty ? ids : ids.filter { !skipped.contains($0) }
            let outcome = try await self.write(wanted, prepared, commit: commit)
            applied(wanted)
            return outcome
        }
    }

    // MARK: Rendering

    /// A unit with what is derived from its text, so that it is derived once.
    fileprivate struct Rendered: Sendable {
        let unit: SearchUnit
        let hash: ContentHash
        let words: WordCounts
    }

    private func render(_ batch: Batch) async throws -> [RecordID: [Rendered]] {
        let renderer = services.renderer
        return try await services.pool.run(priority: ComputePriority(batch.priority)) { turn in
            var rendered: [RecordID: [Rendered]] = [:]
            for record in batch.shown.records {
                rendered[record.id] = batch.shown.texts(of: record).flatMap(renderer.units).map { unit in
                    Rendered(unit: unit, hash: unit.hash, words: WordAnalyzer.counts(of: unit.text))
                }
                turn.letInteractivePass()
            }
            return rendered
        }
    }

    // MARK: Planning

    /// What has to change for some records.
    private struct Plan: Sendable {
        var drafts: [UnitDraft] = []
        var removed: [UnitKey] = []
        var vectors: [(key: UnitKey, text: String)] = []
        var vectorsRemoved: [UnitKey] = []
        /// Units that stay as they are but for their vectors.
        var kept: [UnitKey: UnitDraft] = [:]
        /// Texts whose vectors are needed.
        var texts: [String] { vectors.map(\.text) }

        /// Takes out the vectors of texts that the model would not take: their units are found by words only.
        mutating func leaveOut(_ refused: Set<String>) {
            if refused.isEmpty { return }
            let keys = Set(vectors.filter { refused.contains($0.text) }.map(\.key))
            vectors.removeAll { keys.contains($0.key) }
            vectorsRemoved += keys.sorted()
            drafts += keys.sorted().compactMap { kept[$0] }
            for position in drafts.indices where keys.contains(drafts[position].key) {
                drafts[position].isEncoded = false
            }
        }
    }

    /// Compares the units of `ids` as they should be with those stored.
    private func plan(_ ids: [RecordID], _ rendered: [RecordID: [Rendered]], _ batch: Batch) async throws -> Plan {
        let groups = Set(rendered.values.joined().map(\.unit.group))
        let (partitions, stored) = try await state(of: ids, groups, batch.layout)
        let groupOf = Dictionary(uniqueKeysWithValues: partitions.map { ($0.value.number, $0.key) })
        var present: [UnitPlace: StoredUnit] = [:]
        for unit in stored {
            guard let group = groupOf[unit.key.partition] else { continue }
            present[UnitPlace(record: unit.record, group: group, window: unit.window)] = unit
        }
        var plan = Plan()
        var nextEntries = partitions.mapValues { UInt64($0.nextEntry) }
        for id in ids {
            for new in rendered[id] ?? [] {
                let unit = new.unit
                let old = present.removeValue(
                    forKey: UnitPlace(record: id, group: unit.group, window: unit.window)
                )
                let isSame = old.map { $0.hash == new.hash && $0.range == unit.range } ?? false
                if isSame, !batch.isForced { continue }
                let key = try old?.key ?? newKey(unit.group, partitions, &nextEntries)
                if !isSame || old?.isEncoded != unit.isEncoded {
                    plan.drafts.append(draft(new, key, id))
                } else {
                    plan.kept[key] = draft(new, key, id)
                }
                if unit.isEncoded {
                    plan.vectors.append((key, unit.text))
                } else if old?.isEncoded == true {
                    plan.vectorsRemoved.append(key)
                }
            }
        }
        // What is left is of texts that are no more.
        for unit in present.values.sorted(by: { $0.key < $1.key }) {
            plan.removed.append(unit.key)
            if unit.isEncoded { plan.vectorsRemoved.append(unit.key) }
        }
        return plan
    }

    private func draft(_ new: Rendered, _ key: UnitKey, _ record: RecordID) -> UnitDraft {
        UnitDraft(
            key: key,
            record: record,
            window: new.unit.window,
            range: new.unit.range,
            hash: new.hash,
            isEncoded: new.unit.isEncoded,
            words: new.words
        )
    }

    private func newKey(
        _ group: FieldGroup,
        _ partitions: [FieldGroup: Partition],
        _ nextEntries: inout [FieldGroup: UInt64]
    ) throws -> UnitKey {
        guard let partition = partitions[group], let next = nextEntries[group] else {
            throw SearchError.corrupt("list of partitions")
        }
        guard let entry = UInt32(exactly: next), entry < UInt32.max else {
            throw SearchError(
                .partitionFull,
                "A table has had more searchable texts than there are keys for.",
                hint: "rebuild the index with index --rebuild"
            )
        }
        nextEntries[group] = next + 1
        return UnitKey(partition: partition.number, entry: entry)
    }

    /// The table's partitions, made where missing, and the stored units of `ids`.
    private func state(
        of ids: [RecordID],
        _ groups: Set<FieldGroup>,
        _ layout: TableLayout
    ) async throws -> (partitions: [FieldGroup: Partition], units: [StoredUnit]) {
        let (tenant, store) = (tenant, store)
        let found = try await services.database.read(of: .tenant(tenant)) { transaction in
            let partitions = try store.partitions(of: layout.table.id, tenant: tenant, in: transaction)
            let numbers = Set(partitions.map(\.number))
            return (partitions, try store.units(of: ids, in: numbers, tenant: tenant, transaction))
        }
        let covers = found.0.allSatisfy { $0.covers(layout.sources(of: $0.group)) }
        if covers, groups.isSubset(of: found.0.map(\.group)) {
            return (Dictionary(found.0.map { ($0.group, $0) }, uniquingKeysWith: { first, _ in first }), found.1)
        }
        let partitions = try await services.database.write(of: .tenant(tenant)) { transaction in
            // Several blocks are planned at once, and the first of a table all find that its partitions are missing.
            try transaction.lock("search-partitions-\(tenant)")
            return try store.ensurePartitions(groups, layout: layout, tenant: tenant, in: transaction)
        }
        return (partitions, found.1)
    }

    // MARK: Writing

    private func write(
        _ ids: [RecordID],
        _ prepared: Prepared,
        commit: @escaping @Sendable (any Transaction, Outcome) throws -> Void
    ) async throws -> Outcome {
        let (batch, rendered) = (prepared.batch, prepared.rendered)
        let kept = ids.count == batch.ids.count ? rendered : rendered.filter { Set(ids).contains($0.key) }
        var plan = try await plan(ids, kept, batch)
        try services.afterStep(.planned)
        let vectors = try await services.embedder.vectors(
            of: plan.texts,
            known: prepared.vectors,
            tenant: tenant,
            priority: batch.priority
        )
        plan.leaveOut(vectors.refused)
        try await writeVectors(plan, vectors.byText, base: batch.layout.table.base)
        let outcome = Outcome(
            records: ids.count,
            unitsWritten: plan.drafts.count,
            unitsRemoved: plan.removed.count,
            counts: counts(rendered, vectors)
        )
        let (tenant, store, changes) = (tenant, store, plan)
        try await services.database.write(of: .tenant(tenant)) { transaction in
            if !changes.drafts.isEmpty || !changes.removed.isEmpty {
                try store.apply(changes.drafts, removing: changes.removed, tenant: tenant, in: transaction)
            }
            try commit(transaction, outcome)
        }
        try services.afterStep(.committed)
        return outcome
    }

    private func counts(_ rendered: [RecordID: [Rendered]], _ vectors: IndexVectors) -> EncodingCounts {
        var counts = EncodingCounts(encoded: vectors.encoded.count, tokens: vectors.tokens)
        for (record, units) in rendered.sorted(by: { $0.key < $1.key }) {
            if !units.contains(where: { vectors.encoded.contains($0.unit.text) }) { counts.skipped += 1 }
            if units.contains(where: { vectors.refused.contains($0.unit.text) }) {
                counts.failed += 1
                counts.failedRecords.append(record)
            }
        }
        return counts
    }

    private func writeVectors(_ plan: Plan, _ vectors: [String: [Float]], base: BaseID) async throws {
        if plan.vectors.isEmpty, plan.vectorsRemoved.isEmpty { return }
        let (tenant, collections, afterStep) = (tenant, services.collections, services.afterStep)
        var changes = VectorChanges(removed: plan.vectorsRemoved)
        for (key, text) in plan.vectors {
            if let vector = vectors[text] { changes.written.append((key, vector)) }
        }
        try await collections.make(changes, tenant: tenant, base: base, on: services.pool) {
            try afterStep(.vectorsChanged)
        }
        try afterStep(.vectorsFlushed)
    }
}

/// Where a unit belongs, whatever its key.
struct UnitPlace: Hashable, Sendable {
    let record: RecordID
    let group: FieldGroup
    let window: Int
}

extension Partition {
    /// Whether every one of `wanted` is among the sources already.
    func covers(_ wanted: Set<TableLayout.Source>) -> Bool {
        wanted.isSubset(of: Set(sources.split(separator: " ").compactMap(TableLayout.Source.init)))
    }
}

extension ComputePriority {
    init(_ priority: EmbeddingPriority) {
        switch priority {
        case .interactive: self = .interactive
        case .bulk: self = .bulk
        }
    }
}
