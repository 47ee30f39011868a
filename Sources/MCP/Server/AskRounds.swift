import Domain
import Synchronization

/// The rounds of a request of 2026-07-28 whose work asks: each run of the work goes through the questions of the earlier rounds
/// with the answers they had, and stops at the first that has none.
///
/// What was asked and answered travels in the state that the client brings back, sealed for the caller, the method and the
/// arguments; it is good once, and not for long.
final class AskRounds: Sendable {
    /// One `ask` of the work.
    private struct Asked: Sendable {
        let keys: [String]
        let kept: JSONValue
        /// The client's words for each key; nil while they have not come.
        var answers: JSONObject?
    }

    private struct State: Sendable {
        var asked: [Asked]
        /// The next `ask` of this run.
        var position = 0
    }

    private let shape: Shape
    private let responses: JSONObject
    private let state: Mutex<State>

    /// Reads what the client brought.
    ///
    /// - Throws: `.invalidParams` for a state that is not for this request, not any more, or not again.
    init(
        _ round: Assignment.Round,
        revision: ProtocolRevision,
        sealer: any StateSealer,
        now: Instant,
        context: RequestContext
    ) async throws {
        shape = Shape(revision: revision)
        responses = round.responses
        guard let text = round.state else {
            state = Mutex(State(asked: []))
            return
        }
        let payload: JSONValue
        do {
            payload = try JSONValue(parsing: try sealer.open(text, boundTo: Self.purpose(of: round, context)))
        } catch {
            throw Self.foreign
        }
        guard let expiry = payload["until"]?.intValue, let nonce = payload["nonce"]?.stringValue,
            let asked = payload["asked"]?.arrayValue
        else { throw Self.foreign }
        let until = Instant(microseconds: Int64(expiry))
        guard now < until else {
            throw ProtocolError.invalidParams("The request state has run out; send the request again without it")
        }
        guard try await sealer.spend(nonce, until: until, context: context) else {
            throw ProtocolError.invalidParams("The request state was used before; send the request again without it")
        }
        state = Mutex(State(asked: asked.compactMap { Self.asked(from: $0) }))
    }

    /// The answers to the next questions of the work.
    ///
    /// - Throws: `InputRequired` when they have none yet; `.invalidParams` for what is no answer.
    func reply(to questions: [CallerQuestion], keeping kept: JSONValue) throws -> CallerReply {
        try state.withLock { state in
            let place = state.position
            state.position += 1
            let keys = questions.map(\.key)
            let known = place < state.asked.count && state.asked[place].keys == keys ? state.asked[place] : nil
            let isLast = place >= state.asked.count - 1
            // Answers come to the questions that were open; to earlier ones they came before.
            let given = known?.answers ?? (isLast ? responses : [:])
            var answers: [String: CallerAnswer] = [:]
            var said: JSONObject = [:]
            for question in questions {
                guard let value = given[question.key], let answer = try shape.answer(value, to: question) else {
                    continue
                }
                answers[question.key] = answer
                said[question.key] = value
            }
            if answers.count == questions.count {
                if let known {
                    state.asked[place].answers = said
                    return CallerReply(answers: answers, kept: known.kept)
                }
                // Answers to a first question that came unasked will do where nothing depends on what was asked.
                if place == 0, state.asked.isEmpty, kept.isNull {
                    state.asked = [Asked(keys: keys, kept: kept, answers: said)]
                    return CallerReply(answers: answers, kept: kept)
                }
            }
            state.asked = state.asked.prefix(place) + [Asked(keys: keys, kept: kept, answers: nil)]
            throw InputRequired(questions: questions, kept: kept)
        }
    }

    /// What the client is to bring back.
    func seal(
        for round: Assignment.Round,
        sealer: any StateSealer,
        now: Instant,
        context: RequestContext
    ) throws -> String {
        let asked = state.withLock { $0.asked }.map { asked -> JSONValue in
            var members: JSONObject = ["keys": .array(asked.keys.map { .string($0) }), "kept": asked.kept]
            if let answers = asked.answers { members["answers"] = .object(answers) }
            return .object(members)
        }
        let payload: JSONValue = [
            "until": .number(JSONNumber(Int(now.microseconds) + Limits.mcpStateSeconds * 1_000_000)),
            "nonce": .string(RandomText.hexadecimal(words: 2)),
            "asked": .array(asked),
        ]
        return try sealer.seal(payload.encoded(), boundTo: Self.purpose(of: round, context))
    }

    private static func asked(from value: JSONValue) -> Asked? {
        guard let keys = value["keys"]?.arrayValue else { return nil }
        return Asked(
            keys: keys.compactMap(\.stringValue),
            kept: value["kept"] ?? .null,
            answers: value["answers"]?.objectValue
        )
    }

    /// For whom and for what a state is good.
    private static func purpose(of round: Assignment.Round, _ context: RequestContext) -> [UInt8] {
        let principal = context.principal
        let purpose: JSONValue = [
            "request": round.binding, "tenant": .string(context.tenant.description),
            "user": .string(principal.user.description), "key": .string(principal.key?.description ?? ""),
        ]
        return purpose.encoded()
    }

    private static let foreign = ProtocolError.invalidParams(
        "The request state is not one that this server gave for this request; send the request again without it"
    )
}

/// Names that cannot be guessed.
enum RandomText {
    /// 64 random bits a word, of the system's generator, which is fit for secrets, in hexadecimal digits.
    static func hexadecimal(words: Int) -> String {
        var generator = SystemRandomNumberGenerator()
        return (0..<words).map { _ in
            let digits = String(generator.next() as UInt64, radix: 16)
            return String(repeating: "0", count: 16 - digits.count) + digits
        }.joined()
    }
}
