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
        let (table, scope) = (table, scope)
        let model = try await service.read(context) { _, schema in try schema.table(table, scope) }
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
        } catch let error as AirtableError where error.code == .unknownFieldName {
            return try body(try await refreshed())
        }
    }

    func field(_ nameOrID: String) throws(AirtableError) -> Field {
        if let field = model.field(nameOrID), !hidden.contains(field.id) { return field }
        let names = model.table.fields.lazy.filter { !hidden.contains($0.id) }.map(\.name)
        throw .unknownFieldName(nameOrID, nearest: Spelling.nearest(to: nameOrID, among: names))
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
    /// - Parameter isWrite: a mirror's reads are answered by the copy.
    func backend(of table: TableID, isWrite: Bool, context: RequestContext) async throws -> WebAPIBackend? {
        var schema = cache.latest(context.tenant)
        if schema?.table(table) == nil { schema = try await read(context) { _, schema in schema } }
        // What is not there at all is told by the store.
        guard let schema, let base = schema.table(table)?.table.base, let found = schema.base(base) else { return nil }
        let home = schema.home(of: base)
        guard home == .hosted || home == .mirrored && isWrite else { return nil }
        let scope = try await access.visibleScope(for: context)
        return WebAPIBackend(
            service: self,
            upstream: try hostedService(),
            base: found,
            home: home,
            model: try schema.table(table, scope),
            scope: scope,
            context: context
        )
    }

    /// Asks whoever keeps the base in step to compare every record soon.
    func wantSweep(of base: BaseID, context: RequestContext) async throws {
        try await database.write(deadline: context.deadline) { transaction in
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
