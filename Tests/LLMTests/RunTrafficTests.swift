import Database
import Domain
import Gemini
import Logging
import Outbound
import TestSupport
import Testing

@testable import LLM

@Suite("Recorded traffic")
struct RunTrafficTests {
    private static let model = ModelName(provider: "gemini", model: "gemini-flash-latest")

    private static func exchange(
        _ path: String = "/v1beta/models/m:generateContent",
        request: [UInt8] = Array(#"{"a":1}"#.utf8),
        status: Int? = 200,
        reply: [UInt8] = Array(#"{"b":2}"#.utf8),
        failure: String? = nil
    ) -> ProviderExchange {
        ProviderExchange(
            model: model,
            path: path,
            request: request,
            status: status,
            reply: reply,
            failure: failure
        )
    }

    @Test("belongs to its run and its tenant, in order, and goes with the run", arguments: DatabaseKind.allCases)
    func store(_ kind: DatabaseKind) async throws {
        try await withLLM(kind) { world in
            let (run, other, tenant) = (RunID.random(), RunID.random(), world.context.tenant)
            let recorder = world.traffic.recorder(run: run, tenant: tenant, logger: world.logger)
            let first = Self.exchange(failure: "cut\0off")
            let second = Self.exchange("/v1beta/models/m:countTokens", status: nil, reply: [])
            await recorder.record(first)
            await recorder.record(second)
            await world.traffic.recorder(run: other, tenant: tenant, logger: world.logger).record(second)
            let kept = try await world.traffic.exchanges(of: run, tenant: tenant)
            #expect(kept.map(\.exchange) == [Self.exchange(failure: "cutoff"), second])
            #expect(kept.allSatisfy { !$0.isCut && $0.time == world.clock.now })
            #expect(try await world.traffic.exchanges(of: run, tenant: world.stranger.tenant).isEmpty)
            try await world.traffic.delete(runs: [run, other], tenant: world.stranger.tenant)
            #expect(try await world.traffic.exchanges(of: run, tenant: tenant).count == 2)
            try await world.traffic.delete(runs: [run], tenant: tenant)
            try await world.traffic.delete(runs: [], tenant: tenant)
            #expect(try await world.traffic.exchanges(of: run, tenant: tenant).isEmpty)
            #expect(try await world.traffic.exchanges(of: other, tenant: tenant).count == 1)
        }
    }

    @Test("is bounded: a body, a run, a number")
    func bounds() async throws {
        try await withLLM { world in
            let (run, tenant) = (RunID.random(), world.context.tenant)
            let recorder = world.traffic.recorder(run: run, tenant: tenant, logger: world.logger)
            let long = [UInt8](repeating: 7, count: Limits.recordedBodyBytes + 1)
            for _ in 0..<5 { await recorder.record(Self.exchange(request: long, reply: long)) }
            var kept = try await world.traffic.exchanges(of: run, tenant: tenant)
            #expect(kept[0].exchange.reply.count == Limits.recordedBodyBytes)
            #expect(kept[0].isCut)
            #expect(
                kept.reduce(0) { $0 + $1.exchange.request.count + $1.exchange.reply.count } == Limits.recordedRunBytes
            )
            #expect(kept[4].exchange.request.isEmpty && kept[4].isCut)
            for _ in 0..<Limits.recordedExchanges { await recorder.record(Self.exchange(request: [], reply: [])) }
            kept = try await world.traffic.exchanges(of: run, tenant: tenant)
            #expect(kept.count == Limits.recordedExchanges)
        }
    }

    @Test("is recorded of a cancelled run too")
    func cancelled() async throws {
        try await withLLM { world in
            let run = RunID.random()
            let recorder = world.traffic.recorder(run: run, tenant: world.context.tenant, logger: world.logger)
            await withTaskGroup(of: Void.self) { group in
                group.cancelAll()
                group.addTask { await recorder.record(Self.exchange()) }
            }
            let kept = try await world.traffic.exchanges(of: run, tenant: world.context.tenant)
            #expect(kept.count == 1)
        }
    }

    @Test("plays back in order, as it came")
    func replay() async throws {
        let stream = Array("data: {\"x\":1}\n\n".utf8)
        let transport = ReplayTransport([Self.exchange(), Self.exchange(reply: stream, failure: "cut")])
        let url = "http://127.0.0.1:1/v1beta/models/m:generateContent"
        let reply = try await transport.send(OutboundRequest(.post, url, body: Array(#"{ "a": 1 }"#.utf8)))
        #expect(reply.status == 200)
        #expect(reply.header("content-type") == "application/json")
        #expect(try await Self.whole(reply.body) == Array(#"{"b":2}"#.utf8))

        let broken = try await transport.send(OutboundRequest(.post, url, body: Array(#"{"a":1}"#.utf8)))
        #expect(broken.header("content-type") == "text/event-stream")
        var body = broken.body.makeAsyncIterator()
        #expect(try await body.next() == stream)
        do {
            _ = try await body.next()
            Issue.record("a broken reply ended well")
        } catch let error as OutboundError {
            #expect(error.code == .connectionLost)
        }
        #expect(transport.playedCount == 2)
        await #expect(throws: OutboundError(.cannotConnect, "")) {
            try await transport.send(OutboundRequest(.post, url))
        }
    }

    @Test("an adapter reads a recorded run as it read the provider")
    func replayedRun() async throws {
        let request = ModelRequest(messages: [.user("Go")])
        let live = try await GeminiFixture.model("gemini-3-case-plain_replay").answer(request)
        let transport = ReplayTransport(live.exchanges)
        let configuration = GeminiConfiguration(baseURL: "http://127.0.0.1:1", key: OutboundSecret("another"))
        let model = try GeminiModel(
            client: GeminiClient(transport: transport, configuration: configuration, retrier: Retrier(policy: .never)),
            model: "gemini-3-case-plain_replay",
            logger: Logger(label: "test")
        )
        let replayed = try await model.answer(request)
        #expect(replayed.text == GeminiScenario.text && replayed.text == live.text)
        #expect(replayed.reply?.message == live.reply?.message)
        #expect(replayed.usage == live.usage && live.usage != nil)
        #expect(transport.playedCount == live.exchanges.count)
        #expect(try await model.answer(request).error?.code == .cannotConnect)
    }

    @Test("refuses another request than the recorded one")
    func otherRequest() async throws {
        let url = "http://127.0.0.1:1/v1beta/models/m:generateContent"
        let other = OutboundRequest(.post, url, body: Array(#"{"a":2}"#.utf8))
        await #expect(throws: OutboundError(.malformedReply, "")) {
            try await ReplayTransport([Self.exchange()]).send(other)
        }
        await #expect(throws: OutboundError(.malformedReply, "")) {
            try await ReplayTransport([Self.exchange("/elsewhere")], isStrict: false).send(other)
        }
        #expect(try await ReplayTransport([Self.exchange()], isStrict: false).send(other).status == 200)
    }

    private static func whole(_ body: OutboundBody) async throws -> [UInt8] {
        try await body.reduce(into: []) { $0 += $1 }
    }
}
