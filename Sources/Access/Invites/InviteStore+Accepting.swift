import Database
package import Domain

extension InviteStore {
    /// Who accepts an invite.
    package struct Joining: Sendable {
        /// The account that the invite's address has, or the one that is made for it with this hash.
        package enum Holder: Sendable {
            case account(AccountID)
            case newcomer(Account, password: String)

            var id: AccountID {
                switch self {
                case .account(let id): id
                case .newcomer(let account, _): account.id
                }
            }
        }

        package let holder: Holder
        /// What they are from now on, unless they are a user already.
        package let user: User
        /// Of what happens; each event gets its action and object.
        package let audit: AuditEvent
        package let time: Instant
    }

    /// What became of an invite that was accepted.
    package enum Acceptance: Sendable, Hashable {
        case accepted(User)
        /// Used up, dead or taken back; or its person cannot join any more.
        case missing
        case usersMax
        case grantsMax
    }

    /// Uses an invite up and makes its person a user, all of it or nothing. Whoever is a user already keeps their role and
    /// gets what the invite gives beside it.
    package func accept(
        _ digest: [UInt8],
        by joining: Joining,
        tenant: TenantID,
        usersMax: Int,
        grantsMax: Int,
        deadline: ContinuousClock.Instant? = nil
    ) async throws -> Acceptance {
        do {
            return try await database.write(of: .tenant(tenant), deadline: deadline) { transaction in
                try Self.accept(digest, by: joining, tenant, usersMax: usersMax, grantsMax: grantsMax, transaction)
            }
        } catch let refusal as Refusal {
            return refusal.acceptance
        }
    }

    private static func accept(
        _ digest: [UInt8],
        by joining: Joining,
        _ tenant: TenantID,
        usersMax: Int,
        grantsMax: Int,
        _ transaction: any Transaction
    ) throws -> Acceptance {
        try transaction.lock("access_users \(tenant)")
        try transaction.lock("access_policy \(tenant)")
        // Only now, since others may have used it while this one waited.
        guard let (home, invite) = try Self.invite(digest, at: joining.time, transaction), home == tenant,
            try Self.isStill(joining.holder, of: invite, transaction)
        else { return .missing }
        var known = try Self.user(with: joining.holder.id, tenant, transaction)
        if known == nil, invite.isOwn {
            known = try Self.inviter(of: invite, tenant, transaction)
            guard known != nil else { return .missing }
            try Self.link(invite.invitedBy, joining.holder, tenant, transaction)
        } else if known == nil {
            guard try !Self.isTaken(invite.email, tenant, transaction) else { return .missing }
            let most = min(usersMax, try AccessStore.limits(tenant, transaction).usersMax)
            guard try AccessStore.count("access_users", tenant, transaction) < most else { return .usersMax }
        }
        guard known?.isDisabled != true else { return .missing }
        let user = try known ?? Self.join(joining, as: invite.role, tenant, transaction)
        var events = [Self.event(.inviteAccepted, AuditObject(.invite, invite.id), user, joining)]
        if known == nil {
            events.append(Self.event(.userCreated, AuditObject(.user, user.id), user, joining))
        }
        for grant in try Self.grants(of: invite, to: user, at: joining.time, tenant, transaction) {
            let refusal = try AccessStore.insert(grant, tenant: tenant, limit: grantsMax, transaction)
            // What was written before goes with the transaction.
            if let refusal { throw Refusal(refusal == .limitReached ? .grantsMax : .missing) }
            events.append(Self.event(.grantCreated, AuditObject(.grant, grant.id), user, joining))
        }
        try transaction.execute(
            "DELETE FROM access_invites WHERE tenant = $1 AND id = $2",
            [.id(tenant), .id(invite.id)]
        )
        try AccessStore.bump(tenant, in: transaction)
        try AuditLog.append(events, tenant: tenant, in: transaction)
        return .accepted(user)
    }

    /// Whether the account is the one of the invite's address, or the address still has none.
    private static func isStill(
        _ holder: Joining.Holder,
        of invite: Invite,
        _ transaction: any Transaction
    ) throws -> Bool {
        let present = try AccountStore.account(email: invite.email.key, transaction)?.account.id
        return switch holder {
        case .account(let id): present == id
        case .newcomer: present == nil
        }
    }

