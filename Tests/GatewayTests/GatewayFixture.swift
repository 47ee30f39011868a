import Access
import Airtable
import Database
import Domain
import Foundation
import HTTPTypes
import Hummingbird
import HummingbirdTesting
import Jobs
import Logging
import MCP
import NIOCore
import Outbound
import Search
import Synchronization
import TestSupport
import Testing

@testable import Gateway

/// Answers searches without a model.
struct FixedSearch: SearchAnswering {
    var answer: @Sendable (SearchRequest, Domain.RequestContext) async throws -> SearchResponse = { _, _ in
        SearchResponse(hits: SearchResponse.sample.hits, tookMilliseconds: 1)
    }

    func search(_ request: SearchRequest, context: Domain.RequestContext) async throws -> SearchResponse {
        try await answer(request, context)
    }

    func similar(_ request: SimilarRequest, context: Domain.RequestContext) async throws -> SearchResponse {
        try await answer(SearchRequest(query: request.recordID, limit: request.limit), context)
    }

    func status(context: Domain.RequestContext) async throws -> SearchStatus { .sample }
}

/// Keeps what is logged.
final class LogRecorder: Sendable {
    struct Line: Sendable {
        let level: Logger.Level
        let message: String
        let metadata: Logger.Metadata
        var text: String { "\(message) \(metadata)" }
    }

    private let state = Mutex<[Line]>([])

    var lines: [Line] { state.withLock { $0 } }

    func logger(_ level: Logger.Level = .debug) -> Logger {
        var logger = Logger(label: "test", factory: { _ in Handler(recorder: self) })
        logger.logLevel = level
        return logger
    }

    private struct Handler: LogHandler {
        let recorder: LogRecorder
        var metadata: Logger.Metadata = [:]
        var logLevel = Logger.Level.debug

        subscript(metadataKey key: String) -> Logger.Metadata.Value? {
            get { metadata[key] }
            set { metadata[key] = newValue }
        }

        func log(event: LogEvent) {
            let all = metadata.merging(event.metadata ?? [:]) { $1 }
            recorder.state.withLock { $0.append(Line(level: event.level, message: "\(event.message)", metadata: all)) }
        }
    }
}

/// Tools without an index: one that anybody has, one for those who may write, one that waits.
struct FixedTools: ToolProvider {
    var wait: @Sendable () async -> Void = {}

    private static let definitions = [
        definition("whoami", .search), definition("write", .recordsWrite), definition("wait", .search),
    ]

    private static func definition(_ name: String, _ permission: Permission) -> ToolDefinition {
        ToolDefinition(
            name: name,
            title: name,
            description: "For tests.",
            inputSchema: .object(properties: [:]),
            annotations: .readOnly,
            permission: permission
        )
    }

    func tools(context: Domain.RequestContext) async throws -> [ToolDefinition] {
        Self.definitions.filter { context.principal.permissions.contains($0.permission) }
    }

    func call(_ call: ToolCall, caller: any ToolCaller, context: Domain.RequestContext) async throws -> ToolResult {
        guard let tool = Self.definitions.first(where: { $0.name == call.name }) else {
            throw ToolProviderError.unknownTool(call.name)
        }
        do { try context.require(tool.permission) } catch { return ToolResult(failure: error) }
        if call.name == "wait" { await wait() }
        return ToolResult(text: "\(context.origin.rawValue) \(context.principal.user)")
    }
}

/// A server over a fresh database with one small base.
struct GatewayFixture: Sendable {
    let database: any SQLDatabase
    let access: AccessService
    var accounts: AccountService
    let airtable: AirtableService
    let attachments: AttachmentService
    let webhooks: WebhookService
    let owner: Domain.RequestContext
    /// A key with every permission.
    let key: String
    let base: Base
    let elements: Table
    let isotopes: Table
    let records: [Record]
    let log = LogRecorder()
    let metrics = PrometheusRegistry()
    var mcpTools: any ToolProvider = FixedTools()
    var emulation = AirtableEmulation()
    var publicURL: String?
    let chat = ScriptedChat()
    var spool = SpoolDirectory(FileManager.default.temporaryDirectory.path + "/pyairtable-test-spool")

