import Domain
import HTTPTypes
import HummingbirdTesting
import LLM
import TestSupport
import Testing

@testable import Gateway

@Suite("OpenAI's dialect")
struct OpenAIRouteTests {
    private func chat(_ members: JSONObject = [:]) -> String {
        var body: JSONObject = ["model": "test/parrot", "messages": [["role": "user", "content": "hi"]]]
        for (key, value) in members { body[key] = value }
        return JSONValue.object(body).text
    }

    @Test("a completion is the model's turn, with its usage")
    func whole() async throws {
        try await withGateway { fixture in
            let model = TestModel.saying(["Hel", "lo"])
            try await fixture.openAI(TestModels(model: model)).test(.router) { client in
                let body = chat([
                    "temperature": 0.5, "max_tokens": 10, "stop": "x", "seed": 3, "top_p": 0.9,
                    "response_format": ["type": "json_object"], "reasoning_effort": "low", "unheard_of": 1,
                ])
                let answer = try await client.send(.post, "/v1/chat/completions", key: fixture.key, body: body)
                #expect(answer.status == 200)
                let json = try #require(answer.json)
                #expect(json["object"] == "chat.completion")
                #expect(json["model"] == "test/parrot")
                #expect(json["choices"]?[0]?["message"]?["content"] == "Hello")
                #expect(json["choices"]?[0]?["finish_reason"] == "stop")
                #expect(json["usage"]?["prompt_tokens"] == 9)
                #expect(json["usage"]?["completion_tokens"] == 5)
                #expect(json["usage"]?["total_tokens"] == 14)
                #expect(json["usage"]?["completion_tokens_details"]?["reasoning_tokens"] == 2)
            }
            let asked = try #require(model.requests.first)
            #expect(asked.temperature == 0.5)
            #expect(asked.outputTokensMax == 10)
            #expect(asked.stop == ["x"])
            #expect(asked.seed == 3)
            #expect(asked.topP == 0.9)
            #expect(asked.thinking == .low)
            #expect(asked.responseSchema?.json == ["type": "object"])
        }
    }

    @Test("a stream has a role, the pieces, an end, the usage if asked for, and [DONE]", arguments: [true, false])
    func stream(_ includesUsage: Bool) async throws {
        try await withGateway { fixture in
            let model = TestModel { _, onDelta in
                try await onDelta(.thought("hm"))
                try await onDelta(.text("a\u{2028}"))
                try await onDelta(.text("b\nc"))
                return ModelReply(
                    message: ModelMessage(.model, [.text("a\u{2028}b\nc")]),
                    outcome: .truncated,
                    usage: TokenUsage(input: 1, output: 2)
                )
            }
            try await fixture.openAI(TestModels(model: model)).test(.router) { client in
                let body = chat(["stream": true, "stream_options": ["include_usage": .bool(includesUsage)]])
                let answer = try await client.send(.post, "/v1/chat/completions", key: fixture.key, body: body)
                #expect(answer.status == 200)
                #expect(answer.headers[.contentType] == "text/event-stream")
                let data = eventData(answer.text)
                #expect(data.last == "[DONE]")
                let chunks = try data.dropLast().map { try JSONValue(parsing: $0) }
                #expect(Set(chunks.compactMap { $0["id"]?.stringValue }).count == 1)
                let deltas = chunks.compactMap { $0["choices"]?[0]?["delta"] }
                #expect(deltas.first?["role"] == "assistant")
                #expect(deltas.compactMap { $0["content"]?.stringValue }.joined() == "a\u{2028}b\nc")
                #expect(deltas.compactMap { $0["reasoning_content"]?.stringValue } == ["hm"])
                #expect(chunks.compactMap { $0["choices"]?[0]?["finish_reason"]?.stringValue } == ["length"])
                let usages = chunks.filter { $0["usage"]?.objectValue != nil }
                #expect(usages.count == (includesUsage ? 1 : 0))
                if includesUsage {
                    #expect(chunks.last?["choices"] == [])
                    #expect(chunks.last?["usage"]?["total_tokens"] == 3)
                }
            }
        }
    }

