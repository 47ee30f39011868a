import Domain
import HTTPTypes
import HummingbirdTesting
import LLM
import TestSupport
import Testing

@testable import Gateway

@Suite("OpenAI's dialect, refusing")
struct OpenAIRefusalTests {
    private static let hi = #"{"model":"test/parrot","messages":[{"role":"user","content":"hi"}]}"#

    @Test("keys are asked for, each route's own permission, and every refusal has OpenAI's shape")
    func permissions() async throws {
        try await withGateway { fixture in
            let (chat, embed) = (try await fixture.key([.chat]), try await fixture.key([.embed]))
            let embedding = #"{"model":"local/test","input":"a"}"#
            try await fixture.openAI(TestModels(model: .saying(["x"]))).test(.router) { client in
                for (method, path, body) in [
                    (HTTPRequest.Method.post, "/v1/chat/completions", Self.hi), (.post, "/v1/embeddings", embedding),
                    (.get, "/v1/models", nil),
                ] {
                    let isChat = path != "/v1/embeddings"
                    let anonymous = try await client.send(method, path, body: body)
                    #expect(anonymous.status == 401)
                    #expect(anonymous.json?["error"]?["code"] == "invalid_api_key")
                    #expect(anonymous.headers[.wwwAuthenticate] != nil)
                    #expect(try await client.send(method, path, key: isChat ? chat : embed, body: body).status == 200)
                    let other = try await client.send(method, path, key: isChat ? embed : chat, body: body)
                    #expect(other.status == 403)
                    #expect(other.json?["error"]?["type"] == "permission_error")
                }
                let unknown = try await client.send(.get, "/v1/nothing", key: chat)
                #expect(unknown.status == 404)
                #expect(unknown.json?["error"]?["message"]?.stringValue != nil)
                #expect(try await client.send(.get, "/v1/embeddings", key: chat).status == 405)
                // Beside the dialect, problems stay problems.
                #expect(try await client.send(.get, "/v2/nothing").headers[.contentType] == "application/problem+json")
            }
        }
    }

