public import Access
import Domain

extension Setting {
    public static let tokenIssuer = Setting(
        "TOKEN_ISSUER",
        default: "PUBLIC_URL, else urn:pyairtable-ai",
        flag: false,
        "What access tokens say made them (`iss`). A change ends those that are out; clients refresh."
    )
    public static let tokenAudience = Setting(
        "TOKEN_AUDIENCE",
        default: "PUBLIC_URL/api, else urn:pyairtable-ai:api",
        flag: false,
        "For whom access tokens are made (`aud`): this server's API."
    )
    public static let accessTokenMinutes = Setting(
        "ACCESS_TOKEN_MINUTES",
        default: "15",
        flag: false,
        "Minutes that an access token lives, at most 15."
    )
    public static let sessionDays = Setting(
        "SESSION_DAYS",
        default: "30",
        flag: false,
        "Days from signing in until one must sign in again, at most 30."
    )
    public static let sessionIdleDays = Setting(
        "SESSION_IDLE_DAYS",
        default: "7",
        flag: false,
        "Days that a session lives without a refresh, at most 7."
    )

    static let tokens: [Setting] = [
        .tokenIssuer, .tokenAudience, .accessTokenMinutes, .sessionDays, .sessionIdleDays,
    ]
}

/// How access tokens and sessions are made.
public struct SignInSettings: Sendable, Hashable {
    public var values: TokenSettings

    init(_ reader: inout SettingsReader, publicURL: String?) {
        let issuer = Self.name(.tokenIssuer, default: publicURL ?? "urn:pyairtable-ai", &reader)
        let audience = Self.name(
            .tokenAudience,
            default: publicURL.map { $0 + "/api" } ?? "urn:pyairtable-ai:api",
            &reader
        )
        values = TokenSettings(
            issuer: issuer,
            audience: audience,
            accessSeconds: 60 * Self.number(.accessTokenMinutes, Limits.accessTokenSeconds / 60, &reader),
            sessionSeconds: 86_400 * Self.number(.sessionDays, Limits.sessionSeconds / 86_400, &reader),
            sessionIdleSeconds: 86_400 * Self.number(.sessionIdleDays, Limits.sessionIdleSeconds / 86_400, &reader)
        )
    }

    func shown(_ setting: Setting) -> String? {
        switch setting {
        case .tokenIssuer: values.issuer
        case .tokenAudience: values.audience
        case .accessTokenMinutes: String(values.accessSeconds / 60)
        case .sessionDays: String(values.sessionSeconds / 86_400)
        case .sessionIdleDays: String(values.sessionIdleSeconds / 86_400)
        default: nil
        }
    }

    private static func name(_ setting: Setting, default fallback: String, _ reader: inout SettingsReader) -> String {
        reader.value(setting, default: fallback, expected: "1 to 200 printable characters without white space") {
            text in
            let isPrintable = text.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7F }
            return isPrintable && (1...200).contains(text.utf8.count) ? text : nil
        }
    }

    private static func number(_ setting: Setting, _ most: Int64, _ reader: inout SettingsReader) -> Int64 {
        reader.value(setting, default: most, expected: "a number from 1 to \(most)") { text in
            Int64(text).flatMap { (1...most).contains($0) ? $0 : nil }
        }
    }
}
