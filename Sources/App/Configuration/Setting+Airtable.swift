import Gateway
import Outbound

extension Setting {
    public static let rateLimits = Setting(
        "RATE_LIMITS",
        default: "off",
        flag: false,
        "`on` emulates Airtable's limit under `/v0`: 5 requests a second for each base, then 429."
    )
    public static let acceptAnyWorkspace = Setting(
        "ACCEPT_ANY_WORKSPACE",
        default: "off",
        flag: false,
        "`on` takes a workspace that does not exist for the first one, for tests written for Airtable."
    )

    public static let publicURL = Setting(
        "PUBLIC_URL",
        default: "where a request came",
        flag: false,
        "Where this server is for its users, such as `https://airtable.example.org`: in front of attachments' links."
    )

    static let airtable: [Setting] = [.rateLimits, .acceptAnyWorkspace, .publicURL]
}

/// What of the hosted Airtable's own rules holds here.
public struct AirtableSettings: Sendable, Hashable {
    public var limitsRate: Bool
    public var acceptsAnyWorkspace: Bool
    /// Without a slash at its end.
    public var publicURL: String?

    init(_ reader: inout SettingsReader) {
        limitsRate = Self.flag(.rateLimits, &reader)
        acceptsAnyWorkspace = Self.flag(.acceptAnyWorkspace, &reader)
        publicURL = reader.value(.publicURL, default: nil, expected: "http://HOST or https://HOST, perhaps with a path")
        {
            text in
            if text == "none" { return .some(nil) }
            guard let address = try? OutboundAddress(text), !address.rest.contains("?") else { return nil }
            return .some(String(text.reversed().drop { $0 == "/" }.reversed()))
        }
    }

    var emulation: AirtableEmulation {
        AirtableEmulation(limitsRate: limitsRate, acceptsAnyWorkspace: acceptsAnyWorkspace)
    }

    func shown(_ setting: Setting) -> String? {
        switch setting {
        case .rateLimits: limitsRate ? "on" : "off"
        case .acceptAnyWorkspace: acceptsAnyWorkspace ? "on" : "off"
        case .publicURL: publicURL ?? "where a request came"
        default: nil
        }
    }

    private static func flag(_ setting: Setting, _ reader: inout SettingsReader) -> Bool {
        reader.value(setting, default: false, expected: "on or off") { text in
            switch text.lowercased() {
            case "on", "1", "true": true
            case "off", "0", "false": false
            default: nil
            }
        }
    }
}
