import Domain
import HTTPTypes
import Hummingbird
import HummingbirdTesting
import Logging
import Search
import ServiceLifecycle
import TestSupport
import Testing

@testable import Gateway

@Suite("Places to be worked on")
struct WorkGateTests {
    private let registry = PrometheusRegistry()

    private func gate(places: Int = 2, queue: Int = 3, patience: Duration = .seconds(60)) -> WorkGate {
        WorkGate(places: places, queue: queue, patience: patience, registry: registry, name: "x")
    }

    @Test("GW-14: so many are worked on, so many wait, and the rest is sent away before its work")
    func bounds() async throws {
        let gate = gate()
        let release = Signal()
        try await withThrowingTaskGroup(of: Void.self) { group in
            for count in 1...5 {
                group.addTask { try await gate.run { await release.wait() } }
                try await eventually("\(count) are inside") { gate.load.running + gate.load.waiting == count }
            }
            #expect(gate.load.running == 2 && gate.load.waiting == 3)
            #expect(throws: GatewayError(.overloaded, "")) { try gate.checkRoom() }
            await #expect(throws: GatewayError(.overloaded, "")) {
                try await gate.run { Issue.record("there was no place") }
            }
            #expect(registry.text().contains(#"pyairtable_http_shed_total{gate="x",reason="queueFull"} 2"#))
            await release.fire()
            try await group.waitForAll()
        }
        #expect(gate.load.running == 0 && gate.load.waiting == 0)
        try gate.checkRoom()
        #expect(registry.text().contains(#"pyairtable_http_queue_seconds_count{gate="x"} 3"#))
    }

    @Test("places go to those who wait, in the order they came")
    func order() async throws {
        let gate = gate(places: 1, queue: 100)
        let release = Signal()
        let order = Order()
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await gate.run { await release.wait() } }
            try await eventually("the first is inside") { gate.load.running == 1 }
            for number in 0..<50 {
                group.addTask { try await gate.run { await order.add(number) } }
                try await eventually("it waits") { gate.load.waiting == number + 1 }
            }
            await release.fire()
            try await group.waitForAll()
        }
        #expect(await order.numbers == Array(0..<50))
        #expect(gate.load.running == 0 && gate.load.waiting == 0)
    }

    private actor Order {
        var numbers: [Int] = []
        func add(_ number: Int) { numbers.append(number) }
    }

    @Test("who has waited too long is sent away rather than worked for")
    func late() async throws {
        let gate = gate(places: 1, queue: 10, patience: .zero)
        let release = Signal()
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await gate.run { await release.wait() } }
            try await eventually("the first is inside") { gate.load.running == 1 }
            group.addTask {
                await #expect(throws: GatewayError(.overloaded, "")) {
                    try await gate.run { Issue.record("nobody waits for this any more") }
                }
            }
            try await eventually("it waits") { gate.load.waiting == 1 }
            await release.fire()
            try await group.waitForAll()
        }
        #expect(gate.load.running == 0 && gate.load.waiting == 0)
        #expect(registry.text().contains(#"pyairtable_http_shed_total{gate="x",reason="waitedTooLong"} 1"#))
    }

    @Test("who is cancelled leaves the queue at once, and work that fails gives its place back")
    func cancelled() async throws {
        let gate = gate(places: 1, queue: 10)
        let release = Signal()
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await gate.run { await release.wait() } }
            try await eventually("the first is inside") { gate.load.running == 1 }
            let waiting = Task { try await gate.run {} }
            try await eventually("it waits") { gate.load.waiting == 1 }
            waiting.cancel()
            await #expect(throws: GatewayError(.overloaded, "")) { try await waiting.value }
            #expect(gate.load.running == 1 && gate.load.waiting == 0)
            await release.fire()
            try await group.waitForAll()
        }
        await #expect(throws: CancellationError.self) { try await gate.run { () -> Void in throw CancellationError() } }
        #expect(gate.load.running == 0 && gate.load.waiting == 0)
    }

    @Test("GW-14: over HTTP the rest gets 503 and when to come back, and /health is answered meanwhile")
    func http() async throws {
        try await withGateway { fixture in
            let (started, release) = (Signal(), Signal())
            let search = FixedSearch { _, _ in
                await started.fire()
                await release.wait()
                return SearchResponse(hits: [], tookMilliseconds: 0)
            }
            let server = fixture.server(
                search: search,
                configure: {
                    $0.requestsAtOnceMax = 1
                    $0.requestsWaitingMax = 0
                }
            )
            let body = #"{"query":"x"}"#
            let request =
                "POST /api/v1/search HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer \(fixture.key)\r\n"
                + "Content-Type: application/json\r\nContent-Length: \(body.utf8.count)\r\nConnection: close\r\n\r\n\(body)"
            try await server.publicApplication.test(.live) { client in
                let port = try #require(client.port)
                let busy = try await ByteConnection(port: port)
                try await busy.send(request)
                await started.wait()
                let shed = try await ByteConnection(port: port)
                try await shed.send(request)
                let answer = try #require(WireAnswer.all(in: await shed.readToEnd()).first)
                #expect(answer.status == 503)
                #expect(answer.field("retry-after") == "1")
                #expect(answer.text.contains("\"overloaded\""))
                #expect(try await client.send(.get, "/health").status == 200)
                await release.fire()
                #expect(WireAnswer.all(in: await busy.readToEnd()).map(\.status) == [200])
            }
        }
    }
}

@Suite("Stopping")
struct DrainTests {
    @Test("GW-13: /ready says no on every listener before the listeners stop")
    func notice() async throws {
        try await withGateway { fixture in
            let server = fixture.server(configure: { $0.drainNotice = .seconds(60) })
            let group = ServiceGroup(
                configuration: ServiceGroupConfiguration(
                    services: [.init(service: server.drain)],
                    logger: fixture.log.logger(.critical)
                )
            )
            try await withThrowingTaskGroup(of: Void.self) { tasks in
                tasks.addTask { _ = try? await group.run() }
                try await server.publicApplication.test(.router) { client in
                    #expect(try await client.send(.get, "/ready").status == 200)
                    await group.triggerGracefulShutdown()
                    try await eventually("it says so") { server.drain.isDraining }
                    let ready = try await client.send(.get, "/ready")
                    #expect(ready.status == 503)
                    #expect(ready.json?["status"] == "draining")
                    #expect(try await client.send(.get, "/health").status == 200)
                    #expect(try await client.send(.get, "/api/v1/airtable/bases", key: fixture.key).status == 200)
                }
                let admin = try #require(server.adminApplication)
                try await admin.test(.router) { client in
                    let ready = try await client.send(.get, "/ready")
                    #expect(ready.status == 503)
                }
                // The second signal's way: nobody waits for the notice to be over.
                tasks.cancelAll()
            }
        }
    }
}
