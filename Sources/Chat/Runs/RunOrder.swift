import Access
import Domain
import LLM

/// A run that is stored and waits to be made, or is being made.
struct RunOrder: Sendable {
    let run: ChatRun
    let question: String
    let settings: ChatSettings
    let turns: [ChatStore.Turn]
    /// Empty for an answer without a model.
    let models: [any LanguageModel]
    /// The asker's, with the run's own deadline.
    let context: RequestContext
    let channel: RunChannel
    /// The model that is asked first.
    var model: ModelName { models.first?.name ?? ExtractiveModel.name }
    /// Somebody asks the run to end.
    let cancel = OneShot()
}
