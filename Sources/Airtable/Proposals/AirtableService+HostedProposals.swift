import Access
import Domain

/// Proposed changes of bases that live at the hosted service, which knows neither transactions nor versions.
extension AirtableService {
    /// What `operation` asks for, against what is there; nil for a base of this store.
    func hostedProposal(_ operation: ProposedOperation, context: RequestContext) async throws -> ChangeProposal? {
        guard try await isHosted(operation, context) else { return nil }
        var examination = WriteExamination()
        var notes = [
            "The base lives at the hosted service: how it reads the values, and what follows from them, is seen afterwards.",
            "It is written in tens, and cannot be taken back from here.",
        ]
        switch operation {
        case .create, .update, .upsert, .delete:
            guard let table = operation.table,
                let backend = try await backend(
                    of: table,
                    isWrite: true,
                    doing: operation.permission,
                    context: context
                )
            else { return nil }
            try await describe(operation, backend, &examination, context)
            if case .upsert(let upserts, let mergeOn, _, _) = operation, upserts.contains(where: { $0.id == nil }) {
                let fields = mergeOn.map { "\"\($0)\"" }.joined(separator: ", ")
                notes.append("Which records are there already, by \(fields), it finds itself: those are overwritten.")
            }
        case .comment, .createTable, .updateTable, .createField, .updateField: break
        case .attach:
            throw AirtableError(.invalidRequest, "This base lives at the hosted service: files are sent there.")
        case .undo, .createBase: return nil
        }
        let examiner = try await examiner(of: operation, context: context)
        return ChangeProposal(
            operation: operation,
            changes: examination.changes,
            schema: [],
            outcome: OperationOutcome(),
            versions: examination.versions,
            hash: examiner.hash(examination),
            expires: Instant(microseconds: now().microseconds + Limits.proposalSeconds * 1_000_000),
            notes: notes,
            caller: examiner.caller
        )
    }

    /// Writes a proposed change at the service, a hundred records after the other.
    ///
    /// - Throws: with what was written before a failure in the message.
    func applyHosted(
        _ proposal: ChangeProposal,
        attachments: AttachmentService?,
        report: @escaping @Sendable (Int) async -> Void,
        context: RequestContext
    ) async throws -> AppliedChange {
        let present = try await hostedProposal(proposal.operation, context: context)
        guard let present, present.hash == proposal.hash else {
            let versions = present?.versions ?? [:]
            throw ProposalError.stale(
                Set(proposal.versions.keys).union(versions.keys).filter { proposal.versions[$0] != versions[$0] }
                    .sorted()
            )
        }
        var outcome = OperationOutcome()
        for part in proposal.operation.parts(of: Limits.pageRecords) {
            do {
                let done = try await perform(part, attachments: attachments, context: context)
                let records = outcome.records + done.records
                let (created, found) = (outcome.created.union(done.created), outcome.found.union(done.found))
                outcome = done
                (outcome.records, outcome.created, outcome.found) = (records, created, found)
            } catch let error as AirtableError where !outcome.records.isEmpty {
                throw AirtableError(
                    error.code,
                    "\(outcome.records.count) of \(proposal.operation.recordCount) records were written; of the next ones: "
                        + error.message,
                    hint: error.hint,
                    detail: error.detail
                )
            }
            await report(outcome.records.count)
        }
        return AppliedChange(transaction: nil, outcome: outcome, changes: proposal.changes, schema: [])
    }

    // MARK: Parts

    private func isHosted(_ operation: ProposedOperation, _ context: RequestContext) async throws -> Bool {
        let home: BaseHome? = try await read(context) { _, schema in
            func home(_ table: TableID) -> BaseHome? { schema.table(table).map { schema.home(of: $0.table.base) } }
            switch operation {
            case .create(_, let table, _), .update(_, let table, _), .upsert(_, _, let table, _),
                .delete(_, let table), .comment(_, _, _, let table), .attach(_, _, _, let table),
                .updateTable(_, let table), .createField(_, let table), .updateField(_, _, let table):
                return home(table)
            case .createTable(_, let base): return schema.base(base).map { schema.home(of: $0.id) }
            case .undo, .createBase: return nil
            }
        }
        return home == .hosted || home == .mirrored
    }

