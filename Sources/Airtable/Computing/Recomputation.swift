import Database
import Domain

/// Makes whole columns of computed cells anew after a change of schema, in its transaction.
///
/// Goes through each table a page at a time, so that memory stays flat; through one table again only where its fields
/// wait for another's. What changed is not logged record by record: each table that changed is announced as one to be
/// read anew.
struct Recomputation {
    let schema: TenantSchema
    let base: BaseID
    let actor: UserID
    let now: Instant
    let transaction: any Transaction

    /// The computed fields of `base` whose rule is another than in `old`, or that read a field which has changed.
    func changedFields(since old: TenantSchema) -> Set<Int> {
        guard let graph = schema.graph(of: base) else { return [] }
        var before: [FieldID: Field] = [:]
        for field in old.tables(in: base).lazy.flatMap(\.table.fields) { before[field.id] = field }
        var after: [FieldID: Field] = [:]
        for field in schema.tables(in: base).lazy.flatMap(\.table.fields) { after[field.id] = field }
        var changed: Set<Int> = []
        for (rank, field) in graph.fields.enumerated() {
            let own = before[field.id]
            let sources = old.graph(of: base).flatMap { graph in
                graph.rank(of: field.id).map { graph.fields[$0].sources }
            }
            let isSame =
                own.map { $0.value == field.field.value } == true && sources == field.sources
                && field.sources.allSatisfy { before[$0.field]?.value == after[$0.field]?.value }
            if !isSame { changed.insert(rank) }
        }
        return changed
    }

    /// The computed fields of these tables, and whatever reads them.
    func fields(of tables: [TableID]) -> Set<Int> {
        guard let graph = schema.graph(of: base) else { return [] }
        return Set(tables.flatMap { graph.ranks(in: $0) })
    }

    /// Makes these fields' cells anew, and of whatever reads them.
    ///
    /// - Returns: the tables of which a record changed.
    func run(_ ranks: Set<Int>) throws -> Set<TableID> {
        guard let graph = schema.graph(of: base), !ranks.isEmpty else { return [] }
        var waiting = graph.closure(of: ranks)
        var changed: Set<TableID> = []
        while let first = waiting.min() {
            let pass = Self.pass(from: first, waiting, graph)
            waiting.subtract(pass)
            if try run(pass.map { graph.fields[$0] }, in: graph.fields[first].table) {
                changed.insert(graph.fields[first].table)
            }
        }
        return changed
    }

    /// The fields of one table that can be made in one go with the field of rank `first`: what they read through links
    /// does not wait, and what they read in the same record is among them.
    private static func pass(from first: Int, _ waiting: Set<Int>, _ graph: DependencyGraph) -> Set<Int> {
        var pass: Set<Int> = []
        for rank in graph.ranks(in: graph.fields[first].table) where waiting.contains(rank) {
            let isReady = graph.fields[rank].sources.allSatisfy { source in
                guard let read = graph.rank(of: source.field), waiting.contains(read) else { return true }
                return source.path.isEmpty && pass.contains(read)
            }
            if isReady { pass.insert(rank) }
        }
        return pass
    }

    /// Makes the cells of rows that were appended to a table, and whatever follows from them anywhere.
    ///
    /// - Parameter number: of the table where they waited, and still are.
    /// - Returns: the tables of which a record changed.
    func runAppended(to table: TableID, waitingAt number: Int64) throws -> Set<TableID> {
        guard let model = schema.table(table), let graph = schema.graph(of: base) else { return [] }
        var (position, changed): (Int64?, Set<TableID>) = (nil, [])
        while true {
            let page = try RecordStore().page(
                after: position,
                limit: Limits.internalPageRecords,
                of: model,
                at: number,
                tenant: schema.tenant,
                in: transaction
            )
            var session = session(.unlogged)
            let ids = Set(page.map(\.id))
            try session.load(ids, in: table)
            for rank in graph.ranks(in: table) { session.marked[graph.fields[rank].id] = ids }
            for field in graph.sources(in: table) { session.changedElsewhere[field, default: []].formUnion(ids) }
            for field in model.linkFields {
                guard let inverse = field.options.inverseLinkField else { continue }
                for id in ids {
                    guard case .links(let linked)? = session.row(id, in: table)?.cells[field.id] else { continue }
                    session.changedElsewhere[inverse, default: []].formUnion(linked)
                }
            }
            try session.flush()
            changed.formUnion(session.silentTables)
            guard page.count == Limits.internalPageRecords, let last = page.last else { return changed }
            position = last.position
        }
    }

    private func session(_ mode: ComputingMode) -> WriteSession {
        WriteSession(
            schema: schema,
            actor: actor,
            now: now,
            computing: mode,
            transaction: transaction
        )
    }

    private func run(_ fields: [ComputedField], in table: TableID) throws -> Bool {
        guard let model = schema.table(table) else { return false }
        var (position, isChanged): (Int64?, Bool) = (nil, false)
        while true {
            let page = try RecordStore().page(
                after: position,
                limit: Limits.internalPageRecords,
                of: model,
                tenant: schema.tenant,
                in: transaction
            )
            var session = session(.markedOnly)
            for row in page { try session.admit(row, model) }
            for field in fields { session.marked[field.id] = Set(page.map(\.id)) }
            try session.flush()
            if !session.silentTables.isEmpty { isChanged = true }
            guard page.count == Limits.internalPageRecords, let last = page.last else { return isChanged }
            position = last.position
        }
    }
}

extension Field {
    /// What of a field decides what its cells, and those that read them, are: not its name, nor how it looks.
    fileprivate var value: Field {
        var field = self
        (field.name, field.description) = ("", nil)
        (field.options.color, field.options.icon) = (nil, nil)
        field.options.choices = options.choices.map { choices in
            choices.map { SelectChoice(id: $0.id, name: $0.name) }
        }
        // What follows from others is compared there.
        if type == .multipleLookupValues { field.options.result = nil }
        return field
    }
}
