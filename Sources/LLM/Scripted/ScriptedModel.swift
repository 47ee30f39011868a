import Domain
import Synchronization

/// A model that says what a script says, at the script's pace, and counts its tokens itself.
public final class ScriptedModel: LanguageModel {
    public let name: ModelName
    public let limits: ModelLimits
    public var billedAttemptsMax: Int { 1 }

    private let script: ModelScript
    private let state = Mutex(State())

    private struct State {
        var counted = TokenUsage()
        /// How often each turn has failed.
        var failures: [Int: Int] = [:]
        var callCount = 0
    }

    public init(_ script: ModelScript) {
        self.script = script
        name = script.modelName
        limits = ModelLimits(
            inputTokens: script.inputTokens ?? 1_000_000,
            outputTokens: script.outputTokens ?? 65_536
        )
    }

    /// What this provider would bill for all calls so far: answered, failed and cancelled.
    public var counted: TokenUsage { state.withLock { $0.counted } }

    /// How often it was asked.
    public var callCount: Int { state.withLock { $0.callCount } }

    public func respond(
        to request: ModelRequest,
        call: ModelCallContext,
        onDelta: @Sendable (ModelDelta) async throws -> Void
    ) async throws -> ModelReply {
        state.withLock { $0.callCount += 1 }
        let position = try choose(request)
        let turn = script.turns[position]
        var bill = Bill(turn, request, call.meter)
        defer {
            let usage = bill.usage
            state.withLock { $0.counted += usage }
        }
        try Task.checkCancellation()
        let template = ScriptTemplate(messages: request.messages)
        var calls = try (turn.calls ?? []).enumerated().map { index, call in
            let made = "call_\(request.messages.count)_\(index + 1)"
            return ModelToolCall(
                id: call.id ?? made,
                name: call.name,
                arguments: try template.filled(call.arguments ?? [:]),
                defect: call.defect
            )
        }
        var speech = Speech(
            pieces: try pieces(of: turn, template),
            pace: script.tokensPerSecond.map { .seconds(1 / $0) },
            deadline: call.deadline
        )
        if let thought = turn.thought { try await onDelta(.thought(try template.filled(thought))) }
        if let failure = turn.failure, isFailing(position, failure) {
            let text = speech.pieces.prefix(failure.afterPieces ?? 0)
            _ = try await speech.say(text, &bill, onDelta)
            throw error(failure, bill.usage)
        }
        if let restart = turn.restartAfter {
            _ = try await speech.say(speech.pieces.prefix(restart), &bill, onDelta)
            try await onDelta(.restarted)
        }
        let text = try await speech.say(speech.pieces[...], &bill, onDelta)
        let isTruncated = text.isCut || !bill.addCalls(calls)
        if isTruncated { calls = [] }
        var parts: [ModelPart] = []
        if let thought = turn.thought { parts.append(.thought(try template.filled(thought))) }
        if !text.text.isEmpty { parts.append(.text(text.text)) }
        parts += calls.map { .toolCall($0) }
        return ModelReply(
            message: ModelMessage(.model, parts),
            outcome: isTruncated ? .truncated : outcome(of: turn),
            usage: bill.usage,
            modelVersion: name.model
        )
    }

    private func choose(_ request: ModelRequest) throws -> Int {
        let users = request.messages.indices.filter { request.messages[$0].role == .user }
        let newest = users.last.map { request.messages[$0].newestText.lowercased() } ?? ""
        let after = request.messages[(users.last.map { $0 + 1 } ?? 0)...]
        let step = after.count { $0.role == .model } + 1
        var lastTool: String?
        if let last = request.messages.last, last.role == .tool, case .toolResult(let result)? = last.parts.last {
            lastTool = result.name
        }
        let found = script.turns.firstIndex { turn in
            guard let when = turn.when else { return true }
            return (when.user.map { newest.contains($0.lowercased()) } ?? true)
                && (when.turn.map { $0 == users.count } ?? true)
                && (when.step.map { $0 == step } ?? true)
                && (when.tool.map { $0 == lastTool } ?? true)
        }
        guard let found else {
            throw ModelError(
                .malformedReply,
                "the script has no turn for user message \(users.count), step \(step)",
                hint: "end the script with a turn without `when`"
            )
        }
        return found
    }

    private func pieces(of turn: ModelScript.Turn, _ template: ScriptTemplate) throws -> [String] {
        let once: [String]
        switch turn.text {
        case nil: once = []
        case .pieces(let pieces)?: once = try pieces.map(template.filled)
        case .whole(let text)?: once = Self.words(of: try template.filled(text))
        }
        return Array(repeatElement(once, count: turn.times ?? 1).joined())
    }

