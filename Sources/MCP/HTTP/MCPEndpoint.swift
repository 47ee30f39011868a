package import Domain
public import Logging
import Synchronization

/// MCP over HTTP (Streamable HTTP), as far as it is not HTTP: sessions, streams, and what each request is answered with.
///
/// Serves all revisions at one address, told apart by the request: one that names 2026-07-28 stands alone, the others belong to
/// a session that a handshake opened. The edge authenticates every request, checks its `Origin`, and writes what this answers.
public final class MCPEndpoint: Sendable {
    let configuration: ServerSession.Configuration
    let performer: WorkPerformer
    let times: SessionTimes
    private let now: @Sendable () -> ContinuousClock.Instant
    private let sessions: Mutex<SessionTable<NamedSession>>

    struct NamedSession: Sendable {
        let id: String
        let session: HTTPSession
    }

    /// - Parameter offer: asked with the context of the request that a call came in.
    public convenience init(info: ServerInfo, offer: MCPOffer, logger: Logger) {
        self.init(ServerSession.Configuration(info: info), offer: offer, logger: logger)
    }

    package init(
        _ configuration: ServerSession.Configuration,
        offer: MCPOffer,
        logger: Logger,
        times: SessionTimes = SessionTimes(),
        sessionsMax: Int = Limits.mcpSessions,
        sessionsPerOwnerMax: Int = Limits.mcpSessionsPerKey,
        sessionIdleMax: Duration = .seconds(Limits.mcpSessionIdleSeconds),
        instant: @escaping InstantSource = { .now() },
        now: @escaping @Sendable () -> ContinuousClock.Instant = { .now }
    ) {
        self.configuration = configuration.offering(offer)
        self.performer = WorkPerformer(offer: offer, logger: logger, now: instant)
        self.times = times
        self.now = now
        let bounds = SessionTable<NamedSession>.Bounds(
            sessionsMax: sessionsMax,
            sessionsPerOwnerMax: sessionsPerOwnerMax,
            idleMax: sessionIdleMax
        )
        sessions = Mutex(SessionTable(bounds))
    }

    /// What an operation needs of its caller, as far as the message tells; nothing for what asks by itself.
    ///
    /// - Parameter ofResource: what reading an address needs.
    package func permissions(
        toServe body: [UInt8],
        ofResource: (_ uri: String) -> Set<Permission>
    ) -> Set<Permission> {
        guard case .single(.request(let request))? = MessageDecoder.decode(body) else { return [] }
        switch request.method {
        case "tools/call":
            let permission = request.params["name"]?.stringValue.flatMap {
                performer.offer.tools.permission(toCall: $0)
            }
            return permission.map { [$0] } ?? []
        case "resources/read", "resources/subscribe":
            return request.params["uri"]?.stringValue.map(ofResource) ?? []
        default:
            return []
        }
    }

    /// Sessions that have not ended.
    package var sessionCount: Int { sessions.withLock { $0.count } }

    /// Answers one request.
    ///
    /// - Parameters:
    ///   - context: of this request. Its deadline must leave room for questions to the client's user.
    ///   - deadline: until when the edge waits for this to return. Streams may go on.
    ///   - renewed: makes a context with the caller's present rights, for what goes on after the request was answered.
    package func reply(
        to request: EndpointRequest,
        context: RequestContext,
        deadline: ContinuousClock.Instant,
        renewed: @escaping @Sendable () async throws -> RequestContext
    ) async -> EndpointReply {
        let call = EndpointCall(request: request, context: context, patience: deadline - .now, renewed: renewed)
        do throws(EndpointRefusal) {
            switch request.method {
            case .post(let body): return try await post(body, call)
            case .get: return try await get(call)
            case .delete: return try await delete(call)
            }
        } catch {
            return .refused(error)
        }
    }

    /// Whoever is refused hears which request it was, as far as that can be read.
    private func post(_ body: [UInt8], _ call: EndpointCall) async throws(EndpointRefusal) -> EndpointReply {
        let inbound = MessageDecoder.decode(body)
        do throws(EndpointRefusal) {
            return try await post(inbound, call)
        } catch {
            if case .single(.request(let request))? = inbound { throw error.answering(request.id) }
            throw error
        }
    }

    private func post(_ inbound: Inbound?, _ call: EndpointCall) async throws(EndpointRefusal) -> EndpointReply {
        guard call.request.headers.areSingle else {
            throw inbound.map(call.standsAlone) == true ? .repeatedRoutingHeader : .repeatedHeader
        }
        guard call.accepted.json || call.accepted.events else { throw .notAcceptable }
        guard let inbound else {
            throw .malformed(ProtocolError(.parseError, "The body is empty; send one message"), id: nil)
        }
        if case .single(.malformed(let error, let id)) = inbound { throw .malformed(error, id: id) }
        if call.standsAlone(inbound) { return try await replyAlone(to: inbound, call) }
        try requireHandshakeVersion(call)
        if case .single(.request(let message)) = inbound, message.method == "initialize" {
            return try await initialize(inbound, call)
        }
        return try await exchange(inbound, call)
    }

    // MARK: Sessions

