import Database
import Domain
import LLM
import TestSupport
import Testing

@testable import Chat

@Suite("Runs")
struct RunTests {
    @Test("a run's events are numbered without a gap, and tell the answer", arguments: DatabaseKind.allCases)
    func events(_ kind: DatabaseKind) async throws {
        try await withChat(kind) { world in
            try await world.service { stage in
                for word in ["One", " two", "\0three", " 🐋"] { try await stage.say(word) }
                return .truncated
            }.running { chat in
                let id = try await chat.conversation(world.context)
                let asked = try await chat.ask("count", in: id, world.context)
                #expect(expectWhole(asked.events) == #"One two\u{0}three 🐋"#)
                #expect(asked.answer.content == #"One two\u{0}three 🐋"#)
                let kinds = asked.events.map(\.kind)
                #expect(kinds.prefix(2) == [.runStarted, .messageStarted])
                #expect(kinds.suffix(2) == [.usage, .runCompleted])
                let last = try #require(asked.events.last)
                #expect(last.data["endReason"] == "truncated" && last.data["droppedCitations"] == 0)
                #expect(asked.run.state == .completed && asked.run.endReason == .truncated)
                #expect(asked.run.usage == TokenUsage(input: 10, output: 5))
                #expect(asked.run.lastSequence == last.sequence)
                // Read again from the store they are the same, byte for byte.
                let again = try await chat.store.events(
                    of: asked.run.id,
                    after: 0,
                    limit: 1_000,
                    tenant: world.tenant,
                    deadline: world.context.deadline
                )
                #expect(again == asked.events)
                #expect(again.map(\.wire) == asked.events.map(\.wire))
                #expect(again.allSatisfy { $0.wire.encoded() == $0.wireBytes })
                for after in [0, 1, last.sequence - 1, last.sequence] {
                    let rest = try await chat.events(of: asked.run.id, after: after, world.context)
                    #expect(rest == Array(asked.events.dropFirst(after)))
                }
            }
        }
    }

    @Test("text that a model takes back is voided, and is not in the answer")
    func voided() async throws {
        let invented = RecordID.random()
        try await withChat { world in
            try await world.service { stage in
                try await stage.say("Kept é. [\(invented)]")
                try await stage.emit(.stepStarted(step: 2, model: ScriptedPerformer.model))
                try await stage.say("Wrong [\(invented)] [\(invented)]")
                try await stage.emit(.textVoided)
                try await stage.say("Right")
                return .complete
            }.running { chat in
                let id = try await chat.conversation(world.context)
                let asked = try await chat.ask("x", in: id, world.context)
                #expect(expectWhole(asked.events) == "Kept é.\n\nRight")
                #expect(asked.answer.content == "Kept é.\n\nRight")
                let void = asked.events.first { $0.kind == .textVoided }
                #expect(void?.data["offset"] == .number(JSONNumber("Kept é.".utf8.count)))
                #expect(asked.events.last?.data["droppedCitations"] == 1, "of the text that stands")
            }
        }
    }

    @Test("a failure is told, once, and the text so far is kept")
    func failure() async throws {
        try await withChat { world in
            try await world.service { stage in
                try await stage.say("So far [rec")
                throw ModelError(.quotaOfDay, "The quota is used up.")
            }.running { chat in
                let id = try await chat.conversation(world.context)
                let asked = try await chat.ask("x", in: id, world.context)
                #expect(expectWhole(asked.events) == "So far [rec")
                #expect(asked.run.state == .failed && asked.answer.content == "So far [rec")
                #expect(asked.events.last?.kind == .runFailed)
                #expect(asked.events.last?.data["message"] == "The quota is used up.")
                // An unknown base is the asker's mistake, and told as such.
                let settings = ChatSettings(bases: ["nowhere"])
                let lost = try await chat.ask("x", in: id, settings: settings, world.context)
                #expect(lost.run.state == .failed)
                #expect(lost.events.last?.data["message"]?.stringValue?.contains("nowhere") == true)
            }
        }
    }

