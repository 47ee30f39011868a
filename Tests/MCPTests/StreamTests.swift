import Domain
import MCP
import Testing

/// What a session's client hears before its answers and beside them, and how it comes back for what it missed.
@Suite("Streams of a session")
struct StreamTests {
    private let tools = FakeTools()
    private let watcher = FakeWatcher()

    private func client(_ revision: String = "2025-11-25") async throws -> EndpointClient {
        try await EndpointClient(
            endpoint: MCPEndpoint(
                ServerSession.Configuration(info: fakeInfo),
                offer: .everything(tools, watcher: watcher),
                logger: quietLogger
            )
        ).initialized(revision)
    }

    private func reader(_ reply: EndpointReply) throws -> StreamReader { StreamReader(try #require(reply.stream)) }

    private func counting(_ client: EndpointClient) async -> EndpointReply {
        await client.post(
            #"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"counts","_meta":{"progressToken":7}}}"#
        )
    }

    @Test("progress comes before the answer, on its own stream, each event with an id")
    func progress() async throws {
        for revision in ProtocolRevision.handshakes {
            let client = try await client(revision.rawValue)
            let reader = try reader(await counting(client))
            await reader.end()
            #expect(reader.messages.compactMap { $0["params"]?["progress"]?.intValue } == [1, 2, 3])
            let words = reader.messages.first?["params"]?["message"]
            #expect((words == nil) == (revision == .november2024))
            #expect(reader.messages.last?["result"] != nil)
            let ids = reader.events.compactMap(\.id)
            #expect(Set(ids).count == reader.events.count)
            #expect(
                (reader.events.first?.message == nil) == (revision == .november2025),
                "the first names a place alone"
            )
        }
    }

    @Test("a client that comes back gets what it has not seen of that stream, and no more")
    func resuming() async throws {
        var client = try await client()
        let reader = try reader(await counting(client))
        try await reader.count(1)
        let seen = try #require(reader.events.last { $0.message != nil }?.id)
        let place = reader.messages.count
        await reader.leave()
        client.lastEvent = seen
        let again = try self.reader(await client.send(.get))
        await again.end()
        let progress = again.messages.compactMap { $0["params"]?["progress"]?.intValue }
        #expect(progress == [1, 2, 3].suffix(progress.count))
        #expect(progress.count >= 3 - place && progress.count < 3)
        #expect(again.messages.last?["result"] != nil)
        for unknown in ["99-1", "x", "1", "-1-1", "1-01"] {
            client.lastEvent = unknown
            #expect(await client.send(.get).status == 400, "404 would say that the session is over")
        }
    }

    @Test("a client that takes JSON alone gets each answer as such, and nothing before it; it is not asked")
    func answersAlone() async throws {
        for revision in ["2025-03-26", "2025-06-18", "2025-11-25"] {
            var client = try await EndpointClient(endpoint: client(revision).endpoint)
                .initialized(revision, capabilities: #"{"elicitation":{},"sampling":{}}"#)
            client.accept = ["application/json"]
            #expect(await counting(client).json?["result"]?["isError"] == false)
            #expect(await client.call(2, "logs").json?["result"]?["isError"] == false)
            let asked = await client.call(3, "samples")
            #expect(asked.status == 200 && asked.json?["id"] == 3)
            #expect(asked.json?["result"]?["isError"] == true)
            tools.gate.open("a")
            #expect(await client.call(4, "leaves", #"{"key":"a"}"#).json?["result"]?["isError"] == false)
        }
    }

    @Test("a tool may let the connection go; the client comes back for the answer")
    func polling() async throws {
        var client = try await client()
        let reader = try reader(await client.call(1, "leaves", #"{"key":"a"}"#))
        await reader.end()
        #expect(reader.messages.isEmpty)
        let first = try #require(reader.events.first)
        #expect(first.retry == Limits.mcpRetryMilliseconds)
        client.lastEvent = first.id
        let again = try self.reader(await client.send(.get))
        try await poll { tools.gate.entered == ["a"] ? () : nil }
        tools.gate.open("a")
        await again.end()
        #expect(again.messages.last?["result"]?["content"]?[0]?["text"] == "after all")
    }

    @Test("before 2025-11-25 a connection is not let go")
    func notPolling() async throws {
        let client = try await client("2025-06-18")
        tools.gate.open("a")
        #expect(await client.call(1, "leaves", #"{"key":"a"}"#).json?["result"] != nil)
    }

    @Test("the log follows the level that the session set")
    func logging() async throws {
        let client = try await client()
        func levels() async throws -> Int {
            let reader = try reader(await client.call(1, "logs"))
            await reader.end()
            return reader.messages.count - 1
        }
        #expect(try await levels() == 7)
        let set = #"{"jsonrpc":"2.0","id":2,"method":"logging/setLevel","params":{"level":"alert"}}"#
        #expect(await client.post(set).json?["result"] == [:])
        #expect(try await levels() == 2)
        let wrong = #"{"jsonrpc":"2.0","id":2,"method":"logging/setLevel","params":{"level":"loud"}}"#
        #expect(await client.post(wrong).code == -32602)
    }

    @Test("what nobody asked for goes to who listens since last, once, and only what is subscribed")
    func unsolicited() async throws {
        let client = try await client()
        #expect(await client.post(#"{"jsonrpc":"2.0","method":"notifications/initialized"}"#).status == 202)
        try await poll { watcher.followerCount == 1 ? () : nil }
        let (first, second) = (try reader(await client.send(.get)), try reader(await client.send(.get)))
        func subscribe(_ method: String, _ uri: String) async -> EndpointReply {
            await client.post(#"{"jsonrpc":"2.0","id":3,"method":"resources/\#(method)","params":{"uri":"\#(uri)"}}"#)
        }
        #expect(await subscribe("subscribe", "fake://nope").code == -32002)
        #expect(await subscribe("subscribe", "fake://a").json?["result"] == [:])
        try await poll { watcher.followerCount == 1 ? () : nil }
        for change in [OfferChange.resource(uri: "fake://b"), .resource(uri: "fake://a"), .tools] {
            watcher.tell(change)
        }
        try await second.count(2)
        #expect(
            second.messages.map { $0["method"] } == [
                "notifications/resources/updated", "notifications/tools/list_changed",
            ]
        )
        #expect(await subscribe("unsubscribe", "fake://a").json?["result"] == [:])
        try await poll { watcher.followerCount == 1 ? () : nil }
        watcher.tell(.resource(uri: "fake://a"))
        watcher.tell(.prompts)
        try await second.count(3)
        #expect(second.messages.last?["method"] == "notifications/prompts/list_changed")
        #expect(first.messages.isEmpty)
        #expect(await client.send(.delete).status == 204)
        await first.end()
        await second.end()
        try await poll { watcher.followerCount == 0 ? () : nil }
    }

    @Test("when the one that listens since last goes away, the one before hears the rest")
    func leavingListener() async throws {
        let client = try await client()
        #expect(await client.post(#"{"jsonrpc":"2.0","method":"notifications/initialized"}"#).status == 202)
        try await poll { watcher.followerCount == 1 ? () : nil }
        let (first, second) = (try reader(await client.send(.get)), try reader(await client.send(.get)))
        watcher.tell(.tools)
        try await second.count(1)
        await second.leave()
        // One that nobody ever read, as of a HEAD.
        let unread = try #require(await client.send(.get).stream)
        await unread.finish()
        watcher.tell(.prompts)
        try await first.count(1)
        #expect(first.messages == [["jsonrpc": "2.0", "method": "notifications/prompts/list_changed"]])
        #expect(second.messages.count == 1)
        await first.leave()
    }

    @Test("who listens for long is not cut off; what is no longer kept cannot be gone on from")
    func long() async throws {
        var client = try await client()
        #expect(await client.post(#"{"jsonrpc":"2.0","method":"notifications/initialized"}"#).status == 202)
        try await poll { watcher.followerCount == 1 ? () : nil }
        let listener = try reader(await client.send(.get))
        let batch = 500
        let batches = Limits.mcpStreamMessages / batch + 2
        for number in 1...batches {
            for _ in 0..<batch { watcher.tell(.tools) }
            try await listener.count(number * batch)
        }
        let told = listener.events.filter { $0.message != nil }
        await listener.leave()
        client.lastEvent = told.first?.id
        #expect(await client.send(.get).status == 400)
        client.lastEvent = told.last?.id
        let again = try reader(await client.send(.get))
        watcher.tell(.prompts)
        try await again.count(1)
        #expect(again.messages == [["jsonrpc": "2.0", "method": "notifications/prompts/list_changed"]])
        await again.leave()
    }

    @Test("forty streams of one session are each answered on their own")
    func many() async throws {
        let client = try await client()
        let readers = try await withThrowingTaskGroup(of: StreamReader.self) { group in
            for _ in 0..<40 { group.addTask { try reader(await counting(client)) } }
            var readers: [StreamReader] = []
            for try await reader in group { readers.append(reader) }
            return readers
        }
        for reader in readers {
            await reader.end()
            #expect(reader.messages.count == 4)
        }
    }
}
