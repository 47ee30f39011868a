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
    /// Found since the last step.
    var evidence: [EvidencePlace]
}

/// Something for the conversation to go on from: the question as the model was asked it, then each whole atom.
///
/// Stored as it comes, behind the events before it. So whatever happens to the process, what is left of a run is whole
/// atoms and the text that people saw behind them.
struct RunStep: Sendable, Hashable {
    /// 0 for the question.
    var ordinal: Int
    var messages: [ModelMessage]
    /// Records found since the step before.
    var evidence: [EvidencePlace]
    /// UTF-8 bytes of the answer that were written when the step was done: text behind them is of no atom yet.
    var textBytes: Int
}

/// Events of one run on their way into the store.
struct EventBatch: Sendable {
    let tenant: TenantID
    let run: RunID
    /// Consecutive; may be none when there are steps.
    let events: [ChatEvent]
    var steps: [RunStep] = []
    let conclusion: RunConclusion?
}
