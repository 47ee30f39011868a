import TestSupport
import Testing

@testable import Outbound

@Suite("Outgoing calls together")
struct OutgoingCallsTests {
    @Test("go to the hosts that were named, and to no other on this machine")
    func guarded() async throws {
        let requests = Guarded(0)
        let server = try RawServer { peer in
            while try peer.request() != nil {
                requests.update { $0 += 1 }
                try peer.reply(200, "{}")
            }
        }
        let named = OutgoingCalls(allowing: [AllowedHost(host: "127.0.0.1", port: server.port)])
        let reply = try await named.transport.send(OutboundRequest(.get, server.url))
        #expect(try await reply.body.collect(bytesMax: 10).count == 2)
        let other = OutgoingCalls(allowing: [AllowedHost(host: "127.0.0.1", port: server.port == 1 ? 2 : 1)])
        await #expect(throws: OutboundError(.addressRefused, "")) {
            try await other.transport.send(OutboundRequest(.get, server.url))
        }
        #expect(requests.value == 1)
        await named.shutdown()
        await other.shutdown()
    }

    @Test("leave an upstream alone that keeps failing, and give every place back")
    func circuitAndPlaces() async throws {
        let requests = Guarded(0)
        let server = try RawServer { peer in
            while try peer.request() != nil {
                requests.update { $0 += 1 }
                try peer.reply(503, "{}")
            }
        }
        let calls = OutgoingCalls(allowing: [AllowedHost(host: "127.0.0.1", port: nil)], runningMax: 1)
        // With one place only, a call that kept its own would leave the next one waiting.
        for _ in 0..<CircuitState.Policy.standard.failuresMax {
            #expect(try await calls.transport.send(OutboundRequest(.get, server.url)).status == 503)
        }
        await #expect(throws: OutboundError(.circuitOpen, "")) {
            try await calls.transport.send(OutboundRequest(.get, server.url))
        }
        #expect(requests.value == CircuitState.Policy.standard.failuresMax)
        await calls.shutdown()
    }
}
