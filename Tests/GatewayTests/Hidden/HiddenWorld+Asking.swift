import Airtable
import Chat
import Domain
import HTTPTypes
import HummingbirdTesting
import TestSupport
import Testing

@testable import Gateway

extension HiddenWorld {
    typealias Values = [PathParameter: String]

    /// What stands for each part of a path, of what the reader sees.
    func values(_ client: some TestClientProtocol) async throws -> Values {
        let chat = "/api/v1/chat/conversations"
        func made(_ path: String, _ body: String, _ member: String = "id") async throws -> String {
            let answer = try await client.send(.post, path, key: reader.key, body: body)
            #expect((200..<300).contains(answer.status), "\(path): \(answer.text)")
            return try #require(answer.json?[member]?.stringValue, "\(answer.text)")
        }
        let conversation = try await made(chat, "{}")
        let sent = try await client.send(
            .post,
            "\(chat)/\(conversation)/messages",
            key: reader.key,
            body: #"{"content": "Which gas is in lamps?"}"#
        )
        let run = try #require(sent.json?["runId"]?.stringValue, "\(sent.text)")
        // Read to its end, so that the answer is there.
        _ = try await client.send(.get, "/api/v1/chat/runs/\(run)/events", key: reader.key)
        let job = try await made("/api/v1/embedding-jobs", #"{"tables": ["Isotopes"]}"#)
        return [
            .baseId: fixture.base.id.description, .tableId: fixture.elements.id.description,
            .tableIdOrName: fixture.elements.id.description, .recordId: fixture.records[0].id.description,
            .conversationId: conversation, .runId: run, .jobId: job,
            .workspaceId: fixture.base.workspace.description, .fieldIdOrName: "State",
            .viewId: secrets.shown.view.description, .commentId: secrets.shown.comment.description,
            .transaction: "\(secrets.shown.transaction)", .webhookId: secrets.webhook.description,
            .userId: reader.user.description, .tenantId: fixture.owner.tenant.description,
            .choiceId: fixture.elements.field("State")?.options.choices?.last?.id.description ?? "",
            .keyId: reader.otherKey.description, .grantId: reader.grant.description,
            .roleId: RoleID.random().description, .groupId: GroupID.random().description,
            .inviteId: InviteID.random().description, .tool: "list_records",
        ]
    }

    /// Hidden things, each beside one of its kind that is not there.
    func hiddenValues(_ client: some TestClientProtocol) async throws -> [(
        PathParameter, hidden: String, missing: String
    )] {
        let run = try await ownersRun()
        return [
            (.baseId, secrets.base.id.description, BaseID.random().description),
            (.tableId, secrets.table.id.description, TableID.random().description),
            (.tableIdOrName, secrets.table.id.description, TableID.random().description),
            (.tableIdOrName, "Zzhush table", "Zzrush table"),
            (.recordId, secrets.record.description, RecordID.random().description),
            (.recordId, secrets.refused.description, RecordID.random().description),
            (.fieldIdOrName, secrets.field.id.description, FieldID.random().description),
            (.fieldIdOrName, "Zzhush field", "Zzrush field"),
            (.viewId, secrets.view.description, ViewID.random().description),
            (.viewId, secrets.refusedView.description, ViewID.random().description),
            (.commentId, secrets.comment.description, CommentID.random().description),
            (.transaction, "\(secrets.transactions[0])", "99999999"),
            (.transaction, "\(secrets.transactions[1])", "99999999"),
            (.conversationId, run.conversation, ConversationID.random().description),
            (.runId, run.run, RunID.random().description),
            (.jobId, try await ownersJob(client), JobID.random().description),
        ]
    }

    /// A conversation of who sees all, about what is hidden.
    private func ownersRun() async throws -> (conversation: String, run: String) {
        let chat = engines.chat
        let conversation = try await chat.createConversation(
            title: "zzhush",
            settings: .init(),
            context: fixture.owner
        )
        let run = try await chat.send(
            "zzhush row",
            to: conversation.id,
            parent: nil,
            settings: .init(),
            context: fixture.owner
        )
        let told = Guarded(false)
        try await chat.follow(run.id, after: 0, context: fixture.owner) { events in
            if events.contains(where: { $0.wire.text.contains(secrets.row.description) }) { told.update { $0 = true } }
        }
        #expect(told.value, "who sees all is told")
        return (conversation.id.description, run.id.description)
    }

    /// A job over all tables, those with hidden records included.
    private func ownersJob(_ client: some TestClientProtocol) async throws -> String {
        let job = try await client.send(
            .post,
            "/api/v1/embedding-jobs",
            key: fixture.key,
            body: #"{"base": "Periodic table"}"#
        )
        return try #require(job.json?["id"]?.stringValue, "\(job.text)")
    }

    func answer(
        _ client: some TestClientProtocol,
        _ route: Route,
        _ values: Values,
        _ call: HiddenCalls.Call,
        key: String? = nil
    ) async throws -> Answer {
        var path = route.pattern.description
        for parameter in route.pattern.parameters {
            let value = try #require(values[parameter], "a value for \(parameter) of \(route.name)")
            path = path.replacing("{\(parameter.rawValue)}", with: value.replacing(" ", with: "%20"))
        }
        var query = call.query
        if query.isEmpty {
            if route.name.hasSuffix("eleteRecords") { query = "?records[]=\(values[.recordId] ?? "")" }
            if route.name == "importTable" { query = "?table=Imported" }
            if route.name == "importBase" { query = "?name=Imported" }
        }
        let example = try route.body.map { String(decoding: try JSONCoder.encode($0.shape.sample), as: UTF8.self) }
        return try await client.send(
            route.method,
            path + query,
            key: key ?? reader.key,
            headers: call.headers,
            body: call.body ?? route.upload?.sample ?? example,
            contentType: route.upload == nil ? "application/json" : "text/csv"
        )
    }

    func leaks(in answer: Answer, _ call: HiddenCalls.Call) -> [String] {
        let text = answer.text + answer.headers.map { "\($0.name): \($0.value)" }.joined(separator: "\n")
        return secrets.leaks(in: text, given: call.given + [call.query, call.body ?? ""])
    }
}

extension Answer {
    /// What it says, without what names the request and `value`, which was asked for.
    func plain(without value: String) -> String {
        var text = "\(status) \(json.map { Self.unnamed($0).text } ?? text)"
        // Formulas name what they do not know in lower case.
        for name in [value, value.lowercased(), value.replacing(" ", with: "%20")] {
            text = text.replacing(name, with: "…")
        }
        return text
    }

    /// What it says, without what names the request or tells the time.
    var steady: String {
        guard let json else {
            // A line may be JSON of its own.
            let lines = text.split(separator: "\n").map { line in
                (try? JSONValue(parsing: String(line))).map { Self.steady($0).text } ?? String(line)
            }
            return "\(status) \(lines)"
        }
        return "\(status) \(Self.steady(json).text)"
    }

    private static func steady(_ json: JSONValue) -> JSONValue {
        if let list = json.arrayValue { return .array(list.map(steady)) }
        guard var members = json.objectValue else { return json }
        for key in ["instance", "requestId", "tookMs", "timings", "policyVersion", "lastUsedTime", "exportedTime"] {
            members.removeValue(forKey: key)
        }
        return .object(JSONObject(members.map { ($0.key, steady($0.value)) }))
    }

    private static func unnamed(_ json: JSONValue) -> JSONValue {
        guard var members = json.objectValue else { return json }
        for key in ["instance", "requestId", "request_id", "tookMs", "took_ms", "policyVersion"] {
            members.removeValue(forKey: key)
        }
        return .object(members)
    }
}
