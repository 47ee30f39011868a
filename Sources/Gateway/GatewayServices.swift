public import Access
public import Airtable
public import Chat
public import Domain
public import Jobs
public import MCP

/// What the routes call.
public final class GatewayServices: Sendable {
    let access: AccessService
    let accounts: AccountService
    let airtable: AirtableService
    let search: any SearchAnswering
    let chat: any ChatServing
    let mcp: MCPEndpoint
    /// What `/api/v1/tools` offers.
    let tools: any ToolProvider
    /// Who comes to MCP without a key; nil when nobody may. For conformance suites alone, beside no real data.
    let mcpGuest: (@Sendable () async throws -> RequestContext)?
    let models: any ModelServing
    let vectors: any VectorServing
    let callMemory = OpenAICallMemory()
    let embedding: any EmbeddingServing
    let emulation: AirtableEmulation
    /// Where exports and uploads lie while their requests last.
    let spool: SpoolDirectory
    let attachments: AttachmentService?
    let webhooks: WebhookService?
    /// In front of the links that are given out, such as `https://airtable.example.org`; nil for where a request came.
    let publicURL: String?
    /// Answers to requests that may be sent again; nil where none are kept.
    let replies: KeptReplies?
    let readiness: [ReadinessCheck]

    public init(
        access: AccessService,
        accounts: AccountService? = nil,
        airtable: AirtableService,
        search: any SearchAnswering,
        chat: (any ChatServing)? = nil,
        mcp: MCPEndpoint,
        tools: (any ToolProvider)? = nil,
        mcpGuest: (@Sendable () async throws -> RequestContext)? = nil,
        models: (any ModelServing)? = nil,
        vectors: (any VectorServing)? = nil,
        embedding: (any EmbeddingServing)? = nil,
        emulation: AirtableEmulation = AirtableEmulation(),
        spool: SpoolDirectory = .temporary,
        attachments: AttachmentService? = nil,
        webhooks: WebhookService? = nil,
        publicURL: String? = nil,
        replies: KeptReplies? = nil,
        readiness: [ReadinessCheck]
    ) {
        self.access = access
        self.accounts = accounts ?? AccountService(access: access, hasher: PasswordHasher(threads: 1))
        self.airtable = airtable
        self.search = search
        self.chat = chat ?? ChatUnavailable()
        self.mcp = mcp
        self.tools = tools ?? NoTools()
        self.mcpGuest = mcpGuest
        self.models = models ?? NoModels()
        self.vectors = vectors ?? NoModels()
        self.embedding = embedding ?? EmbeddingUnavailable()
        self.emulation = emulation
        self.spool = spool
        self.attachments = attachments
        self.webhooks = webhooks
        self.publicURL = publicURL
        self.replies = replies
        self.readiness = readiness
    }

    /// Where this server is for a caller: as the operator says, else where the request was sent; nil when it did not say.
    ///
    /// - Parameter authority: what `RouteCall.authority` lets stand in an address.
    func origin(of authority: String?, isSecure: Bool) -> String? {
        publicURL ?? authority.map { "\(isSecure ? "https" : "http")://\($0)" }
    }
}

/// One thing that must work before this server should be sent requests.
public struct ReadinessCheck: Sendable {
    /// A plain word, such as `database`; anybody may read it.
    public let name: String
    let isReady: @Sendable () async -> Bool

    /// - Parameter isReady: answers soon; it is asked at every call of `/ready`.
    public init(_ name: String, isReady: @escaping @Sendable () async -> Bool) {
        self.name = name
        self.isReady = isReady
    }
}
