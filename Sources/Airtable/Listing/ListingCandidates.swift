import Database
import Domain

/// The rows that a plan may list, in the order they came, block after block: every row that the filter accepts is
/// among them.
///
/// By identifier when the filter names them, by a field's index when there is one, else through the table, where SQL
/// leaves out what it can. Holds one block of rows.
struct ListingCandidates {
    private enum Way {
        /// Rows that are at hand already.
        case records([StoredRow])
        case index(FieldIndex, Set<CellKey>)
        /// - Parameter condition: with placeholders from $4.
        case table(condition: String, arguments: [SQLValue])
    }

    /// Values asked for by index at most; each is a query.
    private static let keysMax = 64
    private static let indexedBlock = 512

    private let plan: ListingPlan
    private let tenant: TenantID
    private let transaction: any Transaction
    private let store = RecordStore()
    private let way: Way
    private var position: Int64
    private var limit: Int
    private var isOver = false

    init(
        plan: ListingPlan,
        rule: Pushdown? = nil,
        tenant: TenantID,
        after position: Int64?,
        keeper: FieldIndexKeeper?,
        transaction: any Transaction
    ) throws {
        self.plan = plan
        let pushdown = Self.pushdown(plan, rule)
        self.tenant = tenant
        self.transaction = transaction
        self.position = position ?? plan.model.positionRange.lowerBound
        // A page mostly needs just one more row than it has, unless rows are turned down.
        let takesAll = plan.sort.isEmpty && (plan.predicate == nil && rule == nil || pushdown?.isExact == true)
        limit = takesAll ? plan.pageSize + 1 : Limits.internalPageRecords
        way = try Self.way(plan, pushdown, tenant, keeper, transaction)
        if case .always(false)? = pushdown?.condition { isOver = true }
    }

    /// The next block; nil after the last. May be empty.
    mutating func next() throws -> [StoredRow]? {
        if isOver { return nil }
        switch way {
        case .records(let rows):
            isOver = true
            return rows.filter { $0.position > position }
        case .index(let index, let keys):
            let places = try FieldIndexStore().positions(
                keys,
                in: index,
                after: position,
                limit: min(limit, Self.indexedBlock),
                tenant: tenant,
                in: transaction
            )
            isOver = places.count < min(limit, Self.indexedBlock)
            limit = Limits.internalPageRecords
            guard let last = places.last else { return nil }
            position = last
            return try store.rows(at: places, of: plan.model, tenant: tenant, in: transaction)
        case .table(let condition, let arguments):
            let rows = try store.page(
                after: position,
                limit: limit,
                of: plan.model,
                where: condition,
                arguments,
                tenant: tenant,
                in: transaction
            )
            isOver = rows.count < limit
            limit = Limits.internalPageRecords
            if let last = rows.last { position = last.position }
            return rows
        }
    }

    /// What SQL can say of both the filter and the rule of the table's records.
    private static func pushdown(_ plan: ListingPlan, _ rule: Pushdown?) -> Pushdown? {
        guard let rule else { return plan.pushdown }
        if plan.predicate == nil { return rule }
        var both = Pushdown.all([plan.pushdown, rule])
        if let whole = both, whole.condition.size > Pushdown.sizeMax {
            both?.condition = .always(true)
            both?.isExact = false
        }
        return both
    }

    private static func way(
        _ plan: ListingPlan,
        _ pushdown: Pushdown?,
        _ tenant: TenantID,
        _ keeper: FieldIndexKeeper?,
        _ transaction: any Transaction
    ) throws -> Way {
        let (store, model) = (RecordStore(), plan.model)
        switch pushdown?.lookup {
        case .records(let ids):
            let rows = try store.rows(ids, of: model, tenant: tenant, in: transaction)
            return .records(rows.sorted { $0.position < $1.position })
        case .keys(let ordinal, let keys) where keys.count <= keysMax:
            let indexes = try FieldIndexStore().indexes(ofTable: model.number, tenant: tenant, in: transaction)
            let index = indexes.first { $0.ordinal == ordinal }
            if let index, index.isReady { return .index(index, keys) }
            if let keeper, let field = model.storedField(ordinal: ordinal),
                try store.count(of: model, tenant: tenant, in: transaction) >= Limits.indexedTableRecords
            {
                keeper.want(FieldIndexKeeper.Wish(tenant: tenant, table: model.table.id, field: field.id))
            }
        case .keys, nil: break
        }
        guard let pushdown else { return .table(condition: "", arguments: []) }
        var writer = ConditionWriter(transaction.dialect, firstParameter: 4)
        let condition = writer.write(pushdown.condition)
        return .table(condition: " AND \(condition)", arguments: writer.arguments)
    }
}
