package import Domain
public import LLM

/// Extraction for callers who keep their own conversations: the newest question is answered from the records that this
/// caller may read. Citations stay as `[recX/fldY]`, for there is no run to number them.
public struct RecordsModel: LanguageModel {
    private let extractor: any Extracting
    private let context: RequestContext

    package init(extractor: any Extracting, context: RequestContext) {
        self.extractor = extractor
        self.context = context
    }

    public var name: ModelName { ExtractiveModel.name }
    public var limits: ModelLimits { ModelLimits(inputTokens: Limits.queryCharacters, outputTokens: .max) }

    public func respond(
        to request: ModelRequest,
        call: ModelCallContext,
        onDelta: @Sendable (ModelDelta) async throws -> Void
    ) async throws -> ModelReply {
        let model = ExtractiveModel(
            extractor: extractor,
            question: request.messages.last { $0.role == .user }?.text ?? "",
            settings: ChatSettings(),
            evidence: Evidence(),
            context: context
        )
        return try await model.respond(to: request, call: call, onDelta: onDelta)
    }
}
