import Airtable
import Database
import Domain
import Embeddings
import Logging
import VectorIndex

/// Compares each base's vectors with the units in SQL as a process takes over the index, and mends what differs.
///
/// A crash leaves at most some vectors above a partition's counter, which are removed, and lacks some of units
/// that were being deleted, which are written again. Anything else (a lost or damaged file, another model)
/// makes the base's tables be gone through once more; with the same model their texts are in the embedding
/// cache, so that encodes nothing.
struct Reconciliation: Sendable {
    /// How far above a partition's counter a crashed batch may have written.
    static let orphansMax: UInt32 = 8_192
    /// Units without a vector up to which they are looked for one by one.
    static let repairMax = 10_000
    static let pageUnits = 2_000

    let services: IndexingServices
    let tenant: TenantID
    let indexer: RecordIndexer
    private let store = SearchStore()

    init(services: IndexingServices, tenant: TenantID, indexer: RecordIndexer) {
        self.services = services
        self.tenant = tenant
        self.indexer = indexer
    }

    func run() async throws {
        let (tenant, store) = (tenant, store)
        let state = try await services.database.read(of: .tenant(tenant)) { transaction in
            State(
                partitions: try store.partitions(tenant: tenant, in: transaction),
                counts: try store.encodedCounts(tenant: tenant, in: transaction),
                removals: Set(try store.removals(tenant: tenant, in: transaction).map(\.base)),
                unfinished: Set(
                    try store.backfills(tenant: tenant, in: transaction)
                        .filter { $0.phase != .done && $0.isForced }.map(\.base)
                )
            )
        }
        for (base, partitions) in Dictionary(grouping: state.partitions, by: \.base).sorted(by: { $0.key < $1.key }) {
            try Task.checkCancellation()
            // Forced backfills write every vector anew anyway; removals leave vectors until they are done.
            if state.unfinished.contains(base) || state.removals.contains(base) { continue }
            let expected = state.counts[base] ?? 0
            let found = try await vectorCount(base, partitions)
            if found == expected { continue }
            if let found, found < expected, try await repair(base, partitions, lacking: expected - found) { continue }
            services.logger.notice(
                "search index of a base is rebuilt",
                metadata: [
                    "base": "\(base)", "expected": "\(expected)", "found": "\(found.map(String.init) ?? "unreadable")",
                ]
            )
            try await rebuild(base)
        }
    }

    // MARK: Private

    private struct State: Sendable {
        let partitions: [Partition]
        let counts: [BaseID: Int]
        let removals: Set<BaseID>
        let unfinished: Set<BaseID>
    }

    /// Vectors of the base without those above the counters, which are removed; nil when the files can't be read.
    private func vectorCount(_ base: BaseID, _ partitions: [Partition]) async throws -> Int? {
        let (tenant, collections) = (tenant, services.collections)
        do {
            return try await services.pool.run(priority: .bulk) {
                try collections.withWriter(tenant: tenant, base: base) { writer in
                    var removed = false
                    for partition in partitions {
                        let end = partition.nextEntry.addingReportingOverflow(Self.orphansMax)
                        for entry in partition.nextEntry..<(end.overflow ? UInt32.max : end.partialValue) {
                            let key = UnitKey(partition: partition.number, entry: entry).rawValue
                            if writer.contains(key) {
                                try writer.delete(key)
                                removed = true
                            }
                        }
                    }
                    if removed { try writer.flush() }
                    return writer.count
                }
            }
        } catch let error as SearchError where error.code == .corrupt {
            services.logger.error("search index of a base cannot be read", metadata: ["error": "\(error)"])
            return nil
        }
    }

    /// Writes `lacking` vectors that units are without; false when it is not just those that are wrong, or they
    /// are many.
    private func repair(_ base: BaseID, _ partitions: [Partition], lacking: Int) async throws -> Bool {
        guard lacking <= Self.repairMax else { return false }
        var records: [TableID: Set<RecordID>] = [:]
        var missing = 0
        for partition in partitions {
            for unit in try await unitsWithoutVector(base, partition.number) {
                missing += 1
                records[partition.table, default: []].insert(unit.record)
            }
        }
        guard missing == lacking else { return false }
        let context = try await services.context(tenant)
        for (table, ids) in records {
            do {
                let table = try await services.airtable.table(id: table, context: context)
                let layout = try await indexer.reader.layout(of: table, context: context)
                for run in SQLLists.runs(of: ids.sorted(), count: BackfillLane.blockRecords) {
                    let batch = RecordIndexer.Batch(
                        layout: layout,
                        ids: Array(run),
                        shown: try await indexer.reader.shown(Array(run), in: table, context: context),
                        priority: .interactive,
                        isForced: true
                    )
                    _ = try await indexer.index(batch)
                }
            } catch let error as AirtableError where error.code == .modelNotFound {
                // The table is gone; the log will say so.
                continue
            }
        }
        return true
    }

    private func unitsWithoutVector(_ base: BaseID, _ partition: UInt32) async throws -> [StoredUnit] {
        let (tenant, store, collections) = (tenant, store, services.collections)
        var entry: Int64 = -1
        var missing: [StoredUnit] = []
        while true {
            let after = entry
            let units = try await services.database.read(of: .tenant(tenant)) { transaction in
                try store.units(in: partition, after: after, limit: Self.pageUnits, tenant: tenant, transaction)
            }
            guard let last = units.last else { return missing }
            entry = Int64(last.key.entry)
            missing += try await services.pool.run(priority: .bulk) {
                try collections.withWriter(tenant: tenant, base: base) { writer in
                    units.filter { $0.isEncoded && !writer.contains($0.key.rawValue) }
                }
            }
        }
    }

    private func rebuild(_ base: BaseID) async throws {
        let (tenant, collections) = (tenant, services.collections)
        try await services.pool.run(priority: .bulk) { try collections.remove(tenant: tenant, base: base) }
        let context = try await services.context(tenant)
        do {
            for table in try await services.airtable.tables(in: base, context: context) {
                try await indexer.enqueue(table, because: .vectorsLost, context)
            }
        } catch let error as AirtableError where error.code == .modelNotFound {
            // The base is gone; the log will say so.
            return
        }
    }
}
