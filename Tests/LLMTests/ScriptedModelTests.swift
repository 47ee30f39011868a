import Domain
import TestSupport
import Testing

@testable import LLM

@Suite("Scripted models")
struct ScriptedModelTests {
    private func reply(
        _ model: ScriptedModel,
        _ messages: [ModelMessage] = [.user("Hello")],
        outputTokensMax: Int = 100,
        onDelta: @escaping @Sendable (ModelDelta) -> Void = { _ in }
    ) async throws -> ModelReply {
        try await model.respond(
            to: ModelRequest(messages: messages, outputTokensMax: outputTokensMax),
            call: ModelCallContext(deadline: .now + .seconds(60)),
            onDelta: { onDelta($0) }
        )
    }

    private static func result(_ text: String, of tool: String, id: String = "1") -> [ModelMessage] {
        [
            ModelMessage(.model, [.toolCall(ModelToolCall(id: id, name: tool, arguments: [:]))]),
            ModelMessage(.tool, [.toolResult(ModelToolResult(callID: id, name: tool, text: text))]),
        ]
    }

    @Test("speaks word by word, or in the pieces it is given")
    func pieces() async throws {
        let deltas = Guarded<[ModelDelta]>([])
        let model = try ScriptedModel.saying([["text": "Two  books\nare overdue. ", "thought": "hm"]])
        let whole = try await reply(model) { delta in deltas.update { $0.append(delta) } }
        #expect(
            deltas.value
                == [.thought("hm"), .text("Two  "), .text("books\n"), .text("are "), .text("overdue. ")]
        )
        #expect(whole.message == ModelMessage(.model, [.thought("hm"), .text("Two  books\nare overdue. ")]))
        #expect(whole.usage == TokenUsage(input: 2, output: 4))
        #expect(whole.outcome == .complete)

