import Access
import Database
import Domain
import Synchronization

/// Which records of a table with a rule exist for a reader: what has to be known before anything is counted, or searched
/// among them.
///
/// What was found out is kept as of a place in the change log, for the same rule and reader; not when the rule asks for the time.
/// Bounded by number and by records: what was unused longest makes room.
final class RuledRecords: Sendable {
    private struct Key: Hashable {
        let tenant: TenantID
        let table: TableID
        let rule: RecordRule
    }

    private struct Entry {
        let sequence: Int64
        let version: Int64
        let records: Set<RecordID>
        var used: UInt64
    }

    private struct State {
        var entries: [Key: Entry] = [:]
        var clock: UInt64 = 0
    }

    private let state = Mutex(State())

    /// Nil when the table has no rule for the reader.
    ///
    /// - Parameter onDamage: told of each damaged record, which is left out; without it the first one is an error.
    /// - Throws: `.tooLarge` when more than `Limits.ruledRecords` exist for them; `.modelNotFound`.
    func records(
        of table: TableID,
        _ sight: RecordSight,
        onDamage: ((AirtableError) -> Void)? = nil
    ) throws -> Set<RecordID>? {
        let model = try sight.table(table)
        guard let rule = sight.scope.rule(table: table), let compiled = sight.rule(of: table) else { return nil }
        let key = Key(tenant: sight.schema.tenant, table: table, rule: rule)
        let sequence = try ChangeLogStore().extent(tenant: sight.schema.tenant, in: sight.transaction).latest
        if let known = known(key, sequence, sight.schema.version) { return known }
        let records: Set<RecordID>
        do { records = try Self.read(model, sight) } catch let error as AirtableError where error.code == .corrupt {
            guard let onDamage else { throw error }
            return try Self.readSound(model, sight, onDamage)
        }
        if !compiled.isVolatile { keep(records, key, sequence, sight.schema.version) }
        return records
    }

    private static func read(_ model: TableModel, _ sight: RecordSight) throws -> Set<RecordID> {
        var records: Set<RecordID> = []
        try RecordScan(plan: ListingPlan(all: model), sight: sight).forEachMatch(after: nil) { row, _, _, _ in
            records.insert(row.id)
            try check(records, of: model)
            return true
        }
        return records
    }

    private static func readSound(
        _ model: TableModel,
        _ sight: RecordSight,
        _ onDamage: (AirtableError) -> Void
    ) throws -> Set<RecordID> {
        var records: Set<RecordID> = []
        try RecordScan(plan: ListingPlan(all: model), sight: sight).forEachSoundMatch(onDamage: onDamage) { record in
            records.insert(record.id)
            try check(records, of: model)
        }
        return records
    }

    private static func check(_ records: Set<RecordID>, of model: TableModel) throws(AirtableError) {
        guard records.count > Limits.ruledRecords else { return }
        throw AirtableError(
            .tooLarge,
            "Of table \"\(model.table.name)\" more than \(Limits.ruledRecords) records are yours to see by a rule: too many "
                + "to be searched or counted one by one.",
            hint: "leave the table out, or list its records"
        )
    }

    private func known(_ key: Key, _ sequence: Int64, _ version: Int64) -> Set<RecordID>? {
        state.withLock { state in
            guard let entry = state.entries[key], entry.sequence == sequence, entry.version == version else {
                return nil
            }
            state.clock += 1
            state.entries[key]?.used = state.clock
            return entry.records
        }
    }

    private func keep(_ records: Set<RecordID>, _ key: Key, _ sequence: Int64, _ version: Int64) {
        state.withLock { state in
            state.clock += 1
            state.entries[key] = Entry(sequence: sequence, version: version, records: records, used: state.clock)
            var total = state.entries.values.reduce(0) { $0 + $1.records.count }
            while state.entries.count > Limits.ruledSets || total > Limits.ruledSetRecords,
                let oldest = state.entries.min(by: { $0.value.used < $1.value.used }), oldest.key != key
            {
                total -= oldest.value.records.count
                state.entries[oldest.key] = nil
            }
        }
    }
}
