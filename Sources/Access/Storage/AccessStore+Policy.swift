package import Database
package import Domain

/// What decisions depend on, in SQL: read whole, at one version.
extension AccessStore {
    static let policyMigration = Migration(
        id: "access/0030-policy",
        [
            // Raised by whatever changes an answer, in its own transaction; a tenant without a row is at 0.
            """
            CREATE TABLE access_versions (
                tenant {text} NOT NULL PRIMARY KEY,
                version {int} NOT NULL
            ) {strict}
            """,
            """
            CREATE TABLE access_roles (
                tenant {text} NOT NULL,
                id {text} NOT NULL,
                name {text} NOT NULL,
                permissions {text} NOT NULL,
                created_time {int} NOT NULL,
                PRIMARY KEY (tenant, id),
                UNIQUE (tenant, name)
            ) {strict}
            """,
            """
            CREATE TABLE access_groups (
                tenant {text} NOT NULL,
                id {text} NOT NULL,
                name {text} NOT NULL,
                created_time {int} NOT NULL,
                PRIMARY KEY (tenant, id),
                UNIQUE (tenant, name)
            ) {strict}
            """,
            """
            CREATE TABLE access_group_members (
                tenant {text} NOT NULL,
                user_group {text} NOT NULL,
                member {text} NOT NULL,
                PRIMARY KEY (tenant, user_group, member),
                FOREIGN KEY (tenant, user_group) REFERENCES access_groups (tenant, id) ON DELETE CASCADE,
                FOREIGN KEY (tenant, member) REFERENCES access_users (tenant, id) ON DELETE CASCADE
            ) {strict}
            """,
            "CREATE INDEX access_group_members_by_member ON access_group_members (tenant, member)",
            // `bundle` is a role's name or identifier, or permissions with spaces between; `place` the identifier of
            // what it is about, with the base and table that it is in.
            """
            CREATE TABLE access_grants (
                tenant {text} NOT NULL,
                id {text} NOT NULL,
                subject_kind {text} NOT NULL,
                subject {text} NOT NULL,
                effect {text} NOT NULL,
                bundle_kind {text} NOT NULL,
                bundle {text} NOT NULL,
                level {text} NOT NULL,
                place {text} NOT NULL,
                base {text},
                place_table {text},
                condition {text},
                created_by {text} NOT NULL,
                created_time {int} NOT NULL,
                PRIMARY KEY (tenant, id)
            ) {strict}
            """,
            "CREATE INDEX access_grants_by_subject ON access_grants (tenant, subject)",
            "CREATE INDEX access_grants_by_base ON access_grants (tenant, base)",
            "CREATE INDEX access_grants_by_place ON access_grants (tenant, place)",
            // Written by whoever keeps the bases, in the transaction that makes or deletes one.
            """
            CREATE TABLE access_bases (
                tenant {text} NOT NULL,
                base {text} NOT NULL,
                workspace {text} NOT NULL,
                PRIMARY KEY (tenant, base)
            ) {strict}
            """,
        ]
    )

    // MARK: Versions

    /// 0 when nothing has changed since the tenant was made.
    package func policyVersion(tenant: TenantID, deadline: ContinuousClock.Instant? = nil) async throws -> Int64 {
        try await database.glance(of: .tenant(tenant), deadline: deadline) { try Self.version(tenant, $0) }
    }

    /// The version of each of these tenants that has one; the others are at 0.
    package func policyVersions(of tenants: some Collection<TenantID> & Sendable) async throws -> [TenantID: Int64] {
        guard let first = tenants.first else { return [:] }
        return try await database.read(of: tenants.count == 1 ? .tenant(first) : .everyTenant) { transaction in
            var versions: [TenantID: Int64] = [:]
            var rest = tenants[...]
            while !rest.isEmpty {
                let group = rest.prefix(500)
                rest = rest.dropFirst(group.count)
                let places = (1...group.count).map { "$\($0)" }.joined(separator: ", ")
                let rows = try transaction.rows(
                    "SELECT tenant, version FROM access_versions WHERE tenant IN (\(places))",
                    group.map { .id($0) }
                )
                for row in rows { versions[try row.identifier(0, of: "access_versions")] = try row.integer(1) }
            }
            return versions
        }
    }

