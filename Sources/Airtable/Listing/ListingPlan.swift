import Access
import Domain

/// A query checked against the schema, as its reader sees it.
///
/// A field that the reader may not see is unknown here wherever it is named, so that no filter or sort can
/// tell what is in it.
struct ListingPlan: Sendable {
    struct SortField: Sendable {
        let ordering: CellOrdering
        let isDescending: Bool
    }

    let model: TableModel
    /// The fields to give, in the table's order.
    let fields: [Field]
    let sort: [SortField]
    let predicate: (any RecordPredicate)?
    /// Those of the query's conditions, which the hosted service does not know.
    let conditions: [ConditionPredicate]
    /// What SQL can say of the predicate.
    let pushdown: Pushdown?
    /// Reads only the cells to give.
    let shown: TableModel
    /// Reads only the cells that filter and sort look at.
    let judged: TableModel
    let pageSize: Int
    let maxRecords: Int

    /// - Parameter others: fields whose cells whoever scans looks at too.
    init(
        _ query: RecordQuery,
        model: TableModel,
        view: TableView? = nil,
        scope: VisibleScope,
        filters: any FilterCompiler,
        now: Instant,
        reading others: Set<FieldID> = []
    ) throws(AirtableError) {
        try Self.check(query)
        let table = scope.visible(model.table)
        self.model = model
        pageSize = query.pageSize
        maxRecords = query.maxRecords ?? .max
        fields = try Self.fields(query.fields ?? [], table)
        var sort: [SortField] = []
        for key in query.sort {
            let field = try Self.field(key.field, table)
            sort.append(SortField(ordering: CellOrdering(field), isDescending: key.isDescending))
        }
        if let view, query.sort.isEmpty {
            for key in view.sort {
                guard let field = table.field(id: key.field) else { continue }
                sort.append(SortField(ordering: CellOrdering(field), isDescending: key.isDescending))
            }
        }
        self.sort = sort
        let environment = FilterEnvironment(now: now, timeZone: query.timeZone, locale: query.locale)
        var predicates: [any RecordPredicate] = []
        for formula in [view?.filter, query.filter] {
            guard let formula, !formula.isEmpty else { continue }
            predicates.append(try filters.predicate(formula, table: table, environment: environment))
        }
        var conditions: [ConditionPredicate] = []
        for condition in query.conditions { conditions.append(try ConditionPredicate(condition, of: table)) }
        self.conditions = conditions
        predicates += conditions
        predicate = predicates.count > 1 ? AllPredicates(predicates) : predicates.first
        pushdown = .all(predicates.map { ($0 as? any PushablePredicate)?.pushdown })
        shown = model.reading(Set(fields.map(\.id)))
        // Again: a compiler that lets a hidden field through must not get to see its cells.
        let judgedFields = Set(sort.map(\.ordering.field.id)).union(predicate?.fields ?? []).union(others)
        judged = model.reading(judgedFields.intersection(table.fields.map(\.id)))
    }

    /// Links, and lookups of links: what filter and sort read by primary values.
    var recordFields: [Field] { judged.table.fields.filter { $0.shown.options.linkedTable != nil } }

    private static func check(_ query: RecordQuery) throws(AirtableError) {
        guard (1...Limits.pageRecords).contains(query.pageSize) else {
            throw AirtableError(
                .invalidRequest,
                "A page has 1 to \(Limits.pageRecords) records, received \(query.pageSize)."
            )
        }
        if let max = query.maxRecords, max < 1 {
            throw AirtableError(.invalidRequest, "maxRecords is at least 1, received \(max).")
        }
        guard query.conditions.count <= Limits.filterConditions else {
            throw AirtableError(
                .invalidRequest,
                "A filter has at most \(Limits.filterConditions) conditions, received \(query.conditions.count).",
                hint: "a formula can say more"
            )
        }
        guard query.sort.count <= Limits.sortFields else {
            throw AirtableError(
                .invalidRequest,
                "A list is sorted by at most \(Limits.sortFields) fields, received \(query.sort.count)."
            )
        }
    }

    /// None named is all of them.
    private static func fields(_ names: [String], _ table: Table) throws(AirtableError) -> [Field] {
        if names.isEmpty { return table.fields }
        var wanted: Set<FieldID> = []
        for name in names { wanted.insert(try field(name, table).id) }
        return table.fields.filter { wanted.contains($0.id) }
    }

    static func field(_ nameOrID: String, _ table: Table) throws(AirtableError) -> Field {
        if let field = table.field(nameOrID) { return field }
        throw .unknownFieldName(nameOrID, nearest: Spelling.nearest(to: nameOrID, among: table.fields.map(\.name)))
    }
}

extension TableModel {
    /// This table for a reader of some fields only: the cells of others are passed over unread.
    func reading(_ fields: Set<FieldID>) -> TableModel {
        if table.fields.allSatisfy({ fields.contains($0.id) }) { return self }
        var table = table
        table.fields.removeAll { !fields.contains($0.id) }
        return TableModel(table: table, number: number, nextOrdinal: nextOrdinal)
    }
}
