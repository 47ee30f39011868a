import Database
package import Domain

extension AccessStore {
    /// A session with what is needed to decide whether it opens the door.
    package struct StoredSession: Sendable, Hashable {
        package let session: UserSession
        package let facts: Policy.SessionFacts
    }

    /// What became of a session that was to begin.
    package enum SessionBeginning: Sendable, Hashable {
        case begun
        case userMissing
        case userDisabled
    }

    /// Adds a session with its first refresh token. Of those the user has, the one unused longest makes room when there
    /// are `limit`.
    package func insert(
        _ session: UserSession,
        refresh digest: [UInt8],
        limit: Int,
        audit: AuditEvent? = nil,
        deadline: ContinuousClock.Instant? = nil
    ) async throws -> SessionBeginning {
        try await database.write(of: .tenant(session.tenant), deadline: deadline) { transaction in
            // Without it, two at once would both pass the limit.
            try transaction.lock("access_sessions \(session.user)")
            let user = try transaction.firstRow(
                """
                SELECT CASE WHEN t.state = 'active' THEN u.disabled ELSE 1 END
                FROM access_users u JOIN access_tenants t ON t.id = u.tenant
                WHERE u.tenant = $1 AND u.id = $2
                """,
                [.id(session.tenant), .id(session.user)]
            )
            guard let user else { return .userMissing }
            guard try !user.bool(0) else { return .userDisabled }
            try transaction.execute(
                """
                DELETE FROM access_sessions WHERE tenant = $1 AND id IN (
                    SELECT id FROM access_sessions WHERE tenant = $1 AND owner = $2
                    ORDER BY last_seen_time DESC, created_time DESC, id LIMIT 1000000 OFFSET $3
                )
                """,
                [.id(session.tenant), .id(session.user), .integer(Int64(limit) - 1)]
            )
            try Self.insert(session, transaction)
            try Self.insert(refresh: digest, number: 1, session, at: session.createdTime, transaction)
            if let audit { try AuditLog.append(audit, tenant: session.tenant, in: transaction) }
            return .begun
        }
    }

    /// The session with what its user may do at present; nil when it was ended.
    package func session(
        _ id: SessionID,
        tenant: TenantID,
        deadline: ContinuousClock.Instant? = nil
    ) async throws -> StoredSession? {
        try await database.glance(of: .tenant(tenant), deadline: deadline) { try Self.session(id, tenant: tenant, $0) }
    }

    /// The user's sessions, in every tenant when an account stands behind them; the one seen last comes first.
    ///
    /// By account it crosses tenants, because a person's sessions are theirs wherever they are.
    package func sessions(
        user: UserID,
        account: AccountID?,
        tenant: TenantID,
        deadline: ContinuousClock.Instant? = nil
    ) async throws -> [UserSession] {
        try await database.read(of: .person(account, in: tenant), deadline: deadline) { transaction in
            try transaction.rows(
                """
                SELECT \(Self.sessionColumns) FROM \(Self.sessionTables)
                WHERE (s.tenant = $1 AND s.owner = $2) OR s.account = $3
                ORDER BY s.last_seen_time DESC, s.id
                """,
                [.id(tenant), .id(user), SQLValue(account?.description)]
            ).map { try Self.session($0).session }
        }
    }

    // MARK: Refreshing

    /// What became of a refresh token that was used.
    package enum Rotation: Sendable, Hashable {
        /// It is used up, and the next one stored in its place.
        case rotated(UserSession)
        /// No such token, or its session has ended.
        case unknown
        /// It was used before, or by another client: one of two who have it stole it, so its whole session has ended.
        case reused(UserSession)
        /// The session is over, or its user disabled.
        case refused(Policy.Refusal)
    }

    /// Uses a refresh token up and stores the next one, in one transaction: of any number of callers with the same token at
    /// once one gets a new one, and since the others count as using it again, that one is dead as well.
    ///
    /// Takes no tenant, because this is how a refresh's tenant is found.
    ///
    /// - Parameters:
    ///   - client: who uses it, with what is now known of the device.
    ///   - idleSeconds: for how long the session then lives unused.
    package func rotate(
        _ digest: [UInt8],
        to next: [UInt8],
        by client: SessionClient,
        idleSeconds: Int64,
        at now: Instant,
        deadline: ContinuousClock.Instant? = nil
    ) async throws -> Rotation {
        try await database.write(of: .everyTenant, deadline: deadline) { transaction in
            let row = try transaction.firstRow(
                "SELECT tenant, session, number FROM access_refresh_tokens WHERE digest = $1",
                [.bytes(digest)]
            )
            guard let row else { return .unknown }
            let tenant: TenantID = try row.identifier(0, of: "access_refresh_tokens")
            let id: SessionID = try row.identifier(1, of: "access_refresh_tokens")
            // The session's row first, as whoever ends it takes them: two at once wait here for each other.
            let held = try transaction.execute(
                "UPDATE access_sessions SET idle_time = idle_time WHERE tenant = $1 AND id = $2",
                [.id(tenant), .id(id)]
            )
            guard held == 1, let stored = try Self.session(id, tenant: tenant, transaction) else { return .unknown }
            let taken = try transaction.execute(
                "UPDATE access_refresh_tokens SET used_time = $2 WHERE digest = $1 AND used_time IS NULL",
                [.bytes(digest), .instant(now)]
            )
            guard taken == 1, stored.session.client.name == client.name else {
                try Self.endSession(id, tenant: tenant, transaction)
                let event = AuditEvent(.refreshReused, result: .refused, at: now, of: stored.session, by: client)
                try AuditLog.append(event, tenant: tenant, in: transaction)
                return .reused(stored.session)
            }
            if case .refused(let refusal) = Policy.admit(stored.facts, at: now) {
                try Self.endSession(id, tenant: tenant, transaction)
                return .refused(refusal)
            }
            var session = stored.session
            session.client = client
            session.lastSeenTime = max(session.lastSeenTime, now)
            session.idleEnds = min(now.adding(seconds: idleSeconds), session.expires)
            try Self.refresh(session, transaction)
            let number = try row.integer(2) + 1
            try Self.insert(refresh: next, number: number, session, at: now, transaction)
            try transaction.execute(
                "DELETE FROM access_refresh_tokens WHERE tenant = $1 AND session = $2 AND number <= $3",
                [.id(tenant), .id(id), .integer(number - 1 - Limits.usedRefreshTokens)]
            )
            let event = AuditEvent(.refresh, at: now, of: session, by: client)
            try AuditLog.append(event, tenant: tenant, in: transaction)
            return .rotated(session)
        }
    }

