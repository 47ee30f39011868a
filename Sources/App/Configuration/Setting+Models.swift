extension Setting {
    public static let chatModel = Setting(
        "CHAT_MODEL",
        default: "gemini-flash-latest",
        flag: false,
        "Model that answers: `provider/model` or its bare name; `extractive` for none. Without any key it is `extractive`."
    )
    public static let chatFallbacks = Setting(
        "CHAT_FALLBACKS",
        default: "none",
        flag: false,
        "Models to try, in this order, when another one cannot answer; names separated by commas."
    )
    public static let chatScript = Setting(
        "CHAT_SCRIPT",
        default: "none",
        flag: false,
        "File of a scripted model, for tests and benchmarks; while it is set it answers unless CHAT_MODEL names another."
    )
    public static let embeddingModel = Setting(
        "EMBEDDING_MODEL",
        default: "local",
        flag: false,
        "Model of the index: `local`, `gemini/gemini-embedding-001`, `openai/NAME[@DIMENSIONS]`. A change builds a new index."
    )
    public static let geminiKey = Setting(
        "GEMINI_API_KEY",
        default: "none",
        secret: true,
        customary: true,
        "Key of the Gemini API. Sent in a header only."
    )
    public static let geminiBaseURL = Setting(
        "GEMINI_BASE_URL",
        default: "Google's",
        customary: true,
        flag: false,
        "Address of the Gemini API, for proxies and tests."
    )
    public static let geminiVersion = Setting(
        "GEMINI_API_VERSION",
        default: "v1beta",
        customary: true,
        flag: false,
        "Version in the paths of the Gemini API; the `-latest` names exist in `v1beta` only."
    )
    public static let openAIKey = Setting(
        "OPENAI_API_KEY",
        default: "none",
        secret: true,
        customary: true,
        "Key of the OpenAI-compatible server, if it wants one."
    )
    public static let openAIBaseURL = Setting(
        "OPENAI_BASE_URL",
        default: "none",
        customary: true,
        flag: false,
        "Address of an OpenAI-compatible server (Ollama, llama.cpp, vLLM) up to and with `/v1`."
    )
    public static let tokensPerUserDay = Setting(
        "TOKENS_PER_USER_DAY",
        default: "none",
        flag: false,
        "Tokens that one user may use in a day (UTC), read and written."
    )
    public static let tokensPerDay = Setting(
        "TOKENS_PER_DAY",
        default: "none",
        flag: false,
        "Tokens that all users of a tenant together may use in a day (UTC)."
    )
    public static let outboundAllow = Setting(
        "OUTBOUND_ALLOW",
        default: "none",
        flag: false,
        "Private places that outgoing calls may reach too, also by http: `HOST[:PORT]` or `ADDRESS/BITS`, commas."
    )

    static let models: [Setting] = [
        .chatModel, .chatFallbacks, .chatScript, .embeddingModel, .geminiKey, .geminiBaseURL, .geminiVersion,
        .openAIKey, .openAIBaseURL, .tokensPerUserDay, .tokensPerDay, .outboundAllow,
    ]
}
