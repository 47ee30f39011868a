import Access
public import Domain

/// One cell before and after a change; an empty one is nil.
public struct CellChange: Sendable, Hashable {
    public let field: FieldID
    public let before: CellValue?
    public let after: CellValue?

    public init(field: FieldID, before: CellValue?, after: CellValue?) {
        self.field = field
        self.before = before
        self.after = after
    }
}

/// What one entry of the change log changed, when and by whom, as far as its reader may see it.
public struct HistoryEntry: Sendable, Hashable {
    public enum Kind: String, Sendable, Hashable, CaseIterable {
        case created, updated, deleted
        case schemaChanged, imported, tableDeleted
    }

    /// See `RecordChange`.
    public let sequence: Int64
    public let transaction: Int64
    public let base: BaseID
    public let table: TableID
    /// Nil when it is not of one record.
    public let record: RecordID?
    public let time: Instant
    public let actor: UserID
    public let kind: Kind
    /// Nobody changed it: it follows from another change of the transaction.
    public let isDerived: Bool
    /// Of fields that still are, in the table's order; of a deleted table none.
    public let cells: [CellChange]
    /// What of the schema changed; nil also for entries that do not keep it.
    public let schemaChange: SchemaChange?
}

/// Entries, newest first.
public struct HistoryPage: Sendable, Hashable {
    public let entries: [HistoryEntry]
    /// For `before` of the next page; nil when there is nothing older. A page may have few entries, even none,
    /// and others after it: one page looks at a bounded part of the log.
    public let next: Int64?
}

extension HistoryEntry {
    /// Nil for a change of which this reader may see nothing.
    init?(_ change: RecordChange, schema: TenantSchema, scope: VisibleScope) {
        guard scope.allows(table: change.table, in: change.base) else { return nil }
        let hidden = scope.hiddenFields(table: change.table)
        if let schemaChange = change.schemaChange, !schemaChange.fields.isDisjoint(with: hidden) { return nil }
        // It tells consumers to read a table anew, and people nothing.
        if change.isDerived, case .imported = change.event { return nil }
        let (before, after) = (change.event.before, change.event.after)
        var cells: [CellChange] = []
        if let model = schema.table(change.table) {
            for field in scope.visible(model.table).fields {
                let cell = CellChange(field: field.id, before: before?.cells[field.id], after: after?.cells[field.id])
                if cell.before != cell.after { cells.append(cell) }
            }
            // Only what is hidden from them changed.
            if before != nil, after != nil, cells.isEmpty { return nil }
        }
        sequence = change.sequence
        transaction = change.transaction
        base = change.base
        table = change.table
        record = before?.id ?? after?.id
        time = change.time
        actor = change.actor
        kind = Kind(change.event)
        isDerived = change.isDerived
        self.cells = cells
        schemaChange = change.schemaChange
    }
}

extension SchemaChange {
    /// The fields that it tells something of.
    fileprivate var fields: Set<FieldID> {
        switch self {
        case .tableCreated, .tableUpdated, .baseRenamed: []
        case .fieldCreated(let field), .fieldUpdated(_, let field), .fieldDeleted(let field): [field.id]
        case .viewCreated(let view), .viewDeleted(let view): Self.fields(of: view)
        case .viewUpdated(let before, let after): Self.fields(of: before).union(Self.fields(of: after))
        }
    }

    /// A stored formula names its fields by identifier.
    private static func fields(of view: TableView) -> Set<FieldID> {
        let named = (view.filter ?? "").matches(of: /fld[A-Za-z0-9]{14}/).compactMap { FieldID(String($0.output)) }
        return Set(view.sort.map(\.field) + (view.visibleFields ?? []) + named)
    }
}

extension HistoryEntry.Kind {
    init(_ event: RecordChange.Event) {
        switch event {
        case .created: self = .created
        case .updated: self = .updated
        case .deleted: self = .deleted
        case .schemaChanged: self = .schemaChanged
        case .imported: self = .imported
        case .tableDeleted: self = .tableDeleted
        }
    }
}

extension RecordChange.Event {
    /// The record before; nil when there was none, or it is no record's change.
    var before: Record? {
        switch self {
        case .updated(let before, _), .deleted(let before): before
        case .created, .schemaChanged, .imported, .tableDeleted: nil
        }
    }

    var after: Record? {
        switch self {
        case .created(let after), .updated(_, let after): after
        case .deleted, .schemaChanged, .imported, .tableDeleted: nil
        }
    }
}
