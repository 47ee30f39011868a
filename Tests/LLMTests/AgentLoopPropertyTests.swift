import Domain
import TestSupport
import Testing

@testable import LLM

/// Any events in any order: what must hold always.
@Suite("The agent loop, whatever happens")
struct AgentLoopPropertyTests {
    @Test("LLM-01, LLM-08: breaks no atom, passes no limit, and ends exactly once", arguments: 0..<400)
    func invariants(seed: UInt64) throws {
        var world = LoopWorld(seed: seed)
        world.run()
        #expect(world.complaints.isEmpty, "seed \(seed): \(world.complaints.joined(separator: "; "))")
        #expect(world.ends.count == 1, "seed \(seed): \(world.ends.count) ends")
    }

    @Test("the random runs come to every end")
    func coverage() {
        var seen: Set<EndReason> = []
        for seed in 0..<400 {
            var world = LoopWorld(seed: UInt64(seed))
            world.run()
            seen.formUnion(world.ends.map(\.reason))
        }
        #expect(seen == Set(EndReason.allCases).subtracting([.interrupted]))
    }
}

/// A runner that does everything at random, and a checker of what it is told to do.
private struct LoopWorld {
    private var generator: SeededGenerator
    private var loop: AgentLoop
    private let limits: RunLimits
    private var asked: AgentRequest?
    private var askCount = 0
    /// Positions of running calls.
    private var running: Set<Int> = []
    private var started: [String] = []
    private var finished: [String] = []
    private var shown = ""
    private var kept = ""
    private var atomText = ""
    private var billed = TokenUsage()
    private var callNumber = 0
    private var isStopped = false
    private(set) var ends: [RunEnd] = []
    private(set) var complaints: [String] = []

    init(seed: UInt64) {
        var generator = SeededGenerator(seed: seed)
        limits = RunLimits(
            steps: Int.random(in: 1...8, using: &generator),
            parallelCalls: Int.random(in: 1...4, using: &generator),
            tokens: Bool.random(using: &generator) ? Int.random(in: 600...6_000, using: &generator) : nil,
            repeatsMax: Int.random(in: 2...3, using: &generator)
        )
        let settings = RunSettings(mayVoidText: Bool.random(using: &generator))
        loop = .sample(limits: limits, settings: settings, models: Int.random(in: 1...3, using: &generator))
        self.generator = generator
    }

    mutating func run() {
        tell(.started)
        var count = 0
        while ends.isEmpty, count < 5_000 {
            count += 1
            step()
        }
        if ends.isEmpty { complaints.append("no end after \(count) events") }
        // After the end there is silence.
        for event: AgentEvent in [.cancelled, .timePassed, .abandoned(TokenUsage()), .started, .delta(.text("x"))]
        where !loop.handle(event).isEmpty { complaints.append("something after the end") }
        if shown != atomText { complaints.append("shown “\(shown)”, kept in atoms “\(atomText)”") }
        if started.sorted() != finished.sorted() {
            complaints.append("calls started \(started.count), finished \(finished.count)")
        }
        if let end = ends.first, end.usage != billed { complaints.append("usage \(end.usage), billed \(billed)") }
        if let tokens = limits.tokens, billed.total > tokens {
            complaints.append("\(billed.total) of \(tokens) tokens")
        }
    }

    private mutating func step() {
        switch Int.random(in: 0..<100, using: &generator) {
        case 0: tell(.cancelled)
        case 1: tell(.timePassed)
        // Out of place.
        case 2: tell(.toolFinished(position: 77, ToolResult(text: "?"), duration: .zero))
        case 3: tell(.started)
        case 4 where asked == nil: tell(.replied(reply([]), isCapped: false))
        default:
            if let request = asked {
                model(request)
            } else if let position = running.randomElement(using: &generator) {
                tool(position)
            } else {
                tell(.cancelled)
            }
        }
    }

    private mutating func tool(_ position: Int) {
        running.remove(position)
        if Int.random(in: 0..<8, using: &generator) == 0 {
            tell(.toolTimedOut(position: position))
        } else {
            let isError = Bool.random(using: &generator)
            tell(.toolFinished(position: position, ToolResult(text: "r", isError: isError), duration: .zero))
        }
    }

    private mutating func model(_ asked: AgentRequest) {
        if isStopped, Bool.random(using: &generator) {
            bill(asked)
            self.asked = nil
            return tell(.abandoned(lastBill))
        }
        switch Int.random(in: 0..<20, using: &generator) {
        case 0..<6: say("w\(Int.random(in: 0..<9, using: &generator)) ")
        case 6:
            said = ""
            tell(.delta(.restarted))
        case 7: tell(.delta(.thought("hm")))
        case 8..<10:
            bill(asked)
            self.asked = nil
            let codes = ModelError.Code.allCases
            let code = codes[Int.random(in: 0..<codes.count, using: &generator)]
            tell(.failed(ModelError(code, "failed", usage: lastBill)))
        case 10:
            bill(asked)
            self.asked = nil
            tell(.abandoned(lastBill))
        default: answer(asked)
        }
    }

    private var said = ""
    private var lastBill = TokenUsage()

