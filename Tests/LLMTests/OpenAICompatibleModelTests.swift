import Domain
import OpenAIDialect
import Outbound
import TestSupport
import Testing

@testable import LLM

private typealias Server = OpenAICompatibleServer

@Suite("OpenAI-compatible model")
struct OpenAICompatibleModelTests {
    private let hello = ModelRequest(system: "be brief", messages: [.user("hi")])

    private func ask(
        _ server: Server,
        _ request: ModelRequest? = nil,
        meter: UsageMeter? = nil,
        traffic: TrafficLog? = nil,
        deltas: Guarded<[ModelDelta]> = Guarded([])
    ) async throws -> ModelReply {
        let call = ModelCallContext(deadline: .now + .seconds(60), traffic: traffic, meter: meter)
        return try await server.model().respond(to: request ?? hello, call: call) { delta in
            deltas.update { $0.append(delta) }
        }
    }

    @Test("answers with text, thoughts, usage and the model's own name, shown as they came")
    func ordinary() async throws {
        let server = try Server([
            .stream([
                Server.frame(["reasoning_content": "hm"]), Server.text("Hel"), Server.text("lo"), Server.end(),
                Server.usage(11, 3),
            ])
        ])
        let deltas = Guarded<[ModelDelta]>([])
        let meter = UsageMeter()
        let reply = try await ask(server, meter: meter, deltas: deltas)
        #expect(reply.message == ModelMessage(.model, [.thought("hm"), .text("Hello")]))
        #expect(reply.outcome == .complete)
        #expect(reply.usage == TokenUsage(input: 11, output: 3))
        #expect(reply.modelVersion == "qwen3:8b")
        #expect(deltas.value == [.thought("hm"), .text("Hel"), .text("lo")])
        #expect(meter.reported == reply.usage)
    }

    @Test("a conversation with tools goes out in the dialect, each answer with its call")
    func requestShape() async throws {
        let server = try Server([.stream([Server.text("ok"), Server.end()])])
        var request = ModelRequest(
            system: "sys",
            messages: [
                .user("q"),
                ModelMessage(
                    .model,
                    [
                        .thought("secret"), .text("let me see"),
                        .toolCall(ModelToolCall(id: "a", name: "search_records", arguments: ["query": "x"])),
                        .toolCall(ModelToolCall(id: "b", name: "records.get/one", arguments: [:])),
                    ]
                ),
                ModelMessage(
                    .tool,
                    [
                        .toolResult(ModelToolResult(callID: "a", name: "search_records", text: "found")),
                        .toolResult(ModelToolResult(callID: "b", name: "records.get/one", text: "no", isError: true)),
                    ]
                ),
            ],
            tools: [
                ModelTool(
                    name: "search_records",
                    description: "d",
                    parameters: .object(properties: ["query": .string()])
                ),
                ModelTool(name: "records.get/one", description: "d2", parameters: .object(properties: [:])),
            ]
        )
        request.temperature = 0.2
        request.stop = ["END"]
        request.seed = 4
        request.thinking = .low
        request.outputTokensMax = 100_000
        request.responseSchema = .object(properties: ["a": .string()], required: ["a"])
        _ = try await ask(server, request)
        let sent = try #require(server.requests.first)
        #expect(sent["model"] == "qwen3")
        #expect(sent["max_tokens"] == 8_192)
        #expect(sent["temperature"] == 0.2)
        #expect(sent["stop"] == ["END"])
        #expect(sent["seed"] == 4)
        #expect(sent["reasoning_effort"] == "low")
        #expect(sent["tool_choice"] == "auto")
        #expect(sent["response_format"]?["json_schema"]?["schema"]?["required"] == ["a"])
        let messages = try #require(sent["messages"]?.arrayValue)
        #expect(messages.map { $0["role"]?.stringValue } == ["system", "user", "assistant", "tool", "tool"])
        #expect(messages[2]["content"] == "let me see")
        #expect(messages[2]["tool_calls"]?[0]?["function"]?["arguments"] == #"{"query":"x"}"#)
        #expect(messages[3]["tool_call_id"] == "a")
        #expect(messages[4]["content"] == "Error: no")
        // One name for one tool, wherever it stands, and one that the dialect takes.
        let declared = try #require(sent["tools"]?[1]?["function"]?["name"]?.stringValue)
        #expect(messages[2]["tool_calls"]?[1]?["function"]?["name"]?.stringValue == declared)
        #expect(OpenAITool.isName(declared))
    }

