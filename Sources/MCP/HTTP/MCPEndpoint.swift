public import Domain
public import Logging
import Synchronization

/// MCP over HTTP (Streamable HTTP), as far as it is not HTTP: sessions, and what each request is answered with.
///
/// Serves the revisions that open with a handshake. A client of 2026-07-28, which has none, is told which revisions
/// there are, and falls back. The edge authenticates every request, checks its `Origin`, and writes what this answers.
public final class MCPEndpoint: Sendable {
    private let configuration: ServerSession.Configuration
    private let performer: WorkPerformer
    private let now: @Sendable () -> ContinuousClock.Instant
    private let sessions: Mutex<SessionTable<NamedSession>>

    private struct NamedSession: Sendable {
        let id: String
        let session: HTTPSession
    }

    /// - Parameter tools: asked with the context of the request that a call came in.
    public convenience init(info: ServerInfo, tools: any ToolProvider, logger: Logger) {
        self.init(ServerSession.Configuration(info: info), tools: tools, logger: logger)
    }

    package init(
        _ configuration: ServerSession.Configuration,
        tools: any ToolProvider,
        logger: Logger,
        sessionsMax: Int = Limits.mcpSessions,
        sessionsPerOwnerMax: Int = Limits.mcpSessionsPerKey,
        sessionIdleMax: Duration = .seconds(Limits.mcpSessionIdleSeconds),
        now: @escaping @Sendable () -> ContinuousClock.Instant = { .now }
    ) {
        self.configuration = configuration
        self.performer = WorkPerformer(tools: tools, logger: logger)
        self.now = now
        let bounds = SessionTable<NamedSession>.Bounds(
            sessionsMax: sessionsMax,
            sessionsPerOwnerMax: sessionsPerOwnerMax,
            idleMax: sessionIdleMax
        )
        sessions = Mutex(SessionTable(bounds))
    }

    /// Sessions that have not ended.
    package var sessionCount: Int { sessions.withLock { $0.count } }

    /// Answers one request.
    ///
    /// The work of a request is bounded by the context's deadline, and ends in a result that says so.
    package func reply(to request: EndpointRequest, context: RequestContext) async -> EndpointReply {
        do throws(EndpointRefusal) {
            guard request.sessionIDs.count <= 1, request.protocolVersions.count <= 1 else {
                throw EndpointRefusal.repeatedHeader
            }
            switch request.method {
            case .post(let body): return try await post(body, request, context)
            case .get: return try get(request, context)
            case .delete: return try await delete(request, context)
            }
        } catch {
            return .refused(error)
        }
    }

    // MARK: POST

    private func post(
        _ body: [UInt8],
        _ request: EndpointRequest,
        _ context: RequestContext
    ) async throws(EndpointRefusal) -> EndpointReply {
        let accepted = AcceptedTypes(request.accept)
        guard accepted.json || accepted.events else { throw .notAcceptable }
        let inbound = MessageDecoder.decode(body)
        switch inbound {
        case nil:
            throw .malformed(ProtocolError(.parseError, "The body is empty; send one message"), id: nil)
        case .single(.malformed(let error, let id)):
            throw .malformed(error, id: id)
        case .single(.request(let message)):
            if let version = message.versionWithoutHandshake { throw .unsupportedVersion(version, id: message.id) }
        case .single, .batch:
            break
        }
        try requireSupportedVersion(request)
        guard let inbound else { throw .missingSession }
        if case .single(.request(let message)) = inbound, message.method == "initialize" {
            return try await initialize(inbound, accepted, context)
        }
        return try await exchange(inbound, accepted, request, context)
    }

    /// Always a new session: one that exists is not negotiated again, and an old id is not looked at.
    private func initialize(
        _ inbound: Inbound,
        _ accepted: AcceptedTypes,
        _ context: RequestContext
    ) async throws(EndpointRefusal) -> EndpointReply {
        let session = HTTPSession(session: ServerSession(configuration), performer: performer)
        guard let answer = try await session.answer(inbound, context: context) else { return .accepted }
        let form: EndpointReply.Form = accepted.json ? .json : .events
        guard await session.isOpen else { return .message(answer, form, newSession: nil) }
        let named = NamedSession(id: Self.sessionID(), session: session)
        let removed = sessions.withLock { table in
            table.insert(named, id: named.id, owner: SessionOwner(context), at: now())
        }
        guard let removed else { throw .tooManySessions }
        for old in removed { await old.session.end() }
        return .message(answer, form, newSession: named.id)
    }