    /// Each word with the white space after it, so that joined they are the text.
    private static func words(of text: String) -> [String] {
        var words: [String] = []
        var start = text.startIndex
        for position in text.indices where position > start {
            let before = text[text.index(before: position)]
            if before.isWhitespace, !text[position].isWhitespace {
                words.append(String(text[start..<position]))
                start = position
            }
        }
        if start < text.endIndex { words.append(String(text[start...])) }
        return words
    }

    private func isFailing(_ position: Int, _ failure: ModelScript.ScriptedFailure) -> Bool {
        guard let times = failure.times else { return true }
        return state.withLock { state in
            guard state.failures[position, default: 0] < times else { return false }
            state.failures[position, default: 0] += 1
            return true
        }
    }

    private func error(_ failure: ModelScript.ScriptedFailure, _ usage: TokenUsage) -> ModelError {
        ModelError(
            ModelError.Code(rawValue: failure.code) ?? .malformedReply,
            failure.message ?? "the script says so (\(failure.code))",
            usage: usage
        )
    }

    private func outcome(of turn: ModelScript.Turn) -> ModelOutcome {
        switch turn.outcome {
        case .truncated: .truncated
        case .refused: .refused(reason: "SAFETY")
        case .stopped: .stopped(reason: "OTHER")
        case .complete: .complete
        case nil: turn.calls?.isEmpty ?? true ? .complete : .toolCalls
        }
    }
}

/// What a scripted turn costs so far; the meter always knows.
private struct Bill {
    private(set) var usage: TokenUsage
    private let fixed: ModelScript.Usage?
    private let outputMax: Int
    private var written = 0
    private let meter: UsageMeter?

    init(_ turn: ModelScript.Turn, _ request: ModelRequest, _ meter: UsageMeter?) {
        fixed = turn.usage
        outputMax = request.outputTokensMax
        self.meter = meter
        usage = TokenUsage(
            input: turn.usage?.input ?? Self.tokens(of: request),
            cachedInput: turn.usage?.cachedInput ?? 0,
            output: 0,
            thoughts: 0
        )
        meter?.report(usage)
    }

    var isFull: Bool { fixed?.output == nil && written >= outputMax }

    mutating func addPiece() { add(1) }

    /// - Returns: false when the calls do not fit what may be written.
    mutating func addCalls(_ calls: [ModelToolCall]) -> Bool {
        let cost = calls.reduce(0) { $0 + ($1.name.utf8.count + $1.arguments.text.utf8.count) / 4 + 1 }
        let fits = fixed?.output != nil || written + cost <= outputMax
        if fits { add(cost) }
        // Given figures are those of the whole turn.
        usage.output = fixed?.output ?? usage.output
        usage.thoughts = fixed?.thoughts ?? 0
        meter?.report(usage)
        return fits
    }

    private mutating func add(_ tokens: Int) {
        written += tokens
        usage.output += tokens
        meter?.report(usage)
    }

    private static func tokens(of request: ModelRequest) -> Int {
        var bytes = request.system.utf8.count
        for message in request.messages {
            for part in message.parts {
                switch part {
                case .text(let text), .thought(let text): bytes += text.utf8.count
                case .toolCall(let call): bytes += call.arguments.text.utf8.count
                case .toolResult(let result): bytes += result.text.utf8.count
                }
            }
        }
        return bytes / 4 + 1
    }
}

/// Sends pieces, each at its time.
private struct Speech {
    let pieces: [String]
    let pace: Duration?
    let deadline: ContinuousClock.Instant
    private var next = ContinuousClock.now

    init(pieces: [String], pace: Duration?, deadline: ContinuousClock.Instant) {
        self.pieces = pieces
        self.pace = pace
        self.deadline = deadline
    }

    mutating func say(
        _ pieces: ArraySlice<String>,
        _ bill: inout Bill,
        _ onDelta: @Sendable (ModelDelta) async throws -> Void
    ) async throws -> (text: String, isCut: Bool) {
        var text = ""
        for piece in pieces {
            if bill.isFull { return (text, true) }
            if let pace {
                next += pace
                guard next < deadline else {
                    try await Task.sleep(until: deadline)
                    throw ModelError(.timedOut, "the script is slower than the deadline", usage: bill.usage)
                }
                try await Task.sleep(until: next)
            }
            try Task.checkCancellation()
            bill.addPiece()
            text += piece
            try await onDelta(.text(piece))
        }
        return (text, false)
    }
}
