import Access
import Database
public import Domain

/// Writing records. Each call is atomic: all of its records or none. At most 1,000 records a call.
///
/// `typecast` also takes strings for other types, and makes choices and linked records that a cell
/// names.
extension AirtableService {
    /// Makes records.
    ///
    /// - Returns: them in the order of `drafts`, with what the store computed.
    public func create(
        _ drafts: [RecordDraft],
        in table: TableID,
        typecast: Bool = false,
        context: RequestContext
    ) async throws -> [Record] {
        try context.require(.recordsWrite)
        try checkWrite(drafts.count)
        if drafts.isEmpty { return [] }
        if let hosted = try await backend(of: table, isWrite: true, doing: .recordsWrite, context: context) {
            return try await hosted.create(drafts, typecast: typecast)
        }
        return try await write(to: table, context: context) { fields in
            try drafts.map { try fields.inputs($0.fields, typecast: typecast) }
        } attachments: { inputs in
            inputs.attachments
        } apply: { session, inputs in
            let cells = try session.resolve(inputs, in: table)
            try session.loadLinked(to: [], changing: cells, in: table)
            let ids = try cells.map { try session.create($0, in: table) }
            return { session in try ids.map { try session.record($0, in: table) } }
        }
    }

    /// Sets cells of existing records; those not named stay as they are.
    ///
    /// - Parameter replacing: clears every cell that is not named, as far as the caller may see and
    ///   set it.
    /// - Parameter check: called for each record as it is before, in the transaction that changes it; what it throws ends
    ///   the call. Of a hosted base, where no transaction is, just before.
    /// - Throws: `.rowDoesNotExist` for the first unknown record.
    public func update(
        _ updates: [RecordUpdate],
        in table: TableID,
        replacing: Bool = false,
        typecast: Bool = false,
        check: (@Sendable (Record) throws -> Void)? = nil,
        context: RequestContext
    ) async throws -> [Record] {
        try context.require(.recordsWrite)
        try checkWrite(updates.count)
        if updates.isEmpty { return [] }
        if let hosted = try await backend(of: table, isWrite: true, doing: .recordsWrite, context: context) {
            if let check { try await look(check, at: updates.map(\.id), in: table, .recordsWrite, context) }
            return try await hosted.update(updates, replacing: replacing, typecast: typecast)
        }
        let ids = updates.map(\.id)
        return try await write(to: table, context: context) { fields in
            try updates.map { try fields.inputs($0.fields, replacing: replacing, typecast: typecast) }
        } attachments: { inputs in
            inputs.attachments
        } apply: { session, inputs in
            try session.load(ids, in: table)
            try session.requireTargets(ids, in: table)
            if let check { for id in ids { try check(try session.record(id, in: table)) } }
            let cells = try session.resolve(inputs, of: ids, in: table)
            try session.loadLinked(to: ids, changing: cells, in: table)
            for (id, cells) in zip(ids, cells) { try session.set(cells, of: id, in: table) }
            return { session in try ids.map { try session.record($0, in: table) } }
        }
    }

    /// Updates the record with the same values in `mergeOn`, or makes one when there is none. A
    /// null or absent value matches nothing. Records are dealt with in order, so that a second one
    /// with the same values meets the first.
    ///
    /// - Parameter mergeOn: one to three field names or identifiers.
    /// - Throws: `.ambiguousMatch` when several records match one.
    public func upsert(
        _ upserts: [RecordUpsert],
        mergeOn: [String],
        in table: TableID,
        replacing: Bool = false,
        typecast: Bool = false,
        context: RequestContext
    ) async throws -> UpsertResult {
        try context.require(.recordsWrite)
        try checkWrite(upserts.count)
        if let hosted = try await backend(of: table, isWrite: true, doing: .recordsWrite, context: context) {
            return try await hosted.upsert(upserts, mergeOn: mergeOn, replacing: replacing, typecast: typecast)
        }
        return try await write(to: table, context: context) { fields in
            UpsertPlan(
                ids: upserts.map(\.id),
                mergeFields: try fields.mergeFields(mergeOn),
                inputs: try upserts.map { try fields.inputs($0.fields, replacing: replacing, typecast: typecast) }
            )
        } attachments: { plan in
            plan.inputs.attachments
        } apply: { session, plan in
            let outcome = try plan.apply(to: &session, table: table)
            return { session in
                UpsertResult(
                    records: try outcome.ids.map { try session.record($0, in: table) },
                    created: outcome.created,
                    updated: outcome.updated
                )
            }
        }
    }

