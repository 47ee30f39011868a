package import Access
import Database
package import Domain

/// What a scope shows, for those who look through an index of their own, such as a search.
extension GatedReads {
    /// `scope` without what tells of what it hides; see `TenantSchema.widening`.
    package func widened(_ scope: VisibleScope, context: RequestContext) async throws -> VisibleScope {
        try context.require(permission)
        if scope.isWholeInBases { return scope }
        return try await service.read(context) { _, schema in schema.widening(scope) }
    }

    /// The records that exist for the caller, of each table of which not all do.
    ///
    /// - Parameters:
    ///   - bases: the only bases to tell of; nil for all.
    ///   - tables: the only tables to tell of; nil for all.
    /// - Throws: `.tooLarge`, see `RuledRecords`.
    package func limits(
        bases: Set<BaseID>?,
        tables: Set<TableID>?,
        scope: VisibleScope,
        context: RequestContext
    ) async throws -> [TableID: Set<RecordID>] {
        try context.require(permission)
        guard scope.hasRules else { return [:] }
        return try await service.seeing(scope, context) { [ruled = service.ruledRecords, onDamage] sight in
            var limits: [TableID: Set<RecordID>] = [:]
            for base in sight.schema.bases where bases?.contains(base.id) ?? true {
                for model in sight.schema.tables(in: base.id) {
                    let table = model.table.id
                    guard tables?.contains(table) ?? true, sight.scope.allows(table: table, in: base.id) else {
                        continue
                    }
                    limits[table] = try ruled.records(of: table, sight, onDamage: onDamage)
                }
            }
            return limits
        }
    }
}
