import Domain
import Foundation
import MCP
import Testing

@Suite("Stdio transport")
struct StdioTests {
    private func call(_ id: Int, _ tool: String, key: String = "") -> String {
        let arguments = key.isEmpty ? "{}" : #"{"key":"\#(key)"}"#
        let params = #"{"name":"\#(tool)","arguments":\#(arguments)}"#
        return #"{"jsonrpc":"2.0","id":\#(id),"method":"tools/call","params":\#(params)}"#
    }

    private func ping(_ id: Int) -> String { #"{"jsonrpc":"2.0","id":\#(id),"method":"ping"}"# }

    @Test("a slow tool blocks neither ping nor another tool")
    func slowToolBlocksNobody() async throws {
        let tools = FakeTools()
        try await withStdioServer(tools: tools) { client in
            try await client.handshake()
            for id in 1...20 { try await client.send(call(id, "slow", key: "k")) }
            try await client.send(ping(100))
            #expect(try await client.receiveJSON()["id"] == 100)
            try await client.send(call(101, "text"))
            #expect(try await client.receiveJSON()["id"] == 101)
            try await poll { tools.gate.entered.count == 20 ? () : nil }
            tools.gate.open("k")
            let answers = try await client.receiveByID(20)
            #expect(Set(answers.keys) == Set((1...20).map(String.init)))
        }
    }

    @Test("many calls at once are each answered with their own result")
    func concurrentCalls() async throws {
        try await withStdioServer { client in
            try await client.handshake()
            for round in 0..<10 {
                for number in 0..<40 {
                    let id = round * 40 + number
                    try await client.send(
                        #"{"jsonrpc":"2.0","id":\#(id),"method":"tools/call","params":"#
                            + #"{"name":"add","arguments":{"a":\#(id),"b":1}}}"#
                    )
                }
                let answers = try await client.receiveByID(40)
                for number in 0..<40 {
                    let id = round * 40 + number
                    let sum = answers["\(id)"]?["result"]?["structuredContent"]?["sum"]
                    #expect(sum?.intValue == id + 1)
                }
            }
        }
    }

    @Test("a cancelled call is stopped and never answered")
    func cancellation() async throws {
        let tools = FakeTools()
        try await withStdioServer(tools: tools) { client in
            try await client.handshake()
            try await client.send(call(1, "slow", key: "cancelled"))
            try await client.send(call(2, "slow", key: "kept"))
            try await poll { tools.gate.entered.count == 2 ? () : nil }
            try await client.send(
                #"{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":1,"reason":"bored"}}"#
            )
            try await poll { tools.gate.cancelled == ["cancelled"] ? () : nil }
            tools.gate.open("kept")
            #expect(try await client.receiveJSON()["id"] == 2)
            try await client.send(ping(3))
            #expect(try await client.receiveJSON()["id"] == 3)
            #expect(client.rest().isEmpty)
        }
    }

    @Test("a request past its deadline is answered, and its tool cancelled")
    func deadline() async throws {
        let tools = FakeTools()
        try await withStdioServer(tools: tools, times: SessionTimes(work: .milliseconds(20))) { client in
            try await client.handshake()
            try await client.send(call(1, "slow", key: "k"))
            let answer = try await client.receiveJSON()
            #expect(answer["result"]?["isError"] == true)
            #expect(answer["result"]?["content"]?[0]?["text"]?.stringValue?.contains("deadline") == true)
            try await poll { tools.gate.cancelled == ["k"] ? () : nil }
        }
    }

    @Test("a line over the limit is refused before it ends, skipped, and the next one served")
    func oversizedLine() async throws {
        let options = MCPServer.StdioOptions(messageByteCountMax: 1_000)
        try await withStdioServer(options: options) { client in
            let start = #"{"jsonrpc":"2.0","id":1,"method":"ping","params":{"x":""#
            try await client.send(bytes: Array(start.utf8) + [UInt8](repeating: 0x61, count: 1_000))
            let refusal = try await client.receiveJSON()
            #expect(refusal["error"]?["code"] == -32600)
            #expect(refusal["id"] == .null)
            try await client.send(bytes: [UInt8](repeating: 0x61, count: 3_000_000) + Array("\"}}\n".utf8))
            try await client.send(ping(2))
            #expect(try await client.receiveJSON() == ["jsonrpc": "2.0", "id": 2, "result": [:]])
        }
    }

    @Test("messages up to 4 MiB are taken, one byte more is not")
    func limit() async throws {
        try await withStdioServer { client in
            let (head, tail) = (#"{"jsonrpc":"2.0","id":1,"method":"ping","params":{"x":""#, #""}}"#)
            for (byteCount, id) in [(4 * 1_024 * 1_024, JSONValue.number(1)), (4 * 1_024 * 1_024 + 1, .null)] {
                let filling = [UInt8](repeating: 0x61, count: byteCount - head.utf8.count - tail.utf8.count)
                try await client.send(bytes: Array(head.utf8) + filling + Array("\(tail)\n".utf8))
                #expect(try await client.receiveJSON()["id"] == id)
            }
        }
    }

    @Test("lines end with LF or CRLF, arrive in pieces, and the last may have no end")
    func framing() async throws {
        let pipes = try PipePair()
        let server = MCPServer(info: fakeInfo, offer: .tools(), logger: quietLogger) { fakeContext($0) }
        async let served: Void = server.serveStdio(input: pipes.serverInput, output: pipes.serverOutput)
        try await pipes.client.send(bytes: Array("\r\n\n  \n\(ping(1))\r\n".utf8))
        #expect(try await pipes.client.receiveJSON()["id"] == 1)
        for byte in Array("\(ping(2))\n".utf8) { try await pipes.client.send(bytes: [byte]) }
        #expect(try await pipes.client.receiveJSON()["id"] == 2)
        try await pipes.client.send(bytes: Array("\(ping(3))\n\(ping(4))\n{\"half".utf8))
        #expect(Set(try await pipes.client.receiveByID(2).keys) == ["3", "4"])
        pipes.client.closeInput()
        try await served
        #expect(try await pipes.client.receiveJSON()["error"]?["code"] == -32700)
        pipes.closeServerEnds()
    }
}

@Suite("End of a stdio session")
struct StdioEndTests {
    private let slowCall =
        #"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"slow","arguments":{"key":"k"}}}"#
    private let stuckCall =
        #"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"stuck","arguments":{"key":"k"}}}"#

    private func server(_ tools: FakeTools) -> MCPServer {
        MCPServer(info: fakeInfo, offer: .tools(tools), logger: quietLogger) { fakeContext($0) }
    }

    @Test("requests in flight when the input ends are still answered")
    func flushes() async throws {
        let tools = FakeTools()
        let pipes = try PipePair()
        async let served: Void = server(tools).serveStdio(
            input: pipes.serverInput,
            output: pipes.serverOutput,
            options: .init(drainTimeout: .seconds(30))
        )
        try await pipes.client.handshake()
        try await pipes.client.send(slowCall)
        try await poll { tools.gate.entered == ["k"] ? () : nil }
        pipes.client.closeInput()
        tools.gate.open("k")
        try await served
        #expect(try await pipes.client.receiveJSON()["result"]?["content"]?[0]?["text"] == "at last")
        pipes.closeServerEnds()
    }

    @Test("one that takes too long is cancelled and answered with an error")
    func givesUp() async throws {
        let tools = FakeTools()
        let pipes = try PipePair()
        async let served: Void = server(tools).serveStdio(
            input: pipes.serverInput,
            output: pipes.serverOutput,
            options: .init(drainTimeout: .milliseconds(20))
        )
        try await pipes.client.handshake()
        try await pipes.client.send(slowCall)
        try await poll { tools.gate.entered == ["k"] ? () : nil }
        pipes.client.closeInput()
        try await served
        let answer = try await pipes.client.receiveJSON()
        #expect(answer["id"] == 1)
        #expect(answer["error"]?["code"] == -32603)
        try await poll { tools.gate.cancelled == ["k"] ? () : nil }
        pipes.closeServerEnds()
    }

    @Test("one that ignores its cancellation holds up nothing")
    func stuck() async throws {
        let tools = FakeTools()
        let pipes = try PipePair()
        async let served: Void = server(tools).serveStdio(
            input: pipes.serverInput,
            output: pipes.serverOutput,
            options: .init(drainTimeout: .milliseconds(20))
        )
        try await pipes.client.handshake()
        try await pipes.client.send(stuckCall)
        try await poll { tools.gate.entered == ["k"] ? () : nil }
        pipes.client.closeInput()
        try await served
        #expect(try await pipes.client.receiveJSON()["error"]?["code"] == -32603)
        tools.gate.open("k")
        pipes.closeServerEnds()
    }

    @Test("cancelling the task, as SIGTERM does, ends the session and answers what is in flight")
    func cancelled() async throws {
        let tools = FakeTools()
        let pipes = try PipePair()
        let server = server(tools)
        let task = Task {
            try await server.serveStdio(
                input: pipes.serverInput,
                output: pipes.serverOutput,
                options: .init(drainTimeout: .milliseconds(20))
            )
        }
        try await pipes.client.handshake()
        try await pipes.client.send(slowCall)
        try await poll { tools.gate.entered == ["k"] ? () : nil }
        task.cancel()
        try await task.value
        #expect(try await pipes.client.receiveJSON()["error"]?["code"] == -32603)
        pipes.closeServerEnds()
    }

    @Test("a client that no longer reads its output ends the session, not the process")
    func outputClosed() async throws {
        let pipes = try PipePair()
        async let served: Void = server(FakeTools()).serveStdio(input: pipes.serverInput, output: pipes.serverOutput)
        try await pipes.client.handshake()
        pipes.client.closeOutput()
        try await pipes.client.send(#"{"jsonrpc":"2.0","id":1,"method":"ping"}"#)
        try await served
        pipes.closeServerEnds()
        pipes.client.closeInput()
    }

    @Test("a client that sends without reading is slowed down, loses nothing and can still end the session")
    func backPressure() async throws {
        let pipes = try PipePair()
        async let served: Void = server(FakeTools()).serveStdio(input: pipes.serverInput, output: pipes.serverOutput)
        let name = String(repeating: "n", count: 90)
        let count = 20_000
        let lines = (0..<count).map { #"{"jsonrpc":"2.0","id":\#($0),"method":"\#(name)"}"# }
        async let sent: Void = {
            for line in lines { try await pipes.client.send(line) }
            pipes.client.closeInput()
        }()
        // Nothing is read yet, so sending comes to a stand: two pipes and two queues hold less than a megabyte.
        var stillFor = 0
        var sentByteCount = 0
        try await poll {
            stillFor = pipes.client.sentByteCount == sentByteCount ? stillFor + 1 : 0
            sentByteCount = pipes.client.sentByteCount
            return sentByteCount > 0 && stillFor > 100 ? () : nil
        }
        #expect(sentByteCount < 1_000_000 && lines.reduce(0) { $0 + $1.utf8.count } > 2_000_000)
        for id in 0..<count {
            let answer = try await pipes.client.receiveJSON()
            #expect(answer["id"]?.intValue == id)
            #expect(answer["error"]?["code"] == -32601)
        }
        try await sent
        try await served
        pipes.closeServerEnds()
    }

    @Test("output that nobody reads does not hold up the end")
    func outputStuck() async throws {
        let pipes = try PipePair()
        let server = server(FakeTools())
        let task = Task {
            try await server.serveStdio(
                input: pipes.serverInput,
                output: pipes.serverOutput,
                options: .init(drainTimeout: .milliseconds(20), flushTimeout: .milliseconds(20))
            )
        }
        // More answers than the output's pipe takes.
        let line = #"{"jsonrpc":"2.0","id":1,"method":"nope"}"# + "\n"
        try await pipes.client.send(bytes: Array(String(repeating: line, count: 1_500).utf8))
        task.cancel()
        try await task.value
        pipes.closeServerEnds()
    }

    @Test("a descriptor that can't be read is an error")
    func unreadable() async throws {
        let pipes = try PipePair()
        let directory = open("/", O_RDONLY)
        defer { close(directory) }
        await #expect(throws: MCPError.self) {
            try await server(FakeTools()).serveStdio(input: directory, output: pipes.serverOutput)
        }
        pipes.closeServerEnds()
    }
}
