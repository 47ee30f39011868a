import Access
import Airtable
import Chat
import Database
import Domain
import Embeddings
import Foundation
import HTTPTypes
import HummingbirdTesting
import Jobs
import LLM
import MCP
import Search
import TestSupport
import Testing
import Tools

@testable import Gateway

/// A whole server, with index, tools and chat, over a base with secrets that grants keep from its readers.
///
/// Whatever is hidden has a word of its own in it, or an identifier that no reader is to learn.
struct HiddenWorld: Sendable {
    /// Somebody from whom the secrets are kept.
    struct Reader: Sendable {
        enum Kind: String, CaseIterable, Sendable {
            /// A guest with a role of the tenant's own in the whole tenant, and refusals.
            case person
            /// A key of the owner with refusals of its own.
            case key
        }

        let key: String
        let user: UserID
        /// Another key of this user.
        let otherKey: KeyID
        let grant: GrantID
    }

    let fixture: GatewayFixture
    let engines: HiddenEngines
    let secrets: HiddenSecrets
    let reader: Reader

    /// All that asks for no more than data: what the readers may do.
    static let permissions = Set(Permission.allCases).subtracting([.admin, .membersManage, .keysManage, .auditRead])

    init(_ fixture: GatewayFixture, _ engines: HiddenEngines, _ kind: Reader.Kind) async throws {
        self.fixture = fixture
        self.engines = engines
        secrets = try await HiddenSecrets(fixture)
        try await engines.index()
        let access = fixture.access
        var draft = APIKeyDraft(name: "reader", scopes: Self.permissions)
        var (subject, user) = (JSONObject(), fixture.owner.principal.user)
        if kind == .person {
            user = try await access.createUser(name: "reader", role: .guest, context: fixture.owner).id
            draft.owner = user
            subject = ["user": .string(user.description)]
        }
        let issued = try await access.createKey(draft, context: fixture.owner)
        if kind == .key { subject = ["key": .string(issued.key.id.description)] }
        draft.name = "another"
        let grants = try await secrets.grants(to: subject, fixture, gives: kind == .person)
        reader = Reader(
            key: issued.text,
            user: user,
            otherKey: try await access.createKey(draft, context: fixture.owner).key.id,
            grant: try #require(grants.last)
        )
    }

    /// Answers with all engines, for everybody.
    func server() -> GatewayServer {
        GatewayServer.make(
            configuration: GatewayConfiguration(address: .init(host: "127.0.0.1", port: 0), adminAddress: nil),
            services: engines.services(fixture),
            metrics: fixture.metrics,
            logger: fixture.log.logger()
        )
    }
}

/// Search, tools and chat over a fixture's records.
struct HiddenEngines: Sendable {
    let search: SearchService
    let tools: ToolRegistry
    let chat: ChatService
    let models: CatalogModels
    let vectors: TextEmbedding
    let embedding: EmbeddingService
    let index: @Sendable () async throws -> Void
    let pool: ComputePool

    static let migrations =
        gatewayMigrations + EmbeddingCache.migrations + SearchStore.migrations + JobQueue.migrations
        + TokenLedger.migrations + RunTrafficStore.migrations + ChatStore.migrations

