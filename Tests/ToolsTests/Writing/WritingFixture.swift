import Access
import Airtable
import Database
import Domain
import Embeddings
import Foundation
import Jobs
import Logging
import Outbound
import Synchronization
import TestSupport
import Testing

@testable import Search
@testable import Tools

/// A clock that moves only when told to.
final class WritingClock: Sendable {
    private let state = Mutex(Instant(milliseconds: 1_750_000_000_000))

    var instant: Instant { state.withLock { $0 } }
    func advance(seconds: Int64) { state.withLock { $0.microseconds += seconds * 1_000_000 } }
}

/// The product's tools over a small base, with all that writing needs.
struct WritingFixture: Sendable {
    let tools: ToolRegistry
    let access: AccessService
    let airtable: AirtableService
    let context: RequestContext
    let clock: WritingClock
    let directory: URL
    let base: Base
    let projects: Table
    let tasks: Table
    /// The tools in another mode, or for who sees less.
    let other: @Sendable (WriteMode, Reach?) -> ToolRegistry

    func call(
        _ name: String,
        _ arguments: JSONObject,
        _ caller: any ToolCaller = SilentCaller(),
        tools: ToolRegistry? = nil,
        context: RequestContext? = nil
    ) async throws -> ToolResult {
        let tools = tools ?? self.tools
        let result = try await tools.call(
            ToolCall(name: name, arguments: arguments),
            caller: caller,
            context: context ?? self.context
        )
        if !result.isError {
            let schema = try #require(tools.definitions.first { $0.name == name }?.outputSchema)
            #expect(schema.violations(of: try #require(result.structured)) == [], "\(name)")
        }
        return result
    }

    /// The same user, by a key.
    func byKey() async throws -> RequestContext {
        let draft = APIKeyDraft(name: "other", scopes: Set(Permission.allCases))
        let key = try await access.createKey(draft, context: context).key.id
        return self.context(with: context.principal.permissions, key: key)
    }

    func context(with permissions: Set<Permission>, key: KeyID? = nil) -> RequestContext {
        RequestContext(
            id: "limited",
            principal: Principal(user: context.principal.user, key: key, permissions: permissions),
            tenant: context.tenant,
            deadline: context.deadline,
            origin: .http,
            logger: context.logger
        )
    }

    func make(_ table: Table, _ fields: JSONObject...) async throws -> [RecordID] {
        try await airtable.create(fields.map { RecordDraft(fields: $0) }, in: table.id, context: context).map(\.id)
    }

    /// Every record of both tables.
    func state() async throws -> [RecordID: Record] {
        var records: [RecordID: Record] = [:]
        for table in [projects, tasks] {
            var cursor: RecordCursor?
            repeat {
                let request = RecordPageRequest(limit: 1_000, after: cursor)
                let page = try await airtable.records(in: table.id, page: request, context: context)
                for record in page.records { records[record.id] = record }
                cursor = page.next
            } while cursor != nil
        }
        return records
    }

    /// How far the change log is: it tells every write.
    func sequence() async throws -> Int64 { try await airtable.changes.latestSequence(tenant: context.tenant) }

    func comments(_ record: RecordID) async throws -> [String] {
        try await airtable.comments(on: record, in: tasks.id, context: context).comments.map(\.text)
    }
}

func withWriting(
    _ kind: DatabaseKind = .sqlite,
    mode: WriteMode = .asking,
    _ body: @escaping @Sendable (WritingFixture) async throws -> Void
) async throws {
    var migrations = AccessStore.migrations + AirtableService.migrations + SearchStore.migrations
    for migration in [CredentialStore.migration] + AttachmentService.migrations + KeptReplies.migrations
    where !migrations.contains(where: { $0.id == migration.id }) {
        migrations.append(migration)
    }
    let all = migrations
    try await withTemporaryDirectory { directory in
        let imports = directory.appendingPathComponent("imports")
        try FileManager.default.createDirectory(at: imports, withIntermediateDirectories: true)
        try await withDatabase(kind, migrations: all) { database in
            try await body(try await writingFixture(database, directory, mode))
        }
    }
}

private func writingFixture(
    _ database: any SQLDatabase,
    _ directory: URL,
    _ mode: WriteMode
) async throws -> WritingFixture {
    let clock = WritingClock()
    let access = AccessService(database: database)
    _ = try await access.bootstrap()
    let logger = Logger(label: "test", factory: { _ in SwiftLogNoOpLogHandler() })
    let context = try await access.ownerContext(origin: .commandLine, timeout: .seconds(300), logger: logger)
    let key = Secret("000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f")
    let attachments = AttachmentService(
        database: database,
        vault: { CredentialVault(database: database, master: try MasterKey(text: key, source: "the test")) },
        directory: directory.appendingPathComponent("attachments").path,
        transport: RefusingTransport(),
        now: { clock.instant }
    )
    let embedder = HashEmbedder()
    let collections = VectorCollections(
        directory: directory.appendingPathComponent("index").path,
        identity: embedder.identity
    )
    let pool = ComputePool(threads: 1)
    let services = WritingServices(
        attachments: attachments,
        replies: KeptReplies(database: database),
        spool: SpoolDirectory(directory.appendingPathComponent("spool").path),
        now: { clock.instant }
    )
    @Sendable func service(_ sight: Reach?) -> (AirtableService, SearchService) {
        var access = access
        if let sight { access.narrowing = { scope, _ in VisibleScope(tenant: scope.tenant, sight: sight) } }
        let airtable = AirtableService(
            database: database,
            access: access,
            attachments: attachments,
            now: { clock.instant }
        )
        let search = SearchService(
            database: database,
            access: access,
            airtable: airtable,
            embedder: embedder,
            collections: collections,
            pool: pool
        )
        return (airtable, search)
    }
    @Sendable func registry(_ mode: WriteMode, _ sight: Reach?) -> ToolRegistry {
        let (airtable, search) = service(sight)
        return .standard(
            airtable: airtable,
            search: search,
            writes: mode,
            importRoot: directory.appendingPathComponent("imports").path,
            writing: services
        )
    }
    let airtable = service(nil).0
    let schema = try await airtable.createBase(name: "Work", tables: drafts, context: context)
    return WritingFixture(
        tools: registry(mode, nil),
        access: access,
        airtable: airtable,
        context: context,
        clock: clock,
        directory: directory,
        base: schema.base,
        projects: schema.tables[0],
        tasks: try await airtable.table(id: schema.tables[1].id, context: context),
        other: registry
    )
}

private let drafts = [
    TableDraft(name: "Projects", fields: [FieldDraft(name: "Name", type: .singleLineText)]),
    TableDraft(
        name: "Tasks",
        fields: [
            FieldDraft(name: "Name", type: .singleLineText), FieldDraft(name: "Note", type: .multilineText),
            FieldDraft(name: "Hours", type: .number), FieldDraft(name: "Done", type: .checkbox),
            FieldDraft(name: "State", type: .singleSelect, choices: ["new", "old"]),
            .link("Project", to: "Projects", inverse: "Tasks"),
            FieldDraft(name: "Files", type: .multipleAttachments), FieldDraft(name: "No", type: .autoNumber),
        ]
    ),
]

/// Nothing is ever fetched.
private struct RefusingTransport: HTTPTransport {
    func send(_ request: OutboundRequest) async throws -> OutboundReply {
        Issue.record("a tool called \(request)")
        throw OutboundError(.addressRefused, "no calls")
    }
}