    private mutating func say(_ text: String) {
        said += text
        tell(.delta(.text(text)))
    }

    /// As a provider bills: never more than was reserved.
    private mutating func bill(_ asked: AgentRequest) {
        lastBill = TokenUsage(
            input: Int.random(in: 0...asked.inputTokensMax, using: &generator),
            output: Int.random(in: 0...asked.request.outputTokensMax, using: &generator)
        )
        billed += lastBill
    }

    private mutating func answer(_ asked: AgentRequest) {
        bill(asked)
        self.asked = nil
        var calls: [ModelToolCall] = []
        if Int.random(in: 0..<3, using: &generator) > 0 {
            // Often one alone, so that the same comes again.
            let most = Bool.random(using: &generator) ? 1 : 6
            calls = (0..<Int.random(in: 1...most, using: &generator)).map { _ in call() }
        }
        tell(.replied(reply(calls), isCapped: Bool.random(using: &generator)))
    }

    private mutating func call() -> ModelToolCall {
        callNumber += 1
        let samples: [(String, JSONValue)] = [
            ("lookup", ["q": "a"]), ("lookup", ["q": .string("\(callNumber)")]), ("lookup", [:]), ("nothing", [:]),
            ("write", ["value": "x"]), ("slow", [:]), ("add", .null),
        ]
        let (name, arguments) = samples[Int.random(in: 0..<samples.count, using: &generator)]
        // Identifiers come twice now and then, as some providers send them.
        return ModelToolCall(id: "c\(callNumber / 2)", name: name, arguments: arguments)
    }

    private mutating func reply(_ calls: [ModelToolCall]) -> ModelReply {
        let outcomes: [ModelOutcome] = [
            .complete, .complete, .complete, .toolCalls, .truncated, .refused(reason: "SAFETY"),
            .stopped(reason: "OTHER"), .stopped(reason: "UNEXPECTED_TOOL_CALL"),
        ]
        let text: [ModelPart] = said.isEmpty ? [] : [.text(said)]
        return ModelReply(
            message: ModelMessage(.model, text + calls.map { .toolCall($0) }),
            outcome: !calls.isEmpty && Int.random(in: 0..<4, using: &generator) > 0
                ? .toolCalls : outcomes[Int.random(in: 0..<outcomes.count, using: &generator)],
            usage: lastBill
        )
    }

    private mutating func tell(_ event: AgentEvent) {
        for action in loop.handle(event) { check(action) }
    }

    private mutating func check(_ action: AgentAction) {
        if !ends.isEmpty { complaints.append("\(action) after the end") }
        switch action {
        case .emit(let event): check(event)
        case .ask(let request): check(request)
        case .runTool(let position, _):
            running.insert(position)
            if running.count > limits.parallelCalls { complaints.append("\(running.count) calls at once") }
        case .stop: isStopped = true
        case .end(let end):
            ends.append(end)
            if asked != nil { complaints.append("ended while a turn is open") }
        }
    }

    private mutating func check(_ request: AgentRequest) {
        if asked != nil || !running.isEmpty { complaints.append("asked while work is open") }
        if isStopped { complaints.append("asked after the stop") }
        asked = request
        said = ""
        if !AtomCheck.isWhole(request.request.messages) { complaints.append("a torn history") }
        if request.request.messages.last?.role == .model { complaints.append("ends with the model") }
    }

    private mutating func check(_ event: RunEvent) {
        switch event {
        case .stepStarted(let step, _):
            if step > limits.steps { complaints.append("step \(step) of \(limits.steps)") }
            kept = shown
        case .text(let text): shown += text
        case .textVoided: shown = kept
        case .toolStarted(let call): started.append(call.id)
        case .toolFinished(let id, _, _): finished.append(id)
        case .atom(let atom):
            if !AtomCheck.isAtom(atom) { complaints.append("a broken atom: \(atom)") }
            atomText += atom[0].text
        case .usage(let usage):
            if usage != billed { complaints.append("usage \(usage), billed \(billed)") }
        case .thought: break
        }
    }
}

/// What providers demand of a history.
enum AtomCheck {
    static func isAtom(_ messages: [ModelMessage]) -> Bool {
        guard let first = messages.first, first.role == .model else { return false }
        guard !first.toolCalls.isEmpty else { return messages.count == 1 }
        guard messages.count == 2, messages[1].role == .tool else { return false }
        let results = messages[1].parts.compactMap { if case .toolResult(let result) = $0 { result } else { nil } }
        return results.count == messages[1].parts.count && results.map(\.callID) == first.toolCalls.map(\.id)
            && results.map(\.name) == first.toolCalls.map(\.name)
    }

    /// Begins with the user, and every model message is a whole atom.
    static func isWhole(_ messages: [ModelMessage]) -> Bool {
        guard messages.first?.role == .user else { return false }
        var position = 0
        while position < messages.count {
            if messages[position].role == .user {
                position += 1
                continue
            }
            let count = messages[position].toolCalls.isEmpty ? 1 : 2
            guard position + count <= messages.count, isAtom(Array(messages[position..<position + count])) else {
                return false
            }
            position += count
        }
        return true
    }
}
