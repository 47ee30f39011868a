import Access
import Airtable
import Database
import Domain
import LLM
import TestSupport
import Testing

@testable import Chat

@Suite("Conversations")
struct ConversationTests {
    @Test("are made, named, listed newest first by pages, and removed whole", arguments: DatabaseKind.allCases)
    func lifecycle(_ kind: DatabaseKind) async throws {
        try await withChat(kind) { world in
            let performer = ScriptedPerformer(tools: world.tools) { stage in
                try await stage.say("Yes.")
                return .complete
            }
            try await world.service(performer).running { chat in
                var made: [ConversationID] = []
                for number in 1...5 {
                    world.clock.update { $0.microseconds += 1_000 }
                    let settings = ChatSettings(model: "scripted/test", temperature: 0.5)
                    let one = try await chat.createConversation(
                        title: number == 1 ? nil : "number \(number)",
                        settings: settings,
                        context: world.context
                    )
                    #expect(one.settings == settings && one.owner == world.context.principal.user)
                    made.insert(one.id, at: 0)
                }
                let first = try await chat.conversations(limit: 3, after: nil, context: world.context)
                #expect(first.map(\.id) == Array(made.prefix(3)))
                let rest = try await chat.conversations(limit: 3, after: first[2].id, context: world.context)
                #expect(rest.map(\.id) == Array(made.suffix(2)))
                // A whole page and the one that says whether another follows.
                let most = Limits.conversationPage + 1
                #expect(try await chat.conversations(limit: most, after: nil, context: world.context).map(\.id) == made)
                await #expect(throws: ChatError(.invalidSettings, "")) {
                    try await chat.conversations(limit: most + 1, after: nil, context: world.context)
                }

                let renamed = try await chat.updateConversation(
                    made[0],
                    title: "new",
                    settings: nil,
                    context: world.context
                )
                #expect(renamed.title == "new" && renamed.settings.temperature == 0.5)
                let oldest = made[4]
                let asked = try await chat.ask("What is\nthis?", in: oldest, world.context)
                #expect(try await chat.conversation(oldest, context: world.context).title == "What is")

                try await chat.deleteConversation(oldest, context: world.context)
                await #expect(throws: ChatError.notFound("")) {
                    try await chat.conversation(oldest, context: world.context)
                }
                await #expect(throws: ChatError.notFound("")) {
                    try await chat.run(asked.run.id, context: world.context)
                }
                await chat.keeper.beatOnce()
                #expect(performer.forgotten.value == [asked.run.id])
                for table in ["chat_messages", "chat_runs", "chat_events"] {
                    let left = try await world.database.read(of: .everyTenant) { try $0.rows("SELECT 1 FROM \(table)") }
                    #expect(left.isEmpty, "\(table)")
                }
            }
        }
    }

    @Test("form a tree: a message goes on from any finished answer", arguments: DatabaseKind.allCases)
    func tree(_ kind: DatabaseKind) async throws {
        try await withChat(kind) { world in
            let seen = Guarded<[[ModelMessage]]>([])
            try await world.service { stage in
                seen.update { $0.append(stage.work.messages) }
                try await stage.say("answer \(seen.value.count)")
                return .complete
            }.running { chat in
                let id = try await chat.conversation(world.context)
                let first = try await chat.ask("one", in: id, world.context)
                let second = try await chat.ask("two", in: id, world.context)
                let branch = try await chat.send(
                    "other",
                    to: id,
                    parent: first.run.answer,
                    settings: ChatSettings(),
                    context: world.context
                )
                _ = try await chat.events(of: branch.id, world.context)
                let messages = try await chat.messages(of: id, context: world.context)
                #expect(messages.map(\.role) == [.user, .assistant, .user, .assistant, .user, .assistant])
                #expect(messages.map(\.content) == ["one", "answer 1", "two", "answer 2", "other", "answer 3"])
                #expect(messages[0].parent == nil)
                #expect(messages[2].parent == first.run.answer)
                #expect(messages[4].parent == first.run.answer)
                #expect(messages[3].run == second.run.id)

                // The branch went on from the first answer: the second question is not in it.
                let history = seen.value[2]
                #expect(history.map(\.role) == [.user, .model, .user])
                #expect(history[0].text.contains("one") && !history.contains { $0.text.contains("two") })
                #expect(history[1].original == ScriptedPerformer.original, "a provider's parts come back verbatim")

                await #expect(throws: ChatError(.invalidParent, "")) {
                    try await chat.send(
                        "x",
                        to: id,
                        parent: first.run.question,
                        settings: ChatSettings(),
                        context: world.context
                    )
                }
                await #expect(throws: ChatError(.invalidParent, "")) {
                    try await chat.send(
                        "x",
                        to: id,
                        parent: .random(),
                        settings: ChatSettings(),
                        context: world.context
                    )
                }
            }
        }
    }

    @Test("DATA-01: of somebody who is gone nothing is left, and all of others", arguments: DatabaseKind.allCases)
    func forgetting(_ kind: DatabaseKind) async throws {
        try await withChat(kind) { world in
            let performer = ScriptedPerformer(tools: world.tools) { stage in
                try await stage.say("Yes.")
                return .complete
            }
            try await world.service(performer).running { chat in
                let colleague = try await world.stranger()
                var runs: Set<RunID> = []
                for _ in 0..<2 {
                    let id = try await chat.conversation(world.context)
                    runs.insert(try await chat.ask("What is this?", in: id, world.context).run.id)
                }
                let kept = try await chat.conversation(colleague)
                _ = try await chat.ask("And this?", in: kept, colleague)
                // Of another tenant nobody is forgotten.
                try await chat.forget(
                    world.context.principal.user,
                    context: try await world.stranger(tenant: .random())
                )
                #expect(try await chat.conversations(limit: 9, after: nil, context: world.context).count == 2)
                for _ in 0..<2 { try await chat.forget(world.context.principal.user, context: colleague) }
                #expect(try await chat.conversations(limit: 9, after: nil, context: world.context).isEmpty)
                while performer.forgotten.value.count < 2 { await chat.keeper.beatOnce() }
                #expect(Set(performer.forgotten.value) == runs)
                for (table, column) in [("chat_conversations", "id"), ("chat_messages", "conversation")] {
                    let left = try await world.database.read(of: .everyTenant) { transaction in
                        try transaction.rows("SELECT \(column) FROM \(table)").map { try $0.text(0) }
                    }
                    #expect(Set(left) == [kept.description], "\(table)")
                }
                #expect(try await chat.messages(of: kept, context: colleague).count == 2)
            }
        }
    }

    @Test("LLM-11: belong to one user of one tenant; another's does not exist", arguments: DatabaseKind.allCases)
    func ownership(_ kind: DatabaseKind) async throws {
        try await withChat(kind) { world in
            try await world.service { stage in
                try await stage.say("mine")
                return .complete
            }.running { chat in
                let id = try await chat.conversation(world.context)
                let asked = try await chat.ask("question", in: id, world.context)
                for other in [try await world.stranger(), try await world.stranger(tenant: .random())] {
                    #expect(try await chat.conversations(limit: 10, after: nil, context: other).isEmpty)
                    let calls: [@Sendable () async throws -> Void] = [
                        { _ = try await chat.conversation(id, context: other) },
                        { _ = try await chat.messages(of: id, context: other) },
                        { _ = try await chat.updateConversation(id, title: "x", settings: nil, context: other) },
                        { try await chat.deleteConversation(id, context: other) },
                        { _ = try await chat.run(asked.run.id, context: other) },
                        { _ = try await chat.events(of: asked.run.id, other) },
                        { try await chat.cancel(asked.run.id, context: other) },
                        { _ = try await chat.ask("x", in: id, other) },
                    ]
                    for call in calls { await #expect(throws: ChatError.notFound("")) { try await call() } }
                }
                let mute = try await world.asker([.search, .recordsRead])
                await #expect(throws: AccessError.forbidden(.chat)) {
                    try await chat.conversation(id, context: mute)
                }
                await #expect(throws: AccessError.forbidden(.chat)) {
                    try await chat.run(asked.run.id, context: mute)
                }
            }
        }
    }

    @Test("LLM-13: a key for some bases sees no conversation that others may have left traces in")
    func scope() async throws {
        try await withChat { world in
            let (open, _) = try await world.table("T", base: "Open", [FieldDraft.name], [["Name": "walrus"]])
            let (other, _) = try await world.table("T", base: "Other", [FieldDraft.name], [["Name": "seal"]])
            try await world.service { stage in
                try await stage.say("yes")
                return .complete
            }.running { chat in
                let narrow = try await world.asker([.chat, .search], bases: [open.base])
                let both = try await world.asker([.chat, .search], bases: [open.base, other.base])
                let id = try await chat.conversation(narrow)
                _ = try await chat.ask("one", in: id, narrow)
                #expect(try await chat.conversation(id, context: both).id == id)
                #expect(try await chat.conversation(id, context: world.context).id == id)

                // Somebody who sees more asks in it: from now on it holds more.
                _ = try await chat.ask("two", in: id, both)
                await #expect(throws: ChatError.notFound("")) { try await chat.messages(of: id, context: narrow) }
                #expect(try await chat.conversations(limit: 10, after: nil, context: narrow).isEmpty)
                #expect(try await chat.conversations(limit: 10, after: nil, context: both).map(\.id) == [id])
                _ = try await chat.ask("three", in: id, world.context)
                await #expect(throws: ChatError.notFound("")) { try await chat.messages(of: id, context: both) }
            }
        }
    }

    @Test("what can't be asked is refused, and leaves nothing behind")
    func refusals() async throws {
        try await withChat { world in
            try await world.service { _ in .complete }.running { chat in
                let id = try await chat.conversation(world.context)
                let cases: [(String, ChatSettings, ChatError.Code)] = [
                    ("  \n", ChatSettings(), .emptyMessage),
                    (String(repeating: "x", count: Limits.chatMessageCharacters + 1), ChatSettings(), .messageTooLong),
                    ("x", ChatSettings(temperature: 2.5), .invalidSettings),
                    ("x", ChatSettings(outputTokensMax: 0), .invalidSettings),
                    ("x", ChatSettings(bases: Array(repeating: "b", count: 101)), .invalidSettings),
                ]
                for (content, settings, code) in cases {
                    await #expect(throws: ChatError(code, "")) {
                        try await chat.ask(content, in: id, settings: settings, world.context)
                    }
                }
                await #expect(throws: ChatError(.invalidSettings, "")) {
                    try await chat.ask("x", in: id, settings: ChatSettings(model: "gpt-0"), world.context)
                }
                #expect(try await chat.messages(of: id, context: world.context).isEmpty)
                #expect(try await chat.conversation(id, context: world.context).title == "")
            }
        }
    }
}

extension FieldDraft {
    static let name = FieldDraft(name: "Name", type: .singleLineText)
}
