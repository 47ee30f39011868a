import Access
import Airtable
public import Domain
import Outbound

extension Services {
    /// Keeps the hosted bases of this process's tenant in step.
    var mirrorKeeper: MirrorKeeper {
        let tenant = first.tenant
        return MirrorKeeper(
            service: airtable,
            access: access,
            rules: configuration.hosted.rules,
            logger: logger
        ) { [tenant] }
    }

    /// Stores the environment's token of the hosted service, encrypted, for the first workspace.
    ///
    /// - Throws: `ConfigurationError` when there is none.
    public func keepHostedToken(context: RequestContext) async throws {
        guard let token = configuration.hosted.token else {
            throw ConfigurationError(.invalidSetting, ["AIRTABLE_API_KEY holds no token to keep"])
        }
        let workspace = first.workspace
        try await hosted.upstream.tokens.store(Secret(token.revealed), for: workspace, context: context)
    }
}
