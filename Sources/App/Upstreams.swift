import Gemini
import LLM
import Logging
import OpenAIDialect
import Outbound

/// Everything this process calls: the one way out, and the clients of the configured providers.
///
/// Made without opening anything; the first call opens the first connection.
public struct Upstreams: Sendable {
    private let calls: OutgoingCalls
    private let settings: ModelSettings
    let gemini: GeminiClient?
    let openAI: OpenAIClient?

    /// - Throws: `OutboundError.invalidAddress` for a base address that can't be read.
    init(_ settings: ModelSettings) throws {
        let calls = OutgoingCalls(settings)
        self.calls = calls
        self.settings = settings
        gemini = settings.geminiKey.map { key in
            GeminiClient(
                transport: calls.transport,
                configuration: GeminiConfiguration(
                    baseURL: settings.geminiBaseURL,
                    version: settings.geminiVersion,
                    key: key
                )
            )
        }
        openAI = try settings.openAIBaseURL.map { address in
            try OpenAIClient(baseURL: address, key: settings.openAIKey, transport: calls.transport)
        }
    }

    /// Where language models of the network come from, the most preferred first.
    ///
    /// - Throws: `OutboundError.invalidAddress`.
    func providers(logger: Logger) throws -> [ModelProvider] {
        let google = gemini.map { client in
            ModelProvider(
                "gemini",
                defaultModel: Setting.chatModel.defaultText,
                claims: { $0.hasPrefix("gemini-") },
                make: { try GeminiModel(client: client, model: $0, logger: logger) }
            )
        }
        return [google, try settings.openAIProvider(calls)].compactMap(\.self)
    }
}
