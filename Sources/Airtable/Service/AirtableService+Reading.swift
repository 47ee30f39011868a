import Access
import Database
public import Domain

/// Reading records.
extension AirtableService {
    /// A page of a table's records, in the order they were made.
    ///
    /// Pages are stable: a record is on exactly one, whatever is made or deleted meanwhile.
    public func records(
        in table: TableID,
        page: RecordPageRequest,
        context: RequestContext
    ) async throws -> RecordPage {
        try await reads(by: .recordsRead).records(in: table, page: page, context: context)
    }

    /// The records with these identifiers, in their order; unknown ones are left out.
    public func records(_ ids: [RecordID], in table: TableID, context: RequestContext) async throws -> [Record] {
        try await reads(by: .recordsRead).records(ids, in: table, context: context)
    }

    /// - Throws: `.notFound`.
    public func record(_ id: RecordID, in table: TableID, context: RequestContext) async throws -> Record {
        try await reads(by: .recordsRead).record(id, in: table, context: context)
    }

    /// The primary value of each record as text, for showing links; unknown records and empty
    /// values are left out.
    public func primaryValues(
        of ids: some Collection<RecordID> & Sendable,
        in table: TableID,
        context: RequestContext
    ) async throws -> [RecordID: String] {
        try await reads(by: .recordsRead).primaryValues(of: ids, in: table, context: context)
    }

    static func checkBatch(_ count: Int) throws(AirtableError) {
        guard count <= Limits.internalPageRecords else {
            throw AirtableError(
                .tooLarge,
                "One call takes at most \(Limits.internalPageRecords) records, received \(count)."
            )
        }
    }
}
