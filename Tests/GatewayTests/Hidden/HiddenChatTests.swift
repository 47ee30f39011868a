import Access
import Domain
import HTTPTypes
import Hummingbird
import HummingbirdTesting
import Search
import TestSupport
import Testing
import Tools

@testable import Gateway

@Suite("Tools, answers and events, and what grants hide")
struct HiddenChatTests {
    /// Calls of every tool, of what is seen and of what is not.
    private static func calls(_ world: HiddenWorld) -> [String: [JSONObject]] {
        let place: JSONObject = ["base": "Periodic table", "table": "Elements"]
        func at(_ more: JSONObject) -> JSONObject {
            var all = place
            for (key, value) in more { all[key] = value }
            return all
        }
        let shown = JSONValue.string(world.fixture.records[0].id.description)
        let hidden = [world.secrets.record, world.secrets.refused].map { JSONValue.string($0.description) }
        return [
            "list_bases": [[:]], "list_tables": [["base": "Periodic table"], ["base": "Zzhus base"]],
            "list_changes": [["base": "Periodic table"], ["base": "Periodic table", "cursor": "a0", "limit": 100]]
                + hidden.map { at(["recordId": $0]) },
            "list_comments": [at(["recordId": shown])] + hidden.map { at(["recordId": $0]) },
            "describe_table": [at(["detail": "full"]), place, ["base": "Periodic table", "table": "Zzhus table"]],
            "list_records": [
                place, at(["fields": ["Zzhus field"]]), ["base": "Periodic table", "table": "Isotopes"],
                at(["filter": [["field": "Zzhus field", "op": "empty"]]]), at(["formula": "{Zzhus field}='x'"]),
            ],
            "get_record": [at(["recordId": shown])] + hidden.map { at(["recordId": $0]) },
            "search_records": [
                ["query": "helium, a gas in lamps"], ["query": "zzhush row", "mode": "lexical"],
                ["query": "gas", "limit": 50], ["query": "gas", "formula": "{Zzhus field}='x'"],
            ],
            "find_similar": [["recordId": shown, "limit": 50]] + hidden.map { ["recordId": $0] },
            "ask": [["question": "Which gas is in lamps?"], ["question": "What is helium?"]],
            "aggregate_records": [
                place, at(["groupBy": [["field": "Name"]]]), at(["groupBy": [["field": "Zzhus field"]]]),
            ],
        ]
    }

    private static let hello =
        #"{"jsonrpc":"2.0","id":0,"method":"initialize","params":{"protocolVersion":"2025-11-25","capabilities":{},"clientInfo":{"name":"c","version":"1"}}}"#

    @Test(
        "AUTHZ-05: no MCP tool tells of what grants hide",
        arguments: DatabaseKind.allCases,
        HiddenWorld.Reader.Kind.allCases
    )
    func tools(_ kind: DatabaseKind, _ reader: HiddenWorld.Reader.Kind) async throws {
        try await withHidden(kind, from: reader) { world in
            let calls = Self.calls(world)
            let reading = world.engines.tools.definitions.filter(\.annotations.readOnlyHint)
            #expect(Set(reading.map(\.name)) == Set(calls.keys))
            try await world.server().publicApplication.test(.router) { client in
                func session(_ key: String) async throws -> (String, HTTPFields) {
                    let hello = try await client.send(.post, "/mcp", key: key, body: Self.hello)
                    let session = try #require(hello.headers[HTTPField.Name("Mcp-Session-Id")!])
                    return (key, [HTTPField.Name("Mcp-Session-Id")!: session])
                }
                let (narrow, whole) = (try await session(world.reader.key), try await session(world.fixture.key))
                func told(_ session: (String, HTTPFields), _ message: JSONValue) async throws -> String {
                    let (key, headers) = session
                    return try await client.send(.post, "/mcp", key: key, headers: headers, body: message.text).text
                }
                for (name, list) in calls.sorted(by: { $0.key < $1.key }) {
                    var tells = false
                    for arguments in list {
                        let message: JSONValue = [
                            "jsonrpc": "2.0", "id": 1, "method": "tools/call",
                            "params": ["name": .string(name), "arguments": .object(arguments)],
                        ]
                        let given = Self.given(arguments)
                        let text = try await told(narrow, message)
                        #expect(world.secrets.leaks(in: text, given: given) == [], "\(name) \(arguments): \(text)")
                        let open = try await told(whole, message)
                        if !world.secrets.leaks(in: open, given: given).isEmpty { tells = true }
                    }
                    #expect(tells, "\(name) tells nothing to who sees all")
                }
            }
        }
    }

