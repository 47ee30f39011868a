public import Access
public import Domain
public import Outbound

/// The tokens that a tenant's workspaces call the hosted service with, personal or OAuth: encrypted at rest.
public struct HostedTokens: Sendable {
    private let vault: @Sendable () throws -> CredentialVault
    private let common: OutboundSecret?

    /// - Parameters:
    ///   - vault: opened when it is first needed: opening it may make a master key.
    ///   - common: the token of workspaces that have none of their own, such as that of the environment.
    public init(vault: @autoclosure @escaping @Sendable () throws -> CredentialVault, common: OutboundSecret? = nil) {
        self.vault = vault
        self.common = common
    }

    /// Stores a workspace's token in place of the one that was there. Needs `admin`.
    public func store(_ token: Secret, for workspace: WorkspaceID, context: RequestContext) async throws {
        try await vault().store(token, for: Self.purpose(workspace), context: context)
    }

    /// Deletes a workspace's own token. Needs `admin`.
    ///
    /// - Throws: `AccessError.notFound`.
    public func delete(for workspace: WorkspaceID, context: RequestContext) async throws {
        try await vault().delete(Self.purpose(workspace), context: context)
    }

    /// The token for calls on the caller's behalf: no edge may show it.
    ///
    /// - Throws: `authenticationRequired` when there is none.
    package func token(for workspace: WorkspaceID, context: RequestContext) async throws -> OutboundSecret {
        if let own = try await vault().read(Self.purpose(workspace), context: context) {
            return OutboundSecret(own.revealed)
        }
        if let common { return common }
        throw AirtableError(
            .authenticationRequired,
            "There is no token for the hosted service.",
            hint: "set AIRTABLE_API_KEY, or store a token for the workspace"
        )
    }

    /// Purposes have no capitals and identifiers do, so the identifier is written in hexadecimal.
    private static func purpose(_ workspace: WorkspaceID) -> CredentialPurpose {
        let digits = workspace.description.utf8.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
        guard let purpose = CredentialPurpose(rawValue: "airtable.token.\(digits)") else {
            preconditionFailure("airtable.token.\(digits) is no purpose")
        }
        return purpose
    }
}
