import Domain
import Foundation
import TestSupport
import Testing

/// Conversations with a served installation, over real sockets: with a scripted Gemini behind it, with a scripted model,
/// and with none.
@Suite("Chat, served", .serialized)
struct ChatServerTests {
    // ---- Gemini ----

    private static let geminiKey = "test-key-of-a-scripted-gemini"
    private static let question = "What of the kettle?"

    /// Asks one question of a scenario of `Tests/Clients/gemini_server.py`, and looks for the key wherever it could be.
    private func withGemini(
        _ scenario: String,
        _ body: (_ answer: ChatAnswer, _ log: JSONValue) async throws -> Void
    ) async throws {
        let gemini = try await ClientServer("gemini_server.py")
        let model = "gemini-3-case-\(scenario)_served"
        try await withChatShop { options, data in
            let server = try await ChatServer(
                options: options,
                adding: [
                    "GEMINI_API_KEY": Self.geminiKey, "GEMINI_BASE_URL": gemini.url, "PYAIRTABLE_CHAT_MODEL": model,
                ]
            )
            defer { server.process.kill() }
            let answer = try await server.ask(Self.question)
            let log = try await Binary.run(["-sS", "\(gemini.url)/_log?model=\(model)"], program: ChatServer.curl)
            try await body(answer, try JSONValue(parsing: log.output))
            server.process.terminate()
            let end = await server.process.result()
            #expect(end.status == 0)
            for text in [end.output, end.errors, answer.stream, answer.message.text] {
                #expect(!text.contains(Self.geminiKey))
            }
            let files = try #require(FileManager.default.enumerator(at: data, includingPropertiesForKeys: nil))
            var questionsFound = 0
            while let file = files.nextObject() as? URL {
                guard let bytes = FileManager.default.contents(atPath: file.path) else { continue }
                #expect(bytes.range(of: Data(Self.geminiKey.utf8)) == nil, "\(file.path)")
                if bytes.range(of: Data(Self.question.utf8)) != nil { questionsFound += 1 }
            }
            // What is stored would be found.
            #expect(questionsFound > 0)
        }
    }

    @Test("what Gemini streams arrives whole and in order, and the run is completed")
    func geminiAnswers() async throws {
        try await withGemini("plain") { answer, log in
            #expect(answer.text == "Grüße aus der Küche: 😀 und 漢字.")
            #expect(answer.message["content"]?.stringValue == answer.text)
            #expect(answer.end["type"] == "run.completed" && answer.end["data"]?["endReason"] == "complete")
            #expect(answer.sequence == Array(1...answer.events.count))
            #expect(log["requests"]?.intValue == 1 && log["refusals"]?.arrayValue?.isEmpty == true, "\(log)")
        }
    }

    @Test(
        "a stream of Gemini's that is cut fails the run, which says so and keeps what came",
        arguments: ["cut-after-text", "closed-after-text", "reset-after-text", "cut-inside-a-frame"]
    )
    func geminiIsCut(scenario: String) async throws {
        try await withGemini(scenario) { answer, log in
            #expect(answer.end["type"] == "run.failed" && answer.end["data"]?["endReason"] == "failed")
            #expect(answer.end["data"]?["message"]?.stringValue?.isEmpty == false)
            #expect(answer.text == "Half an ")
            #expect(answer.message["content"]?.stringValue == answer.text)
            #expect(answer.sequence == Array(1...answer.events.count))
            #expect(log["refusals"]?.arrayValue?.isEmpty == true, "\(log)")
        }
    }

    @Test("a refusal of Gemini's that repeats the key is told without it")
    func geminiEchoesTheKey() async throws {
        try await withGemini("echoes-key") { answer, log in
            #expect(answer.end["type"] == "run.failed")
            #expect(answer.end["data"]?["message"]?.stringValue?.contains("Gemini") == true)
            #expect(log["refusals"]?[0]?.stringValue?.contains(Self.geminiKey) == true)
        }
    }

    // ---- The page ----

