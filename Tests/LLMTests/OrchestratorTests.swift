import Domain
import TestSupport
import Testing

@testable import LLM

@Suite("The orchestrator")
struct OrchestratorTests {
    @Test("asks, runs tools with the caller's own context, and answers", arguments: DatabaseKind.allCases)
    func several(_ kind: DatabaseKind) async throws {
        try await withLLM(kind) { world in
            let model = try ScriptedModel.saying([
                [
                    "when": ["step": 1], "text": "Let me look. ",
                    "calls": [
                        ["name": "lookup", "arguments": ["q": "overdue"]],
                        ["name": "add", "arguments": ["a": 1, "b": 2]],
                    ],
                ],
                ["when": ["tool": "add"], "text": "{{add /sum}} books, see [{{lookup rec 0}}]."],
            ])
            let (events, end) = await world.ask([model])
            #expect(end == RunEnd(reason: .complete, model: model.name, usage: model.counted))
            #expect(events.visibleText == "Let me look. 3 books, see [recAAAAAAAAAAAAA1].")
            #expect(Set(world.tools.calls.value.map(\.request)) == [world.context.id])
            #expect(events.atoms.count == 2)
            #expect(events.atoms.allSatisfy(AtomCheck.isAtom))
            // A result is data, in its fence.
            #expect(events.results[0].text.firstMatch(of: /<data-[a-z0-9]{12} of="lookup">\nfound overdue/) != nil)
            #expect(try await world.used() == TokenDay(usage: model.counted))
        }
    }

    @Test("runs the calls of a turn at once, and no more than it may")
    func parallel() async throws {
        try await withLLM { world in
            let calls = JSONValue.array(Array(repeating: ["name": "slow"], count: 10))
            let model = try ScriptedModel.saying([["when": ["step": 1], "calls": calls], ["text": "Done."]])
            let (events, end) = await world.ask([model], limits: RunLimits(toolTime: .milliseconds(50)))
            #expect(end.reason == .complete)
            #expect(world.tools.running.value.most == 8)
            #expect(world.tools.running.value.now == 0)
            #expect(world.tools.cancelledCount.value == 8)
            #expect(events.results.count { $0.text.contains("did not answer within") } == 8)
            #expect(events.results.count { $0.text.contains("at most 8 calls") } == 2)
        }
    }

    @Test("LLM-04: tells the model why a tool could not be run, and goes on")
    func brokenTool() async throws {
        try await withLLM { world in
            let model = try ScriptedModel.saying([
                ["when": ["step": 1], "calls": [["name": "broken"], ["name": "gone", "arguments": ["x": 1]]]],
                ["text": "Then not."],
            ])
            let (events, end) = await world.ask([model])
            #expect(end.reason == .complete)
            #expect(events.results.map(\.isError) == [true, true])
            #expect(world.tools.calls.value.map(\.name) == ["broken"])
        }
    }

    @Test("falls back to the next model, and counts the tokens of both")
    func fallback() async throws {
        try await withLLM { world in
            let first = try ScriptedModel.saying(
                [["text": "It is Tuesday.", "failure": ["code": "cut", "afterPieces": 2]]],
                name: "first"
            )
            let second = try ScriptedModel.saying([["text": "Two."]], name: "second")
            let (events, end) = await world.ask([first, second])
            #expect(end == RunEnd(reason: .complete, model: second.name, usage: first.counted + second.counted))
            #expect(events.contains(.textVoided))
            #expect(events.visibleText == "Two.")
            #expect(first.counted.output == 2)
            #expect(try await world.used() == TokenDay(usage: first.counted + second.counted))
        }
    }

    @Test("ends when a cap is reached, and never begins a turn that would pass it")
    func cap() async throws {
        try await withLLM(caps: TokenCaps(perUser: 1_500)) { world in
            let model = try ScriptedModel.saying([["text": "word ", "times": 5_000]])
            let (events, end) = await world.ask([model], "Go on")
            #expect(end.reason == .capReached)
            #expect(!events.visibleText.isEmpty)
            #expect(try await world.used().total <= 1_500)
            let (none, second) = await world.ask([model], "Go on")
            #expect(second.reason == .capReached)
            #expect(second.message?.contains("used up") == true)
            #expect(none.visibleText.isEmpty)
            #expect(model.callCount == 1)
        }
    }

