import Database
import Domain

/// A field's new cell, as a writer gave it.
struct FieldInput: Sendable {
    let field: Field
    let input: CellInput
}

/// One transaction of record writes: gathers what changes, keeps both sides of every link in step,
/// and writes each touched row once, with its entry in the change log, when it is flushed.
///
/// Lives inside one body of `SQLDatabase.write`, which holds the tenant's lock. Nothing is written
/// before `flush`, but for choices that typecasting adds.
struct WriteSession {
    /// A row that this session has read or makes.
    struct WorkingRow {
        /// As it was stored; nil when it is new.
        let stored: StoredRow?
        let original: [FieldID: CellValue]
        let created: Instant
        var cells: [FieldID: CellValue]
        /// When cells were changed after the row was made.
        var times: [FieldID: Instant] = [:]
        var isDeleted = false
        /// It was deleted before, and comes back with the numbers it had.
        var isRestored = false

        fileprivate mutating func assign(_ changes: [FieldID: CellValue?], except links: [Field]) {
            if cells.isEmpty { cells.reserveCapacity(changes.count) }
            for (field, value) in changes where !links.contains(where: { $0.id == field }) {
                // Texts that are the same but for how Unicode writes them are the same: else what was computed from
                // the old one would no longer fit.
                if case .text? = value, cells[field] == value { continue }
                cells[field] = value
            }
        }
    }

    let tenant: TenantID
    let actor: UserID
    let now: Instant
    let transaction: any Transaction
    /// Who is behind this session; nil for the store itself.
    let gate: WriteGate?
    /// Rows that its writer changes, in the order of their changes; others only follow.
    var aimed: [RowKey] = []
    private var aimedKeys: Set<RowKey> = []
    private(set) var schema: TenantSchema
    var rows: [TableID: [RecordID: WorkingRow]] = [:]
    /// Rows in the order they were first touched.
    private(set) var order: [RowKey] = []
    private var touched: Set<RowKey> = []
    /// Rows of which only computed cells changed, in the order these were computed.
    var derived: [RowKey] = []
    var derivedKeys: Set<RowKey> = []
    /// Computed cells to make anew whether or not anything changed, by field.
    var marked: [FieldID: Set<RecordID>] = [:]
    /// Cells that others changed in this transaction, by field, and what reads them is to follow.
    var changedElsewhere: [FieldID: Set<RecordID>] = [:]
    /// How many of them may be made anew.
    var computedCellsMax = Limits.computedCellsPerWrite
    /// How computed cells are kept in step.
    var computing: ComputingMode
    /// Rows that computing reads and this session does not change.
    var farRows = FarRows()
    /// Whether new rows need room; not those that were counted elsewhere before.
    var countsNewRows = true
    /// How many records `flush` made, changed or deleted, apart from those of which only computed cells followed.
    private(set) var changedRecords = 0
    /// Tables of which rows were written, and nothing was logged.
    private(set) var silentTables: Set<TableID> = []
    private var schemaEntries: [ChangeEntry] = []
    private let store = RecordStore()
    private let people: CollaboratorDirectory
    /// Attachments that were fetched, or looked up, before this transaction.
    let attachments: [AttachmentInput: Attachment]

    init(
        schema: TenantSchema,
        actor: UserID,
        people: CollaboratorDirectory = CollaboratorDirectory(),
        attachments: [AttachmentInput: Attachment] = [:],
        now: Instant,
        computing: ComputingMode = .whole,
        gate: WriteGate? = nil,
        transaction: any Transaction
    ) {
        self.computing = computing
        self.tenant = schema.tenant
        self.schema = schema
        self.actor = actor
        self.people = people
        self.attachments = attachments
        self.now = now
        self.gate = gate
        self.transaction = transaction
    }

    /// Whether cells come from the hosted service, which is the truth: they are kept as given, nothing is stamped or
    /// computed, and a link may lead to a record that is not here yet.
    private var isMirror: Bool { if case .asGiven = computing { true } else { false } }

    // MARK: Rows

    func model(_ table: TableID) throws(AirtableError) -> TableModel {
        guard let model = schema.table(table) else { throw .tableNotFound() }
        return model
    }

    /// Reads the rows among `ids` that exist and are not at hand yet.
    mutating func load(_ ids: some Sequence<RecordID>, in table: TableID) throws {
        let known = rows[table] ?? [:]
        var missing: Set<RecordID> = []
        for id in ids where known[id] == nil { missing.insert(id) }
        if missing.isEmpty { return }
        let model = try model(table)
        for row in try store.rows(missing, of: model, tenant: tenant, in: transaction) { try admit(row, model) }
    }

    /// Takes a row that was found by other means.
    mutating func admit(_ row: StoredRow, _ model: TableModel) throws {
        guard rows[model.table.id]?[row.id] == nil else { return }
        let cells = try StoredCells.decode(row.cells, model: model)
        rows[model.table.id, default: [:]][row.id] = WorkingRow(
            stored: row,
            original: cells,
            created: row.created,
            cells: cells,
            times: try ChangedTimes.read(row.cells, model: model)
        )
    }

