import Gateway

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

    static let airtable: [Setting] = [.rateLimits, .acceptAnyWorkspace]
}

/// What of the hosted Airtable's own rules holds here.
public struct AirtableSettings: Sendable, Hashable {
    public var limitsRate: Bool
    public var acceptsAnyWorkspace: Bool

    init(_ reader: inout SettingsReader) {
        limitsRate = Self.flag(.rateLimits, &reader)
        acceptsAnyWorkspace = Self.flag(.acceptAnyWorkspace, &reader)
    }

    var emulation: AirtableEmulation {
        AirtableEmulation(limitsRate: limitsRate, acceptsAnyWorkspace: acceptsAnyWorkspace)
    }

    func shown(_ setting: Setting) -> String? {
        switch setting {
        case .rateLimits: limitsRate ? "on" : "off"
        case .acceptAnyWorkspace: acceptsAnyWorkspace ? "on" : "off"
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
