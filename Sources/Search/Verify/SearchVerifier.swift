import Airtable
import Database
public import Domain
import Embeddings
import VectorIndex

/// What `doctor` learns about one tenant's search index.
public struct SearchReport: Sendable, Hashable {
    /// Sentences for people; empty when everything fits together. At most `problemsMax` are kept.
    public internal(set) var problems: [String] = []
    /// All problems found, kept or not.
    public internal(set) var problemCount = 0
    public internal(set) var recordsChecked = 0
    public internal(set) var unitsChecked = 0
    /// Changes that are not in the index yet; differences are no damage while there are any.
    public internal(set) var lag: Int64 = 0

    public static let problemsMax = 100

    mutating func note(_ problem: String) {
        problemCount += 1
        if problems.count < Self.problemsMax { problems.append(problem) }
    }
}

/// Compares the records, the units and postings in SQL, and the vectors with each other.
///
/// Reads everything once, in blocks. Meaningful when the index is current; run it when nothing is written.
public struct SearchVerifier: Sendable {
    static let blockRecords = 200

    let services: IndexingServices
    private let store = SearchStore()

    package init(services: IndexingServices) { self.services = services }

    /// - Parameter comparesVectors: also encodes every text (from the cache, mostly) and compares it with its vector.
    public func verify(tenant: TenantID, comparesVectors: Bool = false) async throws -> SearchReport {
        let live = SearchVerifier(services: try await services.live(tenant: tenant))
        return try await live.compare(tenant: tenant, comparesVectors: comparesVectors)
    }

    private func compare(tenant: TenantID, comparesVectors: Bool) async throws -> SearchReport {
        var report = SearchReport()
        let checkpoint = try await services.changes.checkpoint(of: Indexer.consumer, tenant: tenant)
        report.lag = try await services.changes.latestSequence(tenant: tenant) - (checkpoint ?? 0)
        let (store) = (store)
        let partitions = try await services.database.read(of: .tenant(tenant)) {
            try store.partitions(tenant: tenant, in: $0)
        }
        try await checkTables(partitions, tenant, comparesVectors: comparesVectors, &report)
        for partition in partitions { try await checkPartition(partition, tenant, &report) }
        try await checkCounts(partitions, tenant, &report)
        return report
    }

    // MARK: Records against units

    private func checkTables(
        _ partitions: [Partition],
        _ tenant: TenantID,
        comparesVectors: Bool,
        _ report: inout SearchReport
    ) async throws {
        let context = try await services.context(tenant)
        var known: Set<TableID> = []
        for base in try await services.airtable.bases(context: context) {
            for table in try await services.airtable.tables(in: base.id, context: context) {
                known.insert(table.id)
                let own = partitions.filter { $0.table == table.id }
                try await check(table, own, comparesVectors: comparesVectors, context, &report)
            }
        }
        for table in Set(partitions.map(\.table)).subtracting(known).sorted() {
            report.note("Table \(table) is gone, but is still indexed.")
        }
    }

    private func check(
        _ table: Table,
        _ partitions: [Partition],
        comparesVectors: Bool,
        _ context: RequestContext,
        _ report: inout SearchReport
    ) async throws {
        let reader = RecordReader(airtable: services.airtable.storedReads(by: .recordsRead))
        let numbers = Set(partitions.map(\.number))
        let groups = Dictionary(partitions.map { ($0.number, $0.group) }, uniquingKeysWith: { first, _ in first })
        let layout = try await reader.layout(of: table, context: context)
        for partition in partitions where !partition.covers(layout.sources(of: partition.group)) {
            report.note("Partition \(partition.number) of table \(table.id) may show fields it does not name.")
        }
        var cursor: RecordCursor?
        repeat {
            let request = RecordPageRequest(limit: Self.blockRecords, after: cursor)
            let page = try await services.airtable.storedReads(by: .recordsRead).records(
                in: table.id,
                page: request,
                context: context
            )
            cursor = page.next
            let shown = try await reader.shown(page.records, in: table, context: context)
            let (store, tenant, ids) = (store, context.tenant, page.records.map(\.id))
            let stored = try await services.database.read(of: .tenant(context.tenant)) { transaction in
                try store.units(of: ids, in: numbers, tenant: tenant, transaction)
            }
            let byRecord = Dictionary(grouping: stored, by: \.record)
            var texts: [UnitKey: String] = [:]
            for record in page.records {
                let units = shown.texts(of: record).flatMap(services.renderer.units)
                compare(units, byRecord[record.id] ?? [], groups, record.id, &texts, &report)
            }
            report.recordsChecked += page.records.count
            report.unitsChecked += stored.count
            if comparesVectors { try await compareVectors(texts, base: table.base, tenant, &report) }
        } while cursor != nil
    }

