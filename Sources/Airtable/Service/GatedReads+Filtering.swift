package import Access
import Database
package import Domain
import Formula

/// Which records a filter accepts: for those who rank among them, such as a search.
extension GatedReads {
    /// The records of a table for which `formula` is true.
    ///
    /// - Parameter scope: what the caller may see.
    /// - Throws: `.invalidFilter`, also for a field that does not exist or may not be seen, and when the formula takes
    ///   too much work; `.tooLarge` for more than `limit` records; `.modelNotFound`.
    package func matches(
        _ formula: String,
        in table: TableID,
        limit: Int,
        scope: VisibleScope,
        context: RequestContext
    ) async throws -> Set<RecordID> {
        try context.require(permission)
        let (filters, keeper) = (service.filters, service.fieldIndexes)
        var query = RecordQuery()
        query.filter = formula
        let wanted = query
        return try await service.seeing(scope, context) { [onDamage] sight in
            let model = try sight.table(table)
            let plan = try ListingPlan(wanted, model: model, scope: sight.scope, filters: filters, now: sight.now)
            let scan = RecordScan(plan: plan, sight: sight, keeper: keeper)
            var found: Set<RecordID> = []
            func add(_ id: RecordID) throws(AirtableError) {
                found.insert(id)
                guard found.count <= limit else {
                    throw AirtableError(
                        .tooLarge,
                        "The filter accepts more than \(limit) records.",
                        hint: "narrow it down, or search without it"
                    )
                }
            }
            do {
                try scan.forEachMatch(after: nil) { row, _, _, _ in
                    try add(row.id)
                    return true
                }
            } catch let error as AirtableError where error.code == .corrupt {
                guard let onDamage else { throw error }
                found = []
                try scan.forEachSoundMatch(onDamage: onDamage) { try add($0.id) }
            }
            return found
        }
    }

    /// Whether `formula` is one for the table: false when it only names fields that are not there.
    ///
    /// - Throws: `.invalidFilter` for one that is none.
    package func isFilter(
        _ formula: String,
        for table: Table,
        scope: VisibleScope,
        context: RequestContext
    ) throws -> Bool {
        try context.require(permission)
        do throws(FormulaError) {
            _ = try Formula(formula, schema: FormulaFilters.schema(of: scope.visible(table)))
            return true
        } catch {
            if !error.unknownFields.isEmpty { return false }
            throw FormulaFilters.refusal(error)
        }
    }
}
