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
        query: AirtableRecordRoutes.listQuery,
        readsQuery: true,
        reply: .json(RecordListWire.self, "The records."),
        problems: [.notFound],
        handler: .requires(.recordsRead) { call, context in
            let request = try refusingByName {
                let query = try call.airtableQuery()
                try query.check(against: AirtableRecordRoutes.listQuery)
                return try ListRequest(query)
            }
            let table = try await call.table(context)
            do {
                return try await AirtableListing.page(request, of: table, call, context)
            } catch let error as AirtableError where error.code == .invalidOffset {
                throw GatewayError(
                    .invalidParameter,
                    "The query parameter offset is not one a page of this list gave.",
                    hint: "start again without it"
                )
            }
        }
    )

    /// What Airtable's rules for queries refuse is refused here as by every other route of ours.
    private static func refusingByName(_ read: () throws -> ListRequest) throws -> ListRequest {
        do { return try read() } catch let refusal as AirtableRefusal {
            throw GatewayError(.invalidParameter, refusal.message)
        }
    }

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
            var reply = try Reply.json(
                RecordDetailWire(RecordWire(record, table: table, address: address), linked: linked)
            )
            reply.headers[.eTag] = EntityTag(of: record, in: table).text
            return reply
        }
    )

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
