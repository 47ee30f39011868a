public import Domain
public import HTTPTypes

/// A type whose shape the API document shows, with an example.
protocol DocumentedWireType: WireType {
    /// Its name among the document's schemas.
    static var schemaName: String { get }
    static var sample: Self { get }
}

/// A type of the document, with its type forgotten.
struct WireShape: Sendable {
    let name: String
    let schema: JSONSchema
    let sample: JSONValue

    init<T: DocumentedWireType>(_ type: T.Type) {
        name = type.schemaName
        schema = type.schema
        do {
            sample = try JSONCoder.value(of: type.sample)
        } catch {
            preconditionFailure("the sample of \(type) cannot be encoded: \(error)")
        }
    }
}

/// One entry of the route table: what the router answers, what the API document says and what is asked of the caller,
/// all from the same place.
public final class Route: Sendable {
    public let method: HTTPRequest.Method
    public let pattern: RoutePattern
    /// Names the operation in the document and nothing else.
    public let name: String
    public let summary: String
    /// Parameters after the `?`; others are refused, unless the route reads its query itself.
    public let query: [QueryParameter]
    /// Whether the handler gets the query as it came, because its dialect has rules of its own.
    let readsQuery: Bool
    let body: RouteBody?
    /// The file it takes in place of a JSON body.
    let upload: RouteUpload?
    let reply: RouteReply
    /// Statuses of problems that this route may answer beside those every route may.
    let problems: [HTTPResponse.Status]
    /// How long its handler may take when that is more than requests are given in general.
    let timeout: Duration?
    /// Whether its handler is cancelled when the client goes away: it costs something, changes nothing, and nobody else
    /// wants its answer.
    let endsWithClient: Bool
    /// Which limit it counts against.
    public let cost: CostClass
    let handler: RouteHandler

    init(
        _ method: HTTPRequest.Method,
        _ path: String,
        name: String,
        summary: String,
        query: [QueryParameter] = [],
        readsQuery: Bool = false,
        body: RouteBody? = nil,
        upload: RouteUpload? = nil,
        reply: RouteReply,
        problems: [HTTPResponse.Status] = [],
        timeout: Duration? = nil,
        endsWithClient: Bool = false,
        cost: CostClass? = nil,
        handler: RouteHandler
    ) {
        self.method = method
        self.pattern = RoutePattern(path)
        self.name = name
        self.summary = summary
        self.query = query
        self.readsQuery = readsQuery
        self.body = body
        self.upload = upload
        self.reply = reply
        self.problems = problems
        self.timeout = timeout
        self.endsWithClient = endsWithClient
        self.handler = handler
        var permission: Permission?
        switch handler {
        case .requires(let needed, _), .requiresThere(let needed, _): permission = needed
        default: break
        }
        self.cost = cost ?? CostClass(method: method, path: path, permission: permission)
    }

    /// Every shape that the document shows of it.
    var shapes: [WireShape] {
        [body?.shape, reply.shape, reply.events, reply.socket?.client, reply.socket?.server].compactMap(\.self)
    }

    /// What the caller must be permitted; nil for a route open to everybody, and for one that needs just a key.
    public var permission: Permission? {
        switch handler {
        case .requires(let permission, _), .requiresThere(let permission, _): permission
        default: nil
        }
    }

    /// The permission that is asked for at the door.
    var permissionAtDoor: Permission? {
        if case .requires(let permission, _) = handler { permission } else { nil }
    }

    /// Whether it speaks MCP, which has rules of its own for what a client must take.
    var isMCP: Bool {
        if case .mcp = handler { true } else { false }
    }

    /// Whether only operators of the server may call it.
    var isForOperators: Bool {
        if case .operates = handler { true } else { false }
    }

    /// What the caller needs, for the document.
    var permissionText: String {
        switch handler {
        case .open: "public"
        case .requires(let permission, _), .requiresThere(let permission, _): permission.rawValue
        case .operates: "operator"
        case .signedIn: "session"
        case .authenticated, .mcp: "any key"
        }
    }

    /// Whether it asks for no key.
    public var isOpen: Bool {
        if case .open = handler { true } else { false }
    }
}

