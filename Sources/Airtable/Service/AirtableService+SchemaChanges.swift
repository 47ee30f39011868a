import Access
import Database
public import Domain

/// Changes of tables and fields that exist. Each is in the change log with what was before and what is after.
extension AirtableService {
    /// Renames a base. Told to the change log for each of its tables.
    ///
    /// - Throws: `.duplicateBaseName`.
    public func renameBase(_ base: BaseID, to name: String, context: RequestContext) async throws -> Base {
        try context.require(.schemaWrite)
        let scope = try await access.visibleScope(for: context, doing: .schemaWrite)
        let name = try SchemaBuilder.checkedName(name, of: "base", otherwise: .invalidRequest)
        return try await change(context) { [schemas] transaction, schema in
            let scope = schema.widening(scope)
            var changed = try schema.base(base, changing: scope, .schemaWrite)
            let before = changed.name
            guard !schema.bases.contains(where: { $0.id != base && nameKey($0.name) == nameKey(name) }) else {
                throw AirtableError.duplicateBaseName(name)
            }
            changed.name = name
            if before == name { return changed }
            try schemas.rename(base, to: name, tenant: context.tenant, in: transaction)
            let entries = schema.tables(in: base).map { model in
                ChangeEntry(base: base, table: model.table.id, schema: .baseRenamed(before: before, after: name))
            }
            try self.note(entries, context: context, in: transaction)
            return changed
        }
    }

    /// Renames a table, or describes it anew.
    public func updateTable(_ table: TableID, _ update: TableUpdate, context: RequestContext) async throws -> Table {
        try context.require(.schemaWrite)
        if let hosted = try await schemaWrites(of: table, context: context) {
            return try await hosted.updateTable(table, update)
        }
        let scope = try await access.visibleScope(for: context, doing: .schemaWrite)
        return try await change(context) { [schemas] transaction, schema in
            let scope = schema.widening(scope)
            let model = try schema.table(table, changing: scope, .schemaWrite)
            try schema.requireEmbedded(model.table.base, "its tables are named there")
            // A name that is taken would tell of a table that they do not see.
            if update.name != nil { _ = try schema.base(model.table.base, changingWhole: scope, .schemaWrite) }
            let before = TableHead(name: model.table.name, description: model.table.description)
            var after = before
            if let name = update.name {
                after.name = try SchemaBuilder.checkedName(name, of: "table", otherwise: .duplicateTableName)
                let isTaken = schema.tables(in: model.table.base).contains { other in
                    other.table.id != table && nameKey(other.table.name) == nameKey(after.name)
                }
                if isTaken {
                    throw AirtableError(
                        .duplicateTableName,
                        "The base has a table named \"\(after.name)\" already."
                    )
                }
            }
            if let text = update.description {
                after.description = try SchemaBuilder.checkedDescription(text, of: "table \"\(after.name)\"")
            }
            var changed = scope.visible(model.table)
            (changed.name, changed.description) = (after.name, after.description)
            if after == before { return changed }
            try schemas.update(after, ofTable: model.number, tenant: context.tenant, in: transaction)
            let entry = ChangeEntry(
                base: model.table.base,
                table: table,
                schema: .tableUpdated(before: before, after: after)
            )
            try self.note([entry], context: context, in: transaction)
            return changed
        }
    }

    /// Renames a field, describes it anew, or changes its options, of which choices are a part. Its type stays.
    ///
    /// - Throws: `.invalidFieldOptions` when choices are left out that `update` does not say to delete.
    public func updateField(
        _ field: FieldID,
        _ update: FieldUpdate,
        in table: TableID,
        context: RequestContext
    ) async throws -> Field {
        try context.require(.schemaWrite)
        if let hosted = try await schemaWrites(of: table, context: context) {
            return try await hosted.updateField(field, update, in: table)
        }
        let scope = try await access.visibleScope(for: context, doing: .schemaWrite)
        let person = try await people(context).person(context.principal.user)
        return try await change(context) { transaction, schema in
            let scope = schema.widening(scope)
            let (model, before) = try Self.field(field, of: table, schema, scope)
            let after = try before.updated(by: update, in: model, of: schema)
            try self.replace(before, by: after, in: model, person, schema, context, transaction)
            return after
        }
    }

    /// Deletes a field with its cells, and of a link the field on the other side too. What was computed from it is no
    /// longer valid.
    ///
    /// - Throws: `.invalidRequest` for a table's primary field.
    public func deleteField(_ field: FieldID, in table: TableID, context: RequestContext) async throws {
        try context.require(.schemaWrite)
        let scope = try await access.visibleScope(for: context, doing: .schemaWrite)
        try await change(context) { transaction, schema in
            let scope = schema.widening(scope)
            let (model, deleted) = try Self.field(field, of: table, schema, scope)
            guard model.table.primaryField != field else {
                throw AirtableError(
                    .invalidRequest,
                    "Field \"\(deleted.name)\" names the records: it cannot be deleted."
                )
            }
            var edit = SchemaEdit(base: model.table.base, schema: schema, tenant: context.tenant)
            try edit.delete(deleted, of: table, in: transaction)
            let number = try self.note(edit.entries, context: context, in: transaction)
            try self.recompute(edit.base, since: schema, continuing: number, context: context, in: transaction)
        }
    }

