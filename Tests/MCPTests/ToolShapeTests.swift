import Domain
import MCP
import Testing

@Suite("Shapes by revision")
struct ToolShapeTests {
    /// The session's one answer to a request, its work done by `FakeTools`.
    private func answer(
        _ revision: ProtocolRevision,
        _ method: String,
        _ params: JSONValue = [:],
        outcome: ((Work) -> WorkOutcome)? = nil
    ) throws -> JSONValue {
        var session = ServerSession(ServerSession.Configuration(info: fakeInfo))
        func receive(_ method: String, _ params: JSONValue) -> [SessionAction] {
            let message: JSONValue = ["jsonrpc": "2.0", "id": 1, "method": .string(method), "params": params]
            return session.handle(.received(MessageDecoder.decode(message)))
        }
        let hello: JSONValue = [
            "protocolVersion": .string(revision.rawValue), "capabilities": [:],
            "clientInfo": ["name": "c", "version": "1"],
        ]
        var actions = receive("initialize", hello)
        if method != "initialize" { actions = receive(method, params) }
        if case .start(let id, let assignment) = actions.first {
            let work = assignment.work
            actions = session.handle(.finished(id, outcome?(work) ?? Transcript.outcome(of: work)))
        }
        guard actions.count == 2, case .send(let message, _) = actions[0], case .settle = actions[1] else {
            throw FakeFailure(kind: .internal, message: "expected one answer, got \(actions)", hint: nil)
        }
        return message.json
    }

    private func expectNoViolations(_ value: JSONValue, _ schema: JSONSchema) {
        #expect(schema.violations(of: value).isEmpty, "\(value)")
    }

    @Test("initialize, ping and tools fit the revision's schema", arguments: ProtocolRevision.handshakes)
    func fits(revision: ProtocolRevision) throws {
        expectNoViolations(try answer(revision, "initialize"), WireSchemas.initialize(revision))
        expectNoViolations(try answer(revision, "ping"), WireSchemas.ping)
        expectNoViolations(try answer(revision, "tools/list"), WireSchemas.listTools(revision))
        for name in ["add", "text", "list"] {
            let params: JSONValue = ["name": .string(name), "arguments": ["a": 1, "b": 2]]
            expectNoViolations(try answer(revision, "tools/call", params), WireSchemas.callTool(revision))
        }
        expectNoViolations(try answer(revision, "nope"), WireSchemas.error)
        expectNoViolations(try answer(revision, "tools/call", ["name": 1]), WireSchemas.error)
    }

