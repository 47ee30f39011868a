import Airtable
import Domain

/// The short fields of a table's records as somebody reads them from whom one of these is hidden.
///
/// A unit of the index shows all short fields of a record together, so that with one hidden none of it can be used. Such texts are made when
/// they are asked for, and found by their words: the record's own unit, as if it said only what is seen.
struct MaskedTexts: Sendable {
    struct Unit: Sendable, Hashable {
        let key: UnitKey
        let record: RecordID
        let words: WordCounts
    }

    /// By partition; of one with more than `Limits.maskedRecords` there is none.
    private(set) var units: [UInt32: [Unit]] = [:]
    /// The partitions as if they held nothing else.
    private(set) var partitions: [UInt32: Partition] = [:]
    /// The only units to find, though words count in all of them; nil for all.
    private var accepted: Set<UnitKey>?

    init() {}

    mutating func add(_ found: [Unit], of partition: Partition) {
        units[partition.number] = found
        partitions[partition.number] = partition.holding(
            units: found.count,
            words: found.reduce(0) { $0 + $1.words.total }
        )
    }

    /// The same, with units of these records only to be found; nil for all.
    func accepting(_ records: Set<RecordID>?) -> MaskedTexts {
        guard let records else { return self }
        var texts = self
        texts.accepted = Set(units.values.joined().lazy.filter { records.contains($0.record) }.map(\.key))
        return texts
    }

    /// Whether a unit is to be found; nil when it is none of these.
    func accepts(_ key: UnitKey) -> Bool? {
        if units.isEmpty || units[key.partition] == nil { return nil }
        return accepted?.contains(key) ?? true
    }

    func contains(_ key: UnitKey) -> Bool { units[key.partition] != nil }

    /// In how many units a stem occurs.
    func frequency(of stem: String) -> Int {
        units.values.reduce(0) { $0 + $1.count { $0.words.stems[stem] != nil } }
    }

    /// The postings of a stem, a block of a partition at a time.
    func postings(of stem: String) -> [(partition: UInt32, block: UInt32, data: [UInt8])] {
        var blocks: [UnitKey: [UInt8]] = [:]
        for unit in units.values.joined() {
            guard let count = unit.words.stems[stem] else { continue }
            let block = UnitKey(partition: unit.key.partition, entry: PostingBlock.block(of: unit.key.entry))
            blocks[block, default: []] += PostingBlock.posting(
                entry: unit.key.entry,
                frequency: count,
                words: unit.words.total
            )
        }
        return blocks.map { ($0.key.partition, $0.key.entry, $0.value) }
    }

    /// The units of `records` and `keys`, as the index would give them.
    func stored(of records: Set<RecordID>, or keys: Set<UnitKey>) -> [StoredUnit] {
        units.values.joined().filter { records.contains($0.record) || keys.contains($0.key) }.map { unit in
            StoredUnit(
                key: unit.key,
                record: unit.record,
                window: 0,
                // Cut to what the record says now.
                range: 0..<Int(Int32.max),
                hash: ContentHash(of: ""),
                isEncoded: false
            )
        }
    }
}