    private static func user(
        with account: AccountID,
        _ tenant: TenantID,
        _ transaction: any Transaction
    ) throws -> User? {
        try transaction.firstRow(
            "SELECT \(AccessStore.userColumns) FROM access_users WHERE tenant = $1 AND account = $2",
            [.id(tenant), .id(account)]
        ).map(AccessStore.user)
    }

    /// The user that an invite of their own lets sign in, as long as nobody does as them.
    private static func inviter(
        of invite: Invite,
        _ tenant: TenantID,
        _ transaction: any Transaction
    ) throws -> User? {
        try transaction.firstRow(
            """
            SELECT \(AccessStore.userColumns) FROM access_users
            WHERE tenant = $1 AND id = $2 AND email = $3 AND account IS NULL AND disabled = 0
            """,
            [.id(tenant), .id(invite.invitedBy), .text(invite.email.text.lowercased())]
        ).map(AccessStore.user)
    }

    /// Makes the account, when it is a new one, and its holder a user's.
    private static func link(
        _ user: UserID,
        _ holder: Joining.Holder,
        _ tenant: TenantID,
        _ transaction: any Transaction
    ) throws {
        if case .newcomer(let account, let password) = holder {
            guard try AccountStore.insert(account, password: password, transaction) else { throw Refusal(.missing) }
            try transaction.execute(
                "DELETE FROM access_registrations WHERE email_key = $1",
                [.text(account.email.key)]
            )
        }
        try transaction.execute(
            "UPDATE access_users SET account = $3 WHERE tenant = $1 AND id = $2",
            [.id(tenant), .id(user), .id(holder.id)]
        )
    }

    private static func join(
        _ joining: Joining,
        as role: Role,
        _ tenant: TenantID,
        _ transaction: any Transaction
    ) throws -> User {
        var user = joining.user
        user.role = role
        // Of two people with one name the second is told apart by a number.
        for number in 2... {
            if try AccessStore.insert(user, tenant: tenant, transaction) == 1 { break }
            guard number < 1_000 else { throw Refusal(.missing) }
            user.name = "\(joining.user.name.prefix(90)) \(number)"
        }
        try link(user.id, joining.holder, tenant, transaction)
        return user
    }

    /// What the invite gives and its person has not; nothing at places that are gone.
    private static func grants(
        of invite: Invite,
        to user: User,
        at time: Instant,
        _ tenant: TenantID,
        _ transaction: any Transaction
    ) throws -> [Grant] {
        if invite.places.isEmpty { return [] }
        let held = try AccessStore.grants(tenant, transaction).filter {
            $0.subject == .user(user.id) && $0.effect == .allow && $0.condition == nil
        }
        return try invite.places.compactMap { place in
            let isThere =
                switch place.resource {
                case .workspace(let id): try AccessStore.exists("access_workspaces", .id(id), tenant, transaction)
                case .base(let id):
                    try transaction.firstRow(
                        "SELECT 1 FROM access_bases WHERE tenant = $1 AND base = $2",
                        [.id(tenant), .id(id)]
                    ) != nil
                case .tenant, .table, .view, .record, .field: false
                }
            let isHeld = held.contains { $0.resource == place.resource && $0.bundle == .role(place.role) }
            guard isThere, !isHeld else { return nil }
            return Grant(
                id: .random(),
                subject: .user(user.id),
                effect: .allow,
                bundle: .role(place.role),
                resource: place.resource,
                condition: nil,
                createdBy: invite.invitedBy,
                createdTime: time
            )
        }
    }

    private static func event(
        _ action: AuditAction,
        _ object: AuditObject,
        _ user: User,
        _ joining: Joining
    ) -> AuditEvent {
        var event = joining.audit
        event.action = action
        event.object = object
        event.user = user.id
        if action == .userCreated { event.details[.role] = user.role.rawValue }
        return event
    }

    /// Takes back what a transaction has written.
    struct Refusal: Error {
        let acceptance: Acceptance

        init(_ acceptance: Acceptance) { self.acceptance = acceptance }
    }
}
