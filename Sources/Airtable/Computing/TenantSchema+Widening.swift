import Access
import Domain

extension TenantSchema {
    /// `scope` without the fields that are computed from what it hides, however far away: else a formula would show
    /// what its reader may not see.
    func widening(_ scope: VisibleScope) -> VisibleScope {
        guard scope.hidesFields else { return scope }
        var hidden = Set(tables.flatMap { scope.hiddenFields(table: $0.table.id) })
        var more: [TableID: Set<FieldID>] = [:]
        for base in bases {
            // Each comes after what it reads.
            for field in graph(of: base.id)?.fields ?? []
            where !hidden.contains(field.id) && field.sources.contains(where: { hidden.contains($0.field) }) {
                hidden.insert(field.id)
                more[field.table, default: []].insert(field.id)
            }
        }
        return scope.hiding(more)
    }
}
