import Access
import Database
package import Domain

/// Imports of any size without a long transaction: rows go in chunks into tables that nobody sees,
/// and one small transaction publishes them.
///
/// `begin` notes the import in a journal and makes its hidden tables; `insertRows` fills them, with
/// no entries in the change log; `publish` shows everything at once and logs one `.imported` a
/// table. A process that dies in between leaves hidden rows and a journal entry whose lease runs
/// out; `clearInterrupted` removes both in small steps. Rows for an existing table wait in a hidden
/// one, and are moved when published; `write` ends an import of few of them as a write does.
package struct ImportStore: Sendable {
    static let migration = Migration(
        id: "airtable/0004-imports",
        [
            """
            CREATE TABLE imports (
                tenant {text} NOT NULL,
                id {text} NOT NULL,
                base {text} NOT NULL,
                kind {text} NOT NULL,
                owner {text} NOT NULL,
                started {int} NOT NULL,
                lease_end {int} NOT NULL,
                PRIMARY KEY (tenant, id)
            ) {strict}
            """
        ]
    )

    /// Rows of one chunk; of 20 fields each, some 200 ms of the write lock.
    package static let chunkRowsMax = 10_000
    /// How long an import may be silent before others take it for interrupted.
    package static let lease = Duration.seconds(60)

    let service: AirtableService
    /// The one permission it asks for; nil for both that an import needs by nature. With `recordsWrite` alone it only appends.
    let permission: Permission?
    private var database: any SQLDatabase { service.database }
    private var schemas: SchemaStore { service.schemas }
    private var store: RecordStore { service.store }

    // MARK: Filling

    /// Starts an import with hidden tables.
    ///
    /// - Parameters:
    ///   - drafts: new tables; links between them are made as usual.
    ///   - views: of those that have more than their first one.
    ///   - owner: who runs it, for `clearInterrupted` to judge whether they live.
    package func begin(
        _ target: ImportTarget,
        tables drafts: [TableDraft],
        views: [TableID: [TableView]] = [:],
        owner: String,
        context: RequestContext
    ) async throws -> ImportSession {
        try require(context)
        if permission == .recordsWrite {
            guard case .appending = target, drafts.isEmpty else { throw AccessError.forbidden(.schemaWrite) }
        }
        let (base, targets) = try await resolve(target, makesTables: !drafts.isEmpty, context: context)
        var builder = SchemaBuilder(base: base.id, existing: [])
        for draft in drafts { try builder.add(draft) }
        let newTables = try builder.finish().newTables
        let (id, now) = (Identifier<ImportKind>.random().description, service.now())
        let tables = try await database.write(of: .tenant(context.tenant), deadline: context.deadline) {
            [schemas] transaction in
            _ = try schemas.lock(tenant: context.tenant, in: transaction)
            try transaction.execute(
                """
                INSERT INTO imports (tenant, id, base, kind, owner, started, lease_end)
                VALUES ($1, $2, $3, $4, $5, $6, $7)
                """,
                [
                    context.tenant.sql, .text(id), base.id.sql, .text(target.kind), .text(owner),
                    SQLValue(now.microseconds), SQLValue(now.microseconds + Self.lease.microseconds),
                ]
            )
            if case .newBase = target {
                try schemas.insert(base, state: .importing, ofImport: id, tenant: context.tenant, in: transaction)
            }
            var tables: [ImportTable] = []
            for model in targets {
                let staging = try schemas.insert(
                    Table(id: .random(), base: base.id, name: id, primaryField: model.table.primaryField, fields: []),
                    position: 0,
                    state: .importing,
                    ofImport: id,
                    stagingFor: model.number,
                    tenant: context.tenant,
                    in: transaction
                )
                tables.append(ImportTable(model: model, number: staging.number))
            }
            for (position, table) in newTables.enumerated() {
                let model = try schemas.insert(
                    table,
                    position: Self.firstNewPosition(target) + position,
                    state: .importing,
                    ofImport: id,
                    tenant: context.tenant,
                    in: transaction
                )
                tables.append(ImportTable(model: model, number: model.number))
                for view in views[table.id] ?? [] {
                    try ViewStore().insert(view, of: model, tenant: context.tenant, in: transaction)
                }
            }
            return tables
        }
        return ImportSession(id: id, target: target, base: base, tables: tables)
    }

    /// - Throws: what `begin` would, for want of the place or of a right.
    func requireTarget(_ target: ImportTarget, makesTables: Bool, context: RequestContext) async throws {
        _ = try await resolve(target, makesTables: makesTables, context: context)
    }

    /// What an import writes is not looked at record by record: it needs the whole of its target.
    private func resolve(
        _ target: ImportTarget,
        makesTables: Bool,
        context: RequestContext
    ) async throws -> (Base, [TableModel]) {
        var scopes: [(scope: VisibleScope, permission: Permission)] = []
        for permission in permission.map({ [$0] }) ?? [.schemaWrite, .recordsWrite] {
            scopes.append((try await service.access.visibleScope(for: context, doing: permission), permission))
        }
        let asked = scopes
        switch target {
        case .newBase(let name, let workspace, let id):
            let base = Base(
                id: id ?? .random(),
                workspace: try await service.workspaceID(workspace, scope: asked[0].scope, context: context),
                name: try SchemaBuilder.checkedName(name, of: "base", otherwise: .invalidRequest),
                createdTime: service.now()
            )
            return try await service.read(context) { _, schema in
                guard !schema.bases.contains(where: { nameKey($0.name) == nameKey(base.name) }) else {
                    throw AirtableError.duplicateBaseName(base.name)
                }
                return (base, [])
            }
        case .replacing(let id):
            return try await service.read(context) { _, schema in
                for (scope, permission) in asked { _ = try schema.base(id, changingWhole: scope, permission) }
                try schema.requireEmbedded(id, "nothing is imported into it")
                return (try schema.base(id, asked[0].scope), [])
            }
        case .appending(let id, let tables):
            return try await service.read(context) { _, schema in
                let models = try tables.map { table in
                    let model = try schema.table(table, asked[0].scope)
                    guard model.table.base == id else { throw AirtableError.tableNotFound() }
                    for (scope, permission) in asked {
                        try schema.requireWhole(model.table, schema.widening(scope), permission)
                    }
                    return model
                }
                if makesTables {
                    for (scope, permission) in asked { _ = try schema.base(id, changingWhole: scope, permission) }
                }
                try schema.requireEmbedded(id, "nothing is imported into it")
                return (try schema.base(id, asked[0].scope), models)
            }
        }
    }

    /// New tables of an append stand behind those that are there.
    private static func firstNewPosition(_ target: ImportTarget) -> Int {
        if case .appending = target { Limits.tablesPerBase } else { 0 }
    }

    /// Adds rows to a hidden table, in one transaction. At most `chunkRowsMax`.
    ///
    /// - Throws: `.importGone` when the import was abandoned or its base deleted meanwhile.
    package func insertRows(
        _ rows: [ImportRow],
        into table: TableID,
        of session: ImportSession,
        context: RequestContext
    ) async throws {
        try require(context)
        guard rows.count <= Self.chunkRowsMax else {
            throw AirtableError(.tooLarge, "A chunk has at most \(Self.chunkRowsMax) rows, received \(rows.count).")
        }
        guard let target = session.table(table) else { throw AirtableError.tableNotFound() }
        if rows.isEmpty { return }
        let (model, now) = (target.model, service.now())
        let number = target.number
        let isWhole = rows.allSatisfy(\.isWhole)
        let numbersFields = isWhole ? [] : model.autoNumberFields
        let user = context.principal.user
        let actor = model.namesPeople ? try await service.people(context).person(user) : Collaborator(id: user)
        // Without numbers to be given, rows are encoded before the write lock is held.
        let encoded =
            numbersFields.isEmpty ? rows.map { StoredCells.encode($0.made(by: actor, model), model: model) } : []
        let highest = isWhole ? rows.compactMap { $0.highestNumber(model) }.max() : nil
        try await database.write(of: .tenant(context.tenant), deadline: context.deadline) { [store] transaction in
            try Self.renew(session, now: now, context: context, in: transaction)
            try TenantRoom.requireRecords(rows.count, tenant: context.tenant, in: transaction)
            let position = try Self.gone(.modelNotFound) {
                try store.reservePositions(rows.count, tableNumber: number, tenant: context.tenant, in: transaction)
            }
            var texts = encoded
            if !numbersFields.isEmpty {
                let first = try Self.gone(.modelNotFound) {
                    try store.reserveNumbers(
                        rows.count,
                        tableNumber: model.number,
                        tenant: context.tenant,
                        in: transaction
                    )
                }
                texts = rows.enumerated().map { offset, row in
                    var cells = row.made(by: actor, model)
                    for field in numbersFields { cells[field] = .number(Double(first + Int64(offset))) }
                    return StoredCells.encode(cells, model: model)
                }
            }
            let stored = rows.enumerated().map { offset, row in
                StoredRow(
                    position: position + Int64(offset),
                    id: row.id,
                    created: row.created ?? now,
                    cells: texts[offset]
                )
            }
            try store.insert(stored, tableNumber: number, tenant: context.tenant, in: transaction)
            if let highest {
                try store.passNumber(highest, tableNumber: model.number, tenant: context.tenant, in: transaction)
            }
        }
    }

    /// Rows of a hidden table, in the order they were inserted.
    package func rows(
        of table: TableID,
        after cursor: RecordCursor?,
        limit: Int,
        of session: ImportSession,
        context: RequestContext
    ) async throws -> RecordPage {
        try require(context)
        guard let target = session.table(table) else { throw AirtableError.tableNotFound() }
        return try await database.read(of: .tenant(context.tenant), deadline: context.deadline) { [store] transaction in
            let rows = try store.page(
                after: cursor?.position,
                limit: limit,
                of: target.model,
                at: target.number,
                tenant: context.tenant,
                in: transaction
            )
            return RecordPage(
                records: try rows.map { try $0.record(target.model) },
                next: rows.count == limit ? rows.last.map { RecordCursor(position: $0.position) } : nil
            )
        }
    }

    /// Sets the links of hidden rows, and for links between new tables the other side with them.
    ///
    /// The other side of an append's links follows when it is published. Rows and targets must have
    /// been inserted.
    package func resolveLinks(
        _ links: [(record: RecordID, targets: [RecordID])],
        field: FieldID,
        in table: TableID,
        of session: ImportSession,
        context: RequestContext
    ) async throws {
        try require(context)
        guard let source = session.table(table), let field = source.model.field(id: field) else {
            throw AirtableError.fieldNotFound()
        }
        guard let linked = field.options.linkedTable, let inverse = field.options.inverseLinkField else {
            throw AirtableError(.invalidFieldOptions, "Field \"\(field.name)\" is no link.")
        }
        let now = service.now()
        try await database.write(of: .tenant(context.tenant), deadline: context.deadline) { transaction in
            try Self.renew(session, now: now, context: context, in: transaction)
            var edit = HiddenRowEdit(tenant: context.tenant, transaction: transaction)
            for (record, targets) in links { edit.add(targets, to: field.id, of: record, in: source) }
            if !source.isAppend, let other = session.table(linked), !other.isAppend {
                for (record, targets) in links {
                    for target in targets { edit.add([record], to: inverse, of: target, in: other) }
                }
            }
            _ = try edit.write()
        }
    }

    /// Adds choices to a select field of a table being filled. For an append, people see them at
    /// once.
    ///
    /// - Returns: the identifiers of all `names`.
    package func addChoices(
        _ names: [String],
        to field: FieldID,
        in table: TableID,
        of session: ImportSession,
        context: RequestContext
    ) async throws -> [String: ChoiceID] {
        try require(context)
        guard let target = session.table(table) else { throw AirtableError.tableNotFound() }
        let now = service.now()
        if target.isAppend {
            return try await service.change(context) { transaction, schema in
                var edit = WriteSession(
                    schema: schema,
                    actor: context.principal.user,
                    now: now,
                    transaction: transaction
                )
                let ids = try edit.addChoices(names, to: field, in: table)
                try edit.flush()
                return ids
            }
        }
        return try await database.write(of: .tenant(context.tenant), deadline: context.deadline) {
            [schemas] transaction in
            try Self.renew(session, now: now, context: context, in: transaction)
            let tables = try schemas.tables(ofImport: session.id, tenant: context.tenant, in: transaction)
            guard let model = tables.first(where: { $0.table.id == table }), let field = model.field(id: field) else {
                throw AirtableError.fieldNotFound()
            }
            let (replaced, ids) = try model.addingChoices(names, to: field)
            if let options = replaced.field(id: field.id)?.options {
                try schemas.setOptions(options, of: field.id, tenant: context.tenant, in: transaction)
            }
            return ids
        }
    }

    // MARK: Shared

    func require(_ context: RequestContext) throws {
        if let permission { return try context.require(permission) }
        try context.require(.schemaWrite)
        try context.require(.recordsWrite)
    }

    /// Says that the import lives, and holds its journal entry until this transaction ends.
    static func renew(
        _ session: ImportSession,
        now: Instant,
        context: RequestContext,
        in transaction: any Transaction
    ) throws {
        let found = try transaction.execute(
            "UPDATE imports SET lease_end = $3 WHERE tenant = $1 AND id = $2",
            [context.tenant.sql, .text(session.id), SQLValue(now.microseconds + lease.microseconds)]
        )
        if found == 0 { throw AirtableError.importGone() }
    }

    private static func gone<T>(_ code: AirtableError.Code, _ body: () throws -> T) throws -> T {
        do { return try body() } catch let error as AirtableError where error.code == code {
            throw AirtableError.importGone()
        }
    }
}

extension ImportRow {
    fileprivate func made(by actor: Collaborator, _ model: TableModel) -> [FieldID: CellValue] {
        isWhole ? cells : model.made(cells, by: actor)
    }

    fileprivate func highestNumber(_ model: TableModel) -> Int64? {
        model.autoNumberFields.compactMap { field in
            if case .number(let number)? = cells[field] { Int64(exactly: number) } else { nil }
        }.max()
    }
}

private enum ImportKind: IdentifierKind { static var prefix: StaticString { "imp" } }

extension AirtableError {
    static func importGone() -> Self {
        Self(.importGone, "This import was abandoned, or its base deleted, meanwhile.", hint: "start it again")
    }
}

extension AirtableService {
    /// For imports.
    package var imports: ImportStore { ImportStore(service: self, permission: nil) }

    /// For imports whose caller was asked for one permission: `schemaWrite`, or `recordsWrite` for rows of tables there are.
    package func imports(by permission: Permission?) -> ImportStore {
        ImportStore(service: self, permission: permission)
    }
}
