import Access
import Airtable
import Chat
import Domain
import Embeddings
import Foundation
import Logging
import Search
import TestSupport
import Testing
import Tools

@testable import App

/// Chat as the program wires it, with a model that asks for what it was not offered.
@Suite("Tools of a conversation", .serialized)
struct ChatToolsTests {
    @Test("LLM-03: a model is offered no tool that writes, and one that it calls anyway does nothing")
    func readsOnly() async throws {
        try await withTemporaryDirectory { directory in
            let model = try InsistentModel()
            let services = try await Services.open(
                try AppConfiguration.load(environment: [
                    "PYAIRTABLE_DATA": directory.path + "/data", "PYAIRTABLE_EMBEDDING_MODEL": "hash",
                    "OPENAI_BASE_URL": model.url, "PYAIRTABLE_CHAT_MODEL": "openai/insistent",
                ]),
                logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
            )
            let search = try await services.openSearch()
            try await Self.insist(model, services, search)
            search.models.closeWriters()
            search.pool.close()
            await services.close()
        }
    }

    private static func insist(_ model: InsistentModel, _ services: Services, _ search: SearchServices) async throws {
        let context = try await services.ownerContext(.commandLine, timeout: .seconds(120))
        let place = try await ChatPlace(services.airtable, context)
        let chat = try await services.openChat(search).chat
        let running = Task { try await chat.run() }
        let writing = Set(search.tools.definitions.filter { !$0.annotations.readOnlyHint }.map(\.name))
        let reading = search.tools.definitions.filter(\.annotations.readOnlyHint).map(\.name)
        let calls = place.calls
        #expect(Set(calls.keys) == writing && !reading.isEmpty)
        let before = try await place.state()
        for (tool, arguments) in calls.sorted(by: { $0.key < $1.key }) {
            model.insist(on: tool, arguments)
            let settings = ChatSettings()
            let conversation = try await chat.createConversation(title: nil, settings: settings, context: context)
            let run = try await chat.send(
                "Please do it",
                to: conversation.id,
                parent: nil,
                settings: settings,
                context: context
            )
            try await chat.follow(run.id, after: 0, context: context) { _ in }
            #expect(try await chat.run(run.id, context: context).state == .completed, "\(tool)")
            let asked = model.requests
            try #require(asked.count == 2, "\(tool): \(asked)")
            for request in asked { #expect(Set(request.tools) == Set(reading), "\(tool)") }
            #expect(asked[1].result?.contains("no tool named '\(tool)'") == true, "\(asked[1].result ?? "")")
            #expect(try await place.state() == before, "\(tool) changed something")
        }
        // The same calls through the same registry, where it may write, are good ones.
        let unasked = writing.subtracting(["update_records", "upsert_records", "delete_records", "revert"])
            .subtracting(["update_table", "update_field"])
        let tools = search.audited(by: "test", services)
        for tool in unasked.sorted() {
            let state = try await place.state()
            let result = try await tools.call(
                ToolCall(name: tool, arguments: calls[tool] ?? [:]),
                context: context
            )
            let changed = try await place.state() != state
            #expect(!result.isError && changed, "\(tool): \(result.text)")
        }
        running.cancel()
        _ = await running.result
    }
}

/// A table with one record, and calls that would change it.
private struct ChatPlace {
    let airtable: AirtableService
    let context: RequestContext
    let table: Table
    let record: RecordID
    let transaction: Int64

    /// Everything that a tool could have changed.
    struct State: Equatable {
        let sequence: Int64
        let bases: [String]
        let comments: Int
        let record: Record
    }

    init(_ airtable: AirtableService, _ context: RequestContext) async throws {
        (self.airtable, self.context) = (airtable, context)
        let fields = [
            FieldDraft(name: "Name", type: .singleLineText), FieldDraft(name: "Files", type: .multipleAttachments),
        ]
        let made = try await airtable.createBase(
            name: "Work",
            tables: [TableDraft(name: "Tasks", fields: fields)],
            context: context
        )
        table = made.tables[0]
        let drafts = [RecordDraft(fields: ["Name": "mine"])]
        record = try await airtable.create(drafts, in: table.id, context: context)[0].id
        transaction = try await airtable.changes.latestSequence(tenant: context.tenant)
    }