    /// Always a new session: one that exists is not negotiated again, and an old id is not looked at.
    private func initialize(_ inbound: Inbound, _ call: EndpointCall) async throws(EndpointRefusal) -> EndpointReply {
        let session = HTTPSession(
            configuration,
            performer: performer,
            isResumable: true,
            times: times
        )
        guard let (stream, form) = await session.receive(inbound, call.facts(times), streamAfter: nil) else {
            throw .unknownSession
        }
        session.streams.forget(stream)
        guard case .message(let answer) = form else { return .accepted }
        guard session.runner.revision != nil else { return call.message(answer) }
        let named = NamedSession(id: RandomText.hexadecimal(words: 4), session: session)
        let removed = sessions.withLock { table in
            table.insert(named, id: named.id, owner: SessionOwner(call.context), at: now())
        }
        guard let removed else { throw .tooManySessions }
        for old in removed { old.session.end() }
        return call.message(answer, newSession: named.id)
    }

    private func exchange(_ inbound: Inbound, _ call: EndpointCall) async throws(EndpointRefusal) -> EndpointReply {
        let named = try acquire(call)
        if case .batch(let messages) = inbound,
            let refusal = named.session.runner.refusal(ofBatch: messages.count)
        {
            release(named)
            throw .malformed(refusal, id: nil)
        }
        let revision = named.session.runner.revision ?? .newestHandshake
        let facts = call.facts(times)
        let received = await named.session.receive(
            inbound,
            facts,
            streamAfter: call.streamAfter(times.streamAfter)
        )
        // It ended between being found and being used.
        guard let (stream, form) = received else {
            release(named)
            throw .unknownSession
        }
        switch form {
        case .message(let answer):
            named.session.streams.forget(stream)
            release(named)
            return call.message(answer)
        case .nothing:
            named.session.streams.forget(stream)
            release(named)
            return .accepted
        case .stream where call.accepted.events:
            return self.stream(stream, after: 0, isComingBack: false, named, EndpointStream.Style(revision))
        case .stream, nil:
            // Nobody reads; what comes is kept for whoever comes back.
            release(named)
            return .accepted
        }
    }

    private func stream(
        _ stream: MessageStream,
        after place: Int,
        isComingBack: Bool,
        isOpenEnded: Bool = false,
        _ named: NamedSession,
        _ style: EndpointStream.Style
    ) -> EndpointReply {
        let reader = stream.attach(isComingBack: isComingBack)
        // Not held until somebody writes: a client may be gone before that.
        release(named)
        return .stream(
            EndpointStream(isOpenEnded: isOpenEnded) { [self] write in
                let isHeld = sessions.withLock { $0.acquire(named.id) }
                stream.setRead(true, by: reader)
                defer {
                    stream.setRead(false, by: reader)
                    if isHeld { release(named) }
                }
                // What was written may not have come: it is kept, as long as there is room, for a client that comes back.
                _ = try await EndpointStream.write(stream, after: place, reader: reader, style, write)
            } finish: {
                if isOpenEnded { stream.settle() }
            }
        )
    }

    // MARK: GET and DELETE

    private func get(_ call: EndpointCall) async throws(EndpointRefusal) -> EndpointReply {
        try requireSingleHeaders(call)
        guard call.isOfSession else { throw .postOnly }
        try requireHandshakeVersion(call)
        guard call.accepted.events, !call.request.headers.accept.isEmpty else { throw .listeningNotAcceptable }
        let named = try acquire(call)
        let style = EndpointStream.Style(named.session.runner.revision ?? .newestHandshake)
        if let text = call.request.headers.lastEventIDs.first {
            guard let event = EventID(text), let stream = named.session.streams.stream(event.stream),
                stream.has(after: event.place)
            else {
                release(named)
                throw .unknownEvent
            }
            return self.stream(stream, after: event.place, isComingBack: true, named, style)
        }
        guard let stream = named.session.streams.listen() else {
            release(named)
            throw .unknownSession
        }
        return self.stream(stream, after: 0, isComingBack: false, isOpenEnded: true, named, style)
    }

    private func delete(_ call: EndpointCall) async throws(EndpointRefusal) -> EndpointReply {
        try requireSingleHeaders(call)
        guard call.isOfSession else { throw .postOnly }
        try requireHandshakeVersion(call)
        guard let id = call.request.headers.sessionIDs.first else { throw .missingSession }
        let removed = sessions.withLock { $0.remove(id, owner: SessionOwner(call.context), at: now()) }
        guard let removed else { throw .unknownSession }
        removed.session.end()
        return .ended
    }

    // MARK: The table

    private func acquire(_ call: EndpointCall) throws(EndpointRefusal) -> NamedSession {
        guard let id = call.request.headers.sessionIDs.first else { throw .missingSession }
        guard let named = sessions.withLock({ $0.acquire(id, owner: SessionOwner(call.context), at: now()) }) else {
            throw .unknownSession
        }
        return named
    }

    private func release(_ named: NamedSession) { sessions.withLock { $0.release(named.id, at: now()) } }

    private func requireSingleHeaders(_ call: EndpointCall) throws(EndpointRefusal) {
        guard call.request.headers.areSingle else { throw .repeatedHeader }
    }

    /// A client that sends no version is taken at what it negotiated.
    private func requireHandshakeVersion(_ call: EndpointCall) throws(EndpointRefusal) {
        guard let version = call.request.headers.protocolVersions.first else { return }
        guard ProtocolRevision(rawValue: version)?.hasHandshake == true else { throw .unsupportedVersion(version) }
    }
}