    private static let pageScript = """
        {"name": "page", "tokensPerSecond": 50, "turns": [
            {"when": {"user": "slowly"}, "times": 5, "text": \(JSONValue.string(slowText).text)},
            {"when": {"user": "balloons", "step": 1},
                "calls": [{"name": "search_records", "arguments": {"query": "{{user}}"}}]},
            {"when": {"tool": "search_records"},
                "text": "**Helium** is lighter than air [{{search_records rec 0}}]."}
        ]}
        """

    private static let slowText = """
        **Helium** is a gas [recAAAAAAAAAAAAAA], *lighter* than `air`. Grüße, 漢字 🎈 <b>not bold</b> [9]

        - it is inert
        - it burns **nothing**
          - not even [here](javascript:alert(1))
          - ![x](http://127.0.0.1:9/steal?d=1) [go](https://evil.example/?q=1) <https://evil.example/>
          - \u{202E}gpj\u{202C}\u{E0041}\u{200B}

        | Gas | kg <img src=x onerror=alert(1)> |
        |---|--:|
        | Air | 1.2 |

        الهيليوم أخف من الهواء.

        1. Air: 1.2 kg
        2. Helium: 0.17 kg

        ```
        lift = 1.2 - 0.17
        ```


        """

    @Test(
        "LLM-06, LLM-07, LLM-09: in the page an answer streams, is stopped, and its citation opens the record"
    )
    func page() async throws {
        try await withTemporaryDirectory { directory in
            let script = directory.appendingPathComponent("script.json")
            try Data(Self.pageScript.utf8).write(to: script)
            let data = try await DemoData.copy(to: directory)
            let server = try await ChatServer(
                options: ["--data", data],
                adding: ["PYAIRTABLE_CHAT_SCRIPT": script.path]
            )
            defer { server.process.kill() }
            let result = try await Binary.run(
                [
                    repositoryRoot.appendingPathComponent("Tests/Clients/chat_page.py").path, server.url, server.key,
                    "the gas that makes party balloons float", "Helium", "Slowly: tell me all about helium",
                ],
                program: repositoryRoot.appendingPathComponent(".venv/bin/python")
            )
            #expect(result.status == 0, "\(result.errors)")
            #expect(result.output.contains(#""event": "done""#))
        }
    }

    // ---- Without a language model ----

    private struct Questions: Decodable {
        struct Question: Decodable {
            var question: String
            var answers: [String]
        }
        var questions: [Question]
    }

    private static let unanswerable = [
        "Who won the football world cup in 2014?", "What is the phone number of our dentist?",
        "When is the next staff meeting?", "How do I reset my email password?", "Which hotel did we book in Lisbon?",
        "What is the salary of the head of marketing?", "Who wrote the novel Moby Dick?",
        "When does the lease on our office end?", "What is the wifi password of the guest network?",
        "Which bus goes to the airport?",
    ]

    @Test("without a key the first citation is right for at least 37 of 40 questions, and every quote is verbatim")
    func extracts() async throws {
        let file = repositoryRoot.appendingPathComponent("Examples/periodic-table/questions.json")
        let questions = try JSONCoder.decode(Questions.self, from: [UInt8](Data(contentsOf: file))).questions
        #expect(questions.count == 40)
        try await withTemporaryDirectory { directory in
            let server = try await ChatServer(options: ["--data", try await DemoData.copy(to: directory)])
            defer { server.process.kill() }
            var right = 0
            var missed: [String] = []
            for question in questions {
                let answer = try await server.ask(question.question)
                #expect(answer.end["type"] == "run.completed")
                #expect(answer.message["content"]?.stringValue == answer.text)
                let citations = answer.events.filter { $0["type"] == "citation" }.compactMap { $0["data"] }
                #expect(answer.message["citations"]?.arrayValue?.count == citations.count)
                var names: [String] = []
                for citation in citations {
                    let cited = try await cited(citation, server)
                    let quote = try #require(citation["quote"]?.stringValue)
                    let comment = "\(question.question): \(quote) in \(cited.cell)"
                    #expect(!quote.isEmpty && cited.cell.contains(quote), "\(comment)")
                    names.append(cited.record["fields"]?["Name"]?.stringValue ?? "?")
                }
                if let first = names.first, question.answers.contains(first) {
                    right += 1
                } else {
                    missed.append("\(question.question): \(names)")
                }
            }
            #expect(right >= 37, "\(right): \(missed)")

            var notFound = 0
            for question in Self.unanswerable {
                let answer = try await server.ask(question)
                let says = answer.text.lowercased().contains("not found in your records")
                if says { notFound += 1 }
                #expect(says != answer.events.contains { $0["type"] == "citation" }, "\(question): \(answer.text)")
            }
            #expect(notFound == 10, "of \(Self.unanswerable.count)")
        }
    }

