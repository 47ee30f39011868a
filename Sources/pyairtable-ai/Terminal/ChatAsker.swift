import Chat
import Domain
import Foundation
import LLM

/// Asks one conversation from a terminal, and shows the answers as they come.
struct ChatAsker: Sendable {
    let chat: ChatService
    let conversation: ConversationID
    let context: RequestContext
    /// One of them cancels the run that is going on.
    let interrupts: Interrupts

    /// A finished run and its answer.
    struct Answer: Sendable {
        let run: ChatRun
        let message: ChatMessage
        /// What went wrong, or else is to be said about it, for people.
        let note: String?

        var endReason: EndReason { run.endReason ?? .failed }

        /// The note after `separator`; nil when there is none.
        func message(for separator: String) -> String? { note.map { separator + $0 } }

        var json: JSONValue {
            [
                "answer": .string(message.content),
                "citations": .array(message.citations.map(Self.json)),
                "runId": .string(run.id.description),
                "conversationId": .string(run.conversation.description),
                "endReason": .string(endReason.rawValue),
                "model": .string(run.model),
                "usage": [
                    "input": .number(JSONNumber(run.usage.input)),
                    "cachedInput": .number(JSONNumber(run.usage.cachedInput)),
                    "output": .number(JSONNumber(run.usage.output)),
                    "thoughts": .number(JSONNumber(run.usage.thoughts)),
                ],
            ]
        }

        private static func json(_ citation: Citation) -> JSONValue {
            [
                "marker": .string(citation.marker), "baseId": .string(citation.baseID.description),
                "tableId": .string(citation.tableID.description), "recordId": .string(citation.recordID.description),
                "fieldId": .string(citation.fieldID.description), "quote": .string(citation.quote),
            ]
        }
    }

    func ask(_ question: String, isStreaming: Bool) async throws -> Answer {
        let screen = ChatScreen()
        let run = try await chat.send(
            question,
            to: conversation,
            parent: nil,
            settings: ChatSettings(),
            context: context
        )
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask {
                try await chat.follow(run.id, after: 0, context: context) { events in
                    if isStreaming { for event in events { screen.show(event) } }
                }
            }
            group.addTask {
                // The run's last event ends the following; what was said so far stands.
                if await interrupts.next() { try await chat.cancel(run.id, context: context) }
                try await Task.sleep(for: .seconds(24 * 3_600))
            }
            defer { group.cancelAll() }
            try await group.next()
        }
        let ended = try await chat.run(run.id, context: context)
        let messages = try await chat.messages(of: conversation, context: context)
        guard let message = messages.first(where: { $0.id == run.answer }) else {
            throw ChatError(.notFound, "The answer is no more.")
        }
        let last = try await lastEvent(of: ended)
        let answer = Answer(run: ended, message: message, note: last?.data["message"]?.stringValue)
        if isStreaming { screen.showEnd(answer) }
        return answer
    }

    private func lastEvent(of run: ChatRun) async throws -> ChatEvent? {
        let last = LastEvent()
        try await chat.follow(run.id, after: run.lastSequence - 1, context: context) { events in
            if let event = events.last { await last.set(event) }
        }
        return await last.event
    }

    private actor LastEvent {
        private(set) var event: ChatEvent?

        func set(_ event: ChatEvent) { self.event = event }
    }
}
