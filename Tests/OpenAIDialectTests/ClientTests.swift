import Domain
import Outbound
import TestSupport
import Testing

@testable import OpenAIDialect

@Suite("Client of the dialect")
struct ClientTests {
    private static let key = "sk-test-0123456789abcdef"

    private func withClient<Value>(
        _ script: @escaping @Sendable (RawPeer) throws -> Void,
        _ body: (OpenAIClient) async throws -> Value
    ) async throws -> Value {
        let server = try RawServer(script)
        let transport = AsyncHTTPTransport()
        let client = try OpenAIClient(baseURL: server.url, key: OutboundSecret(Self.key), transport: transport)
        let result: Result<Value, any Error>
        do { result = .success(try await body(client)) } catch { result = .failure(error) }
        await transport.shutdown()
        return try result.get()
    }

    @Test(
        "a base address is taken with and without /v1, and as it is with another path",
        arguments: [
            ("http://h:1", "http://h:1/v1"), ("http://h:1/", "http://h:1/v1"), ("http://h:1/v1/", "http://h:1/v1"),
            ("https://h/v1beta/openai", "https://h/v1beta/openai"),
        ]
    )
    func bases(_ given: String, _ used: String) throws {
        #expect(try OpenAIClient(baseURL: given, key: nil, transport: AsyncHTTPTransport()).baseURL == used)
    }

    @Test("a chat is a POST with the key in its header, and asks for a stream with usage")
    func request() async throws {
        let seen = Guarded<RawRequest?>(nil)
        try await withClient { peer in
            seen.value = try peer.request()
            try peer.beginChunks()
            try peer.chunk(
                "data: {\"choices\":[{\"index\":0,\"delta\":{\"content\":\"a\"},\"finish_reason\":\"stop\"}]}\n\n"
            )
            try peer.chunk("data: [DONE]\n\n")
            try peer.endChunks()
        } _: { client in
            let chat = OpenAIChatRequest(model: "m", messages: [OpenAIMessage(.user, "hi")])
            let turn = try await client.stream(chat, deadlines: .standard) { _ in }
            #expect(turn.content == "a")
        }
        let sent = try #require(seen.value)
        #expect(sent.line == "POST /v1/chat/completions HTTP/1.1")
        #expect(sent.header("authorization") == "Bearer \(Self.key)")
        let body = try JSONValue(parsing: sent.body)
        #expect(body["stream"] == true)
        #expect(body["stream_options"] == ["include_usage": true])
    }

    @Test("after [DONE] a connection that stays open is not waited for")
    func openAfterDone() async throws {
        try await withClient { peer in
            _ = try peer.request()
            try peer.beginChunks()
            try peer.chunk(
                "data: {\"choices\":[{\"index\":0,\"delta\":{},\"finish_reason\":\"stop\"}]}\n\ndata: [DONE]\n\n"
            )
            try peer.waitForClose()
        } _: { client in
            let chat = OpenAIChatRequest(model: "m", messages: [OpenAIMessage(.user, "hi")])
            let deadlines = OutboundDeadlines(firstByte: .seconds(20), stall: .seconds(1_000), total: .seconds(1_000))
            let turn = try await client.stream(chat, deadlines: deadlines) { _ in }
            #expect(turn.finishReason == "stop")
        }
    }

    @Test("a reset after the last word loses nothing, one before it is a cut", arguments: [true, false])
    func reset(_ isAfter: Bool) async throws {
        let result = try await withClient { peer in
            _ = try peer.request()
            try peer.beginChunks()
            let reason = isAfter ? "\"stop\"" : "null"
            try peer.chunk(
                "data: {\"choices\":[{\"index\":0,\"delta\":{\"content\":\"a\"},\"finish_reason\":\(reason)}]}\n\n"
            )
        } _: { client in
            let chat = OpenAIChatRequest(model: "m", messages: [OpenAIMessage(.user, "hi")])
            do { return try await client.stream(chat, deadlines: .standard) { _ in }.content } catch let error
                as OpenAIError
            {
                return error.code.rawValue
            }
        }
        #expect(result == (isAfter ? "a" : "cut"))
    }

