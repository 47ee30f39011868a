import Domain
import Logging
import MCP
import Outbound
import Synchronization

/// One message to the server, and what comes of it.
extension MCPBridge {
    /// For what is answered at once.
    static let shortPatience = Duration.seconds(30)
    /// People may be asked before a tool goes on.
    private static let patience = Duration.seconds(3_600)
    /// Servers say something every quarter of a minute.
    private static let stall = Duration.seconds(120)
    private static let life = Duration.seconds(30 * 86_400)
    /// Before a stream that broke off is taken up again, where the server does not say how long.
    private static let pause = Duration.milliseconds(500)

    /// What a server wants, within reason.
    static func bounded(_ pause: Duration) -> Duration {
        min(max(pause, .milliseconds(100)), .seconds(Limits.bridgePauseSeconds))
    }

    var secretHeaders: [(name: String, value: OutboundSecret)] {
        key.map { [(name: "Authorization", value: $0.bearer)] } ?? []
    }

    static func headers(of session: Session) -> [(name: String, value: String)] {
        let version = [(name: "MCP-Protocol-Version", value: session.version)]
        return (session.id.map { [(name: "Mcp-Session-Id", value: $0)] } ?? []) + version
    }

    func send(
        _ message: BridgeMessage,
        in session: Session? = nil,
        patience: Duration = patience
    ) async throws -> OutboundReply {
        // Where no session was opened, what belongs to one lacks what the other era asks for, and is told so.
        let (known, own) = state.withLock { state in
            let session = session ?? state.session
            let assumed = session == nil && message.method != "initialize" ? ProtocolRevision.july2026 : nil
            return (session, state.headers.headers(of: message, assuming: assumed))
        }
        var headers = [
            (name: "Content-Type", value: "application/json"),
            (name: "Accept", value: "application/json, text/event-stream"),
        ]
        headers += own
        if message.version == nil, message.method != "initialize", let known { headers += Self.headers(of: known) }
        headers += narrowing
        var request = OutboundRequest(.post, url, headers: headers, secretHeaders: secretHeaders, body: message.line)
        request.deadlines = OutboundDeadlines(firstByte: patience, stall: Self.stall, total: Self.life)
        request.replyBytesMax = Limits.bridgeStreamBytes
        request.isRepeatable = message.method != "tools/call"
        return try await transport.send(request)
    }

    /// Sends a message and gives back all that comes of it.
    ///
    /// - Throws: `BridgeFailure`, `OutboundError`, `CancellationError`.
    func exchange(_ message: BridgeMessage, _ id: JSONValue?) async throws {
        let session = message.version == nil ? state.withLock { $0.session } : nil
        var reply = try await send(message, in: session)
        if reply.status == 404, message.method != "initialize", let session, session.id != nil, await renew(session) {
            reply = try await send(message)
        }
        if reply.status < 300, Self.isStream(reply) { return try await relay(stream: reply, message, id) }
        let body = try await reply.body.collect(bytesMax: Limits.bridgeReplyBytes)
        if body.isEmpty, reply.status < 300 { return }
        // What is no JSON is no answer.
        guard let answer = try? JSONValue(parsing: body), Self.isMessage(answer) else {
            throw BridgeFailure.refused(reply.status, redacted(body))
        }
        if message.method == "initialize", message.version == nil { begin(message, answer, reply) }
        try await relay(answer, message, id)
    }

    private func relay(_ answer: JSONValue, _ message: BridgeMessage, _ id: JSONValue?) async throws {
        var answer = answer
        // A refusal that was made before the message was read has no id, and the client waits under one.
        if let id, var members = answer.objectValue, members["error"] != nil, members["id"]?.isNull ?? true {
            members["id"] = id
            answer = .object(members)
        }
        note(answer, of: message)
        if let id { settle(id) }
        try await write(answer.encoded())
    }

    /// Keeps what later messages need.
    private func note(_ answer: JSONValue, of message: BridgeMessage) {
        if answer["method"] == "notifications/tools/list_changed" { state.withLock { $0.headers.forget() } }
        guard message.method == "tools/list", message.version != nil, let page = answer["result"] else { return }
        state.withLock { $0.headers.learn(page) }
    }

