import Domain
import MCP
import Testing

@Suite("Streamable HTTP without sessions (2026-07-28)")
struct AloneEndpointTests {
    let tools = FakeTools()
    private let watcher = FakeWatcher()
    private let sealer = FakeSealer()

    var client: EndpointClient {
        EndpointClient(
            endpoint: MCPEndpoint(
                ServerSession.Configuration(info: fakeInfo),
                offer: .everything(tools, watcher: watcher, sealer: sealer),
                logger: quietLogger
            )
        )
    }

    /// A request as an official client sends it, but for what a test changes.
    func request(
        _ method: String,
        _ params: JSONObject = [:],
        id: JSONValue = 1,
        meta: JSONObject? = ["io.modelcontextprotocol/protocolVersion": "2026-07-28"],
        capabilities: JSONValue? = [:],
        _ change: (inout EndpointRequest.Headers) -> Void = { _ in }
    ) -> EndpointRequest {
        var params = params
        if var meta {
            if let capabilities { meta["io.modelcontextprotocol/clientCapabilities"] = capabilities }
            params["_meta"] = .object(meta)
        }
        let body: JSONValue = ["jsonrpc": "2.0", "id": id, "method": .string(method), "params": .object(params)]
        var headers = EndpointRequest.Headers()
        headers.accept = ["application/json, text/event-stream"]
        headers.protocolVersions = ["2026-07-28"]
        headers.methods = [method]
        if let name = params["name"]?.stringValue ?? params["uri"]?.stringValue { headers.names = [name] }
        change(&headers)
        return EndpointRequest(.post(body: body.encoded()), headers)
    }

    func call(_ tool: String, _ arguments: JSONObject = [:]) -> JSONObject {
        ["name": .string(tool), "arguments": .object(arguments)]
    }

    // MARK: Requests

    @Test("any request works cold, without a session, and says who answers")
    func cold() async throws {
        let client = client
        for method in ["tools/list", "resources/list", "resources/templates/list", "prompts/list", "server/discover"] {
            let reply = await client.send(request(method))
            #expect(reply.status == 200 && reply.newSession == nil)
            let result = try #require(reply.json?["result"])
            #expect(result["resultType"] == "complete" && result["cacheScope"] == "private")
            #expect(result["ttlMs"]?.intValue ?? -1 >= 0)
            let info = result["_meta"]?["io.modelcontextprotocol/serverInfo"]
            #expect(info?["name"] == "fake" && info?["version"] == "1.2.3")
        }
        #expect(client.endpoint.sessionCount == 0)
        let called = await client.send(request("tools/call", call("add", ["a": 1, "b": 2])))
        #expect(called.json?["result"]?["structuredContent"] == ["sum": 3])
        #expect(called.json?["result"]?["ttlMs"] == nil)
    }