    private func describe(
        _ operation: ProposedOperation,
        _ backend: WebAPIBackend,
        _ examination: inout WriteExamination,
        _ context: RequestContext
    ) async throws {
        switch operation {
        case .create(let drafts, _, _):
            examination.changes = try drafts.map { try backend.change(nil, setting: $0.fields) }
        case .update(let updates, let table, _):
            let present = try await present(updates.map(\.id), table, operation.permission, context)
            for update in updates {
                guard let record = present[update.id] else { throw AirtableError.rowDoesNotExist(update.id) }
                examination.changes.append(try backend.change(record, setting: update.fields))
                examination.versions[record.id] = backend.version(of: record)
            }
        case .upsert(let upserts, _, let table, _):
            let present = try await present(upserts.compactMap(\.id), table, operation.permission, context)
            for upsert in upserts {
                let record = upsert.id.flatMap { present[$0] }
                if let id = upsert.id, record == nil { throw AirtableError.rowDoesNotExist(id) }
                examination.changes.append(try backend.change(record, setting: upsert.fields))
                if let record { examination.versions[record.id] = backend.version(of: record) }
            }
        case .delete(let ids, let table):
            let present = try await present(ids, table, operation.permission, context)
            for id in ids.distinct() {
                guard let record = present[id] else { throw AirtableError.rowDoesNotExist(id) }
                examination.changes.append(backend.deletion(of: record))
                examination.versions[id] = backend.version(of: record)
            }
        case .undo, .comment, .attach, .createBase, .createTable, .updateTable, .createField, .updateField: break
        }
    }

    private func present(
        _ ids: [RecordID],
        _ table: TableID,
        _ permission: Permission,
        _ context: RequestContext
    ) async throws -> [RecordID: Record] {
        var found: [RecordID: Record] = [:]
        let ids = ids.distinct()
        for start in stride(from: 0, to: ids.count, by: Limits.internalPageRecords) {
            let part = Array(ids[start..<min(ids.count, start + Limits.internalPageRecords)])
            for record in try await reads(by: permission).records(part, in: table, context: context) {
                found[record.id] = record
            }
        }
        return found
    }
}

extension WebAPIBackend {
    /// - Parameter record: nil for one that is to be made.
    fileprivate func change(_ record: Record?, setting fields: JSONObject) throws -> ProposedChange {
        var cells: [ProposedCell] = []
        for (name, value) in fields {
            let field = try writableField(name)
            guard !locked.contains(field.id) else { throw AirtableError.locked(field) }
            if field.type == .multipleAttachments {
                for file in value.arrayValue ?? [] where file["id"] == nil { throw AirtableError.addressRefused }
            }
            let before = record?.cells[field.id].map { CellCodec.json(of: $0, field: field) } ?? .null
            if before == value { continue }
            cells.append(ProposedCell(field: field.id, name: field.name, before: before, after: value))
        }
        return described(record == nil ? .created : .updated, record, cells)
    }

    fileprivate func deletion(of record: Record) -> ProposedChange {
        let cells = scope.visible(model.table).fields.compactMap { field -> ProposedCell? in
            guard !field.type.isComputed, let value = record.cells[field.id] else { return nil }
            return ProposedCell(
                field: field.id,
                name: field.name,
                before: CellCodec.json(of: value, field: field),
                after: .null
            )
        }
        return described(.deleted, record, cells)
    }

    private func described(
        _ kind: ProposedChange.Kind,
        _ record: Record?,
        _ cells: [ProposedCell]
    ) -> ProposedChange {
        let primary = scope.visible(model.table).field(id: model.table.primaryField)
        let given = primary.flatMap { field in cells.first { $0.field == field.id }?.after.stringValue }
        let known = primary.flatMap { field in
            record?.cells[field.id].map { CellCodec.displayText(of: $0, field: field) { _ in nil } }
        }
        return ProposedChange(
            kind: kind,
            table: table,
            tableName: model.table.name,
            record: record?.id,
            title: known ?? given ?? "",
            cells: cells,
            isFollowing: false
        )
    }

    fileprivate func version(of record: Record) -> RecordVersion {
        RecordVersion(of: record, scope.visible(model.table).fields.filter { !$0.type.isComputed })
    }
}

extension ProposedOperation {
    /// The same in parts of at most `count` records.
    fileprivate func parts(of count: Int) -> [ProposedOperation] {
        func parts<Element>(_ items: [Element]) -> [[Element]] {
            stride(from: 0, to: items.count, by: count).map { Array(items[$0..<min(items.count, $0 + count)]) }
        }
        switch self {
        case .create(let drafts, let table, let typecast):
            return parts(drafts).map { .create($0, in: table, typecast: typecast) }
        case .update(let updates, let table, let typecast):
            return parts(updates).map { .update($0, in: table, typecast: typecast) }
        case .upsert(let upserts, let mergeOn, let table, let typecast):
            return parts(upserts).map { .upsert($0, mergeOn: mergeOn, in: table, typecast: typecast) }
        case .delete(let ids, let table): return parts(ids.distinct()).map { .delete($0, in: table) }
        case .undo, .comment, .attach, .createBase, .createTable, .updateTable, .createField, .updateField:
            return [self]
        }
    }
}
