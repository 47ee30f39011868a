package import Domain
import Foundation
package import Logging
package import Outbound
import Synchronization

/// Hands the messages of an MCP client on standard input to a server's `/mcp`, and what that says back.
///
/// Both eras go through as they are: what HTTP asks for beside the message (session, revision, what it is about) is read from the
/// messages themselves. A message that the server does not take, or no server at all, becomes an error of JSON-RPC, since the
/// client sees nothing else. A session that the server has forgotten, after a restart, is opened again without the client's help.
public final class MCPBridge: Sendable {
    let url: String
    let key: OutboundSecret?
    /// Sent with every message.
    let narrowing: [(name: String, value: String)]
    let transport: any HTTPTransport
    let logger: Logger
    let write: @Sendable ([UInt8]) async throws -> Void
    let rest: @Sendable (Duration) async throws -> Void
    let state = Mutex(State())

    /// A session of the era that has them.
    struct Session: Sendable, Hashable {
        /// Nil when the server gives none.
        var id: String?
        var version: String
        /// What opened it, to open another.
        var opening: BridgeMessage
    }

    struct Running: Sendable {
        let id: JSONValue
        let task: Task<Void, Never>
        /// Whether giving the connection up is how it is cancelled.
        let endsWithConnection: Bool
        let isSubscription: Bool
        /// Whether nothing more is owed: the id may be used again, also before the task has ended.
        var isSettled = false
    }

    struct State: Sendable {
        var session: Session?
        var headers = BridgeHeaders()
        /// By a number of our own: whose answer was just written may be asked for again under the same id.
        var running: [Int: Running] = [:]
        var lastNumber = 0
        var renewal: Task<Bool, Never>?
        var listening: Task<Void, Never>?
        /// The client has no more to say.
        var isEnding = false
    }

    /// - Parameters:
    ///   - url: of the server's `/mcp`.
    ///   - key: of the server; nil when it asks for none.
    ///   - selection: what its tools are narrowed to.
    ///   - rest: waits before a stream is taken up again.
    ///   - write: a line for the client, without its line feed; returns when it is written.
    package init(
        url: String,
        key: OutboundSecret?,
        selection: ToolSelection = .everything,
        transport: any HTTPTransport,
        logger: Logger,
        rest: @escaping @Sendable (Duration) async throws -> Void = { try await Task.sleep(for: $0) },
        write: @escaping @Sendable ([UInt8]) async throws -> Void
    ) {
        self.url = url
        self.key = key
        narrowing = Self.headers(of: selection)
        self.transport = transport
        self.logger = logger
        self.rest = rest
        self.write = write
    }

    /// Runs until the client has no more to say; answers that come soon are still given then.
    package func run(_ lines: StandardLines) async {
        for await line in lines.lines {
            lines.taken()
            await take(line)
        }
        await end()
    }

    /// One line of the client's; nil for one that is too long.
    func take(_ line: [UInt8]?) async {
        guard let line else {
            return await say(Self.tooLong)
        }
        guard line.contains(where: { ![0x20, 0x09, 0x0D].contains($0) }) else { return }
        let message = BridgeMessage(line)
        switch message.kind {
        case .request(let id) where message.method == "initialize" && message.version == nil:
            // Whatever follows needs its session.
            await answer(message, id)
        case .request(let id) where message.method == "ping" && message.version == nil && hasNoSession:
            // On a pipe that is answered at any time; the server has nowhere to hear it yet.
            await say(Self.pong(id))
        case .request(let id):
            start(message, id)
        case .notification:
            if let id = message.cancelled, let running = running(id), running.endsWithConnection {
                settle(id)
                return running.task.cancel()
            }
            await post(message)
            if message.method == "notifications/initialized" { listen() }
        case .response:
            await post(message)
        case .other:
            await answer(message, nil)
        }
    }

    // MARK: Requests

    private func start(_ message: BridgeMessage, _ id: JSONValue) {
        let failure = state.withLock { state -> BridgeFailure? in
            guard state.running.count < Limits.bridgeRequests else { return .tooMany }
            // The server would answer both, each on its own connection; on one pipe nobody could tell the answers apart.
            guard !state.running.values.contains(where: { $0.id == id && !$0.isSettled }) else { return .inFlight }
            state.lastNumber += 1
            let number = state.lastNumber
            // Unstructured, as each can be cancelled by itself; `state.running` owns it, and `end` waits for it.
            let task = Task {
                await self.answer(message, id)
                self.state.withLock { state in state.running[number] = nil }
            }
            state.running[number] = Running(
                id: id,
                task: task,
                endsWithConnection: message.version != nil,
                isSubscription: message.isSubscription
            )
            return nil
        }
        guard let failure else { return }
        // Unstructured: the client must not have to read before it can go on writing; it ends with one line.
        Task { await self.say(failure.line(for: id)) }
    }

