public import LLM
public import Outbound

/// Which models there are, where they are, and what they may cost.
public struct ModelSettings: Sendable {
    /// Nil unless somebody set it: the default depends on what is configured.
    public var chatModel: String?
    public var chatFallbacks: [String]
    /// Path of a scripted model's file.
    public var chatScript: String?
    /// Nil unless somebody set it.
    public var embeddingModel: String?
    public var geminiKey: OutboundSecret?
    public var geminiBaseURL: String
    public var geminiVersion: String
    public var openAIKey: OutboundSecret?
    public var openAIBaseURL: String?
    public var caps: TokenCaps
    /// Where outgoing calls may go although it is no place of the Internet at large.
    public var outboundAllow: [AllowedHost]

    static let geminiAddress = "https://generativelanguage.googleapis.com"

    init(_ reader: inout SettingsReader) {
        chatModel = reader.text(.chatModel)
        chatFallbacks = (reader.text(.chatFallbacks) ?? "").split(separator: ",")
            .map { $0.trimmingPrefix { $0 == " " } }.map { String($0.prefix { $0 != " " }) }.filter { !$0.isEmpty }
        chatScript = reader.text(.chatScript)
        embeddingModel = reader.text(.embeddingModel)
        geminiKey = reader.text(.geminiKey).map { OutboundSecret($0) }
        geminiBaseURL = Self.address(.geminiBaseURL, &reader) ?? Self.geminiAddress
        geminiVersion = reader.value(
            .geminiVersion,
            default: "v1beta",
            expected: "a version such as v1beta",
            { $0.wholeMatch(of: /v[0-9]+[a-z0-9]{0,12}/) == nil ? nil : $0 }
        )
        openAIKey = reader.text(.openAIKey).map { OutboundSecret($0) }
        openAIBaseURL = Self.address(.openAIBaseURL, &reader)
        caps = TokenCaps(
            perUser: Self.cap(.tokensPerUserDay, &reader),
            perTenant: Self.cap(.tokensPerDay, &reader)
        )
        outboundAllow = reader.value(
            .outboundAllow,
            default: [],
            expected: "HOST, HOST:PORT or ADDRESS/BITS, several with commas"
        ) {
            text in
            if text == "none" { return [] }
            let hosts = text.split(separator: ",").map { AllowedHost($0.filter { $0 != " " }) }
            return hosts.contains { $0 == nil } ? nil : hosts.compactMap(\.self)
        }
    }

    /// As it may be printed; nil for settings that are not of models.
    func shown(_ setting: Setting) -> String? {
        switch setting {
        case .chatModel: chatModel ?? Setting.chatModel.defaultText
        case .chatFallbacks: chatFallbacks.isEmpty ? "none" : chatFallbacks.joined(separator: ",")
        case .chatScript: chatScript ?? "none"
        case .embeddingModel: embeddingModel ?? "local"
        case .geminiKey: geminiKey == nil ? "none" : "<redacted>"
        case .geminiBaseURL: AppConfiguration.withoutPassword(geminiBaseURL)
        case .geminiVersion: geminiVersion
        case .openAIKey: openAIKey == nil ? "none" : "<redacted>"
        case .openAIBaseURL: openAIBaseURL.map(AppConfiguration.withoutPassword) ?? "none"
        case .tokensPerUserDay: caps.perUser.map(String.init) ?? "none"
        case .tokensPerDay: caps.perTenant.map(String.init) ?? "none"
        case .outboundAllow:
            outboundAllow.isEmpty ? "none" : outboundAllow.map(\.description).joined(separator: ",")
        default: nil
        }
    }

    /// Without a slash at its end, so that paths can be put behind it.
    private static func address(_ setting: Setting, _ reader: inout SettingsReader) -> String? {
        reader.value(setting, default: nil, expected: "http://… or https://… without a user or a query") { text in
            guard text.hasPrefix("http://") || text.hasPrefix("https://"), !text.contains("@"), !text.contains("?"),
                !text.contains("#"), !text.contains(" ")
            else { return nil }
            return .some(String(text.reversed().drop { $0 == "/" }.reversed()))
        }
    }

    private static func cap(_ setting: Setting, _ reader: inout SettingsReader) -> Int? {
        reader.value(setting, default: nil, expected: "a number of tokens, at least 1, or none") { text in
            if text == "none" { return .some(nil) }
            return Int(text).flatMap { $0 >= 1 ? .some($0) : nil }
        }
    }
}
