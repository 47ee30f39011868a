import Access
public import Airtable
import Database
import Outbound

/// What calls the hosted service. Made without opening anything; the first call opens the first connection.
public struct HostedServices: Sendable {
    public let upstream: HostedUpstream
    private let calls: OutgoingCalls

    /// - Throws: `OutboundError.invalidAddress`.
    init(_ configuration: AppConfiguration, database: any SQLDatabase) throws {
        let settings = configuration.hosted
        // Only what an operator set may lead to this machine or its neighbours.
        let named = settings.endpoint == HostedConfiguration.standardEndpoint ? [] : [settings.endpoint]
        let hosts = try named.map { AllowedHost(try OutboundAddress($0)) } + configuration.models.outboundAllow
        calls = OutgoingCalls(allowing: hosts)
        upstream = HostedUpstream(
            client: HostedClient(
                transport: calls.transport,
                configuration: try HostedConfiguration(endpoint: settings.endpoint)
            ),
            tokens: HostedTokens(
                vault: try Services.vault(configuration, database),
                common: settings.token
            )
        )
    }

    func close() async {
        upstream.client.shutdown()
        await calls.shutdown()
    }
}
