import Database
import Domain

extension RecordSight {
    /// Up to `limit` rows after `position` that exist for the reader, in the order they came.
    func page(after position: Int64?, limit: Int, of model: TableModel) throws -> [StoredRow] {
        guard rule(of: model.table.id) != nil else {
            return try RecordStore().page(
                after: position,
                limit: limit,
                of: model,
                tenant: schema.tenant,
                in: transaction
            )
        }
        var rows: [StoredRow] = []
        try RecordScan(plan: ListingPlan(all: model), sight: self).forEachMatch(after: position) { row, _, _, _ in
            rows.append(row)
            return rows.count < limit
        }
        return rows
    }
}

extension ListingPlan {
    /// Every record of a table, and nothing of each.
    init(all model: TableModel) {
        self.model = model
        fields = []
        sort = []
        predicate = nil
        conditions = []
        pushdown = nil
        shown = model.reading([])
        judged = shown
        pageSize = Limits.internalPageRecords
        maxRecords = .max
    }
}
