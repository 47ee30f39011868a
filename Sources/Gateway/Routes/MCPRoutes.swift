import Access
import Domain
import HTTPTypes
import MCP

/// The Model Context Protocol over HTTP at `/mcp`: this translates, `MCPEndpoint` decides.
enum MCPRoutes {
    static let all = [send, listen, end]

    private static let send = Route(
        .post,
        "/mcp",
        name: "mcpSend",
        summary: "One message of the Model Context Protocol; 202 when it asks for no answer.",
        body: RouteBody(MCPMessageWire.self, limit: Limits.jsonBytes, isChecked: false),
        reply: sendReply,
        problems: [.notFound, .notAcceptable],
        handler: .mcp { call, context in
            try await reply(to: .post(body: call.bytes), call, context)
        }
    )

    private static let sendReply = {
        var reply = RouteReply.json(
            MCPMessageWire.self,
            "The answer, or a stream of what is said before it, and it.",
            orEvents: MCPMessageWire.self
        )
        reply.emptyStatuses = [.accepted]
        return reply
    }()

    private static let listen = Route(
        .get,
        "/mcp",
        name: "mcpListen",
        summary: "A session's stream for what the server has to say by itself.",
        reply: .eventStream(MCPMessageWire.self, "Messages, one an event."),
        problems: [.notFound, .notAcceptable],
        handler: .mcp { call, context in try await reply(to: .get, call, context) }
    )

    private static let end = Route(
        .delete,
        "/mcp",
        name: "mcpEnd",
        summary: "Ends a session.",
        reply: .nothing("It is over."),
        problems: [.notFound],
        handler: .mcp { call, context in try await reply(to: .delete, call, context) }
    )

    /// Whether going away cancels: without a session nobody comes back for the answer.
    static func endsWithClient(_ headers: HTTPFields) -> Bool {
        headers[values: .mcpProtocolVersion].contains { ProtocolRevision(rawValue: $0)?.hasHandshake == false }
    }

    /// What the request's headers leave of the tools.
    private static func selection(_ headers: HTTPFields) throws -> ToolSelection {
        try ToolSelection.everything.narrowed(byHeaders: { name in
            let values = HTTPField.Name(name).map { headers[values: $0] } ?? []
            return values.isEmpty ? nil : values.joined(separator: ",")
        })
    }

    /// A token that holds too little is told so before anything is done; others hear of it from the tool.
    private static func requireScopes(
        of body: [UInt8],
        _ call: RouteCall,
        _ context: Domain.RequestContext
    ) throws {
        guard !context.principal.withheld.isEmpty else { return }
        let needed = call.services.mcp.permissions(toServe: body) { uri in
            uri.hasSuffix("/schema") ? [.schemaRead] : [.recordsRead]
        }
        if let missing = MCPScopes.missing(for: needed, context) { throw missing }
    }

    private static func reply(
        to method: EndpointRequest.Method,
        _ call: RouteCall,
        _ context: Domain.RequestContext
    ) async throws -> Reply {
        if case .post(let body) = method { try requireScopes(of: body, call, context) }
        let request = EndpointRequest(
            method,
            EndpointRequest.Headers(call.headers),
            selection: try selection(call.headers)
        )
        let access = call.services.access
        let reply = await call.services.mcp.reply(to: request, context: context, deadline: call.deadline) {
            try await access.renewed(context, timeout: .seconds(Limits.mcpWorkSeconds))
        }
        switch reply {
        case .message(let message, let form, let status, let newSession):
            var headers = HTTPFields()
            if let newSession { headers[.mcpSessionID] = newSession }
            let bytes = message.json.encoded()
            let status = HTTPResponse.Status(code: status)
            switch form {
            case .json:
                return Reply(status: status, contentType: "application/json", headers: headers, body: bytes)
            case .events:
                let event = ServerSentEvent.bytes(type: "message", data: bytes)
                return Reply(status: status, contentType: ServerSentEvent.contentType, headers: headers, body: event)
            }
        case .stream(let stream):
            return .events(isOpenEnded: stream.isOpenEnded, finish: stream.finish) { writer in
                // So that the client sees at once that it listens.
                if stream.isOpenEnded { try await writer.write(ServerSentEvent.comment) }
                try await stream.run { event in try await writer.write(event.bytes) }
            }
        case .accepted:
            return Reply(status: .accepted, contentType: "", body: [])
        case .ended:
            return .nothing
        case .refused(let refusal):
            var headers = HTTPFields()
            if refusal.status == HTTPResponse.Status.serviceUnavailable.code { headers[.retryAfter] = "60" }
            if refusal.status == HTTPResponse.Status.methodNotAllowed.code { headers[.allow] = "POST" }
            return Reply(
                status: HTTPResponse.Status(code: refusal.status),
                contentType: "application/json",
                headers: headers,
                body: refusal.message.json.encoded()
            )
        }
    }
}

extension StreamEvent {
    var bytes: [UInt8] {
        ServerSentEvent.bytes(
            id: id,
            type: message == nil ? nil : "message",
            retry: retry,
            data: message?.json.encoded() ?? []
        )
    }
}

extension EndpointRequest.Headers {
    init(_ fields: HTTPFields) {
        self.init()
        sessionIDs = fields[values: .mcpSessionID]
        protocolVersions = fields[values: .mcpProtocolVersion]
        accept = fields[values: .accept]
        methods = fields[values: .mcpMethod]
        names = fields[values: .mcpName]
        lastEventIDs = fields[values: .lastEventID]
        for field in fields {
            let name = field.name.canonicalName
            guard name.hasPrefix(Self.paramPrefix) else { continue }
            params[String(name.dropFirst(Self.paramPrefix.count)), default: []].append(field.value)
        }
    }

    private static let paramPrefix = "mcp-param-"
}

extension HTTPField.Name {
    fileprivate static let mcpSessionID = Self("Mcp-Session-Id")!
    fileprivate static let mcpProtocolVersion = Self("MCP-Protocol-Version")!
    fileprivate static let mcpMethod = Self("Mcp-Method")!
    fileprivate static let mcpName = Self("Mcp-Name")!
}

/// One JSON-RPC message as the API document shows it. MCP's own specification says what is in it.
struct MCPMessageWire: DocumentedWireType, Hashable {
    let jsonrpc: String
    let id: Int?
    let method: String?

    static let schemaName = "MCPMessage"
    static let sample = MCPMessageWire(jsonrpc: "2.0", id: 1, method: "ping")
    static let schema = JSONSchema(json: [
        "type": "object",
        "description": "A message of JSON-RPC 2.0 (an array of them with revision 2025-03-26).",
        "properties": [
            "jsonrpc": ["const": "2.0"], "id": ["type": ["string", "integer", "null"]],
            "method": ["type": "string"], "params": ["type": "object"], "result": ["type": "object"],
            "error": ["type": "object"],
        ],
        "required": ["jsonrpc"],
    ])
}
