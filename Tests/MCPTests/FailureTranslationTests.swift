import Domain
import Logging
import MCP
import Synchronization
import Testing

@Suite("What a provider's failure becomes")
struct FailureTranslationTests {
    private func result(of error: any Error, log: RecordedLog = RecordedLog()) -> ToolResult? {
        let outcome = FailureTranslation.outcome(of: .callTool(ToolCall(name: "t")), error, logger: log.logger)
        guard case .called(let result) = outcome else { return nil }
        return result
    }

    @Test("a failure is a result with its message and hint, and its detail goes to the log alone")
    func failure() throws {
        let log = RecordedLog()
        let failure = FakeFailure(kind: .internal, message: "The base is damaged", hint: "Run doctor.")
        let told = try #require(result(of: failure, log: log))
        #expect(told.text == "The base is damaged\nRun doctor." && told.isError && told.structured == nil)
        #expect(log.entries.count == 1)
        #expect(log.entries[0].level == .error)
        #expect(log.entries[0].metadata["detail"] == "only for the log")
        #expect(log.entries[0].metadata["code"] == "fake")
    }

    @Test("an error that nobody expected says nothing of itself but to the log")
    func unexpected() throws {
        let log = RecordedLog()
        let result = try #require(self.result(of: Unexpected(secret: "hunter2"), log: log))
        #expect(result.isError && !result.text.contains("hunter2"))
        #expect(log.entries[0].level == .error)
        #expect("\(log.entries[0].metadata)".contains("hunter2"))
    }

    @Test("an unknown tool is a protocol error, its name cut short")
    func unknownTool() {
        let name = String(repeating: "n", count: 10_000)
        let outcome = FailureTranslation.outcome(
            of: .callTool(ToolCall(name: name)),
            ToolProviderError.unknownTool(name),
            logger: quietLogger
        )
        guard case .refused(let error) = outcome else { return #expect(Bool(false), "\(outcome)") }
        #expect(error.code == .invalidParams)
        #expect(error.message.utf8.count < 300)
    }

    @Test("a cancellation nobody asked for is a result, not silence")
    func cancellation() {
        #expect(result(of: CancellationError())?.isError == true)
    }

    @Test("the caller's own mistakes are logged for us only", arguments: FailureKind.allCases)
    func levels(kind: FailureKind) {
        let log = RecordedLog()
        _ = result(of: FakeFailure(kind: kind, message: "m", hint: nil), log: log)
        let expected: Logger.Level =
            switch kind {
            case .corrupt, .internal: .error
            case .notConfigured, .busy, .timedOut: .warning
            default: .debug
            }
        #expect(log.entries.map(\.level) == [expected])
    }

    @Test("a list that fails is an internal error with the failure's message")
    func list() {
        let failure = FakeFailure(kind: .busy, message: "Not now", hint: "Later.")
        guard case .refused(let error) = FailureTranslation.outcome(of: .listTools, failure, logger: quietLogger) else {
            return #expect(Bool(false))
        }
        #expect(error == ProtocolError(.internalError, "Not now\nLater."))
    }

    @Test("a context that can't be made fails the request, not the session")
    func noContext() async throws {
        let pipes = try PipePair()
        let server = MCPServer(info: fakeInfo, offer: .tools(), logger: quietLogger) { _ in
            throw FakeFailure(kind: .unauthenticated, message: "The owner is gone", hint: nil)
        }
        async let served: Void = server.serveStdio(input: pipes.serverInput, output: pipes.serverOutput)
        try await pipes.client.handshake()
        try await pipes.client.send(#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"text"}}"#)
        let called = try await pipes.client.receiveJSON()
        #expect(called["result"]?["content"]?[0]?["text"] == "The owner is gone")
        try await pipes.client.send(#"{"jsonrpc":"2.0","id":2,"method":"tools/list"}"#)
        #expect(try await pipes.client.receiveJSON()["error"]?["code"] == -32603)
        pipes.client.closeInput()
        try await served
        pipes.closeServerEnds()
    }

    @Test("what is logged for a request is found by the trace that its caller names, in either era")
    func traces() async throws {
        let log = RecordedLog()
        let pipes = try PipePair()
        let server = MCPServer(info: fakeInfo, offer: .tools(), logger: log.logger) { id in
            fakeContext(id, logger: log.logger)
        }
        async let served: Void = server.serveStdio(input: pipes.serverInput, output: pipes.serverOutput)
        try await pipes.client.handshake()
        let parent = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
        let alone =
            #""io.modelcontextprotocol/protocolVersion":"2026-07-28","io.modelcontextprotocol/clientCapabilities":{},"#
        for (id, meta) in [
            #""traceparent":"\#(parent)""#, #"\#(alone)"traceparent":"\#(parent)""#, #""traceparent":"x""#,
        ].enumerated() {
            try await pipes.client.send(
                #"{"jsonrpc":"2.0","id":\#(id),"method":"tools/call","params":{"name":"refused","_meta":{\#(meta)}}}"#
            )
            _ = try await pipes.client.receive()
        }
        pipes.client.closeInput()
        try await served
        pipes.closeServerEnds()
        let traces = log.entries.filter { $0.message == "MCP tool failed" }.map { $0.metadata["trace_id"] }
        #expect(traces == ["4bf92f3577b34da6a3ce929d0e0e4736", "4bf92f3577b34da6a3ce929d0e0e4736", nil])
    }

    @Test("each request has a context of its own, with an id of its own")
    func contexts() async throws {
        let ids = Mutex<[String]>([])
        let pipes = try PipePair()
        let server = MCPServer(info: fakeInfo, offer: .tools(), logger: quietLogger) { id in
            ids.withLock { $0.append(id) }
            return fakeContext(id)
        }
        async let served: Void = server.serveStdio(input: pipes.serverInput, output: pipes.serverOutput)
        try await pipes.client.handshake()
        for id in 1...5 {
            try await pipes.client.send(#"{"jsonrpc":"2.0","id":\#(id),"method":"tools/list"}"#)
            _ = try await pipes.client.receive()
        }
        pipes.client.closeInput()
        try await served
        pipes.closeServerEnds()
        #expect(ids.withLock { Set($0).count } == 5)
    }
}

/// A log that tests can read.
final class RecordedLog: Sendable {
    struct Entry: Sendable {
        let level: Logger.Level
        let message: String
        let metadata: [String: String]
    }

    private let state = Mutex<[Entry]>([])

    var entries: [Entry] { state.withLock { $0 } }
    var logger: Logger {
        var logger = Logger(label: "recorded") { _ in Handler(log: self) }
        logger.logLevel = .trace
        return logger
    }

    private struct Handler: LogHandler {
        let log: RecordedLog
        var metadata: Logger.Metadata = [:]
        var logLevel = Logger.Level.trace

        subscript(metadataKey key: String) -> Logger.Metadata.Value? {
            get { metadata[key] }
            set { metadata[key] = newValue }
        }

        func log(event: LogEvent) {
            let metadata = metadata.merging(event.metadata ?? [:]) { $1 }.mapValues { "\($0)" }
            let entry = Entry(level: event.level, message: "\(event.message)", metadata: metadata)
            log.state.withLock { $0.append(entry) }
        }
    }
}
