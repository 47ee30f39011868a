import Domain
import Outbound
import TestSupport
import Testing

@testable import LLM

/// One way in which the scripted server answers, and what must come of it.
struct GeminiScenario: Sendable, CustomTestStringConvertible {
    enum End: Sendable, Equatable {
        case outcome(ModelOutcome)
        case error(ModelError.Code)
    }

    static let text = "Grüße aus der Küche: 😀 und 漢字."

    var name: String
    var text = GeminiScenario.text
    var end = End.outcome(.complete)
    var requests = 1
    /// Whether all that the server counted also reached us.
    var isCounted = true

    var testDescription: String { name }

    static func fails(_ name: String, _ code: ModelError.Code, text: String = "", requests: Int = 1) -> Self {
        Self(name: name, text: text, end: .error(code), requests: requests, isCounted: false)
    }

    static let stream = [
        "plain", "lf", "cr", "byte-by-byte", "random-pieces", "split-at-line-ends", "comments-and-bom",
        "done-at-the-end", "no-blank-line-at-the-end", "until-close", "with-length", "array-instead-of-events",
        "bare-frames", "slow-first-byte", "reset-after-the-end",
        "error-after-the-end",
    ].map { Self(name: $0) }

    static let contents = [
        Self(name: "line-separators", text: "one\u{2028}two\u{2029}three\u{85}four"),
        Self(name: "tomorrow", text: "newer"), Self(name: "second-candidate", text: "right"),
        Self(name: "deprecated", text: "old"), Self(name: "signature-on-last-text", text: "signed text"),
        Self(name: "huge", text: String(repeating: "0123456789abcdef", count: 1_024 * 300)),
        Self(name: "continuation", text: "part 1; part 2; part 3; ", requests: 3),
        Self(name: "continuation-without-end", text: "more more ", end: .outcome(.truncated), requests: 2),
        Self(name: "continuation-torn", text: "one two three", requests: 2, isCounted: false),
        Self(name: "counts-beyond-reason", text: "one two", requests: 2, isCounted: false),
        Self(name: "continuation-hiccup", text: "one two", requests: 3),
        Self(name: "continuation-of-thoughts", text: "one two", requests: 3),
        Self(name: "calls-beyond-the-bound", text: "I call", end: .outcome(.truncated)),
        Self(
            name: "misnamed-call-after-text",
            text: "I call ",
            end: .outcome(.stopped(reason: "MALFORMED_FUNCTION_CALL"))
        ),
    ]

    static let repeated = [
        ("retry-info", 2), ("retry-after", 2), ("overloaded-twice", 3), ("request-timeout", 2), ("page-502", 2),
        ("page-200", 2), ("nothing-at-all", 2), ("empty-body", 2), ("error-frame-first", 2), ("broken-frame-first", 2),
        ("cut-while-thinking", 2), ("empty-once", 2), ("malformed-call-once", 2), ("recitation-once", 2),
    ].map { Self(name: $0.0, requests: $0.1) }

    static let failures = [
        fails("quota-of-day", .quotaOfDay), fails("quota-far-away", .overloaded),
        fails("quota-in-ages", .overloaded),
        fails("overloaded-for-ever", .overloaded, requests: 5), fails("page-403", .keyRefused),
        fails("precondition", .keyRefused), fails("forbidden", .keyRefused), fails("signature-missed", .historyAltered),
        fails("too-long", .inputTooLong), fails("wrapped-error", .requestRefused),
        fails("echoes-key", .requestRefused), fails("no-such-case", .modelNotFound),
        fails("gzipped", .malformedReply, requests: 5),
        fails("cut-after-text", .cut, text: "Half an "), fails("closed-after-text", .cut, text: "Half an "),
        fails("reset-after-text", .cut, text: "Half an "), fails("cut-inside-a-frame", .cut, text: "Half an "),
        fails("error-frame", .overloaded, text: "Half an "), fails("error-over-lines", .overloaded, text: "Half an "),
        fails("error-in-a-line", .quotaOfDay, text: "Half an "),
        fails("broken-frame", .malformedReply, text: "Half an "),
        fails("empty", .emptyReply, requests: 2), fails("malformed-call", .emptyReply, requests: 2),
        fails("nameless-call", .emptyReply, requests: 2), fails("misnamed-call", .emptyReply, requests: 2),
        fails("finish-MISSING-THOUGHT-SIGNATURE", .historyAltered, text: "A beginning"),
    ]

