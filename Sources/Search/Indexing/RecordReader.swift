import Airtable
import Domain

/// Reads records with all that is needed to show them: their table, and the primary values of what they link to.
struct RecordReader: Sendable {
    let airtable: GatedReads

    /// Records of one table and the texts of the records they link to.
    struct Shown: Sendable {
        let table: Table
        let records: [Record]
        let linked: [RecordID: String]

        /// A cell's value as people read it; only the first links of a long list.
        func display(_ value: CellValue, _ field: Field) -> String {
            var value = value
            if case .links(let ids) = value { value = .links(Array(ids.prefix(RecordRenderer.linksShown))) }
            return CellCodec.displayText(of: value, field: field) { linked[$0] }
        }

        func texts(of record: Record) -> [GroupText] { RecordRenderer.texts(of: record, in: table, display: display) }
    }

    /// The layout of a table, with what its links show.
    func layout(of table: Table, context: RequestContext) async throws -> TableLayout {
        var primaries: [TableID: Field] = [:]
        let linked = Set(table.fields.compactMap(\.options.linkedTable))
        if !linked.isEmpty {
            for other in try await airtable.tables(in: table.base, context: context) where linked.contains(other.id) {
                primaries[other.id] = other.field(id: other.primaryField)
            }
        }
        return TableLayout(table, linkedPrimaries: primaries)
    }

    /// Those of `ids` that exist, and what they link to.
    func shown(_ ids: [RecordID], in table: Table, context: RequestContext) async throws -> Shown {
        let records = try await airtable.records(ids, in: table.id, context: context)
        return try await shown(records, in: table, context: context)
    }

    func shown(_ records: [Record], in table: Table, context: RequestContext) async throws -> Shown {
        var linked: [RecordID: String] = [:]
        for field in table.fields {
            guard let other = field.options.linkedTable else { continue }
            var ids: Set<RecordID> = []
            for record in records {
                if case .links(let list) = record.cells[field.id] {
                    ids.formUnion(list.prefix(RecordRenderer.linksShown))
                }
            }
            ids.subtract(linked.keys)
            for run in SQLLists.runs(of: ids.sorted(), count: Limits.internalPageRecords) {
                do {
                    let values = try await airtable.primaryValues(of: Array(run), in: other, context: context)
                    linked.merge(values) { first, _ in first }
                } catch let error as AirtableError where error.code == .modelNotFound {
                    // Not there for this caller, or not any more: its links show nothing.
                    continue
                }
            }
        }
        return Shown(table: table, records: records, linked: linked)
    }
}