    // MARK: Streams

    private func relay(stream reply: OutboundReply, _ message: BridgeMessage, _ id: JSONValue?) async throws {
        var stream = reply
        var lastID: String?
        var pause = Self.pause
        var isFirst = message.method == "initialize" && message.version == nil
        for attempt in 0...Limits.bridgeResumptions {
            do {
                for try await item in stream.body.serverSentEvents() {
                    if case .retry(let wanted) = item { pause = Self.bounded(wanted) }
                    guard case .event(let event) = item else { continue }
                    lastID = event.id ?? lastID
                    guard event.isTerminated, !event.data.isEmpty else { continue }
                    // What is no JSON is no message.
                    guard let said = try? JSONValue(parsing: event.data) else { continue }
                    let isAnswer = id != nil && said["method"] == nil && said["id"] == id
                    if isFirst, isAnswer {
                        begin(message, said, reply)
                        isFirst = false
                    }
                    try await relay(said, message, isAnswer ? id : nil)
                    if isAnswer { return }
                }
                if id == nil { return }
            } catch let error as OutboundError where lastID == nil || message.version != nil {
                throw BridgeFailure.cut(error)
            } catch is OutboundError {
                // It is taken up below.
            }
            // The era without sessions takes nothing up again.
            guard let last = lastID, message.version == nil, attempt < Limits.bridgeResumptions,
                let session = state.withLock({ $0.session })
            else { throw BridgeFailure.cut() }
            try await rest(pause)
            stream = try await get(in: session, after: last)
            guard stream.status == 200, Self.isStream(stream) else { throw BridgeFailure.cut() }
        }
    }

    /// A stream of a session: its own, or one that is taken up after an event.
    func get(in session: Session, after lastID: String? = nil) async throws -> OutboundReply {
        var headers = [(name: "Accept", value: "text/event-stream")] + Self.headers(of: session)
        if let lastID { headers.append((name: "Last-Event-ID", value: lastID)) }
        var request = OutboundRequest(.get, url, headers: headers, secretHeaders: secretHeaders)
        request.deadlines = OutboundDeadlines(firstByte: Self.shortPatience, stall: Self.stall, total: Self.life)
        request.replyBytesMax = Limits.bridgeStreamBytes
        return try await transport.send(request)
    }

    static func isStream(_ reply: OutboundReply) -> Bool {
        reply.header("content-type")?.lowercased().hasPrefix("text/event-stream") == true
    }

    private static func isMessage(_ value: JSONValue) -> Bool {
        value["jsonrpc"] == "2.0" || value.arrayValue?.first?["jsonrpc"] == "2.0"
    }

    private func redacted(_ body: [UInt8]) -> [UInt8] { key?.redacted(in: body) ?? body }

    // MARK: Tools

    /// Reads the list of tools before the first call of one: some of its arguments may have to stand in headers.
    func learnTools(for message: BridgeMessage) async {
        guard message.method == "tools/call", let tool = message.name,
            state.withLock({ $0.headers.tools[tool] == nil })
        else { return }
        var cursor: JSONValue?
        do {
            for _ in 0..<Limits.bridgeToolPages {
                var parameters: JSONObject = ["_meta": message.parameters["_meta"] ?? [:]]
                parameters["cursor"] = cursor
                let list: JSONValue = [
                    "jsonrpc": "2.0", "id": "bridge", "method": "tools/list", "params": .object(parameters),
                ]
                let reply = try await send(BridgeMessage(list.encoded()), patience: Self.shortPatience)
                guard reply.status == 200, !Self.isStream(reply) else { return }
                let page = try JSONValue(parsing: try await reply.body.collect(bytesMax: Limits.bridgeReplyBytes))
                guard let result = page["result"] else { return }
                state.withLock { $0.headers.learn(result) }
                cursor = result["nextCursor"]
                if cursor == nil { return }
            }
        } catch {
            // The call itself then says what is wrong.
            logger.debug("the tools were not listed", metadata: ["error": "\(error)"])
        }
    }
}
