public import Domain

/// A token for a single resource, such as MCP.
public struct ResourceToken: Sendable, Hashable {
    /// A JWT for the header `Authorization: Bearer`, at that resource only.
    public let text: String
    /// Seconds that it lives.
    public let seconds: Int64
    /// What it is for at most.
    public let scopes: Set<Permission>
}

extension AccessService {
    /// Makes a token of the caller's session that opens one resource, with no more than some of their rights.
    ///
    /// It carries no rights: what it opens is what the user may do at that moment and its scopes hold. It ends with its session,
    /// and cannot be refreshed; whoever has the session makes another.
    ///
    /// - Parameters:
    ///   - resource: the canonical address of the resource; it is the token's audience.
    ///   - scope: words with a space between; nil for all that the caller may do and a token may be made for. What they may not do
    ///     is left out.
    /// - Throws: `sessionRequired`; `invalidScope` for a word that is no scope, and when nothing is left.
    public func resourceToken(
        for resource: String,
        scope: String?,
        context: RequestContext
    ) async throws -> ResourceToken {
        let session = try await ownSession(context)
        let held = context.principal.permissions.intersection(TokenScopes.supported)
        let scopes = try scope.map { try Self.scopes($0).intersection(held) } ?? held
        guard !scopes.isEmpty else {
            throw AccessError(
                .invalidScope,
                "You may do nothing of what this token would be for.",
                hint: "you may: \(TokenScopes.text(held))"
            )
        }
        let signer = try await keyRing.signer(deadline: context.deadline)
        let (text, seconds) = try token(session, audience: resource, scopes: scopes, signer)
        audit.note(
            .tokenIssued,
            by: context,
            object: AuditObject(.session, session.id),
            details: [.scopes: TokenScopes.text(scopes)]
        )
        return ResourceToken(text: text, seconds: seconds, scopes: scopes)
    }

    private static func scopes(_ text: String) throws(AccessError) -> Set<Permission> {
        guard let scopes = TokenScopes.permissions(text), scopes.isSubset(of: TokenScopes.supported) else {
            throw AccessError(
                .invalidScope,
                "A scope is one or more words with a space between.",
                hint: "the words are: \(TokenScopes.text(TokenScopes.supported))"
            )
        }
        return scopes
    }
}
