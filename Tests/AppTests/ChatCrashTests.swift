import Domain
import Foundation
import TestSupport
import Testing

/// A server killed while it answers: whoever followed the run comes back, and misses nothing and sees nothing twice.
@Suite("Chat, killed")
struct ChatCrashTests {
    private static let points = ProcessInfo.processInfo.environment["PYAIRTABLE_LONG"] == "1" ? 50 : 3

    private static let seed =
        ProcessInfo.processInfo.environment["PYAIRTABLE_SEED"].flatMap { UInt64($0) } ?? UInt64.random(in: 1...99_999)

    /// About a second of a tool, citations, characters of many bytes, and text that is taken back.
    private static let script = """
        {"name": "paced", "tokensPerSecond": 100, "turns": [
            {"when": {"user": "kettle", "step": 1}, "text": "Let me look. ",
                "calls": [{"name": "search_records", "arguments": {"query": "kettle"}}]},
            {"when": {"tool": "search_records"}, "times": 6, "restartAfter": 20,
                "text": "Grüße 漢字 🎈: its lid is of steel [{{search_records rec 0}}], of gold [recAAAAAAAAAAAAAA].\\n\\n"},
            {"text": "I do not know."}
        ]}
        """

    private struct Shown {
        var run: String
        var conversation: String
        var events: [JSONValue]
    }

    /// Asks, follows the answer, and kills the server at a moment of `generator`'s.
    private func shown(by server: ChatServer, _ generator: inout SeededGenerator) async throws -> Shown {
        let conversation = try await server.conversation()
        let path = "/api/v1/chat/conversations/\(conversation)/messages"
        let sent = try await server.post(path, ["content": "What of the kettle?"])
        let run = try #require(sent["runId"]?.stringValue)
        let following = try Binary.Running(
            server.arguments("/api/v1/chat/runs/\(run)/events"),
            program: ChatServer.curl
        )
        defer { following.kill() }
        try await Task.sleep(for: .milliseconds(Int.random(in: 1...1_300, using: &generator)))
        server.process.kill()
        #expect(await server.process.result().wasKilled)
        // The connection is gone with the server, and so is curl.
        let seen = await following.result()
        return Shown(run: run, conversation: conversation, events: try ChatAnswer.events(in: seen.output))
    }

    @Test("after a kill anywhere the run has an end, its events go on where they were, and make the stored answer")
    func killed() async throws {
        var generator = SeededGenerator(seed: Self.seed)
        try await withChatShop { options, data in
            let script = data.deletingLastPathComponent().appendingPathComponent("script.json")
            try Data(Self.script.utf8).write(to: script)
            let variables = ["PYAIRTABLE_CHAT_SCRIPT": script.path]
            var server = try await ChatServer(options: options, adding: variables)
            defer { server.process.kill() }
            var interrupted = 0
            for point in 0..<Self.points {
                let comment = "seed \(Self.seed), point \(point)"
                let shown = try await shown(by: server, &generator)
                server = try await ChatServer(options: options, adding: variables, key: server.key)
                let end = try await expectResumed(shown, server, comment)
                if end["type"] == "run.interrupted" { interrupted += 1 }
            }
            Attachment.record("seed \(Self.seed): \(interrupted) of \(Self.points)", named: "interrupted.txt")
            let next = try await server.ask("What of the kettle?")
            #expect(next.end["type"] == "run.completed" && next.text == next.message["content"]?.stringValue)
            server.process.terminate()
            #expect(await server.process.result().status == 0)
            let doctor = try await Binary.run(["doctor", "--verify", "--json"] + options)
            #expect(doctor.status == 0, "seed \(Self.seed): \(doctor.output)")
        }
    }

    /// - Returns: the run's last event.
    private func expectResumed(_ shown: Shown, _ server: ChatServer, _ comment: String) async throws -> JSONValue {
        let path = "/api/v1/chat/runs/\(shown.run)/events"
        let last = shown.events.last?["seq"]?.intValue ?? 0
        let coming =
            last.isMultiple(of: 2)
            ? server.arguments("\(path)?after=\(last)") : server.arguments(path) + ["-H", "Last-Event-ID: \(last)"]
        let rest = try await Binary.run(coming, program: ChatServer.curl)
        #expect(rest.status == 0, "\(comment): \(rest.errors)")
        let events = shown.events + (try ChatAnswer.events(in: rest.output))
        #expect(events.compactMap { $0["seq"]?.intValue } == Array(1...max(1, events.count)), "\(comment)")

        let end = events.last ?? .null
        #expect(end["type"] == "run.completed" || end["type"] == "run.interrupted", "\(comment): \(end)")
        #expect(events.filter { $0["type"]?.stringValue?.hasPrefix("run.") == true }.count == 2, "\(comment)")
        let isWhole = end["type"] == "run.completed"
        #expect(end["data"]?["endReason"]?.stringValue == (isWhole ? "complete" : "interrupted"), "\(comment)")

        // What was shown is what is stored: the same events to one that begins anew.
        let again = try await Binary.run(server.arguments("\(path)?after=0"), program: ChatServer.curl)
        #expect(try ChatAnswer.events(in: again.output) == events, "\(comment)")
        let none = try await Binary.run(
            server.arguments("\(path)?after=\(events.count)") + ["-w", "%{http_code}"],
            program: ChatServer.curl
        )
        #expect(none.output == "204", "\(comment)")

        let stored = try await server.get("/api/v1/chat/conversations/\(shown.conversation)/messages")
        let messages = try #require(stored["messages"]?.arrayValue)
        #expect(messages.compactMap { $0["role"]?.stringValue } == ["user", "assistant"], "\(comment)")
        let text = ChatAnswer.text(of: events)
        #expect(messages.last?["content"]?.stringValue == text, "\(comment)")
        let lids = text.components(separatedBy: "its lid is of steel").count - 1
        #expect(isWhole ? lids == 6 : lids <= 6, "\(comment): \(text)")
        let markers = Set(events.filter { $0["type"] == "citation" }.compactMap { $0["data"]?["marker"]?.stringValue })
        for citation in messages.last?["citations"]?.arrayValue ?? [] {
            #expect(markers.contains(citation["marker"]?.stringValue ?? "?"), "\(comment)")
        }
        return end
    }
}
