import Database
import Domain
import LLM
import TestSupport
import Testing

@testable import Chat

@Suite("Processes that share a database")
struct ProcessTests {
    private static func endless(_ text: String) -> @Sendable (ScriptedPerformer.Stage) async throws -> EndReason {
        { stage in
            try await stage.say(text)
            try await Task.sleep(for: .seconds(3_600))
            return .complete
        }
    }

    @Test("a server that ends marks its runs, with the text they have", arguments: DatabaseKind.allCases)
    func shutdown(_ kind: DatabaseKind) async throws {
        try await withChat(kind) { world in
            let run = try await world.service(Self.endless("So far")).running { chat in
                let id = try await chat.conversation(world.context)
                let run = try await chat.send(
                    "x",
                    to: id,
                    parent: nil,
                    settings: ChatSettings(),
                    context: world.context
                )
                try await eventually { try await chat.run(run.id, context: world.context).lastSequence >= 3 }
                return run
            }
            let next = world.service { _ in .complete }
            let events = try await next.events(of: run.id, world.context)
            #expect(expectWhole(events) == "So far")
            #expect(events.last?.kind == .runInterrupted)
            #expect(try await next.run(run.id, context: world.context).state == .interrupted)
            let left = try await world.database.read(of: .everyTenant) { try $0.rows("SELECT id FROM chat_processes") }
            #expect(left.isEmpty, "a process that ends in order leaves no lease")
        }
    }

    @Test(
        "a run that was let in before the server ended, and comes after, keeps it from ending no longer than itself",
        .timeLimit(.minutes(1))
    )
    func lateComer() async throws {
        try await withChat { world in
            let chat = world.service { _ in .complete }
            let user = world.context.principal.user
            let serving = Task { try await chat.run() }
            let process = try await chat.keeper.process(deadline: .now + .seconds(30))
            try chat.keeper.admit(user)
            serving.cancel()
            try await eventually {
                guard (try? chat.keeper.admit(user)) != nil else { return true }
                chat.keeper.leave(user)
                return false
            }
            let run = ChatRun(
                id: .random(),
                conversation: try await chat.conversation(world.context),
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
                ChatStore.RunDraft(run: run, content: "x", parent: nil, prompt: "v", process: process, bases: nil),
                owner: user,
                tenant: world.tenant,
                deadline: world.context.deadline
            )
            chat.keeper.start(
                RunOrder(
                    run: run,
                    question: "x",
                    settings: ChatSettings(),
                    turns: turns,
                    models: [],
                    context: world.context,
                    channel: try chat.keeper.channel(for: run, tenant: world.tenant)
                )
            )
            _ = await serving.result
            let next = world.service { _ in .complete }
            #expect(try await next.run(run.id, context: world.context).state != .running)
            #expect(try await next.events(of: run.id, world.context).last?.kind.isLast == true)
        }
    }

    @Test("what a dead process left is ended by the next one at its start", arguments: DatabaseKind.allCases)
    func crash(_ kind: DatabaseKind) async throws {
        try await withChat(kind) { world in
            let run = try await abandonedRun(world, mark: "dead")
            try await world.service { _ in .complete }.running { chat in
                let events = try await chat.events(of: run.id, world.context)
                #expect(expectWhole(events) == "Left [1] behind")
                #expect(events.last?.kind == .runInterrupted)
                let messages = try await chat.messages(of: run.conversation, context: world.context)
                #expect(messages.last?.content == "Left [1] behind")
                #expect(messages.last?.citations.map(\.marker) == ["[1]"])
                #expect(try await chat.run(run.id, context: world.context).state == .interrupted)
                // The conversation goes on from what there is.
                let next = try await chat.ask("and?", in: run.conversation, world.context)
                #expect(next.run.state == .completed)
                #expect(try await chat.events(of: run.id, world.context) == events, "ended once")
            }
        }
    }

    @Test("a process that is silent for longer than its lease is taken for dead", arguments: DatabaseKind.allCases)
    func lease(_ kind: DatabaseKind) async throws {
        try await withChat(kind) { world in
            let run = try await abandonedRun(world, mark: "alive")
            try await world.service { _ in .complete }.running { chat in
                _ = try await chat.keeper.process(deadline: world.context.deadline)
                #expect(try await chat.run(run.id, context: world.context).state == .running)
                let lease = Int64(RunKeeper.lease / .microseconds(1))
                world.clock.update { $0.microseconds += lease }
                await chat.keeper.beatOnce()
                #expect(try await chat.run(run.id, context: world.context).state == .running, "not yet")
                world.clock.update { $0.microseconds += 1 }
                await chat.keeper.beatOnce()
                #expect(try await chat.run(run.id, context: world.context).state == .interrupted)
            }
        }
    }

