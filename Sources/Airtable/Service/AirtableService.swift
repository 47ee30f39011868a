public import Access
public import Database
public import Domain

/// The one door to bases, tables and records: every call checks what its context may do and see.
///
/// What a caller may not see does not exist for them: such names and identifiers are
/// `modelNotFound` or `notFound`. Calls that read take the snapshot of one transaction; calls that
/// write are atomic, durable when they return, and put what they changed into the change log in the
/// same transaction. Safe to use from anywhere at once.
public final class AirtableService: Sendable {
    /// What the tables of the store need, in order.
    public static let migrations: [Migration] = [
        SchemaStore.migration, RecordStore.migration, ChangeLogStore.migration, ImportStore.migration,
        ChangeLogStore.historyMigration, CommentStore.migration, ViewStore.migration, FieldIndexStore.migration,
        HostedBaseStore.migration, SchemaStore.placementMigration,
    ]

    /// For consumers that keep something in step with the records.
    public let changes: ChangeFeed

    /// Who stores the bytes of attachments; without one, cells take none but those they have.
    let attachmentSource: (any AttachmentSource)?
    /// The hosted service, for bases that live there.
    let upstream: HostedUpstream?
    let database: any SQLDatabase
    let access: AccessService
    let cache: SchemaCache
    /// This process has committed a change.
    let signal: Wakeup
    let now: InstantSource
    let filters: any FilterCompiler
    let keptListings: KeptListings
    /// Which records of tables with rules exist for whom.
    let ruledRecords = RuledRecords()
    /// Mirrors that have every record, and so answer reads.
    let wholeMirrors = WholeMirrors()
    /// Indexes of fields that filters ask for again and again.
    package let fieldIndexes: FieldIndexKeeper
    let schemas = SchemaStore()
    let store = RecordStore()
    let log = ChangeLogStore()
    let commentStore = CommentStore()
    /// What one write of records takes.
    let recordsPerWrite: Int

    /// - Parameters:
    ///   - attachments: fetches what cells of attachments name by address.
    ///   - upstream: without one, bases that live at the hosted service can be read as far as they are here, not written.
    ///   - now: for times of creation and of changes.
    ///   - pollInterval: how long a change of another process may go unnoticed by `changes`.
    public convenience init(
        database: any SQLDatabase,
        access: AccessService,
        attachments: (any AttachmentSource)? = nil,
        upstream: HostedUpstream? = nil,
        now: @escaping InstantSource = { .now() },
        pollInterval: Duration = .milliseconds(50)
    ) {
        self.init(
            database: database,
            access: access,
            attachments: attachments,
            upstream: upstream,
            now: now,
            pollInterval: pollInterval,
            filters: FormulaFilters()
        )
    }

    /// - Parameter filters: evaluates the formulas that filter records.
    package init(
        database: any SQLDatabase,
        access: AccessService,
        attachments: (any AttachmentSource)? = nil,
        upstream: HostedUpstream? = nil,
        now: @escaping InstantSource = { .now() },
        pollInterval: Duration = .milliseconds(50),
        filters: any FilterCompiler,
        tick: @escaping @Sendable () -> ContinuousClock.Instant = { .now }
    ) {
        self.attachmentSource = attachments
        self.upstream = upstream
        self.filters = filters
        self.keptListings = KeptListings(tick: tick)
        self.database = database
        self.access = access
        self.now = now
        self.cache = SchemaCache()
        self.fieldIndexes = FieldIndexKeeper(database: database, cache: cache)
        self.signal = Wakeup()
        self.changes = ChangeFeed(database: database, cache: cache, signal: signal, pollInterval: pollInterval)
        self.recordsPerWrite = Limits.internalPageRecords
    }

    /// `service` over another database that leads to the same data, for one write; it calls nobody.
    init(
        of service: AirtableService,
        over database: any SQLDatabase,
        attachments: (any AttachmentSource)?,
        recordsPerWrite: Int
    ) {
        attachmentSource = attachments
        upstream = nil
        filters = service.filters
        keptListings = service.keptListings
        self.database = database
        access = service.access
        now = service.now
        cache = service.cache
        fieldIndexes = service.fieldIndexes
        signal = service.signal
        changes = service.changes
        self.recordsPerWrite = recordsPerWrite
    }