    @Test("a quote of a number, price, checkbox or choice is the cell as the API gives it, of a link its names")
    func quotesOtherCells() async throws {
        try await withTemporaryDirectory { directory in
            let server = try await ChatServer(options: ["--data", try await DemoData.copy(to: directory)])
            defer { server.process.kill() }
            var types: Set<String> = []
            for question in [
                "What is the atomic number of gold?", "What is the melting point of iron?",
                "What is the price of gold?", "Is uranium radioactive?", "What block is lanthanum in?",
                "Which series does argon belong to?",
            ] {
                for citation in try await server.ask(question).message["citations"]?.arrayValue ?? [] {
                    let cited = try await cited(citation, server)
                    let quote = try #require(citation["quote"]?.stringValue)
                    #expect(!quote.isEmpty && cited.cell.contains(quote), "\(question): \(quote) in \(cited.cell)")
                    types.insert(cited.type)
                }
            }
            let others = types.subtracting(["singleLineText", "multilineText"])
            #expect(others.count >= 4, "\(types)")
        }
    }

    /// The record of a citation as HTTP gives it, and the cited cell as a text.
    private func cited(
        _ citation: JSONValue,
        _ server: ChatServer
    ) async throws -> (record: JSONValue, type: String, cell: String) {
        func id(_ name: String) throws -> String { try #require(citation[name]?.stringValue) }
        let path = "/api/v1/airtable/bases/\(try id("baseId"))/tables/\(try id("tableId"))"
        let table = try await server.get(path)
        let record = try await server.get("\(path)/records/\(try id("recordId"))")
        let fieldID = try id("fieldId")
        let field = try #require(table["fields"]?.arrayValue?.first { $0["id"]?.stringValue == fieldID })
        let name = try #require(field["name"]?.stringValue)
        let value = try #require(record["fields"]?[name], "\(name) is empty in \(record)")
        let linked = record["linked"]?.arrayValue ?? []
        func shown(_ value: JSONValue) -> String {
            switch value {
            case .string(let text): linked.first { $0["id"] == value }?["name"]?.stringValue ?? text
            case .array(let values): values.map(shown).joined(separator: ", ")
            default: value.text
            }
        }
        return (record, field["type"]?.stringValue ?? "", shown(value))
    }
}

/// A small base in a directory of its own, found by hashes; `body` gets the options for it, and its data directory.
func withChatShop(_ body: (_ options: [String], _ data: URL) async throws -> Void) async throws {
    try await withTemporaryDirectory { directory in
        let file = directory.appendingPathComponent("Products.csv")
        try Data("Name,Notes\nKettle,The lid is of steel.\nTeapot,Holds a litre.\n".utf8).write(to: file)
        let data = directory.appendingPathComponent("data")
        let options = ["--data", data.path, "--embedder", "hash"]
        for arguments in [["import", file.path], ["index"]] {
            let made = try await Binary.run(arguments + options)
            #expect(made.status == 0, "\(made.errors)")
        }
        try await body(options, data)
    }
}

/// A `serve` process, asked with curl. Whoever starts it ends it.
struct ChatServer {
    static let curl = URL(fileURLWithPath: "/usr/bin/curl")
    /// Keys of whoever runs the tests are kept from the server.
    private static let noModels = ["GEMINI_API_KEY": "", "OPENAI_API_KEY": "", "OPENAI_BASE_URL": ""]

    let process: Binary.Running
    let url: String
    let key: String

