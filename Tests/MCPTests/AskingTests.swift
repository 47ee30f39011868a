import Domain
import MCP
import Synchronization
import Testing

/// The same tools ask clients of both eras.
@Suite("Questions to the client")
struct AskingTests {
    private let tools = FakeTools()
    private let sealer = FakeSealer()
    private let clock = MovedClock()

    private func client(times: SessionTimes = SessionTimes()) -> EndpointClient {
        EndpointClient(
            endpoint: MCPEndpoint(
                ServerSession.Configuration(info: fakeInfo),
                offer: .everything(tools, sealer: sealer),
                logger: quietLogger,
                times: times,
                instant: { [clock] in clock.now }
            )
        )
    }

    private func call(
        _ tool: String,
        _ arguments: JSONObject = [:],
        _ more: JSONObject = [:],
        capabilities: JSONValue = ["elicitation": [:]],
        by client: EndpointClient
    ) async -> JSONValue {
        var params: JSONObject = ["name": .string(tool), "arguments": .object(arguments)]
        for (key, value) in more { params[key] = value }
        params["_meta"] = [
            "io.modelcontextprotocol/protocolVersion": "2026-07-28",
            "io.modelcontextprotocol/clientCapabilities": capabilities,
        ]
        var headers = EndpointRequest.Headers()
        headers.protocolVersions = ["2026-07-28"]
        headers.methods = ["tools/call"]
        headers.names = [tool]
        let body: JSONValue = ["jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": .object(params)]
        return await client.send(EndpointRequest(.post(body: body.encoded()), headers)).json ?? .null
    }

    private func retry(_ state: JSONValue?, _ responses: JSONValue) -> JSONObject {
        var members: JSONObject = ["inputResponses": responses]
        members["requestState"] = state
        return members
    }

    private func text(_ answer: JSONValue) -> String? { answer["result"]?["content"]?[0]?["text"]?.stringValue }

    private let accepted: JSONValue = ["confirm": ["action": "accept", "content": ["yes": true]]]

    // MARK: 2026-07-28

    @Test("a question is the answer; the call comes again with what was said, and what was kept")
    func rounds() async throws {
        let client = client()
        let first = await call("confirms", by: client)
        let result = try #require(first["result"])
        #expect(result["resultType"] == "input_required")
        #expect(result["ttlMs"] == nil)
        let request = result["inputRequests"]?["confirm"]
        #expect(request?["method"] == "elicitation/create")
        #expect(request?["params"]?["mode"] == "form")
        let schema = request?["params"]?["requestedSchema"]
        #expect(schema?.objectValue?.keys == ["type", "properties", "required"])
        let second = await call("confirms", [:], retry(result["requestState"], accepted), by: client)
        #expect(second["result"]?["resultType"] == "complete")
        #expect(text(second) == #"accepted({"yes":true}), "kept""#)
    }

    @Test("no is an answer, too", arguments: ["decline": "declined", "cancel": "cancelled"])
    func no(_ action: String, _ answer: String) async throws {
        let client = client()
        let first = await call("confirms", by: client)
        let said: JSONValue = ["confirm": ["action": .string(action)]]
        let second = await call("confirms", [:], retry(first["result"]?["requestState"], said), by: client)
        #expect(text(second)?.hasPrefix(answer) == true)
    }

    @Test("questions in a row go through the rounds with the answers of those before")
    func multipleRounds() async throws {
        let client = client()
        func said(_ key: String, _ text: String) -> JSONValue {
            .object([key: ["action": "accept", "content": ["text": .string(text)]]])
        }
        let first = await call("asks_twice", by: client)
        let second = await call(
            "asks_twice",
            [:],
            retry(first["result"]?["requestState"], said("name", "Ada")),
            by: client
        )
        #expect(second["result"]?["inputRequests"]?.objectValue?.keys == ["age"])
        #expect(second["result"]?["requestState"] != first["result"]?["requestState"])
        let third = await call(
            "asks_twice",
            [:],
            retry(second["result"]?["requestState"], said("age", "36")),
            by: client
        )
        #expect(text(third) == #"1 accepted({"text":"Ada"}), 2 accepted({"text":"36"})"#)
    }

