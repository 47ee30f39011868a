import Domain
import Logging
import Outbound
import Synchronization

/// Sessions, of the era that has them: opening, opening again, and what the server says by itself.
extension MCPBridge {
    /// Keeps what the answer to `initialize` agreed on.
    func begin(_ message: BridgeMessage, _ answer: JSONValue, _ reply: OutboundReply) {
        guard let version = answer["result"]?["protocolVersion"]?.stringValue else { return }
        let session = Session(id: reply.header("mcp-session-id"), version: version, opening: message)
        let listening = state.withLock { state in
            state.session = session
            defer { state.listening = nil }
            return state.listening
        }
        listening?.cancel()
    }

    /// Opens another session in place of one that the server does not know any more; many who ask at once open one.
    ///
    /// - Returns: whether there is another one now.
    func renew(_ old: Session) async -> Bool {
        let task = state.withLock { state -> Task<Bool, Never>? in
            guard state.session == old else { return nil }
            if let renewal = state.renewal { return renewal }
            // Unstructured, as all who found the session gone share it; it ends with two short calls.
            let task = Task {
                let isDone = await self.reopen(old)
                self.state.withLock { $0.renewal = nil }
                return isDone
            }
            state.renewal = task
            return task
        }
        return await task?.value ?? true
    }

    private func reopen(_ old: Session) async -> Bool {
        do {
            let reply = try await send(old.opening, patience: Self.shortPatience)
            guard reply.status == 200 else { return false }
            guard let answer = try await Self.answer(in: reply, to: old.opening) else { return false }
            begin(old.opening, answer, reply)
            let ready = BridgeMessage(Array(#"{"jsonrpc":"2.0","method":"notifications/initialized"}"#.utf8))
            _ = try await send(ready, patience: Self.shortPatience)
            listen()
            logger.notice("the server had forgotten the session; there is another one")
            return state.withLock { $0.session != old }
        } catch {
            logger.warning("no other session was opened", metadata: ["error": "\(error)"])
            return false
        }
    }

    private static func answer(in reply: OutboundReply, to message: BridgeMessage) async throws -> JSONValue? {
        guard isStream(reply) else {
            return try JSONValue(parsing: try await reply.body.collect(bytesMax: Limits.bridgeReplyBytes))
        }
        for try await item in reply.body.serverSentEvents() {
            guard case .event(let event) = item, !event.data.isEmpty else { continue }
            let said = try JSONValue(parsing: event.data)
            if said["id"] == message.id { return said }
        }
        return nil
    }

    /// Follows what the server has to say by itself, as long as it offers that.
    func listen() {
        state.withLock { state in
            guard let session = state.session, state.listening == nil else { return }
            // Unstructured, as it goes on beside everything; `state.listening` owns it, the session's end cancels it.
            state.listening = Task { await self.follow(session) }
        }
    }

    private func follow(_ session: Session) async {
        var lastID: String?
        var failures = 0
        /// As the server wants it.
        var pause: Duration?
        while !Task.isCancelled, state.withLock({ $0.session == session }) {
            do {
                let reply = try await get(in: session, after: lastID)
                if reply.status == 400, lastID != nil {
                    // What followed is not kept any more; what comes next is.
                    lastID = nil
                    continue
                }
                // 405: it has nothing to say by itself. 404: the next request opens another session.
                guard reply.status == 200, Self.isStream(reply) else { return }
                failures = 0
                for try await item in reply.body.serverSentEvents() {
                    if case .retry(let wanted) = item { pause = Self.bounded(wanted) }
                    guard case .event(let event) = item, event.isTerminated else { continue }
                    lastID = event.id ?? lastID
                    guard !event.data.isEmpty, let said = try? JSONValue(parsing: event.data) else { continue }
                    try await write(said.encoded())
                }
            } catch is CancellationError {
                return
            } catch {
                failures += 1
                logger.debug("the server's own stream broke off", metadata: ["error": "\(error)"])
            }
            // Cancelled with the session.
            let own = Duration.seconds(min(30, 1 << min(failures, 5)))
            do { try await rest(failures == 0 ? pause ?? own : max(own, pause ?? own)) } catch { return }
        }
    }
}
