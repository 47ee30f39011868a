import Domain
import OpenAIDialect
import Outbound
import TestSupport
import Testing

@testable import LLM

private typealias Server = OpenAICompatibleServer

@Suite("OpenAI-compatible model, when things go wrong")
struct OpenAICompatibleFailureTests {
    private let hello = ModelRequest(messages: [.user("hi")])

    private func ask(
        _ server: Server,
        _ model: OpenAICompatibleModel? = nil,
        deltas: Guarded<[ModelDelta]> = Guarded([])
    ) async throws -> ModelReply {
        let call = ModelCallContext(deadline: .now + .seconds(60))
        return try await (model ?? server.model()).respond(to: hello, call: call) { delta in
            deltas.update { $0.append(delta) }
        }
    }

    @Test("what may pass is tried again, until it passes", arguments: [429, 500, 502, 503, 504])
    func transient(_ status: Int) async throws {
        let server = try Server([
            .status(status, "{}", []), .cut([]), .cut([Server.frame(["role": "assistant", "content": ""])]),
            .stream([Server.text("ok"), Server.end(), Server.usage(5, 1)]),
        ])
        let reply = try await ask(server)
        #expect(reply.message.text == "ok")
        #expect(reply.usage == TokenUsage(input: 5, output: 1))
        #expect(server.requests.count == 4)
        #expect(Set(server.requests).count == 1)
    }