    @Test("cancelled while the model speaks: stored is what was shown, and billed what was said")
    func cancelSpeaking() async throws {
        try await withLLM { world in
            let model = try ScriptedModel.saying([["text": "word ", "times": 9_000]], ["tokensPerSecond": 500])
            let (events, end) = try await cancelled(world, model) { if case .text = $0 { true } else { false } }
            #expect(end.reason == .cancelled)
            #expect(end.usage == model.counted)
            #expect(!events.visibleText.isEmpty)
            #expect(events.atoms == [[ModelMessage(.model, [.text(events.visibleText)])]])
            #expect(try await world.used() == TokenDay(usage: model.counted))
        }
    }

    @Test("cancelled while tools run: they are stopped, and the atom is whole")
    func cancelTools() async throws {
        try await withLLM { world in
            let model = try ScriptedModel.saying([
                ["calls": [["name": "slow"], ["name": "lookup", "arguments": ["q": "x"]]]]
            ])
            let (events, end) = try await cancelled(world, model) {
                if case .toolFinished(let id, _, _) = $0 { id.hasSuffix("_2") } else { false }
            }
            #expect(end.reason == .cancelled)
            #expect(events.atoms.count == 1)
            #expect(AtomCheck.isAtom(events.atoms[0]))
            #expect(events.results.map(\.isError) == [true, false])
            #expect(world.tools.cancelledCount.value == 1)
            #expect(events.last.map { if case .atom = $0 { true } else { false } } == true)
        }
    }

    @Test("time is up: the model is stopped, what was shown is kept")
    func time() async throws {
        try await withLLM { world in
            let model = try ScriptedModel.saying([["text": "word ", "times": 9_000]], ["tokensPerSecond": 500])
            let (events, end) = await world.ask([model], limits: RunLimits(runTime: .milliseconds(200)))
            #expect(end.reason == .timeLimit)
            #expect(end.usage == model.counted)
            #expect(events.atoms.first?.first?.text ?? "" == events.visibleText)
            let slow = try ScriptedModel.saying([["calls": [["name": "slow"]]]])
            let (_, second) = await world.ask([slow], limits: RunLimits(runTime: .milliseconds(50)))
            #expect(second.reason == .timeLimit)
        }
    }

    @Test("a consumer that fails ends the run, and hears no more")
    func consumer() async throws {
        struct DiskFull: Error {}
        try await withLLM { world in
            let model = try ScriptedModel.saying([["text": "word ", "times": 900]])
            let heard = Guarded(0)
            let run = OrchestratorRun(id: .random(), models: [model], system: "", messages: [.user("a")])
            let end = await world.orchestrator.run(run, context: world.context) { event in
                if case .text = event {
                    heard.update { $0 += 1 }
                    if heard.value == 3 { throw DiskFull() }
                }
            }
            #expect(heard.value == 3)
            #expect(end.reason == .failed)
            #expect(end.usage == model.counted)
            #expect(try await world.used() == TokenDay(usage: model.counted))
            // At the very first event: nobody is asked.
            let silent = await world.orchestrator.run(run, context: world.context) { _ in throw CancellationError() }
            #expect(silent.reason == .cancelled)
            #expect(model.callCount == 1)
        }
    }

    @Test("a slow consumer slows the model: nothing piles up")
    func backpressure() async throws {
        try await withLLM { world in
            let model = EagerModel()
            let run = OrchestratorRun(id: .random(), models: [model], system: "", messages: [.user("a")])
            let ahead = Guarded(0)
            let heard = Guarded(0)
            let end = await world.orchestrator.run(run, context: world.context) { event in
                guard case .text = event else { return }
                heard.update { $0 += 1 }
                for _ in 0..<5 { await Task.yield() }
                ahead.update { $0 = max($0, model.sent.value - heard.value) }
            }
            #expect(end.reason == .complete)
            #expect(heard.value == 500)
            #expect(ahead.value == 0)
        }
    }