/// Whoever may call, and what then happens. A route that needs a key is the only kind that gets a context.
enum RouteHandler: Sendable {
    case open(@Sendable (RouteCall) async throws -> Reply)
    case requires(Permission, @Sendable (RouteCall, Domain.RequestContext) async throws -> Reply)
    /// A permission that may be had in a part of the tenant alone. At the door it is asked whether the caller has it
    /// anywhere; its service asks for it where it is used.
    case requiresThere(Permission, @Sendable (RouteCall, Domain.RequestContext) async throws -> Reply)
    /// Whoever has a key or signed in, whatever they may do.
    case authenticated(@Sendable (RouteCall, Domain.RequestContext) async throws -> Reply)
    /// Whoever signed in, whatever they may do. A key will not do: it must not end sessions or change a password.
    case signedIn(@Sendable (RouteCall, Domain.RequestContext) async throws -> Reply)
    /// Operators of the server, whatever they may do in their tenant. It is asked for at each request.
    case operates(@Sendable (RouteCall, Domain.RequestContext) async throws -> Reply)
    /// MCP: any key will do, since each tool asks for its own permission. Only from an allowed `Origin`.
    case mcp(@Sendable (RouteCall, Domain.RequestContext) async throws -> Reply)
}

/// The JSON body a route takes.
struct RouteBody: Sendable {
    let shape: WireShape
    /// Bytes at most.
    let limit: Int
    /// Whether it is read and held against the schema before the handler is called. Otherwise the handler gets the
    /// bytes, because its protocol has answers of its own for what does not fit.
    let isChecked: Bool

    init<T: DocumentedWireType>(_ type: T.Type, limit: Int = Limits.requestBodyBytes, isChecked: Bool = true) {
        shape = WireShape(type)
        self.limit = limit
        self.isChecked = isChecked
    }
}

/// What a route answers when all is well.
struct RouteReply: Sendable {
    let description: String
    let contentType: String
    /// What the answer may be instead, as the caller chooses.
    var otherContentType: String?
    /// Whether it is a file that may be long in the making.
    var isFile = false
    /// Nil when it is not JSON of ours.
    let shape: WireShape?
    /// Statuses other than 200 with the same shape.
    var otherStatuses: [HTTPResponse.Status] = []
    /// The status when all is well.
    var status = HTTPResponse.Status.ok
    /// Statuses without a body.
    var emptyStatuses: [HTTPResponse.Status] = []
    /// Whether the answer may be a stream, with what one event's data looks like. Its context lives as long as one may.
    var events: WireShape?
    /// What is said on a socket, by the client and by the server.
    var socket: (client: WireShape, server: WireShape)?
    var isStream: Bool { events != nil || contentType == ServerSentEvent.contentType }

    static func json<T: DocumentedWireType>(
        _ type: T.Type,
        _ description: String,
        status: HTTPResponse.Status = .ok,
        otherStatuses: [HTTPResponse.Status] = []
    ) -> Self {
        Self(
            description: description,
            contentType: "application/json",
            shape: WireShape(type),
            otherStatuses: otherStatuses,
            status: status
        )
    }

    /// JSON, or on request server-sent events with 200.
    static func json<T: DocumentedWireType, Event: DocumentedWireType>(
        _ type: T.Type,
        _ description: String,
        status: HTTPResponse.Status,
        events: Event.Type
    ) -> Self {
        precondition(status != .ok, "200 is the stream's")
        var reply = json(type, description, status: status)
        reply.events = WireShape(events)
        return reply
    }

    /// JSON, or on request server-sent events, both with 200.
    static func json<T: DocumentedWireType, Event: DocumentedWireType>(
        _ type: T.Type,
        _ description: String,
        orEvents events: Event.Type
    ) -> Self {
        var reply = json(type, description)
        reply.events = WireShape(events)
        return reply
    }

    /// 101: the connection becomes a socket, on which the client says `client` and the server `server`.
    static func socket<Client: DocumentedWireType, Server: DocumentedWireType>(
        _ client: Client.Type,
        _ server: Server.Type,
        _ description: String
    ) -> Self {
        Self(
            description: description,
            contentType: "",
            shape: nil,
            status: .switchingProtocols,
            socket: (WireShape(client), WireShape(server))
        )
    }

    /// 204 without a body.
    static func nothing(_ description: String) -> Self {
        Self(description: description, contentType: "", shape: nil, status: .noContent)
    }

    static func other(_ contentType: String, _ description: String) -> Self {
        Self(description: description, contentType: contentType, shape: nil)
    }

    /// A file to be kept.
    static func file(_ contentType: String, or other: String? = nil, _ description: String) -> Self {
        Self(description: description, contentType: contentType, otherContentType: other, isFile: true, shape: nil)
    }

    /// Server-sent events whose data is a `type`; 204 when there are none to come.
    static func eventStream<T: DocumentedWireType>(_ type: T.Type, _ description: String) -> Self {
        Self(
            description: description,
            contentType: ServerSentEvent.contentType,
            shape: nil,
            otherStatuses: [.noContent],
            events: WireShape(type)
        )
    }
}
