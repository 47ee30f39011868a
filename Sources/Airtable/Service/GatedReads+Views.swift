import Access
import Database
package import Domain

/// A base with its tables and their views, as one reader sees them.
package struct ViewedBase: Sendable, Hashable {
    package let base: Base
    package let home: BaseHome
    /// In the order people see them.
    package let tables: [ViewedTable]
}

extension GatedReads {
    /// Every base that may be seen, with tables and views, of one moment.
    ///
    /// - Parameter tablesMax: tables of all bases together; bases beyond have none.
    package func viewedBases(tablesMax: Int, context: RequestContext) async throws -> [ViewedBase] {
        try context.require(permission)
        let scope = try await service.access.visibleScope(for: context, doing: permission)
        return try await service.read(context) { [filters = service.filters] transaction, schema in
            let scope = schema.widening(scope)
            var rest = tablesMax
            return try schema.bases.filter { scope.allows(base: $0.id) }.map { base in
                let models = schema.tables(in: base.id).filter { scope.allows(table: $0.table.id, in: base.id) }
                    .prefix(rest)
                rest -= models.count
                let stored = try ViewStore().views(of: Array(models), tenant: context.tenant, in: transaction)
                let tables = models.map { model in
                    let views = VisibleViews(
                        model: model,
                        scope: scope,
                        filters: filters,
                        stored: stored[model.table.id] ?? []
                    )
                    return ViewedTable(table: views.table, views: views.views)
                }
                return ViewedBase(base: base, home: schema.home(of: base.id), tables: tables)
            }
        }
    }

    /// Where the records of a base live.
    ///
    /// - Throws: `.modelNotFound`.
    package func home(of base: BaseID, context: RequestContext) async throws -> BaseHome {
        try context.require(permission)
        let scope = try await service.access.visibleScope(for: context, doing: permission)
        return try await service.read(context) { _, schema in
            _ = try schema.base(base, scope)
            return schema.home(of: base)
        }
    }

    /// The views of a table that may be seen, in the order they were made.
    ///
    /// - Throws: `.modelNotFound`.
    package func views(of table: TableID, context: RequestContext) async throws -> [TableView] {
        try context.require(permission)
        let scope = try await service.access.visibleScope(for: context, doing: permission)
        return try await service.views(in: table, scope: scope, context: context)
    }

    /// The view with this identifier, or else this name (without regard to case), as its reader sees it.
    ///
    /// - Throws: `.modelNotFound` for the table, `.viewNotFound`.
    package func view(_ nameOrID: String, of table: TableID, context: RequestContext) async throws -> TableView {
        try context.require(permission)
        let scope = try await service.access.visibleScope(for: context, doing: permission)
        return try await service.read(context) { [filters = service.filters] transaction, schema in
            let scope = schema.widening(scope)
            let views = try VisibleViews(
                of: try schema.table(table, scope),
                scope: scope,
                filters: filters,
                tenant: context.tenant,
                in: transaction
            )
            let found = try views.view(nameOrID)
            return views.shown(found) ?? found
        }
    }
}
