import Domain
import Outbound
import Testing

@testable import Gemini

@Suite("Requests to Gemini")
struct GeminiRequestTests {
    @Test("go to the address of the method, the key in its header and nowhere else")
    func address() async throws {
        let done = ScriptedTransport.Reply.stream([
            "candidates": [["content": ["parts": [["text": "x"]]], "finishReason": "STOP"]]
        ])
        let transport = ScriptedTransport([done])
        _ = try await transport.client().collected()
        let request = try #require(transport.requests.first)
        #expect(request.url == "http://127.0.0.1:1/base/v1beta/models/gemini-3-x:streamGenerateContent?alt=sse")
        #expect(request.secretHeaders.map(\.name) == ["x-goog-api-key"])
        #expect(request.headers.map(\.name) == ["content-type"])
        #expect(request.method == .post)
        #expect(!"\(request)".contains("key-in-tests"))
    }

    @Test("hold all that is set and nothing that is not")
    func whole() {
        var request = GeminiRequest.asking()
        #expect(request.json.text == #"{"contents":[{"role":"user","parts":[{"text":"Hello"}]}]}"#)
        request.system = "S"
        request.functions = [GeminiFunction(name: "f", description: "", parameters: .object(properties: [:]))]
        request.functionMode = .any
        request.settings.temperature = 0.5
        request.settings.topP = 1
        request.settings.outputTokensMax = 10
        request.settings.stop = ["x"]
        request.settings.seed = 1 << 32 + 5
        request.settings.responseSchema = JSONSchema.null
        request.settings.thinking = .level(.low)
        request.settings.includesThoughts = true
        request.safety = [GeminiSafety(category: "HARM_CATEGORY_HARASSMENT", threshold: "OFF")]
        request.continuationToken = "dA=="
        #expect(
            request.json == [
                "systemInstruction": ["parts": [["text": "S"]]],
                "tools": [
                    [
                        "functionDeclarations": [
                            [
                                "name": "f",
                                "parametersJsonSchema": [
                                    "type": "object", "properties": [:], "additionalProperties": false,
                                ],
                            ]
                        ]
                    ]
                ],
                "toolConfig": ["functionCallingConfig": ["mode": "ANY"]],
                "contents": [["role": "user", "parts": [["text": "Hello"]]]],
                "generationConfig": [
                    "temperature": 0.5, "topP": 1, "maxOutputTokens": 10, "stopSequences": ["x"], "seed": 5,
                    "responseMimeType": "application/json", "responseJsonSchema": ["type": "null"],
                    "thinkingConfig": ["thinkingLevel": "LOW", "includeThoughts": true],
                ],
                "safetySettings": [["category": "HARM_CATEGORY_HARASSMENT", "threshold": "OFF"]],
                "continuationToken": "dA==",
            ]
        )
    }

    @Test("with a cached prompt do not send again what lies there")
    func cached() {
        var request = GeminiRequest.asking()
        request.system = "S"
        request.functions = [GeminiFunction(name: "f", description: "", parameters: .any)]
        request.cachedContent = "cachedContents/1"
        #expect(request.json.objectValue?.keys.sorted() == ["cachedContent", "contents"])
    }

    @Test("send parts back as they came, but for what the API would refuse")
    func returned() {
        let parts: [(JSONObject, JSONValue)] = [
            (["text": "", "thoughtSignature": "s"], ["text": "", "thoughtSignature": "s"]),
            (["text": "a", "thought": true, "odd": 1], ["text": "a", "thought": true]),
            (["odd": 1, "thoughtSignature": "s"], ["thoughtSignature": "s", "text": ""]),
            (["functionCall": ["name": "f", "args": 3]], ["functionCall": ["name": "f", "args": [:]]]),
        ]
        for (came, goes) in parts { #expect(GeminiPart.verbatim(came).json == goes) }
    }

    @Test("merge neighbours of one role and leave out what is empty; of what is verbatim only what no request may have")
    func merged() {
        let contents = [
            GeminiContent(.user, [.text("a")]), GeminiContent(.user, [.text(""), .text("b")]),
            GeminiContent(.model, [.text("")]),
            GeminiContent(.user, [.text("c")]),
            GeminiContent(.model, [.verbatim(["text": "", "thoughtSignature": "s"])]),
            GeminiContent(.model, [.verbatim([:]), .verbatim(["odd": 1]), .verbatim(["odd": 1, "text": "x"])]),
            GeminiContent(.user, []),
        ]
        #expect(
            GeminiContent.merged(contents) == [
                GeminiContent(.user, [.text("a"), .text("b"), .text("c")]),
                GeminiContent(
                    .model,
                    [.verbatim(["text": "", "thoughtSignature": "s"]), .verbatim(["odd": 1, "text": "x"])]
                ),
            ]
        )
    }

    private static let call = GeminiPart.functionCall(id: "1", name: "f", arguments: [:], signature: nil)
    private static func answer(_ id: String?, _ name: String = "f") -> GeminiPart {
        .functionResponse(id: id, name: name, response: ["output": 1])
    }

    @Test(
        "that tear calls from their answers are not sent",
        arguments: [
            [GeminiContent(.user, [.text("q")]), GeminiContent(.model, [call]), GeminiContent(.user, [.text("x")])],
            [GeminiContent(.user, [answer("1")])],
            [GeminiContent(.user, [.text("q")]), GeminiContent(.model, [call]), GeminiContent(.user, [answer("2")])],
            [GeminiContent(.user, [.text("q")]), GeminiContent(.model, [call]), GeminiContent(.user, [answer(nil)])],
            [
                GeminiContent(.user, [.text("q")]), GeminiContent(.model, [call]),
                GeminiContent(.user, [answer("1", "g")]),
            ],
            [
                GeminiContent(.user, [.text("q")]), GeminiContent(.model, [call, call]),
                GeminiContent(.user, [answer("1")]),
            ],
            [
                GeminiContent(.user, [.text("q")]), GeminiContent(.model, [call]),
                GeminiContent(.user, [answer("1"), answer("1")]),
            ],
        ]
    )
    func torn(_ contents: [GeminiContent]) {
        #expect(throws: GeminiError(.historyAltered, "")) { try GeminiRequest(contents: contents).check() }
    }

    @Test("answers may come in any order when they say what they answer, and beside text")
    func whatIsFine() throws {
        let second = GeminiPart.verbatim(["functionCall": ["id": "2", "name": "g"]])
        let contents = [
            GeminiContent(.user, [.text("q")]), GeminiContent(.model, [Self.call, second]),
            GeminiContent(.user, [Self.answer("2", "g"), Self.answer("1"), .text("and")]),
        ]
        try GeminiRequest(contents: contents).check()
    }

    @Test("that the API is known to refuse are not sent either")
    func refused() async throws {
        var requests: [GeminiRequest] = [
            GeminiRequest(contents: []), GeminiRequest(contents: [GeminiContent(.user, [.text("")])]),
            GeminiRequest(contents: [GeminiContent(.user, [.text("q")]), GeminiContent(.model, [.text("a")])]),
        ]
        func add(_ change: (inout GeminiRequest) -> Void) {
            var request = GeminiRequest.asking()
            change(&request)
            requests.append(request)
        }
        for name in ["", "1a", "a b", "é", String(repeating: "a", count: 129)] {
            add { $0.functions = [GeminiFunction(name: name, description: "", parameters: .any)] }
        }
        let twice = GeminiFunction(name: "f", description: "", parameters: .any)
        add { $0.functions = [twice, twice] }
        add { $0.settings.stop = Array(repeating: "x", count: 6) }
        add { $0.settings.temperature = 2.1 }
        add { $0.settings.topP = -0.1 }
        add { $0.settings.outputTokensMax = 0 }
        for request in requests {
            let transport = ScriptedTransport([.json([:])])
            let (_, _, error) = try await transport.client().collected(request)
            #expect(error?.code == .invalidRequest, "\(request)")
            #expect(transport.requests.isEmpty)
        }
    }
}
