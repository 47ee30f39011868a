import Domain
import Gemini
import Logging
import TestSupport
import Testing

@testable import LLM

@Suite("Gemini and tools, over a socket", .enabled(if: ClientServer.isInstalled))
struct GeminiToolTests {
    private static let tools = GeminiFixture.tools

    /// Runs a conversation until the model asks for no more tools; each result is its number.
    private func converse(
        _ model: GeminiModel,
        _ messages: [ModelMessage],
        tools: [ModelTool] = GeminiToolTests.tools
    ) async throws -> (messages: [ModelMessage], answer: GeminiAnswer) {
        var messages = messages
        var count = 0
        while true {
            let answer = try await model.answer(ModelRequest(system: "S", messages: messages, tools: tools))
            let reply = try #require(answer.reply, "\(answer.error?.detail ?? "")")
            // As the store does: to JSON and back.
            messages.append(try JSONCoder.decode(ModelMessage.self, from: try JSONCoder.encode(reply.message)))
            guard reply.outcome == .toolCalls else { return (messages, answer) }
            let results = reply.message.toolCalls.map { call -> ModelPart in
                count += 1
                return .toolResult(
                    ModelToolResult(callID: call.id, name: call.name, text: "\(count)", isError: count == 2)
                )
            }
            messages.append(ModelMessage(.tool, results))
        }
    }

    @Test("a conversation of several steps goes back to the model exactly as it came, through the store")
    func agent() async throws {
        let model = try await GeminiFixture.model("gemini-3-case-agent_a")
        let (messages, answer) = try await converse(model, [.user("Look it up")])
        #expect(answer.text == "So: 3")
        #expect(messages.map(\.role) == [.user, .model, .tool, .model, .tool, .model])
        #expect(messages[1].parts.first == .thought("Let me think"))
        #expect(messages[1].toolCalls.map(\.id) == ["c1", "c2"])
        // Another question: what was said before is still as it was, the signature on empty text included.
        let more = try await converse(model, messages + [.user("And now?")])
        #expect(more.messages.count == messages.count + 4)
        #expect(more.answer.text == "So: 1, 2")
        #expect(try await GeminiFixture.log("gemini-3-case-agent_a")["refusals"]?.arrayValue?.count == 0)
        let original = try #require(messages.last?.original)
        #expect(original.family == "gemini-3")
        #expect(original.value["parts"]?.arrayValue?.count == 2)
        #expect(original.value["parts"]?[1]?["text"]?.stringValue?.isEmpty == true)
    }

    @Test(
        "calls come back answered however they were given",
        arguments: [
            ("calls-in-one-frame", 3), ("calls-over-frames", 3), ("calls-without-ids", 3), ("calls-with-one-id", 2),
            ("calls-without-arguments", 1), ("calls-without-signature", 1), ("signature-on-empty-text", 1),
            ("many-calls", 40), ("calls-with-odd-arguments", 3), ("parts-of-nothing", 1),
        ]
    )
    func calls(_ scenario: String, _ count: Int) async throws {
        let name = "gemini-3-case-\(scenario)_t"
        let (messages, answer) = try await converse(try await GeminiFixture.model(name), [.user("Go")])
        #expect(answer.text == "done")
        let ids = messages[1].toolCalls.map(\.id)
        #expect(ids.count == count)
        #expect(Set(ids).count == count)
        #expect(try await GeminiFixture.log(name)["refusals"]?.arrayValue?.count == 0)
    }

    @Test("names that Gemini does not take go there and back changed, and stay apart")
    func names() async throws {
        let odd = [
            "tools/søk", "tools/sok", "1st tool", "ok.name:x-y", String(repeating: "n", count: 200), "tools søk",
        ]
        let tools = odd.map { ModelTool(name: $0, description: "", parameters: .object(properties: [:])) }
        let name = "gemini-3-case-names_n"
        let model = try await GeminiFixture.model(name)
        let (messages, answer) = try await converse(model, [.user("Go")], tools: tools)
        #expect(messages[1].toolCalls.map(\.name) == odd)
        #expect(answer.text == "done")
        #expect(try await GeminiFixture.log(name)["refusals"]?.arrayValue?.count == 0)
    }

