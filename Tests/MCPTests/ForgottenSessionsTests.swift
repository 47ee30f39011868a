import Domain
import MCP
import Testing

/// Clients that come, ask and never say goodbye.
@Suite("Sessions that are forgotten")
struct ForgottenSessionsTests {
    private let watcher = FakeWatcher()
    private let clock = ManualClock()

    private func endpoint(sessionsMax: Int) -> MCPEndpoint {
        MCPEndpoint(
            ServerSession.Configuration(info: fakeInfo),
            offer: .everything(watcher: watcher),
            logger: quietLogger,
            sessionsMax: sessionsMax,
            sessionsPerOwnerMax: 10,
            sessionIdleMax: .seconds(100),
            now: { [clock] in clock.now }
        )
    }

    @Test("ten thousand sessions leave no more behind than there may be, and those for no longer than they may")
    func many() async throws {
        let endpoint = endpoint(sessionsMax: 50)
        for number in 0..<10_000 {
            var client = EndpointClient(endpoint: endpoint)
            client = try await client.initialized()
            _ = await client.post(#"{"jsonrpc":"2.0","method":"notifications/initialized"}"#)
            // Some listen and are never read.
            if number % 100 == 0 { _ = await client.send(.get) }
            clock.advance(by: .milliseconds(1))
        }
        #expect(endpoint.sessionCount <= 50)
        try await poll { watcher.followerCount <= 50 ? () : nil }
        clock.advance(by: .seconds(200))
        _ = try await EndpointClient(endpoint: endpoint).initialized()
        #expect(endpoint.sessionCount == 1)
        try await poll { watcher.followerCount == 0 ? () : nil }
    }

    @Test("clients that vanish while they are answered leave nothing that works or listens")
    func vanishing() async throws {
        let tools = FakeTools()
        let endpoint = MCPEndpoint(
            ServerSession.Configuration(info: fakeInfo),
            offer: .everything(tools, watcher: watcher),
            logger: quietLogger
        )
        for number in 0..<200 {
            let client = try await EndpointClient(endpoint: endpoint).initialized()
            let call =
                #"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"counts","_meta":{"progressToken":1}}}"#
            let reader = StreamReader(try #require(await client.post(call).stream))
            if number % 2 == 0 { try await reader.count(1) }
            await reader.leave()
            #expect(await client.send(.delete).status == 204)
        }
        #expect(endpoint.sessionCount == 0)
        try await poll { watcher.followerCount == 0 ? () : nil }
    }
}
