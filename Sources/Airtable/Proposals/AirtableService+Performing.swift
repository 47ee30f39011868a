import Access
package import Domain

extension AirtableService {
    /// Does what `operation` says.
    ///
    /// - Parameter attachments: keeps files that are sent; nil when nothing will be kept.
    func perform(
        _ operation: ProposedOperation,
        attachments: AttachmentService?,
        context: RequestContext
    ) async throws -> OperationOutcome {
        var outcome = OperationOutcome()
        switch operation {
        case .create(let drafts, let table, let typecast):
            let records = try await create(drafts, in: table, typecast: typecast, context: context)
            outcome.records = records.map(\.id)
            outcome.created = Set(outcome.records)
        case .update(let updates, let table, let typecast):
            _ = try await update(updates, in: table, typecast: typecast, context: context)
            outcome.records = updates.map(\.id)
            outcome.found = Set(outcome.records)
        case .upsert(let upserts, let mergeOn, let table, let typecast):
            let result = try await upsert(upserts, mergeOn: mergeOn, in: table, typecast: typecast, context: context)
            outcome.records = result.records.map(\.id)
            outcome.created = Set(result.created)
            outcome.found = Set(result.updated)
        case .delete(let ids, let table):
            try await delete(ids, in: table, context: context)
            outcome.records = ids.distinct()
            outcome.found = Set(ids)
        case .undo(let number):
            if case .refused(let obstacles) = try await undo(transaction: number, context: context) {
                outcome.obstacles = obstacles
            }
        case .comment(let text, let parent, let record, let table):
            outcome.comment = try await createComment(text, parent: parent, on: record, in: table, context: context)
            outcome.records = [record]
        case .attach(let file, let record, let field, let table):
            try await attach(file, to: record, field: field, in: table, attachments: attachments, context: context)
            outcome.records = [record]
            outcome.found = [record]
        case .createBase, .createTable, .updateTable, .createField, .updateField:
            try await performDesign(operation, &outcome, context)
        }
        return outcome
    }

    private func performDesign(
        _ operation: ProposedOperation,
        _ outcome: inout OperationOutcome,
        _ context: RequestContext
    ) async throws {
        switch operation {
        case .createBase(let name, let wires):
            let made = try await createBase(name: name, tables: try wires.map(TableDraft.init(wire:)), context: context)
            outcome.base = made.base
            outcome.tables = made.tables
        case .createTable(let wire, let base):
            outcome.tables = [try await createTable(try TableDraft(wire: wire), in: base, context: context)]
        case .updateTable(let update, let table):
            outcome.tables = [try await updateTable(table, update, context: context)]
        case .createField(let wire, let table):
            outcome.field = try await createField(try FieldDraft(wire: wire), in: table, context: context)
        case .updateField(let wire, let field, let table):
            let present = try await reads(by: .schemaWrite).table(id: table, context: context)
            guard let known = present.field(id: field) else { throw AirtableError.fieldNotFound() }
            let update = try FieldUpdate(wire: wire, of: known)
            outcome.field = try await updateField(field, update, in: table, context: context)
        case .create, .update, .upsert, .delete, .undo, .comment, .attach: break
        }
    }
}

extension TableDraft {
    /// `{name, description?, fields}`, as the metadata API is given it: the first field is the primary one.
    ///
    /// - Throws: `.invalidRequest` for what is no table; `.invalidFieldOptions`.
    package init(wire json: JSONValue) throws(AirtableError) {
        guard let name = json["name"]?.stringValue, let list = json["fields"]?.arrayValue else {
            throw AirtableError(.invalidRequest, "A table needs \"name\", a string, and \"fields\", an array.")
        }
        var fields: [FieldDraft] = []
        for field in list { fields.append(try FieldDraft(wire: field)) }
        self.init(name: name, description: json["description"]?.stringValue, fields: fields)
    }
}
