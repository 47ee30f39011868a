import Outbound

/// Where the hosted service is, and how it wants to be treated.
public struct HostedConfiguration: Sendable {
    /// Without the version: `https://host` or, behind a proxy, `https://host/prefix`.
    public var endpoint: String
    public var rules: HostedRules

    public static let standardEndpoint = "https://api.airtable.com"

    /// - Throws: `OutboundError.invalidAddress`.
    public init(
        endpoint: String = HostedConfiguration.standardEndpoint,
        rules: HostedRules = HostedRules()
    ) throws {
        var address = endpoint[...]
        while address.last == "/" { address.removeLast() }
        // Other programs' settings of this name sometimes have the version in them.
        if address.hasSuffix("/v0") { address.removeLast("/v0".count) }
        _ = try OutboundAddress(String(address))
        self.endpoint = String(address)
        self.rules = rules
    }
}
