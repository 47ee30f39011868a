import Access
import Database
import Domain

/// What one transaction of the change log did to records, to be taken back as one new transaction.
///
/// A change is taken back cell by cell: only the cells that it set have to be as it left them, so that work on
/// other cells of the same record stands neither in the way nor is it lost. Both sides of a link are cells of their
/// own in the log, and are put back as such: when both are as the transaction left them, they agree after it too.
///
/// Computed cells are neither compared nor counted as set: they follow from others.
struct UndoPlan {
    /// One record, over all entries of the transaction.
    private struct Step {
        let table: TableID
        let record: RecordID
        var before: Record?
        var after: Record?
    }

    private let number: Int64
    private let schema: TenantSchema
    private var steps: [Step] = []
    private(set) var obstacles: [UndoObstacle] = []

    /// Whether records that it made are to be deleted.
    var deletes: Bool { steps.contains { $0.before == nil && $0.after != nil } }

    /// - Throws: `.notFound` when all that it touched is not seen; `AccessError.forbidden` and `.invalidPermissions` when it may not
    ///   be changed.
    init(_ changes: [RecordChange], gate: WriteGate) throws {
        let (schema, scope) = (gate.sight.schema, gate.sight.scope)
        number = changes.first?.transaction ?? 0
        self.schema = schema
        var places: [RecordID: Int] = [:]
        for change in changes where !change.isDerived {
            guard scope.allows(table: change.table, in: change.base), try gate.sight.seesStates(of: change) else {
                throw AirtableError.transactionNotFound()
            }
            guard let id = (change.event.before ?? change.event.after)?.id else { continue }
            guard schema.table(change.table) != nil else {
                add(.tableGone, change)
                continue
            }
            if let place = places[id] {
                steps[place].after = change.event.after
            } else {
                places[id] = steps.count
                let (before, after) = (change.event.before, change.event.after)
                steps.append(Step(table: change.table, record: id, before: before, after: after))
            }
        }
        for step in steps {
            guard let model = schema.table(step.table) else { continue }
            let hidden = scope.hiddenFields(table: step.table)
            if Self.changedFields(step, model).contains(where: { hidden.contains($0.id) }) {
                throw AirtableError.transactionNotFound()
            }
        }
        for step in steps {
            guard let model = schema.table(step.table) else { continue }
            try gate.requirePermission(in: model)
            let locked = scope.lockedFields(table: step.table)
            if let field = Self.changedFields(step, model).first(where: { locked.contains($0.id) }) {
                throw AirtableError.locked(field)
            }
        }
        // A write may add choices on its way; they stay. What only changed a schema is not ours to undo.
        if steps.isEmpty, obstacles.isEmpty {
            for change in changes {
                if case .imported = change.event { add(.imported, change) } else { add(.schemaChanged, change) }
            }
        }
    }

    /// - Parameter gate: of deleting.
    /// - Throws: `AccessError.forbidden` when records that it made may not be deleted.
    func requireDeletions(_ gate: WriteGate) throws {
        for step in steps where step.before == nil {
            guard let model = schema.table(step.table), let record = step.after else { continue }
            try gate.requirePermission(in: model)
            try gate.requirePermission(for: [record], in: step.table)
        }
    }

    private mutating func add(_ reason: UndoObstacle.Reason, _ change: RecordChange) {
        let record = (change.event.before ?? change.event.after)?.id
        obstacles.append(
            UndoObstacle(
                reason: reason,
                base: change.base,
                table: change.table,
                record: record,
                fields: [],
                since: nil
            )
        )
    }

    // MARK: Applying

    /// Puts everything back in `session`, unless something stands against it: see `obstacles`.
    mutating func apply(to session: inout WriteSession) throws {
        for (table, steps) in Dictionary(grouping: steps, by: \.table) {
            let ids = steps.map(\.record)
            try session.load(ids, in: table)
            let present = ids.filter { session.row($0, in: table) != nil }
            do { try session.requireTargets(present, in: table) } catch let error as AirtableError
                where error.code == .rowDoesNotExist
            {
                // No longer theirs to see.
                throw AirtableError.transactionNotFound()
            }
        }
        for step in steps {
            let model = try session.model(step.table)
            try check(step, model, session)
            if obstacles.count >= Limits.undoObstacles { return }
        }
        guard obstacles.isEmpty else { return }
        for step in steps {
            guard let before = step.before else {
                session.takeAway(step.record, in: step.table)
                continue
            }
            var cells = before.cells
            if step.after != nil, let row = session.row(step.record, in: step.table) {
                cells = row.cells
                for field in Self.changedFields(step, try session.model(step.table)) {
                    cells[field.id] = before.cells[field.id]
                }
            }
            session.put(
                cells,
                times: before.changedTimes,
                created: before.createdTime,
                of: step.record,
                in: step.table
            )
        }
    }

    private mutating func check(_ step: Step, _ model: TableModel, _ session: WriteSession) throws {
        let row = session.row(step.record, in: step.table)
        switch (row, step.after) {
        case (nil, _?): return try add(.deleted, step, model, session)
        case (_?, nil): return try add(.restored, step, model, session)
        case (nil, nil), (_?, _?): break
        }
        if let row, let after = step.after {
            // Of a record that it made every cell is its own.
            let fields = step.before == nil ? Self.writtenFields(model) : Self.changedFields(step, model)
            let changed = fields.filter { row.cells[$0.id] != after.cells[$0.id] }
            if !changed.isEmpty { return try add(.changed, step, model, session, changed) }
        }
        guard let before = step.before else { return }
        let fields = Self.changedFields(step, model)
        let gone = fields.filter { !Self.choicesExist(before.cells[$0.id], $0) }
        if !gone.isEmpty { try add(.choiceGone, step, model, session, gone) }
    }

    private mutating func add(
        _ reason: UndoObstacle.Reason,
        _ step: Step,
        _ model: TableModel,
        _ session: WriteSession,
        _ fields: [Field] = []
    ) throws {
        let latest = try ChangeLogStore().latestChange(
            of: step.record,
            after: number,
            schema: schema,
            in: session.transaction
        )
        // Entries of the transaction itself come after its number too.
        let since = latest.flatMap { change in
            change.transaction == number
                ? nil : UndoObstacle.Since(transaction: change.transaction, time: change.time, actor: change.actor)
        }
        obstacles.append(
            UndoObstacle(
                reason: reason,
                base: model.table.base,
                table: step.table,
                record: step.record,
                fields: fields.map(\.id),
                since: since
            )
        )
    }

    // MARK: Cells

    private static func writtenFields(_ model: TableModel) -> [Field] {
        model.table.fields.filter { !$0.type.isComputed }
    }

    private static func changedFields(_ step: Step, _ model: TableModel) -> [Field] {
        writtenFields(model).filter { step.before?.cells[$0.id] != step.after?.cells[$0.id] }
    }

    private static func choicesExist(_ value: CellValue?, _ field: Field) -> Bool {
        func exists(_ id: ChoiceID) -> Bool { field.options.choices?.contains { $0.id == id } == true }
        switch value {
        case .choice(let id)?: return exists(id)
        case .choices(let ids)?: return ids.allSatisfy(exists)
        default: return true
        }
    }
}
