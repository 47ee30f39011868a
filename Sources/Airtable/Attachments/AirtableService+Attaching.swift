import Access
import Database
import Domain

extension AirtableService {
    /// Appends a file to a cell.
    ///
    /// - Parameter attachments: keeps the bytes of a file that is sent; nil when the transaction will not be committed.
    func attach(
        _ file: ProposedOperation.AttachedFile,
        to record: RecordID,
        field: String,
        in table: TableID,
        attachments: AttachmentService?,
        context: RequestContext
    ) async throws {
        try context.require(.recordsWrite)
        switch file {
        case .stored(let id):
            try await append(.existing(id), to: record, field: field, in: table, context: context)
        case .bytes(let bytes, let filename, let contentType):
            guard bytes.count <= Limits.uploadBytes else {
                throw AirtableError(
                    .tooLarge,
                    "An uploaded file has at most \(Limits.uploadBytes >> 20) MB, received \(bytes.count) bytes."
                )
            }
            // Rights are checked before a file is kept that no cell will name.
            let place = try await writableCell(of: record, field: field, in: table, context: context)
            let stored: Attachment
            if let attachments {
                stored = try await attachments.add(
                    bytes,
                    filename: filename,
                    declaredType: contentType,
                    base: place.base,
                    context: context
                )
            } else {
                stored = Attachment(unkept: bytes, filename: filename, contentType: contentType)
            }
            try await append(.file(stored), to: record, field: field, in: table, context: context)
        }
    }

    private enum Appended {
        case existing(AttachmentID)
        case file(Attachment)

        var inputs: Set<AttachmentInput> {
            switch self {
            case .existing(let id): [.existing(id)]
            case .file: []
            }
        }
    }

    private func append(
        _ appended: Appended,
        to record: RecordID,
        field name: String,
        in table: TableID,
        context: RequestContext
    ) async throws {
        try await write(to: table, context: context) { fields in
            try Self.attachmentField(name, fields)
        } attachments: { _ in
            appended.inputs
        } apply: { session, field in
            try session.load([record], in: table)
            try session.requireTargets([record], in: table)
            var files: [Attachment] = []
            if case .attachments(let present)? = session.row(record, in: table)?.cells[field.id] { files = present }
            guard files.count < Limits.attachmentsPerCell else {
                throw AirtableError.invalidValue(field, expected: "at most \(Limits.attachmentsPerCell) attachments")
            }
            switch appended {
            case .file(let file): files.append(file)
            case .existing:
                let input = CellInput.attachments(files.map { .existing($0.id) } + appended.inputs)
                let cells = try session.resolve([[FieldInput(field: field, input: input)]], of: [record], in: table)
                guard case .attachments(let resolved)?? = cells[0][field.id] else { break }
                files = resolved
            }
            try session.set([field.id: .attachments(files)], of: record, in: table)
            return { _ in }
        }
    }

    private static func attachmentField(_ name: String, _ fields: WritableFields) throws(AirtableError) -> Field {
        let field = try fields.field(name)
        guard field.type == .multipleAttachments else {
            throw .invalidValue(field, expected: "no files, since it is a \(field.type.rawValue)")
        }
        guard !fields.locked.contains(field.id) else { throw .locked(field) }
        return field
    }

    /// Checks that the caller may write the cell.
    private func writableCell(
        of record: RecordID,
        field name: String,
        in table: TableID,
        context: RequestContext
    ) async throws -> Table {
        let scope = try await access.visibleScope(for: context, doing: .recordsWrite)
        return try await seeing(scope, context) { [store] sight in
            let model = try sight.schema.table(table, changing: sight.scope, .recordsWrite)
            try sight.schema.requireEmbedded(model.table.base, "files are sent there")
            let rows = try store.rows([record], of: model, tenant: context.tenant, in: sight.transaction)
            guard try !sight.seen(rows, of: model).isEmpty else { throw AirtableError.rowDoesNotExist(record) }
            try WriteGate(.recordsWrite, sight).requirePermission(for: rows, of: model)
            _ = try Self.attachmentField(
                name,
                WritableFields(
                    model: model,
                    hidden: sight.hidden(table),
                    locked: sight.scope.lockedFields(table: table)
                )
            )
            return model.table
        }
    }
}

extension Attachment {
    /// As it would be kept.
    fileprivate init(unkept bytes: [UInt8], filename: String, contentType: String?) {
        let name = AttachmentName.cleaned(filename)
        let type = MediaType.of(
            Array(bytes.prefix(Limits.attachmentHeadBytes)),
            filename: name,
            declared: contentType
        )
        var hash = ContentHash.Builder()
        hash.add(bytes)
        self.init(
            id: .random(),
            filename: name,
            type: type,
            size: Int64(bytes.count),
            contentHash: hash.finish().description
        )
    }
}