    @Test("LLM-06: nothing hides in the text that a model reads; the structured value is as it is stored")
    func hidden() throws {
        let value: JSONValue = ["note": "a\u{E0041}\u{202E}b"]
        let result = ToolResult(text: "note: a\u{E0041}\u{202E}b\u{1B}[2J", structured: value)
        for revision in ProtocolRevision.handshakes {
            let params: JSONValue = ["name": "text", "arguments": [:]]
            let message = try answer(revision, "tools/call", params) { _ in .called(result) }
            let text = message["result"]?["content"]?[0]?["text"]
            #expect(text == #"note: a\u{E0041}\u{202E}b\u{1B}[2J"#)
            if let structured = message["result"]?["structuredContent"] { #expect(structured == value) }
        }
    }

    @Test("a schema of these notices what a revision does not know")
    func schemasAreStrict() throws {
        let newest = try answer(.november2025, "tools/list")
        #expect(!WireSchemas.listTools(.march2025).violations(of: newest).isEmpty)
        #expect(!WireSchemas.listTools(.november2024).violations(of: newest).isEmpty)
        let call: JSONValue = ["name": "add", "arguments": ["a": 1, "b": 2]]
        let structured = try answer(.november2025, "tools/call", call)
        #expect(!WireSchemas.callTool(.march2025).violations(of: structured).isEmpty)
    }

    @Test(
        "structured content fits the tool's own output schema",
        arguments: [ProtocolRevision.june2025, .november2025]
    )
    func structuredContent(revision: ProtocolRevision) throws {
        let call: JSONValue = ["name": "add", "arguments": ["a": 1, "b": 2]]
        let result = try #require(try answer(revision, "tools/call", call)["result"])
        let listed = try #require(try answer(revision, "tools/list")["result"]?["tools"]?[0])
        let schema = JSONSchema(json: try #require(listed["outputSchema"]))
        let structured = try #require(result["structuredContent"])
        #expect(structured == ["sum": 3])
        expectNoViolations(structured, schema)
        #expect(result["content"]?[0]?["text"] == "1 + 2 = 3")
    }

    @Test("a failed call has no structured content, even if its tool gave some", arguments: ProtocolRevision.handshakes)
    func failedCall(revision: ProtocolRevision) throws {
        let result = ToolResult(text: "no", structured: ["sum": 1], isError: true)
        let answer = try answer(revision, "tools/call", ["name": "add"]) { _ in .called(result) }
        #expect(answer["result"] == ["content": [["type": "text", "text": "no"]], "isError": true])
    }

    @Test("an output schema whose root is no object is not shown before 2026-07-28")
    func outputSchemaRoot() throws {
        let tool = ToolDefinition(
            name: "t",
            title: "T",
            description: "d",
            inputSchema: .object(properties: [:]),
            outputSchema: .array(of: .integer()),
            annotations: .readOnly,
            permission: .recordsRead
        )
        let answer = try answer(.november2025, "tools/list") { _ in .tools([tool]) }
        #expect(answer["result"]?["tools"]?[0]?["name"] == "t")
        #expect(answer["result"]?["tools"]?[0]?["outputSchema"] == nil)
    }

    @Test("pages put together are the list, in its order", arguments: 1...8)
    func pages(size: Int) throws {
        var session = ServerSession(ServerSession.Configuration(info: fakeInfo, toolsPageSize: size))
        _ = session.handle(.received(try #require(MessageDecoder.decode(Array(handshake.utf8)))))
        var names: [String] = []
        var cursor: JSONValue?
        repeat {
            var params: JSONObject = [:]
            params["cursor"] = cursor
            let request: JSONValue = ["jsonrpc": "2.0", "id": 1, "method": "tools/list", "params": .object(params)]
            guard case .start(let id, _) = session.handle(.received(MessageDecoder.decode(request))).first,
                case .send(let message, _) = session.handle(.finished(id, .tools(FakeTools.definitions))).first
            else { throw FakeFailure(kind: .internal, message: "not answered", hint: nil) }
            let tools = try #require(message.json["result"]?["tools"]?.arrayValue)
            #expect(!tools.isEmpty && tools.count <= size)
            names += tools.compactMap { $0["name"]?.stringValue }
            cursor = message.json["result"]?["nextCursor"]
        } while cursor != nil
        #expect(names == FakeTools.definitions.map(\.name))
    }

    @Test("a cursor of a list that has changed since is refused; an empty one is the start")
    func staleCursor() throws {
        var session = ServerSession(ServerSession.Configuration(info: fakeInfo, toolsPageSize: 2))
        _ = session.handle(.received(try #require(MessageDecoder.decode(Array(handshake.utf8)))))
        func list(_ cursor: JSONValue, _ tools: [ToolDefinition]) throws -> JSONValue {
            let request: JSONValue = ["jsonrpc": "2.0", "id": 1, "method": "tools/list", "params": ["cursor": cursor]]
            guard case .start(let id, _) = session.handle(.received(MessageDecoder.decode(request))).first,
                case .send(let message, _) = session.handle(.finished(id, .tools(tools))).first
            else { throw FakeFailure(kind: .internal, message: "not answered", hint: nil) }
            return message.json
        }
        let first = try list("", FakeTools.definitions)
        let cursor = try #require(first["result"]?["nextCursor"])
        #expect(try list(cursor, FakeTools.definitions)["result"]?["tools"]?.arrayValue?.count == 2)
        #expect(try list(cursor, FakeTools.definitions.dropLast())["error"]?["code"] == -32602)
        #expect(try list(cursor, FakeTools.definitions.reversed())["error"]?["code"] == -32602)
    }

    private let handshake =
        #"{"jsonrpc":"2.0","id":0,"method":"initialize","params":{"protocolVersion":"2025-11-25","capabilities":{},"clientInfo":{"name":"c","version":"1"}}}"#
}