    /// Raises the version of a tenant's policy: call it in the transaction of whatever changes an answer.
    ///
    /// - Returns: the new version, which no answer before the commit has had.
    @discardableResult
    package static func bump(_ tenant: TenantID, in transaction: any Transaction) throws -> Int64 {
        let row = try transaction.firstRow(
            """
            INSERT INTO access_versions (tenant, version) VALUES ($1, 1)
            ON CONFLICT (tenant) DO UPDATE SET version = access_versions.version + 1 RETURNING version
            """,
            [.id(tenant)]
        )
        guard let row else { throw AccessError.corrupt("access_versions", "no version") }
        return try row.integer(0)
    }

    private static func version(_ tenant: TenantID, _ transaction: any Transaction) throws -> Int64 {
        let row = try transaction.firstRow("SELECT version FROM access_versions WHERE tenant = $1", [.id(tenant)])
        return try row?.integer(0) ?? 0
    }

    // MARK: Everything

    /// Everything that decides in a tenant, of one moment.
    ///
    /// - Throws: `corrupt` for a row that cannot be read: an unreadable refusal must not become none.
    package func policy(tenant: TenantID, deadline: ContinuousClock.Instant? = nil) async throws -> PolicySet {
        try await database.read(of: .tenant(tenant), deadline: deadline) { transaction in
            PolicySet(
                tenant: tenant,
                version: try Self.version(tenant, transaction),
                people: try Self.people(tenant, transaction),
                groups: try Self.groups(tenant, transaction),
                roles: try Self.roles(tenant, transaction).reduce(into: [:]) { $0[$1.id] = $1.permissions },
                placements: try Self.placements(tenant, transaction),
                grants: try Self.grants(tenant, transaction)
            )
        }
    }

    private static func people(
        _ tenant: TenantID,
        _ transaction: any Transaction
    ) throws -> [UserID: PolicySet.Person] {
        var people: [UserID: PolicySet.Person] = [:]
        try transaction.forEachRow(
            "SELECT id, role, disabled, name, email FROM access_users WHERE tenant = $1",
            [.id(tenant)]
        ) { row in
            people[try row.identifier(0, of: "access_users")] = PolicySet.Person(
                role: try role(row.text(1)),
                isDisabled: try row.bool(2),
                name: try row.text(3),
                email: try row.optionalText(4)
            )
        }
        return people
    }

    private static func groups(
        _ tenant: TenantID,
        _ transaction: any Transaction
    ) throws -> [GroupID: (name: String, members: [UserID])] {
        var groups: [GroupID: (name: String, members: [UserID])] = [:]
        try transaction.forEachRow("SELECT id, name FROM access_groups WHERE tenant = $1", [.id(tenant)]) { row in
            groups[try row.identifier(0, of: "access_groups")] = (try row.text(1), [])
        }
        try transaction.forEachRow(
            "SELECT user_group, member FROM access_group_members WHERE tenant = $1 ORDER BY member",
            [.id(tenant)]
        ) { row in
            let group: GroupID = try row.identifier(0, of: "access_group_members")
            groups[group]?.members.append(try row.identifier(1, of: "access_group_members"))
        }
        return groups
    }

    private static func placements(
        _ tenant: TenantID,
        _ transaction: any Transaction
    ) throws -> [BaseID: WorkspaceID] {
        var placements: [BaseID: WorkspaceID] = [:]
        try transaction.forEachRow("SELECT base, workspace FROM access_bases WHERE tenant = $1", [.id(tenant)]) { row in
            placements[try row.identifier(0, of: "access_bases")] = try row.identifier(1, of: "access_bases")
        }
        return placements
    }
}