    /// The row as it is now; nil when it does not exist, is deleted, or was not loaded.
    func row(_ id: RecordID, in table: TableID) -> WorkingRow? {
        guard let row = rows[table]?[id], !row.isDeleted else { return nil }
        return row
    }

    /// The record as it is now, without the fields hidden from the writer.
    func record(_ id: RecordID, in table: TableID) throws -> Record {
        guard let row = row(id, in: table) else { throw AirtableError.recordNotFound() }
        let model = try model(table)
        var cells = row.cells
        model.complete(&cells, created: row.created)
        let record = Record(id: id, createdTime: row.created, cells: cells)
        return try gate?.sight.masked([record], of: model).first ?? record
    }

    // MARK: Changes

    /// Makes a record. Linked rows must be loaded.
    mutating func create(_ cells: [FieldID: CellValue?], in table: TableID) throws -> RecordID {
        let id = RecordID.random()
        rows[table, default: [:]][id] = WorkingRow(stored: nil, original: [:], created: now, cells: [:])
        try set(cells, of: id, in: table)
        return id
    }

    /// Sets the given cells of a loaded row; nil clears. Linked rows must be loaded, see
    /// `loadLinked`.
    mutating func set(_ cells: [FieldID: CellValue?], of id: RecordID, in table: TableID) throws {
        let model = try model(table)
        touch(id, table)
        aim(id, table)
        rows[table]?[id]?.assign(cells, except: model.linkFields)
        // In the order of fields, so that the same write always gives the same log.
        for field in model.linkFields {
            if let value = cells[field.id] { try setLinks(value, field, of: id, in: table) }
        }
    }

    /// Deletes loaded rows, and takes them out of every link. Linked rows must be loaded.
    mutating func delete(_ ids: [RecordID], in table: TableID) throws {
        let model = try model(table)
        for id in ids {
            touch(id, table)
            aim(id, table)
            for field in model.linkFields { try setLinks(nil, field, of: id, in: table, keepsUnseen: false) }
            rows[table]?[id]?.isDeleted = true
        }
    }

    /// Puts a row where nothing but these cells is left to do: links to it, and those on its other side, are
    /// the caller's.
    ///
    /// - Parameters:
    ///   - times: when its cells had been changed, of a row that is not there, and comes back.
    ///   - created: of such a row.
    mutating func put(
        _ cells: [FieldID: CellValue],
        times: [FieldID: Instant] = [:],
        created: Instant,
        of id: RecordID,
        in table: TableID
    ) {
        touch(id, table)
        aim(id, table)
        if rows[table]?[id] == nil {
            rows[table, default: [:]][id] = WorkingRow(stored: nil, original: [:], created: created, cells: [:])
            rows[table]?[id]?.isRestored = true
            rows[table]?[id]?.times = times
        }
        rows[table]?[id]?.cells = cells
    }

    /// Takes a loaded row away; links to it are the caller's.
    mutating func takeAway(_ id: RecordID, in table: TableID) {
        touch(id, table)
        aim(id, table)
        rows[table]?[id]?.isDeleted = true
    }

    /// Loads every row on the other side of links that setting `changes`, or deleting (with none
    /// given), may touch.
    mutating func loadLinked(
        to ids: some Sequence<RecordID>,
        changing changes: [[FieldID: CellValue?]]?,
        in table: TableID
    ) throws {
        let model = try model(table)
        for field in model.linkFields {
            guard let linked = field.options.linkedTable else { continue }
            var touched: Set<RecordID> = []
            if let changes {
                guard changes.contains(where: { $0[field.id] != nil }) else { continue }
                for change in changes { if case .links(let ids)?? = change[field.id] { touched.formUnion(ids) } }
            }
            for id in ids {
                if case .links(let present) = rows[table]?[id]?.cells[field.id] { touched.formUnion(present) }
            }
            try load(touched, in: linked)
        }
    }

    private mutating func touch(_ id: RecordID, _ table: TableID) {
        let key = RowKey(table: table, record: id)
        if touched.insert(key).inserted { order.append(key) }
    }

    private mutating func aim(_ id: RecordID, _ table: TableID) {
        guard gate != nil else { return }
        let key = RowKey(table: table, record: id)
        if aimedKeys.insert(key).inserted { aimed.append(key) }
    }