    @Test("ends with a reason when tools cannot be listed, or a model fails in a way of its own")
    func failures() async throws {
        try await withLLM { world in
            let model = try ScriptedModel.saying([["text": "x"]])
            let (none, end) = await world.ask([model], by: FakeTools(isListable: false))
            #expect(end.reason == .failed && none.isEmpty)
            let (events, second) = await world.ask([RudeModel(), model])
            #expect(second.reason == .failed)
            #expect(second.message == "the model could not be asked")
            #expect(!"\(events)\(second)".contains("secret"))
            #expect(try await world.used().reserved == 0)
        }
    }

    @Test("goes on with a conversation, and offers no tools when told so")
    func messages() async throws {
        try await withLLM { world in
            let model = try ScriptedModel.saying([
                ["when": ["turn": 2], "calls": [["name": "lookup", "arguments": ["q": "x"]]]]
            ])
            let run = OrchestratorRun(
                id: .random(),
                models: [model],
                system: "",
                messages: [.user("a"), ModelMessage(.model, [.text("b")]), .user("c")],
                offersTools: false,
                limits: RunLimits(steps: 2)
            )
            let end = await world.orchestrator.run(run, context: world.context) { _ in }
            #expect(end.reason == .stepLimit)
            #expect(world.tools.calls.value.isEmpty)
        }
    }

    /// Runs until `isMoment` holds for an event, then cancels the task.
    private func cancelled(
        _ world: LLMFixture,
        _ model: any LanguageModel,
        when isMoment: @escaping @Sendable (RunEvent) -> Bool
    ) async throws -> (events: [RunEvent], end: RunEnd) {
        let run = OrchestratorRun(id: .random(), models: [model], system: "", messages: [.user("Go on")])
        let events = Guarded<[RunEvent]>([])
        let moment = AsyncStream<Void>.makeStream()
        let isInCancelledTask = Guarded(false)
        let end = await withTaskGroup(of: RunEnd.self) { group in
            group.addTask {
                await world.orchestrator.run(run, context: world.context) { event in
                    if Task.isCancelled { isInCancelledTask.value = true }
                    events.update { $0.append(event) }
                    if isMoment(event) { moment.continuation.finish() }
                }
            }
            for await _ in moment.stream {}
            group.cancelAll()
            return await group.next()
        }
        #expect(!isInCancelledTask.value)
        return (events.value, try #require(end))
    }
}

/// Throws what no provider should.
private struct RudeModel: LanguageModel {
    struct Oops: Error { let text = "secret" }

    let name = ModelName(provider: "rude", model: "one")
    let limits = ModelLimits(inputTokens: 10_000, outputTokens: 100)

    func respond(
        to request: ModelRequest,
        call: ModelCallContext,
        onDelta: @Sendable (ModelDelta) async throws -> Void
    ) async throws -> ModelReply {
        throw Oops()
    }
}

/// Speaks as fast as it is let, and counts what it has begun to send.
private struct EagerModel: LanguageModel {
    let sent = Guarded(0)
    let name = ModelName(provider: "eager", model: "one")
    let limits = ModelLimits(inputTokens: 10_000, outputTokens: 1_000)

    func respond(
        to request: ModelRequest,
        call: ModelCallContext,
        onDelta: @Sendable (ModelDelta) async throws -> Void
    ) async throws -> ModelReply {
        for _ in 0..<500 {
            sent.update { $0 += 1 }
            try await onDelta(.text("x"))
        }
        let text = String(repeating: "x", count: 500)
        return ModelReply(
            message: ModelMessage(.model, [.text(text)]),
            outcome: .complete,
            usage: TokenUsage(output: 500)
        )
    }
}