    init(options: [String], adding variables: [String: String] = [:], key: String? = nil) async throws {
        let process = try Binary.Running(
            ["serve", "--json", "--bind", "127.0.0.1:0", "--admin-bind", "off"] + options,
            adding: Self.noModels.merging(variables) { $1 }
        )
        do {
            try await eventually("the server is ready", timeout: .seconds(60)) {
                process.output.contains("\n") || !process.process.isRunning
            }
            guard let line = process.output.split(separator: "\n").first else {
                throw TestSupportError("the server ended: \(process.errors)")
            }
            let ready = try JSONValue(parsing: String(line))
            url = try #require(ready["url"]?.stringValue)
            if let key = key ?? ready["key"]?.stringValue {
                self.key = key
            } else {
                let made = try await Binary.run(["key", "create", "--json"] + options)
                self.key = try #require(try made.json().first?["key"]?.stringValue, "\(made.errors)")
            }
            self.process = process
        } catch {
            process.kill()
            throw error
        }
    }

    /// What curl is told to ask for `path`.
    func arguments(_ path: String, _ body: JSONValue? = nil) -> [String] {
        let arguments = ["-sSN", "--fail-with-body", "\(url)\(path)", "-H", "Authorization: Bearer \(key)"]
        guard let body else { return arguments }
        return arguments + ["-H", "Content-Type: application/json", "-d", body.text]
    }

    func get(_ path: String) async throws -> JSONValue { try await json(arguments(path)) }

    func post(_ path: String, _ body: JSONValue) async throws -> JSONValue { try await json(arguments(path, body)) }

    private func json(_ arguments: [String]) async throws -> JSONValue {
        let reply = try await Binary.run(arguments, program: Self.curl, timeout: 60)
        guard reply.status == 0 else { throw TestSupportError("\(reply.errors)\(reply.output)") }
        return try JSONValue(parsing: reply.output)
    }

    func conversation() async throws -> String {
        try #require(try await post("/api/v1/chat/conversations", [:])["id"]?.stringValue)
    }

    /// A question in a new conversation, followed as server-sent events to the end of the reply.
    func ask(_ question: String) async throws -> ChatAnswer {
        let path = "/api/v1/chat/conversations/\(try await conversation())/messages"
        let reply = try await Binary.run(
            arguments(path, ["content": .string(question)]) + ["-H", "Accept: text/event-stream"],
            program: Self.curl,
            timeout: 60
        )
        guard reply.status == 0 else { throw TestSupportError("\(reply.errors)\(reply.output)") }
        let message = try #require(try await get(path)["messages"]?.arrayValue?.last)
        return try ChatAnswer(stream: reply.output, message: message)
    }
}

/// What came of a question: the events of its run, and the answer as it is stored.
struct ChatAnswer {
    var stream: String
    var events: [JSONValue]
    var message: JSONValue

    init(stream: String, message: JSONValue) throws {
        self.stream = stream
        events = try Self.events(in: stream)
        self.message = message
    }

    var end: JSONValue { events.last ?? .null }
    var sequence: [Int] { events.compactMap { $0["seq"]?.intValue } }
    var text: String { Self.text(of: events) }

    /// The events that came whole: those that an empty line ended. The fields beside `data` say the same as it.
    static func events(in stream: String) throws -> [JSONValue] {
        var events: [JSONValue] = []
        for block in stream.components(separatedBy: "\n\n").dropLast() {
            var fields: [String: String] = [:]
            for line in block.split(separator: "\n") where !line.hasPrefix(":") {
                let parts = line.split(separator: ":", maxSplits: 1)
                fields[String(parts[0])] = parts.dropFirst().first.map { String($0.trimmingPrefix(" ")) } ?? ""
            }
            guard let data = fields["data"] else { continue }
            let event = try JSONValue(parsing: data)
            #expect(fields["id"] == event["seq"]?.text && fields["event"] == event["type"]?.stringValue, "\(block)")
            events.append(event)
        }
        return events
    }

    /// The text that a client has that does what each event says.
    static func text(of events: [JSONValue]) -> String {
        var bytes: [UInt8] = []
        for event in events {
            if event["type"] == "text.delta" {
                bytes += Array((event["data"]?["text"]?.stringValue ?? "").utf8)
            } else if event["type"] == "text.voided" {
                bytes = Array(bytes.prefix(event["data"]?["offset"]?.intValue ?? 0))
            }
        }
        return String(decoding: bytes, as: UTF8.self)
    }
}
