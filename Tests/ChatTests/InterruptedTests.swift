import Database
import Domain
import LLM
import TestSupport
import Testing

@testable import Chat

@Suite("Going on after a crash")
struct InterruptedTests {
    /// A turn with calls as a provider gave it, and its results: one atom.
    private static let atom = [
        ModelMessage(
            .model,
            [.toolCall(ModelToolCall(id: "c1", name: "list_bases", arguments: [:]))],
            original: ScriptedPerformer.original
        ),
        ModelMessage(.tool, [.toolResult(ModelToolResult(callID: "c1", name: "list_bases", text: "none"))]),
    ]

    /// Has a run come as far as `script` goes, then takes its process for dead, and asks again in another one.
    ///
    /// - Returns: what the models of both runs were sent, and the two answers.
    private func crash(
        _ world: ChatFixture,
        answer: String = "Yes.",
        bases: [String]? = nil,
        _ script: @escaping @Sendable (ScriptedPerformer.Stage) async throws -> Void
    ) async throws -> (first: [ModelMessage], second: [ModelMessage], answers: [ChatMessage]) {
        let (reached, sent) = (OneShot(), Guarded<[[ModelMessage]]>([]))
        let dying = world.service { stage in
            sent.update { $0.append(stage.work.messages) }
            try await script(stage)
            // Behind what is to be stored: when this is seen, the rest is.
            try await stage.emit(.usage(TokenUsage(output: 1)))
            reached.signal()
            try await Task.sleep(for: .seconds(3_600))
            return .complete
        }
        let answers = try await dying.running { chat in
            let id = try await chat.conversation(world.context)
            let run = try await chat.send(
                "first",
                to: id,
                parent: nil,
                settings: ChatSettings(),
                context: world.context
            )
            await reached.wait()
            try await eventually { try await chat.events(of: run.id, kind: .usage, world) }
            // Whoever finds the lease run out ends the run from what is stored; its maker can add nothing.
            world.clock.update { $0.microseconds += Int64(RunKeeper.lease / .microseconds(1)) + 1 }
            return try await world.service { stage in
                sent.update { $0.append(stage.work.messages) }
                try await stage.say(answer)
                return .complete
            }.running { next in
                _ = try await next.keeper.process(deadline: world.context.deadline)
                #expect(try await next.run(run.id, context: world.context).state == .interrupted)
                let settings = ChatSettings(bases: bases)
                _ = try await next.ask("And what is it then, please?", in: id, settings: settings, world.context)
                return try await next.messages(of: id, context: world.context).filter { $0.role == .assistant }
            }
        }
        let steps = try await world.database.read(of: .everyTenant) { try $0.rows("SELECT 1 FROM chat_steps") }
        #expect(steps.isEmpty, "what became a history is not kept twice")
        try #require(sent.value.count == 2)
        return (sent.value[0], sent.value[1], answers)
    }

    @Test(
        "whole atoms are there, as the provider gave them, and the text behind them",
        arguments: DatabaseKind.allCases
    )
    func wholeAtoms(_ kind: DatabaseKind) async throws {
        try await withChat(kind) { world in
            let (_, ids) = try await world.table("Products", base: "Shop", [.name], [["Name": "first kettle"]])
            _ = try await world.table("Empty", base: "Empty", [.name], [["Name": "other"]])
            let answer = "The kettle [\(ids[0])]."
            let (first, second, answers) = try await crash(world, answer: answer, bases: ["Empty"]) { stage in
                try await stage.say("Let me look [\(ids[0])]")
                try await stage.emit(.atom(Self.atom))
                try await stage.emit(.stepStarted(step: 2, model: ScriptedPerformer.model))
                try await stage.say("Half an ans")
            }
            #expect(second.dropLast().map(\.role) == [.user, .model, .tool, .model])
            #expect(second[0] == first.last, "the question as it was asked, with its records")
            #expect(Array(second[1...2]) == Self.atom)
            #expect(second[3] == ModelMessage(.model, [.text("Half an ans")]))
            #expect(answers[0].content == "Let me look [1]\n\nHalf an ans")
            // What the dead run was shown may be cited by the next one, which found nothing itself.
            #expect(answers[1].citations.map(\.recordID) == ids)
        }
    }