    private func exchange(
        _ inbound: Inbound,
        _ accepted: AcceptedTypes,
        _ request: EndpointRequest,
        _ context: RequestContext
    ) async throws(EndpointRefusal) -> EndpointReply {
        let named = try acquire(request, context)
        if case .batch(let messages) = inbound, let refusal = await named.session.refusal(ofBatch: messages.count) {
            release(named)
            throw .malformed(refusal, id: nil)
        }
        guard inbound.expectsAnswer && !accepted.json else {
            defer { release(named) }
            let answer = try await named.session.answer(inbound, context: context)
            return answer.map { .message($0, .json, newSession: nil) } ?? .accepted
        }
        release(named)
        return .answerAsEvents { [self] in
            guard let named = try? acquire(request, context) else { return nil }
            defer { release(named) }
            // The session ended in this moment: the stream ends without an answer.
            return try? await named.session.answer(inbound, context: context)
        }
    }

    // MARK: GET and DELETE

    private func get(_ request: EndpointRequest, _ context: RequestContext) throws(EndpointRefusal) -> EndpointReply {
        try requireSupportedVersion(request)
        guard AcceptedTypes(request.accept).events, !request.accept.isEmpty else { throw .listeningNotAcceptable }
        release(try acquire(request, context))
        return .listening { [self] in
            // Ended in this moment: so does the stream.
            guard let named = try? acquire(request, context) else { return }
            await named.session.listen()
            release(named)
        }
    }

    private func delete(
        _ request: EndpointRequest,
        _ context: RequestContext
    ) async throws(EndpointRefusal) -> EndpointReply {
        try requireSupportedVersion(request)
        guard let id = request.sessionIDs.first else { throw .missingSession }
        let removed = sessions.withLock { $0.remove(id, owner: SessionOwner(context), at: now()) }
        guard let removed else { throw .unknownSession }
        await removed.session.end()
        return .ended
    }

    // MARK: Sessions

    private func acquire(_ request: EndpointRequest, _ context: RequestContext) throws(EndpointRefusal) -> NamedSession
    {
        guard let id = request.sessionIDs.first else { throw .missingSession }
        guard let named = sessions.withLock({ $0.acquire(id, owner: SessionOwner(context), at: now()) }) else {
            throw .unknownSession
        }
        return named
    }

    private func release(_ named: NamedSession) { sessions.withLock { $0.release(named.id, at: now()) } }

    /// A client that sends no version is taken at what it negotiated.
    private func requireSupportedVersion(_ request: EndpointRequest) throws(EndpointRefusal) {
        guard let version = request.protocolVersions.first else { return }
        guard ProtocolRevision(rawValue: version) != nil else { throw .unsupportedVersion(version) }
    }

    /// 256 random bits of the system's generator, which is fit for secrets, in hexadecimal digits.
    private static func sessionID() -> String {
        var generator = SystemRandomNumberGenerator()
        return (0..<4).map { _ in
            let digits = String(generator.next() as UInt64, radix: 16)
            return String(repeating: "0", count: 16 - digits.count) + digits
        }.joined()
    }
}

extension Request {
    /// The revision that a request without a handshake names in its `_meta`; nil for all others.
    fileprivate var versionWithoutHandshake: String? {
        guard let version = params["_meta"]?["io.modelcontextprotocol/protocolVersion"] else { return nil }
        return version.stringValue ?? version.text
    }
}

extension Inbound {
    /// Whether there is a request in it, or something that is answered as if it were one.
    fileprivate var expectsAnswer: Bool {
        switch self {
        case .single(let message): message.expectsAnswer
        case .batch(let messages): messages.contains { $0.expectsAnswer }
        }
    }
}

extension InboundMessage {
    fileprivate var expectsAnswer: Bool {
        switch self {
        case .request, .malformed: true
        case .notification, .response: false
        }
    }
}
