import Domain
import Foundation
import Testing

@testable import LLM

@Suite("The agent loop")
struct AgentLoopTests {
    @Test("every end has its transcript")
    func endsAreCovered() {
        let text = LoopTranscript.all.map(\.text).joined()
        // `interrupted` is given by who finds the orphan.
        for reason in EndReason.allCases where reason != .interrupted {
            #expect(text.contains("← end \(reason.rawValue) "), "no transcript ends with \(reason.rawValue)")
        }
    }

    @Test("does what is written down", arguments: LoopTranscript.all)
    func transcript(_ transcript: LoopTranscript) throws {
        let played = transcript.played()
        if LoopTranscript.rewrites {
            try played.write(to: transcript.url, atomically: true, encoding: .utf8)
            return
        }
        let (expected, actual) = (transcript.lines, played.split(separator: "\n", omittingEmptySubsequences: false))
        for (position, (expected, actual)) in zip(expected, actual).enumerated() where expected != actual {
            Issue.record("\(transcript) line \(position + 1)\n  expected: \(expected)\n  actual:   \(actual)")
            return
        }
        #expect(expected.count == actual.count)
    }

    @Test("shows what a provider did not stream")
    func unstreamed() {
        var loop = AgentLoop.sample()
        _ = loop.handle(.started)
        _ = loop.handle(.delta(.text("Two ")))
        let reply = ModelReply(
            message: ModelMessage(.model, [.text("Two books.")]),
            outcome: .complete,
            usage: TokenUsage()
        )
        let actions = loop.handle(.replied(reply, isCapped: false))
        #expect(actions.first == .emit(.text("books.")))
        #expect(actions.contains(.emit(.atom([reply.message]))))
    }

    @Test("keeps a provider's own form of a message, and every part of it")
    func originals() {
        var loop = AgentLoop.sample()
        _ = loop.handle(.started)
        let original = ProviderOriginal(provider: "gemini", family: "gemini-3", value: ["thoughtSignature": "YQ=="])
        let call = ModelToolCall(id: "1", name: "lookup", arguments: ["q": "a"])
        let message = ModelMessage(.model, [.thought("hm"), .text(""), .toolCall(call)], original: original)
        let reply = ModelReply(message: message, outcome: .toolCalls, usage: TokenUsage())
        _ = loop.handle(.replied(reply, isCapped: false))
        let actions = loop.handle(.toolFinished(position: 0, ToolResult(text: "x"), duration: .zero))
        let asked = actions.compactMap { if case .ask(let asked) = $0 { asked } else { nil } }
        #expect(asked.first?.request.messages.dropFirst().first == message)
    }

    @Test("gives a model long results in a bounded piece, with a word on how to go on")
    func longResults() throws {
        let line = String(repeating: "x", count: 99) + "\n"
        let text = String(repeating: line, count: 400)
        let given = ToolResultText.forModel(ToolResult(text: text), of: "lookup", data: UntrustedText(word: "w0rd"))
        #expect(given.count < Limits.toolResultCharacters + 300)
        #expect(given.hasPrefix("<data-w0rd of=\"lookup\">\nxxx"))
        #expect(given.contains("x\n</data-w0rd>\n(Cut here: "))
        let cut = try #require(given.firstMatch(of: /Cut here: ([0-9]+) more/)).output.1
        let shown = given.filter { $0 == "x" }.count - "next".filter { $0 == "x" }.count
        #expect(try #require(Int(cut)) == text.count - (shown / 99 * 100 - 1))
        let short = ToolResultText.forModel(ToolResult(text: "a\nb"), of: "lookup", data: UntrustedText(word: "w0rd"))
        #expect(short == "<data-w0rd of=\"lookup\">\na\nb\n</data-w0rd>")
    }
}

extension AgentLoop {
    static func sample(
        limits: RunLimits = RunLimits(tokens: nil),
        settings: RunSettings = RunSettings(),
        models: Int = 1,
        inputTokens: Int = 100_000,
        messages: [ModelMessage] = [.user("Which books are overdue?")]
    ) -> AgentLoop {
        AgentLoop(
            Configuration(
                models: (0..<models).map { position in
                    AgentModel(
                        name: ModelName(provider: "scripted", model: "\(position)"),
                        limits: ModelLimits(inputTokens: inputTokens, outputTokens: 1_000)
                    )
                },
                system: "Answer.",
                tools: FakeTools.definitions,
                settings: settings,
                limits: limits,
                data: UntrustedText(word: "w0rd")
            ),
            messages: messages
        )
    }
}