    @Test("what breaks off after it has told the key does not tell it on")
    func echo() async throws {
        let error = try await withClient { peer in
            _ = try peer.request()
            try peer.beginChunks()
            try peer.chunk("<html>no route for Bearer \(Self.key)</html>\n")
        } _: { client in
            let chat = OpenAIChatRequest(model: "m", messages: [OpenAIMessage(.user, "hi")])
            return await #expect(throws: OpenAIError(.malformedReply, "")) {
                try await client.stream(chat, deadlines: .standard) { _ in }
            }
        }
        let detail = try #require(error?.detail)
        #expect(detail.contains("no route") && !detail.contains(Self.key))
    }

    @Test(
        "refusals are told apart by status and words",
        arguments: [
            (401, #"{"error":{"message":"Incorrect API key provided: KEY"}}"#, OpenAIError.Code.keyRefused),
            (403, "{}", .keyRefused), (404, #"{"error":"model 'x' not found"}"#, .modelNotFound),
            (404, "404 page not found", .modelNotFound), (400, #"{"error":{"message":"bad"}}"#, .requestRefused),
            (422, #"{"detail":[{"msg":"x"}]}"#, .requestRefused),
            (400, #"{"error":{"message":"x","code":"context_length_exceeded"}}"#, .inputTooLong),
            (400, #"{"error":{"message":"the request exceeds the available context size"}}"#, .inputTooLong),
            (413, "", .inputTooLong), (429, #"{"error":{"message":"slow down"}}"#, .overloaded),
            (429, #"{"error":{"message":"x","code":"insufficient_quota"}}"#, .quotaUsedUp), (500, "", .serverFailed),
            (502, "<html>Bad Gateway</html>", .serverFailed), (503, "{}", .overloaded), (302, "", .malformedReply),
        ]
    )
    func refusals(_ status: Int, _ body: String, _ code: OpenAIError.Code) async throws {
        let error = try await withClient { peer in
            _ = try peer.request()
            try peer.reply(status, body.replacing("KEY", with: Self.key), headers: ["retry-after: 3"])
        } _: { client -> OpenAIError? in
            let chat = OpenAIChatRequest(model: "m", messages: [OpenAIMessage(.user, "hi")])
            do { _ = try await client.stream(chat, deadlines: .standard) { _ in } } catch let error as OpenAIError {
                return error
            }
            return nil
        }
        let thrown = try #require(error)
        #expect(thrown.code == code)
        if status != 302 { #expect(thrown.retryAfter == .seconds(3)) }
        #expect(!"\(thrown) \(thrown.detail ?? "")".contains(Self.key))
    }

    @Test("vectors come in the order of their texts, and models by name")
    func embeddingsAndModels() async throws {
        try await withClient { peer in
            while let asked = try peer.request() {
                try peer.reply(
                    200,
                    asked.path == "/v1/models"
                        ? #"{"object":"list","data":[{"id":"a"},{"id":"b"},{}]}"#
                        : #"{"data":[{"index":1,"embedding":[2]},{"index":0,"embedding":[1]}],"usage":{"prompt_tokens":4}}"#
                )
            }
        } _: { client in
            let reply = try await client.embeddings(OpenAIEmbeddingRequest(model: "m", input: ["x", "y"]))
            #expect(reply.vectors == [[1], [2]])
            #expect(reply.promptTokens == 4)
            #expect(try await client.models() == ["a", "b"])
        }
    }

    @Test(
        "what is no JSON, or an error with status 200, is an error",
        arguments: ["", "<html>", #"{"error":{"message":"x"}}"#]
    )
    func badBodies(_ body: String) async throws {
        await #expect(throws: OpenAIError.self) {
            try await withClient { peer in
                _ = try peer.request()
                try peer.reply(200, body)
            } _: { client in
                _ = try await client.embeddings(OpenAIEmbeddingRequest(model: "m", input: ["x"]))
            }
        }
    }
}