    func services(
        search: FixedSearch = FixedSearch(),
        embedding: NotedEmbedding = NotedEmbedding(),
        readiness: [ReadinessCheck] = []
    ) -> GatewayServices {
        GatewayServices(
            access: access,
            accounts: accounts,
            airtable: airtable,
            search: search,
            chat: chat,
            mcp: mcp,
            tools: mcpTools,
            models: TestModels.sample,
            vectors: TestModels.sample,
            embedding: embedding,
            emulation: emulation,
            spool: spool,
            attachments: attachments,
            webhooks: webhooks,
            publicURL: publicURL,
            replies: KeptReplies(database: database),
            readiness: readiness
        )
    }

    var mcp: MCPEndpoint {
        MCPEndpoint(
            info: ServerInfo(name: "fixture", title: "Fixture", version: "1"),
            offer: MCPOffer(tools: mcpTools, sealer: access.stateSealer),
            logger: log.logger()
        )
    }

    func server(
        search: FixedSearch = FixedSearch(),
        embedding: NotedEmbedding = NotedEmbedding(),
        readiness: [ReadinessCheck] = [],
        requestTimeout: Duration = .seconds(30),
        heartbeatInterval: Duration = .seconds(15),
        keyCheckInterval: Duration = .seconds(5),
        allowedOrigins: [String] = [],
        tls: TLSKeeper? = nil,
        onRunning: @escaping @Sendable (Int?) async -> Void = { _ in },
        configure: (inout GatewayConfiguration) -> Void = { _ in }
    ) -> GatewayServer {
        var configuration = GatewayConfiguration(
            address: .init(host: "127.0.0.1", port: 0),
            adminAddress: .init(host: "127.0.0.1", port: 0),
            requestTimeout: requestTimeout,
            heartbeatInterval: heartbeatInterval,
            keyCheckInterval: keyCheckInterval,
            allowedOrigins: allowedOrigins
        )
        configuration.drainGrace = .zero
        configure(&configuration)
        return GatewayServer.make(
            configuration: configuration,
            services: services(search: search, embedding: embedding, readiness: readiness),
            metrics: metrics,
            tls: tls,
            logger: log.logger(),
            onRunning: onRunning
        )
    }

    /// A key with only `scopes`.
    func key(_ scopes: Set<Permission>, bases: Set<BaseID>? = nil) async throws -> String {
        try await access.createKey(APIKeyDraft(name: "test", scopes: scopes, bases: bases), context: owner).text
    }

    /// A webhook of the base that tells everything of records, and nobody of it.
    func webhook(url: String? = nil) async throws -> WebhookID {
        let specification = try WebhookSpecification(["options": ["filters": ["dataTypes": ["tableData"]]]])
        let made = try await webhooks.create(
            specification,
            notificationURL: url,
            in: base.id,
            context: owner
        )
        return made.webhook.id
    }

    /// A field of attachments in the table of elements.
    func filesField() async throws -> Field {
        try await airtable.createField(
            FieldDraft(name: "Files", type: .multipleAttachments),
            in: elements.id,
            context: owner
        )
    }

    var tablePath: String { "/api/v1/airtable/bases/\(base.id)/tables/\(elements.id)" }
}

let gatewayMigrations =
    AccessStore.migrations + AirtableService.migrations + AttachmentService.migrations + WebhookService.migrations
    + KeptReplies.migrations

func withGateway(
    _ kind: DatabaseKind = .sqlite,
    migrations: [Migration] = gatewayMigrations,
    now: @escaping InstantSource = { .now() },
    _ body: @escaping @Sendable (GatewayFixture) async throws -> Void
) async throws {
    try await withTemporaryDirectory { directory in
        try await withDatabase(kind, migrations: migrations) { database in
            try await withGateway(over: database, directory.path, now, body)
        }
    }
}

/// Cheap hashes, and threads that all fixtures share.
let testHasher = PasswordHasher(
    cost: PasswordCost(memoryKiB: Limits.passwordMemoryKiBMin, passes: Limits.passwordPassesMin),
    threads: 2,
    queueLimit: 1_000
)