    @Test("cancelling ends a run soon, keeps its text, and is harmless afterwards", arguments: DatabaseKind.allCases)
    func cancel(_ kind: DatabaseKind) async throws {
        try await withChat(kind) { world in
            try await world.service { stage in
                try await stage.say("Beginning")
                try await Task.sleep(for: .seconds(3_600))
                return .complete
            }.running { chat in
                let id = try await chat.conversation(world.context)
                let run = try await chat.send(
                    "x",
                    to: id,
                    parent: nil,
                    settings: ChatSettings(),
                    context: world.context
                )
                let events = Guarded<[ChatEvent]>([])
                try await chat.follow(run.id, after: 0, context: world.context) { new in
                    events.update { $0 += new }
                    let messages = try await chat.messages(of: id, context: world.context)
                    if new.contains(where: { $0.kind == .textDelta }) {
                        #expect(messages.last?.content == "Beginning", "an unfinished answer shows what there is")
                        await #expect(throws: ChatError(.answerUnfinished, "")) {
                            try await chat.ask("y", in: id, world.context)
                        }
                        try await chat.cancel(run.id, context: world.context)
                    }
                }
                #expect(expectWhole(events.value) == "Beginning")
                #expect(events.value.last?.kind == .runCancelled)
                try await chat.cancel(run.id, context: world.context)
                #expect(try await chat.run(run.id, context: world.context).state == .cancelled)
                #expect(try await chat.messages(of: id, context: world.context).last?.content == "Beginning")
            }
        }
    }

    @Test("a user has at most so many runs at once; another user still has room")
    func bounds() async throws {
        try await withChat { world in
            try await world.service { _ in
                try await Task.sleep(for: .seconds(3_600))
                return .complete
            }.running { chat in
                var runs: [RunID] = []
                for _ in 0..<Limits.chatRunsPerUser {
                    let id = try await chat.conversation(world.context)
                    runs.append(
                        try await chat.send(
                            "x",
                            to: id,
                            parent: nil,
                            settings: ChatSettings(),
                            context: world.context
                        ).id
                    )
                }
                let id = try await chat.conversation(world.context)
                await #expect(throws: ChatError.tooManyRunsOfUser) { try await chat.ask("x", in: id, world.context) }
                let other = try await world.stranger()
                let theirs = try await chat.conversation(other)
                _ = try await chat.send("x", to: theirs, parent: nil, settings: ChatSettings(), context: other)
                // A place that is given back can be taken.
                try await chat.cancel(runs[0], context: world.context)
                _ = try await chat.events(of: runs[0], world.context)
                try await eventually {
                    do {
                        _ = try await chat.send(
                            "x",
                            to: id,
                            parent: nil,
                            settings: ChatSettings(),
                            context: world.context
                        )
                        return true
                    } catch let error as ChatError where error == .tooManyRunsOfUser {
                        return false
                    }
                }
            }
        }
    }

    @Test("deleting a conversation ends its run, then nothing of it is left", arguments: DatabaseKind.allCases)
    func deleteWhileRunning(_ kind: DatabaseKind) async throws {
        try await withChat(kind) { world in
            try await world.service { stage in
                try await stage.say("x")
                try await Task.sleep(for: .seconds(3_600))
                return .complete
            }.running { chat in
                let id = try await chat.conversation(world.context)
                let run = try await chat.send(
                    "x",
                    to: id,
                    parent: nil,
                    settings: ChatSettings(),
                    context: world.context
                )
                try await chat.deleteConversation(id, context: world.context)
                try await eventually("all rows gone") {
                    await chat.keeper.beatOnce()
                    return try await world.database.read(of: .everyTenant) { transaction in
                        try ["chat_conversations", "chat_messages", "chat_runs", "chat_events", "chat_steps"].allSatisfy
                        {
                            try transaction.rows("SELECT 1 FROM \($0)").isEmpty
                        }
                    }
                }
                #expect(chat.keeper.channel(run.id) == nil)
            }
        }
    }
}
