package import Domain

/// Where imported rows go.
package enum ImportTarget: Sendable, Hashable {
    /// A base that nobody sees until it is published.
    case newBase(name: String, workspace: WorkspaceID?, id: BaseID? = nil)
    /// New tables in place of all those a base has; the base keeps its identifier and name.
    case replacing(BaseID)
    /// More rows for tables of a base, beside new tables.
    case appending(BaseID, tables: [TableID])

    var kind: String {
        switch self {
        case .newBase: "new"
        case .replacing: "replace"
        case .appending: "append"
        }
    }
}

/// One import under way; see `ImportStore`.
package struct ImportSession: Sendable {
    package let id: String
    package let target: ImportTarget
    package let base: Base
    /// The tables to be filled: those appended to first, then the new ones in the order of their
    /// drafts.
    package let tables: [ImportTable]

    package func table(_ id: TableID) -> ImportTable? { tables.first { $0.table.id == id } }
}

/// A table being filled.
package struct ImportTable: Sendable {
    /// How rows are encoded; for an append the table they will go to.
    let model: TableModel
    /// The table that rows lie in until then.
    let number: Int64

    package var table: Table { model.table }
    var isAppend: Bool { model.number != number }
}

/// A record to be imported.
package struct ImportRow: Sendable {
    package var id: RecordID
    /// Now, unless said.
    package var created: Instant?
    /// As `CellCodec` checks them. Links of a new table hold both sides.
    package var cells: [FieldID: CellValue]
    /// Whether its numbers, and who made and changed it, are in its cells already.
    package var isWhole: Bool

    package init(
        id: RecordID = .random(),
        created: Instant? = nil,
        cells: [FieldID: CellValue],
        isWhole: Bool = false
    ) {
        self.id = id
        self.created = created
        self.cells = cells
        self.isWhole = isWhole
    }
}

/// An import as the journal knows it.
package struct ImportJournalEntry: Sendable, Hashable {
    package let id: String
    package let base: BaseID
    /// Who runs it, in words of its own: such as host and process.
    package let owner: String
    package let started: Instant
    /// Until when nobody else may take it for interrupted.
    package let leaseEnd: Instant
}
