import Access
import Database
package import Domain

/// Reads of a record by the names that a path has, in one snapshot.
extension GatedReads {
    /// A record with its table, the fields in it that may be seen.
    ///
    /// - Parameter nameOrID: of the table; names without regard to case.
    /// - Throws: `.modelNotFound`, `.notFound`.
    package func record(
        _ id: RecordID,
        inTable nameOrID: String,
        of base: BaseID,
        context: RequestContext
    ) async throws -> (table: Table, record: Record) {
        try context.require(permission)
        let scope = try await service.access.visibleScope(for: context, doing: permission)
        let stored: (Table, Record)? = try await service.seeing(scope, context) { [store = service.store] sight in
            let model = try sight.schema.table(named: nameOrID, in: base, sight.scope)
            if sight.schema.home(of: base) == .hosted { return nil }
            let rows = try store.rows([id], of: model, tenant: context.tenant, in: sight.transaction)
            guard let record = try sight.records(rows, of: model).first else { throw AirtableError.recordNotFound() }
            return (sight.scope.visible(model.table), record)
        }
        if let stored { return stored }
        let table = try await table(nameOrID, in: base, context: context)
        return (table, try await self.record(id, in: table.id, context: context))
    }
}

extension TenantSchema {
    /// The table of a base with this identifier, or else this name (without regard to case).
    ///
    /// - Throws: `.modelNotFound`, also for what is outside `scope`.
    func table(named nameOrID: String, in base: BaseID, _ scope: VisibleScope) throws(AirtableError) -> TableModel {
        let base = try self.base(base, scope).id
        if let id = TableID(nameOrID), let model = table(id), model.table.base == base {
            return try table(id, scope)
        }
        let key = nameKey(nameOrID)
        for model in tables(in: base)
        where nameKey(model.table.name) == key && scope.allows(table: model.table.id, in: base) {
            return model
        }
        throw .tableNotFound()
    }
}