    @Test("the caller's tools go to the model, its calls to the caller, and the results back in their order")
    func tools() async throws {
        try await withGateway { fixture in
            let original = ProviderOriginal(provider: "gemini", family: "gemini-3", value: ["signature": "c2ln"])
            let calls = [
                ModelToolCall(id: "1", name: "weather", arguments: ["city": "Oslo"]),
                ModelToolCall(id: "2", name: "weather", arguments: ["city": "Rome"]),
            ]
            let model = TestModel { request, _ in
                let isFirst = request.messages.count == 1
                return ModelReply(
                    message: isFirst
                        ? ModelMessage(.model, [.thought("t")] + calls.map { .toolCall($0) }, original: original)
                        : ModelMessage(.model, [.text("cold and warm")]),
                    outcome: isFirst ? .toolCalls : .complete,
                    usage: TokenUsage()
                )
            }
            try await fixture.openAI(TestModels(model: model)).test(.router) { client in
                let tools: JSONValue = [
                    ["type": "function", "function": ["name": "weather", "parameters": ["type": "object"]]]
                ]
                let first = try await client.send(
                    .post,
                    "/v1/chat/completions",
                    key: fixture.key,
                    body: chat(["tools": tools, "tool_choice": "required"])
                )
                let message = try #require(first.json?["choices"]?[0]?["message"])
                #expect(first.json?["choices"]?[0]?["finish_reason"] == "tool_calls")
                #expect(message["content"] == .null)
                let told = try #require(message["tool_calls"]?.arrayValue)
                #expect(told.map { $0["function"]?["arguments"] } == [#"{"city":"Oslo"}"#, #"{"city":"Rome"}"#])
                let identifiers = told.compactMap { $0["id"]?.stringValue }
                #expect(Set(identifiers).count == 2 && !identifiers.contains("1"))
                let history: JSONValue = [
                    ["role": "system", "content": "be kind"], ["role": "user", "content": "hi"], message,
                    ["role": "tool", "tool_call_id": .string(identifiers[1]), "content": "warm"],
                    ["role": "tool", "tool_call_id": .string(identifiers[0]), "content": "cold"],
                ]
                let second = try await client.send(
                    .post,
                    "/v1/chat/completions",
                    key: fixture.key,
                    body: chat(["tools": tools, "messages": history])
                )
                #expect(second.json?["choices"]?[0]?["message"]?["content"] == "cold and warm")
            }
            #expect(model.requests[0].toolChoice == .required)
            #expect(model.requests[0].tools.map(\.name) == ["weather"])
            let sent = model.requests[1]
            #expect(sent.system == "be kind")
            // The provider's own message, as it gave it, and the results by its own identifiers.
            #expect(sent.messages[1].original == original)
            #expect(sent.messages[1].toolCalls == calls)
            let results = sent.messages[2].parts
            #expect(
                results == [
                    .toolResult(ModelToolResult(callID: "1", name: "weather", text: "cold")),
                    .toolResult(ModelToolResult(callID: "2", name: "weather", text: "warm")),
                ]
            )
        }
    }

    @Test("one function that must be called is the only one the model is shown")
    func oneFunction() async throws {
        try await withGateway { fixture in
            let model = TestModel.saying(["x"])
            try await fixture.openAI(TestModels(model: model)).test(.router) { client in
                let tools = ["a", "b"].map {
                    JSONValue.object(["type": "function", "function": ["name": .string($0)]])
                }
                let choice: JSONValue = ["type": "function", "function": ["name": "b"]]
                _ = try await client.send(
                    .post,
                    "/v1/chat/completions",
                    key: fixture.key,
                    body: chat(["tools": .array(tools), "tool_choice": choice])
                )
            }
            #expect(model.requests.first?.tools.map(\.name) == ["b"])
            #expect(model.requests.first?.toolChoice == .required)
        }
    }

    @Test("vectors come as numbers or as base64, whatever form the texts have", arguments: ["float", "base64"])
    func embeddings(_ encoding: String) async throws {
        try await withGateway { fixture in
            try await fixture.openAI(TestModels(model: .saying([]))).test(.router) { client in
                for input in ["\"abc\"", "[\"abc\"]", "[\"abc\",\"de\"]"] {
                    let body =
                        "{\"model\":\"local/test\",\"input\":\(input),\"encoding_format\":\"\(encoding)\",\"dimensions\":3}"
                    let answer = try await client.send(.post, "/v1/embeddings", key: fixture.key, body: body)
                    #expect(answer.status == 200)
                    let first = answer.json?["data"]?[0]?["embedding"]
                    #expect(first == (encoding == "float" ? [3, 0.25, -1e-8] : "AABAQAAAgD53zCuy"))
                    #expect(answer.json?["usage"]?["prompt_tokens"] == 7)
                    #expect(answer.json?["data"]?.arrayValue?.count == (input.contains("de") ? 2 : 1))
                }
            }
        }
    }

    @Test("models are listed by the names that may be asked for; those for vectors to whom may embed")
    func models() async throws {
        try await withGateway { fixture in
            let chatOnly = try await fixture.key([.chat])
            try await fixture.openAI(TestModels(model: .saying([]))).test(.router) { client in
                let all = try await client.send(.get, "/v1/models", key: fixture.key).json?["data"]?.arrayValue
                #expect(all?.map { $0["id"] } == ["test/parrot", "local/test"])
                let some = try await client.send(.get, "/v1/models", key: chatOnly).json?["data"]?.arrayValue
                #expect(some?.map { $0["id"] } == ["test/parrot"])
            }
        }
    }
}