    @Test(
        "history of another family or provider is told with the stand-in for signatures",
        arguments: ["gemini", "openai"]
    )
    func foreignHistory(_ provider: String) async throws {
        let call = ModelToolCall(id: "x1", name: "a", arguments: ["q": 1])
        let parts: JSONValue = ["parts": [["functionCall": ["name": "a"], "thoughtSignature": "bm90IHlvdXJz"]]]
        let turn = ModelMessage(
            .model,
            [.thought("Hm"), .toolCall(call), .toolCall(ModelToolCall(id: "x2", name: "b", arguments: "broken"))],
            original: ProviderOriginal(provider: provider, family: "gemini-2.5", value: parts)
        )
        let results = ModelMessage(
            .tool,
            ["x1", "x2"].map { .toolResult(ModelToolResult(callID: $0, name: "a", text: "t")) }
        )
        let name = "gemini-3-case-plain_foreign-\(provider)"
        let model = try await GeminiFixture.model(name)
        let answer = try await model.answer(ModelRequest(messages: [.user("Q"), turn, results], tools: Self.tools))
        #expect(answer.text == GeminiScenario.text)
        let log = try await GeminiFixture.log(name)
        let sent = log["bodies"]?[0]?["contents"]?[1]?["parts"]
        #expect(sent?[0]?["thoughtSignature"]?.stringValue == GeminiPart.foreignSignature)
        #expect(sent?[0]?["functionCall"]?["args"] == ["q": 1])
        #expect(sent?[1]?["thoughtSignature"] == nil)
        #expect(sent?.arrayValue?.count == 2)
    }

    @Test("a fallback in the middle of a turn goes on with the other family's model")
    func fallback() async throws {
        let first = try await GeminiFixture.model("gemini-3-case-calls-in-one-frame_f")
        let question = ModelMessage.user("Go")
        let asked = try #require(try await first.answer(ModelRequest(messages: [question], tools: Self.tools)).reply)
        let results = asked.message.toolCalls.map { call in
            ModelPart.toolResult(ModelToolResult(callID: call.id, name: call.name, text: "1"))
        }
        for name in ["gemini-4-case-calls-in-one-frame_f", "gemini-2.5-case-calls-in-one-frame_f"] {
            let second = try await GeminiFixture.model(name)
            let answer = try await second.answer(
                ModelRequest(messages: [question, asked.message, ModelMessage(.tool, results)], tools: Self.tools)
            )
            #expect(answer.text == "done", "\(name): \(answer.error?.detail ?? "")")
        }
    }