    @Test(
        "AUTHZ-05: counts are those of what is seen",
        arguments: DatabaseKind.allCases,
        HiddenWorld.Reader.Kind.allCases
    )
    func counts(_ kind: DatabaseKind, _ reader: HiddenWorld.Reader.Kind) async throws {
        try await withHidden(kind, from: reader) { world in
            let context = try await world.fixture.access.authenticate(
                bearer: world.reader.key,
                timeout: .seconds(60),
                requestID: "counts",
                logger: world.fixture.log.logger()
            )
            func answer(_ tool: String, _ arguments: JSONObject, _ context: Domain.RequestContext) async throws
                -> JSONValue?
            {
                try await world.engines.tools.call(ToolCall(name: tool, arguments: arguments), context: context)
                    .structured
            }
            let place: JSONObject = ["base": "Periodic table", "table": "Elements"]
            // Of four elements, two are kept back; so is one of the three tables.
            for (context, elements, tables) in [(context, 2, [2, 1]), (world.fixture.owner, 4, [4, 1, 1])] {
                let listed = try await answer("list_tables", ["base": "Periodic table"], context)
                #expect(listed?["tables"]?.arrayValue?.compactMap { $0["recordCount"]?.intValue } == tables)
                let described = try await answer("describe_table", place, context)
                #expect(described?["recordCount"]?.intValue == elements)
                let summed = try await answer("aggregate_records", place, context)
                #expect(summed?["recordCount"]?.intValue == elements)
                let status = try await world.engines.search.status(context: context)
                #expect(status.tables.first { $0.table == "Elements" }?.records == elements)
            }
            try await world.server().publicApplication.test(.router) { client in
                for body in [#"{"tables": ["Elements"]}"#, #"{"base": "Periodic table"}"#] {
                    let path = "/api/v1/embedding-jobs"
                    let refused = try await client.send(.post, path, key: world.reader.key, body: body)
                    let made = try await client.send(.post, path, key: world.fixture.key, body: body)
                    #expect(refused.status == 403 && made.status < 300)
                }
            }
        }
    }

    @Test(
        "AUTHZ-04: neither a model nor the events of its answer are told of what grants hide",
        arguments: HiddenWorld.Reader.Kind.allCases
    )
    func chat(_ reader: HiddenWorld.Reader.Kind) async throws {
        try await withHidden(from: reader) { world in
            var calls: [JSONValue] = []
            var given: [String] = []
            for (name, list) in Self.calls(world).sorted(by: { $0.key < $1.key }) {
                for arguments in list {
                    calls.append(["name": .string(name), "arguments": .object(arguments)])
                    given += Self.given(arguments)
                }
            }
            // In questions of a few calls: a run makes no more.
            let questions = stride(from: 0, to: calls.count, by: 4).map { start in
                JSONValue.array(Array(calls[start..<min(start + 4, calls.count)])).text
            }
            let allGiven = given
            try await world.server().publicApplication.test(.live) { client in
                let path = "/api/v1/chat/conversations"
                let made = try await client.send(.post, path, key: world.reader.key, body: "{}")
                let conversation = try #require(made.json?["id"]?.stringValue)
                for (number, question) in questions.enumerated() {
                    let body: JSONValue = ["content": .string(question), "settings": ["model": "test/teller"]]
                    let stream = try await client.send(
                        .post,
                        "\(path)/\(conversation)/messages",
                        key: world.reader.key,
                        headers: [.accept: "text/event-stream"],
                        body: body.text
                    )
                    #expect(stream.text.contains("run.completed"), "\(number): \(stream.text.suffix(600))")
                    let leaks = world.secrets.leaks(in: stream.text, given: allGiven)
                    #expect(leaks == [], "\(question): \(stream.text)")
                }
                let messages = try await client.send(.get, "\(path)/\(conversation)/messages", key: world.reader.key)
                // What was asked stands there too.
                let answers = (messages.json?["messages"]?.arrayValue ?? []).filter { $0["role"] == "assistant" }
                let told = answers.map(\.text).joined()
                for tool in world.engines.tools.definitions where tool.annotations.readOnlyHint {
                    #expect(told.contains("of=\\\"\(tool.name)\\\""))
                }
                #expect(answers.count == questions.count)
                for answer in answers { #expect(world.secrets.leaks(in: answer.text, given: allGiven) == []) }
                try await Self.socket(world, try #require(client.port), conversation)
            }
        }
    }

    /// The same on a WebSocket.
    private static func socket(_ world: HiddenWorld, _ port: Int, _ conversation: String) async throws {
        let socket = try await SocketClient.open(port: port, key: world.reader.key)
        for model in ["test/teller", "extractive"] {
            try await socket.send([
                "type": "message.send", "id": "q", "conversationId": .string(conversation),
                "content": "Which gas is in lamps, and what is helium?", "settings": ["model": .string(model)],
            ])
            var isOver = false
            while !isOver {
                let frame = try await socket.next()
                #expect(world.secrets.leaks(in: frame.text, given: []) == [], "\(frame.text)")
                isOver = frame.json?["type"] == "run.completed" || frame.json?["type"] == "run.failed"
                #expect(frame.json?["type"] != "run.failed" && frame.json?["type"] != "error", "\(frame.text)")
            }
        }
        try await socket.send(8, [0x03, 0xE8])
    }

    private static func given(_ arguments: JSONObject) -> [String] {
        arguments.values.flatMap { value in
            [value.stringValue].compactMap(\.self) + (value.arrayValue ?? []).compactMap { $0.stringValue ?? $0.text }
        }
    }
}
