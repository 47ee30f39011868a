import Access
import Database
package import Domain

/// Reads of bases, tables and records that ask for one permission, which the service in front of them
/// names: whoever may search sees what a hit shows, and a route or tool works with exactly the permission
/// that it declares.
///
/// What may be seen is still the caller's visible scope, as everywhere. The public calls of
/// `AirtableService` are these, each by its own permission.
package struct GatedReads: Sendable {
    let service: AirtableService
    let permission: Permission
    /// Told of each damaged record, which is left out then; without it the first one is an error.
    let onDamage: (@Sendable (AirtableError) -> Void)?
    /// Whether only what is stored here is read: nothing is asked of the hosted service.
    private let isStoredOnly: Bool

    fileprivate init(
        _ service: AirtableService,
        _ permission: Permission,
        _ onDamage: (@Sendable (AirtableError) -> Void)?,
        isStoredOnly: Bool
    ) {
        self.service = service
        self.permission = permission
        self.onDamage = onDamage
        self.isStoredOnly = isStoredOnly
    }

    /// Who answers for a table's records in place of the store.
    func backend(of table: TableID, context: RequestContext) async throws -> WebAPIBackend? {
        isStoredOnly ? nil : try await service.backend(of: table, isWrite: false, doing: permission, context: context)
    }

    // MARK: Bases and tables

    /// Every base that may be seen, in the order they were made.
    package func bases(context: RequestContext) async throws -> [Base] {
        try context.require(permission)
        let scope = try await service.access.visibleScope(for: context, doing: permission)
        return try await service.glance(context) { _, schema in schema.bases.filter { scope.allows(base: $0.id) } }
    }

    /// The base with this identifier, or else this name (without regard to case).
    package func base(_ nameOrID: String, context: RequestContext) async throws -> Base {
        let bases = try await bases(context: context)
        if let id = BaseID(nameOrID), let base = bases.first(where: { $0.id == id }) { return base }
        let key = nameKey(nameOrID)
        if let base = bases.first(where: { nameKey($0.name) == key }) { return base }
        throw AirtableError.baseNotFound(nearest: Spelling.nearest(to: nameOrID, among: bases.map(\.name)))
    }

    /// The tables of a base, in the order people see them, with the fields that may be seen.
    package func tables(in base: BaseID, context: RequestContext) async throws -> [Table] {
        try context.require(permission)
        let scope = try await service.access.visibleScope(for: context, doing: permission)
        return try await service.glance(context) { _, schema in
            let scope = schema.widening(scope)
            _ = try schema.base(base, scope)
            return schema.tables(in: base)
                .filter { scope.allows(table: $0.table.id, in: base) }
                .map { scope.visible($0.table) }
        }
    }

    /// The table with this identifier, or else this name (without regard to case).
    package func table(_ nameOrID: String, in base: BaseID, context: RequestContext) async throws -> Table {
        let tables = try await tables(in: base, context: context)
        if let id = TableID(nameOrID), let table = tables.first(where: { $0.id == id }) { return table }
        let key = nameKey(nameOrID)
        if let table = tables.first(where: { nameKey($0.name) == key }) { return table }
        throw AirtableError.tableNotFound(nearest: Spelling.nearest(to: nameOrID, among: tables.map(\.name)))
    }

    package func table(id: TableID, context: RequestContext) async throws -> Table {
        try context.require(permission)
        let scope = try await service.access.visibleScope(for: context, doing: permission)
        return try await service.glance(context) { _, schema in
            schema.widening(scope).visible(try schema.table(id, scope).table)
        }
    }

    /// How many records a table has, of those that are seen. One small read, whatever its size, where no rule keeps any back.
    ///
    /// Of a hosted base that is not mirrored a lower bound, exact below 1,000.
    package func recordCount(in table: TableID, context: RequestContext) async throws -> Int {
        try context.require(permission)
        var scope = try await service.access.visibleScope(for: context, doing: permission)
        if permission.sight != .recordsRead {
            // Who sees a schema sees its tables; the records of a table are counted for who sees those.
            let (base, home) = try await service.glance(context) { [scope] _, schema in
                let base = try schema.table(table, schema.widening(scope)).table.base
                return (base, schema.home(of: base))
            }
            scope = try await service.access.visibleScope(for: context, doing: .recordsRead)
            let isUnread = home == .hosted && scope.rule(table: table) != nil
            guard scope.allows(table: table, in: base), !isUnread else { return 0 }
        }
        if let hosted = try await backend(of: table, context: context) { return try await hosted.recordCount() }
        return try await service.seeing(scope, context) { [store = service.store, ruled = service.ruledRecords] sight in
            let model = try sight.table(table)
            if let seen = try ruled.records(of: table, sight) { return seen.count }
            return try store.count(of: model, tenant: context.tenant, in: sight.transaction)
        }
    }

    // MARK: Records

    /// A page of a table's records, in the order they were made.
    ///
    /// Pages are stable: a record is on exactly one, whatever is made or deleted meanwhile.
    package func records(
        in table: TableID,
        page: RecordPageRequest,
        context: RequestContext
    ) async throws -> RecordPage {
        try context.require(permission)
        guard (1...Limits.internalPageRecords).contains(page.limit) else {
            throw AirtableError(
                .invalidRequest,
                "A page has 1 to \(Limits.internalPageRecords) records, received \(page.limit)."
            )
        }
        if let hosted = try await backend(of: table, context: context) { return try await hosted.page(page) }
        let scope = try await service.access.visibleScope(for: context, doing: permission)
        return try await service.seeing(scope, context) { [store = service.store, onDamage] sight in
            let model = try sight.table(table)
            if let after = page.after, !model.positionRange.contains(after.position) {
                throw AirtableError(
                    .invalidOffset,
                    "The offset is not one of this table.",
                    hint: "start again without it"
                )
            }
            do {
                let rows = try sight.page(after: page.after?.position, limit: page.limit + 1, of: model)
                let shown = Array(rows.prefix(page.limit))
                return RecordPage(
                    records: try sight.shown(shown, of: model),
                    next: rows.count > page.limit ? shown.last.map { RecordCursor(position: $0.position) } : nil
                )
            } catch let error as AirtableError where error.code == .corrupt {
                guard let onDamage else { throw error }
                let rows = try store.soundPage(
                    after: page.after?.position,
                    limit: page.limit,
                    of: model,
                    tenant: context.tenant,
                    in: sight.transaction,
                    onDamage: onDamage
                )
                return RecordPage(
                    records: try rows.sound.flatMap { try Self.sound($0, model, sight, onDamage) },
                    next: rows.next.map { RecordCursor(position: $0) }
                )
            }
        }
    }

    /// The records with these identifiers, in their order; unknown ones are left out.
    package func records(_ ids: [RecordID], in table: TableID, context: RequestContext) async throws -> [Record] {
        try context.require(permission)
        try AirtableService.checkBatch(ids.count)
        if let hosted = try await backend(of: table, context: context) { return try await hosted.records(ids) }
        let scope = try await service.access.visibleScope(for: context, doing: permission)
        return try await service.seeing(scope, context) { [store = service.store, onDamage] sight in
            let model = try sight.table(table)
            var records: [RecordID: Record] = [:]
            try Self.tolerating(onDamage, Set(ids)) { ids in
                let rows = try store.rows(ids, of: model, tenant: context.tenant, in: sight.transaction)
                for record in try sight.records(rows, of: model) { records[record.id] = record }
            }
            return ids.compactMap { records[$0] }
        }
    }

    /// - Throws: `.notFound`.
    package func record(_ id: RecordID, in table: TableID, context: RequestContext) async throws -> Record {
        guard let record = try await records([id], in: table, context: context).first else {
            throw AirtableError.recordNotFound()
        }
        return record
    }

    /// The primary value of each record as text, for showing links; unknown records and empty
    /// values are left out.
    package func primaryValues(
        of ids: some Collection<RecordID> & Sendable,
        in table: TableID,
        context: RequestContext
    ) async throws -> [RecordID: String] {
        try context.require(permission)
        if let hosted = try await backend(of: table, context: context) {
            return try await hosted.primaryValues(of: Array(ids))
        }
        let scope = try await service.access.visibleScope(for: context, doing: permission)
        return try await service.seeing(scope, context) { [store = service.store, onDamage] sight in
            let model = try sight.table(table)
            guard let primary = model.field(id: model.table.primaryField), !sight.hidden(table).contains(primary.id)
            else { return [:] }
            var texts: [RecordID: String] = [:]
            try Self.tolerating(onDamage, Set(ids)) { ids in
                let rows = try store.rows(ids, of: model, tenant: context.tenant, in: sight.transaction)
                for row in try sight.seen(rows, of: model) {
                    guard let value = try row.record(model).cells[primary.id] else { continue }
                    texts[row.id] = CellCodec.displayText(of: value, field: primary) { _ in nil }
                }
            }
            return texts
        }
    }

    // MARK: Damage

    /// Reads all of `ids` at once; when one of them is damaged, and that is to be tolerated, one by one.
    private static func tolerating(
        _ onDamage: (@Sendable (AirtableError) -> Void)?,
        _ ids: Set<RecordID>,
        _ read: (Set<RecordID>) throws -> Void
    ) throws {
        do {
            try read(ids)
        } catch let error as AirtableError where error.code == .corrupt {
            guard let onDamage else { throw error }
            for id in ids {
                do { try read([id]) } catch let error as AirtableError where error.code == .corrupt { onDamage(error) }
            }
        }
    }

    private static func sound(
        _ row: StoredRow,
        _ model: TableModel,
        _ sight: RecordSight,
        _ onDamage: @Sendable (AirtableError) -> Void
    ) throws -> [Record] {
        do { return try sight.records([row], of: model) } catch let error as AirtableError where error.code == .corrupt
        {
            onDamage(error)
            return []
        }
    }
}

extension AirtableService {
    /// Reads for those who have `permission`; there is no way to read without one.
    ///
    package func reads(by permission: Permission) -> GatedReads {
        GatedReads(self, permission, nil, isStoredOnly: false)
    }

    /// Reads of what is stored here, for who keeps something in step with the store: a hosted base that is not mirrored
    /// has no records there.
    ///
    /// - Parameter onDamage: for who must go on when a record is damaged: told of each, which is then left out.
    package func storedReads(
        by permission: Permission,
        onDamage: (@Sendable (AirtableError) -> Void)? = nil
    ) -> GatedReads {
        GatedReads(self, permission, onDamage, isStoredOnly: true)
    }
}