    @Test("a call whose answer got lost is answered with an error, so that it never stands alone")
    func lostAnswer() async throws {
        let name = "gemini-3-case-calls-in-one-frame_o"
        let model = try await GeminiFixture.model(name)
        let asked = try #require(
            try await model.answer(ModelRequest(messages: [.user("Go")], tools: Self.tools)).reply
        )
        // Cancelled: the user asks something else, with no result, and with one of three.
        let one = ModelPart.toolResult(ModelToolResult(callID: asked.message.toolCalls[1].id, name: "b", text: "1"))
        for between in [[], [ModelMessage(.tool, [one])]] {
            let messages = [.user("Go"), asked.message] + between + [.user("Stop that")]
            let answer = try await model.answer(ModelRequest(messages: messages, tools: Self.tools))
            #expect(answer.text == "done", "\(answer.error?.detail ?? "")")
        }
        let answers = try await GeminiFixture.log(name)["bodies"]?[2]?["contents"]?[2]?["parts"]
        #expect(answers?[0]?["functionResponse"]?["response"]?["error"] != nil)
        #expect(answers?[1]?["functionResponse"]?["response"] == ["output": "1"])
        #expect(answers?[3] == ["text": "Stop that"])
    }

    @Test("a run that was interrupted behind its tools is gone on from, with its turns as they came")
    func interrupted() async throws {
        let name = "gemini-3-case-calls-in-one-frame_i"
        let model = try await GeminiFixture.model(name)
        let asked = try #require(
            try await model.answer(ModelRequest(messages: [.user("Go")], tools: Self.tools)).reply
        )
        let results = asked.message.toolCalls.map { call in
            ModelPart.toolResult(ModelToolResult(callID: call.id, name: call.name, text: "1"))
        }
        let atom = [asked.message, ModelMessage(.tool, results)]
        // As chat leaves it: with the beginning of an answer behind the atom, and without.
        for tail in [[], [ModelMessage(.model, [.text("Half an ans")])]] {
            let messages = [.user("Go")] + atom + tail + [.user("Go on")]
            let stored = try JSONCoder.decode([ModelMessage].self, from: try JSONCoder.encode(messages))
            let answer = try await model.answer(ModelRequest(messages: stored, tools: Self.tools))
            #expect(answer.reply != nil, "\(answer.error?.detail ?? "")")
        }
        let log = try await GeminiFixture.log(name)
        #expect(log["refusals"]?.arrayValue?.count == 0)
        for body in 1...2 {
            #expect(log["bodies"]?[body]?["contents"]?[1]?["parts"] == asked.message.original?.value["parts"])
        }
    }

    @Test("an answer to no call is our own fault, and is not sent")
    func orphan() async throws {
        let name = "gemini-3-case-plain_orphan"
        let model = try await GeminiFixture.model(name)
        let orphan = ModelMessage(.tool, [.toolResult(ModelToolResult(callID: "z", name: "a", text: ""))])
        let answer = try await model.answer(ModelRequest(messages: [.user("Go"), orphan]))
        #expect(answer.error?.code == .historyAltered)
        #expect(try await GeminiFixture.log(name)["requests"]?.intValue == 0)
    }

    @Test(
        "the choice of tools is passed on",
        arguments: [(ModelRequest.ToolChoice.auto, "AUTO"), (.none, "NONE"), (.required, "ANY")]
    )
    func choice(_ choice: ModelRequest.ToolChoice, _ mode: String) async throws {
        let model = try await GeminiFixture.model("gemini-3-case-no-calls-allowed_\(mode)")
        let request = ModelRequest(messages: [.user("Go")], tools: Self.tools, toolChoice: choice)
        #expect(try await model.answer(request).text == mode)
    }

    @Test("a schema binds the answer; beside tools only where the family takes both")
    func schema() async throws {
        let schema = JSONSchema.object(properties: ["answer": .integer()], required: ["answer"])
        let bound = ModelRequest(messages: [.user("Go")], responseSchema: schema)
        let answer = try await GeminiFixture.model("gemini-3-case-schema_s").answer(bound)
        #expect(answer.text == #"{"answer":42}"#)
        let old = "gemini-2.5-case-plain_s"
        let withTools = ModelRequest(system: "S", messages: [.user("Go")], tools: Self.tools, responseSchema: schema)
        #expect(try await GeminiFixture.model(old).answer(withTools).text == GeminiScenario.text)
        let system = try await GeminiFixture.log(old)["bodies"]?[0]?["systemInstruction"]?["parts"]?[0]?["text"]
        #expect(system?.stringValue?.contains(#""answer""#) == true)
    }

    @Test(
        "every setting is one that the family takes",
        arguments: [
            "gemini-3-case-plain", "gemini-3.1-pro-case-plain", "gemini-2.5-case-plain", "gemini-2.0-case-plain",
        ],
        ModelRequest.Thinking.allCases
    )
    func settings(_ model: String, _ thinking: ModelRequest.Thinking) async throws {
        let name = "\(model)_settings-\(thinking)"
        let request = ModelRequest(
            system: "S",
            messages: [.user("Go")],
            toolChoice: .none,
            outputTokensMax: 1_000_000,
            temperature: 0.5,
            topP: 0.9,
            stop: ["a", "b", "c", "d", "e"],
            seed: 1 << 40 + 7,
            thinking: thinking
        )
        let answer = try await GeminiFixture.model(name).answer(request)
        #expect(answer.text == GeminiScenario.text, "\(answer.error?.detail ?? "")")
    }

    @Test("a '-latest' name signs with the family that its replies name")
    func latest() async throws {
        let model = try await GeminiFixture.model("models/gemini-flash-latest")
        #expect(model.name.description == "gemini/gemini-flash-latest")
        let request = ModelRequest(messages: [.user("Go")], thinking: .low)
        let reply = try #require(try await model.answer(request).reply)
        #expect(reply.message.original?.family == "gemini-3")
        #expect(reply.modelVersion == "gemini-3-flash-001")
        let more = ModelRequest(messages: request.messages + [reply.message, .user("On")], thinking: .low)
        #expect(try await model.answer(more).text == GeminiScenario.text)
        let sent = try await GeminiFixture.log("gemini-flash-latest")["bodies"]?[1]?["contents"]?[1]?["parts"]
        #expect(sent == reply.message.original?.value["parts"])
    }

    @Test("a history whose beginning was trimmed still begins with the user")
    func trimmed() async throws {
        let model = try await GeminiFixture.model("gemini-3-case-plain_trimmed")
        let messages = [ModelMessage(.model, [.text("As I said")]), .user("Go"), .user("on")]
        let answer = try await model.answer(ModelRequest(messages: messages))
        #expect(answer.text == GeminiScenario.text, "\(answer.error?.detail ?? "")")
    }

    @Test("what can't be asked is our own fault, and is not sent", arguments: [[], [ModelMessage.user("")]])
    func nothing(_ messages: [ModelMessage]) async throws {
        let model = try await GeminiFixture.model("gemini-3-case-plain_nothing\(messages.count)")
        #expect(try await model.answer(ModelRequest(messages: messages)).error?.code == .requestRefused)
        #expect(throws: ModelError(.modelNotFound, "")) {
            try GeminiModel(client: model.client, model: "no name", logger: Logger(label: "test"))
        }
    }

    @Test("limits are the API's own once it was asked, and careful ones before")
    func limits() async throws {
        let model = try await GeminiFixture.model("gemini-3.7-flash")
        #expect(model.limits.outputTokens == 65_536)
        try await model.learnLimits()
        #expect(model.limits == ModelLimits(inputTokens: 1_048_576, outputTokens: 32_768))
        let unknown = try await GeminiFixture.model("gemini-3-unheard-of")
        let before = unknown.limits
        await #expect(throws: ModelError(.modelNotFound, "")) { try await unknown.learnLimits() }
        #expect(unknown.limits == before)
    }
}
