import Access
import Database
import Domain

/// Reads a table's rows in the order they were made, and gives those that a plan lists.
///
/// Lives inside one body of `SQLDatabase.read`. Holds one block of rows at a time, whatever the table's size.
struct RecordScan {
    let plan: ListingPlan
    let sight: RecordSight
    /// Is told of indexes that are missed.
    let keeper: FieldIndexKeeper?
    /// Of all blocks together.
    var budget = ListingBudget()
    private let store = RecordStore()

    init(plan: ListingPlan, sight: RecordSight, keeper: FieldIndexKeeper? = nil) {
        self.plan = plan
        self.sight = sight
        self.keeper = keeper
    }

    private var tenant: TenantID { sight.schema.tenant }

    /// Calls `body` with each row after `position` that the filter lets through, the cells that the plan looks
    /// at, and a place after which it is the first to be listed; until `body` returns false.
    func forEachMatch(
        after position: Int64?,
        _ body: (_ row: StoredRow, _ judged: Record, _ links: LinkTexts, _ before: Int64) throws -> Bool
    ) throws {
        var candidates = try ListingCandidates(
            plan: plan,
            rule: sight.rule(of: plan.model.table.id)?.pushdown,
            tenant: tenant,
            after: position,
            keeper: keeper,
            transaction: sight.transaction
        )
        var budget = budget
        while let found = try candidates.next() {
            let rows = try sight.seen(found, of: plan.model)
            let records = try sight.masked(try rows.map { try record($0) }, of: plan.judged)
            let links = try LinkTexts(of: records, fields: plan.recordFields, sight)
            for (row, record) in zip(rows, records) {
                if let predicate = plan.predicate {
                    let holds = predicate.holds(for: record, links: links)
                    try budget.spend()
                    guard holds else { continue }
                }
                guard try body(row, record, links, row.position - 1) else { return }
            }
        }
    }

    /// What the plan looks at of a row.
    private func record(_ row: StoredRow) throws(AirtableError) -> Record {
        var record = try row.record(plan.judged)
        if plan.predicate?.readsTimes == true {
            record.changedTimes = try ChangedTimes.read(row.cells, model: plan.model)
        }
        return record
    }

    /// Calls `body` with each record that the filter lets through, and passes over those that are damaged: slower, since
    /// SQL is not asked.
    func forEachSoundMatch(onDamage: (AirtableError) -> Void, _ body: (Record) throws -> Void) throws {
        var (position, budget) = (Int64?.none, budget)
        repeat {
            let page = try store.soundPage(
                after: position,
                limit: Limits.internalPageRecords,
                of: plan.model,
                tenant: tenant,
                in: sight.transaction,
                onDamage: onDamage
            )
            var records: [Record] = []
            for row in page.sound {
                do {
                    if try sight.seen([row], of: plan.model).isEmpty { continue }
                    records.append(try record(row))
                } catch let error as AirtableError where error.code == .corrupt { onDamage(error) }
            }
            records = try sight.masked(records, of: plan.judged)
            let links = try LinkTexts(of: records, fields: plan.recordFields, sight)
            for record in records {
                let holds = plan.predicate?.holds(for: record, links: links) ?? true
                try budget.spend()
                if holds { try body(record) }
            }
            position = page.next
        } while position != nil
    }

    // MARK: Pages

    /// A page straight from the table.
    func page(after position: Int64?, given: Int) throws -> RecordListing {
        let limit = min(plan.pageSize, plan.maxRecords - min(given, plan.maxRecords))
        var rows: [StoredRow] = []
        var next: ListingOffset?
        let isLast = given + limit >= plan.maxRecords
        if limit > 0 {
            try forEachMatch(after: position) { row, _, _, before in
                if rows.count == limit {
                    next = .table(position: before, given: given + limit)
                    return false
                }
                rows.append(row)
                return !(isLast && rows.count == limit)
            }
        }
        let records = try sight.shown(rows, of: plan.shown)
        return RecordListing(records: records, fields: plan.fields, offset: next?.description)
    }

    /// The places of all records that are listed, in the plan's order.
    func sortedPositions() throws -> [Int64] {
        var order = SortedPositions(plan.sort.map(\.isDescending))
        try forEachMatch(after: nil) { row, record, links, _ in
            let keys = plan.sort.map { $0.ordering.key(record.cells[$0.ordering.field.id], links: links) }
            try order.add(row.position, keys)
            return true
        }
        let sorted = order.sorted()
        return sorted.count > plan.maxRecords ? Array(sorted.prefix(plan.maxRecords)) : sorted
    }

    /// A page of a sorted list from `index` on; records deleted since it was made are passed over.
    ///
    /// - Returns: the records, and where the next page begins; nil after the last one.
    func page(of positions: [Int64], from index: Int) throws -> (records: [Record], next: Int?) {
        var records: [Record] = []
        var index = index
        while records.count < plan.pageSize, index < positions.count {
            let places = positions[index..<min(index + plan.pageSize - records.count, positions.count)]
            let rows = try store.rows(at: places, of: plan.model, tenant: tenant, in: sight.transaction)
            // Perhaps no longer theirs since the list was made.
            records += try sight.shown(try sight.seen(rows, of: plan.model), of: plan.shown)
            index += places.count
        }
        return (records, index < positions.count ? index : nil)
    }
}

extension RecordStore {
    /// The rows at these places that still exist, in the order of `positions`.
    func rows(
        at positions: some Collection<Int64>,
        of model: TableModel,
        tenant: TenantID,
        in transaction: any Transaction
    ) throws -> [StoredRow] {
        let check = RowCheck(model, tenant)
        var found: [Int64: StoredRow] = [:]
        for group in PaddedGroups(positions) {
            let places = Self.parameters(1..<(1 + group.count))
            let rows = try transaction.rows(
                "SELECT \(RowCheck.columns) FROM records WHERE position IN (\(places))",
                group.map { SQLValue($0) }
            )
            for row in rows {
                let row = try check.row(row)
                found[row.position] = row
            }
        }
        return positions.compactMap { found[$0] }
    }
}
