import Domain
import Foundation

/// Everything that is known before the first row is written: types, identifiers, links.
struct ImportPreparation {
    let plan: ImportPlan
    let options: ImportOptions
    private(set) var scans: [TableScan] = []
    /// The identifier of each row, by table.
    private(set) var ids: [[RecordID]] = []
    private(set) var links: LinkGraph
    /// For an append: the table that is there already, by position in `scans`.
    private(set) var existingTables: [Int: Table] = [:]

    /// In the order `ImportSession` lists them.
    var appendedTables: [TableID] { existingTables.sorted { $0.key < $1.key }.map(\.value.id) }

    init(
        _ importer: Importer,
        plan: ImportPlan,
        options: ImportOptions,
        appendingTo base: Base?
    ) async throws {
        self.plan = plan
        self.options = options
        var tables: [Table] = []
        if let base { tables = try await importer.reads(.schemaRead).tables(in: base.id, context: importer.context) }
        let targets = Self.linkTargets(plan, existing: tables)
        for (position, table) in plan.tables.enumerated() {
            var table = table
            if let present = tables.first(where: { $0.name.lowercased() == table.name.lowercased() }) {
                existingTables[position] = present
                table.fields = Self.declared(present, among: tables)
                table.primary = present.field(id: present.primaryField)?.name
                table.appendsTo = present
            }
            var scan = TableScan(table, isLinkTarget: targets.contains(table.name.lowercased()))
            try await scan.run(skipsBadRows: options.skipsBadRows) { bytes, total in
                try Task.checkCancellation()
                importer.progress(ImportProgress(phase: .reading, table: table.name, done: bytes, total: total))
            }
            scans.append(scan)
            ids.append((0..<scan.rowCount).map { _ in RecordID.random() })
        }
        let present = try await Self.existingNames(scans, tables: tables, importer)
        links = try LinkGraph(scans, existing: present, skipsUnknown: options.skipsBadRows)
    }

    /// Lower-cased names of the tables that links lead to: their primary values must be remembered.
    private static func linkTargets(_ plan: ImportPlan, existing: [Table]) -> Set<String> {
        var names: Set<String> = []
        for table in plan.tables {
            for field in (table.fields ?? [:]).values {
                if case .link(let target) = field { names.insert(target.lowercased()) }
            }
        }
        for table in existing {
            for target in table.fields.compactMap(\.options.linkedTable) {
                if let linked = existing.first(where: { $0.id == target }) { names.insert(linked.name.lowercased()) }
            }
        }
        return names
    }

    private static func declared(_ table: Table, among tables: [Table]) -> [String: ImportPlan.FieldPlan] {
        var fields: [String: ImportPlan.FieldPlan] = [:]
        for field in table.fields where field.type.isImportable {
            if let target = field.options.linkedTable, let linked = tables.first(where: { $0.id == target }) {
                fields[field.name] = .link(table: linked.name)
            } else {
                fields[field.name] = .type(field.type)
            }
        }
        return fields
    }

    /// Primary values of records that are there already, for the tables that links of an append lead to.
    private static func existingNames(
        _ scans: [TableScan],
        tables: [Table],
        _ importer: Importer
    ) async throws -> [String: [String: RecordID]] {
        var names: [String: [String: RecordID]] = [:]
        let wanted = Set(scans.flatMap { $0.columns.compactMap { $0.linkedTable?.lowercased() } })
        for table in tables where wanted.contains(table.name.lowercased()) {
            var found: [String: RecordID] = [:]
            var cursor: RecordCursor?
            repeat {
                let request = RecordPageRequest(limit: Limits.internalPageRecords, after: cursor)
                let reads = importer.reads(.recordsRead)
                let page = try await reads.records(in: table.id, page: request, context: importer.context)
                let records = page.records.map(\.id)
                let values = try await reads.primaryValues(of: records, in: table.id, context: importer.context)
                for record in records {
                    if let name = values[record], found[name] == nil { found[name] = record }
                }
                cursor = page.next
            } while cursor != nil
            names[table.name.lowercased()] = found
        }
        return names
    }

    /// The tables to be made.
    var drafts: [TableDraft] {
        scans.enumerated().filter { existingTables[$0.offset] == nil }.map { _, scan in
            TableDraft(
                name: scan.plan.name,
                fields: scan.columns.map(Self.draft),
                primaryField: scan.columns[scan.primaryColumn].name
            )
        }
    }

    private static func draft(_ column: ImportColumn) -> FieldDraft {
        if let table = column.linkedTable { return .link(column.name, to: table) }
        if column.type == .singleSelect || column.type == .multipleSelects {
            return FieldDraft(name: column.name, type: column.type, choices: column.choices)
        }
        var options = FieldOptions()
        options.precision = column.precision
        if column.type == .rating { options.max = 10 }
        return FieldDraft(name: column.name, type: column.type, options: options)
    }

    func report(_ outcome: ImportReport.Outcome, base: Base?, ids: [Int: TableID]) -> ImportReport {
        let tables = scans.enumerated().map { position, scan in
            ImportReport.TableReport(
                name: scan.plan.name,
                id: ids[position],
                rowCount: scan.rowCount,
                skippedCount: scan.skippedCount,
                columns: scan.columns.enumerated().map { offset, column in
                    ImportReport.Column(
                        name: column.name,
                        type: column.type,
                        linkedTable: column.linkedTable,
                        isPrimary: offset == scan.primaryColumn
                    )
                }
            )
        }
        return ImportReport(
            outcome: outcome,
            baseName: base?.name ?? plan.baseName,
            base: base?.id,
            tables: tables,
            skipped: scans.flatMap(\.skipped) + links.unknown,
            skippedLinkCount: links.unknownCount
        )
    }
}