    private func compare(
        _ units: [SearchUnit],
        _ stored: [StoredUnit],
        _ groups: [UInt32: FieldGroup],
        _ record: RecordID,
        _ texts: inout [UnitKey: String],
        _ report: inout SearchReport
    ) {
        var rest = stored
        for unit in units {
            let position = rest.firstIndex { groups[$0.key.partition] == unit.group && $0.window == unit.window }
            guard let position else {
                report.note("Record \(record) lacks a unit of group \(unit.group.text).")
                continue
            }
            let found = rest.remove(at: position)
            if found.hash != unit.hash || found.range != unit.range {
                report.note("Record \(record) is indexed with an older text of group \(unit.group.text).")
            } else if found.isEncoded {
                texts[found.key] = unit.text
            }
        }
        for unit in rest { report.note("Record \(record) has a unit too many, \(unit.key.rawValue).") }
    }

    private func compareVectors(
        _ texts: [UnitKey: String],
        base: BaseID,
        _ tenant: TenantID,
        _ report: inout SearchReport
    ) async throws {
        let vectors = try await services.embedder.vectors(
            of: texts.values.sorted(),
            tenant: tenant,
            priority: .bulk
        )
        let collections = services.collections
        let wrong = try await services.pool.run(priority: .bulk) { turn in
            var wrong: [UnitKey] = []
            for (key, text) in texts {
                guard let vector = vectors.byText[text] else { continue }
                let found = try collections.search(
                    vector,
                    k: 1,
                    allowed: .keys(KeySet([key.rawValue])),
                    tenant: tenant,
                    base: base
                )
                if let score = found.first?.score, score < 0.999 { wrong.append(key) }
                turn.letInteractivePass()
            }
            return wrong
        }
        for key in wrong { report.note("The vector of unit \(key.rawValue) is not that of its text.") }
    }

    // MARK: Units against postings and vectors

    private func checkPartition(
        _ partition: Partition,
        _ tenant: TenantID,
        _ report: inout SearchReport
    ) async throws {
        var entry: Int64 = -1
        var records: Set<RecordID> = []
        while true {
            let (store, after) = (store, entry)
            let units = try await services.database.read(of: .tenant(tenant)) { transaction in
                try store.units(in: partition.number, after: after, limit: 1_000, tenant: tenant, transaction)
            }
            guard let last = units.last else { break }
            entry = Int64(last.key.entry)
            if last.key.entry >= partition.nextEntry {
                report.note("Partition \(partition.number) has units above its counter.")
            }
            records.formUnion(units.map(\.record))
            try await checkVectors(units, partition, tenant, &report)
        }
        try await checkRecords(records, partition, tenant, &report)
        let (store) = (store)
        let facts = try await services.database.read(of: .tenant(tenant)) { transaction in
            try store.postingFacts(of: partition.number, tenant: tenant, in: transaction)
        }
        if facts.units != partition.units || facts.words != partition.words {
            report.note("The counters of partition \(partition.number) are wrong.")
        }
        if facts.expectedPostings != facts.postings {
            report.note("The postings of partition \(partition.number) do not fit its units.")
        }
    }

    private func checkVectors(
        _ units: [StoredUnit],
        _ partition: Partition,
        _ tenant: TenantID,
        _ report: inout SearchReport
    ) async throws {
        let keys = units.filter(\.isEncoded).map(\.key)
        if keys.isEmpty { return }
        var probe = [Float](repeating: 0, count: services.collections.dimension)
        probe[0] = 1
        let (collections, vector) = (services.collections, probe)
        let found = try await services.pool.run(priority: .bulk) {
            try collections.search(
                vector,
                k: keys.count,
                allowed: .keys(KeySet(keys.map(\.rawValue))),
                tenant: tenant,
                base: partition.base
            )
        }
        for key in Set(keys.map(\.rawValue)).subtracting(found.map(\.key)) {
            report.note("Unit \(key) has no vector.")
        }
    }

    private func checkRecords(
        _ records: Set<RecordID>,
        _ partition: Partition,
        _ tenant: TenantID,
        _ report: inout SearchReport
    ) async throws {
        let context = try await services.context(tenant)
        do {
            for run in SQLLists.runs(of: records.sorted(), count: Limits.internalPageRecords) {
                let found = try await services.airtable.storedReads(by: .recordsRead).records(
                    Array(run),
                    in: partition.table,
                    context: context
                )
                for gone in Set(run).subtracting(found.map(\.id)) {
                    report.note("Record \(gone) is gone, but is still indexed.")
                }
            }
        } catch let error as AirtableError where error.code == .modelNotFound {
            // Said already, of the table.
            return
        }
    }

    private func checkCounts(
        _ partitions: [Partition],
        _ tenant: TenantID,
        _ report: inout SearchReport
    ) async throws {
        let (store) = (store)
        let counts = try await services.database.read(of: .tenant(tenant)) { transaction in
            (
                try store.encodedCounts(tenant: tenant, in: transaction),
                Set(try store.removals(tenant: tenant, in: transaction).map(\.base))
            )
        }
        for (base, expected) in counts.0.sorted(by: { $0.key < $1.key }) where !counts.1.contains(base) {
            let collections = services.collections
            let found = try await services.pool.run(priority: .bulk) {
                try collections.count(tenant: tenant, base: base)
            }
            if found != expected {
                report.note("The index of base \(base) has \(found) vectors; \(expected) units should have one.")
            }
        }
    }
}
