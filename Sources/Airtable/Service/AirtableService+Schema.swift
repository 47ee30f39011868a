import Access
import Database
public import Domain
import Logging

/// Bases, tables and fields.
extension AirtableService {
    // MARK: Reading

    /// Every base that may be seen, in the order they were made.
    public func bases(context: RequestContext) async throws -> [Base] {
        try await reads(by: .basesRead).bases(context: context)
    }

    /// The base with this identifier, or else this name (without regard to case).
    public func base(_ nameOrID: String, context: RequestContext) async throws -> Base {
        try await reads(by: .basesRead).base(nameOrID, context: context)
    }

    /// The tables of a base, in the order people see them, with the fields that may be seen.
    public func tables(in base: BaseID, context: RequestContext) async throws -> [Table] {
        try await reads(by: .schemaRead).tables(in: base, context: context)
    }

    /// The table with this identifier, or else this name (without regard to case).
    public func table(_ nameOrID: String, in base: BaseID, context: RequestContext) async throws -> Table {
        try await reads(by: .schemaRead).table(nameOrID, in: base, context: context)
    }

    public func table(id: TableID, context: RequestContext) async throws -> Table {
        try await reads(by: .schemaRead).table(id: id, context: context)
    }

    /// How many records a table has. One small read, whatever its size.
    public func recordCount(in table: TableID, context: RequestContext) async throws -> Int {
        try await reads(by: .recordsRead).recordCount(in: table, context: context)
    }

    // MARK: Making

    /// Makes a base with all its tables, links between them included.
    ///
    /// - Parameter workspace: the tenant's first one unless said.
    public func createBase(
        name: String,
        tables drafts: [TableDraft],
        workspace: WorkspaceID? = nil,
        context: RequestContext
    ) async throws -> BaseSchema {
        try context.require(.schemaWrite)
        let scope = try await access.visibleScope(for: context, doing: .schemaWrite)
        let base = Base(
            id: .random(),
            workspace: try await workspaceID(workspace, scope: scope, context: context),
            name: try SchemaBuilder.checkedName(name, of: "base", otherwise: .invalidRequest),
            createdTime: now()
        )
        var builder = SchemaBuilder(base: base.id, existing: [])
        for draft in drafts { try builder.add(draft) }
        let tables = try builder.finish().newTables
        try await change(context) { [schemas] transaction, schema in
            guard !schema.bases.contains(where: { nameKey($0.name) == nameKey(base.name) }) else {
                throw AirtableError.duplicateBaseName(base.name)
            }
            try schemas.insert(base, state: .ready, tenant: context.tenant, in: transaction)
            for (position, table) in tables.enumerated() {
                _ = try schemas.insert(
                    table,
                    position: position,
                    state: .ready,
                    tenant: context.tenant,
                    in: transaction
                )
            }
            let entries = tables.map {
                ChangeEntry(base: $0.base, table: $0.id, schema: .tableCreated(name: $0.name))
            }
            try self.note(entries, context: context, in: transaction)
        }
        access.policyChanged(in: context.tenant)
        return BaseSchema(base: base, tables: tables)
    }

    /// The workspace for a new base: the first one where `scope` permits that, or a named one.
    ///
    /// - Throws: `.modelNotFound` for one that is not there for the caller; `AccessError.forbidden`.
    func workspaceID(
        _ wanted: WorkspaceID?,
        scope: VisibleScope,
        context: RequestContext
    ) async throws -> WorkspaceID {
        let workspaces = try await access.workspaces(by: .schemaWrite, context: context).map(\.id)
        let isThere = { (id: WorkspaceID) in
            workspaces.contains(id) && (scope.allows(workspace: id) || scope.permits(workspace: id))
        }
        if let wanted, !isThere(wanted) {
            throw AirtableError(.modelNotFound, "There is no such workspace, or you may not see it.")
        }
        let permitted = workspaces.first { ($0 == wanted ?? $0) && scope.permits(workspace: $0) }
        guard let permitted else { throw AccessError.forbidden(.schemaWrite) }
        return permitted
    }

