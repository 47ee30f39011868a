import Airtable
import Domain

/// Records as a request for them wants to see them.
enum AirtableListing {
    static func page(
        _ request: ListRequest,
        of table: Table,
        _ call: RouteCall,
        _ context: Domain.RequestContext
    ) async throws -> Reply {
        let airtable = call.services.airtable
        var query = request.query
        query.offset = try query.offset.map { try CallerCursor.opened($0, in: table.id, for: context) }
        let listing = try await airtable.list(query, in: table.id, context: context)
        let format = try await json(of: listing.records, listing.fields, request.format, call, context)
        let counts: [RecordID: Int]? =
            request.format.countsComments
            ? try await airtable.commentCounts(of: listing.records.map(\.id), in: table.id, context: context) : nil
        return try AirtableReply.records(listing.records, format) { record, writer in
            guard let counts else { return }
            writer.member("commentCount", .number(JSONNumber(counts[record.id] ?? 0)))
        } more: { writer in
            guard let offset = listing.offset else { return }
            writer.key("offset")
            writer.string(CallerCursor.sealed(offset, in: table.id, for: context))
        }
    }

    /// How `records` are written: as values, or as texts.
    static func json(
        of records: [Record],
        _ fields: [Field],
        _ format: CellFormat,
        _ call: RouteCall,
        _ context: Domain.RequestContext
    ) async throws -> RecordJSON {
        let address = try await call.attachmentAddress(fields, context)
        guard let style = format.text else {
            return RecordJSON(fields: fields, byFieldID: format.byFieldID, address: address)
        }
        let texts = try CellTexts(timeZone: style.timeZone, locale: style.locale, address: address)
        let links = try await call.reads.linkTexts(of: records, fields: fields, context: context)
        return RecordJSON(fields: fields, byFieldID: format.byFieldID, texts: texts, links: links)
    }
}
