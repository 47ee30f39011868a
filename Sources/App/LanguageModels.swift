import Access
import Foundation
public import LLM

extension Services {
    /// Which language models there are: the scripted one when it is set, then those with a key or an address.
    ///
    /// - Parameter providers: of the network, the most preferred first; made by those who know their transport.
    /// - Throws: `ConfigurationError` for a script that can't be read; `ModelError` for one that is wrong.
    public func modelCatalog(providers: [ModelProvider]) throws -> ModelCatalog {
        let settings = configuration.models
        var all = providers
        if let path = settings.chatScript { all.insert(.scripted(try Self.script(at: path)), at: 0) }
        return ModelCatalog(preferred: settings.chatModel, fallbacks: settings.chatFallbacks, providers: all)
    }

    /// The one account of tokens; what dead processes left reserved is settled.
    public func tokenLedger() async throws -> TokenLedger {
        let ledger = TokenLedger(database: database, caps: configuration.models.caps, logger: logger)
        try await ledger.settleExpired(tenant: first.tenant)
        return ledger
    }

    private static func script(at path: String) throws -> ModelScript {
        guard let bytes = FileManager.default.contents(atPath: path) else {
            throw ConfigurationError(.invalidSetting, ["\(Setting.chatScript.name): the file \(path) can't be read"])
        }
        return try ModelScript(json: [UInt8](bytes))
    }
}
