import Domain
import Outbound
import Synchronization
import TestSupport
import Testing

@testable import App

@Suite("The bridge to a server")
struct BridgeTests {
    // MARK: The era with sessions

    @Test("a session is opened, named in what follows with its revision, and ended; the key stands in its header only")
    func session() async throws {
        let fixture = BridgeFixture { asked in
            switch (asked.request.method, asked.message.method) {
            case (.get, _): .empty(405)
            case (.delete, _): .empty(204)
            case (_, "initialize"): .json(BridgeFixture.opening(asked.message.id), session: "s1")
            case (_, "notifications/initialized"): .empty()
            default: .json(BridgeFixture.result(asked.message.id, ["tools": []]))
            }
        }
        await fixture.open()
        await fixture.take(["jsonrpc": "2.0", "id": "a", "method": "tools/list"])
        let lines = try await fixture.lines(2)
        #expect(lines[0]["result"]?["protocolVersion"] == "2025-06-18")
        #expect(lines[1] == BridgeFixture.result("a", ["tools": []]))
        await fixture.end()
        let asked = fixture.server.asked
        let opening = try #require(asked.first { $0.message.method == "initialize" })
        #expect(opening.header("Mcp-Session-Id") == nil && opening.header("MCP-Protocol-Version") == nil)
        for other in asked where other.message.method != "initialize" {
            #expect(other.header("Mcp-Session-Id") == "s1")
            #expect(other.header("MCP-Protocol-Version") == "2025-06-18")
        }
        #expect(asked.last?.request.method == .delete)
        for one in asked {
            #expect(one.request.url == BridgeFixture.url)
            #expect(one.request.secretHeaders.map(\.name) == ["Authorization"])
            #expect(!one.request.headers.contains { $0.value.contains(BridgeFixture.key) })
            #expect(!one.request.url.contains("key"))
        }
        let list = try #require(asked.first { $0.message.method == "tools/list" })
        #expect(list.header("Accept") == "application/json, text/event-stream")
        #expect(list.header("Content-Type") == "application/json")
        #expect(list.header("Mcp-Method") == nil)
    }

    @Test(
        "what the server says by itself, on its own stream or beside an answer, reaches the client, and the replies go back"
    )
    func streams() async throws {
        let told = Gate()
        let fixture = BridgeFixture { asked in
            switch (asked.request.method, asked.message.method) {
            case (.get, _):
                .events(
                    ["data: {\"jsonrpc\":\"2.0\",\"method\":\"notifications/tools/list_changed\"}\n\n"],
                    end: { try await told.wait() }
                )
            case (_, "initialize"): .json(BridgeFixture.opening(asked.message.id), session: "s1")
            case (_, "tools/call"):
                .events([
                    ": \n\nid: 1\ndata:\n\n",
                    "id: 2\ndata: {\"jsonrpc\":\"2.0\",\"id\":9,\"method\":\"elicita",
                    "tion/create\",\"params\":{}}\n\n",
                    "id: 3\ndata: {\"jsonrpc\":\"2.0\",\n",
                    "data: \"id\":7,\"result\":{}}\n\ndata: {\"jsonrpc\":\"2.0\",\"method\":\"late\"}\n\n",
                ])
            default: .empty()
            }
        }
        await fixture.open()
        _ = try await fixture.lines(2)
        await fixture.take(["jsonrpc": "2.0", "id": 7, "method": "tools/call", "params": ["name": "x"]])
        let lines = try await fixture.lines(4)
        #expect(lines.contains { $0["method"] == "notifications/tools/list_changed" })
        let own = lines.filter { $0["method"] != "notifications/tools/list_changed" }
        #expect(own[1]["method"] == "elicitation/create")
        #expect(own[2] == BridgeFixture.result(7))
        await fixture.take(["jsonrpc": "2.0", "id": 9, "result": ["action": "decline"]])
        #expect(fixture.server.asked.last?.message.kind == .response)
        told.open()
        await fixture.end()
        #expect(fixture.lines.count == 4)
    }

