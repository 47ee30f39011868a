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
public struct Route: Sendable {
    public let method: HTTPRequest.Method
    public let pattern: RoutePattern
    /// Names the operation in the document and nothing else.
    public let name: String
    public let summary: String
    /// Parameters after the `?`; others are refused.
    public let query: [QueryParameter]
    let body: RouteBody?
    let reply: RouteReply
    /// Statuses of problems that this route may answer beside those every route may.
    let problems: [HTTPResponse.Status]
    let handler: RouteHandler

    init(
        _ method: HTTPRequest.Method,
        _ path: String,
        name: String,
        summary: String,
        query: [QueryParameter] = [],
        body: RouteBody? = nil,
        reply: RouteReply,
        problems: [HTTPResponse.Status] = [],
        handler: RouteHandler
    ) {
        self.method = method
        self.pattern = RoutePattern(path)
        self.name = name
        self.summary = summary
        self.query = query
        self.body = body
        self.reply = reply
        self.problems = problems
        self.handler = handler
    }

    /// What the caller must be permitted; nil for a route open to everybody.
    public var permission: Permission? {
        if case .requires(let permission, _) = handler { permission } else { nil }
    }
}

/// Whoever may call, and what then happens. A route that needs a permission is the only kind that gets a context.
enum RouteHandler: Sendable {
    case open(@Sendable (RouteCall) async throws -> Reply)
    case requires(Permission, @Sendable (RouteCall, Domain.RequestContext) async throws -> Reply)
}

/// The JSON body a route takes.
struct RouteBody: Sendable {
    let shape: WireShape
    /// Bytes at most.
    let limit: Int

    init<T: DocumentedWireType>(_ type: T.Type, limit: Int = Limits.requestBodyBytes) {
        shape = WireShape(type)
        self.limit = limit
    }
}

/// What a route answers when all is well.
struct RouteReply: Sendable {
    let description: String
    let contentType: String
    /// Nil when it is not JSON of ours.
    let shape: WireShape?
    /// Statuses other than 200 with the same shape.
    var otherStatuses: [HTTPResponse.Status] = []

    static func json<T: DocumentedWireType>(
        _ type: T.Type,
        _ description: String,
        otherStatuses: [HTTPResponse.Status] = []
    ) -> Self {
        Self(
            description: description,
            contentType: "application/json",
            shape: WireShape(type),
            otherStatuses: otherStatuses
        )
    }

    static func other(_ contentType: String, _ description: String) -> Self {
        Self(description: description, contentType: contentType, shape: nil)
    }
}
