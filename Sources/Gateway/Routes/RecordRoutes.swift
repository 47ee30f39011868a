import Airtable
import Domain
import HTTPTypes

/// Records, for reading.
enum RecordRoutes {
    static let all = [records, record]

    private static let records = Route(
        .get,
        "/api/v1/airtable/bases/{baseId}/tables/{tableId}/records",
        name: "listRecords",
        summary: "A page of a table's records.",
        query: [
            QueryParameter(
                "pageSize",
                "Records of the page.",
                .integer(minimum: 1, maximum: Limits.pageRecords, default: Limits.pageRecords)
            ),
            QueryParameter(
                "offset",
                "What the page before gave as its offset.",
                JSONSchema(json: ["type": "string", "pattern": "^itr[1-9a-z][0-9a-z]{0,11}$"])
            ),
        ],
        reply: .json(RecordListWire.self, "The records, in the order they were made."),
        problems: [.notFound],
        handler: .requires(.recordsRead) { call, context in
            let limit = try call.query.integer("pageSize", in: 1...Limits.pageRecords) ?? Limits.pageRecords
            let cursor = try call.query.text("offset").map { text in
                guard let cursor = RecordCursor(text) else {
                    throw GatewayError(
                        .invalidParameter,
                        "The query parameter offset is not one a page gave.",
                        hint: "start again without it"
                    )
                }
                return cursor
            }
            let table = try await call.table(context)
            let page = try await page(RecordPageRequest(limit: limit, after: cursor), of: table.id, call, context)
            let address = try await call.attachmentAddress(table.fields, context)
            return try .json(
                RecordListWire(
                    records: page.records.map { RecordWire($0, table: table, address: address) },
                    offset: page.next?.description
                )
            )
        }
    )

    private static let record = Route(
        .get,
        "/api/v1/airtable/bases/{baseId}/tables/{tableId}/records/{recordId}",
        name: "getRecord",
        summary: "One record, with names for what it links to.",
        reply: .json(RecordDetailWire.self, "The record."),
        problems: [.notFound],
        handler: .requires(.recordsRead) { call, context in
            let table = try await call.table(context)
            let record = try await call.reads.record(call.identifier(.recordId), in: table.id, context: context)
            let linked = try await linked(by: record, table: table, call.reads, context)
            let address = try await call.attachmentAddress(table.fields, context)
            return try .json(RecordDetailWire(RecordWire(record, table: table, address: address), linked: linked))
        }
    )

    /// A well-formed offset of another table is not found: no schema can tell it from one of this table.
    private static func page(
        _ request: RecordPageRequest,
        of table: TableID,
        _ call: RouteCall,
        _ context: Domain.RequestContext
    ) async throws -> RecordPage {
        do {
            return try await call.reads.records(in: table, page: request, context: context)
        } catch let error as AirtableError where error.code == .invalidOffset {
            throw GatewayError(.notFound, error.message, hint: error.hint)
        }
    }

    /// The records that the cells of `record` link to, by field, each table asked once.
    private static func linked(
        by record: Record,
        table: Table,
        _ reads: GatedReads,
        _ context: Domain.RequestContext
    ) async throws -> [RecordDetailWire.Linked] {
        var ids: [(table: TableID, ids: [RecordID])] = []
        for field in table.fields {
            guard let other = field.options.linkedTable, case .links(let links)? = record.cells[field.id] else {
                continue
            }
            let shown = Array(links.prefix(Limits.linkedNames))
            if let place = ids.firstIndex(where: { $0.table == other }) {
                ids[place].ids += shown.filter { !ids[place].ids.contains($0) }
            } else {
                ids.append((other, shown))
            }
        }
        var linked: [RecordDetailWire.Linked] = []
        for (other, ids) in ids {
            let names = try await reads.primaryValues(of: ids, in: other, context: context)
            linked += ids.map { RecordDetailWire.Linked(id: $0, tableId: other, name: names[$0]) }
        }
        return linked
    }
}
