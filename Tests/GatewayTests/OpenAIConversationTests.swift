import Domain
import LLM
import OpenAIDialect
import Testing

@testable import Gateway

@Suite("Conversations of OpenAI's dialect")
struct OpenAIConversationTests {
    private func messages(_ messages: [OpenAIMessage]) throws -> [ModelMessage] {
        try OpenAIConversation.request(
            OpenAIChatRequest(model: "m", messages: messages),
            memory: OpenAICallMemory(),
            owner: OpenAICallMemory.Owner(tenant: .random(), user: .random())
        ).messages
    }

    @Test("what the user says at a stretch is one message, whatever stands between that says nothing")
    func stretches() throws {
        let built = try messages([
            OpenAIMessage(.user, "a"), OpenAIMessage(.system, "s"), OpenAIMessage(.user, "b"),
            OpenAIMessage(.assistant, ""), OpenAIMessage(.user, ""), OpenAIMessage(.assistant, "x"),
            OpenAIMessage(.user, "c"),
            OpenAIMessage(.assistant, nil, toolCalls: [OpenAIToolCall(id: "1", name: "f", arguments: "{}")]),
            OpenAIMessage(.tool, "r", toolCallID: "1"), OpenAIMessage(.user, "d"), OpenAIMessage(.user, "e"),
        ])
        let call = ModelToolCall(id: "1", name: "f", arguments: [:])
        let result = ModelToolResult(callID: "1", name: "f", text: "r")
        #expect(
            built == [
                .user("a\n\nb\n\n"), ModelMessage(.model, [.text("x")]), .user("c"),
                ModelMessage(.model, [.toolCall(call)]), ModelMessage(.tool, [.toolResult(result)]), .user("d\n\ne"),
            ]
        )
    }

    @Test("as many messages as a body holds are read", .timeLimit(.minutes(1)))
    func many() throws {
        let built = try messages(Array(repeating: OpenAIMessage(.user, "x"), count: 100_000))
        #expect(built.count == 1 && built[0].text.utf8.count == 300_000 - 2)
    }
}
