import LLM
import OpenAIDialect
public import Outbound

extension OutgoingCalls {
    /// The way out as the settings have it: the addresses they name may stand anywhere, others where the Internet is.
    public convenience init(_ settings: ModelSettings) {
        let named = [settings.geminiBaseURL, settings.openAIBaseURL].compactMap(\.self)
            // What is no address is told by whoever calls it.
            .compactMap { try? OutboundAddress($0) }.map { AllowedHost($0) }
        self.init(allowing: named + settings.outboundAllow)
    }
}

extension ModelSettings {
    /// The OpenAI-compatible server; nil when none is set.
    ///
    /// - Throws: `OutboundError` for an address that cannot be used.
    func openAIProvider(_ calls: OutgoingCalls) throws -> ModelProvider? {
        guard let openAIBaseURL else { return nil }
        let client = try OpenAIClient(baseURL: openAIBaseURL, key: openAIKey, transport: calls.transport)
        let retrier = Retrier(budget: RetryBudget())
        let isOpenAI = client.server.hasSuffix(".openai.com:443")
        let options = OpenAICompatibleModel.Options(tokenLimitName: isOpenAI ? .maxCompletionTokens : .maxTokens)
        return ModelProvider(OpenAICompatibleModel.provider) { name in
            OpenAICompatibleModel(client: client, model: name, retrier: retrier, options: options)
        }
    }
}