    static let finishes =
        [
            ("SAFETY", .refused(reason: "SAFETY")), ("PROHIBITED-CONTENT", .refused(reason: "PROHIBITED_CONTENT")),
            ("BLOCKLIST", .refused(reason: "BLOCKLIST")), ("SPII", .refused(reason: "SPII")),
            ("MODEL-ARMOR", .refused(reason: "MODEL_ARMOR")), ("IMAGE-SAFETY", .refused(reason: "IMAGE_SAFETY")),
            ("MAX-TOKENS", .truncated), ("STOP", .complete), ("CONTINUATION", .truncated),
            ("RECITATION", .stopped(reason: "RECITATION")), ("LANGUAGE", .stopped(reason: "LANGUAGE")),
            ("OTHER", .stopped(reason: "OTHER")), ("NO-IMAGE", .stopped(reason: "NO_IMAGE")),
            ("IMAGE-OTHER", .stopped(reason: "IMAGE_OTHER")), ("ESCALATION", .stopped(reason: "ESCALATION")),
            ("MALFORMED-FUNCTION-CALL", .stopped(reason: "MALFORMED_FUNCTION_CALL")),
            ("MALFORMED-RESPONSE", .stopped(reason: "MALFORMED_RESPONSE")),
            ("UNEXPECTED-TOOL-CALL", .stopped(reason: "UNEXPECTED_TOOL_CALL")),
            ("TOO-MANY-TOOL-CALLS", .stopped(reason: "TOO_MANY_TOOL_CALLS")),
            ("PUP-LIMITED-DISABLED", .stopped(reason: "PUP_LIMITED_DISABLED")),
            ("WORD-OF-TOMORROW", .stopped(reason: "WORD_OF_TOMORROW")),
        ].map { (reason: String, outcome: ModelOutcome) in
            Self(name: "finish-\(reason)", text: "A beginning", end: .outcome(outcome))
        }
        + [Self(name: "recitation", text: "", end: .outcome(.stopped(reason: "RECITATION")), requests: 2)]

    static let blocks = [
        "SAFETY", "OTHER", "BLOCKLIST", "PROHIBITED-CONTENT", "IMAGE-SAFETY", "MODEL-ARMOR", "JAILBREAK",
    ]
    .map { reason in
        let word = reason.replacing("-", with: "_")
        return Self(name: "block-\(reason)", text: "", end: .outcome(.refused(reason: word)))
    }

    static let all = stream + contents + repeated + failures + finishes + blocks
}

@Suite("Gemini over a socket", .enabled(if: ClientServer.isInstalled))
struct GeminiScenarioTests {
    @Test(
        "answers as it should, asks no more often than it may, loses and doubles no word",
        arguments: GeminiScenario.all
    )
    func scenario(_ scenario: GeminiScenario) async throws {
        let name = "gemini-3-case-\(scenario.name)_s"
        let model = try await GeminiFixture.model(name)
        let request = ModelRequest(system: "Be brief.", messages: [.user("Hello")], tools: [GeminiFixture.aTool])
        let answer = try await model.answer(request)
        #expect(answer.text == scenario.text)
        switch scenario.end {
        case .outcome(let outcome):
            #expect(answer.reply?.outcome == outcome, "\(String(describing: answer.error?.detail))")
            #expect(answer.reply?.message.text == scenario.text)
            #expect(answer.reply?.message.toolCalls == [])
        case .error(let code):
            #expect(answer.error?.code == code, "\(String(describing: answer.error?.detail))")
        }
        let log = try await GeminiFixture.log(name)
        #expect(log["requests"]?.intValue == scenario.requests)
        // A pooled connection that ends without a word is replaced by the transport itself.
        let exchanges = scenario.name == "nothing-at-all" ? 1...2 : scenario.requests...scenario.requests
        #expect(exchanges.contains(answer.exchanges.count))
        #expect(!answer.exchanges.contains { String(decoding: $0.reply, as: UTF8.self).contains(GeminiFixture.key) })
        if scenario.isCounted {
            #expect(answer.usage == Self.counted(log))
            #expect(answer.metered == answer.usage)
        }
    }

    /// What the server says it used for a model.
    private static func counted(_ log: JSONValue) -> TokenUsage {
        func count(_ name: String) -> Int { log["usage"]?[name]?.intValue ?? 0 }
        return TokenUsage(
            input: count("promptTokenCount"),
            cachedInput: count("cachedContentTokenCount"),
            output: count("candidatesTokenCount"),
            thoughts: count("thoughtsTokenCount")
        )
    }

    @Test("thoughts that a retry makes void are taken back, visibly")
    func restart() async throws {
        let model = try await GeminiFixture.model("gemini-3-case-cut-while-thinking_r")
        let answer = try await model.answer(ModelRequest(messages: [.user("Hello")]))
        #expect(answer.deltas.prefix(3) == [.thought("Hm, "), .restarted, .thought("Aha. ")])
        #expect(answer.reply?.message.parts == [.thought("Aha. "), .text(GeminiScenario.text)])
    }

