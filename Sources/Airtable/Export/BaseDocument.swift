import Access
public import Domain

/// A whole base as JSON Lines, written by an export and read back by an import.
///
/// ```
/// {"pyairtable":"base","version":1,"id":"app…","name":"…","exportedTime":"…"}
/// {"table":{"id","name","description"?,"primaryFieldId","fields":[{"id","name","type","description"?,"options"?}],
///           "views":[{"id","name","type","filterByFormula"?,"sort":[{"field","direction"}],"visibleFieldIds"?}]}}
/// {"tableId":"tbl…","id":"rec…","createdTime":"…","fields":{"fld…":…}}
/// {"end":{"tables":2,"records":1200}}
/// ```
///
/// All tables come before the first record, records of one table together and in their order. Fields are as the metadata
/// API shows them, records as the API gives them by identifiers of fields, with what it does not tell (`DocumentCells`).
/// What formulas, rollups, lookups, counts and buttons give is left out, because it is computed again. The last line says that nothing is missing.
enum BaseDocument {
    static let version = 1
    /// How a file that is one begins.
    static let opening = Array(#"{"pyairtable":"base","#.utf8)

    static func isOne(_ bytes: some Sequence<UInt8>) -> Bool { bytes.starts(with: opening) }
}

/// Writes the lines of a base document.
struct BaseDocumentWriter {
    private let file: SpooledFile
    private var bytes: [UInt8] = []
    private var tableCount = 0
    private var recordCount = 0

    init(_ file: SpooledFile) { self.file = file }

    mutating func begin(_ base: Base, now: Instant) throws {
        try line { writer in
            writer.member("pyairtable", "base")
            writer.member("version", .number(JSONNumber(BaseDocument.version)))
            writer.member("id", .string(base.id.description))
            writer.member("name", .string(base.name))
            writer.member("exportedTime", .string(now.iso8601))
        }
    }

    /// - Parameter table: without what its reader may not see.
    mutating func add(_ table: Table, views: [TableView]) throws {
        tableCount += 1
        try line { writer in
            writer.key("table")
            writer.beginObject()
            writer.member("id", .string(table.id.description))
            writer.member("name", .string(table.name))
            if let description = table.description { writer.member("description", .string(description)) }
            writer.member("primaryFieldId", .string(table.primaryField.description))
            writer.key("fields")
            writer.beginArray()
            for field in table.fields { writer.value(Self.json(field)) }
            writer.endArray()
            writer.member("views", .array(views.map(DocumentViews.json)))
            writer.endObject()
        }
        try flush()
    }

    mutating func add(_ record: Record, of table: Table) throws {
        recordCount += 1
        try line { writer in
            writer.member("tableId", .string(table.id.description))
            writer.member("id", .string(record.id.description))
            writer.member("createdTime", .string(DocumentCells.text(of: record.createdTime)))
            writer.key("fields")
            writer.beginObject()
            for field in table.fields {
                guard let value = record.cells[field.id], let json = DocumentCells.json(of: value, field) else {
                    continue
                }
                writer.member(field.id.description, json)
            }
            writer.endObject()
        }
        if bytes.count > 1 << 18 { try flush() }
    }

    mutating func end() throws -> ExportSummary {
        let counts: JSONValue = [
            "tables": .number(JSONNumber(tableCount)), "records": .number(JSONNumber(recordCount)),
        ]
        try line { $0.member("end", counts) }
        try flush()
        return ExportSummary(tableCount: tableCount, recordCount: recordCount)
    }

    private static func json(_ field: Field) -> JSONValue {
        var members: JSONObject = [
            "id": .string(field.id.description), "name": .string(field.name), "type": .string(field.type.rawValue),
        ]
        members["description"] = field.description.map { .string($0) }
        members["options"] = FieldOptions.wire(of: field).map { .object($0) }
        return .object(members)
    }

    private mutating func line(_ write: (inout JSONWriter) -> Void) throws {
        var writer = JSONWriter(byteLimit: Limits.baseDocumentLineBytes)
        writer.beginObject()
        write(&writer)
        writer.endObject()
        bytes += try writer.finish()
        bytes.append(UInt8(ascii: "\n"))
    }

    private mutating func flush() throws {
        try file.write(bytes)
        bytes.removeAll(keepingCapacity: true)
    }
}

extension AirtableService {
    /// Writes a base with all that the caller may see of it to `file`, as one snapshot has it: a `BaseDocument`.
    public func export(
        base: BaseID,
        to file: SpooledFile,
        context: RequestContext
    ) async throws -> ExportSummary {
        try context.require(.recordsRead)
        let scope = try await access.visibleScope(for: context, doing: .recordsRead)
        let (filters, now) = (filters, now())
        return try await writing(file, AuditObject(.base, base), context) { transaction, schema in
            let sight = RecordSight(scope, schema, now: now, in: transaction)
            let scope = sight.scope
            var document = BaseDocumentWriter(file)
            try document.begin(try schema.base(base, scope), now: now)
            let models = schema.tables(in: base).filter { scope.allows(table: $0.table.id, in: base) }
            let views = try ViewStore().views(of: models, tenant: context.tenant, in: transaction)
            for model in models {
                let stored = views[model.table.id] ?? []
                let visible = VisibleViews(model: model, scope: scope, filters: filters, stored: stored)
                try document.add(visible.table, views: stored.compactMap(visible.kept))
            }
            for model in models {
                let table = scope.visible(model.table)
                var position: Int64?
                while true {
                    let rows = try RecordStore().page(
                        after: position,
                        limit: Limits.internalPageRecords,
                        of: model,
                        tenant: context.tenant,
                        in: transaction
                    )
                    for record in try sight.records(rows, of: model) { try document.add(record, of: table) }
                    guard rows.count == Limits.internalPageRecords, let last = rows.last else { break }
                    position = last.position
                }
            }
            return try document.end()
        }
    }
}
