import Access
import Database
import Domain

/// What one reader sees of the records, in one snapshot: which of them exist for them, and what of each.
///
/// Hidden fields are left out. A record that its table's rule keeps from the reader does not exist; where others link to it, their
/// cells do not name it. Lives inside one body of `SQLDatabase.read` or `write`, and remembers what it has found out there.
final class RecordSight {
    let schema: TenantSchema
    /// Widened by what is computed from hidden things.
    let scope: VisibleScope
    let now: Instant
    let transaction: any Transaction
    private var rules: [TableID: CompiledRule?] = [:]
    private var linked: [TableID: [RecordID: Bool]] = [:]
    private var budget = ListingBudget()
    private let store = RecordStore()

    /// - Parameter scope: need not be widened yet.
    init(_ scope: VisibleScope, _ schema: TenantSchema, now: Instant, in transaction: any Transaction) {
        self.schema = schema
        self.scope = schema.widening(scope)
        self.now = now
        self.transaction = transaction
    }

    /// - Throws: `.modelNotFound`.
    func table(_ id: TableID) throws(AirtableError) -> TableModel { try schema.table(id, scope) }

    func hidden(_ table: TableID) -> Set<FieldID> { scope.hiddenFields(table: table) }

    /// Nil when every record of the table exists.
    func rule(of table: TableID) -> CompiledRule? {
        guard scope.hasRules else { return nil }
        if let known = rules[table] { return known }
        let compiled = scope.rule(table: table).flatMap { compile($0, table) }
        rules[table] = .some(compiled)
        return compiled
    }

    func compile(_ rule: RecordRule, _ table: TableID) -> CompiledRule? {
        guard let model = schema.table(table) else { return nil }
        return CompiledRule(rule, model: model, home: schema.home(of: model.table.base), now: now)
    }

    // MARK: Which records

    /// Those of `rows` that exist for the reader, in their order.
    func seen(_ rows: [StoredRow], of model: TableModel) throws -> [StoredRow] {
        guard let rule = rule(of: model.table.id) else { return rows }
        let records = try rows.map { try $0.record(rule.judged, times: rule.readsTimes) }
        return zip(rows, try verdicts(records, rule)).filter(\.1).map(\.0)
    }

    /// Whether a record that is, was or will be in the table exists for the reader.
    ///
    /// - Parameter record: whole.
    func sees(_ record: Record, in table: TableID) throws -> Bool {
        guard let rule = rule(of: table) else { return true }
        return try verdicts([record], rule)[0]
    }

    /// Whether each of `records` fulfils a rule.
    func verdicts(_ records: [Record], _ rule: CompiledRule) throws -> [Bool] {
        let links = try allLinkTexts(records, rule.recordFields)
        return try records.map { record in
            let allows = rule.allows(record, links: links)
            try budget.spend()
            return allows
        }
    }

    /// Those of `ids` that exist for the reader.
    func seen(_ ids: Set<RecordID>, in table: TableID) throws -> Set<RecordID> {
        guard let model = schema.table(table), scope.allows(table: table, in: model.table.base) else { return [] }
        guard rule(of: table) != nil else { return ids }
        let missing = ids.filter { linked[table]?[$0] == nil }
        if !missing.isEmpty {
            let rows = try store.rows(missing, of: model, tenant: schema.tenant, in: transaction)
            for id in missing { linked[table, default: [:]][id] = false }
            for row in try seen(rows, of: model) { linked[table]?[row.id] = true }
        }
        return ids.filter { linked[table]?[$0] == true }
    }

    /// The names of linked records as rules read them, whether or not the reader sees them.
    private func allLinkTexts(_ records: [Record], _ fields: [Field]) throws -> LinkTexts {
        if fields.isEmpty { return LinkTexts() }
        let whole = RecordSight(VisibleScope(tenant: schema.tenant), schema, now: now, in: transaction)
        return try LinkTexts(of: records, fields: fields, whole)
    }

    // MARK: What of each

    /// Those of `rows` that exist for the reader, as they see them.
    ///
    /// - Parameter model: may read some of the fields only.
    func records(_ rows: [StoredRow], of model: TableModel, times: Bool = false) throws -> [Record] {
        try shown(try seen(rows, of: model), of: model, times: times)
    }

    /// `rows`, which are seen, as the reader sees them.
    func shown(_ rows: [StoredRow], of model: TableModel, times: Bool = false) throws -> [Record] {
        let hidden = hidden(model.table.id)
        return try masked(try rows.map { try $0.record(model, hiding: hidden, times: times) }, of: model)
    }

    /// `records` without hidden fields, and without links to records that do not exist for the reader.
    func masked(_ records: [Record], of model: TableModel) throws -> [Record] {
        let hidden = hidden(model.table.id)
        var records = records
        if !hidden.isEmpty {
            for place in records.indices { for field in hidden { records[place].cells[field] = nil } }
        }
        guard scope.hasRules else { return records }
        for field in model.linkFields where !hidden.contains(field.id) {
            guard let table = field.options.linkedTable, rule(of: table) != nil else { continue }
            var ids: Set<RecordID> = []
            for record in records { if case .links(let list) = record.cells[field.id] { ids.formUnion(list) } }
            let seen = try seen(ids, in: table)
            for place in records.indices {
                guard case .links(let list) = records[place].cells[field.id] else { continue }
                let kept = list.filter(seen.contains)
                records[place].cells[field.id] = kept.isEmpty ? nil : .links(kept)
            }
        }
        return records
    }
}