    func state() async throws -> State {
        State(
            sequence: try await airtable.changes.latestSequence(tenant: context.tenant),
            bases: try await airtable.bases(context: context).map(\.name).sorted(),
            comments: try await airtable.comments(on: record, in: table.id, context: context).comments.count,
            record: try await airtable.record(record, in: table.id, context: context)
        )
    }

    /// By tool; each is what the tool takes.
    var calls: [String: JSONObject] {
        let id = JSONValue.string(record.description)
        let field: JSONValue = ["name": "Name", "type": "singleLineText"]
        func here(_ more: JSONObject) -> JSONObject {
            var arguments: JSONObject = ["base": "Work", "table": "Tasks"]
            for (name, value) in more { arguments[name] = value }
            return arguments
        }
        return [
            "create_records": here(["records": [["Name": "theirs"]]]),
            "update_records": here(["records": [["recordId": id, "fields": ["Name": "theirs"]]]]),
            "upsert_records": here(["mergeOn": ["Name"], "records": [["Name": "mine"]]]),
            "delete_records": here(["recordIds": [id]]),
            "import_data": here(["format": "csv", "content": "Name\ntheirs\n"]),
            "upload_attachment": here([
                "recordId": id, "field": "Files", "content": "YWJj", "filename": "a.txt",
            ]),
            "create_comment": here(["recordId": id, "text": "theirs"]),
            "create_base": ["name": "Theirs", "tables": [["name": "T", "fields": [field]]]],
            "create_table": ["base": "Work", "name": "Theirs", "fields": [field]],
            "update_table": here(["name": "Theirs"]),
            "create_field": here(["name": "Theirs", "type": "url"]),
            "update_field": here(["field": "Name", "name": "Theirs"]),
            "revert": ["transaction": .number(JSONNumber(Int(transaction)))],
        ]
    }
}

/// A model behind OpenAI's dialect that calls the tool it is told to, whether it is offered or not; then it ends.
private final class InsistentModel: Sendable {
    struct Request: Sendable {
        /// Names of those that were offered.
        let tools: [String]
        /// What its call came to.
        let result: String?
    }

    private struct State {
        var call: JSONValue = .null
        var requests: [Request] = []
    }

    private let state: Guarded<State>
    private let server: RawServer

    var url: String { server.url }
    var requests: [Request] { state.value.requests }

    init() throws {
        let state = Guarded(State())
        self.state = state
        server = try RawServer { peer in
            while let asked = try peer.request() {
                guard asked.line.hasPrefix("POST") else {
                    try peer.reply(200, #"{"object":"list","data":[{"id":"insistent","object":"model"}]}"#)
                    continue
                }
                let body = try JSONValue(parsing: asked.body)
                let last = body["messages"]?.arrayValue?.last
                let result = last?["role"] == "tool" ? last?["content"]?.stringValue : nil
                let tools = (body["tools"]?.arrayValue ?? []).compactMap { $0["function"]?["name"]?.stringValue }
                state.update { $0.requests.append(Request(tools: tools, result: result)) }
                try peer.beginChunks()
                let delta: JSONValue = result == nil ? ["tool_calls": [state.value.call]] : ["content": "Done."]
                for (delta, finish) in [(delta, JSONValue.null), ([:], result == nil ? "tool_calls" : "stop")] {
                    let choice: JSONValue = ["index": 0, "delta": delta, "finish_reason": finish]
                    let frame: JSONValue = ["id": "x", "model": "insistent", "choices": [choice]]
                    try peer.chunk("data: \(frame.text)\n\n")
                }
                try peer.chunk("data: [DONE]\n\n")
                try peer.endChunks()
            }
        }
    }

    /// From now on; what was asked before is forgotten.
    func insist(on tool: String, _ arguments: JSONObject) {
        let function: JSONValue = [
            "name": .string(tool), "arguments": .string(JSONValue.object(arguments).text),
        ]
        state.update { $0 = State(call: ["index": 0, "id": "c1", "type": "function", "function": function]) }
    }
}