    @Test("an answer whose stream breaks off is taken up where it was; without a place to go on it is an error")
    func resumption() async throws {
        let fixture = BridgeFixture { asked in
            switch (asked.request.method, asked.message.method) {
            case (.get, _):
                asked.header("Last-Event-ID") == "e1"
                    ? .events(["id: e2\ndata: {\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{}}\n\n"]) : .empty(405)
            case (_, "initialize"): .json(BridgeFixture.opening(asked.message.id), session: "s1")
            case (_, "tools/call"):
                .events([asked.message.id == 1 ? "id: e1\nretry: 130\ndata:\n\n" : ": nothing\n\n"]) {
                    throw OutboundError(.connectionLost, "the connection was lost")
                }
            default: .empty()
            }
        }
        await fixture.open()
        await fixture.take(["jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": ["name": "x"]])
        await fixture.take(["jsonrpc": "2.0", "id": 2, "method": "tools/call", "params": ["name": "x"]])
        let lines = try await fixture.lines(3)
        #expect(lines.first { $0["id"] == 1 } == BridgeFixture.result(1))
        let error = try #require(lines.first { $0["id"] == 2 }?["error"])
        #expect(error["code"]?.intValue == -31_010)
        #expect(error["message"]?.stringValue?.contains("broke off") == true)
        // As long as the server said.
        #expect(fixture.pauses == [.milliseconds(130)])
        #expect(MCPBridge.bounded(.zero) == .milliseconds(100))
        #expect(MCPBridge.bounded(.seconds(86_400)) == .seconds(Limits.bridgePauseSeconds))
    }

    @Test("the server's own stream is listened to again when the server says")
    func ownRetry() async throws {
        let isBack = Gate()
        let fixture = BridgeFixture { asked in
            switch (asked.request.method, asked.message.method) {
            case (.get, _):
                if asked.header("Last-Event-ID") == "e1" {
                    isBack.open()
                    return .empty(405)
                }
                return .events(["id: e1\nretry: 140\ndata:\n\n"])
            case (_, "initialize"): return .json(BridgeFixture.opening(asked.message.id), session: "s1")
            default: return .empty()
            }
        }
        await fixture.open()
        try await isBack.wait()
        #expect(fixture.pauses == [.milliseconds(140)])
        await fixture.end()
    }

    @Test("a session that the server has forgotten is opened again, once for all who find it gone")
    func renewal() async throws {
        let opened = Mutex(0)
        let fixture = BridgeFixture { asked in
            switch (asked.request.method, asked.message.method) {
            case (.get, _): return .empty(405)
            case (_, "initialize"):
                let number = opened.withLock { number in
                    number += 1
                    return number
                }
                return .json(BridgeFixture.opening(asked.message.id), session: "s\(number)")
            case (_, "ping"):
                if asked.header("Mcp-Session-Id") == "s1" {
                    return .json(
                        ["jsonrpc": "2.0", "id": .null, "error": ["code": -32600, "message": "gone"]],
                        status: 404
                    )
                }
                return .json(BridgeFixture.result(asked.message.id))
            default: return .empty()
            }
        }
        await fixture.open()
        for id in 1...20 { await fixture.take(["jsonrpc": "2.0", "id": .number(JSONNumber(id)), "method": "ping"]) }
        let lines = try await fixture.lines(21)
        #expect(lines.count == 21 && lines.allSatisfy { $0["error"] == nil })
        #expect(opened.withLock { $0 } == 2)
        // The client heard of one opening only.
        #expect(lines.filter { $0["result"]?["protocolVersion"] != nil }.count == 1)
        #expect(fixture.server.asked.filter { $0.message.method == "notifications/initialized" }.count == 2)
    }

    // MARK: The era without

