package import Database
package import Domain

/// Invites in SQL, by the digest of their tokens.
package struct InviteStore: Sendable {
    let database: any SQLDatabase

    package init(database: any SQLDatabase) { self.database = database }

    static let migration = Migration(
        id: "access/0053-invites",
        [
            // `digest` is of the only token there is; without one while the mail that will hold it waits.
            """
            CREATE TABLE access_invites (
                tenant {text} NOT NULL REFERENCES access_tenants (id) ON DELETE CASCADE,
                id {text} NOT NULL,
                digest {bytes} UNIQUE,
                email {text} NOT NULL,
                email_key {text} NOT NULL,
                role {text} NOT NULL,
                places {text} NOT NULL,
                invited_by {text} NOT NULL,
                mailed {int} NOT NULL,
                created_time {int} NOT NULL,
                expires_time {int} NOT NULL,
                PRIMARY KEY (tenant, id)
            ) {strict}
            """,
            // A mail finds its invite by this alone.
            "CREATE UNIQUE INDEX access_invites_by_id ON access_invites (id)",
            "CREATE INDEX access_invites_by_time ON access_invites (expires_time)",
            "ALTER TABLE access_mails ADD COLUMN invite {text}",
        ]
    )

    static let ownMigration = Migration(
        id: "access/0054-own-invites",
        ["ALTER TABLE access_invites ADD COLUMN own {int} NOT NULL DEFAULT 0"]
    )

    /// What became of an invite that was to be made.
    package enum Making: Sendable, Hashable {
        case made
        case limitReached
        /// A user of the tenant who does not sign in has the address.
        case addressTaken
        /// Too many mails went to this address lately.
        case mailedOften
    }

    /// Adds an invite, unless the tenant has `limit` of them that are not dead. An earlier one by the same inviter for the
    /// same address dies.
    ///
    /// - Parameters:
    ///   - digest: of its token; nil for one that is mailed, and whose token is made when that is sent.
    ///   - tellsTaken: whether the inviter may know whose address it is; else accepting is refused without a word.
    package func insert(
        _ invite: Invite,
        digest: [UInt8]?,
        tellsTaken: Bool = true,
        limit: Int,
        tenant: TenantID,
        audit: AuditEvent,
        deadline: ContinuousClock.Instant? = nil
    ) async throws -> Making {
        precondition(invite.isMailed == (digest == nil), "a token is mailed or handed over")
        return try await database.write(of: .tenant(tenant), deadline: deadline) { transaction in
            try transaction.lock("access_invites \(tenant)")
            guard try !tellsTaken || invite.isOwn || !Self.isTaken(invite.email, tenant, transaction) else {
                return .addressTaken
            }
            let count = try transaction.firstRow(
                """
                SELECT COUNT(*) FROM access_invites
                WHERE tenant = $1 AND expires_time > $2 AND NOT (email_key = $3 AND invited_by = $4)
                """,
                [.id(tenant), .instant(invite.createdTime), .text(invite.email.key), .id(invite.invitedBy)]
            )?.integer(0)
            guard (count ?? 0) < Int64(limit) else { return .limitReached }
            if invite.isMailed {
                guard try AttemptStore.takeMail(to: invite.email.key, at: invite.createdTime, transaction) else {
                    return .mailedOften
                }
                try MailQueue.append(
                    .invite,
                    to: invite.email,
                    invite: invite.id,
                    at: invite.createdTime,
                    transaction
                )
            }
            try transaction.execute(
                "DELETE FROM access_invites WHERE tenant = $1 AND email_key = $2 AND invited_by = $3",
                [.id(tenant), .text(invite.email.key), .id(invite.invitedBy)]
            )
            try Self.insert(invite, digest: digest, tenant, transaction)
            try AuditLog.append(audit, tenant: tenant, in: transaction)
            return .made
        }
    }

    /// Those that can be accepted at `now`, oldest first.
    package func invites(
        at now: Instant,
        tenant: TenantID,
        deadline: ContinuousClock.Instant? = nil
    ) async throws -> [Invite] {
        try await database.read(of: .tenant(tenant), deadline: deadline) { transaction in
            try transaction.rows(
                """
                SELECT \(Self.columns) FROM access_invites WHERE tenant = $1 AND expires_time > $2
                ORDER BY created_time, id
                """,
                [.id(tenant), .instant(now)]
            ).map(Self.invite)
        }
    }

    /// - Returns: false when there is no such invite.
    package func delete(
        _ invite: InviteID,
        tenant: TenantID,
        audit: AuditEvent,
        deadline: ContinuousClock.Instant? = nil
    ) async throws -> Bool {
        try await database.write(of: .tenant(tenant), deadline: deadline) { transaction in
            let gone = try transaction.execute(
                "DELETE FROM access_invites WHERE tenant = $1 AND id = $2",
                [.id(tenant), .id(invite)]
            )
            if gone == 1 { try AuditLog.append(audit, tenant: tenant, in: transaction) }
            return gone == 1
        }
    }

    /// The invite of a token, of whatever tenant: the token tells which. Nil when it is unknown, dead, or its tenant lets
    /// nobody in.
    package func invite(
        _ digest: [UInt8],
        at now: Instant,
        deadline: ContinuousClock.Instant? = nil
    ) async throws -> (tenant: TenantID, invite: Invite)? {
        try await database.read(of: .everyTenant, deadline: deadline) { try Self.invite(digest, at: now, $0) }
    }

    /// Removes invites that are dead, of whatever tenant.
    ///
    /// - Returns: how many.
    package func sweep(at now: Instant, limit: Int, deadline: ContinuousClock.Instant? = nil) async throws -> Int {
        try await database.write(of: .everyTenant, deadline: deadline) { transaction in
            try transaction.execute(
                """
                DELETE FROM access_invites WHERE id IN (
                    SELECT id FROM access_invites WHERE expires_time <= $1 ORDER BY expires_time LIMIT $2
                )
                """,
                [.instant(now), .integer(Int64(limit))]
            )
        }
    }

    // MARK: Steps

    /// Gives an invite that is mailed its token; what was mailed before is dead.
    ///
    /// - Returns: false when the invite is gone.
    static func issue(_ digest: [UInt8], for invite: String?, at now: Instant, _ transaction: any Transaction) throws
        -> Bool
    {
        try transaction.execute(
            "UPDATE access_invites SET digest = $2 WHERE id = $1 AND mailed = 1 AND expires_time > $3",
            [SQLValue(invite), .bytes(digest), .instant(now)]
        ) == 1
    }

    /// Whether a user of the tenant has the address who is no person that signs in. Whoever gets in by that address
    /// would be taken for them.
    static func isTaken(_ email: EmailAddress, _ tenant: TenantID, _ transaction: any Transaction) throws -> Bool {
        try transaction.firstRow(
            "SELECT 1 FROM access_users WHERE tenant = $1 AND email = $2 AND account IS NULL",
            [.id(tenant), .text(email.text.lowercased())]
        ) != nil
    }

    static func invite(
        _ digest: [UInt8],
        at now: Instant,
        _ transaction: any Transaction
    ) throws -> (tenant: TenantID, invite: Invite)? {
        try transaction.firstRow(
            """
            SELECT \(columns), tenant FROM access_invites
            WHERE digest = $1 AND expires_time > $2
                AND EXISTS (SELECT 1 FROM access_tenants t WHERE t.id = access_invites.tenant AND t.state = 'active')
            """,
            [.bytes(digest), .instant(now)]
        ).map { (try $0.identifier($0.count - 1, of: "access_invites"), try invite($0)) }
    }

    private static let columns =
        "id, email, email_key, role, places, invited_by, own, mailed, created_time, expires_time"

    private static func invite(_ row: Row) throws -> Invite {
        let places = try row.text(4).split(separator: " ").map { text in
            guard let place = InvitedPlace(text: text) else { throw AccessError.corrupt("access_invites", "place") }
            return place
        }
        return Invite(
            id: try row.identifier(0, of: "access_invites"),
            email: EmailAddress(text: try row.text(1), key: try row.text(2)),
            role: try AccessStore.role(row.text(3)),
            places: places,
            invitedBy: try row.identifier(5, of: "access_invites"),
            isOwn: try row.bool(6),
            isMailed: try row.bool(7),
            createdTime: Instant(microseconds: try row.integer(8)),
            expires: Instant(microseconds: try row.integer(9))
        )
    }

    private static func insert(
        _ invite: Invite,
        digest: [UInt8]?,
        _ tenant: TenantID,
        _ transaction: any Transaction
    ) throws {
        try transaction.execute(
            """
            INSERT INTO access_invites (tenant, id, digest, email, email_key, role, places, invited_by, own,
                mailed, created_time, expires_time)
            VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)
            """,
            [
                .id(tenant), .id(invite.id), digest.map { .bytes($0) } ?? .null, .text(invite.email.text),
                .text(invite.email.key), .text(invite.role.rawValue),
                .text(invite.places.map(\.text).joined(separator: " ")), .id(invite.invitedBy),
                SQLValue(invite.isOwn), SQLValue(invite.isMailed), .instant(invite.createdTime),
                .instant(invite.expires),
            ]
        )
    }
}