    @Test("calls come back under our names, with arguments, ids of their own, and what was wrong with them")
    func toolCalls() async throws {
        let long = String(repeating: "tool.", count: 30)
        var request = hello
        request.tools = [long, "get", "get.x", "get_x"].map { ModelTool(name: $0, description: "", parameters: .any) }
        request.messages = [
            .user("q"), ModelMessage(.model, [.toolCall(ModelToolCall(id: "dup", name: "get", arguments: [:]))]),
            ModelMessage(.tool, [.toolResult(ModelToolResult(callID: "dup", name: "get", text: "x"))]),
        ]
        // The first exchange only tells what the names became.
        let probe = try Server([.stream([Server.text("x"), Server.end()])])
        _ = try await ask(probe, request)
        let wire = (probe.requests[0]["tools"]?.arrayValue ?? []).compactMap { $0["function"]?["name"]?.stringValue }
        #expect(Set(wire).count == 4 && wire.allSatisfy { OpenAITool.isName($0) })
        #expect(wire[1] == "get" && wire[3] == "get_x")
        func call(_ index: Int, _ id: String, _ name: String, _ arguments: String) -> String {
            Server.frame([
                "tool_calls": [
                    [
                        "index": .number(JSONNumber(index)), "id": .string(id),
                        "function": ["name": .string(name), "arguments": .string(arguments)],
                    ]
                ]
            ])
        }
        let server = try Server([
            .stream([
                call(0, "dup", wire[0], #"{"a":1}"#), call(1, "", wire[2], ""), call(2, "z", "invented", #"{"a":"#),
                call(3, "z", "get", "[1]"), call(4, "y", "get", #""{\"b\":2}""#), Server.end("stop"),
            ])
        ])
        let reply = try await ask(server, request)
        #expect(reply.outcome == .toolCalls)
        let calls = reply.message.toolCalls
        #expect(calls.map(\.name) == [long, "get.x", "invented", "get", "get"])
        #expect(calls.map(\.arguments) == [["a": 1], [:], [:], [:], ["b": 2]])
        #expect(calls.map { $0.defect == nil } == [true, true, false, false, true])
        #expect(Set(calls.map(\.id)).count == 5)
        #expect(!calls.contains { $0.id.isEmpty || $0.id == "dup" })
        #expect(calls[2].id == "z")
    }

    @Test(
        "ends are told apart",
        arguments: [
            ("stop", ModelOutcome.complete), ("eos", .complete), ("length", .truncated),
            ("content_filter", .refused(reason: "content_filter")), ("weird", .stopped(reason: "weird")),
        ]
    )
    func outcomes(_ reason: String, _ outcome: ModelOutcome) async throws {
        let server = try Server([.stream([Server.text("a"), Server.end(reason)])])
        #expect(try await ask(server).outcome == outcome)
    }

    @Test("calls of a turn that ran into its bound are not run; a refusal is one")
    func unfinished() async throws {
        let call = Server.frame([
            "tool_calls": [["index": 0, "id": "a", "function": ["name": "f", "arguments": "{\"x"]]]
        ])
        let cut = try await ask(Server([.stream([call, Server.end("length")])]))
        #expect(cut.outcome == .truncated)
        #expect(cut.message.toolCalls.isEmpty)
        let refused = try await ask(Server([.stream([Server.frame(["refusal": "I can't"]), Server.end()])]))
        #expect(refused.outcome == .refused(reason: "refusal"))
    }

    @Test("every exchange is recorded as it was, without the key")
    func traffic() async throws {
        let log = TrafficLog()
        let server = try Server([
            .status(503, "busy \(Server.key)", []), .stream([Server.text("ok"), Server.end(), Server.usage(1, 1)]),
        ])
        _ = try await ask(server, traffic: log)
        #expect(log.all.map(\.status) == [503, 200])
        #expect(log.all[0].failure != nil && log.all[1].failure == nil)
        #expect(log.all.allSatisfy { $0.path == "/v1/chat/completions" && $0.model.description == "openai/qwen3" })
        #expect(try JSONValue(parsing: log.all[1].request) == server.requests[1])
        #expect(String(decoding: log.all[1].reply, as: UTF8.self).hasSuffix("data: [DONE]\n\n"))
        #expect(!"\(log.all)".contains(Server.key))
        for exchange in log.all {
            #expect(!String(decoding: exchange.request + exchange.reply, as: UTF8.self).contains(Server.key))
        }
    }
}