    /// - Parameter keepsUnseen: whether links that the writer does not see stay.
    private mutating func setLinks(
        _ value: CellValue?,
        _ field: Field,
        of id: RecordID,
        in table: TableID,
        keepsUnseen: Bool = true
    ) throws {
        var new: [RecordID] = if case .links(let ids) = value { ids } else { [] }
        let old: [RecordID] = if case .links(let ids) = rows[table]?[id]?.cells[field.id] { ids } else { [] }
        if keepsUnseen, let linked = field.options.linkedTable {
            new += try unseen(among: new, old, in: linked)
        }
        if new == old { return }
        rows[table]?[id]?.cells[field.id] = new.isEmpty ? nil : .links(new)
        guard let linked = field.options.linkedTable, let inverse = field.options.inverseLinkField else { return }
        let (oldSet, newSet) = (Set(old), Set(new))
        for target in new where !oldSet.contains(target) {
            guard row(target, in: linked) != nil else {
                if isMirror { continue }
                throw AirtableError.rowDoesNotExist(target)
            }
            try changeLinks(inverse, of: target, in: linked) { $0.append(id) }
        }
        for target in old where !newSet.contains(target) {
            // A link to a row that is gone is a fault that `verify` reports; here it just goes
            // away.
            guard row(target, in: linked) != nil else { continue }
            try changeLinks(inverse, of: target, in: linked) { list in list.removeAll { $0 == id } }
        }
    }

    private mutating func changeLinks(
        _ field: FieldID,
        of id: RecordID,
        in table: TableID,
        _ change: (inout [RecordID]) -> Void
    ) throws(AirtableError) {
        touch(id, table)
        var links: [RecordID] = if case .links(let ids) = rows[table]?[id]?.cells[field] { ids } else { [] }
        change(&links)
        guard links.count <= Limits.linksPerCell else {
            throw AirtableError(.tooLarge, "A cell links to at most \(Limits.linksPerCell) records.")
        }
        rows[table]?[id]?.cells[field] = links.isEmpty ? nil : .links(links)
    }

    // MARK: Choices

    /// Adds choices to a select field, at the end.
    ///
    /// - Returns: their identifiers by name.
    mutating func addChoices(_ names: [String], to field: FieldID, in table: TableID) throws -> [String: ChoiceID] {
        let model = try model(table)
        guard let field = model.field(id: field) else { throw AirtableError.fieldNotFound() }
        let (replaced, added) = try model.addingChoices(names, to: field)
        guard let options = replaced.field(id: field.id)?.options else { throw AirtableError.fieldNotFound() }
        try SchemaStore().setOptions(options, of: field.id, tenant: tenant, in: transaction)
        schema = schema.replacing(replaced)
        if let new = replaced.field(id: field.id), new != field {
            let change = SchemaChange.fieldUpdated(before: field, after: new)
            schemaEntries.append(ChangeEntry(base: model.table.base, table: table, schema: change))
        }
        return added
    }

    // MARK: Writing

    /// Writes everything, with its entries in the change log.
    mutating func flush() throws {
        var entries = schemaEntries
        if !schemaEntries.isEmpty { try SchemaStore().raiseVersion(tenant: tenant, in: transaction) }
        var writes: [TableID: TableWrites] = [:]
        try placeNewRows(&writes)
        for key in order { stamp(key) }
        try compute()
        try checkAims()
        for key in order + derived {
            let (table, id) = (key.table, key.record)
            guard let row = rows[table]?[id], let model = schema.table(table) else { continue }
            guard var entry = writes[table, default: TableWrites()].add(id, row, model) else { continue }
            if entry.kind == .updated, !touched.contains(key) { entry.kind = .recomputed } else { changedRecords += 1 }
            if computing.isLogged { entries.append(entry) } else { silentTables.insert(table) }
        }
        for (table, writes) in writes {
            let model = try model(table)
            try store.insert(writes.inserted, tableNumber: model.number, tenant: tenant, in: transaction)
            try store.update(writes.updated, tenant: tenant, in: transaction)
            try store.delete(writes.deleted, of: model, tenant: tenant, in: transaction)
        }
        try ChangeLogStore().append(entries, actor: actor, time: now, tenant: tenant, in: transaction)
    }

    /// Writes who made a row, and who changed it and when, into the fields that say so.
    private mutating func stamp(_ key: RowKey) {
        guard let model = schema.table(key.table), let row = rows[key.table]?[key.record], !row.isDeleted else {
            return
        }
        if row.stored != nil {
            let times = model.changedTimes(row.times, from: row.original, to: row.cells, at: now)
            rows[key.table]?[key.record]?.times = times
        }
        guard !isMirror, !model.createdByFields.isEmpty || !model.modifiedFields.isEmpty else { return }
        let person = people.person(actor)
        let cells =
            row.stored == nil
            ? model.made(row.cells, by: person)
            : model.changed(from: row.original, to: row.cells, by: person, at: now)
        rows[key.table]?[key.record]?.cells = cells
    }

    /// Whether what was written to the row is to be told of as a change of its own, not as one that follows.
    func isTouched(_ key: RowKey) -> Bool { touched.contains(key) }

    struct RowKey: Hashable {
        let table: TableID
        let record: RecordID
    }
}
