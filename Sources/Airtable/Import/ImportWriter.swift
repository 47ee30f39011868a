import Domain

/// The second pass: reads the files again and writes each row once, links and their other sides included.
struct ImportWriter {
    /// Rows a transaction: some 20 ms of the write lock, so that other writers hardly notice.
    static let chunkRows = 2_000

    private let preparation: ImportPreparation
    private let session: ImportSession
    private let importer: Importer
    private var tables: [Int: Table] = [:]
    private var choices: [Int: [Int: [String: ChoiceID]]] = [:]

    /// The table that each file went to, by position.
    var tableIDs: [Int: TableID] { tables.mapValues(\.id) }

    init(_ preparation: ImportPreparation, session: ImportSession, importer: Importer) async throws {
        self.preparation = preparation
        self.session = session
        self.importer = importer
        for (position, scan) in preparation.scans.enumerated() {
            let name = scan.plan.name.lowercased()
            guard let table = session.tables.first(where: { $0.table.name.lowercased() == name })?.table else {
                throw AirtableError.tableNotFound()
            }
            tables[position] = table
            for (column, plan) in scan.columns.enumerated() where !plan.choices.isEmpty {
                choices[position, default: [:]][column] = try await choiceIDs(plan, in: table)
            }
        }
    }

    private func choiceIDs(_ column: ImportColumn, in table: Table) async throws -> [String: ChoiceID] {
        guard let field = table.field(column.name) else { throw AirtableError.unknownFieldName(column.name) }
        var ids = Dictionary((field.options.choices ?? []).map { ($0.name, $0.id) }) { first, _ in first }
        let missing = column.choices.filter { ids[$0] == nil }
        if !missing.isEmpty {
            let added = try await importer.imports.addChoices(
                missing,
                to: field.id,
                in: table.id,
                of: session,
                context: importer.context
            )
            ids.merge(added) { _, new in new }
        }
        return ids
    }

    mutating func writeRows(of position: Int) async throws {
        let scan = preparation.scans[position]
        guard let table = tables[position] else { return }
        let encoder = try RowEncoder(preparation, position: position, tables: tables, choices: choices[position] ?? [:])
        let source = try RowSources.open(scan.plan.file)
        let (importer, session) = (importer, session)
        var written = 0
        var chunk = try nextChunk(of: source, encoder, after: 0)
        while !chunk.isEmpty {
            // The next rows are read while these are written.
            let rows = chunk
            async let inserted: Void = Self.insert(rows, into: table.id, of: session, importer)
            chunk = try nextChunk(of: source, encoder, after: written + rows.count)
            try await inserted
            written += rows.count
            show(written, scan)
        }
        guard written == scan.rowCount else { throw changed(scan) }
    }

    /// The rows of one transaction; none at the end of the file.
    private func nextChunk(of source: any RowSource, _ encoder: RowEncoder, after written: Int) throws -> [ImportRow] {
        let (scan, ids) = (preparation.scans[encoder.position], preparation.ids[encoder.position])
        var chunk: [ImportRow] = []
        chunk.reserveCapacity(min(Self.chunkRows, scan.rowCount - written))
        while chunk.count < Self.chunkRows, let row = try nextGoodRow(source, encoder) {
            let index = written + chunk.count
            guard index < scan.rowCount else { throw changed(scan) }
            chunk.append(ImportRow(id: ids[index], cells: try encoder.cells(row, index: index)))
        }
        return chunk
    }

    private static func insert(
        _ chunk: [ImportRow],
        into table: TableID,
        of session: ImportSession,
        _ importer: Importer
    ) async throws {
        try Task.checkCancellation()
        try await importer.imports.insertRows(chunk, into: table, of: session, context: importer.context)
        // A breath between two chunks: whoever waits for the write lock gets it.
        try await Task.sleep(for: .milliseconds(2))
    }