    @Test(
        "what is wrong with a request is said by its member",
        arguments: [
            ("{\"messages\":[{\"role\":\"user\",\"content\":\"x\"}]}", "model"),
            ("{\"model\":\"test/parrot\"}", "messages"),
            (#"{"model":"test/parrot","messages":[{"role":"user","content":"x"}],"n":2}"#, "n"),
            (#"{"model":"test/parrot","messages":[{"role":"assistant","content":"x"}]}"#, "messages"),
            (#"{"model":"test/parrot","messages":[{"role":"system","content":"x"}]}"#, "messages"),
            (#"{"model":"test/parrot","messages":[{"role":"user","content":""}]}"#, "messages"),
            (
                #"{"model":"test/parrot","messages":[{"role":"tool","tool_call_id":"c","content":"x"}]}"#,
                "messages[0].tool_call_id"
            ),
            (
                #"{"model":"test/parrot","messages":[{"role":"assistant","tool_calls":[{"id":"c","function":{"name":"f","arguments":"{}"}}]},{"role":"user","content":"x"}]}"#,
                "messages[1]"
            ),
            (
                #"{"model":"test/parrot","messages":[{"role":"assistant","tool_calls":[{"id":"c","function":{"name":"f","arguments":"{"}}]},{"role":"tool","tool_call_id":"c","content":"x"}]}"#,
                "messages[0].tool_calls[0].function.arguments"
            ),
            (
                #"{"model":"test/parrot","messages":[{"role":"user","content":"x"}],"reasoning_effort":"huge"}"#,
                "reasoning_effort"
            ),
        ]
    )
    func wrong(_ body: String, _ parameter: String) async throws {
        try await withGateway { fixture in
            let model = TestModel.saying(["x"])
            try await fixture.openAI(TestModels(model: model)).test(.router) { client in
                let answer = try await client.send(.post, "/v1/chat/completions", key: fixture.key, body: body)
                #expect(answer.status == 400)
                #expect(answer.json?["error"]?["param"]?.stringValue == parameter)
                #expect(answer.json?["error"]?["type"] == "invalid_request_error")
            }
            #expect(model.requests.isEmpty)
        }
    }

    @Test("a model that is not here is 404, for chat, for vectors, and where there is none at all")
    func noModel() async throws {
        try await withGateway { fixture in
            let gpt = Self.hi.replacing("test/parrot", with: "gpt-4o")
            for models in [TestModels(model: .saying(["x"])), nil] {
                try await fixture.openAI(models).test(.router) { client in
                    let chat = try await client.send(.post, "/v1/chat/completions", key: fixture.key, body: gpt)
                    #expect(chat.status == 404)
                    #expect(chat.json?["error"]?["code"] == "model_not_found")
                    let body = #"{"model":"text-embedding-3-small","input":"a"}"#
                    let vectors = try await client.send(.post, "/v1/embeddings", key: fixture.key, body: body)
                    #expect(vectors.status == 404)
                    #expect(vectors.json?["error"]?["param"] == "model")
                }
            }
        }
    }

    @Test(
        "texts to embed that cannot be are refused",
        arguments: [
            (#"{"model":"local/test","input":[1,2]}"#, "input"),
            (#"{"model":"local/test","input":"a","dimensions":2}"#, "dimensions"),
            (#"{"model":"local/test"}"#, "input"),
            (#"{"model":"local/test","input":"a","encoding_format":"hex"}"#, "encoding_format"),
        ]
    )
    func wrongTexts(_ body: String, _ parameter: String) async throws {
        try await withGateway { fixture in
            try await fixture.openAI(TestModels(model: .saying([]))).test(.router) { client in
                let answer = try await client.send(.post, "/v1/embeddings", key: fixture.key, body: body)
                #expect(answer.status == 400)
                #expect(answer.json?["error"]?["param"]?.stringValue == parameter)
            }
        }
    }

    @Test(
        "a model's failure is a status, and in a stream the last event; neither quotes the provider",
        arguments: [
            (ModelError.Code.overloaded, 503), (.quotaOfDay, 429), (.capReached, 429), (.inputTooLong, 400),
            (.timedOut, 504),
            (.cut, 502), (.malformedReply, 502), (.cannotConnect, 503), (.keyRefused, 503), (.requestRefused, 502),
        ]
    )
    func failures(_ code: ModelError.Code, _ status: Int) async throws {
        try await withGateway { fixture in
            let model = TestModel { _, onDelta in
                try await onDelta(.text("be"))
                throw ModelError(code, "told", detail: "PROVIDER-TEXT", retryAfter: .seconds(7))
            }
            try await fixture.openAI(TestModels(model: model)).test(.router) { client in
                let whole = try await client.send(.post, "/v1/chat/completions", key: fixture.key, body: Self.hi)
                #expect(whole.status == status)
                #expect(whole.headers[.retryAfter] == "7")
                #expect(!whole.text.contains("PROVIDER-TEXT"))
                let body = Self.hi.dropLast() + #","stream":true}"#
                let stream = try await client.send(.post, "/v1/chat/completions", key: fixture.key, body: String(body))
                #expect(stream.status == 200)
                #expect(!stream.text.contains("PROVIDER-TEXT"))
                let data = eventData(stream.text)
                #expect(data.last == "[DONE]")
                let error = try JSONValue(parsing: data[data.count - 2])["error"]
                #expect(error?["message"]?.stringValue?.isEmpty == false)
                #expect(error == whole.json?["error"])
            }
        }
    }

    @Test("turns that were given to one caller are not another's, and what the caller changed is the caller's")
    func memory() {
        let memory = OpenAICallMemory(capacity: 2)
        let owner = OpenAICallMemory.Owner(tenant: TenantID.random(), user: UserID.random())
        let stranger = OpenAICallMemory.Owner(tenant: owner.tenant, user: UserID.random())
        func turn(_ id: String, _ x: Int) -> ModelMessage {
            ModelMessage(
                .model,
                [.toolCall(ModelToolCall(id: id, name: "f", arguments: ["x": .number(JSONNumber(x))]))]
            )
        }
        let first = memory.keep(turn("1", 1), for: owner)
        #expect(first.count == 1)
        #expect(memory.turn(turn(first[0], 1), of: owner) == turn("1", 1))
        #expect(memory.turn(turn(first[0], 1), of: stranger) == nil)
        #expect(memory.turn(turn(first[0], 2), of: owner) == nil)
        #expect(memory.turn(turn("1", 1), of: owner) == nil)
        for number in 2...3 { _ = memory.keep(turn("\(number)", number), for: owner) }
        #expect(memory.turn(turn(first[0], 1), of: owner) == nil)
    }
}