    @Test("both eras are served at once")
    func bothEras() async throws {
        let client = client
        let legacy = try await client.initialized()
        async let slow = legacy.call(1, "slow", #"{"key":"a"}"#)
        async let alone = client.send(request("tools/call", call("slow", ["key": "b"])))
        try await poll { Set(tools.gate.entered) == ["a", "b"] ? () : nil }
        #expect(await client.send(request("tools/list")).status == 200)
        tools.gate.open("b")
        #expect(await alone.json?["result"]?["resultType"] == "complete")
        tools.gate.open("a")
        #expect(await slow.json?["result"]?["resultType"] == nil)
    }

    @Test("what must be in _meta is asked for, with 400 and the request's id")
    func meta() async throws {
        let version = "io.modelcontextprotocol/protocolVersion"
        let requests: [(EndpointRequest, Int)] = [
            (request("server/discover", meta: nil), -32602),
            (request("server/discover", meta: [:]), -32602),
            (request("server/discover", capabilities: nil), -32602),
            (request("server/discover", capabilities: []), -32602),
            (request("server/discover", meta: [version: 7]), -32020),
            (request("tools/list", meta: [version: "1900-01-01"]), -32020),
            (request("tools/list", meta: [version: "1900-01-01"]) { $0.protocolVersions = ["1900-01-01"] }, -32022),
            (request("tools/list", meta: [version: "2025-11-25"]) { $0.protocolVersions = ["2025-11-25"] }, -32022),
            // Another revision may have other headers.
            (
                request("tools/list", meta: [version: "2030-01-01"]) {
                    ($0.protocolVersions, $0.methods) = (["2030-01-01"], [])
                }, -32022
            ),
            (request("tools/list") { $0.protocolVersions = [] }, -32020),
        ]
        for (request, code) in requests {
            let reply = await client.send(request)
            #expect(reply.status == 400)
            #expect(reply.code == code)
            #expect(reply.json?["id"] == 1)
        }
    }

    @Test("a version that is not served is answered with those that are")
    func unsupported() async throws {
        let version = "io.modelcontextprotocol/protocolVersion"
        let reply = await client.send(
            request("server/discover", meta: [version: "v9"]) { $0.protocolVersions = ["v9"] }
        )
        let data = reply.json?["error"]?["data"]
        #expect(data?["requested"] == "v9")
        #expect(data?["supported"] == ["2026-07-28", "2025-11-25", "2025-06-18", "2025-03-26", "2024-11-05"])
    }

    @Test(
        "methods that the revision took away are not there, nor are unknown ones",
        arguments: [
            "initialize", "ping", "logging/setLevel", "resources/subscribe", "resources/unsubscribe", "nope",
            "tasks/get", "",
        ]
    )
    func removed(_ method: String) async {
        let reply = await client.send(request(method, id: "x"))
        #expect(reply.status == 404)
        #expect(reply.code == -32601)
        #expect(reply.json?["id"] == "x")
    }

    @Test("what is not there is -32602 with 400, a resource with its address")
    func notThere() async {
        let requests = [
            request("tools/call", call("nope")), request("resources/read", ["uri": "fake://nope"]),
            request("resources/read", ["uri": "fake://empty"]), request("prompts/get", ["name": "nope"]),
            request("prompts/get", ["name": "greet"]), request("tools/list", ["cursor": "x"]),
            request(
                "completion/complete",
                [
                    "ref": ["type": "ref/prompt", "name": "nope"], "argument": ["name": "who", "value": ""],
                ]
            ),
        ]
        for request in requests {
            let reply = await client.send(request)
            #expect(reply.status == 400)
            #expect(reply.code == -32602)
        }
        let missing = await client.send(requests[1])
        #expect(missing.json?["error"]?["data"]?["uri"] == "fake://nope")
    }

    // MARK: Streams

    @Test("what is said before the answer makes a stream, without ids; silence is plain JSON")
    func progress() async throws {
        var params = call("counts")
        #expect(await client.send(request("tools/call", params)).json?["result"] != nil)
        params["_meta"] = nil
        let meta: JSONObject = ["io.modelcontextprotocol/protocolVersion": "2026-07-28", "progressToken": "t"]
        let reader = StreamReader(
            try #require(await client.send(request("tools/call", params, meta: meta)).stream)
        )
        await reader.end()
        #expect(reader.messages.compactMap { $0["params"]?["progress"]?.intValue } == [1, 2, 3])
        #expect(reader.messages.dropLast().allSatisfy { $0["params"]?["progressToken"] == "t" })
        #expect(reader.messages.last?["id"] == 1)
        let ids = reader.events.compactMap(\.id)
        #expect(ids.isEmpty)
    }

    @Test("the log is told to who asks for it, from the level on that they ask for")
    func logging() async throws {
        #expect(await client.send(request("tools/call", call("logs"))).json?["result"] != nil)
        let meta: JSONObject = [
            "io.modelcontextprotocol/protocolVersion": "2026-07-28", "io.modelcontextprotocol/logLevel": "error",
        ]
        let reply = await client.send(request("tools/call", call("logs"), meta: meta))
        let reader = StreamReader(try #require(reply.stream))
        await reader.end()
        let levels = reader.messages.compactMap { $0["params"]?["level"]?.stringValue }
        #expect(levels == ["error", "critical", "alert", "emergency"])
    }

    @Test("a client that goes away cancels its request")
    func disconnect() async throws {
        let waiting = Task { await client.send(request("tools/call", call("slow", ["key": "a"]))) }
        try await poll { tools.gate.entered == ["a"] ? () : nil }
        waiting.cancel()
        try await poll { tools.gate.cancelled == ["a"] ? () : nil }
        _ = await waiting.value
    }

    @Test("a long answer becomes a stream, and going away from it cancels too")
    func long() async throws {
        let client = EndpointClient(
            endpoint: MCPEndpoint(
                ServerSession.Configuration(info: fakeInfo),
                offer: .tools(tools),
                logger: quietLogger,
                times: SessionTimes(streamAfter: .zero)
            )
        )
        let first = await client.send(request("tools/call", call("slow", ["key": "a"])))
        let reader = StreamReader(try #require(first.stream))
        try await poll { tools.gate.entered == ["a"] ? () : nil }
        tools.gate.open("a")
        await reader.end()
        #expect(reader.messages.map { $0["id"] } == [1])
        let second = StreamReader(
            try #require(await client.send(request("tools/call", call("slow", ["key": "b"]))).stream)
        )
        try await poll { tools.gate.entered == ["a", "b"] ? () : nil }
        await second.leave()
        try await poll { tools.gate.cancelled == ["b"] ? () : nil }
    }

    @Test("a client that takes JSON alone gets it, or 406 where only a stream will do")
    func jsonAlone() async {
        let plain = await client.send(request("tools/call", call("text")) { $0.accept = ["application/json"] })
        #expect(plain.status == 200)
        let meta: JSONObject = [
            "io.modelcontextprotocol/protocolVersion": "2026-07-28", "io.modelcontextprotocol/logLevel": "debug",
            "progressToken": 1,
        ]
        for tool in ["counts", "logs"] {
            let reply = await client.send(
                request("tools/call", call(tool), meta: meta) { $0.accept = ["application/json"] }
            )
            #expect(reply.status == 200)
            #expect(reply.json?["result"]?["isError"] == false, "what is said before is left out")
        }
        let asked = await client.send(
            request("tools/call", call("confirms"), capabilities: ["elicitation": [:]]) {
                $0.accept = ["application/json"]
            }
        )
        #expect(asked.json?["result"]?["resultType"] == "input_required", "a question is an answer")
        let listen = await client.send(
            request("subscriptions/listen", ["notifications": ["toolsListChanged": true]]) {
                $0.accept = ["application/json"]
            }
        )
        #expect(listen.status == 406)
        #expect(listen.json?["id"] == 1)
    }

    // MARK: Subscriptions

    @Test("a subscription says first what it honours, then what happens, each with its id, and nothing else")
    func listen() async throws {
        let wanted: JSONValue = [
            "toolsListChanged": true, "resourceSubscriptions": ["fake://a", "fake://nope"], "promptsListChanged": false,
        ]
        let reply = await client.send(request("subscriptions/listen", ["notifications": wanted], id: 7))
        let stream = try #require(reply.stream)
        #expect(stream.isOpenEnded)
        let reader = StreamReader(stream)
        try await reader.count(1)
        let tag = "io.modelcontextprotocol/subscriptionId"
        #expect(reader.messages[0]["method"] == "notifications/subscriptions/acknowledged")
        #expect(
            reader.messages[0]["params"]?["notifications"]
                == ["toolsListChanged": true, "resourceSubscriptions": ["fake://a"]]
        )
        for change in [OfferChange.prompts, .resource(uri: "fake://b"), .resource(uri: "fake://a"), .tools] {
            watcher.tell(change)
        }
        try await reader.count(3)
        let methods = reader.messages.map { $0["method"]?.stringValue }
        #expect(methods[1...] == ["notifications/resources/updated", "notifications/tools/list_changed"])
        let tags = reader.messages.map { $0["params"]?["_meta"]?[tag] }
        #expect(tags.allSatisfy { $0 == 7 })
        await stream.finish()
        await reader.end()
        let last = reader.messages.last?["result"]
        #expect(last?["resultType"] == "complete" && last?["_meta"]?[tag] == 7)
        try await poll { watcher.followerCount == 0 ? () : nil }
    }

    @Test("who goes away is told nothing more, and leaves nothing behind; who loses the right is told the end")
    func unlisten() async throws {
        func listen() async throws -> StreamReader {
            let params: JSONObject = ["notifications": ["toolsListChanged": true]]
            let reader = StreamReader(
                try #require(await client.send(request("subscriptions/listen", params)).stream)
            )
            try await reader.count(1)
            return reader
        }
        let (leaving, staying) = (try await listen(), try await listen())
        #expect(watcher.followerCount == 2)
        await leaving.leave()
        try await poll { watcher.followerCount == 1 ? () : nil }
        watcher.end()
        await staying.end()
        #expect(staying.messages.last?["result"] != nil)
    }

    // MARK: What is not taken

    @Test("batches and answers are not taken; a notification is, and says nothing")
    func others() async {
        func send(_ body: JSONValue) async -> EndpointReply {
            var headers = EndpointRequest.Headers()
            headers.protocolVersions = ["2026-07-28"]
            return await client.send(EndpointRequest(.post(body: body.encoded()), headers))
        }
        #expect(await send([["jsonrpc": "2.0", "id": 1, "method": "tools/list"]]).code == -32600)
        #expect(await send(["jsonrpc": "2.0", "id": 1, "result": [:]]).code == -32600)
        #expect(await send(["jsonrpc": "2.0", "method": "notifications/cancelled"]).status == 202)
    }
}
