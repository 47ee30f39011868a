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
    /// What a reader may see of `changes`, in their order.
    ///
    /// Of a record that is kept from them nothing is told, nor of what one was like while it was kept from them.
    static func entries(_ changes: [RecordChange], _ sight: RecordSight) throws -> [HistoryEntry] {
        let unseen = try Self.unseen(among: changes, sight)
        return try changes.compactMap { change in
            if let id = change.record, unseen.contains(id) { return nil }
            return try HistoryEntry(change, sight)
        }
    }

    /// The records that are there now, and not for this reader.
    private static func unseen(among changes: [RecordChange], _ sight: RecordSight) throws -> Set<RecordID> {
        guard sight.scope.hasRules else { return [] }
        var unseen: Set<RecordID> = []
        for (table, changes) in Dictionary(grouping: changes, by: \.table) where sight.rule(of: table) != nil {
            guard let model = sight.schema.table(table) else { continue }
            let ids = Set(changes.compactMap(\.record))
            let rows = try RecordStore().rows(ids, of: model, tenant: sight.schema.tenant, in: sight.transaction)
            unseen.formUnion(rows.map(\.id))
            unseen.subtract(try sight.seen(rows, of: model).map(\.id))
        }
        return unseen
    }

    /// Nil for a change of which this reader may see nothing.
    private init?(_ change: RecordChange, _ sight: RecordSight) throws {
        let scope = sight.scope
        guard scope.allows(table: change.table, in: change.base), try sight.seesStates(of: change) else { return nil }
        if let schemaChange = change.schemaChange, !scope.shows(schemaChange, of: change.table, sight.schema) {
            return nil
        }
        // It tells consumers to read a table anew, and people nothing.
        if change.isDerived, case .imported = change.event { return nil }
        var (before, after) = (change.event.before, change.event.after)
        var cells: [CellChange] = []
        if let model = sight.schema.table(change.table) {
            before = try before.flatMap { try sight.masked([$0], of: model).first }
            after = try after.flatMap { try sight.masked([$0], of: model).first }
            for field in scope.visible(model.table).fields {
                let cell = CellChange(field: field.id, before: before?.cells[field.id], after: after?.cells[field.id])
                if cell.before != cell.after { cells.append(cell) }
            }
            // Only what is hidden from them changed.
            if before != nil, after != nil, cells.isEmpty { return nil }
        } else if !scope.isWholeInBases {
            // What was hidden of a table is no longer known once it is gone.
            return nil
        }
        sequence = change.sequence
        transaction = change.transaction
        base = change.base
        table = change.table
        record = change.record
        time = change.time
        actor = change.actor
        kind = Kind(change.event)
        isDerived = change.isDerived
        self.cells = cells
        schemaChange = change.schemaChange.map { scope.visible($0) }
    }
}

extension RecordSight {
    /// Whether a record was the reader's to see both before and after a change.
    func seesStates(of change: RecordChange) throws -> Bool {
        guard scope.rule(table: change.table) != nil else { return true }
        guard let model = schema.table(change.table) else { return false }
        return try [change.event.before, change.event.after].compactMap(\.self).allSatisfy { record in
            var record = record
            model.complete(&record.cells, created: record.createdTime)
            return try sees(record, in: change.table)
        }
    }
}

extension VisibleScope {
    /// Whether a change of a table's schema tells nothing that is hidden.
    fileprivate func shows(_ change: SchemaChange, of table: TableID, _ schema: TenantSchema) -> Bool {
        guard change.fields.isDisjoint(with: hiddenFields(table: table)) else { return false }
        if let view = change.view, !allows(view: view) { return false }
        if isWholeInBases { return true }
        // What was hidden of a field or a view is no longer known once it is gone.
        switch change {
        case .fieldCreated(let field), .fieldUpdated(_, let field):
            return schema.table(table)?.field(id: field.id) != nil
        case .fieldDeleted, .viewDeleted: return false
        case .tableCreated, .tableUpdated, .baseRenamed, .viewCreated, .viewUpdated: return true
        }
    }

    fileprivate func visible(_ change: SchemaChange) -> SchemaChange {
        switch change {
        case .fieldCreated(let field): .fieldCreated(visible(field))
        case .fieldUpdated(let before, let after): .fieldUpdated(before: visible(before), after: visible(after))
        case .fieldDeleted, .tableCreated, .tableUpdated, .baseRenamed, .viewCreated, .viewUpdated, .viewDeleted: change
        }
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

    fileprivate var view: ViewID? {
        switch self {
        case .viewCreated(let view), .viewDeleted(let view), .viewUpdated(_, let view): view.id
        case .tableCreated, .tableUpdated, .baseRenamed, .fieldCreated, .fieldUpdated, .fieldDeleted: nil
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

extension RecordChange {
    /// Nil when it is not of one record.
    var record: RecordID? { (event.before ?? event.after)?.id }
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
