import Domain
import Logging
import MCP
import Synchronization

/// One user's key, as the edge would prove it.
struct FakeCaller: Sendable {
    let tenant = TenantID.random()
    let user = UserID.random()
    var key: KeyID? = .random()

    func context(timeout: Duration = .seconds(60)) -> RequestContext {
        RequestContext(
            id: "test",
            principal: Principal(user: user, key: key, permissions: Set(Permission.allCases)),
            tenant: tenant,
            deadline: .now + timeout,
            origin: .mcpHTTP,
            logger: quietLogger
        )
    }
}

/// Moves only when a test says so.
final class ManualClock: Sendable {
    private let instant = Mutex(ContinuousClock.now)
    var now: ContinuousClock.Instant { instant.withLock { $0 } }
    func advance(by duration: Duration) { instant.withLock { $0 += duration } }
}

extension EndpointReply {
    var json: JSONValue? {
        switch self {
        case .message(let message, _, _, _): message.json
        case .refused(let refusal): refusal.message.json
        default: nil
        }
    }

    var newSession: String? {
        if case .message(_, _, _, let id) = self { id } else { nil }
    }

    var stream: EndpointStream? {
        if case .stream(let stream) = self { stream } else { nil }
    }

    var status: Int {
        switch self {
        case .message(_, _, let status, _): status
        case .stream: 200
        case .accepted: 202
        case .ended: 204
        case .refused(let refusal): refusal.status
        }
    }

    var code: Int? { json?["error"]?["code"]?.intValue }
}

/// What a client reads of a stream, in a task of its own.
final class StreamReader: Sendable {
    private let received = Mutex<[StreamEvent]>([])
    private let task: Mutex<Task<Void, any Error>?> = Mutex(nil)

    init(_ stream: EndpointStream) {
        let task = Task { try await stream.run { event in self.received.withLock { $0.append(event) } } }
        self.task.withLock { $0 = task }
    }

    var events: [StreamEvent] { received.withLock { $0 } }
    var messages: [JSONValue] { events.compactMap { $0.message?.json } }

    /// The first message that fits, as soon as it is there.
    func first(where fits: @escaping (JSONValue) -> Bool) async throws -> JSONValue {
        try await poll { self.messages.first(where: fits) }
    }

    func count(_ count: Int) async throws { try await poll { self.messages.count >= count ? () : nil } }

    /// The client goes away.
    func leave() async {
        task.withLock { $0 }?.cancel()
        await end()
    }

    /// Returns when the stream has ended.
    func end() async { _ = await task.withLock { $0 }?.result }
}

/// A client of the endpoint without HTTP.
struct EndpointClient: Sendable {
    let endpoint: MCPEndpoint
    var caller = FakeCaller()
    var session: String?
    var version: String?
    var accept = ["application/json, text/event-stream"]
    var lastEvent: String?

    var headers: EndpointRequest.Headers {
        var headers = EndpointRequest.Headers()
        headers.sessionIDs = session.map { [$0] } ?? []
        headers.protocolVersions = version.map { [$0] } ?? []
        headers.accept = accept
        headers.lastEventIDs = lastEvent.map { [$0] } ?? []
        return headers
    }

    func post(_ body: String, timeout: Duration = .seconds(60)) async -> EndpointReply {
        await send(.post(body: Array(body.utf8)), timeout: timeout)
    }

    func send(_ method: EndpointRequest.Method, timeout: Duration = .seconds(60)) async -> EndpointReply {
        await send(EndpointRequest(method, headers), timeout: timeout)
    }

    func send(_ request: EndpointRequest, timeout: Duration = .seconds(60)) async -> EndpointReply {
        await endpoint.reply(to: request, context: caller.context(), deadline: .now + timeout) { [caller] in
            caller.context()
        }
    }

    func call(_ id: Int, _ tool: String, _ arguments: String = "{}", timeout: Duration = .seconds(60)) async
        -> EndpointReply
    {
        await post(
            #"{"jsonrpc":"2.0","id":\#(id),"method":"tools/call","params":{"name":"\#(tool)","arguments":\#(arguments)}}"#,
            timeout: timeout
        )
    }

    /// The client with a session of `revision`.
    func initialized(_ revision: String = "2025-11-25", capabilities: String = "{}") async throws -> Self {
        let reply = await post(
            #"{"jsonrpc":"2.0","id":0,"method":"initialize","params":{"protocolVersion":"\#(revision)","#
                + #""capabilities":\#(capabilities),"clientInfo":{"name":"c","version":"1"}}}"#
        )
        guard let id = reply.newSession else {
            throw FakeFailure(kind: .internal, message: "no session: \(reply)", hint: nil)
        }
        var client = self
        client.session = id
        return client
    }
}