    init(_ fixture: GatewayFixture, directory: String) {
        let (database, access, airtable, logger) = (
            fixture.database, fixture.access, fixture.airtable, fixture.log.logger()
        )
        let (embedder, pool) = (HashEmbedder(), ComputePool(threads: 1))
        let collections = VectorCollections(directory: directory, identity: embedder.identity)
        let pipeline = EmbeddingPipeline(embedder: embedder)
        let indexing = IndexingServices(
            database: database,
            access: access,
            airtable: airtable,
            pipeline: pipeline,
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
        let tools = ToolRegistry.standard(airtable: airtable, search: search)
        let (ledger, traffic) = (
            TokenLedger(database: database, logger: logger), RunTrafficStore(database: database)
        )
        let catalog = ModelCatalog(providers: [ModelProvider("test", defaultModel: "teller") { _ in TestModel.telling }]
        )
        let extractor = AnswerExtractor(search: search)
        let orchestrator = Orchestrator(tools: tools, ledger: ledger, traffic: traffic, logger: logger)
        let model = SearchModel(name: .hash, pipeline: pipeline, collections: collections)
        (self.search, self.tools, self.pool) = (search, tools, pool)
        chat = ChatService(
            database: database,
            access: access,
            airtable: airtable,
            search: search,
            extractor: extractor,
            performer: OrchestratorPerformer(orchestrator: orchestrator, catalog: catalog, traffic: traffic),
            logger: logger
        )
        models = CatalogModels(catalog: catalog, ledger: ledger) { RecordsModel(extractor: extractor, context: $0) }
        vectors = TextEmbedding(models: SearchModels(fixed: model))
        embedding = EmbeddingService(
            jobs: EmbeddingJobs(services: indexing, queue: JobQueue(database: database)),
            texts: vectors
        )
        let tenant = fixture.owner.tenant
        index = { try await Indexer(services: indexing) { [tenant] }.indexAll() }
    }

    func services(_ fixture: GatewayFixture, mcp: MCPEndpoint? = nil) -> GatewayServices {
        GatewayServices(
            access: fixture.access,
            accounts: fixture.accounts,
            airtable: fixture.airtable,
            search: search,
            chat: chat,
            mcp: mcp
                ?? MCPEndpoint(
                    info: ServerInfo(name: "fixture", title: "Fixture", version: "1"),
                    offer: MCPOffer(tools: tools, sealer: fixture.access.stateSealer),
                    logger: fixture.log.logger()
                ),
            tools: tools,
            models: models,
            vectors: vectors,
            embedding: embedding,
            spool: fixture.spool,
            attachments: fixture.attachments,
            webhooks: fixture.webhooks,
            replies: KeptReplies(database: fixture.database),
            readiness: []
        )
    }
}

extension TestModel {
    /// Calls the tools that its question lists, as JSON, or else searches for the question; then tells all that it was told.
    static let telling = TestModel(ModelName(provider: "test", model: "teller")) { request, onDelta in
        let asked = request.messages.lastIndex { $0.role == .user } ?? request.messages.startIndex
        let results = request.messages[asked...].flatMap(\.parts).compactMap { part in
            if case .toolResult(let result) = part { result.text } else { nil }
        }
        if !results.isEmpty {
            let text = results.joined(separator: "\n")
            try await onDelta(.text(text))
            let message = ModelMessage(.model, [.text(text)])
            return ModelReply(message: message, outcome: .complete, usage: TokenUsage(input: 9, output: 3))
        }
        let question = request.messages[asked].text
        let listed = question.firstIndex(of: "[").flatMap { start in
            question.lastIndex(of: "]").flatMap { try? JSONValue(parsing: String(question[start...$0])).arrayValue }
        }
        let calls = listed ?? [["name": "search_records", "arguments": ["query": .string(question)]]]
        let parts = calls.enumerated().map { number, call in
            ModelPart.toolCall(
                ModelToolCall(
                    id: "call_\(number)",
                    name: call["name"]?.stringValue ?? "",
                    arguments: call["arguments"] ?? [:]
                )
            )
        }
        let usage = TokenUsage(input: 9, output: 3)
        return ModelReply(message: ModelMessage(.model, parts), outcome: .toolCalls, usage: usage)
    }
}

/// Runs `body` with a world as one kind of reader has it.
func withHidden(
    _ kind: DatabaseKind = .sqlite,
    from reader: HiddenWorld.Reader.Kind,
    _ body: @escaping @Sendable (HiddenWorld) async throws -> Void
) async throws {
    try await withTemporaryDirectory { directory in
        try await withGateway(kind, migrations: HiddenEngines.migrations) { fixture in
            let engines = HiddenEngines(fixture, directory: directory.path + "/index")
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask { try await engines.chat.run() }
                defer { group.cancelAll() }
                try await body(try await HiddenWorld(fixture, engines, reader))
            }
            engines.pool.close()
        }
    }
}
