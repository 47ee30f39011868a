import Domain
import Foundation
import Logging
import Outbound
import Synchronization
import TestSupport

@testable import App

/// A server that answers as a test says, and notes what it was asked.
final class ScriptedServer: HTTPTransport {
    struct Asked: Sendable {
        let request: OutboundRequest
        let message: BridgeMessage

        func header(_ name: String) -> String? {
            request.headers.first { $0.name.lowercased() == name.lowercased() }?.value
        }
    }

    typealias Answer = @Sendable (Asked) async throws -> OutboundReply

    private let state = Mutex<[Asked]>([])
    private let answer: Answer

    init(_ answer: @escaping Answer) { self.answer = answer }

    var asked: [Asked] { state.withLock { $0 } }

    func send(_ request: OutboundRequest) async throws -> OutboundReply {
        let asked = Asked(request: request, message: BridgeMessage(request.body))
        state.withLock { $0.append(asked) }
        return try await answer(asked)
    }
}

extension OutboundReply {
    static func json(_ value: JSONValue, status: Int = 200, session: String? = nil) -> OutboundReply {
        let own = session.map { [(name: "mcp-session-id", value: $0)] } ?? []
        return OutboundReply(
            status: status,
            headers: [(name: "content-type", value: "application/json")] + own,
            body: OutboundBody(value.encoded(.indented))
        )
    }

    static func empty(_ status: Int = 202) -> OutboundReply {
        OutboundReply(status: status, headers: [], body: OutboundBody([]))
    }

    /// Pieces of an event stream, after which it goes on as `end` has it.
    static func events(
        _ pieces: [String],
        end: @escaping @Sendable () async throws -> Void = {}
    ) -> OutboundReply {
        OutboundReply(
            status: 200,
            headers: [(name: "content-type", value: "text/event-stream; charset=utf-8")],
            body: OutboundBody {
                let rest = Mutexed(pieces)
                return {
                    if let piece = rest.takeFirst() { return Array(piece.utf8) }
                    try await end()
                    return nil
                }
            }
        )
    }

    private final class Mutexed: Sendable {
        private let pieces: Mutex<[String]>
        init(_ pieces: [String]) { self.pieces = Mutex(pieces) }
        func takeFirst() -> String? { pieces.withLock { $0.isEmpty ? nil : $0.removeFirst() } }
    }
}

/// A bridge to a scripted server, and the lines that its client got.
final class BridgeFixture: Sendable {
    static let url = "http://127.0.0.1:8080/mcp"
    static let key = "pat_live_verysecretkeyofthisserver"

    let server: ScriptedServer
    let bridge: MCPBridge
    private let said: Lines
    private let rests = Rests()

    private final class Rests: Sendable {
        let durations = Mutex<[Duration]>([])
    }

    private final class Lines: Sendable {
        let lines = Mutex<[JSONValue]>([])
    }

    init(selection: ToolSelection = .everything, _ answer: @escaping ScriptedServer.Answer) {
        let said = Lines()
        self.said = said
        server = ScriptedServer(answer)
        var logger = Logger(label: "test")
        logger.logLevel = .critical
        bridge = MCPBridge(
            url: Self.url,
            key: OutboundSecret(Self.key),
            selection: selection,
            transport: server,
            logger: logger,
            rest: { [rests] duration in
                rests.durations.withLock { $0.append(duration) }
                try await Task.sleep(for: duration)
            }
        ) { line in
            guard !line.contains(0x0A) else { throw TestSupportError("a line within a line") }
            let value = try JSONValue(parsing: line)
            said.lines.withLock { $0.append(value) }
        }
    }

    /// How long it waited before it took streams up again.
    var pauses: [Duration] { rests.durations.withLock { $0 } }

    var lines: [JSONValue] { said.lines.withLock { $0 } }

    func take(_ message: JSONValue) async { await bridge.take(message.encoded()) }

    /// Waits until the client has so many lines.
    func lines(_ count: Int) async throws -> [JSONValue] {
        try await eventually("\(count) lines for the client") { self.lines.count >= count }
        return lines
    }

    /// Opens a session of the era that has them.
    func open() async {
        await take([
            "jsonrpc": "2.0", "id": 0, "method": "initialize",
            "params": [
                "protocolVersion": "2025-06-18", "capabilities": [:], "clientInfo": ["name": "c", "version": "1"],
            ],
        ])
        await take(["jsonrpc": "2.0", "method": "notifications/initialized"])
    }

    static func result(_ id: JSONValue?, _ result: JSONValue = [:]) -> JSONValue {
        ["jsonrpc": "2.0", "id": id ?? .null, "result": result]
    }

    static func opening(_ id: JSONValue?) -> JSONValue {
        result(
            id,
            ["protocolVersion": "2025-06-18", "capabilities": [:], "serverInfo": ["name": "s", "version": "1"]]
        )
    }

    /// A request of the era without sessions.
    static func modern(_ id: JSONValue, _ method: String, _ parameters: JSONObject = [:]) -> JSONValue {
        var parameters = parameters
        parameters["_meta"] = [
            "io.modelcontextprotocol/protocolVersion": "2026-07-28",
            "io.modelcontextprotocol/clientCapabilities": [:],
        ]
        return ["jsonrpc": "2.0", "id": id, "method": .string(method), "params": .object(parameters)]
    }
}

/// Opened once; whoever waits goes on then.
final class Gate: Sendable {
    private let stream: AsyncStream<Void>
    private let continuation: AsyncStream<Void>.Continuation

    init() { (stream, continuation) = AsyncStream<Void>.makeStream() }

    func open() { continuation.finish() }

    func wait() async throws {
        for await _ in stream {}
        try Task.checkCancellation()
    }
}