    @Test("a key that is refused is not sent again for a while", arguments: ["wrong", "wrong key with spaces"])
    func keyGate(_ key: String) async throws {
        let name = "gemini-3-case-plain_key\(key.count)"
        let model = try await GeminiFixture.model(name, key: key)
        for _ in 0..<3 {
            let answer = try await model.answer(ModelRequest(messages: [.user("Hello")]))
            #expect(answer.error?.code == .keyRefused)
            let words = [answer.error?.message, answer.error?.detail, answer.error?.hint].compactMap(\.self).joined()
            #expect(!words.contains(key))
        }
        let log = try await GeminiFixture.log(name)
        #expect(log["refusals"]?.arrayValue?.count == 1)
    }

    @Test("white space around a key, as files leave it, does not matter")
    func keyWithNewline() async throws {
        let model = try await GeminiFixture.model("gemini-3-case-plain_ws", key: " \(GeminiFixture.key)\r\n")
        #expect(try await model.answer(ModelRequest(messages: [.user("Hello")])).text == GeminiScenario.text)
    }

    @Test("no first byte, a stall and a trickle end by bounds of their own")
    func deadlines() async throws {
        let short = OutboundDeadlines(firstByte: .milliseconds(200), stall: .milliseconds(200), total: .seconds(30))
        let silent = "gemini-3-case-no-first-byte_d"
        let request = ModelRequest(messages: [.user("Hello")])
        let unanswered = try await GeminiFixture.model(silent, deadlines: short).answer(request)
        #expect(unanswered.error?.code == .timedOut)
        #expect(try await GeminiFixture.log(silent)["requests"]?.intValue == 5)

        let stalled = "gemini-3-case-stall-after-text_d"
        let torn = try await GeminiFixture.model(stalled, deadlines: short).answer(request)
        #expect(torn.error?.code == .timedOut)
        #expect(torn.text == "Half an ")
        #expect(try await GeminiFixture.log(stalled)["requests"]?.intValue == 1)

        let dripping = "gemini-3-case-trickle_d"
        let dripped = try await GeminiFixture.model(dripping, deadlines: short).answer(
            request,
            within: .milliseconds(400)
        )
        #expect(dripped.error?.code == .timedOut)
        #expect(dripped.text.hasPrefix("drip "))
        #expect(try await GeminiFixture.log(dripping)["requests"]?.intValue == 1)

        let finished = "gemini-3-case-stall-after-the-end_d"
        let whole = try await GeminiFixture.model(finished, deadlines: short).answer(request)
        #expect(whole.reply?.outcome == .complete)
        #expect(whole.text == GeminiScenario.text)
    }

    @Test("a reply beyond the bound is given up")
    func tooHuge() async throws {
        let model = try await GeminiFixture.model("gemini-3-case-too-huge_b", replyBytesMax: 2 * 1_024 * 1_024)
        let answer = try await model.answer(ModelRequest(messages: [.user("Hello")]))
        #expect(answer.error?.code == .replyTooLarge)
    }

    @Test(
        "cancelling closes the connection, and what was used is known",
        arguments: ["stall-after-text", "no-first-byte", "trickle"]
    )
    func cancellation(_ scenario: String) async throws {
        let name = "gemini-3-case-\(scenario)_c"
        let model = try await GeminiFixture.model(name)
        let meter = UsageMeter()
        let heard = Guarded(0)
        let task = Task {
            let call = ModelCallContext(deadline: .now + .seconds(60), meter: meter)
            _ = try await model.respond(to: ModelRequest(messages: [.user("Hello")]), call: call) { _ in
                heard.update { $0 += 1 }
            }
        }
        try await eventually("the request") {
            let hasCome = try await GeminiFixture.log(name)["requests"]?.intValue == 1
            return hasCome && (heard.value > 0 || scenario == "no-first-byte")
        }
        task.cancel()
        await #expect(throws: CancellationError.self) { try await task.value }
        try await eventually("the closed connection") { try await GeminiFixture.log(name)["closed"]?.intValue == 1 }
        #expect((meter.reported == nil) == (scenario == "no-first-byte"))
    }

    @Test("what a listener throws ends the turn with that, and nothing is asked again")
    func listenerFails() async throws {
        struct Enough: Error {}
        let name = "gemini-3-case-plain_l"
        let model = try await GeminiFixture.model(name)
        await #expect(throws: Enough.self) {
            let call = ModelCallContext(deadline: .now + .seconds(30))
            _ = try await model.respond(to: ModelRequest(messages: [.user("Hello")]), call: call) { _ in throw Enough()
            }
        }
        #expect(try await GeminiFixture.log(name)["requests"]?.intValue == 1)
    }
}
