import Domain
import Outbound
import Testing

@testable import OpenAIDialect

@Suite("Answers put together from a stream")
struct StreamAssemblerTests {
    /// Feeds a stream as text and gives what came of it.
    private func run(_ text: String) throws -> (deltas: [OpenAIDelta], turn: OpenAITurn) {
        var splitter = ServerSentEventSplitter()
        var assembler = OpenAIStreamAssembler(server: "test:1")
        var deltas: [OpenAIDelta] = []
        for item in try splitter.take(Array(text.utf8)) + splitter.finish() { deltas += try assembler.take(item) }
        return (deltas, try assembler.finish())
    }

    private func chunk(_ delta: String, finish: String = "null") -> String {
        "data: {\"id\":\"x\",\"model\":\"m-1\",\"choices\":[{\"index\":0,\"delta\":\(delta),\"finish_reason\":\(finish)}]}\n\n"
    }

    @Test("text, its end and its usage")
    func ordinary() throws {
        let (deltas, turn) = try run(
            chunk(#"{"role":"assistant","content":""}"#) + chunk(#"{"content":"Hel"}"#)
                + chunk(#"{"content":"lo\u2028"}"#)
                + chunk("{}", finish: "\"stop\"")
                + "data: {\"choices\":[],\"usage\":{\"prompt_tokens\":7,\"completion_tokens\":5,"
                + "\"completion_tokens_details\":{\"reasoning_tokens\":2}}}\n\ndata: [DONE]\n\n"
        )
        #expect(deltas == [.content("Hel"), .content("lo\u{2028}")])
        #expect(turn.content == "Hello\u{2028}")
        #expect(turn.finishReason == "stop")
        #expect(turn.usage == OpenAIUsage(promptTokens: 7, completionTokens: 5, reasoningTokens: 2))
        #expect(turn.model == "m-1")
    }

    @Test("reasoning by both of its names", arguments: ["reasoning_content", "reasoning"])
    func reasoning(_ name: String) throws {
        let (deltas, turn) = try run(chunk("{\"\(name)\":\"hm\"}") + chunk("{\"content\":\"a\"}", finish: "\"stop\""))
        #expect(deltas == [.reasoning("hm"), .content("a")])
        #expect(turn.reasoning == "hm")
    }

    @Test("tool calls, even though the end is called stop")
    func toolCalls() throws {
        let (_, turn) = try run(
            chunk(#"{"tool_calls":[{"index":0,"id":"c1","function":{"name":"f","arguments":"{\"a\":"}}]}"#)
                + chunk(#"{"tool_calls":[{"index":0,"function":{"arguments":"1}"}}]}"#)
                + chunk("{}", finish: "\"stop\"")
        )
        #expect(turn.toolCalls == [OpenAIToolCall(id: "c1", name: "f", arguments: "{\"a\":1}")])
    }

    @Test(
        "an end without a reason and without [DONE] is a cut stream",
        arguments: [
            "", ": ping\n\n", "data: {\"choices\":[]}\n\n", "CHUNK", "CHUNKdata: {\"choices\":[{\"index\":0,\"del",
        ]
    )
    func cut(_ text: String) {
        let stream = text.replacing("CHUNK", with: chunk(#"{"content":"Half an ans"}"#))
        #expect(throws: OpenAIError(.cut, "")) { try run(stream) }
    }

    @Test("a reason without [DONE], and [DONE] without a reason, are both an end; what follows is passed over")
    func ends() throws {
        #expect(try run(chunk(#"{"content":"a"}"#, finish: "\"stop\"")).turn.content == "a")
        let done = try run(chunk(#"{"content":"a"}"#) + "data: [DONE]\n\n" + chunk(#"{"content":"b"}"#))
        #expect(done.turn.content == "a")
        #expect(done.turn.finishReason == nil)
        #expect(done.deltas == [.content("a")])
    }

    @Test("of several choices the first is the answer")
    func otherChoices() throws {
        let other = #"data: {"choices":[{"index":1,"delta":{"content":"x"},"finish_reason":"stop"}]}"# + "\n\n"
        #expect(throws: OpenAIError(.cut, "")) { try run(other) }
        #expect(try run(other + chunk(#"{"content":"a"}"#, finish: "\"stop\"")).turn.content == "a")
    }

    @Test(
        "errors in a stream, in every dress servers have for them",
        arguments: [
            (#"data: {"error":{"message":"boom","type":"server_error","code":503}}"#, OpenAIError.Code.overloaded),
            (#"data: {"error":{"message":"boom","code":"500"}}"#, .serverFailed),
            (#"data: {"error":"model runner has crashed"}"#, .serverFailed),
            (
                #"data: {"object":"error","message":"too long: maximum context length is 4096","code":400}"#,
                .inputTooLong
            ),
            (#"{"error":{"message":"slow down","code":429}}"#, .overloaded),
            (#"error: {"code":500,"message":"x","error":{"code":500,"message":"x"}}"#, .serverFailed),
            ("{\n  \"error\": {\n    \"code\": 503\n  }\n}", .overloaded),
            ("<html><body>502 Bad Gateway</body></html>", .malformedReply),
            ("data: not json", .malformedReply),
        ]
    )
    func errors(_ text: String, _ code: OpenAIError.Code) {
        #expect(throws: OpenAIError(code, "")) { try run(chunk(#"{"content":"a"}"#) + text + "\n\n") }
    }

    @Test("a server that answers whole is understood")
    func whole() throws {
        let body = """
            {"id":"x","object":"chat.completion","model":"m","choices":[{"index":0,"message":{"role":"assistant",
            "content":"Hi","reasoning":"r","tool_calls":[{"id":"a","function":{"name":"f","arguments":"{}"}},
            {"id":"a","function":{"name":"f","arguments":"{}"}}]},"finish_reason":"tool_calls"}],
            "usage":{"prompt_tokens":1,"completion_tokens":2}}
            """
        let turn = try run(body).turn
        #expect(turn.content == "Hi")
        #expect(turn.reasoning == "r")
        #expect(turn.toolCalls.count == 2)
        #expect(turn.usage == OpenAIUsage(promptTokens: 1, completionTokens: 2))
    }

    @Test("a count beyond reason is taken for the most there may be, so that no sum overflows")
    func absurdUsage() throws {
        let usage = try JSONValue(
            parsing: #"{"prompt_tokens":9223372036854775807,"completion_tokens":9223372036854775807}"#
        )
        let counted = try #require(OpenAIUsage(json: usage))
        #expect(counted == OpenAIUsage(promptTokens: Limits.reportedTokens, completionTokens: Limits.reportedTokens))
        #expect(counted.json["total_tokens"]?.intValue == 2 * Limits.reportedTokens)
    }

    @Test("members of other types than they should have do no harm")
    func lenient() throws {
        let odd = [
            #"{"choices":null}"#, #"{"choices":{}}"#, #"{"choices":[null]}"#, #"{"choices":[{"delta":null}]}"#, "[]",
            "1",
            #"{"choices":[{"index":0,"delta":{"content":7,"tool_calls":"x"},"finish_reason":3}],"usage":[]}"#,
            #"{"choices":[],"usage":{"prompt_tokens":-4,"completion_tokens":"x"}}"#,
        ]
        let text = odd.map { "data: \($0)\n\n" }.joined() + chunk(#"{"content":"a"}"#, finish: "\"stop\"")
        let turn = try run(text).turn
        #expect(turn.content == "a")
        #expect(turn.usage == OpenAIUsage())
    }
}
