import Airtable
import Domain
import HTTPTypes

/// Reading records by Airtable's own API.
enum AirtableRecordRoutes {
    static let all = [list, listByBody, record]

    private static let list = Route(
        .get,
        "/v0/{baseId}/{tableIdOrName}",
        name: "airtableListRecords",
        summary: "A page of a table's records.",
        query: listQuery,
        readsQuery: true,
        reply: .json(RecordListWire.self, "The records."),
        handler: .airtable(.recordsRead) { call, context in
            try await answer(ListRequest(call.airtableQuery()), call, context)
        }
    )

    /// What lists take.
    static let listQuery =
        [
            QueryParameter("fields[]", "Only these fields, by name or identifier; may be given again.", .string()),
            QueryParameter("filterByFormula", "Only records for which this formula is true.", .string()),
            QueryParameter("maxRecords", "Records of all pages together.", .integer(minimum: 1)),
            pageSize,
            QueryParameter("sort[0][field]", "Sort by this field; `sort[1][field]` next.", .string()),
            QueryParameter("sort[0][direction]", "In this direction.", .string(enum: ["asc", "desc"])),
            QueryParameter("view", "The records and the order of this view, by name or identifier.", .string()),
            QueryParameter("recordMetadata[]", "What to add to each record.", .string(enum: ["commentCount"])),
            QueryParameter("offset", "What the page before gave; give all else again.", .string()),
        ] + format

    /// For what makes an address longer than 16,000 characters.
    private static let listByBody = Route(
        .post,
        "/v0/{baseId}/{tableIdOrName}/listRecords",
        name: "airtableListRecordsByBody",
        summary: "A page of a table's records, asked for with a body.",
        query: Array(format.suffix(2)),
        readsQuery: true,
        body: RouteBody(ListRecordsBody.self, isChecked: false),
        reply: .json(RecordListWire.self, "The records."),
        handler: .airtable(.recordsRead) { call, context in
            try await answer(ListRequest(call.airtableBody(), call.airtableQuery()), call, context)
        }
    )

    private static let record = Route(
        .get,
        "/v0/{baseId}/{tableIdOrName}/{recordId}",
        name: "airtableGetRecord",
        summary: "One record.",
        query: format,
        readsQuery: true,
        reply: .json(RecordWire.self, "The record."),
        handler: .airtable(.recordsRead) { call, context in
            let format = try CellFormat(call.airtableQuery())
            let found = try await call.reads.record(
                call.identifier(.recordId),
                inTable: call.tableName,
                of: call.baseID,
                context: context
            )
            let shape = try await AirtableListing.json(of: [found.record], found.table.fields, format, call, context)
            var reply = try AirtableReply.record(found.record, shape)
            reply.headers[.eTag] = EntityTag(of: found.record, in: found.table).text
            return reply
        }
    )

    private static func answer(
        _ request: ListRequest,
        _ call: RouteCall,
        _ context: Domain.RequestContext
    ) async throws -> Reply {
        let table = try await call.namedTable(context)
        return try await AirtableListing.page(request, of: table, call, context)
    }

    private static let pageSize = QueryParameter(
        "pageSize",
        "Records of this page.",
        .integer(minimum: 1, maximum: Limits.pageRecords, default: Limits.pageRecords)
    )

    private static let format = [
        QueryParameter("returnFieldsByFieldId", "Whether cells are named by their fields' identifiers.", .boolean()),
        QueryParameter("cellFormat", "Values, or the text people read.", .string(enum: ["json", "string"])),
        QueryParameter("timeZone", "For dates in formulas and text; needed for text.", .string()),
        QueryParameter("userLocale", "For dates in text; needed for text.", .string()),
    ]
}
