import Domain
import MCP
import Testing

@Suite("Streamable HTTP")
struct EndpointTests {
    private let tools = FakeTools()
    private let clock = ManualClock()

    private func client(
        sessionsMax: Int = 100,
        perOwner: Int = 10,
        times: SessionTimes = SessionTimes()
    ) -> EndpointClient {
        EndpointClient(
            endpoint: MCPEndpoint(
                ServerSession.Configuration(info: fakeInfo, requestsInFlightMax: 4, batchMessagesMax: 6),
                offer: .tools(tools),
                logger: quietLogger,
                times: times,
                sessionsMax: sessionsMax,
                sessionsPerOwnerMax: perOwner,
                sessionIdleMax: .seconds(100),
                now: { [clock] in clock.now }
            )
        )
    }

    // MARK: Handshake

    @Test("every revision with a handshake opens a session of its own", arguments: ProtocolRevision.handshakes)
    func handshake(_ revision: ProtocolRevision) async throws {
        let client = client()
        let first = try await client.initialized(revision.rawValue)
        let second = try await client.initialized(revision.rawValue)
        #expect(first.session != second.session)
        #expect(client.endpoint.sessionCount == 2)
        for client in [first, second] {
            let id = try #require(client.session)
            #expect(id.count == 64 && id.utf8.allSatisfy { (0x21...0x7E).contains($0) })
            #expect(await client.post(#"{"jsonrpc":"2.0","method":"notifications/initialized"}"#).status == 202)
            #expect(await client.call(1, "add", #"{"a":1,"b":2}"#).json?["result"]?["isError"] == false)
            #expect(await client.post(#"{"jsonrpc":"2.0","id":"p","method":"ping"}"#).json?["result"] == [:])
        }
    }

