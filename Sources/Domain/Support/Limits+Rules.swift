/// Bounds of record rules: what somebody may see of tables that they see a part of.
extension Limits {
    /// Records of one table that exist for a reader, where they have to be known one by one: 17 MB of identifiers. A
    /// search over more would take seconds to begin.
    package static let ruledRecords = 200_000
    /// Such sets kept, and records in all of them together: some 100 MB, and enough for as many people at a time as a
    /// process serves.
    package static let ruledSets = 256
    package static let ruledSetRecords = 1_000_000
    /// Records of which one search makes the texts itself, because a field is hidden: some 30 µs each, so a quarter of a second
    /// the first time. A table with more is then searched by its long texts only.
    package static let maskedRecords = 10_000
    /// Such texts kept, of all readers together: about 1 kB each.
    package static let maskedRecordsKept = 50_000
}