    @Test("what HTTP wants repeated stands in headers: revision, method, name, and the arguments that the tool marks")
    func headers() async throws {
        let schema: JSONValue = [
            "type": "object",
            "properties": [
                "base": ["type": "string", "x-mcp-header": "Airtable-Base"],
                "count": ["type": "integer", "x-mcp-header": "Count"],
                "isDry": ["type": "boolean", "x-mcp-header": "Dry"],
                "inner": ["type": "object", "properties": ["deep": ["type": "string", "x-mcp-header": "Deep"]]],
                "absent": ["type": "string", "x-mcp-header": "Absent"],
                "bad": ["type": "string", "x-mcp-header": "Not A Token"],
                "plain": ["type": "string"],
            ],
        ]
        let fixture = BridgeFixture { asked in
            guard asked.message.method == "tools/list" else { return .json(BridgeFixture.result(asked.message.id)) }
            let isFirst = asked.message.parameters["cursor"] == nil
            let page: JSONValue =
                isFirst
                ? ["tools": [["name": "other", "inputSchema": ["type": "object"]]], "nextCursor": "2"]
                : ["tools": [["name": "näme", "inputSchema": schema]]]
            return .json(BridgeFixture.result(asked.message.id, page))
        }
        let arguments: JSONValue = [
            "base": "appÄ", "count": 12, "isDry": true, "inner": ["deep": "=?base64?eA==?="], "absent": .null,
            "bad": "x", "plain": "y",
        ]
        for id in [1, 2] as [JSONValue] {
            await fixture.take(BridgeFixture.modern(id, "tools/call", ["name": "näme", "arguments": arguments]))
        }
        let lines = try await fixture.lines(2)
        #expect(lines.allSatisfy { $0["result"] != nil })
        let calls = fixture.server.asked.filter { $0.message.method == "tools/call" }
        #expect(calls.count == 2)
        for call in calls {
            let headers = Dictionary(call.request.headers.map { ($0.name, $0.value) }, uniquingKeysWith: { $1 })
            #expect(
                headers == [
                    "Content-Type": "application/json", "Accept": "application/json, text/event-stream",
                    "MCP-Protocol-Version": "2026-07-28", "Mcp-Method": "tools/call",
                    "Mcp-Name": "=?base64?bsOkbWU=?=", "Mcp-Param-Airtable-Base": "=?base64?YXBww4Q=?=",
                    "Mcp-Param-Count": "12", "Mcp-Param-Dry": "true",
                    "Mcp-Param-Deep": "=?base64?PT9iYXNlNjQ/ZUE9PT89?=",
                ]
            )
        }
        // The list was read because nobody had asked for it, and every page of it; the client hears nothing of that.
        #expect(fixture.server.asked.filter { $0.message.method == "tools/list" }.count >= 2)
        #expect(lines.count == 2)
    }

    @Test("a message that tells what its client can do is of the newest revision, whatever else it lacks")
    func eraByAbilities() {
        func headers(_ meta: JSONValue) -> [String] {
            let message: JSONValue = ["jsonrpc": "2.0", "id": 1, "method": "tools/list", "params": ["_meta": meta]]
            return BridgeHeaders().headers(of: BridgeMessage(message.encoded())).map(\.value)
        }
        #expect(headers(["io.modelcontextprotocol/clientCapabilities": [:]]) == ["2026-07-28", "tools/list"])
        #expect(headers(["io.modelcontextprotocol/protocolVersion": 5]) == ["2026-07-28", "tools/list"])
        #expect(headers(["progressToken": 1]) == [])
    }

    @Test("headers of other methods, and values that HTTP could change")
    func values() {
        func name(_ message: JSONValue) -> String? {
            BridgeHeaders().headers(of: BridgeMessage(message.encoded())).first { $0.name == "Mcp-Name" }?.value
        }
        #expect(
            name(BridgeFixture.modern(1, "resources/read", ["uri": "airtable://app1/schema"]))
                == "airtable://app1/schema"
        )
        #expect(name(BridgeFixture.modern(1, "prompts/get", ["name": "explore"])) == "explore")
        #expect(name(BridgeFixture.modern(1, "tasks/get", ["taskId": "t"])) == "t")
        #expect(name(BridgeFixture.modern(1, "tools/list")) == nil)
        #expect(
            BridgeHeaders().headers(of: BridgeMessage(Array(#"{"jsonrpc":"2.0","id":1,"method":"ping"}"#.utf8))).isEmpty
        )
        for plain in ["a", "a b", "Tasks/é".replacing("é", with: "e"), "=?base64?", "?="] {
            #expect(BridgeHeaders.value(plain) == plain)
        }
        for other in ["", " a", "a ", "a\tb", "a\nb", "é", "=?base64?x?=", "=?base64??="] {
            #expect(BridgeHeaders.value(other).hasPrefix("=?base64?") && BridgeHeaders.value(other) != other)
        }
    }

    @Test("cancelling gives the connection up, and nothing more is said; in the other era it is told to the server")
    func cancelling() async throws {
        let isGone = Gate()
        let never = Gate()
        let fixture = BridgeFixture { asked in
            switch (asked.request.method, asked.message.method) {
            case (.get, _): return .empty(405)
            case (_, "initialize"): return .json(BridgeFixture.opening(asked.message.id), session: "s1")
            case (_, "resources/read"):
                do { try await never.wait() } catch {
                    isGone.open()
                    throw error
                }
                return .empty()
            default: return .empty()
            }
        }
        let cancelled: JSONValue = [
            "jsonrpc": "2.0", "method": "notifications/cancelled", "params": ["requestId": "m"],
        ]
        await fixture.take(BridgeFixture.modern("m", "resources/read", ["uri": "airtable://x"]))
        try await eventually("the server is asked") { !fixture.server.asked.isEmpty }
        await fixture.take(cancelled)
        try await isGone.wait()
        #expect(fixture.server.asked.count == 1)
        await fixture.open()
        await fixture.take(["jsonrpc": "2.0", "id": "m", "method": "tools/call", "params": ["name": "x"]])
        await fixture.take(cancelled)
        #expect(fixture.server.asked.last?.message.method == "notifications/cancelled")
        await fixture.end()
        #expect(fixture.lines.count == 1)
    }

    @Test("what narrows the tools goes with every message")
    func narrowing() async throws {
        let selection = ToolSelection(toolsets: [.search, .records], names: ["b", "a"], isReadOnly: true)
        let fixture = BridgeFixture(selection: selection) { .json(BridgeFixture.result($0.message.id)) }
        await fixture.take(BridgeFixture.modern(1, "tools/list"))
        _ = try await fixture.lines(1)
        let asked = try #require(fixture.server.asked.first)
        #expect(asked.header("X-MCP-Toolsets") == "records,search")
        #expect(asked.header("X-MCP-Tools") == "a,b")
        #expect(asked.header("X-MCP-Readonly") == "true")
    }

    // MARK: What goes wrong

    @Test("no server, one that refuses, and one that is none of ours are errors of JSON-RPC under the request's id")
    func failures() async throws {
        let fixture = BridgeFixture { asked in
            switch asked.message.id {
            case 1: throw OutboundError(.cannotConnect, "no connection to 127.0.0.1:8080")
            case 2:
                return .json(["detail": .string("A valid API key is required, not \(BridgeFixture.key).")], status: 401)
            case 3: return OutboundReply(status: 200, headers: [], body: OutboundBody(Array("<html>".utf8)))
            case 4: return .json(["jsonrpc": "2.0", "error": ["code": -32022, "message": "no"]], status: 400)
            case 5: return .events([": \n\n"])
            default: return .empty(500)
            }
        }
        for id in 1...5 { await fixture.take(BridgeFixture.modern(.number(JSONNumber(id)), "tools/list")) }
        let lines = try await fixture.lines(5)
        func error(_ id: Int) -> JSONValue? { lines.first { $0["id"]?.intValue == id }?["error"] }
        #expect(error(1)?["code"]?.intValue == -31_010)
        #expect(error(1)?["message"]?.stringValue?.contains("no connection to 127.0.0.1:8080") == true)
        #expect(error(2)?["code"]?.intValue == -31_011)
        #expect(error(2)?["data"]?["status"]?.intValue == 401)
        #expect(error(2)?["message"]?.stringValue?.contains("PYAIRTABLE_KEY") == true)
        #expect(!lines.contains { $0.text.contains(BridgeFixture.key) })
        #expect(error(3)?["code"]?.intValue == -31_011)
        #expect(error(4)?["code"]?.intValue == -32_022)
        #expect(error(5)?["message"]?.stringValue?.contains("broke off") == true)
        // A notification is owed nothing.
        await fixture.take(["jsonrpc": "2.0", "method": "notifications/initialized"])
        #expect(fixture.lines.count == 5)
    }

    @Test("what is no message goes to the server, whose refusal comes back; what is too long does not get so far")
    func garbage() async throws {
        let refusal: JSONValue = ["jsonrpc": "2.0", "id": .null, "error": ["code": -32700, "message": "no JSON"]]
        let fixture = BridgeFixture { _ in .json(refusal, status: 400) }
        for line in [
            "{", "nonsense", "[]", #"{"jsonrpc":"2.0","id":null,"method":"ping"}"#,
            #"{"jsonrpc":"2.0","id":1.5,"method":"ping"}"#,
        ] {
            await fixture.bridge.take(Array(line.utf8))
        }
        await fixture.bridge.take([])
        await fixture.bridge.take(Array("  \r".utf8))
        #expect(fixture.lines == Array(repeating: refusal, count: 5))
        #expect(fixture.server.asked.count == 5)
        await fixture.bridge.take(nil)
        #expect(fixture.lines.last?["error"]?["code"]?.intValue == -32_600)
        #expect(fixture.server.asked.count == 5)
    }

    @Test("more at once than a session takes is refused; cancelling still gets through")
    func crowd() async throws {
        let fixture = BridgeFixture { _ in
            // Until it is cancelled.
            try await Task.sleep(for: .seconds(3_600))
            return .empty()
        }
        for id in 0..<Limits.bridgeRequests {
            await fixture.take(BridgeFixture.modern(.number(JSONNumber(id)), "tools/list"))
        }
        await fixture.take(BridgeFixture.modern(.number(JSONNumber(Limits.bridgeRequests)), "tools/list"))
        let lines = try await fixture.lines(1)
        #expect(lines[0]["error"]?["code"]?.intValue == -31_000)
        await fixture.take([
            "jsonrpc": "2.0", "method": "notifications/cancelled", "params": ["requestId": 0],
        ])
        try await eventually("there is room again") {
            fixture.bridge.state.withLock { $0.running.count } == Limits.bridgeRequests - 1
        }
        await fixture.end()
        #expect(fixture.lines.count == 1)
    }

    // MARK: Addresses

    @Test("an address is of the server or of its MCP; a key goes in the clear to this machine only")
    func addresses() throws {
        for (given, text) in [
            ("http://127.0.0.1:8080", "http://127.0.0.1:8080/mcp"), ("http://localhost/", "http://localhost/mcp"),
            ("https://a.example/app", "https://a.example/app/mcp"), ("https://a.example/mcp/", "https://a.example/mcp"),
            ("http://[::1]:80/mcp", "http://[::1]:80/mcp"),
        ] { #expect(try BridgeAddress(given).text == text) }
        for given in ["", "a.example", "ftp://a.example", "http://user:pass@localhost", "https://a.example?x=/mcp"] {
            #expect(throws: BridgeAddressError.unreadable("")) { try BridgeAddress(given) }
        }
        for given in ["http://a.example", "http://10.0.0.1:8080", "http://192.168.1.2/mcp"] {
            #expect(throws: BridgeAddressError.clear) { try BridgeAddress(given) }
        }
    }
}

extension BridgeFixture {
    /// As when the client's output has ended.
    func end() async { await bridge.end() }
}
