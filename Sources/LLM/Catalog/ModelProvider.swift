/// Where models come from: made in App, which alone knows keys and addresses.
public struct ModelProvider: Sendable {
    /// Such as `gemini`; the part of a name before the slash.
    public let name: String
    /// Its own name of the model to use when nobody names one; nil when it has none.
    public let defaultModel: String?
    /// Whether a bare name, such as `gemini-flash-latest`, is this provider's.
    public let claims: @Sendable (String) -> Bool
    /// Whether callers may name any model of it. Otherwise only those the settings name.
    public let isOpen: Bool
    let make: @Sendable (String) throws -> any LanguageModel

    /// - Parameter make: from the provider's own name of a model; called once for each name, nothing is sent.
    public init(
        _ name: String,
        defaultModel: String? = nil,
        isOpen: Bool = true,
        claims: @escaping @Sendable (String) -> Bool = { _ in false },
        make: @escaping @Sendable (String) throws -> any LanguageModel
    ) {
        self.name = name
        self.defaultModel = defaultModel
        self.isOpen = isOpen
        self.claims = claims
        self.make = make
    }

    /// The model of a script: named by its provider and its name, and preferred while a script is set.
    public static func scripted(_ script: ModelScript) -> ModelProvider {
        ModelProvider(ModelName.scripted, defaultModel: script.modelName.model, isOpen: false) { name in
            guard name == script.modelName.model else { throw ModelError.noModel(ModelName.scripted + "/" + name) }
            return ScriptedModel(script)
        }
    }
}

extension ModelName {
    /// The provider of answers without a model.
    public static let extractive = "extractive"
}

extension ModelError {
    static func noModel(_ text: String) -> ModelError {
        let shown = UntrustedText.visible(String(text.prefix(80)))
        return ModelError(
            .modelNotFound,
            "there is no model '\(shown)' here",
            hint: "name it as `provider/model`; `extractive` answers without a model"
        )
    }
}
