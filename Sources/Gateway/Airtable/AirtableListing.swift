import Airtable
import Domain

/// A page of records.
///
/// What the service cannot do yet is refused here, in one place.
enum AirtableListing {
    static func page(
        _ request: ListRequest,
        of table: Table,
        _ airtable: AirtableService,
        _ context: Domain.RequestContext
    ) async throws -> RecordListing {
        if request.query.view != nil { throw AirtableRefusal.invalid("view is not supported.") }
        if request.format.countsComments { throw AirtableRefusal.invalid("recordMetadata is not supported.") }
        try requireJSON(request.format)
        return try await airtable.list(request.query, in: table.id, context: context)
    }

    static func requireJSON(_ format: CellFormat) throws(AirtableRefusal) {
        if format.isText { throw .invalid("cellFormat=string is not supported.") }
    }
}
