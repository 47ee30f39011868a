import Domain
import Foundation
import Logging
import MCP
import Synchronization

/// The client's ends of two pipes. Nothing here blocks a thread: the pipes are polled, with a deadline.
final class StdioClient: Sendable {
    struct TimedOut: Error {}

    private struct State {
        var input: Int32?
        var output: Int32?
        var received: [UInt8] = []
        var sentByteCount = 0
    }
    private let state: Mutex<State>

    /// Takes both descriptors over.
    init(writing input: Int32, reading output: Int32) {
        for end in [input, output] { _ = fcntl(end, F_SETFL, fcntl(end, F_GETFL) | O_NONBLOCK) }
        state = Mutex(State(input: input, output: output))
    }

    func send(_ line: String) async throws { try await send(bytes: Array(line.utf8) + [0x0A]) }

    func send(bytes: [UInt8]) async throws {
        var sent = 0
        try await poll {
            let count = state.withLock { state in
                let count = bytes[sent...].withUnsafeBytes { write(state.input ?? -1, $0.baseAddress, $0.count) }
                state.sentByteCount += max(count, 0)
                return count
            }
            if count > 0 { sent += count }
            return sent == bytes.count ? () : nil
        }
    }

    /// The next line.
    func receive() async throws -> String {
        try await poll {
            fill()
            return state.withLock { state in
                guard let end = state.received.firstIndex(of: 0x0A) else { return nil }
                defer { state.received.removeFirst(end + 1) }
                return String(decoding: state.received[..<end], as: UTF8.self)
            }
        }
    }

    /// Bytes that the server's pipe has taken.
    var sentByteCount: Int { state.withLock { $0.sentByteCount } }

    /// The next line as JSON.
    func receiveJSON() async throws -> JSONValue { try await JSONValue(parsing: receive()) }

    /// The next lines as JSON, by the text of their id.
    func receiveByID(_ count: Int) async throws -> [String: JSONValue] {
        var answers: [String: JSONValue] = [:]
        for _ in 0..<count {
            let answer = try await receiveJSON()
            answers[answer["id"]?.text ?? "none"] = answer
        }
        return answers
    }

    /// What has come and was not received.
    func rest() -> String {
        fill()
        return state.withLock { String(decoding: $0.received, as: UTF8.self) }
    }

    func closeInput() {
        state.withLock { state in
            if let input = state.input { close(input) }
            state.input = nil
        }
    }

    func closeOutput() {
        state.withLock { state in
            if let output = state.output { close(output) }
            state.output = nil
        }
    }

    deinit {
        closeInput()
        closeOutput()
    }

    private func fill() {
        state.withLock { state in
            var bytes = [UInt8](repeating: 0, count: 65_536)
            while true {
                let count = read(state.output ?? -1, &bytes, bytes.count)
                guard count > 0 else { return }
                state.received += bytes[..<count]
            }
        }
    }

    func handshake(_ revision: ProtocolRevision = .newestHandshake) async throws {
        try await send(
            #"{"jsonrpc":"2.0","id":"h","method":"initialize","params":{"protocolVersion":"\#(revision.rawValue)","capabilities":{},"clientInfo":{"name":"c","version":"1"}}}"#
        )
        _ = try await receive()
    }
}

/// Calls `attempt` until it gives something, for at most 30 seconds.
func poll<T>(_ attempt: () throws -> T?) async throws -> T {
    let deadline = ContinuousClock.now + .seconds(30)
    while true {
        if let result = try attempt() { return result }
        guard .now < deadline else { throw StdioClient.TimedOut() }
        try await Task.sleep(for: .milliseconds(1))
    }
}

/// A server on two pipes of its own, ended by the end of its input after `body`.
func withStdioServer(
    configuration: ServerSession.Configuration = ServerSession.Configuration(info: fakeInfo),
    tools: any ToolProvider = FakeTools(),
    offer: MCPOffer? = nil,
    options: MCPServer.StdioOptions = MCPServer.StdioOptions(),
    requestTimeout: Duration = .seconds(60),
    times: SessionTimes = SessionTimes(),
    _ body: (StdioClient) async throws -> Void
) async throws {
    let server = MCPServer(configuration, offer: offer ?? .tools(tools), logger: quietLogger, times: times) { id in
        fakeContext(id, timeout: requestTimeout, logger: quietLogger)
    }
    let pipes = try PipePair()
    async let served: Void = server.serveStdio(input: pipes.serverInput, output: pipes.serverOutput, options: options)
    let result: Result<Void, any Error>
    do {
        result = .success(try await body(pipes.client))
    } catch {
        result = .failure(error)
    }
    pipes.client.closeInput()
    try await served
    pipes.closeServerEnds()
    try result.get()
}

/// Two pipes: the server's ends as descriptors, the client's in a `StdioClient`.
struct PipePair {
    let serverInput: Int32
    let serverOutput: Int32
    let client: StdioClient

    init() throws {
        var toServer: [Int32] = [-1, -1]
        var fromServer: [Int32] = [-1, -1]
        guard pipe(&toServer) == 0, pipe(&fromServer) == 0 else { throw POSIXError(.EMFILE) }
        serverInput = toServer[0]
        serverOutput = fromServer[1]
        client = StdioClient(writing: toServer[1], reading: fromServer[0])
    }

    func closeServerEnds() {
        close(serverInput)
        close(serverOutput)
    }
}
