import Domain
import LLM

/// An event before it has its place in a run.
enum EventDraft: Sendable, Hashable {
    /// Text that follows the draft before joins it, when that is text too.
    case text(String)
    case other(ChatEvent.Kind, JSONObject)
}

/// What is stored of a run in the transaction of its last event.
struct RunConclusion: Sendable, Hashable {
    var state: ChatRun.State
    var reason: EndReason
    var model: String
    var usage: TokenUsage
    var answer: ChatMessageID
    var text: AnswerText
    /// The model's turns, whole atoms, for the conversation to go on from.
    var history: [ModelMessage]
    var evidence: [EvidencePlace]
}

/// Events of one run on their way into the store.
struct EventBatch: Sendable {
    let tenant: TenantID
    let run: RunID
    /// Consecutive.
    let events: [ChatEvent]
    let conclusion: RunConclusion?
}
