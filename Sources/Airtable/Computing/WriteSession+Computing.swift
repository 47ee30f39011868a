import Database
import Domain
import Formula

/// Keeping computed cells in step with what a session writes, in its own transaction.
///
/// From each cell that changed, the graph leads to the computed cells that read it: in the same record, or back over
/// links to those that link here. These are made anew in the graph's order, so that each is made once, when all that
/// it reads is there; one that comes out as it was leads no further.
extension WriteSession {
    /// Computed cells that may have changed, by rank.
    private typealias Dirty = [Int: Set<RecordID>]

    /// Makes whatever follows from the changes so far; to be called once, when all is set.
    ///
    /// - Throws: `.tooLarge` beyond `Limits.computedCellsPerWrite`.
    mutating func compute() throws {
        if case .asGiven = computing { return }
        for base in touchedBases() {
            guard let graph = schema.graph(of: base) else { continue }
            try compute(graph)
        }
    }

    private func touchedBases() -> [BaseID] {
        var bases: [BaseID] = []
        for table in order.map(\.table).distinct() {
            if let base = schema.table(table)?.table.base, !bases.contains(base) { bases.append(base) }
        }
        if !marked.isEmpty {
            for base in schema.bases where !bases.contains(base.id) { bases.append(base.id) }
        }
        return bases
    }

    private mutating func compute(_ graph: DependencyGraph) throws {
        var dirty = Dirty()
        for (field, ids) in marked {
            if let rank = graph.rank(of: field) { dirty[rank, default: []].formUnion(ids) }
        }
        let spreads = if case .markedOnly = computing { false } else { true }
        if spreads {
            let changed = changedCells(graph, &dirty).merging(changedElsewhere) { $0.union($1) }
            for (field, ids) in changed { try spread(field, ids, graph, &dirty) }
        }
        var count = 0
        for (rank, field) in graph.fields.enumerated() {
            guard let ids = dirty.removeValue(forKey: rank) else { continue }
            count += ids.count
            guard count <= computedCellsMax else {
                throw AirtableError(
                    .tooLarge,
                    "More than \(computedCellsMax) computed cells follow from this change.",
                    hint: "change fewer records at once, or records that fewer others read"
                )
            }
            let changed = try make(field, of: ids, graph)
            if spreads, !changed.isEmpty { try spread(field.id, changed, graph, &dirty) }
        }
    }

    // MARK: What changed

    /// The cells that this session changed and something reads, by field; of new rows every computed cell is dirty.
    private func changedCells(_ graph: DependencyGraph, _ dirty: inout Dirty) -> [FieldID: Set<RecordID>] {
        var changed: [FieldID: Set<RecordID>] = [:]
        for key in order {
            guard let row = rows[key.table]?[key.record], !row.isDeleted else { continue }
            if row.stored == nil {
                for rank in graph.ranks(in: key.table) { dirty[rank, default: []].insert(key.record) }
            }
            for field in graph.sources(in: key.table) where row.original[field] != row.cells[field] {
                changed[field, default: []].insert(key.record)
            }
        }
        return changed
    }

    /// Marks what reads `field` of these records.
    private mutating func spread(
        _ field: FieldID,
        _ ids: Set<RecordID>,
        _ graph: DependencyGraph,
        _ dirty: inout Dirty
    ) throws {
        for dependent in graph.dependents(of: field) {
            var found = ids
            for link in dependent.path.reversed() {
                if found.isEmpty { break }
                found = try records(linkingTo: found, by: link, graph)
            }
            if !found.isEmpty { dirty[dependent.rank, default: []].formUnion(found) }
        }
    }

    /// The records whose cell of a link field names one of `ids`.
    private mutating func records(
        linkingTo ids: Set<RecordID>,
        by field: FieldID,
        _ graph: DependencyGraph
    ) throws -> Set<RecordID> {
        guard let link = graph.links[field] else { return [] }
        var found: Set<RecordID> = []
        if let inverse = link.inverse {
            try loadFar(ids, in: link.linkedTable, graph)
            for id in ids {
                if case .links(let records)? = cell(inverse, of: id, in: link.linkedTable) { found.formUnion(records) }
            }
            return found
        }
        // One-sided links are only where somebody else made the schema; each row has to be looked at.
        let model = try model(link.table)
        let reader = model.reading([field])
        var position: Int64?
        while true {
            let page = try RecordStore().page(
                after: position,
                limit: Limits.internalPageRecords,
                of: model,
                tenant: tenant,
                in: transaction
            )
            for row in page {
                let cells = try rows[link.table]?[row.id]?.cells ?? StoredCells.decode(row.cells, model: reader)
                if case .links(let records)? = cells[field], records.contains(where: ids.contains) {
                    found.insert(row.id)
                }
            }
            guard page.count == Limits.internalPageRecords, let last = page.last else { break }
            position = last.position
        }
        for (id, row) in rows[link.table] ?? [:] where row.stored == nil {
            if case .links(let records)? = row.cells[field], records.contains(where: ids.contains) { found.insert(id) }
        }
        return found
    }

