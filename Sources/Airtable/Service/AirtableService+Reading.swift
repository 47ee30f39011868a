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
        try context.require(.recordsRead)
        guard (1...Limits.internalPageRecords).contains(page.limit) else {
            throw AirtableError(
                .invalidRequest,
                "A page has 1 to \(Limits.internalPageRecords) records, received \(page.limit)."
            )
        }
        let scope = try await access.visibleScope(for: context)
        return try await read(context) { [store] transaction, schema in
            let model = try schema.table(table, scope)
            if let after = page.after, !model.positionRange.contains(after.position) {
                throw AirtableError(
                    .invalidOffset,
                    "The offset is not one of this table.",
                    hint: "start again without it"
                )
            }
            let rows = try store.page(
                after: page.after?.position,
                limit: page.limit + 1,
                of: model,
                tenant: context.tenant,
                in: transaction
            )
            let hidden = scope.hiddenFields(table: table)
            let shown = rows.prefix(page.limit)
            return RecordPage(
                records: try shown.map { try $0.record(model, hiding: hidden) },
                next: rows.count > page.limit ? shown.last.map { RecordCursor(position: $0.position) } : nil
            )
        }
    }

    /// The records with these identifiers, in their order; unknown ones are left out.
    public func records(_ ids: [RecordID], in table: TableID, context: RequestContext) async throws -> [Record] {
        try context.require(.recordsRead)
        try Self.checkBatch(ids.count)
        let scope = try await access.visibleScope(for: context)
        return try await read(context) { [store] transaction, schema in
            let model = try schema.table(table, scope)
            let hidden = scope.hiddenFields(table: table)
            let rows = try store.rows(Set(ids), of: model, tenant: context.tenant, in: transaction)
            var records: [RecordID: Record] = [:]
            for row in rows { records[row.id] = try row.record(model, hiding: hidden) }
            return ids.compactMap { records[$0] }
        }
    }

    /// - Throws: `.notFound`.
    public func record(_ id: RecordID, in table: TableID, context: RequestContext) async throws -> Record {
        guard let record = try await records([id], in: table, context: context).first else {
            throw AirtableError.recordNotFound()
        }
        return record
    }

    /// The primary value of each record as text, for showing links; unknown records and empty
    /// values are left out.
    public func primaryValues(
        of ids: some Collection<RecordID> & Sendable,
        in table: TableID,
        context: RequestContext
    ) async throws -> [RecordID: String] {
        try context.require(.recordsRead)
        let scope = try await access.visibleScope(for: context)
        return try await read(context) { [store] transaction, schema in
            let model = try schema.table(table, scope)
            guard let primary = model.field(id: model.table.primaryField),
                !scope.hiddenFields(table: table).contains(primary.id)
            else { return [:] }
            var texts: [RecordID: String] = [:]
            for row in try store.rows(Set(ids), of: model, tenant: context.tenant, in: transaction) {
                guard let value = try row.record(model).cells[primary.id] else { continue }
                texts[row.id] = CellCodec.displayText(of: value, field: primary) { _ in nil }
            }
            return texts
        }
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
