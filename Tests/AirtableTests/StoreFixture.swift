import Access
import Airtable
import Database
import Domain
import Logging
import Synchronization
import TestSupport
import Testing

/// A clock that moves only when told to.
final class StoreClock: Sendable {
    private let state = Mutex(Instant(milliseconds: 1_750_000_000_000))

    var now: InstantSource { { self.instant } }
    var instant: Instant { state.withLock { $0 } }

    func advance(seconds: Int64) { state.withLock { $0.microseconds += seconds * 1_000_000 } }
}

/// A record store after its first start, and somebody who may do everything.
struct StoreFixture: Sendable {
    let database: any SQLDatabase
    let access: AccessService
    let service: AirtableService
    let clock: StoreClock
    let context: RequestContext

    /// Somebody of the same tenant who may do less.
    func context(with permissions: Set<Permission>) -> RequestContext {
        RequestContext(
            id: "limited",
            principal: Principal(user: context.principal.user, key: nil, permissions: permissions),
            tenant: context.tenant,
            deadline: context.deadline,
            origin: .http,
            logger: context.logger
        )
    }

    /// The owner of another tenant of this database.
    func otherTenant() async throws -> RequestContext {
        let (tenant, user, workspace) = (TenantID.random(), UserID.random(), WorkspaceID.random())
        try await database.write(of: .everyTenant) { transaction in
            try transaction.execute(
                "INSERT INTO access_tenants (id, name, owner, created_time) VALUES ($1, 'other', $2, 0)",
                [.text(tenant.description), .text(user.description)]
            )
            try transaction.execute(
                "INSERT INTO access_workspaces (tenant, id, name, created_time) VALUES ($1, $2, 'other', 0)",
                [.text(tenant.description), .text(workspace.description)]
            )
            try transaction.execute(
                """
                INSERT INTO access_users (tenant, id, name, role, disabled, created_time)
                VALUES ($1, $2, 'owner', 'owner', 0, 0)
                """,
                [.text(tenant.description), .text(user.description)]
            )
        }
        return RequestContext(
            id: "other",
            principal: Principal(user: user, key: nil, permissions: Set(Permission.allCases)),
            tenant: tenant,
            deadline: context.deadline,
            origin: .http,
            logger: context.logger
        )
    }

    /// Another process on the same data: it shares no cache and no signal.
    func otherProcess(_ database: (any SQLDatabase)? = nil) -> AirtableService {
        AirtableService(database: database ?? self.database, access: access, now: clock.now)
    }

    /// A base with one table, as most tests need it.
    func table(_ fields: [FieldDraft], named name: String = "Things", base: String = "Base") async throws -> Table {
        let schema = try await service.createBase(
            name: base,
            tables: [TableDraft(name: name, fields: fields)],
            context: context
        )
        return try #require(schema.tables.first)
    }

    func create(_ table: Table, _ fields: JSONObject...) async throws -> [Record] {
        try await service.create(fields.map { RecordDraft(fields: $0) }, in: table.id, context: context)
    }

    /// A record's cells in the shape of the API.
    func fields(_ id: RecordID, _ table: Table) async throws -> JSONValue {
        let table = try await service.table(id: table.id, context: context)
        let record = try await service.record(id, in: table.id, context: context)
        return .object(CellCodec.fields(of: record, table: table))
    }

    /// The whole change log, from the start.
    func allChanges(_ tenant: TenantID? = nil) async throws -> [RecordChange] {
        var changes: [RecordChange] = []
        while true {
            let page = try await service.changes.changes(
                after: changes.last?.sequence ?? 0,
                limit: 1_000,
                tenant: tenant ?? context.tenant
            )
            if page.changes.isEmpty { return changes }
            changes += page.changes
        }
    }

    func expectSound() async throws {
        let report = try await service.verify(context: context)
        #expect(report.isSound, "\(report.problems)")
    }
}

let storeMigrations = AccessStore.migrations + AirtableService.migrations

func withStore(
    _ kind: DatabaseKind,
    _ body: @escaping @Sendable (StoreFixture) async throws -> Void
) async throws {
    try await withDatabase(kind, migrations: storeMigrations) { database in
        try await body(try await storeFixture(database))
    }
}

func storeFixture(_ database: any SQLDatabase) async throws -> StoreFixture {
    let clock = StoreClock()
    let access = AccessService(database: database)
    _ = try await access.bootstrap()
    let logger = Logger(label: "test", factory: { _ in SwiftLogNoOpLogHandler() })
    let context = try await access.ownerContext(origin: .commandLine, timeout: .seconds(120), logger: logger)
    let service = AirtableService(
        database: database,
        access: access,
        now: clock.now,
        pollInterval: .milliseconds(20)
    )
    return StoreFixture(database: database, access: access, service: service, clock: clock, context: context)
}

/// Expects exactly this code.
@discardableResult
func expectFailure<T>(
    _ code: AirtableError.Code,
    sourceLocation: SourceLocation = #_sourceLocation,
    _ body: () async throws -> T
) async -> AirtableError? {
    do {
        _ = try await body()
        Issue.record("nothing was refused; expected \(code.rawValue)", sourceLocation: sourceLocation)
    } catch let error as AirtableError {
        #expect(error.code == code, "\(error)", sourceLocation: sourceLocation)
        return error
    } catch {
        Issue.record("\(error) is no AirtableError", sourceLocation: sourceLocation)
    }
    return nil
}

extension StoreFixture {
    /// The same, with a context for runs that take longer than a call may.
    func patient() async throws -> StoreFixture {
        let patient = try await access.ownerContext(
            origin: .commandLine,
            timeout: .seconds(3_600),
            logger: context.logger
        )
        return StoreFixture(database: database, access: access, service: service, clock: clock, context: patient)
    }
}
