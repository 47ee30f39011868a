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
        case .message(let message, _, _): message.json
        case .refused(let refusal): refusal.message.json
        default: nil
        }
    }

    var newSession: String? {
        if case .message(_, _, let id) = self { id } else { nil }
    }

    var status: Int {
        switch self {
        case .message, .answerAsEvents, .listening: 200
        case .accepted: 202
        case .ended: 204
        case .refused(let refusal): refusal.status
        }
    }

    var code: Int? { json?["error"]?["code"]?.intValue }
}

/// A client of the endpoint without HTTP.
struct EndpointClient: Sendable {
    let endpoint: MCPEndpoint
    var caller = FakeCaller()
    var session: String?
    var version: String?
    var accept = ["application/json, text/event-stream"]

    func post(_ body: String, timeout: Duration = .seconds(60)) async -> EndpointReply {
        await endpoint.reply(
            to: EndpointRequest(
                .post(body: Array(body.utf8)),
                sessionIDs: session.map { [$0] } ?? [],
                protocolVersions: version.map { [$0] } ?? [],
                accept: accept
            ),
            context: caller.context(timeout: timeout)
        )
    }

    func send(_ method: EndpointRequest.Method) async -> EndpointReply {
        await endpoint.reply(
            to: EndpointRequest(
                method,
                sessionIDs: session.map { [$0] } ?? [],
                protocolVersions: version.map { [$0] } ?? [],
                accept: accept
            ),
            context: caller.context()
        )
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
    func initialized(_ revision: String = "2025-11-25") async throws -> Self {
        let reply = await post(
            #"{"jsonrpc":"2.0","id":0,"method":"initialize","params":{"protocolVersion":"\#(revision)","capabilities":{}}}"#
        )
        guard let id = reply.newSession else {
            throw FakeFailure(kind: .internal, message: "no session: \(reply)", hint: nil)
        }
        var client = self
        client.session = id
        return client
    }
}
