public import Domain

/// What became of an undo.
public enum UndoOutcome: Sendable, Hashable {
    /// - Parameters:
    ///   - transaction: of the change log, that put back what the other had changed. Undoing it does the first
    ///     one again. Nil when nothing of what that changed is left, such as a field deleted since.
    ///   - records: how many were made, changed or deleted.
    case undone(transaction: Int64?, records: Int)
    /// Nothing was changed: this stands against it. The first `Limits.undoObstacles`.
    case refused([UndoObstacle])
}

/// What keeps a transaction from being undone.
public struct UndoObstacle: Sendable, Hashable {
    public enum Reason: String, Sendable, Hashable, CaseIterable {
        /// Cells that it set have other values now.
        case changed
        /// A record that it made or changed is gone.
        case deleted
        /// A record that it deleted is there again.
        case restored
        /// A choice that a cell had is no longer one of its field.
        case choiceGone
        /// The table that it wrote to is gone.
        case tableGone
        /// It changed a schema, or brought an import: that is not undone.
        case schemaChanged
        case imported
    }

    public let reason: Reason
    public let base: BaseID
    public let table: TableID
    public let record: RecordID?
    /// The fields that `changed` and `choiceGone` are about.
    public let fields: [FieldID]
    /// The newest change of the record since: when, and by whom.
    public let since: Since?

    public struct Since: Sendable, Hashable {
        public let transaction: Int64
        public let time: Instant
        public let actor: UserID
    }
}
