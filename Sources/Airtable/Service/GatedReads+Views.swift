import Access
import Database
package import Domain

extension GatedReads {
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