    @Test("a call without its result is not, its text is")
    func torn() async throws {
        try await withChat { world in
            let (first, second, answers) = try await crash(world) { stage in
                try await stage.say("Let me look.")
                try await stage.emit(.toolStarted(Self.atom[0].toolCalls[0]))
            }
            #expect(second.dropLast() == [first.last, ModelMessage(.model, [.text("Let me look.")])])
            #expect(answers.map(\.content) == ["Let me look.", "Yes."])
        }
    }

    @Test("an atom behind which nothing was said ends the history")
    func atomOnly() async throws {
        try await withChat { world in
            let (first, second, _) = try await crash(world) { try await $0.emit(.atom(Self.atom)) }
            #expect(Array(second.dropLast()) == [first.last].compactMap(\.self) + Self.atom)
        }
    }

    @Test("a question that got no answer is nothing to go on from")
    func nothing() async throws {
        try await withChat { world in
            let (_, second, answers) = try await crash(world) { _ in }
            #expect(second.map(\.role) == [.user])
            #expect(answers[0].content == "")
        }
    }

    @Test("storing an end again, when its outcome was not known, loses nothing", arguments: DatabaseKind.allCases)
    func repeated(_ kind: DatabaseKind) async throws {
        try await withChat(kind) { world in
            let chat = world.service { _ in .complete }
            let lease = Instant(microseconds: world.clock.value.microseconds + 1_000_000)
            try await chat.store.register("prcRepeating", mark: "alive", until: lease)
            let id = try await chat.conversation(world.context)
            func begin() async throws -> (ChatRun, [ChatStore.Turn]) {
                let run = ChatRun(
                    id: .random(),
                    conversation: id,
                    question: .random(),
                    answer: .random(),
                    state: .running,
                    endReason: nil,
                    model: "scripted/test",
                    usage: TokenUsage(),
                    lastSequence: 0,
                    createdTime: world.clock.value
                )
                let turns = try await chat.store.begin(
                    ChatStore.RunDraft(
                        run: run,
                        content: "x",
                        parent: nil,
                        prompt: "v",
                        process: "prcRepeating",
                        bases: nil
                    ),
                    owner: world.context.principal.user,
                    tenant: world.tenant,
                    deadline: world.context.deadline
                )
                return (run, turns)
            }
            let (run, _) = try await begin()
            let channel = RunChannel(tenant: world.tenant, run: run.id, conversation: id) { _ in }
            let composer = AnswerComposer(
                channel: channel,
                run: run,
                resolver: CitationResolver(airtable: world.airtable, evidence: Evidence(), context: world.context)
            )
            await composer.asked(.user("x"))
            let first = try #require(channel.take(time: world.clock.value, answer: run.answer), "steps alone")
            try await composer.take(.atom(Self.atom))
            try await composer.take(.text("End."))
            let end = RunEnd(reason: .complete, model: ScriptedPerformer.model, usage: TokenUsage())
            await composer.conclude(end, state: .completed, reason: .complete, notice: nil)
            let last = try #require(channel.take(time: world.clock.value, answer: run.answer))
            for batch in [first, first, last, last] {
                #expect(try await chat.store.append([batch], process: "prcRepeating", until: lease))
            }
            let (_, turns) = try await begin()
            #expect(turns.first?.history == [.user("x")] + Self.atom + [ModelMessage(.model, [.text("End.")])])
        }
    }
}

extension ChatService {
    /// Whether an event of that kind is stored.
    fileprivate func events(of run: RunID, kind: ChatEvent.Kind, _ world: ChatFixture) async throws -> Bool {
        try await store.events(
            of: run,
            after: 0,
            limit: 1_000,
            tenant: world.tenant,
            deadline: world.context.deadline
        ).contains { $0.kind == kind }
    }
}