    // MARK: Ending

    /// Ends one session, with all its tokens.
    ///
    /// - Returns: false when there is none.
    package func endSession(
        _ id: SessionID,
        tenant: TenantID,
        audit: AuditEvent? = nil,
        deadline: ContinuousClock.Instant? = nil
    ) async throws -> Bool {
        try await database.write(of: .tenant(tenant), deadline: deadline) { transaction in
            let isFound = try Self.endSession(id, tenant: tenant, transaction)
            if isFound, let audit { try AuditLog.append(audit, tenant: tenant, in: transaction) }
            return isFound
        }
    }

    /// Ends one of the sessions that `sessions(user:account:tenant:)` lists.
    ///
    /// - Returns: the tenant it was in; nil when there is no such one.
    package func endSession(
        _ id: SessionID,
        ofUser user: UserID,
        account: AccountID?,
        tenant: TenantID,
        audit: AuditEvent? = nil,
        deadline: ContinuousClock.Instant? = nil
    ) async throws -> TenantID? {
        try await database.write(of: .person(account, in: tenant), deadline: deadline) { transaction in
            let row = try transaction.firstRow(
                """
                SELECT tenant FROM access_sessions
                WHERE id = $1 AND ((tenant = $2 AND owner = $3) OR account = $4)
                """,
                [.id(id), .id(tenant), .id(user), SQLValue(account?.description)]
            )
            guard let row else { return nil }
            let home: TenantID = try row.identifier(0, of: "access_sessions")
            guard try Self.endSession(id, tenant: home, transaction) else { return nil }
            if let audit { try AuditLog.append(audit, tenant: home, in: transaction) }
            return home
        }
    }

    /// Ends every session that `sessions(user:account:tenant:)` lists, but for one that may go on.
    ///
    /// - Returns: how many.
    package func endSessions(
        ofUser user: UserID,
        account: AccountID?,
        tenant: TenantID,
        except kept: SessionID? = nil,
        audit: AuditEvent? = nil,
        deadline: ContinuousClock.Instant? = nil
    ) async throws -> Int {
        try await database.write(of: .person(account, in: tenant), deadline: deadline) { transaction in
            var ended = try Self.endSessions(ofUser: user, tenant: tenant, except: kept, transaction)
            if let account { ended += try Self.endSessions(ofAccount: account, except: kept, transaction) }
            if var audit {
                audit.details[.count] = "\(ended)"
                try AuditLog.append(audit, tenant: tenant, in: transaction)
            }
            return ended
        }
    }

    /// For a transaction that changes what a user may do at all, such as disabling them.
    @discardableResult
    static func endSessions(
        ofUser user: UserID,
        tenant: TenantID,
        except kept: SessionID? = nil,
        _ transaction: any Transaction
    ) throws -> Int {
        try transaction.execute(
            "DELETE FROM access_sessions WHERE tenant = $1 AND owner = $2 AND id <> $3",
            [.id(tenant), .id(user), .text(kept?.description ?? "")]
        )
    }

    /// For a transaction that changes a person's password: their sessions in every tenant, since it opened all of them.
    @discardableResult
    static func endSessions(
        ofAccount account: AccountID,
        except kept: SessionID? = nil,
        _ transaction: any Transaction
    ) throws -> Int {
        try transaction.execute(
            "DELETE FROM access_sessions WHERE account = $1 AND id <> $2",
            [.id(account), .text(kept?.description ?? "")]
        )
    }

    /// Removes sessions that are over at `now`, of every tenant: nobody can use or see them any more.
    ///
    /// - Returns: how many, at most `limit`.
    package func deleteOverSessions(
        at now: Instant,
        limit: Int,
        deadline: ContinuousClock.Instant? = nil
    ) async throws -> Int {
        try await database.write(of: .everyTenant, deadline: deadline) { transaction in
            let rows = try transaction.rows(
                "SELECT tenant, id FROM access_sessions WHERE idle_time <= $1 OR expires_time <= $1 LIMIT $2",
                [.instant(now), .integer(Int64(limit))]
            )
            return try transaction.execute(
                "DELETE FROM access_sessions WHERE tenant = $1 AND id = $2",
                each: rows.map { [$0[0], $0[1]] }
            )
        }
    }

    /// Records when sessions were used last, in one transaction. Never moves a time back; sessions that ended are skipped.
    package func recordUse(
        _ uses: [(id: SessionID, tenant: TenantID, time: Instant)],
        deadline: ContinuousClock.Instant? = nil
    ) async throws {
        try await database.write(of: .everyTenant, deadline: deadline) { transaction in
            try transaction.execute(
                """
                UPDATE access_sessions SET last_seen_time = $1
                WHERE tenant = $2 AND id = $3 AND last_seen_time < $1
                """,
                each: uses.map { [.instant($0.time), .id($0.tenant), .id($0.id)] }
            )
        }
    }
}
