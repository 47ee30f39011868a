/// A record (row) as the caller may see it.
public struct Record: Sendable, Identifiable {
    public let id: RecordID
    public var createdTime: Instant
    /// By field; empty cells are absent.
    public var cells: [FieldID: CellValue]
    /// When cells that people set were last changed, where that was after the record was made; empty where nobody
    /// asked for it.
    public var changedTimes: [FieldID: Instant]

    public init(
        id: RecordID,
        createdTime: Instant,
        cells: [FieldID: CellValue],
        changedTimes: [FieldID: Instant] = [:]
    ) {
        self.id = id
        self.createdTime = createdTime
        self.cells = cells
        self.changedTimes = changedTimes
    }
}

/// What is known of the times of changes, which are not always read, does not tell two records apart.
extension Record: Hashable {
    public static func == (left: Self, right: Self) -> Bool {
        left.id == right.id && left.createdTime == right.createdTime && left.cells == right.cells
    }

    public func hash(into hasher: inout Hasher) {
        hasher.combine(id)
        hasher.combine(createdTime)
        hasher.combine(cells)
    }
}

/// One entry of the change log, in the order of `sequence`.
public struct RecordChange: Sendable, Hashable {
    /// Position in the tenant's change log: starts at 1, strictly rising, gapless among committed entries.
    public let sequence: Int64
    /// Entries written together share this.
    public let transaction: Int64
    public let base: BaseID
    public let table: TableID
    public let time: Instant
    public let actor: UserID
    public let event: Event
    /// What of the schema changed, when `event` says that it did and a writer of this version wrote it.
    public let schemaChange: SchemaChange?
    /// Whether only computed cells changed, because others had: `updated`, or of many records at once `imported`.
    public let isDerived: Bool

    public enum Event: Sendable, Hashable {
        case created(Record)
        /// Both whole; a consumer compares what it cares for.
        case updated(before: Record, after: Record)
        case deleted(Record)
        /// The table's schema or name changed, or the table appeared: read it again.
        case schemaChanged
        /// Many records came at once (an import): read the table's records whole.
        case imported
        /// The table and all its records are gone.
        case tableDeleted
    }

    public init(
        sequence: Int64,
        transaction: Int64,
        base: BaseID,
        table: TableID,
        time: Instant,
        actor: UserID,
        event: Event,
        schemaChange: SchemaChange? = nil,
        isDerived: Bool = false
    ) {
        self.sequence = sequence
        self.transaction = transaction
        self.base = base
        self.table = table
        self.time = time
        self.actor = actor
        self.event = event
        self.schemaChange = schemaChange
        self.isDerived = isDerived
    }
}