    /// Deletes records, and takes them out of every link.
    ///
    /// - Parameter check: as of `update`.
    /// - Throws: `.rowDoesNotExist` for the first unknown record; nothing is deleted then.
    public func delete(
        _ ids: [RecordID],
        in table: TableID,
        check: (@Sendable (Record) throws -> Void)? = nil,
        context: RequestContext
    ) async throws {
        try context.require(.recordsDelete)
        try checkWrite(ids.count)
        if ids.isEmpty { return }
        let ids = ids.distinct()
        if let hosted = try await backend(of: table, isWrite: true, doing: .recordsDelete, context: context) {
            if let check { try await look(check, at: ids, in: table, .recordsDelete, context) }
            return try await hosted.delete(ids)
        }
        try await write(to: table, doing: .recordsDelete, context: context) { _ in
            ids
        } apply: { session, ids in
            try session.load(ids, in: table)
            try session.requireTargets(ids, in: table)
            if let check { for id in ids { try check(try session.record(id, in: table)) } }
            try session.loadLinked(to: ids, changing: nil, in: table)
            try session.delete(ids, in: table)
            return { _ in }
        }
    }

    private func look(
        _ check: @Sendable (Record) throws -> Void,
        at ids: [RecordID],
        in table: TableID,
        _ permission: Permission,
        _ context: RequestContext
    ) async throws {
        for record in try await reads(by: permission).records(ids, in: table, context: context) { try check(record) }
    }

    // MARK: One transaction

    /// Checks a write against the schema at hand, outside the transaction; then applies it to that
    /// schema, or starts again when the schema turns out to have changed.
    ///
    /// - Parameters:
    ///   - prepare: what can be checked without the database.
    ///   - attachments: those that must be fetched or looked up before the transaction.
    ///   - apply: makes the changes in a session; what it returns makes the result, once all is
    ///     written.
    func write<Prepared: Sendable, T: Sendable>(
        to table: TableID,
        doing permission: Permission = .recordsWrite,
        context: RequestContext,
        prepare: @Sendable (WritableFields) throws -> Prepared,
        attachments: @Sendable (Prepared) -> Set<AttachmentInput> = { _ in [] },
        apply: @escaping @Sendable (inout WriteSession, Prepared) throws -> @Sendable (WriteSession) throws -> T
    ) async throws -> T {
        let scope = try await access.visibleScope(for: context, doing: permission)
        var schema = cache.latest(context.tenant)
        var people: CollaboratorDirectory?
        var files: [AttachmentInput: Attachment] = [:]
        var deadline = context.deadline
        for _ in 0..<Self.attemptsMax {
            let current: TenantSchema
            if let schema { current = schema } else { current = try await read(context) { _, schema in schema } }
            if people == nil, current.namesPeople { people = try await self.people(context) }
            let directory = people ?? CollaboratorDirectory()
            let scope = current.widening(scope)
            let prepared: Prepared
            do {
                let model = try current.table(table, changing: scope, permission)
                prepared = try prepare(
                    WritableFields(
                        model: model,
                        hidden: scope.hiddenFields(table: table),
                        locked: scope.lockedFields(table: table),
                        people: directory
                    )
                )
            } catch {
                // Perhaps only because the schema at hand is an old one.
                schema = try await read(context) { _, schema in schema }
                if schema?.version == current.version { throw error }
                continue
            }
            let missing = attachments(prepared).subtracting(files.keys)
            if !missing.isEmpty, let attachmentSource, let base = current.table(table)?.table.base {
                let began = ContinuousClock.now
                files.merge(try await attachmentSource.attachments(missing, base: base, context: context)) { $1 }
                // Fetching has time of its own; what is left of the request's is left for the transaction.
                deadline += .now - began
            }
            let found = files
            let now = now()
            let outcome = try await database.write(of: .tenant(context.tenant), deadline: deadline) {
                [schemas] transaction -> T? in
                let version = try schemas.lock(tenant: context.tenant, in: transaction)
                guard version == current.version else { return nil }
                var session = WriteSession(
                    schema: current,
                    actor: context.principal.user,
                    people: directory,
                    attachments: found,
                    now: now,
                    gate: WriteGate(permission, RecordSight(scope, current, now: now, in: transaction)),
                    transaction: transaction
                )
                let result = try apply(&session, prepared)
                try session.flush()
                return try result(session)
            }
            if let outcome {
                signal.notify()
                return outcome
            }
            schema = nil
        }
        throw AirtableError(.busy, "The schema keeps changing.", hint: "try again")
    }

    /// Schema changes are rare; this many in a row during one write are not.
    private static var attemptsMax: Int { 16 }
}

/// The fields of a table that a writer may name.
struct WritableFields: Sendable {
    let model: TableModel
    let hidden: Set<FieldID>
    /// May be seen and not written.
    var locked: Set<FieldID> = []
    var people = CollaboratorDirectory()

    /// The cells that `fields` sets, each checked.
    ///
    /// - Parameter replacing: every other editable field is cleared.
    func inputs(
        _ fields: JSONObject,
        replacing: Bool = false,
        typecast: Bool
    ) throws(AirtableError) -> [FieldInput] {
        var inputs: [FieldInput] = []
        inputs.reserveCapacity(fields.count)
        var named: Set<FieldID> = []
        for (name, value) in fields {
            let field = try field(name)
            guard !locked.contains(field.id) else { throw .locked(field) }
            guard named.insert(field.id).inserted else {
                throw AirtableError(.invalidRequest, "Field \"\(field.name)\" is given twice.")
            }
            let input = try CellCodec.parse(value, field: field, typecast: typecast, people: people)
            inputs.append(FieldInput(field: field, input: input))
        }
        guard replacing else { return inputs }
        for field in model.table.fields
        where !field.type.isComputed && !hidden.contains(field.id) && !locked.contains(field.id)
            && !named.contains(field.id)
        {
            inputs.append(FieldInput(field: field, input: .empty))
        }
        return inputs
    }