    @Test("answers that are missing, wrongly filled in or to nothing asked are asked for again; others are left alone")
    func again() async throws {
        let client = client()
        for responses: JSONValue in [
            [:], ["other": ["action": "accept"]], ["confirm": ["action": "accept", "content": ["yes": "perhaps"]]],
            ["confirm": ["action": "accept"]],
        ] {
            let first = await call("confirms", by: client)
            let second = await call("confirms", [:], retry(first["result"]?["requestState"], responses), by: client)
            #expect(second["result"]?["resultType"] == "input_required")
            var more = accepted.objectValue ?? [:]
            more["other"] = 7
            let third = await call(
                "confirms",
                [:],
                retry(second["result"]?["requestState"], .object(more)),
                by: client
            )
            #expect(third["result"]?["resultType"] == "complete")
        }
        #expect(
            await call("confirms", [:], retry(nil, accepted), by: client)["result"]?["resultType"] == "input_required"
        )
    }

    @Test("answers that come unasked will do where nothing is kept, and nowhere else")
    func unasked() async throws {
        let client = client()
        let plain = await call("confirms", ["kept": .null], retry(nil, accepted), by: client)
        #expect(plain["result"]?["resultType"] == "complete")
        let kept = await call("confirms", ["kept": "hash"], retry(nil, accepted), by: client)
        #expect(kept["result"]?["resultType"] == "input_required")
    }

    @Test(
        "what is no answer at all is -32602",
        arguments: [
            ["inputResponses": 7], ["inputResponses": .null], ["requestState": 7],
            ["inputResponses": ["confirm": 12345]], ["inputResponses": ["confirm": ["action": "maybe"]]],
            ["inputResponses": ["confirm": ["action": "accept", "content": []]]],
        ] as [JSONValue]
    )
    func malformed(_ more: JSONValue) async throws {
        let answer = await call("confirms", [:], more.objectValue ?? [:], by: client())
        #expect(answer["error"]?["code"] == -32602)
    }

    @Test("a state is good for its caller, its tool and its arguments alone, once, and not for long")
    func states() async throws {
        let client = client()
        func state() async -> JSONValue? { await call("confirms", by: client)["result"]?["requestState"] }
        func refused(_ answer: JSONValue) -> Bool { answer["error"]?["code"] == -32602 }

        let used = await state()
        #expect(await !refused(call("confirms", [:], retry(used, accepted), by: client)))
        #expect(await refused(call("confirms", [:], retry(used, accepted), by: client)), "replayed")

        let foreign = await state()
        var thief = client
        thief.caller = FakeCaller()
        #expect(await refused(call("confirms", [:], retry(foreign, accepted), by: thief)), "another's")
        thief = client
        thief.caller.key = .random()
        #expect(await refused(call("confirms", [:], retry(foreign, accepted), by: thief)), "another key's")
        #expect(await refused(call("confirms", ["kept": 1], retry(foreign, accepted), by: client)), "other arguments")
        #expect(await refused(call("asks_twice", [:], retry(foreign, accepted), by: client)), "another tool")
        let tampered = foreign?.stringValue.map { JSONValue.string($0 + "0") }
        #expect(await refused(call("confirms", [:], retry(tampered, accepted), by: client)), "tampered")

        let late = await state()
        clock.advance(seconds: Limits.mcpStateSeconds)
        #expect(await refused(call("confirms", [:], retry(late, accepted), by: client)), "run out")
    }

    @Test("what a client did not say that it can do is not asked; the refusal names it")
    func capabilities() async throws {
        let answer = await call("samples", capabilities: ["elicitation": [:]], by: client())
        #expect(answer["error"]?["code"] == -32021)
        #expect(answer["error"]?["data"]?["requiredCapabilities"] == ["sampling": [:]])
        let url = await call("confirms", capabilities: ["elicitation": ["url": [:]]], by: client())
        #expect(url["error"]?["data"]?["requiredCapabilities"] == ["elicitation": [:]])
        let sampled = await call("samples", capabilities: ["sampling": [:]], by: client())
        #expect(sampled["result"]?["inputRequests"]?["sample"]?["params"]?["maxTokens"] == 5)
    }

    // MARK: Handshakes

    @Test("a session's client is asked while the tool waits", arguments: ["2025-06-18", "2025-11-25"])
    func session(_ revision: String) async throws {
        let client = try await client().initialized(revision, capabilities: #"{"elicitation":{}}"#)
        let reader = StreamReader(try #require(await client.call(5, "confirms").stream))
        let request = try await reader.first { $0["method"] == "elicitation/create" }
        #expect(request["params"]?["mode"] == (revision == "2025-11-25" ? "form" : nil))
        let answer: JSONValue = [
            "jsonrpc": "2.0", "id": request["id"] ?? .null,
            "result": ["action": "accept", "content": ["yes": false]],
        ]
        #expect(await client.post(answer.text).status == 202)
        await reader.end()
        #expect(reader.messages.last?["id"] == 5)
        #expect(text(reader.messages.last ?? .null) == #"accepted({"yes":false}), "kept""#)
    }

    @Test("2025-06-18 is asked in its own forms: titles beside the values, and no choice of several")
    func olderForms() async throws {
        let fields = """
            {"one":{"type":"string","oneOf":[{"const":"a","title":"A"},{"const":"b","title":"B"}]},\
            "many":{"type":"array","items":{"type":"string","enum":["x"]}},"text":{"type":"string"}}
            """
        for revision in ["2025-06-18", "2025-11-25"] {
            let client = try await client().initialized(revision, capabilities: #"{"elicitation":{}}"#)
            let reader = StreamReader(
                try #require(await client.call(5, "confirms", #"{"fields":\#(fields)}"#).stream)
            )
            let request = try await reader.first { $0["method"] == "elicitation/create" }
            let asked = request["params"]?["requestedSchema"]?["properties"]
            if revision == "2025-11-25" {
                #expect(asked?.text == fields)
            } else {
                #expect(
                    asked == [
                        "one": ["type": "string", "enum": ["a", "b"], "enumNames": ["A", "B"]],
                        "text": ["type": "string"],
                    ]
                )
            }
            let answer = #"{"action":"accept","content":{"one":"b"}}"#
            let id = request["id"]?.text ?? ""
            #expect(await client.post(#"{"jsonrpc":"2.0","id":\#(id),"result":\#(answer)}"#).status == 202)
            await reader.end()
            #expect(text(reader.messages.last ?? .null)?.hasPrefix(#"accepted({"one":"b"})"#) == true)
        }
    }

    @Test("a client that refuses, answers nonsense or nothing fails the call, and hears that nobody waits")
    func unanswered() async throws {
        for answer in [#""error":{"code":-1,"message":"no"}"#, #""result":{"action":"perhaps"}"#, nil] {
            let times = SessionTimes(answer: answer == nil ? .milliseconds(1) : .seconds(60))
            let client = try await client(times: times).initialized(capabilities: #"{"elicitation":{}}"#)
            let reader = StreamReader(try #require(await client.call(5, "confirms").stream))
            let request = try await reader.first { $0["method"] == "elicitation/create" }
            if let answer {
                let id = request["id"]?.text ?? ""
                #expect(await client.post(#"{"jsonrpc":"2.0","id":\#(id),\#(answer)}"#).status == 202)
            }
            await reader.end()
            #expect(reader.messages.last?["result"]?["isError"] == true)
            let withdrawn = reader.messages.filter { $0["method"] == "notifications/cancelled" }
            #expect(withdrawn.count == (answer == nil ? 1 : 0))
        }
    }

    @Test("another session's answer is nobody's", arguments: [true, false])
    func foreignAnswer(sameOwner: Bool) async throws {
        let one = try await client().initialized(capabilities: #"{"elicitation":{}}"#)
        var other = one
        if !sameOwner { other.caller = FakeCaller() }
        other.session = nil
        other = try await other.initialized(capabilities: #"{"elicitation":{}}"#)
        let reader = StreamReader(try #require(await one.call(5, "confirms").stream))
        let request = try await reader.first { $0["method"] == "elicitation/create" }
        let id = request["id"]?.text ?? ""
        let answer = #"{"jsonrpc":"2.0","id":\#(id),"result":{"action":"accept","content":{"yes":true}}}"#
        #expect(await other.post(answer).status == 202)
        #expect(await one.post(#"{"jsonrpc":"2.0","id":\#(id),"result":{"action":"decline"}}"#).status == 202)
        await reader.end()
        #expect(text(reader.messages.last ?? .null)?.hasPrefix("declined") == true)
    }

    @Test("before there were questions none are asked, whatever the client declares")
    func older() async throws {
        let client = try await client().initialized("2025-03-26", capabilities: #"{"elicitation":{}}"#)
        #expect(await client.call(5, "confirms").json?["result"]?["isError"] == true)
    }
}

/// A wall clock that tests move.
final class MovedClock: Sendable {
    private let offset = Atomic(Int64(0))

    var now: Instant {
        Instant(microseconds: 1_800_000_000_000_000 + offset.load(ordering: .relaxed))
    }

    func advance(seconds: Int) { offset.add(Int64(seconds) * 1_000_000, ordering: .relaxed) }
}
