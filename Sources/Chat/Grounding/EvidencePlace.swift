package import Domain

/// Where a record that an answer may cite is to be read.
package struct EvidencePlace: Sendable, Hashable, Codable {
    package var record: RecordID
    package var table: TableID
    /// The record was shown as a link of `table`'s: it is in one of the tables that `table` links to.
    package var isLinked: Bool

    package init(record: RecordID, table: TableID, isLinked: Bool = false) {
        self.record = record
        self.table = table
        self.isLinked = isLinked
    }
}
