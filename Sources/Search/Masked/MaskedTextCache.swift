import Access
import Domain
import Synchronization

/// Texts made for those from whom fields are hidden, as of a place in the change log; of the latest searches only.
final class MaskedTextCache: Sendable {
    struct Key: Equatable {
        let scope: VisibleScope
        let sequence: Int64
        /// How far the index was.
        let indexed: Int64
        /// The only records of the table that were seen; nil for all. By itself, as a rule may ask for the time.
        let records: Set<RecordID>?

        /// Compares the large set last; mostly it is the same one in memory.
        static func == (left: Key, right: Key) -> Bool {
            left.sequence == right.sequence && left.indexed == right.indexed && left.scope == right.scope
                && left.records == right.records
        }
    }

    private struct Entry {
        let key: Key
        let partition: UInt32
        let units: [MaskedTexts.Unit]
    }

    /// The one used last stands last.
    private let entries = Mutex<[Entry]>([])

    init() {}

    func units(of partition: UInt32, _ key: Key) -> [MaskedTexts.Unit]? {
        entries.withLock { entries in
            guard let place = entries.lastIndex(where: { $0.partition == partition && $0.key == key }) else {
                return nil
            }
            let entry = entries.remove(at: place)
            entries.append(entry)
            return entry.units
        }
    }

    func keep(_ units: [MaskedTexts.Unit], of partition: UInt32, _ key: Key) {
        entries.withLock { entries in
            // What was as of an earlier moment is never asked for again.
            entries.removeAll { $0.partition == partition && $0.key.scope == key.scope }
            entries.append(Entry(key: key, partition: partition, units: units))
            var total = entries.reduce(0) { $0 + $1.units.count }
            while total > Limits.maskedRecordsKept, entries.count > 1 { total -= entries.removeFirst().units.count }
        }
    }
}