    @Test(
        "what cannot pass is not",
        arguments: [
            (400, #"{"error":{"message":"bad"}}"#, ModelError.Code.requestRefused), (401, "{}", .keyRefused),
            (404, "{}", .modelNotFound), (413, "", .inputTooLong),
            (429, #"{"error":{"message":"x","code":"insufficient_quota"}}"#, .quotaOfDay),
        ]
    )
    func permanent(_ status: Int, _ body: String, _ code: ModelError.Code) async throws {
        let server = try Server([.status(status, body, [])])
        await #expect(throws: ModelError(code, "")) { try await ask(server) }
        #expect(server.requests.count == 1)
    }

    @Test("a stream that breaks after text was shown is `cut`, and never asked for again")
    func cutAfterText() async throws {
        let server = try Server([.cut([Server.text("Half an ans")])])
        let deltas = Guarded<[ModelDelta]>([])
        await #expect(throws: ModelError(.cut, "")) { try await ask(server, deltas: deltas) }
        #expect(deltas.value == [.text("Half an ans")])
        #expect(server.requests.count == 1)
    }

    @Test("one that breaks after thoughts only is, and says that it began again")
    func cutAfterThoughts() async throws {
        let server = try Server([
            .cut([Server.frame(["reasoning": "one"])]),
            .stream([Server.frame(["reasoning": "two"]), Server.text("ok"), Server.end()]),
        ])
        let deltas = Guarded<[ModelDelta]>([])
        let reply = try await ask(server, deltas: deltas)
        #expect(deltas.value == [.thought("one"), .restarted, .thought("two"), .text("ok")])
        #expect(reply.message.parts == [.thought("two"), .text("ok")])
    }

    @Test("an empty answer is asked for once more, and both are paid for; then it is `emptyReply`")
    func empty() async throws {
        let nothing = Server.Reply.stream([Server.end(), Server.usage(5, 0)])
        let once = try Server([nothing, .stream([Server.text("ok"), Server.end(), Server.usage(5, 1)])])
        #expect(try await ask(once).usage == TokenUsage(input: 10, output: 1))
        let server = try Server([nothing])
        do {
            _ = try await ask(server)
            Issue.record("an empty answer was taken")
        } catch let error as ModelError {
            #expect(error.code == .emptyReply)
            #expect(error.usage == TokenUsage(input: 10))
        }
        #expect(server.requests.count == 2)
    }

    @Test("an error in the middle of a stream keeps its meaning and what was counted")
    func errorInStream() async throws {
        let server = try Server([
            .stream([Server.text("a"), Server.usage(7, 2), #"{"error":{"message":"overloaded","code":503}}"#])
        ])
        do {
            _ = try await ask(server)
            Issue.record("the error was overlooked")
        } catch let error as ModelError {
            #expect(error.code == .overloaded)
            #expect(error.usage == TokenUsage(input: 7, output: 2))
        }
        #expect(server.requests.count == 1)
    }

    @Test("silence and a stall are `timedOut`", arguments: [true, false])
    func timeouts(_ isSilent: Bool) async throws {
        let server = try Server([isSilent ? .silence : .hang([Server.text("a")])])
        let options = OpenAICompatibleModel.Options(
            firstByte: .milliseconds(isSilent ? 200 : 20_000),
            stall: .milliseconds(200)
        )
        let model = try server.model(.never, options: options)
        await #expect(throws: ModelError(.timedOut, "")) { try await ask(server, model) }
        try await eventually("the closing") { server.closedCount == 1 }
    }

    @Test("nobody there is `cannotConnect`; a bad address is refused when the client is made")
    func nobody() async throws {
        let server = try Server([.silence])
        let client = try OpenAIClient(baseURL: "http://nobody.invalid", key: nil, transport: server.transport)
        let model = OpenAICompatibleModel(client: client, model: "m", retrier: Retrier(policy: .never))
        await #expect(throws: ModelError(.cannotConnect, "")) { try await ask(server, model) }
        #expect(throws: OutboundError(.invalidAddress, "")) {
            try OpenAIClient(baseURL: "localhost:11434", key: nil, transport: server.transport)
        }
    }

    @Test("cancelling closes the connection, records the exchange and reports what was counted")
    func cancellation() async throws {
        let server = try Server([.hang([Server.text("a"), Server.usage(9, 1)])])
        let log = TrafficLog()
        let meter = UsageMeter()
        let deltas = Guarded(0)
        let model = try server.model()
        let request = hello
        let call = Task {
            let context = ModelCallContext(deadline: .now + .seconds(60), traffic: log, meter: meter)
            return try await model.respond(to: request, call: context) { _ in deltas.update { $0 += 1 } }
        }
        try await eventually("the text and its count") { deltas.value == 1 && meter.reported != nil }
        call.cancel()
        await #expect(throws: CancellationError.self) { try await call.value }
        try await eventually("the closing", timeout: .seconds(5)) { server.closedCount == 1 }
        #expect(meter.reported == TokenUsage(input: 9, output: 1))
        #expect(log.all.map(\.failure) == ["cancelled"])
    }

    @Test("an error of the consumer goes through untouched, ends the call and closes the connection")
    func consumer() async throws {
        struct Full: Error {}
        let server = try Server([.hang([Server.text("a")])])
        let model = try server.model()
        await #expect(throws: Full.self) {
            try await model.respond(to: hello, call: ModelCallContext(deadline: .now + .seconds(60))) { _ in
                throw Full()
            }
        }
        #expect(server.requests.count == 1)
        try await eventually("the closing") { server.closedCount == 1 }
    }

    @Test("no time left is `timedOut` before anything is sent")
    func noTime() async throws {
        let server = try Server([.silence])
        await #expect(throws: ModelError(.timedOut, "")) {
            try await server.model().respond(to: hello, call: ModelCallContext(deadline: .now)) { _ in }
        }
        #expect(server.requests.isEmpty)
    }

    @Test("an open circuit says so without a call")
    func circuit() async throws {
        let server = try Server([.status(503, "", [])])
        let breakers = CircuitBreakers(policy: CircuitState.Policy(failuresMax: 2))
        let client = try OpenAIClient(
            baseURL: "http://nobody.invalid",
            key: nil,
            transport: CircuitBreakingTransport(server.transport, breakers: breakers)
        )
        let model = OpenAICompatibleModel(client: client, model: "m", retrier: Retrier(policy: .never))
        for _ in 0..<2 { await #expect(throws: ModelError(.cannotConnect, "")) { try await ask(server, model) } }
        await #expect(throws: ModelError(.overloaded, "")) { try await ask(server, model) }
    }
}