    /// Whether the tenant has this workspace.
    package func hasWorkspace(_ id: WorkspaceID?, context: RequestContext) async throws -> Bool {
        try await access.workspaces(by: .schemaWrite, context: context).contains { $0.id == id }
    }

    /// Adds a table to a base. Its links make fields in the tables they lead to.
    public func createTable(_ draft: TableDraft, in base: BaseID, context: RequestContext) async throws -> Table {
        if let hosted = try await schemaWrites(of: base, context: context) {
            return try await hosted.createTable(draft)
        }
        let result = try await extend(
            base: { schema, scope in try schema.base(base, changingWhole: scope, .schemaWrite).id },
            context: context
        ) { builder in try builder.add(draft) }
        guard let table = result.newTables.first else { throw AirtableError.tableNotFound() }
        return table
    }

    /// Adds a field to a table. A link makes one in the linked table too.
    public func createField(_ draft: FieldDraft, in table: TableID, context: RequestContext) async throws -> Field {
        if let hosted = try await schemaWrites(of: table, context: context) {
            return try await hosted.createField(draft, in: table)
        }
        let result = try await extend(
            base: { schema, scope in
                try schema.table(table, changingFields: scope, .schemaWrite).table.base
            },
            context: context
        ) { builder in try builder.add(draft, to: table) }
        guard let field = result.newFields.first(where: { $0.table == table })?.field else {
            throw AirtableError.fieldNotFound()
        }
        return field
    }

    private func extend(
        base: @escaping @Sendable (TenantSchema, VisibleScope) throws -> BaseID,
        context: RequestContext,
        _ add: @escaping @Sendable (inout SchemaBuilder) throws -> Void
    ) async throws -> SchemaBuilder.Result {
        try context.require(.schemaWrite)
        let scope = try await access.visibleScope(for: context, doing: .schemaWrite)
        return try await change(context) { [schemas] transaction, schema in
            let scope = schema.widening(scope)
            let base = try base(schema, scope)
            try schema.requireEmbedded(base, "its tables and fields are made there")
            let count = schema.tables(in: base).count
            // Links and formulas find what the caller sees, and nothing else.
            let existing = schema.tables(in: base).filter { scope.allows(table: $0.table.id, in: base) }
            var builder = SchemaBuilder(base: base, existing: existing.map { $0.replacing(scope.visible($0.table)) })
            try add(&builder)
            let result = try builder.finish()
            for (table, _) in result.newFields {
                // The other side of a link is a field of its table.
                _ = try schema.table(table, changingFields: scope, .schemaWrite)
            }
            var entries: [ChangeEntry] = []
            for (table, field) in result.newFields {
                guard let model = schema.table(table) else { continue }
                try schemas.append(field, to: model, tenant: context.tenant, in: transaction)
                entries.append(ChangeEntry(base: base, table: table, schema: .fieldCreated(field)))
            }
            for (position, table) in result.newTables.enumerated() {
                _ = try schemas.insert(
                    table,
                    position: count + position,
                    state: .ready,
                    tenant: context.tenant,
                    in: transaction
                )
                entries.append(ChangeEntry(base: base, table: table.id, schema: .tableCreated(name: table.name)))
            }
            let number = try self.note(entries, context: context, in: transaction)
            try self.recompute(base, since: schema, continuing: number, context: context, in: transaction)
            return result
        }
    }

    // MARK: Deleting

