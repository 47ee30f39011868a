import Domain
import Synchronization
import Testing

@testable import MCP

/// Begins to follow only when it may.
private final class HeldWatcher: OfferWatcher {
    let gate = Gate()
    let watcher = FakeWatcher()
    let interests = Mutex<[ChangeInterest]>([])

    func changes(
        of interest: ChangeInterest,
        makeContext: @escaping @Sendable () async throws -> RequestContext
    ) -> AsyncStream<OfferChange> { watcher.changes(of: interest, makeContext: makeContext) }

    func follow(
        _ interest: ChangeInterest,
        makeContext: @escaping @Sendable () async throws -> RequestContext
    ) async -> AsyncStream<OfferChange> {
        interests.withLock { $0.append(interest) }
        for uri in interest.uris.sorted() { await gate.enter(uri) }
        return changes(of: interest, makeContext: makeContext)
    }
}

private final class Answers: Sendable {
    let ids = Mutex<[Int]>([])
}

@Suite("Watching in a session")
struct SessionWatchingTests {
    private let watcher = HeldWatcher()

    private func client() async throws -> EndpointClient {
        let offer = MCPOffer(
            tools: FakeTools(),
            resources: FakeResources(),
            prompts: FakePrompts(),
            watcher: watcher,
            sealer: FakeSealer()
        )
        let endpoint = MCPEndpoint(ServerSession.Configuration(info: fakeInfo), offer: offer, logger: quietLogger)
        return try await EndpointClient(endpoint: endpoint).initialized()
    }

    private static func subscribe(_ id: Int, _ uri: String, _ client: EndpointClient) async -> EndpointReply {
        await client.post(
            #"{"jsonrpc":"2.0","id":\#(id),"method":"resources/subscribe","params":{"uri":"\#(uri)"}}"#
        )
    }

    @Test("who is told that they watch something is told of all that changes from then on")
    func answeredWhenFollowed() async throws {
        let client = try await client()
        let reader = StreamReader(try #require(await client.send(.get).stream))
        let answers = Answers()
        try await withThrowingTaskGroup(of: Void.self) { group in
            for (id, uri) in [(1, "fake://a"), (2, "fake://b")] {
                group.addTask {
                    let reply = await Self.subscribe(id, uri, client)
                    #expect(reply.status == 200 && reply.json?["result"] == [:])
                    answers.ids.withLock { $0.append(id) }
                }
                try await poll { watcher.gate.entered.contains(uri) || id == 2 ? () : nil }
            }
            // The second takes over before the first has begun, and says both.
            try await poll { watcher.interests.withLock { $0.last }?.uris.count == 2 ? () : nil }
            #expect(await client.post(#"{"jsonrpc":"2.0","id":9,"method":"ping"}"#).status == 200)
            #expect(answers.ids.withLock { $0 } == [])
            for uri in ["fake://a", "fake://b"] { watcher.gate.open(uri) }
            try await group.waitForAll()
        }
        // It is followed already.
        watcher.watcher.tell(.resource(uri: "fake://a"))
        let told = try await reader.first { $0["method"] == "notifications/resources/updated" }
        #expect(told["params"]?["uri"] == "fake://a")
        let listeners = watcher.interests.withLock { $0.map(\.listener) }
        #expect(Set(listeners).count == 1 && listeners.first != .some(nil))
        await reader.leave()
    }

    @Test("what waits to be followed is answered also when the session ends")
    func answeredAtTheEnd() async throws {
        let client = try await client()
        async let answer = Self.subscribe(1, "fake://a", client)
        try await poll { watcher.gate.entered.contains("fake://a") ? () : nil }
        #expect(await client.send(.delete).status == 204)
        #expect(await answer.json?["id"] == 1)
        watcher.gate.open("fake://a")
    }

    @Test("a request that finds its session ending is told so, whatever the moment")
    func ending() async throws {
        let session = HTTPSession(
            ServerSession.Configuration(info: fakeInfo),
            performer: WorkPerformer(offer: .everything(), logger: quietLogger, now: { .now() }),
            isResumable: true,
            times: SessionTimes()
        )
        session.end()
        let facts = ExchangeFacts(makeContext: { FakeCaller().context() })
        let ping = Array(#"{"jsonrpc":"2.0","id":1,"method":"ping"}"#.utf8)
        let inbound = try #require(MessageDecoder.decode(ping))
        let received = await session.receive(inbound, facts, streamAfter: nil)
        #expect(received == nil)
        // The same from outside: an answer, or 404, and never that it was taken.
        for _ in 0..<100 {
            let client = try await client()
            async let end = client.send(.delete)
            async let reply = client.post(#"{"jsonrpc":"2.0","id":1,"method":"ping"}"#)
            #expect([200, 404].contains(await reply.status))
            #expect(await end.status == 204)
        }
    }
}
