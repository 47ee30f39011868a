import Access
import Airtable
import Database
import Domain
import Embeddings
import Foundation
import LLM
import Logging
import TestSupport
import Testing

@testable import Chat
@testable import Search
@testable import Tools

/// The asker's world: a small indexed base, the product's tools, and chat over them.
struct ChatFixture: Sendable {
    let database: any SQLDatabase
    let access: AccessService
    let airtable: AirtableService
    let search: SearchService
    let tools: ToolRegistry
    let indexer: Indexer
    let context: RequestContext
    let clock: Guarded<Instant>

    var tenant: TenantID { context.tenant }

    /// A chat service of its own, as another process has one.
    func service(
        mark: String = "alive",
        isGone: @escaping @Sendable (String) -> Bool = { $0 == "dead" },
        isConfigured: Bool = true,
        extractor: any Extracting = NoExtractor(),
        _ script: @escaping @Sendable (ScriptedPerformer.Stage) async throws -> EndReason
    ) -> ChatService {
        var performer = ScriptedPerformer(tools: tools, script: script)
        performer.isConfigured = isConfigured
        return service(mark: mark, isGone: isGone, extractor: extractor, performer)
    }

    func service(
        mark: String = "alive",
        isGone: @escaping @Sendable (String) -> Bool = { $0 == "dead" },
        extractor: any Extracting = NoExtractor(),
        _ performer: any RunPerforming
    ) -> ChatService {
        ChatService(
            database: database,
            access: access,
            airtable: airtable,
            search: search,
            extractor: extractor,
            performer: performer,
            logger: context.logger,
            now: { clock.value },
            mark: mark,
            isGone: isGone
        )
    }

    /// Somebody of the same user who may do only this, there only.
    func asker(_ permissions: Set<Permission>, bases: Set<BaseID>? = nil) async throws -> RequestContext {
        let made = try await access.createKey(
            APIKeyDraft(name: "asker", scopes: permissions, bases: bases),
            context: context
        )
        return try await access.authenticate(
            bearer: made.text,
            timeout: .seconds(300),
            requestID: "asker",
            logger: context.logger
        )
    }

    /// Another user of the tenant, or of another one.
    func stranger(tenant: TenantID? = nil) async throws -> RequestContext {
        let (tenant, user) = (tenant ?? context.tenant, UserID.random())
        try await database.write(of: .everyTenant) { transaction in
            try transaction.execute(
                """
                INSERT INTO access_tenants (id, name, owner, created_time) VALUES ($1, 'other', $2, 0)
                ON CONFLICT DO NOTHING
                """,
                [.text(tenant.description), .text(user.description)]
            )
            try transaction.execute(
                """
                INSERT INTO access_users (tenant, id, name, role, disabled, created_time)
                VALUES ($1, $2, $2, 'owner', 0, 0)
                """,
                [.text(tenant.description), .text(user.description)]
            )
        }
        access.policyChanged(in: tenant)
        return RequestContext(
            id: "stranger",
            principal: Principal(user: user, key: nil, permissions: Set(Permission.allCases)),
            tenant: tenant,
            deadline: context.deadline,
            origin: .http,
            logger: context.logger
        )
    }

    func table(
        _ name: String,
        base: String,
        _ fields: [FieldDraft],
        _ records: [JSONObject]
    ) async throws -> (Table, [RecordID]) {
        let schema = try await airtable.createBase(
            name: base,
            tables: [TableDraft(name: name, fields: fields)],
            context: context
        )
        let table = schema.tables[0]
        var ids: [RecordID] = []
        for start in stride(from: 0, to: records.count, by: 10) {
            let drafts = records[start..<min(start + 10, records.count)].map { RecordDraft(fields: $0) }
            ids += try await airtable.create(drafts, in: table.id, context: context).map(\.id)
        }
        try await indexer.indexAll()
        return (table, ids)
    }
}

struct NoExtractor: Extracting {
    func extract(
        _ question: String,
        bases: [String]?,
        tables: [String]?,
        context: RequestContext
    ) async throws -> Extract {
        Extract(isFound: false, text: "not found in your records", quotes: [])
    }
}

