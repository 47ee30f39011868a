public import Airtable
public import Outbound

extension Setting {
    public static let airtableKey = Setting(
        "AIRTABLE_API_KEY",
        default: "none",
        secret: true,
        customary: true,
        "Token of the hosted Airtable, personal or OAuth, for bases that live there. Sent in a header only."
    )
    public static let airtableEndpoint = Setting(
        "AIRTABLE_ENDPOINT_URL",
        default: "https://api.airtable.com",
        customary: true,
        flag: false,
        "Where the hosted Airtable is. `http://` only on this machine, or at a host of OUTBOUND_ALLOW."
    )
    public static let syncInterval = Setting(
        "SYNC_INTERVAL",
        default: "15",
        flag: false,
        "Seconds from one look for changes of a hosted base to the next."
    )
    public static let syncSweepInterval = Setting(
        "SYNC_SWEEP_INTERVAL",
        default: "3600",
        flag: false,
        "Seconds from one comparison of all records of a mirrored base to the next: without a webhook deletions wait for it."
    )

    static let hosted: [Setting] = [.airtableKey, .airtableEndpoint, .syncInterval, .syncSweepInterval]
}

/// Where the hosted service is, and how bases of it are kept in step.
public struct HostedSettings: Sendable {
    public var token: OutboundSecret?
    public var endpoint: String
    public var rules: MirrorRules

    /// - Parameter allowed: hosts that may be called without TLS.
    init(_ reader: inout SettingsReader, allowing allowed: [AllowedHost]) {
        token = reader.text(.airtableKey).map { OutboundSecret($0) }
        endpoint = reader.value(
            .airtableEndpoint,
            default: HostedConfiguration.standardEndpoint,
            expected: "https://HOST[:PORT][/PATH], or http:// on this machine or at a host of OUTBOUND_ALLOW"
        ) { text in
            guard let address = try? OutboundAddress(text), !text.contains("?") else { return nil }
            let isNear = address.isLoopback || allowed.contains { $0.covers(address) }
            return address.scheme == .https || isNear ? text : nil
        }
        rules = MirrorRules()
        rules.pollInterval = Self.seconds(.syncInterval, default: rules.pollInterval, &reader)
        rules.sweepInterval = Self.seconds(.syncSweepInterval, default: rules.sweepInterval, &reader)
    }

    func shown(_ setting: Setting) -> String? {
        switch setting {
        case .airtableKey: token == nil ? "none" : "<redacted>"
        case .airtableEndpoint: AppConfiguration.withoutPassword(endpoint)
        case .syncInterval: String(rules.pollInterval.components.seconds)
        case .syncSweepInterval: String(rules.sweepInterval.components.seconds)
        default: nil
        }
    }

    private static func seconds(
        _ setting: Setting,
        default fallback: Duration,
        _ reader: inout SettingsReader
    ) -> Duration {
        reader.value(setting, default: fallback, expected: "a number of seconds, 1 to 86400") { text in
            Int(text).flatMap { (1...86_400).contains($0) ? .seconds($0) : nil }
        }
    }
}
