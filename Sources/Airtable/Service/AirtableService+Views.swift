import Access
import Database
public import Domain

/// Views of tables. A table has one at least; each change is an entry of the change log.
extension AirtableService {
    // MARK: Reading

    /// The views of a table that may be seen, in the order they were made.
    public func views(in table: TableID, context: RequestContext) async throws -> [TableView] {
        try context.require(.schemaRead)
        return try await views(
            in: table,
            scope: try await access.visibleScope(for: context, doing: .schemaRead),
            context: context
        )
    }

    func views(in table: TableID, scope: VisibleScope, context: RequestContext) async throws -> [TableView] {
        try await read(context) { [filters] transaction, schema in
            let scope = schema.widening(scope)
            let model = try schema.table(table, scope)
            return try VisibleViews(of: model, scope: scope, filters: filters, tenant: context.tenant, in: transaction)
                .views
        }
    }

    /// The tables of a base with their views, in the order people see them.
    public func viewedTables(in base: BaseID, context: RequestContext) async throws -> [ViewedTable] {
        try await reads(by: .schemaRead).viewedTables(in: base, context: context)
    }

    // MARK: Changing

    /// - Throws: `.duplicateViewName`, `.unknownFieldName`, `.invalidFilter`.
    public func createView(_ draft: ViewDraft, in table: TableID, context: RequestContext) async throws -> TableView {
        try await changeViews(of: table, context) { [tenant = context.tenant] transaction, known in
            guard known.stored.count < Limits.viewsPerTable else {
                throw AirtableError(.tooLarge, "A table has at most \(Limits.viewsPerTable) views.")
            }
            try known.requireNames()
            var view = TableView(id: .random(), table: table, name: "")
            let update = ViewUpdate(
                name: draft.name,
                filter: draft.filter,
                sort: draft.sort,
                visibleFields: draft.visibleFields
            )
            try known.apply(update, to: &view)
            try ViewStore().insert(view, of: known.model, tenant: tenant, in: transaction)
            return (view, .viewCreated(view))
        }
    }

    public func updateView(
        _ id: ViewID,
        _ update: ViewUpdate,
        in table: TableID,
        context: RequestContext
    ) async throws -> TableView {
        try await changeViews(of: table, context) { [tenant = context.tenant] transaction, known in
            let before = try known.permitted(id)
            if update.name != nil { try known.requireNames() }
            var after = before
            try known.apply(update, to: &after)
            if after == before { return (after, nil) }
            try ViewStore().update(after, tenant: tenant, in: transaction)
            return (after, .viewUpdated(before: before, after: after))
        }
    }

    /// - Throws: `.noSuchView`; `.invalidRequest` for the table's last one.
    public func deleteView(_ id: ViewID, in table: TableID, context: RequestContext) async throws {
        _ = try await changeViews(of: table, context) { [tenant = context.tenant] transaction, known in
            let view = try known.permitted(id)
            guard known.stored.count > 1 else {
                throw AirtableError(.invalidRequest, "A table has one view at least.", hint: "make another one first")
            }
            try ViewStore().delete(id, tenant: tenant, in: transaction)
            return (view, .viewDeleted(view))
        }
    }

    /// - Parameter body: gives the view as it is stored, and what is told to the change log.
    private func changeViews(
        of table: TableID,
        _ context: RequestContext,
        _ body: @escaping @Sendable (any Transaction, VisibleViews) throws -> (TableView, SchemaChange?)
    ) async throws -> TableView {
        try context.require(.schemaWrite)
        let scope = try await access.visibleScope(for: context, doing: .schemaWrite)
        return try await change(context) { [filters] transaction, schema in
            let scope = schema.widening(scope)
            let model = try schema.table(table, changing: scope, .schemaWrite)
            try ViewStore().settle(model, tenant: context.tenant, in: transaction)
            let known = try VisibleViews(
                of: model,
                scope: scope,
                filters: filters,
                tenant: context.tenant,
                in: transaction
            )
            let (view, change) = try body(transaction, known)
            if let change {
                let entry = ChangeEntry(base: model.table.base, table: table, schema: change)
                try self.note([entry], context: context, in: transaction)
            }
            return known.shown(view) ?? view
        }
    }
}

extension GatedReads {
    /// The tables of a base with their views, in the order people see them.
    package func viewedTables(in base: BaseID, context: RequestContext) async throws -> [ViewedTable] {
        try context.require(permission)
        let scope = try await service.access.visibleScope(for: context, doing: permission)
        return try await service.read(context) { [filters = service.filters] transaction, schema in
            let scope = schema.widening(scope)
            _ = try schema.base(base, scope)
            let models = schema.tables(in: base).filter { scope.allows(table: $0.table.id, in: base) }
            let stored = try ViewStore().views(of: models, tenant: context.tenant, in: transaction)
            return models.map { model in
                let views = VisibleViews(
                    model: model,
                    scope: scope,
                    filters: filters,
                    stored: stored[model.table.id] ?? []
                )
                return ViewedTable(table: views.table, views: views.views)
            }
        }
    }
}

extension VisibleViews {
    /// Checks what is to change, and changes a view as it is stored: its formula by identifiers.
    fileprivate func apply(_ update: ViewUpdate, to view: inout TableView) throws(AirtableError) {
        if let text = update.name {
            let name = try SchemaBuilder.checkedName(text, of: "view", otherwise: .invalidRequest)
            guard !stored.contains(where: { $0.id != view.id && nameKey($0.name) == nameKey(name) }) else {
                throw AirtableError(.duplicateViewName, "There is a view named \"\(name)\" in this table already.")
            }
            view.name = name
        }
        if let filter = update.filter {
            view.filter = filter.isEmpty ? nil : try filters.text(of: filter, table: table, naming: .identifiers)
        }
        if let keys = update.sort {
            guard keys.count <= Limits.sortFields else {
                throw AirtableError(.invalidRequest, "A view is sorted by at most \(Limits.sortFields) fields.")
            }
            var sort: [TableView.SortKey] = []
            for key in keys {
                let field = try ListingPlan.field(key.field, table)
                sort.append(TableView.SortKey(field: field.id, isDescending: key.isDescending))
            }
            view.sort = sort
        }
        if let names = update.visibleFields { view.visibleFields = try visible(names) }
    }

    /// - Throws: `AccessError.forbidden` for whom some views do not exist: a name that is taken would tell of these.
    fileprivate func requireNames() throws {
        guard stored.allSatisfy({ shown($0) != nil }) else { throw AccessError.forbidden(.schemaWrite) }
    }

    /// The view with this identifier, which the caller may change.
    ///
    /// - Throws: `.noSuchView`; `AccessError.forbidden`.
    fileprivate func permitted(_ id: ViewID) throws -> TableView {
        let view = try view(id)
        guard scope.permits(view: id) else { throw AccessError.forbidden(.schemaWrite) }
        return view
    }

    /// The primary field is always seen, and comes first.
    private func visible(_ names: [String]) throws(AirtableError) -> [FieldID]? {
        if names.isEmpty { return nil }
        var fields = [table.primaryField]
        for name in names {
            let field = try ListingPlan.field(name, table).id
            if !fields.contains(field) { fields.append(field) }
        }
        return fields
    }
}