func withChat(
    _ kind: DatabaseKind = .sqlite,
    _ body: @escaping @Sendable (ChatFixture) async throws -> Void
) async throws {
    let migrations =
        AccessStore.migrations + AirtableService.migrations + SearchStore.migrations
        + TokenLedger.migrations + RunTrafficStore.migrations + ChatStore.migrations
    try await withTemporaryDirectory { directory in
        try await withDatabase(kind, migrations: migrations) { database in
            let access = AccessService(database: database)
            _ = try await access.bootstrap()
            let logger = Logger(label: "test", factory: { _ in SwiftLogNoOpLogHandler() })
            let context = try await access.ownerContext(
                origin: .commandLine,
                timeout: .seconds(300),
                logger: logger
            )
            let airtable = AirtableService(database: database, access: access)
            let pool = ComputePool(threads: 1)
            let embedder = HashEmbedder()
            let collections = VectorCollections(
                directory: directory.appendingPathComponent("index").path,
                identity: embedder.identity
            )
            let services = IndexingServices(
                database: database,
                access: access,
                airtable: airtable,
                pipeline: EmbeddingPipeline(embedder: embedder),
                collections: collections,
                pool: pool,
                logger: logger
            )
            let search = SearchService(
                database: database,
                access: access,
                airtable: airtable,
                embedder: embedder,
                collections: collections,
                pool: pool
            )
            let tenant = context.tenant
            try await body(
                ChatFixture(
                    database: database,
                    access: access,
                    airtable: airtable,
                    search: search,
                    tools: .standard(airtable: airtable, search: search),
                    indexer: Indexer(services: services) { [tenant] },
                    context: context,
                    clock: Guarded(Instant(milliseconds: 1_700_000_000_000))
                )
            )
        }
    }
}

extension ChatService {
    /// Runs `body` while the service runs; then the service is told to end, and has ended.
    func running<T: Sendable>(_ body: @escaping @Sendable (ChatService) async throws -> T) async throws -> T {
        try await withThrowingTaskGroup(of: T?.self) { group in
            group.addTask {
                try await run()
                return nil
            }
            group.addTask { try await body(self) }
            while let result = try await group.next() {
                guard let result else { continue }
                group.cancelAll()
                try await group.waitForAll()
                return result
            }
            throw TestSupportError("the service ended by itself")
        }
    }

    func conversation(_ context: RequestContext) async throws -> ConversationID {
        try await createConversation(title: nil, settings: ChatSettings(), context: context).id
    }

    /// Asks, and follows the run to its end.
    func ask(
        _ question: String,
        in conversation: ConversationID,
        settings: ChatSettings = ChatSettings(),
        _ context: RequestContext
    ) async throws -> (run: ChatRun, events: [ChatEvent], answer: ChatMessage) {
        let run = try await send(question, to: conversation, parent: nil, settings: settings, context: context)
        let events = try await events(of: run.id, context)
        let messages = try await messages(of: conversation, context: context)
        let answer = try #require(messages.first { $0.id == run.answer })
        return (try await self.run(run.id, context: context), events, answer)
    }

    func events(of run: RunID, after: Int = 0, _ context: RequestContext) async throws -> [ChatEvent] {
        let events = Guarded<[ChatEvent]>([])
        try await follow(run, after: after, context: context) { new in events.update { $0 += new } }
        return events.value
    }
}

/// 1, 2, 3 …, one last event, at the end; and the text that they give.
@discardableResult
func expectWhole(
    _ events: [ChatEvent],
    after: Int = 0,
    _ comment: Comment = "",
    sourceLocation: SourceLocation = #_sourceLocation
) -> String {
    let expected = Array(events.indices.map { $0 + after + 1 })
    #expect(events.map(\.sequence) == expected, comment, sourceLocation: sourceLocation)
    let last = events.filter(\.kind.isLast).map(\.sequence)
    #expect(last == [events.last?.sequence], comment, sourceLocation: sourceLocation)
    var text = AnswerText()
    #expect(throws: Never.self, comment, sourceLocation: sourceLocation) {
        for event in events { try text.apply(event) }
    }
    return text.content
}
