import Domain
import Testing

@testable import OpenAIDialect

@Suite("Requests of the dialect")
struct RequestTests {
    private let messages: JSONValue = [["role": "user", "content": "hi"]]

    private func request(_ members: JSONObject) -> JSONValue {
        var all: JSONObject = ["model": "m", "messages": messages]
        for (key, value) in members { all[key] = value }
        return .object(all)
    }

    @Test("what is written is read back the same")
    func roundTrip() throws {
        let request = OpenAIChatRequest(
            model: "m",
            messages: [
                OpenAIMessage(.system, "be brief"), OpenAIMessage(.user, "hi"),
                OpenAIMessage(.assistant, "", toolCalls: [OpenAIToolCall(id: "c1", name: "f", arguments: "{\"a\":1}")]),
                OpenAIMessage(.tool, "42", toolCallID: "c1"),
            ],
            tools: [OpenAITool(name: "f", description: "d", parameters: .object(properties: ["a": .integer()]))],
            toolChoice: .function("f"),
            responseFormat: .jsonSchema(name: "answer", schema: .object(properties: [:]), isStrict: true),
            temperature: 0.5,
            topP: 0.9,
            outputTokensMax: 100,
            tokenLimitName: .maxCompletionTokens,
            stop: ["END"],
            seed: 7,
            reasoningEffort: "low",
            isStream: true,
            includesUsage: true
        )
        #expect(try OpenAIChatRequest(reading: request.json) == request)
    }

    @Test("the shortest request, and nulls for all that may be absent")
    func shortest() throws {
        let short = try OpenAIChatRequest(reading: request([:]))
        #expect(short == OpenAIChatRequest(model: "m", messages: [OpenAIMessage(.user, "hi")]))
        let nulls = request([
            "n": nil, "stop": nil, "tools": nil, "stream": nil, "temperature": nil, "max_tokens": nil, "user": "u",
            "tool_choice": nil, "response_format": nil, "stream_options": nil, "presence_penalty": 0.1, "metadata": [:],
        ])
        #expect(try OpenAIChatRequest(reading: nulls) == short)
    }

    @Test("text parts are joined; an assistant's message needs no content")
    func parts() throws {
        let messages: JSONValue = [
            ["role": "user", "content": [["type": "text", "text": "a"], ["type": "text", "text": "b"]]],
            ["role": "assistant", "content": nil],
        ]
        let read = try OpenAIChatRequest(reading: request(["messages": messages]))
        #expect(read.messages.map(\.content) == ["ab", nil])
    }

    @Test("`max_completion_tokens` goes before `max_tokens`; stop is a text or some")
    func alternatives() throws {
        let read = try OpenAIChatRequest(reading: request(["max_tokens": 5, "max_completion_tokens": 6, "stop": "x"]))
        #expect(read.outputTokensMax == 6)
        #expect(read.stop == ["x"])
        #expect(try OpenAIChatRequest(reading: request(["max_tokens": 5])).outputTokensMax == 5)
    }

    @Test(
        "what cannot be done is refused, by the name of the member",
        arguments: [
            ("{\"model\":null}", "model"), ("{\"messages\":[]}", "messages"), ("{\"messages\":\"x\"}", "messages"),
            ("{\"messages\":[1]}", "messages[0]"),
            ("{\"messages\":[{\"role\":\"king\",\"content\":\"x\"}]}", "messages[0].role"),
            ("{\"messages\":[{\"role\":\"user\"}]}", "messages[0].content"),
            ("{\"messages\":[{\"role\":\"tool\",\"content\":\"x\"}]}", "messages[0].tool_call_id"),
            (
                "{\"messages\":[{\"role\":\"user\",\"content\":[{\"type\":\"image_url\",\"image_url\":{\"url\":\"x\"}}]}]}",
                "messages[0].content[0].type"
            ),
            ("{\"n\":2}", "n"), ("{\"logprobs\":true}", "logprobs"), ("{\"functions\":[]}", "functions"),
            ("{\"temperature\":2.5}", "temperature"), ("{\"temperature\":\"hot\"}", "temperature"),
            ("{\"top_p\":-1}", "top_p"),
            ("{\"max_tokens\":0}", "max_tokens"), ("{\"max_tokens\":1.5}", "max_tokens"), ("{\"stop\":[\"\"]}", "stop"),
            ("{\"stop\":[\"a\",\"b\",\"c\",\"d\",\"e\"]}", "stop"), ("{\"stream\":\"yes\"}", "stream"),
            ("{\"tools\":[{\"type\":\"function\",\"function\":{\"name\":\"a b\"}}]}", "tools[0].function.name"),
            ("{\"tools\":[{\"type\":\"web_search\"}]}", "tools[0].type"),
            ("{\"tool_choice\":\"required\"}", "tool_choice"),
            ("{\"tool_choice\":{\"type\":\"function\",\"function\":{\"name\":\"f\"}}}", "tool_choice"),
            ("{\"response_format\":{\"type\":\"xml\"}}", "response_format.type"),
            ("{\"response_format\":{\"type\":\"json_schema\"}}", "response_format.json_schema"),
            ("{\"modalities\":[\"audio\"]}", "modalities"),
        ]
    )
    func refused(_ text: String, _ parameter: String) throws {
        guard case .object(let members) = try JSONValue(parsing: text) else { return }
        do {
            _ = try OpenAIChatRequest(reading: request(members))
            Issue.record("\(text) was accepted")
        } catch {
            #expect(error.parameter == parameter)
            #expect(error.message.contains("'\(parameter)'"))
        }
    }

