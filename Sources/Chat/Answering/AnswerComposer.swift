import Domain
import LLM

/// Turns what happens in a run into its events: text with markers in place of identifiers, citations, tools, usage, and
/// one last event.
///
/// One run's calls come one after the other; the actor is there because they come from different tasks.
actor AnswerComposer {
    private let channel: RunChannel
    private let run: ChatRun
    private let resolver: CitationResolver
    private let evidence: Evidence
    private var visible = VisibleTextStream()
    private var reader = CitationReader()
    private var text = AnswerText()
    private var markers: [Cited: String] = [:]
    private var dropped = 0
    /// As the present step began: what is voided takes the identifiers along that were dropped from it.
    private var droppedBeforeStep = 0
    /// UTF-8 bytes of the text when the present step began.
    private var stepStart = 0
    private var isStepFresh = true
    private var stepCount = 0
    /// How many of the records found are stored.
    private var keptEvidence = 0

    private struct Cited: Hashable {
        let record: RecordID
        let field: FieldID
    }

    /// Bytes of a tool's arguments and of its result that an event shows; the model has them whole.
    static let shownBytes = 4_096

    init(channel: RunChannel, run: ChatRun, resolver: CitationResolver) {
        self.channel = channel
        self.run = run
        self.resolver = resolver
        evidence = resolver.evidence
    }

    func begin() async throws {
        try await channel.send(
            .other(
                .runStarted,
                [
                    "questionId": .string(run.question.description), "answerId": .string(run.answer.description),
                    "model": .string(run.model),
                ]
            )
        )
        try await channel.send(.other(.messageStarted, ["messageId": .string(run.answer.description)]))
    }

    /// The turn that the model answers; what goes on from this run begins with it.
    func asked(_ question: ModelMessage) { keep([question]) }

    func take(_ event: RunEvent) async throws {
        switch event {
        case .stepStarted:
            try await settle()
            stepStart = text.content.utf8.count
            droppedBeforeStep = dropped
            isStepFresh = true
        case .text(let piece):
            try await show(reader.feed(visible.feed(piece)))
        case .textVoided:
            _ = visible.finish()
            _ = reader.finish()
            dropped = droppedBeforeStep
            isStepFresh = true
            let data: JSONObject = [
                "messageId": .string(run.answer.description), "offset": .number(JSONNumber(stepStart)),
            ]
            try await channel.send(.other(.textVoided, data))
            text.void(from: stepStart)
        case .thought:
            break
        case .toolStarted(let call):
            try await settle()
            try await channel.send(
                .other(
                    .toolStarted,
                    [
                        "callId": .string(call.id), "name": .string(HiddenText.visible(call.name)),
                        "arguments": Self.bounded(HiddenText.visible(call.arguments)),
                    ]
                )
            )
        case .toolFinished(let call, let result, let duration):
            try await finished(call, result, duration)
        case .atom(let messages):
            // What the reader holds back is the atom's text too. If it can't be shown, the atom is whole all the same.
            do { try await settle() } catch {
                keep(messages)
                throw error
            }
            keep(messages)
        case .usage(let usage):
            try await channel.send(.other(.usage, Self.data(of: usage)))
        }
    }

    /// The run is over. Says so, whatever state the task is in.
    func conclude(_ end: RunEnd, state: ChatRun.State, reason: EndReason, notice: String?) async {
        // When cancelled, or when the database does not answer, what is held back is lost; what was shown stands.
        try? await settle()
        var data = Self.lastData(answer: run.answer, reason: reason, message: end.message, dropped: dropped)
        if let notice { data["notice"] = .string(notice) }
        data["model"] = .string(end.model.description)
        let kind: ChatEvent.Kind =
            switch state {
            case .running, .completed: .runCompleted
            case .failed: .runFailed
            case .cancelled: .runCancelled
            case .interrupted: .runInterrupted
            }
        channel.conclude(
            kind,
            data,
            RunConclusion(
                state: state,
                reason: reason,
                model: end.model.description,
                usage: end.usage,
                answer: run.answer,
                text: text,
                evidence: newEvidence()
            )
        )
    }

    private func keep(_ messages: [ModelMessage]) {
        channel.keep(
            RunStep(
                ordinal: stepCount,
                messages: messages,
                evidence: newEvidence(),
                textBytes: text.content.utf8.count
            )
        )
        stepCount += 1
    }

    private func newEvidence() -> [EvidencePlace] {
        let found = evidence.found(after: keptEvidence)
        keptEvidence += found.count
        return found
    }

    /// The members that every last event has.
    static func lastData(answer: ChatMessageID, reason: EndReason, message: String?, dropped: Int) -> JSONObject {
        var data: JSONObject = [
            "messageId": .string(answer.description), "endReason": .string(reason.rawValue),
            "droppedCitations": .number(JSONNumber(dropped)),
        ]
        if let message { data["message"] = .string(message) }
        return data
    }

    // MARK: Text

    /// What the reader holds back is decided: something else than text comes now.
    private func settle() async throws {
        let rest = visible.finish()
        try await show(reader.feed(rest) + reader.finish())
    }

    private func show(_ pieces: [CitationReader.Piece]) async throws {
        for piece in pieces {
            switch piece {
            case .text(let text): try await write(text)
            case .references(let references, let lead): try await cite(references, lead: lead)
            }
        }
    }

    private func write(_ piece: String) async throws {
        var piece = piece
        if isStepFresh {
            // A model goes on after its tools as if it had said nothing before.
            let isApart = text.content.isEmpty || text.content.last?.isNewline == true || piece.first?.isNewline == true
            if !isApart { piece = "\n\n" + piece }
            isStepFresh = false
        }
        try await channel.send(.text(piece))
        text.append(piece)
    }

    private func cite(_ references: [CitationReader.Reference], lead: String) async throws {
        let sentence = SentenceFit.lastStatement(of: text.content)
        var shown = ""
        for reference in references {
            switch try await resolver.resolve(reference, sentence: sentence) {
            case .unknown:
                dropped += 1
            case .found(var citation, let isFieldDropped):
                if isFieldDropped { dropped += 1 }
                let cited = Cited(record: citation.recordID, field: citation.fieldID)
                if let marker = markers[cited] {
                    if !shown.contains(marker) { shown += marker }
                    continue
                }
                let marker = "[\(markers.count + 1)]"
                citation.marker = marker
                try await channel.send(.other(.citation, try data(of: citation)))
                markers[cited] = marker
                text.add(citation)
                shown += marker
            }
        }
        if !shown.isEmpty {
            try await write(lead + shown)
        } else if text.endsInsideMarker {
            // What stood around a citation that was dropped must not close up to what only the server makes.
            try await write(" ")
        }
    }

    private func data(of citation: Citation) throws -> JSONObject {
        var data: JSONObject = ["messageId": .string(run.answer.description)]
        for (key, value) in try JSONCoder.value(of: citation).objectValue ?? [:] { data[key] = value }
        return data
    }

    // MARK: Tools and usage

    private func finished(_ call: String, _ result: ToolResult, _ duration: Duration) async throws {
        if !result.isError, let structured = result.structured { evidence.add(from: structured) }
        let milliseconds = Int(duration / .milliseconds(1))
        try await channel.send(
            .other(
                .toolResult,
                [
                    "callId": .string(call), "isError": .bool(result.isError),
                    "summary": .string(Self.summary(of: result.text)),
                    "durationMs": .number(JSONNumber(milliseconds)),
                ]
            )
        )
    }

    private static func summary(of text: String) -> String {
        let line = text.split(whereSeparator: \.isNewline).first.map(String.init) ?? ""
        return HiddenText.visible(line.cut(toScalars: 200).map { $0 + "…" } ?? line)
    }

    private static func bounded(_ arguments: JSONValue) -> JSONValue {
        let bytes = arguments.encoded()
        guard bytes.count > shownBytes else { return arguments }
        return ["truncated": .string(String(decoding: bytes.prefix(shownBytes), as: UTF8.self))]
    }

    private static func data(of usage: TokenUsage) -> JSONObject {
        [
            "input": .number(JSONNumber(usage.input)), "cachedInput": .number(JSONNumber(usage.cachedInput)),
            "output": .number(JSONNumber(usage.output)), "thoughts": .number(JSONNumber(usage.thoughts)),
        ]
    }
}
