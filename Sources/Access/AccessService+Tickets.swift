public import Domain
public import Logging

/// A word that opens one connection, once, for whoever cannot send a key along: a browser's WebSocket.
public struct ConnectionTicket: Sendable, Hashable {
    /// Shown once, never stored.
    public let text: String
    public let expires: Instant
}

extension AccessService {
    /// A ticket that stands for this request's key or session for `Limits.ticketSeconds`.
    ///
    /// It goes into an address, and addresses get into logs: hence once, briefly, and only a digest is kept.
    ///
    /// - Throws: `limitReached` when too many wait.
    public func issueTicket(context: RequestContext) throws(AccessError) -> ConnectionTicket {
        let entry = TicketBook.Entry(
            principal: context.principal,
            tenant: context.tenant,
            expires: tick() + .seconds(Limits.ticketSeconds)
        )
        let text = try tickets.issue(entry, at: tick())
        let life = Int64(Limits.ticketSeconds) * 1_000_000
        return ConnectionTicket(text: text, expires: Instant(microseconds: now().microseconds + life))
    }

    /// The context of a connection that came with a ticket, which is used up. Its key or session is checked again.
    ///
    /// - Throws: `unauthenticated`, always with the same message; errors of the database.
    public func redeemTicket(
        _ text: String,
        client: String? = nil,
        timeout: Duration,
        requestID: String,
        origin: Origin = .http,
        logger: Logger
    ) async throws -> RequestContext {
        guard let entry = tickets.redeem(text, at: tick()) else {
            throw AccessError.unauthenticated("no such ticket")
        }
        var context = context(
            id: requestID,
            principal: entry.principal,
            tenant: entry.tenant,
            deadline: .now + timeout,
            origin: origin,
            logger: logger
        )
        context.clientAddress = client
        return try await renewed(context, id: requestID, timeout: timeout)
    }

    /// The context of the next request on a connection that goes on: the same caller, if their key or session is still good, with
    /// the rights they have now.
    ///
    /// - Throws: `unauthenticated` when it died since; errors of the database.
    public func renewed(_ old: RequestContext, id: String? = nil, timeout: Duration) async throws -> RequestContext {
        if let session = old.principal.session {
            let deadline = ContinuousClock.now + timeout
            var context = context(
                id: id ?? "\(old.id).\(RunningName.short())",
                principal: try await principal(
                    session,
                    scopes: old.principal.scopes,
                    tenant: old.tenant,
                    deadline: deadline
                ),
                tenant: old.tenant,
                deadline: deadline,
                origin: old.origin,
                logger: old.logger
            )
            context.clientAddress = old.clientAddress
            return context
        }
        // Without a key or session it is the data directory's owner at the machine itself.
        guard let key = old.principal.key else { return child(of: old, id: id, timeout: timeout) }
        let deadline = ContinuousClock.now + timeout
        guard let stored = try await storedKey(key, deadline: deadline), stored.tenant == old.tenant else {
            throw AccessError.unauthenticated("key gone while in use")
        }
        switch Policy.admit(stored.facts, from: Self.client(old), at: now()) {
        case .refused(let refusal): throw AccessError.unauthenticated(refusal.rawValue)
        case .admitted:
            let permissions = try await permissions(of: stored.key.owner, key: stored.key, tenant: stored.tenant)
            var context = context(
                id: id ?? "\(old.id).\(RunningName.short())",
                principal: Principal(user: stored.key.owner, key: key, permissions: permissions),
                tenant: old.tenant,
                deadline: deadline,
                origin: old.origin,
                logger: old.logger
            )
            context.clientAddress = old.clientAddress
            return context
        }
    }
}