    /// Deletes a table with its records, and the fields of other tables that link to it.
    public func deleteTable(_ table: TableID, context: RequestContext) async throws {
        try context.require(.schemaWrite)
        let scope = try await access.visibleScope(for: context, doing: .schemaWrite)
        try await change(context) { [schemas] transaction, schema in
            let model = try schema.table(table, changing: scope, .schemaWrite)
            try schema.requireEmbedded(model.table.base, "its tables are deleted there")
            try schemas.deleteTable(number: model.number, tenant: context.tenant, in: transaction)
            try AccessStore.remove(table, tenant: context.tenant, in: transaction)
            var edit = SchemaEdit(base: model.table.base, schema: schema, tenant: context.tenant)
            edit.droppedTables = [table]
            edit.entries.append(ChangeEntry(base: model.table.base, table: table, kind: .tableDeleted))
            for other in schema.tables(in: model.table.base) where other.table.id != table {
                for field in other.linkFields where field.options.linkedTable == table {
                    try edit.delete(field, of: other.table.id, in: transaction)
                }
            }
            let number = try self.note(edit.entries, context: context, in: transaction)
            try self.recompute(edit.base, since: schema, continuing: number, context: context, in: transaction)
        }
        access.policyChanged(in: context.tenant)
        await clearSoon(context: context)
    }

    /// Deletes a base with all its tables and records.
    public func deleteBase(_ base: BaseID, context: RequestContext) async throws {
        try context.require(.schemaWrite)
        let scope = try await access.visibleScope(for: context, doing: .schemaWrite)
        try await change(context) { [schemas] transaction, schema in
            _ = try schema.base(base, changingWhole: scope, .schemaWrite)
            try schema.requireEmbedded(base, "it is deleted there, or forgotten here by `sync --forget`")
            let tables = schema.tables(in: base).map { ($0.table.base, $0.table.id) }
            try schemas.deleteBase(base, tenant: context.tenant, in: transaction)
            try AccessStore.remove(base, tenant: context.tenant, in: transaction)
            if tables.isEmpty { try schemas.raiseVersion(tenant: context.tenant, in: transaction) }
            try self.note(.tableDeleted, of: tables, context: context, in: transaction)
        }
        access.policyChanged(in: context.tenant)
        await clearSoon(context: context)
    }

    /// Removes what deleted bases and tables left, in small transactions that let others in
    /// between.
    ///
    /// Deleting calls it; so should every start, for what an interrupted one left. Stops at the
    /// deadline.
    public func clearDeleted(context: RequestContext) async throws {
        try context.require(.schemaWrite)
        try await clearDeleted(tenant: context.tenant, until: context.deadline)
    }

    /// `clearDeleted(context:)` for the server's own housekeeping: it removes only what is deleted
    /// already.
    package func clearDeleted(tenant: TenantID, until deadline: ContinuousClock.Instant) async throws {
        while ContinuousClock.now < deadline {
            let mayGoOn = try await database.write(of: .tenant(tenant), deadline: deadline) { [schemas] transaction in
                try schemas.clear(rows: Limits.sweepRows, tenant: tenant, in: transaction)
            }
            if !mayGoOn { return }
            try Task.checkCancellation()
        }
    }

    /// Clears what the caller has just deleted. That has happened whether or not the clearing gets
    /// through: the next one goes on with it.
    func clearSoon(context: RequestContext) async {
        do { try await clearDeleted(tenant: context.tenant, until: context.deadline) } catch {
            context.logger.debug("clearing deleted tables stopped early", metadata: ["error": "\(error)"])
        }
    }

    /// Raises the schema's version, and logs one entry a table.
    func note(
        _ kind: ChangeKind,
        of tables: [(base: BaseID, table: TableID)],
        context: RequestContext,
        in transaction: any Transaction
    ) throws {
        let entries = tables.map { ChangeEntry(base: $0.base, table: $0.table, kind: kind) }
        try note(entries, context: context, in: transaction)
    }

    /// Raises the schema's version, and logs `entries` as one transaction.
    ///
    /// - Returns: the transaction's number in the log; nil when there is nothing to log.
    @discardableResult
    func note(
        _ entries: [ChangeEntry],
        context: RequestContext,
        in transaction: any Transaction
    ) throws -> Int64? {
        try schemas.raiseVersion(tenant: context.tenant, in: transaction)
        return try log.append(
            entries,
            actor: context.principal.user,
            time: now(),
            tenant: context.tenant,
            in: transaction
        )
    }
}
