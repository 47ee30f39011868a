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
            await reply(to: .post(body: call.bytes), call, context)
        }
    )

    private static let sendReply = {
        var reply = RouteReply.json(MCPMessageWire.self, "The answer, or as Accept has it a stream of one event, it.")
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
        handler: .mcp { call, context in await reply(to: .get, call, context) }
    )

    private static let end = Route(
        .delete,
        "/mcp",
        name: "mcpEnd",
        summary: "Ends a session.",
        reply: .nothing("It is over."),
        problems: [.notFound],
        handler: .mcp { call, context in await reply(to: .delete, call, context) }
    )

    private static func reply(
        to method: EndpointRequest.Method,
        _ call: RouteCall,
        _ context: Domain.RequestContext
    ) async -> Reply {
        let request = EndpointRequest(
            method,
            sessionIDs: call.headers[values: .mcpSessionID],
            protocolVersions: call.headers[values: .mcpProtocolVersion],
            accept: call.headers[values: .accept]
        )
        switch await call.services.mcp.reply(to: request, context: context) {
        case .message(let message, let form, let newSession):
            var headers = HTTPFields()
            if let newSession { headers[.mcpSessionID] = newSession }
            let bytes = message.json.encoded()
            switch form {
            case .json:
                return Reply(contentType: "application/json", headers: headers, body: bytes)
            case .events:
                let event = ServerSentEvent.bytes(type: "message", data: bytes)
                return Reply(contentType: ServerSentEvent.contentType, headers: headers, body: event)
            }
        case .answerAsEvents(let answer):
            return .events { writer in
                guard let message = await answer() else { return }
                try await writer.write(ServerSentEvent.bytes(type: "message", data: message.json.encoded()))
            }
        case .listening(let untilEnd):
            return .events(isOpenEnded: true) { writer in
                // So that the client sees at once that it listens.
                try await writer.write(ServerSentEvent.comment)
                await untilEnd()
            }
        case .accepted:
            return Reply(status: .accepted, contentType: "", body: [])
        case .ended:
            return .nothing
        case .refused(let refusal):
            var headers = HTTPFields()
            if refusal.status == HTTPResponse.Status.serviceUnavailable.code { headers[.retryAfter] = "60" }
            return Reply(
                status: HTTPResponse.Status(code: refusal.status),
                contentType: "application/json",
                headers: headers,
                body: refusal.message.json.encoded()
            )
        }
    }
}

extension HTTPField.Name {
    fileprivate static let mcpSessionID = Self("Mcp-Session-Id")!
    fileprivate static let mcpProtocolVersion = Self("MCP-Protocol-Version")!
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
