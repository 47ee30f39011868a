import Access
import Database
public import Domain

/// A file that somebody sends for a cell.
public struct AttachmentUpload: Sendable {
    public let filename: String
    /// What the sender says it is; the bytes are believed more.
    public let contentType: String?
    public let bytes: [UInt8]

    public init(filename: String, contentType: String?, bytes: [UInt8]) {
        self.filename = filename
        self.contentType = contentType
        self.bytes = bytes
    }
}

extension AirtableService {
    /// Stores a file and appends it to a cell.
    ///
    /// - Parameters:
    ///   - field: name or identifier of a field of attachments, in whichever table of the base has the record:
    ///     Airtable's address for it names none.
    ///   - onlyTable: the only one where it may be, for addresses that name one.
    /// - Returns: the record as it is then, with the table and the field.
    /// - Throws: `.notFound`, `.unknownFieldName`, `.invalidValueForColumn`, `.tooLarge`.
    public func uploadAttachment(
        _ upload: AttachmentUpload,
        to record: RecordID,
        field: String,
        in base: BaseID,
        table onlyTable: TableID? = nil,
        attachments: AttachmentService,
        context: RequestContext
    ) async throws -> (record: Record, table: Table, field: Field) {
        try context.require(.recordsWrite)
        let (table, field) = try await place(record, field, base, onlyTable, context)
        guard field.type == .multipleAttachments else {
            throw AirtableError.invalidValue(field, expected: "no files, since it is a \(field.type.rawValue)")
        }
        let stored = try await attachments.add(
            upload.bytes,
            filename: upload.filename,
            declaredType: upload.contentType,
            base: base,
            context: context
        )
        let changed = try await write(to: table.id, context: context) { fields in
            // The schema may have changed since: what is written to is looked up as for every write.
            guard let current = fields.model.field(id: field.id), !fields.hidden.contains(field.id),
                current.type == .multipleAttachments
            else { throw AirtableError.fieldNotFound() }
            guard !fields.locked.contains(current.id) else { throw AirtableError.locked(current) }
            return current
        } apply: { session, field in
            try session.load([record], in: table.id)
            guard let row = session.row(record, in: table.id) else { throw AirtableError.recordNotFound() }
            try session.requireTargets([record], in: table.id)
            var files: [Attachment] = []
            if case .attachments(let present)? = row.cells[field.id] { files = present }
            guard files.count < Limits.attachmentsPerCell else {
                throw AirtableError.invalidValue(field, expected: "at most \(Limits.attachmentsPerCell) attachments")
            }
            try session.set([field.id: .attachments(files + [stored])], of: record, in: table.id)
            return { session in try session.record(record, in: table.id) }
        }
        return (changed, table, field)
    }

    /// The table that has the record, and its field.
    private func place(
        _ record: RecordID,
        _ nameOrID: String,
        _ base: BaseID,
        _ onlyTable: TableID?,
        _ context: RequestContext
    ) async throws -> (Table, Field) {
        let scope = try await access.visibleScope(for: context, doing: .recordsWrite)
        return try await seeing(scope, context) { [store] sight in
            let (schema, scope) = (sight.schema, sight.scope)
            _ = try schema.base(base, scope)
            for model in schema.tables(in: base)
            where scope.allows(table: model.table.id, in: base) && model.table.id == onlyTable ?? model.table.id {
                let rows = try store.rows([record], of: model, tenant: context.tenant, in: sight.transaction)
                if try sight.seen(rows, of: model).isEmpty { continue }
                // Before a file is kept that no cell will name.
                let gate = WriteGate(.recordsWrite, sight)
                try gate.requirePermission(in: model)
                try gate.requirePermission(for: rows, of: model)
                let table = scope.visible(model.table)
                let fields = WritableFields(model: model, hidden: sight.hidden(model.table.id))
                let field = try fields.field(nameOrID)
                guard !scope.lockedFields(table: model.table.id).contains(field.id) else {
                    throw AirtableError.locked(field)
                }
                return (table, field)
            }
            throw AirtableError.recordNotFound()
        }
    }

    /// Removes the files of a tenant that no cell names, and has not for `grace`; see `AttachmentService.sweep`.
    package func sweepAttachments(
        of attachments: AttachmentService,
        grace: Duration,
        tenant: TenantID
    ) async throws -> AttachmentSweep {
        let tables = try await database.read(of: .tenant(tenant)) { [cache] transaction in
            try cache.schema(tenant, in: transaction).bases.flatMap {
                try cache.schema(tenant, in: transaction).tables(in: $0.id)
            }
        }
        var named: Set<AttachmentID> = []
        for table in tables where table.table.fields.contains(where: { $0.type == .multipleAttachments }) {
            var position: Int64?
            while true {
                let page = try await database.read(of: .tenant(tenant)) { [store, position] transaction in
                    try store.page(
                        after: position,
                        limit: Limits.internalPageRecords,
                        of: table,
                        tenant: tenant,
                        in: transaction
                    )
                }
                guard let last = page.last else { break }
                for row in page {
                    for value in try row.record(table).cells.values {
                        if case .attachments(let files) = value { named.formUnion(files.map(\.id)) }
                    }
                }
                position = last.position
                try Task.checkCancellation()
            }
        }
        return try await attachments.sweep(named: named, grace: grace, tenant: tenant)
    }
}
