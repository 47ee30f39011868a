import Domain
import Synchronization

/// Which model a name means, and which stand in for it.
///
/// A name is `provider/model`, or bare: then the provider that claims it, or else the only one there is. The same name
/// gives the same model value, so what a provider remembers of a model (limits, circuits) is remembered.
public final class ModelCatalog: Sendable {
    private let providers: [ModelProvider]
    private let preferred: String?
    private let fallbacks: [String]
    private let state = Mutex(State())
    /// Says that models were made, once for any number of them: for one reader, who then calls `takeNew()`.
    let additions: AsyncStream<Void>
    private let added: AsyncStream<Void>.Continuation

    private struct State {
        var made: [ModelName: any LanguageModel] = [:]
        /// Those of them that `takeNew()` has not given yet: all, in a process that learns nothing.
        var new: [any LanguageModel] = []
    }

    /// - Parameters:
    ///   - preferred: what answers when nobody names a model (`CHAT_MODEL`); nil for the first provider's default.
    ///   - fallbacks: what is tried after any model, in this order (`CHAT_FALLBACKS`).
    ///   - providers: those that are configured, the most preferred first.
    public init(preferred: String? = nil, fallbacks: [String] = [], providers: [ModelProvider]) {
        self.preferred = preferred
        self.fallbacks = fallbacks
        self.providers = providers
        (additions, added) = AsyncStream.makeStream(of: Void.self, bufferingPolicy: .bufferingNewest(1))
    }

    /// The models made since the last time, as far as they are remembered.
    func takeNew() -> [any LanguageModel] {
        state.withLock { state in
            defer { state.new = [] }
            return state.new
        }
    }

    /// Whether `text` asks for answers without any model: by name, or by naming none where none is configured.
    public func isExtractive(_ text: String?) -> Bool {
        // Without any key there is nothing else, whatever the settings would prefer.
        if text == nil, providers.isEmpty { return true }
        guard let text = text ?? preferred else { return defaultName == nil }
        return text == ModelName.extractive || text.hasPrefix("\(ModelName.extractive)/")
    }

    /// The chain for a run: the model named, or the preferred one, and then its fallbacks.
    ///
    /// - Throws: `ModelError` `notConfigured` when there is no provider at all, or only extraction is left
    ///   (`isExtractive`); `modelNotFound` for a name that means nothing here.
    public func models(for text: String?) throws -> [any LanguageModel] {
        guard !isExtractive(text) else { throw Self.noneConfigured }
        var chain = [try model(named: name(text))]
        for fallback in fallbacks where fallback != ModelName.extractive {
            let next = try model(named: name(fallback))
            if !chain.contains(where: { $0.name == next.name }) { chain.append(next) }
        }
        return chain
    }

    /// What can be named without knowing more: the preferred model, the fallbacks, each provider's default, extraction.
    public var available: [ModelName] {
        var names = [preferred].compactMap(\.self).compactMap { try? name($0) }  // A wrong one is no model to offer.
        names += providers.compactMap { provider in
            provider.defaultModel.map { ModelName(provider: provider.name, model: $0) }
        }
        names += fallbacks.compactMap { try? name($0) }
        names.append(Self.extraction)
        var seen: Set<ModelName> = []
        return names.filter { seen.insert($0).inserted }
    }

    /// What answers when nobody names a model; nil when that is extraction for want of anything else.
    public var defaultName: ModelName? {
        guard let preferred else {
            return providers.lazy.compactMap { provider in
                provider.defaultModel.map { ModelName(provider: provider.name, model: $0) }
            }.first
        }
        return try? name(preferred)
    }

    /// What a text means.
    ///
    /// - Throws: `ModelError` as `models(for:)`.
    public func name(_ text: String?) throws(ModelError) -> ModelName {
        guard let text = text ?? preferred else {
            guard let name = defaultName else { throw Self.noneConfigured }
            return name
        }
        guard Self.isWellFormed(text) else { throw .noModel(text) }
        if text == ModelName.extractive || text.hasPrefix("\(ModelName.extractive)/") { return Self.extraction }
        if let slash = text.firstIndex(of: "/") {
            let (provider, model) = (String(text[..<slash]), String(text[text.index(after: slash)...]))
            if let found = providers.first(where: { $0.name == provider }), !model.isEmpty {
                return try checked(ModelName(provider: found.name, model: Self.withoutPrefix(model)), found)
            }
            if Self.known.contains(provider) { throw Self.notConfigured(provider) }
        }
        let bare = Self.withoutPrefix(text)
        if let claiming = providers.first(where: { $0.claims(bare) }) {
            return try checked(ModelName(provider: claiming.name, model: bare), claiming)
        }
        if bare.hasPrefix("gemini-") { throw Self.notConfigured("gemini") }
        // A name that nobody claims is that of a server of one's own, if there is one.
        guard let open = providers.first(where: { $0.isOpen && $0.name != "gemini" }) else { throw .noModel(text) }
        return ModelName(provider: open.name, model: bare)
    }

    private func checked(_ name: ModelName, _ provider: ModelProvider) throws(ModelError) -> ModelName {
        guard provider.isOpen || provider.defaultModel == name.model else { throw .noModel(name.description) }
        return name
    }

    private func model(named name: ModelName) throws -> any LanguageModel {
        if let model = state.withLock({ $0.made[name] }) { return model }
        guard let provider = providers.first(where: { $0.name == name.provider }) else {
            throw ModelError.noModel(name.description)
        }
        let model = try provider.make(name.model)
        let kept = state.withLock { state in
            if let first = state.made[name] { return first }
            // Callers name models, so what is kept has a bound; what is dropped is made anew.
            if state.made.count >= Limits.cataloguedModels { state = State() }
            state.made[name] = model
            state.new.append(model)
            return model
        }
        added.yield()
        return kept
    }

    /// Not one of `models(for:)`: it is made by who can search.
    private static let extraction = ModelName(provider: ModelName.extractive, model: "records")

    private static let known: Set<String> = ["gemini", "openai", ModelName.scripted]

    /// Names travel in paths and logs.
    private static func isWellFormed(_ text: String) -> Bool {
        let isAllowed = { (byte: UInt8) in
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"):
                true
            default: "._:/-@+".utf8.contains(byte)
            }
        }
        return (1...200).contains(text.utf8.count) && text.utf8.allSatisfy(isAllowed) && !text.contains("..")
            && !text.hasPrefix("/") && !text.hasSuffix("/")
    }

    /// Gemini's own `models/gemini-x`.
    private static func withoutPrefix(_ text: String) -> String {
        text.hasPrefix("models/") ? String(text.dropFirst("models/".count)) : text
    }

    private static let noneConfigured = ModelError(
        .notConfigured,
        "no language model is configured",
        hint: "set GEMINI_API_KEY, or OPENAI_BASE_URL and PYAIRTABLE_CHAT_MODEL"
    )

    private static func notConfigured(_ provider: String) -> ModelError {
        let hint =
            switch provider {
            case "gemini": "set GEMINI_API_KEY"
            case "openai": "set OPENAI_BASE_URL"
            default: "set PYAIRTABLE_CHAT_SCRIPT"
            }
        return ModelError(.notConfigured, "the provider \(provider) is not configured", hint: hint)
    }
}
