import Domain
import TestSupport
import Testing

@testable import LLM

@Suite("The context window")
struct ContextWindowTests {
    private static func answer(_ text: String) -> ModelMessage { ModelMessage(.model, [.text(text)]) }

    private static func atom(_ id: String, bytes: Int = 3) -> [ModelMessage] {
        let result = ModelToolResult(callID: id, name: "lookup", text: String(repeating: "r", count: bytes))
        return [
            ModelMessage(.model, [.toolCall(ModelToolCall(id: id, name: "lookup", arguments: ["q": "x"]))]),
            ModelMessage(.tool, [.toolResult(result)]),
        ]
    }

    private static func cost(_ messages: [ModelMessage]) -> Int {
        messages.reduce(0) { $0 + TokenEstimate(of: $1).likely }
    }

    @Test("leaves a conversation that fits as it is")
    func fits() throws {
        let messages = [.user("a"), Self.answer("b"), .user("c")] + Self.atom("1")
        #expect(try ContextWindow(tokens: Self.cost(messages)).fitting(messages) == messages)
    }

    @Test("leaves out the oldest turn first, whole")
    func oldest() throws {
        let first = [.user("first")] + Self.atom("1") + [Self.answer("answer")]
        let rest = [.user("second"), Self.answer("answer"), .user("third")]
        let window = ContextWindow(tokens: Self.cost(first + rest) - 1)
        #expect(try window.fitting(first + rest) == rest)
    }

    @Test("keeps the newest question and the newest results when a run itself grows too long")
    func longRun() throws {
        let question = ModelMessage.user("question")
        let messages = [.user("old"), Self.answer("old"), question] + Self.atom("1", bytes: 900) + Self.atom("2")
        let kept = try ContextWindow(tokens: 200).fitting(messages)
        #expect(kept == [question] + Self.atom("2"))
    }

    @Test("says so when even the newest question does not fit")
    func tooLong() {
        let long = ModelMessage.user(String(repeating: "x", count: 400))
        #expect(throws: ModelError(.inputTooLong, "")) { try ContextWindow(tokens: 100).fitting([long]) }
        #expect(throws: ModelError(.inputTooLong, "")) {
            try ContextWindow(tokens: 100).fitting([.user("a")] + Self.atom("1", bytes: 400))
        }
        #expect(throws: ModelError(.inputTooLong, "")) { try ContextWindow(tokens: 100).fitting([]) }
    }

    @Test("makes torn histories whole: what a killed process left is answered, orphans are dropped")
    func torn() throws {
        let (one, two) = (Self.atom("1"), Self.atom("2"))
        let messages = [two[1], .user("a"), one[0], .user("b"), two[0], two[1], one[1]]
        let kept = try ContextWindow(tokens: 10_000).fitting(messages)
        #expect(AtomCheck.isWhole(kept))
        #expect(kept.map(\.role) == [.user, .model, .tool, .user, .model, .tool])
        let made = kept[2].parts.compactMap { if case .toolResult(let result) = $0 { result } else { nil } }
        #expect(made.map(\.isError) == [true] && made.map(\.callID) == ["1"])
        #expect(kept[5] == two[1])
    }

    @Test("whatever the conversation: within the window, whole atoms, the newest question", arguments: 0..<200)
    func property(seed: UInt64) throws {
        var generator = SeededGenerator(seed: seed)
        var messages: [ModelMessage] = []
        for number in 0..<Int.random(in: 1...20, using: &generator) {
            let text = String(repeating: "x", count: Int.random(in: 0...200, using: &generator))
            switch Int.random(in: 0..<3, using: &generator) {
            case 0: messages.append(.user("\(number) \(text)"))
            case 1: messages.append(Self.answer("\(number) \(text)"))
            default: messages += Self.atom("\(number)", bytes: text.count)
            }
        }
        let tokens = Int.random(in: 20...800, using: &generator)
        guard let kept = try? ContextWindow(tokens: tokens).fitting(messages) else {
            // Refused: then the newest question, with the newest atom after it, is really too long.
            guard let question = messages.lastIndex(where: { $0.role == .user }) else { return }
            let after = Array(messages[(question + 1)...])
            let newest = ContextWindow.wholeAtoms(of: after).last ?? []
            #expect(Self.cost([messages[question]] + newest) > tokens, "seed \(seed)")
            return
        }
        #expect(Self.cost(kept) <= tokens, "seed \(seed)")
        #expect(AtomCheck.isWhole(kept), "seed \(seed)")
        #expect(kept.contains(try #require(messages.last { $0.role == .user })), "seed \(seed)")
        #expect(kept.last == messages.last, "seed \(seed)")
        // In order, and nothing that was not there.
        var rest = messages[...]
        for message in kept {
            let position = try #require(rest.firstIndex(of: message), "seed \(seed)")
            rest = rest[(position + 1)...]
        }
    }

    @Test("an upper bound of tokens is one, and twice as much text never costs less")
    func estimates() {
        #expect(TokenEstimate(of: "").upperBound == 0)
        #expect(TokenEstimate(of: "0123456789").upperBound == 10)
        #expect(TokenEstimate(of: "letters and spaces").upperBound == 9)
        #expect(TokenEstimate(of: "日本").upperBound == 6)
        let original = ProviderOriginal(provider: "p", family: "f", value: .string(String(repeating: "s", count: 600)))
        let plain = TokenEstimate(of: ModelMessage(.model, [.text("a")]))
        let signed = TokenEstimate(of: ModelMessage(.model, [.text("a")], original: original))
        #expect(signed.upperBound > plain.upperBound + 250)
    }
}