    @Test("a handshake that fails opens nothing")
    func failedHandshake() async {
        let client = client()
        let reply = await client.post(#"{"jsonrpc":"2.0","id":0,"method":"initialize","params":{}}"#)
        #expect(reply.code == -32602)
        #expect(reply.newSession == nil)
        #expect(client.endpoint.sessionCount == 0)
    }

    @Test("the version header is checked when it is there", arguments: ["1900-01-01", "", "latest"])
    func versionHeader(_ version: String) async throws {
        var client = try await client().initialized()
        for supported in ProtocolRevision.handshakes {
            client.version = supported.rawValue
            #expect(await client.call(1, "text").status == 200)
        }
        client.version = version
        for reply in [await client.call(1, "text"), await client.send(.get), await client.send(.delete)] {
            #expect(reply.status == 400)
            #expect(reply.code == -32022)
        }
        client.version = nil
        #expect(await client.call(1, "text").status == 200)
    }

    @Test("a session is nothing to a client of 2026-07-28: nothing to listen to, nothing to end")
    func newestHeader() async throws {
        var client = try await client().initialized()
        client.version = "2026-07-28"
        #expect(await client.send(.get).status == 405)
        #expect(await client.send(.delete).status == 405)
        client.version = nil
        #expect(await client.call(1, "text").status == 200)
    }

    // MARK: Refusals

    @Test(
        "a body that is no message is 400, with the error of JSON-RPC",
        arguments: [
            ("", -32700), (" \n", -32700), ("{", -32700), (#"{"jsonrpc":"2.0","id":1,"id":2}"#, -32700), ("7", -32600),
            (#"{"jsonrpc":"2.0","id":null,"method":"ping"}"#, -32600), (#"{"jsonrpc":"2.0","id":1}"#, -32600),
            (#"{"jsonrpc":"1.0","id":1,"method":"ping"}"#, -32600), (#"[{"jsonrpc":"2.0","method":"x"}]"#, -32600),
            (#"{"jsonrpc":"2.0","id":1,"method":"ping","params":[]}"#, -32602),
        ]
    )
    func malformed(_ body: String, _ code: Int) async throws {
        let reply = try await client().initialized().post(body)
        #expect(reply.status == 400)
        #expect(reply.code == code)
    }

    @Test("without a session's id only the handshake is served; with a wrong one nothing")
    func unknownSession() async throws {
        var client = client()
        let ping = #"{"jsonrpc":"2.0","id":1,"method":"ping"}"#
        #expect(await client.post(ping).status == 400)
        #expect(await client.send(.get).status == 405)
        #expect(await client.send(.delete).status == 405)
        client.version = "2025-11-25"
        #expect(await client.send(.get).status == 400)
        #expect(await client.send(.delete).status == 400)
        client.session = String(repeating: "0", count: 64)
        for reply in [await client.post(ping), await client.send(.get), await client.send(.delete)] {
            #expect(reply.status == 404)
            #expect(reply.code == -32600)
        }
    }

    @Test("a refusal names the request it refuses, as far as that can be read")
    func namedRefusals() async throws {
        let good = try await client().initialized()
        let ping = #"{"jsonrpc":"2.0","id":"p","method":"ping"}"#
        let broken: [(Int, (inout EndpointClient) -> Void)] = [
            (400, { $0.session = nil }), (404, { $0.session = String(repeating: "0", count: 64) }),
            (400, { $0.version = "1900-01-01" }), (406, { $0.accept = ["text/html"] }),
        ]
        for (status, change) in broken {
            var client = good
            change(&client)
            let reply = await client.post(ping)
            #expect(reply.status == status)
            #expect(reply.json?["id"] == "p")
            #expect(await client.post(#"{"jsonrpc":"2.0","method":"x"}"#).json?["id"] == .null)
        }
        var headers = good.headers
        headers.sessionIDs += headers.sessionIDs
        let twice = await good.send(EndpointRequest(.post(body: Array(ping.utf8)), headers))
        #expect(twice.status == 400 && twice.json?["id"] == "p")
    }

    @Test("a session's id opens nothing for another key, user or tenant")
    func boundToOwner() async throws {
        let owner = try await client().initialized()
        var thief = owner
        thief.caller = FakeCaller()
        #expect(await thief.call(1, "text").status == 404)
        #expect(await thief.send(.get).status == 404)
        #expect(await thief.send(.delete).status == 404)
        thief = owner
        thief.caller.key = .random()
        #expect(await thief.call(1, "text").status == 404)
        #expect(await owner.call(1, "text").status == 200)
    }

    @Test("what the client takes decides between JSON and events")
    func accept() async throws {
        var client = try await client().initialized()
        let expectations: [([String], EndpointReply.Form?)] = [
            ([], .json), (["*/*"], .json), (["application/json"], .json), (["application/*;q=0.5, text/html"], .json),
            (["text/event-stream"], .events), (["text/*"], .events), (["application/json;q=0, */*"], .events),
            (["text/event-stream", "application/json"], .json), (["text/html"], nil), (["*/*;q=0"], nil),
        ]
        for (accept, form) in expectations {
            client.accept = accept
            let reply = await client.call(1, "text")
            switch (reply, form) {
            case (.message(let message, let its, _, _), let form?):
                #expect(its == form)
                #expect(message.json["id"] == 1)
            case (.refused(let refusal), nil): #expect(refusal.status == 406)
            default: Issue.record("\(accept): \(reply)")
            }
            let handshake = await client.post(
                #"{"jsonrpc":"2.0","id":0,"method":"initialize","params":{"protocolVersion":"2025-11-25","capabilities":{},"clientInfo":{"name":"c","version":"1"}}}"#
            )
            if case .message(_, let its, _, let id) = handshake {
                #expect(its == form && id != nil)
            } else {
                #expect(form == nil)
            }
        }
        client.accept = ["application/json"]
        #expect(await client.send(.get).status == 406)
        client.accept = []
        #expect(await client.send(.get).status == 406)
    }

    // MARK: Batches

    @Test("a batch is one array in 2025-03-26, nothing when nothing in it asks, and 400 in every other revision")
    func batches() async throws {
        let body =
            #"[{"jsonrpc":"2.0","id":1,"method":"ping"},{"jsonrpc":"2.0","method":"x"},"#
            + #"{"jsonrpc":"2.0","id":2,"method":"tools/call","params":{"name":"text"}}]"#
        let client = try await client().initialized("2025-03-26")
        let answers = try #require(await client.post(body).json?.arrayValue)
        #expect(Set(answers.compactMap { $0["id"]?.intValue }) == [1, 2])
        #expect(
            await client.post(#"[{"jsonrpc":"2.0","method":"x"},{"jsonrpc":"2.0","id":9,"result":{}}]"#).status == 202
        )
        #expect(await client.post("[]").status == 400)
        #expect(await client.post("[1,2,3,4,5,6,7]").status == 400)
        for revision in ProtocolRevision.handshakes where revision != .march2025 {
            let client = try await self.client().initialized(revision.rawValue)
            let reply = await client.post(body)
            #expect(reply.status == 400)
            #expect(reply.code == -32600)
        }
    }

    // MARK: Many at once

    @Test("requests of one session run side by side, and each gets its own answer")
    func sideBySide() async throws {
        let client = try await client().initialized()
        async let slow = client.call(1, "slow", #"{"key":"a"}"#)
        try await until { tools.gate.entered == ["a"] }
        for id in 2..<40 { #expect(await client.call(id, "text").json?["id"]?.intValue == id) }
        #expect(await client.call(1, "text").json?["id"] == 1, "the same id on another way is another request")
        tools.gate.open("a")
        #expect(await slow.json?["result"]?["structuredContent"] == ["late": true])
    }

    @Test("the same id in two sessions is two requests")
    func idsOfTwoSessions() async throws {
        let client = client()
        let (one, other) = (try await client.initialized(), try await client.initialized())
        async let slow = one.call(1, "slow", #"{"key":"a"}"#)
        try await until { tools.gate.entered == ["a"] }
        #expect(await other.call(1, "text").json?["result"] != nil)
        _ = await other.post(#"{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":1}}"#)
        #expect(tools.gate.cancelled == [])
        tools.gate.open("a")
        #expect(await slow.json?["result"]?["isError"] == false)
    }

    @Test("cancelling stops the tool, and its request ends with 202 and nothing said")
    func cancelling() async throws {
        let client = try await client().initialized()
        async let slow = client.call(1, "slow", #"{"key":"a"}"#)
        try await until { tools.gate.entered == ["a"] }
        let cancelled = #"{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":1}}"#
        #expect(await client.post(cancelled).status == 202)
        #expect(await slow.status == 202)
        #expect(tools.gate.cancelled == ["a"])
        #expect(await client.post(cancelled).status == 202, "of one that is over it is ignored")
    }

    @Test("a batch that waits goes its own way back when another request cancels what it waits for")
    func cancellingInBatch() async throws {
        let client = try await client().initialized("2025-03-26")
        let batch =
            #"[{"jsonrpc":"2.0","id":1,"method":"ping"},{"jsonrpc":"2.0","id":2,"method":"tools/call","#
            + #""params":{"name":"slow","arguments":{"key":"a"}}}]"#
        async let waiting = client.post(batch)
        try await until { tools.gate.entered == ["a"] }
        let cancels =
            #"[{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":2}},"#
            + #"{"jsonrpc":"2.0","id":3,"method":"ping"}]"#
        #expect(await client.post(cancels).json?.arrayValue?.map { $0["id"]?.intValue } == [3])
        #expect(await waiting.json?.arrayValue?.map { $0["id"]?.intValue } == [1])
    }

    @Test("a client that goes away cancels nothing")
    func disconnect() async throws {
        let client = try await client().initialized()
        let waiting = Task { await client.call(1, "slow", #"{"key":"a"}"#) }
        try await until { tools.gate.entered == ["a"] }
        waiting.cancel()
        #expect(await waiting.value.status == 202)
        #expect(tools.gate.cancelled == [])
        tools.gate.open("a")
        #expect(await client.call(1, "text").status == 200)
    }

    @Test("a tool that outlasts its deadline is a result that says so")
    func deadline() async throws {
        let client = try await client(times: SessionTimes(work: .milliseconds(1))).initialized()
        let reply = await client.call(1, "slow", #"{"key":"a"}"#)
        #expect(reply.json?["result"]?["isError"] == true)
        #expect(tools.gate.cancelled == ["a"] || tools.gate.entered == [])
    }

    // MARK: The end of sessions

    @Test("ending a session answers what is in flight, ends its streams, and leaves nothing behind")
    func ending() async throws {
        let client = try await client().initialized()
        async let slow = client.call(1, "slow", #"{"key":"a"}"#)
        let listening = StreamReader(try #require(await client.send(.get).stream))
        try await until { tools.gate.entered == ["a"] }
        #expect(await client.send(.delete).status == 204)
        #expect(await slow.code == -32603)
        await listening.end()
        #expect(await client.call(2, "text").status == 404)
        #expect(await client.send(.delete).status == 404)
        #expect(client.endpoint.sessionCount == 0)
    }

    @Test("a listener that goes away ends its stream and no other")
    func listeners() async throws {
        let client = try await client().initialized()
        func listen() async throws -> StreamReader { StreamReader(try #require(await client.send(.get).stream)) }
        let (leaving, staying) = (try await listen(), try await listen())
        await leaving.leave()
        // One more than a session may have pushes out the oldest, not all.
        var others: [StreamReader] = []
        for _ in 0..<Limits.mcpStreamsPerSession { others.append(try await listen()) }
        await staying.end()
        #expect(await client.call(1, "text").status == 200)
        _ = await client.send(.delete)
        for other in others { await other.end() }
    }

    @Test("an unused session expires, one in use does not")
    func expiry() async throws {
        let client = client()
        let (idle, busy) = (try await client.initialized(), try await client.initialized())
        async let slow = busy.call(1, "slow", #"{"key":"a"}"#)
        try await until { tools.gate.entered == ["a"] }
        clock.advance(by: .seconds(99))
        #expect(await idle.call(1, "text").status == 200)
        clock.advance(by: .seconds(100))
        #expect(await idle.call(1, "text").status == 404)
        #expect(await busy.call(2, "text").status == 200)
        tools.gate.open("a")
        #expect(await slow.status == 200)
    }

    @Test("too many sessions push out the one unused longest, first of the same key")
    func bounds() async throws {
        let client = client(sessionsMax: 3, perOwner: 2)
        var other = client
        other.caller = FakeCaller()
        let theirs = try await other.initialized()
        let first = try await client.initialized()
        clock.advance(by: .seconds(1))
        let second = try await client.initialized()
        clock.advance(by: .seconds(1))
        #expect(await first.call(1, "text").status == 200)
        let third = try await client.initialized()
        #expect(await second.call(1, "text").status == 404)
        for client in [theirs, first, third] { #expect(await client.call(1, "text").status == 200) }

        other.caller = FakeCaller()
        async let slow = theirs.call(1, "slow", #"{"key":"a"}"#)
        async let slower = first.call(1, "slow", #"{"key":"b"}"#)
        async let slowest = third.call(1, "slow", #"{"key":"c"}"#)
        try await until { tools.gate.entered.count == 3 }
        let refused = await other.post(
            #"{"jsonrpc":"2.0","id":0,"method":"initialize","params":{"protocolVersion":"2025-11-25","capabilities":{},"clientInfo":{"name":"c","version":"1"}}}"#
        )
        #expect(refused.status == 503, "all are in use")
        for key in ["a", "b", "c"] { tools.gate.open(key) }
        _ = await (slow, slower, slowest)
        #expect(try await other.initialized().session != nil)
    }
}

/// Waits until it is so; bounded by the number of looks.
private func until(_ isSo: () async -> Bool) async throws {
    for _ in 0..<100_000 {
        if await isSo() { return }
        await Task.yield()
    }
    throw FakeFailure(kind: .timedOut, message: "it never came to be", hint: nil)
}
