import Database
import Domain

/// Puts records of the hosted service into the copy that is kept of their base.
///
/// The service is the truth. What it said may be older than what is here all the same, when somebody wrote through this
/// store in between: such records are told by their entries in the change log, and left alone.
struct MirrorWriter: Sendable {
    struct Outcome: Sendable {
        /// Records that got another value, came or went.
        var changed = 0
        /// Left alone, since they were written here after the service was asked.
        var newer: [RecordID] = []
        /// Something of a record could not be read: the schema that is kept is behind the service's.
        var isWhole = true
    }

    let service: AirtableService
    let base: BaseID
    let context: RequestContext
    private let store = HostedBaseStore()

    init(service: AirtableService, base: BaseID, context: RequestContext) {
        self.service = service
        self.base = base
        self.context = context
    }

    /// The moment to give as `asked` before the service is asked.
    func mark() async throws -> Int64 { try await service.changes.latestSequence(tenant: context.tenant) }

    /// Puts whole records as they came. Links are taken as they are: the other side comes by itself.
    ///
    /// - Parameter also: what else belongs to the transaction.
    func put(
        _ records: [HostedRecord],
        in table: TableID,
        asked sequence: Int64,
        also: @escaping @Sendable (any Transaction) throws -> Void = { _ in }
    ) async throws -> Outcome {
        try await write(to: table, asked: sequence) { session, model, newer in
            var outcome = Outcome()
            var cells = HostedCells(model: model)
            try session.load(records.map(\.id), in: table)
            for record in records {
                if newer.contains(record.id) {
                    outcome.newer.append(record.id)
                    continue
                }
                let created = session.row(record.id, in: table)?.created ?? record.created ?? session.now
                session.put(cells.cells(record.fields), created: created, of: record.id, in: table)
            }
            outcome.isWhole = cells.isWhole
            try also(session.transaction)
            return outcome
        }
    }

    /// Puts records that a write through this store has changed, with the other sides of their links.
    func putWritten(_ records: [HostedRecord], in table: TableID, asked sequence: Int64) async throws -> Outcome {
        try await write(to: table, asked: sequence) { session, model, newer in
            var outcome = Outcome()
            var reader = HostedCells(model: model)
            try session.load(records.map(\.id), in: table)
            var changes: [(id: RecordID, cells: [FieldID: CellValue?])] = []
            for record in records {
                if newer.contains(record.id) {
                    outcome.newer.append(record.id)
                    continue
                }
                let cells = reader.cells(record.fields)
                if session.row(record.id, in: table) == nil {
                    session.put([:], created: record.created ?? session.now, of: record.id, in: table)
                }
                var change: [FieldID: CellValue?] = [:]
                for field in model.stored { change.updateValue(cells[field.id], forKey: field.id) }
                changes.append((record.id, change))
            }
            try session.loadLinked(to: changes.map(\.id), changing: changes.map(\.cells), in: table)
            for change in changes { try session.set(change.cells, of: change.id, in: table) }
            outcome.isWhole = reader.isWhole
            return outcome
        }
    }

    /// Takes records away that the service no longer has.
    func remove(_ ids: [RecordID], in table: TableID, asked sequence: Int64) async throws -> Outcome {
        try await write(to: table, asked: sequence) { session, _, newer in
            var outcome = Outcome()
            outcome.newer = ids.filter(newer.contains)
            try session.load(ids, in: table)
            let gone = ids.filter { !newer.contains($0) && session.row($0, in: table) != nil }
            try session.loadLinked(to: gone, changing: nil, in: table)
            try session.delete(gone, in: table)
            return outcome
        }
    }

    private func write(
        to table: TableID,
        asked sequence: Int64,
        _ body: @escaping @Sendable (inout WriteSession, TableModel, Set<RecordID>) throws -> Outcome
    ) async throws -> Outcome {
        let now = service.now()
        return try await service.change(context) { [base, context, store, log = service.log] transaction, schema in
            guard schema.home(of: base) == .mirrored, let model = schema.table(table), model.table.base == base else {
                throw AirtableError.tableNotFound()
            }
            let newer = try store.changedRecords(of: table, after: sequence, tenant: context.tenant, in: transaction)
            var session = WriteSession(
                schema: schema,
                actor: context.principal.user,
                now: now,
                computing: .asGiven,
                transaction: transaction
            )
            var outcome = try body(&session, model, newer)
            let before = try log.extent(tenant: context.tenant, in: transaction).latest
            try session.flush()
            outcome.changed = Int(try log.extent(tenant: context.tenant, in: transaction).latest - before)
            return outcome
        }
    }
}