    /// Deletes a choice of a select field, and takes it out of every record.
    ///
    /// - Throws: `.modelNotFound` for a choice that the field does not have.
    public func deleteChoice(
        _ choice: ChoiceID,
        of field: FieldID,
        in table: TableID,
        context: RequestContext
    ) async throws {
        try context.require(.schemaWrite)
        let scope = try await access.visibleScope(for: context, doing: .schemaWrite)
        let person = try await people(context).person(context.principal.user)
        try await change(context) { transaction, schema in
            let scope = schema.widening(scope)
            let (model, before) = try Self.field(field, of: table, schema, scope)
            guard before.options.choices?.contains(where: { $0.id == choice }) == true else {
                throw AirtableError(.modelNotFound, "Field \"\(before.name)\" has no such choice.")
            }
            var after = before
            after.options.choices?.removeAll { $0.id == choice }
            try self.replace(before, by: after, in: model, person, schema, context, transaction)
        }
    }

    // MARK: Parts

    private static func field(
        _ field: FieldID,
        of table: TableID,
        _ schema: TenantSchema,
        _ scope: VisibleScope
    ) throws -> (TableModel, Field) {
        let seen = try schema.table(table, scope)
        guard let found = seen.field(id: field), !scope.hiddenFields(table: table).contains(field) else {
            throw AirtableError.fieldNotFound()
        }
        let model = try schema.table(table, changingFields: scope, .schemaWrite)
        if let linked = found.options.linkedTable, let inverse = found.options.inverseLinkField {
            // What becomes of a link becomes of its other side.
            _ = try schema.table(linked, changing: scope, .schemaWrite)
            let isHidden = scope.hiddenFields(table: linked).contains(inverse)
            guard !isHidden else { throw AccessError.forbidden(.schemaWrite) }
        }
        guard !scope.lockedFields(table: table).contains(field) else { throw AccessError.forbidden(.schemaWrite) }
        try schema.requireEmbedded(model.table.base, "its fields are changed there")
        return (model, found)
    }

    /// Writes a changed field, and takes choices that it no longer has out of the records, all as one transaction of
    /// the log.
    private func replace(
        _ before: Field,
        by after: Field,
        in model: TableModel,
        _ person: Collaborator,
        _ schema: TenantSchema,
        _ context: RequestContext,
        _ transaction: any Transaction
    ) throws {
        if before == after { return }
        var edit = SchemaEdit(base: model.table.base, schema: schema, tenant: context.tenant)
        try edit.update(before, to: after, of: model.table.id, in: transaction)
        let number = try note(edit.entries, context: context, in: transaction)
        let kept = Set((after.options.choices ?? []).map(\.id))
        let gone = Set((before.options.choices ?? []).map(\.id)).subtracting(kept)
        if !gone.isEmpty {
            let sweep = ChoiceSweep(
                choices: gone,
                field: after.id,
                model: model,
                tenant: context.tenant,
                actor: person,
                time: now()
            )
            try sweep.run(continuing: number, in: transaction)
        }
        try recompute(edit.base, since: schema, continuing: number, context: context, in: transaction)
    }
}

/// Takes choices out of every record of a table, a page at a time, each changed record with its entry in the log.
private struct ChoiceSweep {
    let choices: Set<ChoiceID>
    let field: FieldID
    /// As it was, so that cells can be read.
    let model: TableModel
    let tenant: TenantID
    let actor: Collaborator
    let time: Instant
    private let store = RecordStore()

    init(
        choices: Set<ChoiceID>,
        field: FieldID,
        model: TableModel,
        tenant: TenantID,
        actor: Collaborator,
        time: Instant
    ) {
        self.choices = choices
        self.field = field
        self.model = model
        self.tenant = tenant
        self.actor = actor
        self.time = time
    }

    func run(continuing number: Int64?, in transaction: any Transaction) throws {
        var (position, number): (Int64?, Int64?) = (nil, number)
        while true {
            let page = try store.page(
                after: position,
                limit: Limits.internalPageRecords,
                of: model,
                tenant: tenant,
                in: transaction
            )
            var rows: [StoredRow] = []
            var entries: [ChangeEntry] = []
            for row in page {
                guard let cells = try swept(row) else { continue }
                rows.append(StoredRow(position: row.position, id: row.id, created: row.created, cells: cells))
                var entry = ChangeEntry(base: model.table.base, table: model.table.id, kind: .updated)
                entry.record = row.id
                entry.created = row.created
                entry.before = row.cells
                entry.after = cells
                entries.append(entry)
            }
            try store.update(rows, tenant: tenant, in: transaction)
            number = try ChangeLogStore().append(
                entries,
                continuing: number,
                actor: actor.id,
                time: time,
                tenant: tenant,
                in: transaction
            )
            guard page.count == Limits.internalPageRecords, let last = page.last else { return }
            position = last.position
        }
    }

    /// The row's cells without the choices; nil when it has none of them.
    private func swept(_ row: StoredRow) throws(AirtableError) -> String? {
        let old = try StoredCells.decode(row.cells, model: model)
        var cells = old
        switch old[field] {
        case .choice(let choice) where choices.contains(choice): cells[field] = nil
        case .choices(let list) where list.contains(where: choices.contains):
            let rest = list.filter { !choices.contains($0) }
            cells[field] = rest.isEmpty ? nil : .choices(rest)
        default: return nil
        }
        let changed = model.changed(from: old, to: cells, by: actor, at: time)
        let times = model.changedTimes(
            try ChangedTimes.read(row.cells, model: model),
            from: old,
            to: cells,
            at: time
        )
        return StoredCells.encode(changed, times: times, model: model)
    }
}