        let pieces = try ScriptedModel.saying([["text": ["a", "b c"], "times": 2]])
        #expect(try await reply(pieces).message.text == "ab cab c")
    }

    @Test("chooses a turn by what the conversation holds")
    func choice() async throws {
        let model = try ScriptedModel.saying([
            ["when": ["user": "OVERDUE", "step": 1], "calls": [["name": "lookup", "arguments": ["q": "{{user}}"]]]],
            ["when": ["tool": "lookup"], "text": "found"],
            ["when": ["turn": 2], "text": "second"],
            ["text": "otherwise"],
        ])
        let asked = [ModelMessage.user("Which are overdue?")]
        let first = try await reply(model, asked)
        #expect(first.outcome == .toolCalls)
        #expect(first.message.toolCalls.first?.arguments == ["q": "Which are overdue?"])
        #expect(try await reply(model, asked + Self.result("x", of: "lookup")).message.text == "found")
        #expect(try await reply(model, [.user("a"), .user("b")]).message.text == "second")
        #expect(try await reply(model).message.text == "otherwise")
        await #expect(throws: ModelError(.malformedReply, "")) {
            try await reply(try .saying([["when": ["turn": 9], "text": "never"]]))
        }
    }

    @Test("fills templates in from the conversation")
    func templates() async throws {
        let fence = UntrustedText(word: "w0rd")
        let search = fence.framed(
            "1. Emma · Books / Loans · recAAAAAAAAAAAAA1 in tblAAAAAAAAAAAAA1 · score 0.81\n recBBBBBBBBBBBBB2",
            label: "search_records"
        )
        let messages =
            [ModelMessage.user("about recUUUUUUUUUUUUU9")] + Self.result("old recOOOOOOOOOOOOO0", of: "search_records")
            + Self.result(search, of: "search_records", id: "2")
            + Self.result(fence.framed(#"{"rows":[{"sum":42,"a/b":"x"}]}"#, label: "total"), of: "total", id: "3")
        let template = ScriptTemplate(messages: messages)
        #expect(try template.filled("[{{search_records rec 1}}]") == "[recBBBBBBBBBBBBB2]")
        #expect(try template.filled("{{search_records tbl 0}}+{{user rec 0}}") == "tblAAAAAAAAAAAAA1+recUUUUUUUUUUUUU9")
        #expect(try template.filled("{{search_records ~ score ([0-9.]+)}}") == "0.81")
        #expect(try template.filled("{{user}}") == "about recUUUUUUUUUUUUU9")
        #expect(try template.filled("{{total /rows/0/a~1b}} of {{total /rows/0/sum}}") == "x of 42")
        #expect(try template.filled(["n": ["{{total /rows/0/sum}}"], "b": true]) == ["n": [42], "b": true])
        #expect(try template.filled("no {{ end") == "no {{ end")
        for wrong in [
            "{{nothing rec 0}}", "{{user rec 1}}", "{{total /rows/1}}", "{{user /x}}", "{{user ~ (}}", "{{}}",
        ] {
            #expect(throws: ModelError(.malformedReply, ""), "\(wrong)") { try template.filled(wrong) }
        }
    }

    @Test("stops at the bound of output tokens")
    func truncated() async throws {
        let model = try ScriptedModel.saying([["text": "one two three"], ["text": "x"]])
        let reply = try await reply(model, outputTokensMax: 2)
        #expect(reply.outcome == .truncated)
        #expect(reply.message.text == "one two ")
        #expect(reply.usage.output == 2)
        let calling = try ScriptedModel.saying([
            ["text": "one", "calls": [["name": "lookup", "arguments": ["q": "abcdefgh"]]]]
        ])
        let cut = try await self.reply(calling, outputTokensMax: 2)
        #expect(cut.outcome == .truncated)
        #expect(cut.message.toolCalls.isEmpty)
    }

    @Test("fails as often as it is told, after what it is told, and bills it")
    func failures() async throws {
        let failure: JSONValue = ["code": "cut", "afterPieces": 2, "times": 1, "message": "broken"]
        let model = try ScriptedModel.saying([["text": "one two three", "failure": failure]])
        let seen = Guarded("")
        do {
            _ = try await reply(model) { delta in if case .text(let text) = delta { seen.update { $0 += text } } }
            Issue.record("it did not fail")
        } catch let error as ModelError {
            #expect(error.code == .cut && error.message == "broken")
            #expect(error.usage == TokenUsage(input: 2, output: 2))
        }
        #expect(seen.value == "one two ")
        #expect(try await reply(model).message.text == "one two three")
        #expect(model.counted == TokenUsage(input: 4, output: 5))
        #expect(model.callCount == 2)
    }

    @Test("takes the script's figures, begins again, and ends as told")
    func details() async throws {
        let deltas = Guarded<[ModelDelta]>([])
        let model = try ScriptedModel.saying([
            [
                "text": "a b", "restartAfter": 1, "outcome": "refused",
                "usage": ["input": 7, "cachedInput": 2, "output": 9, "thoughts": 3],
            ]
        ])
        let reply = try await reply(model) { delta in deltas.update { $0.append(delta) } }
        #expect(deltas.value == [.text("a "), .restarted, .text("a "), .text("b")])
        #expect(reply.outcome == .refused(reason: "SAFETY"))
        #expect(reply.usage == TokenUsage(input: 7, cachedInput: 2, output: 9, thoughts: 3))
    }

    @Test("stops in the midst of a slow sentence when cancelled, and has billed what it said")
    func pace() async throws {
        let model = try ScriptedModel.saying(
            [["text": "word ", "times": 10_000]],
            ["tokensPerSecond": 200, "outputTokens": 20_000]
        )
        let heard = AsyncStream<Void>.makeStream()
        let meter = UsageMeter()
        await withTaskGroup(of: Void.self) { group in
            group.addTask {
                await #expect(throws: CancellationError.self) {
                    try await model.respond(
                        to: ModelRequest(messages: [.user("go")], outputTokensMax: 20_000),
                        call: ModelCallContext(deadline: .now + .seconds(600), meter: meter),
                        onDelta: { _ in heard.continuation.yield() }
                    )
                }
            }
            for await _ in heard.stream.prefix(3) {}
            group.cancelAll()
        }
        #expect(model.counted == meter.reported)
        #expect((3..<10_000).contains(model.counted.output))
    }

    @Test(
        "names everything that is wrong with a script",
        arguments: [
            ("[", "no JSON"), ("{}", "turns"), (#"{"turns":[{"tex":"a"}]}"#, "tex"),
            (#"{"turns":[{"failure":{"code":"never"}}]}"#, "code"),
            (#"{"turns":[],"tokensPerSecond":0}"#, "tokensPerSecond"),
        ]
    )
    func wrong(json: String, word: String) {
        do {
            _ = try ModelScript(json: Array(json.utf8))
            Issue.record("\(json) was taken")
        } catch let error as ModelError {
            #expect(error.code == .notConfigured)
            #expect(error.message.contains(word), "\(error)")
        } catch {
            Issue.record("\(error)")
        }
    }

    @Test("a script reads back as it was written")
    func roundTrip() throws {
        let script = ModelScript(
            name: "demo",
            tokensPerSecond: 50,
            turns: [
                .init(when: .init(user: "a", step: 2), text: .pieces(["x", "y"]), calls: [.init(name: "lookup")]),
                .init(text: .whole("z"), failure: .init(code: "cut", times: 2)),
            ]
        )
        let json = try JSONCoder.encode(script)
        #expect(try ModelScript(json: json) == script)
        #expect(ModelScript.schema.violations(of: try JSONValue(parsing: json)).isEmpty)
    }
}