    // MARK: Shared by all calls

    /// Runs `body` in one snapshot, with the schema as of it.
    func read<T: Sendable>(
        _ context: RequestContext,
        _ body: @escaping @Sendable (any Transaction, TenantSchema) throws -> T
    ) async throws -> T {
        try await database.read(of: .tenant(context.tenant), deadline: context.deadline) { [cache] transaction in
            try body(transaction, try cache.schema(context.tenant, in: transaction))
        }
    }

    /// `read` for what the schema alone, which is in memory, and a row or two can tell.
    func glance<T: Sendable>(
        _ context: RequestContext,
        _ body: @escaping @Sendable (any Transaction, TenantSchema) throws -> T
    ) async throws -> T {
        try await database.glance(of: .tenant(context.tenant), deadline: context.deadline) { [cache] transaction in
            try body(transaction, try cache.schema(context.tenant, in: transaction))
        }
    }

    /// Runs `body` in one snapshot, with what `scope` shows of it.
    func seeing<T: Sendable>(
        _ scope: VisibleScope,
        _ context: RequestContext,
        _ body: @escaping @Sendable (RecordSight) throws -> T
    ) async throws -> T {
        let now = now()
        return try await read(context) { transaction, schema in
            try body(RecordSight(scope, schema, now: now, in: transaction))
        }
    }

    /// Runs `body` as the tenant's only writer, with the schema as of then.
    ///
    /// For changes of the schema: `body` raises its version when it changed it.
    func change<T: Sendable>(
        _ context: RequestContext,
        _ body: @escaping @Sendable (any Transaction, TenantSchema) throws -> T
    ) async throws -> T {
        let result = try await database.write(of: .tenant(context.tenant), deadline: context.deadline) {
            [cache, schemas] transaction in
            _ = try schemas.lock(tenant: context.tenant, in: transaction)
            return try body(transaction, try cache.schema(context.tenant, in: transaction, keeps: false))
        }
        signal.notify()
        return result
    }
}

extension TenantSchema {
    /// - Throws: `.modelNotFound`, also for a base outside `scope`.
    func base(_ id: BaseID, _ scope: VisibleScope) throws(AirtableError) -> Base {
        guard let base = base(id), scope.allows(base: id) else { throw .baseNotFound() }
        return base
    }

    /// - Throws: `.modelNotFound`, also for a table outside `scope`.
    func table(_ id: TableID, _ scope: VisibleScope) throws(AirtableError) -> TableModel {
        guard let model = table(id), scope.allows(table: id, in: model.table.base) else { throw .tableNotFound() }
        return model
    }
}

extension VisibleScope {
    /// The table without the fields that this scope hides, and without mention of what is hidden elsewhere.
    ///
    /// A hidden primary field is not named either: the first field that is seen stands in its place.
    func visible(_ table: Table) -> Table {
        if isWholeTenant { return table }
        let hidden = hiddenFields(table: table.id)
        var table = table
        if !hidden.isEmpty {
            table.fields.removeAll { hidden.contains($0.id) }
            if hidden.contains(table.primaryField) { table.primaryField = table.fields.first?.id ?? .nowhere }
        }
        for place in table.fields.indices { table.fields[place] = visible(table.fields[place]) }
        return table
    }

    /// A field that is seen, without mention of a view or of another side that are hidden.
    func visible(_ field: Field) -> Field {
        guard field.type == .multipleRecordLinks, let linked = field.options.linkedTable else { return field }
        var field = field
        if let inverse = field.options.inverseLinkField, hiddenFields(table: linked).contains(inverse) {
            field.options.inverseLinkField = nil
        }
        if let view = field.options.recordSelectionView, !allows(view: view) { field.options.recordSelectionView = nil }
        return field
    }
}

extension FieldID {
    /// Of no field: the primary one of a table none of whose fields is seen.
    fileprivate static var nowhere: FieldID { FieldID("fld00000000000000") ?? .random() }
}