func testVault(_ database: any SQLDatabase) throws -> CredentialVault {
    let text = Secret("000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f")
    return CredentialVault(database: database, master: try MasterKey(text: text, source: "the test"))
}

private func withGateway(
    over database: any SQLDatabase,
    _ directory: String,
    _ now: @escaping InstantSource,
    _ body: @escaping @Sendable (GatewayFixture) async throws -> Void
) async throws {
    let vault: @Sendable () throws -> CredentialVault = { try testVault(database) }
    let access = AccessService(database: database, vault: vault, now: now)
    let first = try await access.bootstrap()
    let owner = try await access.ownerContext(
        origin: .commandLine,
        timeout: .seconds(60),
        logger: LogRecorder().logger(.critical)
    )
    let calls = ForeignCalls(allowing: [AllowedHost("127.0.0.1/32")!])
    let attachments = AttachmentService(
        database: database,
        vault: vault,
        directory: directory + "/attachments",
        transport: calls.transport,
        now: now
    )
    let airtable = AirtableService(database: database, access: access, attachments: attachments)
    let schema = try await airtable.createBase(
        name: "Periodic table",
        tables: [
            TableDraft(
                name: "Elements",
                fields: [
                    FieldDraft(name: "Name", type: .singleLineText),
                    FieldDraft(name: "State", type: .singleSelect, choices: ["Gas", "Solid"]),
                    .link("Isotopes", to: "Isotopes"),
                ]
            ),
            TableDraft(name: "Isotopes", fields: [FieldDraft(name: "Name", type: .singleLineText)]),
        ],
        context: owner
    )
    let elements = try #require(schema.tables.first { $0.name == "Elements" })
    let isotopes = try #require(schema.tables.first { $0.name == "Isotopes" })
    let isotope = try await airtable.create(
        [RecordDraft(fields: ["Name": "Helium-3"])],
        in: isotopes.id,
        context: owner
    )[0]
    let records = try await airtable.create(
        [
            RecordDraft(fields: [
                "Name": "Helium", "State": "Gas", "Isotopes": [.string(isotope.id.description)],
            ]),
            RecordDraft(fields: ["Name": "Iron", "State": "Solid"]),
            RecordDraft(fields: ["Name": "Neon", "State": "Gas"]),
        ],
        in: elements.id,
        context: owner
    )
    try await body(
        GatewayFixture(
            database: database,
            access: access,
            accounts: AccountService(access: access, hasher: testHasher),
            airtable: airtable,
            attachments: attachments,
            webhooks: WebhookService(airtable: airtable, vault: vault, transport: calls.transport),
            owner: owner,
            key: try #require(try await access.issueFirstKey(first)).text,
            base: schema.base,
            elements: elements,
            isotopes: isotopes,
            records: records
        )
    )
    await access.flush()
    await calls.shutdown()
}

/// A response with its body as text and as JSON.
struct Answer: Sendable {
    let status: Int
    let headers: HTTPFields
    let text: String

    var json: JSONValue? { try? JSONValue(parsing: text) }
    /// Of a problem document, or of an error in OpenAI's shape.
    var code: String? { (json?["code"] ?? json?["error"]?["code"])?.stringValue }
    var detail: String? { (json?["detail"] ?? json?["error"]?["message"])?.stringValue }
}

extension TestClientProtocol {
    func send(
        _ method: HTTPRequest.Method = .get,
        _ uri: String,
        key: String? = nil,
        headers: HTTPFields = [:],
        body: String? = nil,
        contentType: String? = "application/json"
    ) async throws -> Answer {
        var headers = headers
        if let key { headers[.authorization] = "Bearer \(key)" }
        if body != nil, let contentType { headers[.contentType] = contentType }
        let response = try await executeRequest(
            uri: uri,
            method: method,
            headers: headers,
            body: body.map { ByteBuffer(string: $0) }
        )
        return Answer(
            status: response.status.code,
            headers: response.headers,
            text: String(buffer: response.body)
        )
    }
}