    private var hasNoSession: Bool { state.withLock { $0.session == nil } }

    /// The request of this id that is owed an answer.
    private func running(_ id: JSONValue) -> Running? {
        state.withLock { state in state.running.values.first { $0.id == id && !$0.isSettled } }
    }

    /// Nothing more comes for this id. Before the last of it is written, since the client may use it again from then on.
    func settle(_ id: JSONValue) {
        state.withLock { state in
            for number in state.running.keys where state.running[number]?.id == id {
                state.running[number]?.isSettled = true
            }
        }
    }

    /// Sends a message and gives back what comes.
    ///
    /// - Parameter id: of the request that is owed an answer; nil for what is no request, whose refusal has none.
    private func answer(_ message: BridgeMessage, _ id: JSONValue?) async {
        do {
            if message.version != nil { await learnTools(for: message) }
            try await exchange(message, id)
        } catch {
            await tell(error, of: message, id)
        }
    }

    private func tell(_ error: any Error, of message: BridgeMessage, _ id: JSONValue?) async {
        if message.isSubscription, state.withLock({ $0.isEnding }) {
            // Unless it was cancelled before.
            if let id, running(id) != nil { await say(Self.subscriptionEnd(id)) }
            return
        }
        // Nobody waits for it.
        if error is CancellationError { return }
        let failure = error as? BridgeFailure ?? .away(error, url)
        logger.warning("a request was not answered", metadata: ["reason": "\(failure.message)"])
        if let id { settle(id) }
        await say(failure.line(for: id ?? .null))
    }

    /// Sends what is owed no answer.
    private func post(_ message: BridgeMessage) async {
        do {
            let reply = try await send(message, patience: Self.shortPatience)
            let body = try await reply.body.beginning(bytesMax: Limits.outboundErrorBytes)
            guard reply.status >= 300 else { return }
            let reason = BridgeFailure.refused(reply.status, body).message
            logger.warning("a notification was not taken", metadata: ["reason": "\(reason)"])
        } catch {
            logger.warning("a notification was not taken", metadata: ["reason": "\(error)"])
        }
    }

    func say(_ line: [UInt8]) async {
        // Nobody reads any more: the input ends as well, and with it the bridge.
        try? await write(line)
    }

    // MARK: The end

    static let drain = Duration.milliseconds(600)

    func end() async {
        let (tasks, subscriptions) = state.withLock { state in
            state.isEnding = true
            return (state.running.values.map(\.task), state.running.values.filter(\.isSubscription))
        }
        // They would go on for ever.
        for one in subscriptions { one.task.cancel() }
        if !tasks.isEmpty {
            await withTaskGroup(of: Void.self) { group in
                group.addTask { for task in tasks { await task.value } }
                group.addTask {
                    // Cancelled when all are done before.
                    try? await Task.sleep(for: Self.drain)
                    for task in tasks { task.cancel() }
                }
                await group.next()
                group.cancelAll()
            }
        }
        let (session, listening) = state.withLock { ($0.session, $0.listening) }
        listening?.cancel()
        guard let session, session.id != nil else { return }
        var request = OutboundRequest(.delete, url, headers: Self.headers(of: session))
        request.secretHeaders = secretHeaders
        request.deadlines = OutboundDeadlines(
            firstByte: .milliseconds(200),
            stall: .milliseconds(200),
            total: .milliseconds(200)
        )
        do { _ = try await transport.send(request) } catch {
            logger.debug("the session was not ended", metadata: ["error": "\(error)"])
        }
    }

    private static func pong(_ id: JSONValue) -> [UInt8] {
        let message: JSONValue = ["jsonrpc": "2.0", "id": id, "result": [:]]
        return message.encoded()
    }

    private static func subscriptionEnd(_ id: JSONValue) -> [UInt8] {
        let result: JSONValue = ["resultType": "complete", "_meta": [BridgeMessage.subscriptionKey: id]]
        let message: JSONValue = ["jsonrpc": "2.0", "id": id, "result": result]
        return message.encoded()
    }

    private static let tooLong: [UInt8] = {
        let message: JSONValue = [
            "jsonrpc": "2.0", "id": .null,
            "error": [
                "code": -32600, "message": .string("A message has at most \(Limits.jsonBytes) bytes."),
            ],
        ]
        return message.encoded()
    }()
}