    @Test("as many tools and calls as anybody has are taken, and no more")
    func bounds() throws {
        for count in [Limits.dialectTools, Limits.dialectTools + 1] {
            let tools = (0..<count).map { ["function": ["name": .string("f\($0)")]] as JSONValue }
            let calls = (0..<count).map { ["id": .string("c\($0)"), "function": ["name": "f"]] as JSONValue }
            let many = request(["tools": .array(tools)])
            let asked: JSONValue = ["role": "assistant", "tool_calls": .array(calls)]
            let called = request(["messages": [asked]])
            for (json, parameter) in [(many, "tools"), (called, "messages[0].tool_calls")] {
                guard count > Limits.dialectTools else {
                    _ = try OpenAIChatRequest(reading: json)
                    continue
                }
                let error = #expect(throws: OpenAIRequestError.self) { try OpenAIChatRequest(reading: json) }
                #expect(error?.parameter == parameter)
            }
        }
    }

    @Test("counts that no server can mean add up all the same")
    func absurdCounts() throws {
        let counts: JSONValue = [
            "prompt_tokens": .number(JSONNumber(Int.max)), "completion_tokens": .number(JSONNumber(Int.max)),
        ]
        let usage = try #require(OpenAIUsage(json: counts))
        #expect(usage.json["total_tokens"]?.intValue == 2 * Limits.reportedTokens)
        let reply = try OpenAIEmbeddingReply(
            json: ["data": [["embedding": [1.0]]], "usage": counts],
            count: 1,
            server: "s"
        )
        #expect(reply.promptTokens == Limits.reportedTokens)
    }

    @Test("texts to embed: one or many; tokens, nothing and empty texts are refused")
    func embeddingInput() throws {
        #expect(try OpenAIEmbeddingRequest(reading: ["model": "m", "input": "a"]).input == ["a"])
        let many = try OpenAIEmbeddingRequest(reading: [
            "model": "m", "input": ["a", "b"], "encoding_format": "base64",
        ])
        #expect(many == OpenAIEmbeddingRequest(model: "m", input: ["a", "b"], encoding: .base64))
        for input in [nil, [], [1, 2], [[1, 2]], [""], ["a", nil], 7, "", [["a"]]] as [JSONValue] {
            #expect(throws: OpenAIRequestError.self) {
                try OpenAIEmbeddingRequest(reading: ["model": "m", "input": input])
            }
        }
        do {
            _ = try OpenAIEmbeddingRequest(reading: ["model": "m", "input": [[15, 496]]])
        } catch { #expect(error.message.contains("tokens are not supported")) }
    }
}

@Suite("Vectors of the dialect")
struct EmbeddingReplyTests {
    private let vectors: [[Float]] = [[0.1, -2.5e-8, 3], [1, 0, -0.333_333_34]]

    @Test(
        "both encodings give back the same floats, bit for bit",
        arguments: [OpenAIEmbeddingRequest.Encoding.float, .base64]
    )
    func encodings(_ encoding: OpenAIEmbeddingRequest.Encoding) throws {
        let reply = OpenAIEmbeddingReply(model: "m", vectors: vectors, promptTokens: 9)
        #expect(try OpenAIEmbeddingReply(json: reply.json(encoding), count: 2, server: "s") == reply)
    }

    @Test("vectors are sorted by their index")
    func order() throws {
        let json: JSONValue = ["data": [["index": 1, "embedding": [2]], ["index": 0, "embedding": [1]]]]
        #expect(try OpenAIEmbeddingReply(json: json, count: 2, server: "s").vectors == [[1], [2]])
    }

    @Test(
        "what is not one vector for each text, all alike and finite, is malformed",
        arguments: [
            #"{}"#, #"{"data":[]}"#, #"{"data":[{"index":0,"embedding":[1]}]}"#,
            #"{"data":[{"index":0,"embedding":[1]},{"index":0,"embedding":[1]}]}"#,
            #"{"data":[{"index":0,"embedding":[1]},{"index":2,"embedding":[1]}]}"#,
            #"{"data":[{"index":0,"embedding":[1]},{"index":-1,"embedding":[1]}]}"#,
            #"{"data":[{"index":0,"embedding":[1]},{"index":1,"embedding":[1,2]}]}"#,
            #"{"data":[{"index":0,"embedding":[]},{"index":1,"embedding":[]}]}"#,
            #"{"data":[{"index":0,"embedding":[1]},{"index":1,"embedding":[null]}]}"#,
            #"{"data":[{"index":0,"embedding":[1]},{"index":1,"embedding":[1e300]}]}"#,
            #"{"data":[{"index":0,"embedding":"AACAPw=="},{"index":1,"embedding":"AACA"}]}"#,
            #"{"data":[{"index":0,"embedding":"AACAPw=="},{"index":1,"embedding":"AADAfw=="}]}"#,
        ]
    )
    func malformed(_ text: String) throws {
        let json = try JSONValue(parsing: text)
        #expect(throws: OpenAIError(.malformedReply, "")) {
            try OpenAIEmbeddingReply(json: json, count: 2, server: "s")
        }
    }
}
