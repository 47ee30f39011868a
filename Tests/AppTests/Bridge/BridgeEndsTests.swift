import Domain
import TestSupport
import Testing

@testable import App

@Suite("The bridge before a session, and when its client has no more to say")
struct BridgeEndsTests {
    @Test("a ping before there is a session is answered here")
    func earlyPing() async throws {
        let fixture = BridgeFixture { _ in .empty(500) }
        await fixture.take(["jsonrpc": "2.0", "id": "p", "method": "ping"])
        #expect(fixture.lines == [["jsonrpc": "2.0", "id": "p", "result": [:]]])
        #expect(fixture.server.asked.isEmpty)
    }

    @Test("a subscription has its result when the client has no more to say")
    func endedSubscription() async throws {
        let never = Gate()
        let fixture = BridgeFixture { _ in
            .events(["data: {\"jsonrpc\":\"2.0\",\"method\":\"x\"}\n\n"]) { try await never.wait() }
        }
        await fixture.take(BridgeFixture.modern(7, "subscriptions/listen", ["notifications": [:]]))
        _ = try await fixture.lines(1)
        await fixture.end()
        let result: JSONValue = ["resultType": "complete", "_meta": ["io.modelcontextprotocol/subscriptionId": 7]]
        #expect(fixture.lines.dropFirst() == [["jsonrpc": "2.0", "id": 7, "result": result]])
    }
}