    /// The next row that the first pass took, too.
    private func nextGoodRow(_ source: any RowSource, _ encoder: RowEncoder) throws -> SourceRow? {
        while true {
            do {
                guard let row = try source.next() else { return nil }
                if encoder.isGood(row) { return row }
            } catch let error {
                guard preparation.options.skipsBadRows, error.line != nil, source.canResume else { throw error }
                continue
            }
            guard preparation.options.skipsBadRows else { throw changed(preparation.scans[encoder.position]) }
        }
    }

    private func show(_ written: Int, _ scan: TableScan) {
        let total = Int64(scan.rowCount)
        importer.progress(ImportProgress(phase: .writing, table: scan.plan.name, done: Int64(written), total: total))
    }

    private func changed(_ scan: TableScan) -> ImportError {
        ImportError(.unreadable, "\(scan.plan.file) changed while it was being read", hint: "start the import again")
    }
}

/// Turns a row of one file into the cells of a record.
struct RowEncoder {
    let position: Int
    private let columns: [ImportColumn]
    private let fields: [FieldID?]
    private let choices: [Int: [String: ChoiceID]]
    private let checksTypes: Bool
    private let ids: [[RecordID]]
    private let outgoing: [(field: FieldID, link: LinkGraph.Link)]
    private let incoming: [(field: FieldID, side: LinkGraph.Side, source: Int)]

    init(
        _ preparation: ImportPreparation,
        position: Int,
        tables: [Int: Table],
        choices: [Int: [String: ChoiceID]]
    ) throws(AirtableError) {
        self.position = position
        self.choices = choices
        self.ids = preparation.ids
        let scan = preparation.scans[position]
        columns = scan.columns
        // Without skipping, a row that does not fit now fails when its cells are read.
        checksTypes = preparation.options.skipsBadRows
        guard let table = tables[position] else { throw .tableNotFound() }
        fields = scan.columns.map { table.field($0.name)?.id }
        var outgoing: [(FieldID, LinkGraph.Link)] = []
        var incoming: [(FieldID, LinkGraph.Side, Int)] = []
        for link in preparation.links.links {
            let field = tables[link.table]?.field(preparation.scans[link.table].columns[link.column].name)
            guard let field else { continue }
            if link.table == position { outgoing.append((field.id, link)) }
            // The other side of links into or out of tables that are there already follows when they are published.
            let isNew = preparation.existingTables[link.table] == nil && preparation.existingTables[position] == nil
            if link.targetTable == position, isNew, let side = link.inverse, let back = field.options.inverseLinkField {
                incoming.append((back, side, link.table))
            }
        }
        self.outgoing = outgoing
        self.incoming = incoming
    }

    /// Whether the first pass took this row: every cell can be read, even if it then holds nothing.
    func isGood(_ row: SourceRow) -> Bool {
        guard checksTypes else { return true }
        return row.values.allSatisfy { column, value in
            do throws(ImportColumn.Mismatch) {
                try ImportColumn.checkLength(value)
                _ = try columns[column].cell(value)
                return true
            } catch {
                return false
            }
        }
    }

    /// - Parameter index: the row's number among the good rows of its file.
    func cells(_ row: SourceRow, index: Int) throws -> [FieldID: CellValue] {
        var cells: [FieldID: CellValue] = [:]
        cells.reserveCapacity(row.values.count)
        for (column, value) in row.values {
            guard column < columns.count, let field = fields[column] else { continue }
            cells[field] = try columns[column].cell(value, choiceIDs: choices[column] ?? [:])
        }
        for (field, link) in outgoing {
            let targets = link.forward[index].map { target -> RecordID in
                if target < 0 { return link.existing[Int(-1 - target)] }
                return ids[link.targetTable ?? position][Int(target)]
            }
            if !targets.isEmpty { cells[field] = .links(targets) }
        }
        for (field, side, source) in incoming {
            let targets = side[index].map { ids[source][Int($0)] }
            if !targets.isEmpty { cells[field] = cells[field].adding(targets) }
        }
        return cells
    }
}

extension CellValue? {
    /// Two link fields may share one inverse, and a record may link to itself: each target once.
    fileprivate func adding(_ targets: [RecordID]) -> CellValue {
        if case .links(let present) = self { return .links((present + targets).distinct()) }
        return .links(targets)
    }
}
