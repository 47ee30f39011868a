import Access
import Database
import Domain
import Logging

/// The records of one table of a hosted base, on one caller's behalf: answers in place of the store.
///
/// Rights and visible scope are checked here as for the store's own records; names go out as identifiers, so that a
/// rename on the way harms nothing. Of a mirror, what was written goes into the copy before the caller is answered.
struct WebAPIBackend: Sendable {
    let service: AirtableService
    let upstream: HostedUpstream
    let base: Base
    let home: BaseHome
    let model: TableModel
    let scope: VisibleScope
    let context: RequestContext

    var table: TableID { model.table.id }
    var hidden: Set<FieldID> { scope.hiddenFields(table: table) }
    var locked: Set<FieldID> { scope.lockedFields(table: table) }

    func call(wantsFresh: Bool = false) async throws -> HostedCall {
        try await upstream.call(
            for: base.workspace,
            lane: context.origin == .system ? .bulk : .interactive,
            wantsFresh: wantsFresh,
            context: context
        )
    }

    // MARK: Schema

    /// This backend with the schema that the service has now.
    func refreshed() async throws -> Self {
        let tables = try await upstream.client.tables(of: base.id, try await call(wantsFresh: true))
        let stale = try await service.followSchema(tables, of: base.id, context: context)
        if !stale.isEmpty { try await service.wantSweep(of: base.id, context: context) }
        let (table, known) = (table, scope)
        let (model, scope) = try await service.read(context) { _, schema in
            (try schema.table(table, known), schema.widening(known))
        }
        return Self(
            service: service,
            upstream: upstream,
            base: base,
            home: home,
            model: model,
            scope: scope,
            context: context
        )
    }

    /// What `body` makes of the schema that is kept here, or, when that does not know a field, of the service's own.
    func prepared<T: Sendable>(_ body: @Sendable (Self) throws -> T) async throws -> T {
        do {
            return try body(self)
        } catch let error as AirtableError where [.unknownFieldName, .invalidPermissions].contains(error.code) {
            return try body(try await refreshed())
        }
    }

    func field(_ nameOrID: String) throws(AirtableError) -> Field {
        if let field = model.field(nameOrID), !hidden.contains(field.id) { return field }
        throw .unknownFieldName(nameOrID, nearest: nearest(to: nameOrID))
    }

    /// A field that is to be written; see `WritableFields`.
    func writableField(_ nameOrID: String) throws(AirtableError) -> Field {
        guard let field = model.field(nameOrID), !hidden.contains(field.id) else {
            let nearest = nearest(to: nameOrID)
            throw hidden.isEmpty
                ? .unknownFieldName(nameOrID, nearest: nearest) : .notWritable(nameOrID, nearest: nearest)
        }
        return field
    }

    private func nearest(to name: String) -> String? {
        Spelling.nearest(to: name, among: model.table.fields.lazy.filter { !hidden.contains($0.id) }.map(\.name))
    }

    // MARK: Answers

    /// Records as the store would give them, with the attachments' addresses at the service.
    func records(_ found: [HostedRecord]) async throws -> [Record] {
        let (records, isWhole) = read(found)
        if isWhole { return records }
        // A choice or field that has come since.
        return try await refreshed().read(found).records
    }

    private func read(_ found: [HostedRecord]) -> (records: [Record], isWhole: Bool) {
        var reader = HostedCells(model: model, keepsAddresses: true)
        let records = found.map { record in
            let created = record.created ?? Instant(microseconds: 0)
            var cells = reader.cells(record.fields)
            model.complete(&cells, created: created)
            for field in hidden { cells[field] = nil }
            return Record(id: record.id, createdTime: created, cells: cells)
        }
        return (records, reader.isWhole)
    }
}

extension AirtableService {
    /// Who answers for a table's records in place of this store; nil when it answers itself.
    ///
    /// - Parameters:
    ///   - isWrite: a mirror's reads are answered by the copy, once that has every record.
    ///   - permission: what is asked for.
    /// - Throws: `.modelNotFound`; `AccessError.forbidden`; `.invalidPermissions` for a table of which the caller sees or may change
    ///   only some records: the service knows nothing of their rules.
    func backend(
        of table: TableID,
        isWrite: Bool,
        doing permission: Permission,
        context: RequestContext
    ) async throws -> WebAPIBackend? {
        var schema = cache.latest(context.tenant)
        if schema?.table(table) == nil { schema = try await read(context) { _, schema in schema } }
        // What is not there at all is told by the store.
        guard let schema, let base = schema.table(table)?.table.base, let found = schema.base(base) else { return nil }
        let home = schema.home(of: base)
        let isFilling = home == .mirrored && !isWrite ? try await isFilling(base, context) : false
        guard home == .hosted || home == .mirrored && isWrite || isFilling else { return nil }
        let scope = schema.widening(try await access.visibleScope(for: context, doing: permission))
        let model = try schema.table(table, changing: scope, permission)
        guard scope.rule(table: table) == nil, scope.actionRule(table: table) == nil else {
            // The copy knows, of the records that it has.
            if isFilling { return nil }
            throw AirtableError.noRulesAtService(home)
        }
        return WebAPIBackend(
            service: self,
            upstream: try hostedService(),
            base: found,
            home: home,
            model: model,
            scope: scope,
            context: context
        )
    }

    /// Whether the first pull of a mirror still runs, while somebody could be asked instead.
    private func isFilling(_ base: BaseID, _ context: RequestContext) async throws -> Bool {
        guard upstream != nil, context.origin != .system, !wholeMirrors.contains(base, tenant: context.tenant) else {
            return false
        }
        let isPulled = try await database.read(of: .tenant(context.tenant), deadline: context.deadline) { transaction in
            try HostedBaseStore().entry(base, tenant: context.tenant, in: transaction)?.state.isPulled ?? true
        }
        if isPulled { wholeMirrors.insert(base, tenant: context.tenant) }
        return !isPulled
    }

    /// Asks whoever keeps the base in step to compare every record soon.
    func wantSweep(of base: BaseID, context: RequestContext) async throws {
        try await database.write(of: .tenant(context.tenant), deadline: context.deadline) { transaction in
            try HostedBaseStore().wantSweep(of: base, tenant: context.tenant, in: transaction)
        }
    }
}

extension TenantSchema {
    /// - Throws: `.invalidRequest` for a base that lives at the hosted service.
    func requireEmbedded(_ base: BaseID, _ what: String) throws(AirtableError) {
        guard home(of: base) == .embedded else {
            throw AirtableError(
                .invalidRequest,
                "This base lives at the hosted service: \(what).",
                hint: "do it there; what is here follows"
            )
        }
    }
}

extension AirtableError {
    static func noRulesAtService(_ home: BaseHome) -> Self {
        Self(
            .invalidPermissions,
            "You see or may change only some records of this table, and it lives at the hosted service, which does not know which.",
            hint: home == .hosted
                ? "mirror the base here to read it" : "somebody who may change all of its records can do this"
        )
    }
}
