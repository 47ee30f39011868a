import Access
import Chat
import Domain
import HTTPTypes
import Hummingbird
import HummingbirdTesting
import LLM
import TestSupport
import Testing

@testable import Gateway

@Suite("Chat's routes")
struct ChatRouteTests {
    private static let path = "/api/v1/chat/conversations"

    @Test("a conversation is made, found, named and removed")
    func conversation() async throws {
        try await withGateway { fixture in
            try await fixture.server().publicApplication.test(.router) { client in
                let made = try await client.send(
                    .post,
                    Self.path,
                    key: fixture.key,
                    body: #"{"title":"Gases","settings":{"bases":["Periodic table"],"temperature":0.5}}"#
                )
                #expect(made.status == 201)
                #expect(made.json?["title"] == "Gases")
                #expect(made.json?["settings"] == ["bases": ["Periodic table"], "temperature": 0.5])
                let place = "\(Self.path)/\(try #require(made.json?["id"]?.stringValue))"
                #expect(try await client.send(.get, place, key: fixture.key).json == made.json)
                let named = try await client.send(.patch, place, key: fixture.key, body: #"{"title":"Noble gases"}"#)
                #expect(named.status == 200)
                #expect(named.json?["title"] == "Noble gases")
                #expect(named.json?["settings"] == made.json?["settings"])
                let gone = try await client.send(.delete, place, key: fixture.key)
                #expect(gone.status == 204)
                #expect(gone.text.isEmpty)
                #expect(try await client.send(.get, place, key: fixture.key).status == 404)
            }
        }
    }

    @Test("conversations come in pages, newest first, each once")
    func pages() async throws {
        try await withGateway { fixture in
            var made: [String] = []
            for number in 0..<7 {
                let conversation = try await fixture.chat.createConversation(
                    title: "\(number)",
                    settings: ChatSettings(),
                    context: fixture.owner
                )
                made.insert(conversation.id.description, at: 0)
            }
            let expected = made
            try await fixture.server().publicApplication.test(.router) { client in
                var (seen, pages, after): ([String], Int, String?) = ([], 0, nil)
                repeat {
                    let query = "?limit=3" + (after.map { "&after=\($0)" } ?? "")
                    let page = try await client.send(.get, Self.path + query, key: fixture.key)
                    #expect(page.status == 200)
                    seen += page.json?["conversations"]?.arrayValue?.compactMap { $0["id"]?.stringValue } ?? []
                    after = page.json?["after"]?.stringValue
                    pages += 1
                } while after != nil && pages < 10
                #expect(seen == expected)
                #expect(pages == 3)
                for query in ["?limit=0", "?limit=101", "?after=nonsense", "?before=x"] {
                    #expect(try await client.send(.get, Self.path + query, key: fixture.key).status == 400)
                }
            }
        }
    }

    @Test("a question is answered by a run that is followed apart from it")
    func send() async throws {
        try await withGateway { fixture in
            fixture.chat.onSend { run, chat in chat.playAnswer(to: run, deltas: ["A gas", " [1]."]) }
            let id = try await fixture.answeredRun().conversation
            try await fixture.server().publicApplication.test(.router) { client in
                let path = "\(Self.path)/\(id)/messages"
                let sent = try await client.send(.post, path, key: fixture.key, body: #"{"content":"What is helium?"}"#)
                #expect(sent.status == 202)
                #expect(sent.json?.objectValue?.keys.sorted() == ["messageId", "runId"])
                let run = try #require(sent.json?["runId"]?.stringValue)
                let messages = try await client.send(.get, path, key: fixture.key)
                let asked = messages.json?["messages"]?.arrayValue?.last
                #expect(asked?["id"] == sent.json?["messageId"])
                #expect(asked?["content"] == "What is helium?")
                #expect(asked?["runId"]?.stringValue == run)
                let state = try await client.send(.get, "/api/v1/chat/runs/\(run)", key: fixture.key)
                #expect(state.json?["state"] == "completed")
                #expect(state.json?["endReason"] == "complete")
                #expect(state.json?["questionId"] == sent.json?["messageId"])
                let events = try await client.send(.get, "/api/v1/chat/runs/\(run)/events", key: fixture.key)
                let read = readEvents(Array(events.text.utf8))
                #expect(read.map(\.id) == (1...9).map { "\($0)" })
                #expect(state.json?["lastSequence"] == 9)
                #expect(read.map { $0.type } == fixture.chat.events(of: RunID(run)!).map(\.kind.rawValue))
            }
        }
    }

    @Test(
        "whoever accepts an event stream gets the run's events as the answer",
        arguments: [
            ("text/event-stream", true), ("application/json, TEXT/Event-Stream ;q=0.5", true), ("*/*", false),
            ("application/json", false), ("text/event-stream;q=0", false), ("text/*", false),
        ]
    )
    func accept(_ accept: String, _ wantsEvents: Bool) async throws {
        try await withGateway { fixture in
            fixture.chat.onSend { run, chat in chat.playAnswer(to: run, deltas: ["A gas."]) }
            let id = try await fixture.answeredRun().conversation
            try await fixture.server().publicApplication.test(.router) { client in
                let answer = try await client.send(
                    .post,
                    "\(Self.path)/\(id)/messages",
                    key: fixture.key,
                    headers: [.accept: accept],
                    body: #"{"content":"?"}"#
                )
                #expect(answer.status == (wantsEvents ? 200 : 202))
                #expect(answer.headers[.contentType] == (wantsEvents ? "text/event-stream" : "application/json"))
                if wantsEvents {
                    let events = readEvents(Array(answer.text.utf8))
                    #expect(events.last?.type == "run.completed")
                    #expect(events.count == 8)
                }
            }
        }
    }

    @Test("a client goes on where it was, by query or by the header that EventSource sends")
    func position() async throws {
        try await withGateway { fixture in
            let run = try await fixture.answeredRun()
            let path = "/api/v1/chat/runs/\(run.id)/events"
            try await fixture.server().publicApplication.test(.router) { client in
                // Query, header, and the first event's id or the status.
                var cases: [(String, String?, String)] = [
                    ("", nil, "1"), ("?after=0", nil, "1"), ("?after=4", nil, "5"), ("?after=2", "6", "7"),
                    ("?after=2", "", "3"),
                    // All there is: EventSource stops at 204.
                    ("?after=9", nil, "204"), ("?after=99", nil, "204"),
                ]
                for text in ["x", "-1", "1.5", "99999999999999999999"] {
                    cases += [("?after=\(text)", nil, "400"), ("", text, "400")]
                }
                for (query, header, expected) in cases {
                    var headers = HTTPFields()
                    headers[.lastEventID] = header
                    let answer = try await client.send(.get, path + query, key: fixture.key, headers: headers)
                    let first = readEvents(Array(answer.text.utf8)).first?.id
                    #expect((answer.status == 200 ? first : "\(answer.status)") == expected, "\(query) \(header ?? "")")
                }
            }
        }
    }

    @Test("the stream of a run that goes on waits for what comes, and ends with the last event")
    func live() async throws {
        try await withGateway { fixture in
            let run = try await fixture.openRun()
            try await fixture.server().publicApplication.test(.live) { client in
                let connection = try await ByteConnection(port: try #require(client.port))
                try await connection.send(
                    "GET /api/v1/chat/runs/\(run.id)/events HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer \(fixture.key)\r\n\r\n"
                )
                try await connection.read(until: "\r\n\r\n")
                for (number, text) in ["one", "zwö", "three"].enumerated() {
                    fixture.chat.append(.textDelta, ["messageId": "m", "text": .string(text)], to: run.id)
                    try await connection.read(until: "\"\(text)\"")
                    #expect(readEvents(connection.bytes.httpBody ?? []).count == number + 1)
                }
                #expect(!connection.bytes.isWholeChunked)
                fixture.chat.finish(run)
                try await connection.read { $0.isWholeChunked }
            }
        }
    }

    @Test("what is not yours is not found, before anything is streamed", arguments: DatabaseKind.allCases)
    func foreign(_ kind: DatabaseKind) async throws {
        try await withGateway(kind) { fixture in
            let run = try await fixture.answeredRun()
            let other = try await fixture.access.createUser(name: "other", context: fixture.owner)
            let key = try await fixture.access.createKey(
                APIKeyDraft(name: "other", scopes: [.chat], owner: other.id),
                context: fixture.owner
            ).text
            try await fixture.server().publicApplication.test(.router) { client in
                let conversation = "\(Self.path)/\(run.conversation)"
                let runs = "/api/v1/chat/runs/\(run.id)"
                let calls: [(HTTPRequest.Method, String, String?)] = [
                    (.get, conversation, nil), (.patch, conversation, "{}"), (.delete, conversation, nil),
                    (.get, conversation + "/messages", nil),
                    (.post, conversation + "/messages", #"{"content":"?"}"#), (.get, runs, nil),
                    (.get, runs + "/events", nil), (.post, runs + "/cancel", nil),
                ]
                for (method, path, body) in calls {
                    let answer = try await client.send(method, path, key: key, body: body)
                    #expect(answer.status == 404, "\(method) \(path)")
                    #expect(answer.headers[.contentType] == "application/problem+json")
                    #expect(!answer.text.contains("Helium"))
                }
                let list = try await client.send(.get, Self.path, key: key)
                #expect(list.json?["conversations"]?.arrayValue?.isEmpty == true)
            }
        }
    }

    @Test("a run is asked to end, as often as one likes")
    func cancel() async throws {
        try await withGateway { fixture in
            let run = try await fixture.openRun()
            try await fixture.server().publicApplication.test(.router) { client in
                for _ in 0..<2 {
                    let answer = try await client.send(.post, "/api/v1/chat/runs/\(run.id)/cancel", key: fixture.key)
                    #expect(answer.status == 202)
                    #expect(answer.json?["state"] == "running")
                }
                #expect(fixture.chat.cancelled == [run.id])
            }
        }
    }

    @Test(
        "a body that does not fit is refused, with its members named",
        arguments: [
            "{}", #"{"content":""}"#, #"{"content":"?","parentId":"recAAAAAAAAAAAAAA"}"#, #"{"content":"?","x":1}"#,
            #"{"content":"?","settings":{"temperature":3}}"#, #"{"content":"?","settings":{"modl":"x"}}"#,
            #"{"content":7}"#,
        ]
    )
    func refused(_ body: String) async throws {
        try await withGateway { fixture in
            let id = try await fixture.answeredRun().conversation
            try await fixture.server().publicApplication.test(.router) { client in
                let answer = try await client.send(.post, "\(Self.path)/\(id)/messages", key: fixture.key, body: body)
                // An identifier of the wrong form gets past the schema's pattern, which is not checked, and fails to
                // be decoded.
                #expect(answer.status == 422 || answer.status == 400, "\(answer.text)")
            }
        }
    }

    @Test("a server without chat says so")
    func unavailable() async throws {
        try await withGateway { fixture in
            let services = GatewayServices(
                access: fixture.access,
                airtable: fixture.airtable,
                search: FixedSearch(),
                mcp: fixture.mcp,
                readiness: []
            )
            let server = GatewayServer.make(
                configuration: GatewayConfiguration(adminAddress: nil),
                services: services,
                metrics: fixture.metrics,
                logger: fixture.log.logger()
            )
            try await server.publicApplication.test(.router) { client in
                let answer = try await client.send(.get, Self.path, key: fixture.key)
                #expect(answer.status == 503)
                #expect(answer.code == "chatNotConfigured")
            }
        }
    }
}

@Suite("Events of a run")
struct ChatEventWireTests {
    @Test("each kind's data has a schema that takes a right one and refuses one without its members")
    func schemas() throws {

        for kind in ChatEvent.Kind.allCases {
            let data = try #require(Self.data[kind], "\(kind)")
            let event = Self.event(kind, data)
            #expect(ChatEventWire.schema.violations(of: event) == [], "\(kind)")
            for member in data.keys where member != "message" {
                var less = data
                less[member] = nil
                #expect(
                    !ChatEventWire.schema.violations(of: Self.event(kind, less)).isEmpty,
                    "\(kind) without \(member)"
                )
            }
        }
        #expect(!ChatEventWire.schema.violations(of: Self.event(.textDelta, Self.data[.usage]!)).isEmpty)
    }

    private static func event(_ kind: ChatEvent.Kind, _ data: JSONObject) -> JSONValue {
        ChatEvent(
            conversation: Sample.conversation,
            run: Sample.run,
            sequence: 1,
            kind: kind,
            time: Sample.time,
            data: data
        ).wire
    }

    private static let message: JSONValue = .string(Sample.answer.description)
    private static let end: JSONObject = [
        "endReason": "complete", "message": "Done.", "droppedCitations": 1, "messageId": message,
    ]
    private static let data: [ChatEvent.Kind: JSONObject] = [
        .runStarted: ["questionId": .string(Sample.question.description), "answerId": message, "model": "m"],
        .messageStarted: ["messageId": message],
        .textDelta: ["messageId": message, "text": ""],
        .textVoided: ["messageId": message, "offset": 0],
        .toolStarted: ["callId": "c", "name": "n", "arguments": [:]],
        .toolResult: ["callId": "c", "isError": true, "summary": "", "durationMs": 5],
        .citation: [
            "messageId": message, "marker": "[1]", "baseId": .string(Sample.base.description),
            "tableId": .string(Sample.table.description), "recordId": .string(Sample.record.description),
            "fieldId": .string(Sample.state.description), "quote": "Gas",
        ],
        .usage: ["input": 1, "cachedInput": 0, "output": 2, "thoughts": 3],
        .runCompleted: end, .runFailed: end, .runCancelled: end, .runInterrupted: end,
    ]
}
