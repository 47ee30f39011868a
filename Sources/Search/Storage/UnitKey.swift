import Domain

/// What a unit is called in the vector index and in the postings: a partition's number above, an entry's below.
///
/// The partition tells table and group of fields, so a scope is a set of partitions.
struct UnitKey: Hashable, Sendable, Comparable {
    let rawValue: UInt64

    init(rawValue: UInt64) { self.rawValue = rawValue }

    init(partition: UInt32, entry: UInt32) { rawValue = UInt64(partition) << 32 | UInt64(entry) }

    var partition: UInt32 { UInt32(truncatingIfNeeded: rawValue >> 32) }
    var entry: UInt32 { UInt32(truncatingIfNeeded: rawValue) }

    /// As SQL keeps it; partitions stay below 2³¹.
    var sqlInteger: Int64 { Int64(bitPattern: rawValue) }

    init(sqlInteger: Int64) { rawValue = UInt64(bitPattern: sqlInteger) }

    static func < (left: Self, right: Self) -> Bool { left.rawValue < right.rawValue }
}

/// One group of fields of one table, as a part of the index.
struct Partition: Sendable, Hashable {
    let number: UInt32
    let base: BaseID
    let table: TableID
    let group: FieldGroup
    /// Every field that a unit in here may show, in the form of `TableLayout.Source.text`, separated by spaces.
    let sources: String
    /// Entries below this have been given away.
    let nextEntry: UInt32
    /// Units in here now, and their words together.
    let units: Int
    let words: Int

    /// The same with other counts.
    func holding(units: Int, words: Int) -> Partition {
        Partition(
            number: number,
            base: base,
            table: table,
            group: group,
            sources: sources,
            nextEntry: nextEntry,
            units: units,
            words: words
        )
    }
}

/// A unit as stored: what is needed to find it again and to tell whether it changed.
struct StoredUnit: Sendable, Hashable {
    let key: UnitKey
    let record: RecordID
    let window: Int
    let range: Range<Int>
    let hash: ContentHash
    let isEncoded: Bool
}