    // MARK: Making cells

    /// Makes the cells of one field anew.
    ///
    /// - Returns: the records whose cell is another now.
    private mutating func make(
        _ field: ComputedField,
        of ids: Set<RecordID>,
        _ graph: DependencyGraph
    ) throws -> Set<RecordID> {
        let table = field.table
        try load(ids, in: table)
        let present = ids.filter { row($0, in: table) != nil }
        let texts = try readSources(of: field, for: present, graph)
        let maker = CellMaker(field: field, slots: graph.slots[table] ?? [], texts: texts, now: now)
        var changed: [(key: RowKey, value: CellValue?, position: Int64)] = []
        for id in present {
            guard let row = rows[table]?[id] else { continue }
            let record = Record(id: id, createdTime: row.created, cells: row.cells, changedTimes: row.times)
            let value = maker.value(for: record) { target, linked in
                self.cells(of: linked, in: target).map { ($0.cells, $0.created) }
            }
            if row.cells[field.id] != value {
                changed.append((RowKey(table: table, record: id), value, row.stored?.position ?? .max))
            }
        }
        for change in changed.sorted(by: {
            ($0.position, $0.key.record.description) < ($1.position, $1.key.record.description)
        }) {
            rows[table]?[change.key.record]?.cells[field.id] = change.value
            if !isTouched(change.key), derivedKeys.insert(change.key).inserted { derived.append(change.key) }
        }
        return Set(changed.map(\.key.record))
    }

    /// Reads the rows that `field` is made from through links; gives the texts that stand for records.
    private mutating func readSources(
        of field: ComputedField,
        for ids: Set<RecordID>,
        _ graph: DependencyGraph
    ) throws -> LinkTexts {
        var ends: [[FieldID]: Set<RecordID>] = [[]: ids]
        for path in Set(field.sources.map(\.path)).sorted(by: { $0.count < $1.count }) {
            for (place, field) in path.enumerated() {
                let part = Array(path[...place])
                guard ends[part] == nil, let link = graph.links[field] else { continue }
                var found: Set<RecordID> = []
                for id in ends[Array(path[..<place])] ?? [] {
                    if case .links(let linked)? = cell(field, of: id, in: link.table) { found.formUnion(linked) }
                }
                try loadFar(found, in: link.linkedTable, graph)
                ends[part] = found
            }
        }
        var texts: [RecordID: String] = [:]
        for text in field.texts {
            guard let primary = graph.primaryFields[text.table].map({ completed($0, graph) }) else { continue }
            for id in ends[text.path] ?? [] where texts[id] == nil {
                guard let value = cell(primary.id, of: id, in: text.table) else { continue }
                texts[id] = CellCodec.displayText(of: value, field: primary) { _ in nil }
            }
        }
        return LinkTexts(texts)
    }

    private func completed(_ field: Field, _ graph: DependencyGraph) -> Field {
        graph.rank(of: field.id).map { graph.fields[$0].field } ?? field
    }

    // MARK: Rows

    private mutating func loadFar(_ ids: Set<RecordID>, in table: TableID, _ graph: DependencyGraph) throws {
        let missing = ids.filter { rows[table]?[$0] == nil }
        if missing.isEmpty { return }
        try farRows.load(
            missing,
            of: try model(table),
            reading: graph.farFields[table] ?? [],
            tenant: tenant,
            in: transaction
        )
    }

    /// The cells of a row that is at hand, as they are by now; nil when it does not exist.
    private func cells(of id: RecordID, in table: TableID) -> FarRows.Row? {
        if let row = rows[table]?[id] {
            return row.isDeleted ? nil : FarRows.Row(created: row.created, cells: row.cells)
        }
        return farRows[id, table]
    }

    private func cell(_ field: FieldID, of id: RecordID, in table: TableID) -> CellValue? {
        cells(of: id, in: table)?.cells[field]
    }
}