    @Test("one that was wrongly taken for dead stores nothing more, and goes on anew", arguments: DatabaseKind.allCases)
    func fencing(_ kind: DatabaseKind) async throws {
        try await withChat(kind) { world in
            let goOn = OneShot()
            let paused = world.service { stage in
                if stage.question.contains("second") { return .complete }
                try await stage.say("one")
                await goOn.wait()
                try await stage.say(" two")
                return .complete
            }
            try await paused.running { chat in
                let id = try await chat.conversation(world.context)
                let run = try await chat.send(
                    "first",
                    to: id,
                    parent: nil,
                    settings: ChatSettings(),
                    context: world.context
                )
                try await eventually { try await chat.run(run.id, context: world.context).lastSequence >= 3 }
                // Another process sees a lease that has run out.
                world.clock.update { $0.microseconds += Int64(RunKeeper.lease / .microseconds(1)) + 1 }
                let other = world.service { _ in .complete }
                await other.keeper.beatOnce()
                #expect(try await chat.run(run.id, context: world.context).state == .interrupted)
                goOn.signal()
                let events = try await chat.events(of: run.id, world.context)
                #expect(expectWhole(events) == "one")
                #expect(events.last?.kind == .runInterrupted)
                try await eventually { chat.keeper.channel(run.id) == nil }
                #expect(try await chat.events(of: run.id, world.context) == events)
                let second = try await chat.ask("second", in: id, world.context)
                #expect(second.run.state == .completed)
            }
        }
    }

    @Test("any of them shows and cancels the others' runs", arguments: DatabaseKind.allCases)
    func twoProcesses(_ kind: DatabaseKind) async throws {
        try await withChat(kind) { world in
            let maker = world.service { stage in
                for number in 0..<50 { try await stage.say("\(number) ") }
                try await Task.sleep(for: .seconds(3_600))
                return .complete
            }
            try await maker.running { maker in
                let other = world.service { _ in .complete }
                try await other.running { other in
                    let id = try await other.conversation(world.context)
                    let run = try await maker.send(
                        "x",
                        to: id,
                        parent: nil,
                        settings: ChatSettings(),
                        context: world.context
                    )
                    async let here = maker.events(of: run.id, world.context)
                    async let there = other.events(of: run.id, world.context)
                    try await eventually { try await other.run(run.id, context: world.context).lastSequence >= 3 }
                    try await other.cancel(run.id, context: world.context)
                    let (first, second) = try await (here, there)
                    expectWhole(first)
                    #expect(first == second)
                    #expect(first.last?.kind == .runCancelled)
                }
            }
        }
    }

    @Test("the mark of this process says that it is there, another boot's says nothing")
    func marks() {
        #expect(!ProcessMark.isGone(ProcessMark.own))
        #expect(!ProcessMark.isGone(""))
        let parts = ProcessMark.own.split(separator: "|").map(String.init)
        guard parts.count == 4 else { return }
        #expect(
            ProcessMark.isGone([parts[0], parts[1], parts[2], "1"].joined(separator: "|")),
            "its pid was given anew"
        )
        #expect(!ProcessMark.isGone(["other", parts[1], parts[2], "1"].joined(separator: "|")))
    }

    /// A run as a killed process leaves it: stored, some events, no end.
    private func abandonedRun(_ world: ChatFixture, mark: String) async throws -> ChatRun {
        let chat = world.service { _ in .complete }
        let process = "prcAbandoned"
        try await chat.store.register(
            process,
            mark: mark,
            until: Instant(microseconds: world.clock.value.microseconds + Int64(RunKeeper.lease / .microseconds(1)))
        )
        let run = ChatRun(
            id: .random(),
            conversation: try await chat.conversation(world.context),
            question: .random(),
            answer: .random(),
            state: .running,
            endReason: nil,
            model: "scripted/test",
            usage: TokenUsage(),
            lastSequence: 0,
            createdTime: world.clock.value
        )
        _ = try await chat.store.begin(
            ChatStore.RunDraft(run: run, content: "x", parent: nil, prompt: "v", process: process, bases: nil),
            owner: world.context.principal.user,
            tenant: world.tenant,
            deadline: world.context.deadline
        )
        let channel = RunChannel(tenant: world.tenant, run: run.id, conversation: run.conversation) { _ in }
        try await channel.send(.text("Left "))
        let citation = Citation(
            marker: "[1]",
            baseID: .random(),
            tableID: .random(),
            recordID: .random(),
            fieldID: .random(),
            quote: "q"
        )
        try await channel.send(.other(.citation, JSONCoder.value(of: citation).objectValue ?? [:]))
        try await channel.send(.text("[1] behind"))
        let batch = try #require(channel.take(time: world.clock.value, answer: run.answer))
        let lease = Instant(microseconds: world.clock.value.microseconds + Int64(RunKeeper.lease / .microseconds(1)))
        #expect(try await chat.store.append([batch], process: process, until: lease))
        #expect(try await chat.store.append([batch], process: process, until: lease), "may be repeated")
        return run
    }
}
