import Domain

/// The first pass over a base document: everything checked, nothing written.
///
/// Memory: the schema, and 16 bytes a record for finding one that comes twice.
struct DocumentScan {
    /// As the import makes them, in the document's order.
    private(set) var tables: [Table] = []
    private(set) var drafts: [TableDraft] = []
    private(set) var views: [TableID: [TableView]] = [:]
    /// Records by table.
    private(set) var counts: [Int] = []
    /// Nil when the document's is taken.
    let baseID: BaseID?
    let baseName: String

    private let path: String
    private var positions: [String: Int] = [:]
    /// The fields of each table, by the document's identifiers.
    private var fields: [[String: Field]] = []

    /// The document's schema: all lines before the first record.
    static func schema(of path: String) throws(ImportError) -> DocumentSchema {
        let source = try DocumentSource(path: path)
        guard case .base(let id, let name)? = try source.next() else { throw source.malformed("expected a base") }
        var schema = DocumentSchema(base: id, name: name)
        while case .table(let table)? = try source.next() { schema.add(table, line: source.line) }
        let ids = schema.identifiers
        guard Set(ids.tables).count == schema.tables.count, Set(ids.fields).count == ids.fields.count,
            Set(ids.views).count == ids.views.count
        else {
            throw .malformedFile(path, "two tables, fields or views have the same identifier, or one has none")
        }
        return schema
    }

    /// - Parameters:
    ///   - keepsBaseID: whether the base can have the document's identifier.
    ///   - keepsIDs: whether its tables and fields can have theirs.
    init(_ path: String, _ schema: DocumentSchema, named name: String, keepsBaseID: Bool, keepsIDs: Bool)
        throws(ImportError)
    {
        self.path = path
        baseName = name
        baseID = keepsBaseID ? schema.base : nil
        let names = keepsIDs ? [:] : schema.renaming()
        drafts = try schema.drafts(names) { line, problem in .malformedFile(path, line: line, problem) }
        views = try schema.views(names) { line, problem in .malformedFile(path, line: line, problem) }
        do throws(AirtableError) {
            var builder = SchemaBuilder(base: schema.base, existing: [])
            for draft in drafts { try builder.add(draft) }
            tables = try builder.finish().newTables
        } catch { throw .malformedFile(path, error.message) }
        counts = Array(repeating: 0, count: tables.count)
        for (position, table) in schema.tables.enumerated() {
            positions[table.json["id"]?.stringValue ?? ""] = position
            var fields: [String: Field] = [:]
            for field in table.json["fields"]?.arrayValue ?? [] {
                guard let id = field["id"]?.stringValue, let made = FieldID(names[id] ?? id) else { continue }
                fields[id] = tables[position].field(id: made)
            }
            self.fields.append(fields)
        }
    }

    /// Reads all records.
    ///
    /// - Throws: `malformedFile` with the line; also when the last line is missing, or links and their other sides differ.
    mutating func run(progress: (_ done: Int64, _ total: Int64) throws -> Void) async throws {
        var seen = Array(repeating: Set<RecordID>(), count: tables.count)
        var balance = LinkBalance(tables)
        var counts = counts
        try await forEachRecord(progress: progress) { record, position, line in
            guard seen[position].insert(record.id).inserted else {
                throw ImportError.malformedFile(path, line: line, "record \(record.id) comes twice")
            }
            counts[position] += 1
            balance.note(record, in: position)
        }
        self.counts = counts
        if let field = balance.unequal(tables) {
            throw ImportError.malformedFile(path, "links of field \"\(field.name)\" and their other side differ")
        }
    }

    /// Calls `body` with each record as it is to be stored, the place of its table and its line.
    func forEachRecord(
        progress: (_ done: Int64, _ total: Int64) throws -> Void,
        _ body: (ImportRow, _ table: Int, _ line: Int) async throws -> Void
    ) async throws {
        let source = try DocumentSource(path: path)
        var (tableCount, recordCount, isEnded, last) = (0, 0, false, 0)
        while let line = try source.next() {
            if isEnded { throw source.malformed("something follows the end") }
            switch line {
            case .base: continue
            case .table: tableCount += 1
            case .end(tableCount, recordCount): isEnded = true
            case .end: throw source.malformed("expected \(tableCount) tables and \(recordCount) records before it")
            case .record(let record):
                guard let position = positions[record.table] else {
                    throw source.malformed("a record of no table here")
                }
                guard position >= last else { throw source.malformed("records of one table must stand together") }
                last = position
                try await body(try row(record, position, source), position, source.line)
                recordCount += 1
                if recordCount % 1_024 == 0 {
                    try Task.checkCancellation()
                    try progress(source.consumedBytes, source.totalBytes)
                    await Task.yield()
                }
            }
        }
        guard isEnded else { throw source.malformed("the document is cut off: its last line is missing") }
        try progress(source.consumedBytes, source.totalBytes)
    }

    private func row(
        _ record: DocumentRecord,
        _ position: Int,
        _ source: DocumentSource
    ) throws(ImportError) -> ImportRow {
        var cells: [FieldID: CellValue] = [:]
        cells.reserveCapacity(record.fields.count)
        for (key, json) in record.fields {
            // A link that was left out with its table.
            guard let field = fields[position][key] else { continue }
            do throws(AirtableError) {
                cells[field.id] = try DocumentCells.value(of: json, field)
            } catch {
                let problem = error.hint.map { "\(error.message): \($0)" } ?? error.message
                throw source.malformed(problem)
            }
        }
        return ImportRow(id: record.id, created: record.created, cells: cells, isWhole: true)
    }
}

/// Whether each link stands on both sides: for every pair of link fields a sum over their links, to which one side adds and
/// from which the other takes away.
///
/// As each side's records are in their tables, equal sums mean that no link leads nowhere.
private struct LinkBalance {
    private struct Column {
        let table: Int
        let field: FieldID
        let pair: Int
        let isFirst: Bool
    }

    private var columns: [[Column]]
    private var sums: [Int] = []

    init(_ tables: [Table]) {
        columns = Array(repeating: [], count: tables.count)
        var pairs: [FieldID: Int] = [:]
        for (position, table) in tables.enumerated() {
            for field in table.fields where field.type == .multipleRecordLinks {
                guard let inverse = field.options.inverseLinkField else { continue }
                let known = pairs[inverse]
                let pair = known ?? sums.count
                if known == nil { sums.append(0) }
                pairs[field.id] = pair
                columns[position].append(Column(table: position, field: field.id, pair: pair, isFirst: known == nil))
            }
        }
    }

    mutating func note(_ record: ImportRow, in table: Int) {
        for column in columns[table] {
            guard case .links(let targets)? = record.cells[column.field] else { continue }
            for target in targets {
                var hasher = Hasher()
                hasher.combine(column.isFirst ? record.id : target)
                hasher.combine(column.isFirst ? target : record.id)
                let hash = hasher.finalize()
                sums[column.pair] = column.isFirst ? sums[column.pair] &+ hash : sums[column.pair] &- hash
            }
        }
    }

    /// A field whose links do not fit their other side.
    func unequal(_ tables: [Table]) -> Field? {
        for column in columns.joined() where sums[column.pair] != 0 {
            return tables[column.table].field(id: column.field)
        }
        return nil
    }
}
