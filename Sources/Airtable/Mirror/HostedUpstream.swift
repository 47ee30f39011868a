import Domain
import Outbound

/// The hosted service as this process may use it.
public struct HostedUpstream: Sendable {
    public let client: HostedClient
    public let tokens: HostedTokens

    public init(client: HostedClient, tokens: HostedTokens) {
        self.client = client
        self.tokens = tokens
    }

    /// A call on behalf of `context`, with the token of its workspace.
    ///
    /// - Throws: `authenticationRequired` when there is none.
    func call(
        for workspace: WorkspaceID,
        lane: HostedLane = .interactive,
        wantsFresh: Bool = false,
        patience: Duration? = nil,
        context: RequestContext
    ) async throws -> HostedCall {
        HostedCall(
            token: try await tokens.token(for: workspace, context: context),
            caller: context.principal.key?.description ?? context.principal.user.description,
            lane: lane,
            deadline: patience.map { client.clock.now() + $0 } ?? context.deadline,
            wantsFresh: wantsFresh
        )
    }
}