    func mergeFields(_ names: [String]) throws(AirtableError) -> [Field] {
        guard (1...3).contains(names.count) else {
            throw AirtableError(.invalidRequest, "An upsert merges on one to three fields, received \(names.count).")
        }
        var fields: [Field] = []
        for name in names {
            let field = try field(name)
            switch field.type {
            case .singleLineText, .multilineText, .richText, .email, .url, .phoneNumber, .number, .currency, .percent,
                .duration, .rating, .singleSelect, .multipleSelects, .date, .dateTime:
                if !fields.contains(field) { fields.append(field) }
            case .checkbox, .multipleRecordLinks, .barcode, .singleCollaborator, .multipleCollaborators,
                .multipleAttachments, .createdTime, .autoNumber, .lastModifiedTime, .createdBy, .lastModifiedBy,
                .formula, .rollup, .multipleLookupValues, .count, .button, .aiText, .externalSyncSource, .manualSort:
                throw AirtableError(
                    .invalidRequest,
                    "Field \"\(field.name)\" cannot be merged on: it is a \(field.type.rawValue)."
                )
            }
        }
        return fields
    }

    /// - Throws: `.unknownFieldName`. From whom fields of this table are hidden, it hears the same of one of these and of one that is
    ///   not there: that they may not write it.
    func field(_ nameOrID: String) throws(AirtableError) -> Field {
        if let field = model.field(nameOrID), !hidden.contains(field.id) { return field }
        let names = model.table.fields.lazy.filter { !hidden.contains($0.id) }.map(\.name)
        let nearest = Spelling.nearest(to: nameOrID, among: names)
        throw hidden.isEmpty
            ? .unknownFieldName(nameOrID, nearest: nearest) : .notWritable(nameOrID, nearest: nearest)
    }
}

extension [[FieldInput]] {
    /// Every attachment that a cell names.
    fileprivate var attachments: Set<AttachmentInput> {
        var found: Set<AttachmentInput> = []
        for cell in joined() { if case .attachments(let inputs) = cell.input { found.formUnion(inputs) } }
        return found
    }
}

extension AirtableService {
    /// Whom cells of the caller's tenant may name. The caller's right to write is checked already.
    func people(_ context: RequestContext) async throws -> CollaboratorDirectory {
        CollaboratorDirectory(try await access.collaborators(tenant: context.tenant, deadline: context.deadline))
    }
}

/// A checked upsert.
private struct UpsertPlan: Sendable {
    let ids: [RecordID?]
    let mergeFields: [Field]
    let inputs: [[FieldInput]]

    struct Outcome: Sendable {
        var ids: [RecordID] = []
        var created: [RecordID] = []
        var updated: [RecordID] = []
    }

    func apply(to session: inout WriteSession, table: TableID) throws -> Outcome {
        try session.load(ids.compactMap { $0 }, in: table)
        try session.requireTargets(ids.compactMap { $0 }, in: table)
        let cells = try session.resolve(inputs, of: ids, in: table)
        let keys = zip(ids, cells).map { id, cells in id == nil ? key(cells) : nil }
        var matches = try session.records(matching: keys.compactMap { $0 }, in: mergeFields, of: table)
        let existing = ids.compactMap { $0 } + matches.values.joined()
        try session.loadLinked(to: existing, changing: cells, in: table)
        var outcome = Outcome()
        var (created, updated): (Set<RecordID>, Set<RecordID>) = ([], [])
        for (position, cells) in cells.enumerated() {
            let found: RecordID?
            if let id = ids[position] {
                found = id
            } else {
                let candidates = keys[position].flatMap { matches[$0] } ?? []
                guard candidates.count <= 1 else {
                    throw AirtableError(
                        .ambiguousMatch,
                        "Record \(position + 1) of the request matches \(candidates.count) records on "
                            + mergeFields.map { "\"\($0.name)\"" }.joined(separator: ", ") + "."
                    )
                }
                found = candidates.first
            }
            if let found {
                let isNew = created.contains(found)
                if !isNew { try session.requireTargets([found], in: table) }
                try session.set(cells, of: found, in: table)
                outcome.ids.append(found)
                if !isNew, updated.insert(found).inserted { outcome.updated.append(found) }
            } else {
                let id = try session.create(cells, in: table)
                outcome.ids.append(id)
                outcome.created.append(id)
                created.insert(id)
                if let key = keys[position] { matches[key, default: []].append(id) }
            }
        }
        return outcome
    }

    /// The values to match; nil when one of them is empty.
    private func key(_ cells: [FieldID: CellValue?]) -> [CellValue]? {
        let values = mergeFields.compactMap { cells[$0.id] ?? nil }
        return values.count == mergeFields.count ? values : nil
    }
}
