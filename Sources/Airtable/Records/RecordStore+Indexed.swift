import Database
import Domain

extension RecordStore {
    /// `rows(where:isOneOf:)` by the field's index; nil when it has none.
    func indexedRows(
        where field: StoredField,
        isOneOf values: [SQLValue],
        of model: TableModel,
        tenant: TenantID,
        in transaction: any Transaction
    ) throws -> [StoredRow]? {
        let store = FieldIndexStore()
        let indexes = try store.indexes(ofTable: model.number, tenant: tenant, in: transaction)
        guard let index = indexes.first(where: { $0.ordinal == field.ordinal && $0.isReady }) else { return nil }
        let positions = try store.positions(
            Set(values.compactMap { CellKey($0) }),
            in: index,
            after: model.positionRange.lowerBound - 1,
            limit: .max,
            tenant: tenant,
            in: transaction
        )
        let (check, cell) = (RowCheck(model, tenant), Self.cell(field, transaction.dialect))
        var found: [Int64: StoredRow] = [:]
        for places in PaddedGroups(positions) {
            for group in PaddedGroups(values) {
                let first = 1 + places.count
                let rows = try transaction.rows(
                    """
                    SELECT \(RowCheck.columns) FROM records WHERE position IN (\(Self.parameters(1..<first)))
                    AND \(cell) IN (\(Self.parameters(first..<(first + group.count))))
                    """,
                    places.map { SQLValue($0) } + group
                )
                for row in rows {
                    let row = try check.row(row)
                    found[row.position] = row
                }
            }
        }
        return found.values.sorted { $0.position < $1.position }
    }
}
