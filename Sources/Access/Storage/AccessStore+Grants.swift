import Database
package import Domain

extension AccessStore {
    /// What became of a change of grants, roles or groups.
    package enum PolicyChange: Sendable, Hashable {
        /// With the policy's new version.
        case done(Int64)
        case limitReached
        case nameTaken
        /// Whom or what it is about is not there.
        case missing
        /// A grant needs it.
        case inUse
    }

    /// Adds a grant, unless the tenant has `limit` of them, or not its subject or role.
    package func insert(
        _ grant: Grant,
        tenant: TenantID,
        limit: Int,
        audit: AuditEvent? = nil,
        deadline: ContinuousClock.Instant? = nil
    ) async throws -> PolicyChange {
        try await database.write(of: .tenant(tenant), deadline: deadline) { transaction in
            // Without it, two at once would both pass the limit, and a subject could go away meanwhile.
            try transaction.lock("access_policy \(tenant)")
            if let refusal = try Self.insert(grant, tenant: tenant, limit: limit, transaction) { return refusal }
            let version = try Self.bump(tenant, in: transaction)
            if let audit { try AuditLog.append(audit, tenant: tenant, in: transaction) }
            return .done(version)
        }
    }

    package func deleteGrant(
        _ grant: GrantID,
        tenant: TenantID,
        audit: AuditEvent? = nil,
        deadline: ContinuousClock.Instant? = nil
    ) async throws -> PolicyChange {
        try await database.write(of: .tenant(tenant), deadline: deadline) { transaction in
            try transaction.lock("access_policy \(tenant)")
            let gone = try transaction.execute(
                "DELETE FROM access_grants WHERE tenant = $1 AND id = $2",
                [.id(tenant), .id(grant)]
            )
            guard gone == 1 else { return .missing }
            let version = try Self.bump(tenant, in: transaction)
            if let audit { try AuditLog.append(audit, tenant: tenant, in: transaction) }
            return .done(version)
        }
    }

    /// Writes a grant inside the transaction of whoever has locked the policy and raises its version.
    ///
    /// - Returns: why it was not written; nil when it was.
    static func insert(
        _ grant: Grant,
        tenant: TenantID,
        limit: Int,
        _ transaction: any Transaction
    ) throws -> PolicyChange? {
        guard try Self.exists(grant.subject, tenant, transaction) else { return .missing }
        if case .customRole(let role) = grant.bundle {
            guard try Self.exists("access_roles", .id(role), tenant, transaction) else { return .missing }
        }
        if case .workspace(let workspace) = grant.resource {
            guard try Self.exists("access_workspaces", .id(workspace), tenant, transaction) else { return .missing }
        }
        guard try Self.count("access_grants", tenant, transaction) < limit else { return .limitReached }
        try transaction.execute(
            """
            INSERT INTO access_grants (tenant, id, subject_kind, subject, effect, bundle_kind, bundle, level, place,
                base, place_table, condition, created_by, created_time)
            VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)
            """,
            [
                .id(tenant), .id(grant.id), .text(grant.subject.kind), .text(grant.subject.stored),
                .text(grant.effect.rawValue), .text(grant.bundle.kind), .text(grant.bundle.stored),
                .text(grant.resource.level.rawValue), .text(grant.resource.identifier ?? ""),
                SQLValue(grant.resource.base?.description), SQLValue(grant.resource.table?.description),
                SQLValue(grant.condition), .id(grant.createdBy), .instant(grant.createdTime),
            ]
        )
        return nil
    }

    static func grants(_ tenant: TenantID, _ transaction: any Transaction) throws -> [Grant] {
        var grants: [Grant] = []
        try transaction.forEachRow(
            """
            SELECT id, subject_kind, subject, effect, bundle_kind, bundle, level, place, base, place_table, condition,
                created_by, created_time
            FROM access_grants WHERE tenant = $1 ORDER BY id
            """,
            [.id(tenant)]
        ) { grants.append(try grant($0)) }
        return grants
    }

    private static func grant(_ row: Row) throws -> Grant {
        guard let effect = Grant.Effect(rawValue: try row.text(3)) else { throw corrupt("effect") }
        return Grant(
            id: try row.identifier(0, of: "access_grants"),
            subject: try subject(row.text(1), row.text(2)),
            effect: effect,
            bundle: try bundle(row.text(4), row.text(5)),
            resource: try resource(row),
            condition: try row.optionalText(10),
            createdBy: try row.identifier(11, of: "access_grants"),
            createdTime: Instant(microseconds: try row.integer(12))
        )
    }

    private static func subject(_ kind: String, _ text: String) throws -> Grant.Subject {
        switch kind {
        case "user": if let id = UserID(text) { return .user(id) }
        case "group": if let id = GroupID(text) { return .group(id) }
        case "key": if let id = KeyID(text) { return .key(id) }
        case "everybody": return .everybody
        default: break
        }
        throw corrupt("subject")
    }

    private static func bundle(_ kind: String, _ text: String) throws -> Grant.Bundle {
        switch kind {
        case "role": if let role = Role(rawValue: text) { return .role(role) }
        case "custom": if let id = RoleID(text) { return .customRole(id) }
        case "permissions": return .permissions(permissions(text))
        default: break
        }
        throw corrupt("bundle")
    }

    /// A permission that this program does not know is nothing that it could allow or deny.
    static func permissions(_ text: String) -> Set<Permission> {
        Set(text.split(separator: " ").compactMap { Permission(rawValue: String($0)) })
    }

    private static func resource(_ row: Row) throws -> Resource {
        func id<Kind>(_ text: String?) throws -> Identifier<Kind> {
            guard let id = text.flatMap({ Identifier<Kind>($0) }) else { throw corrupt("place") }
            return id
        }
        let (place, base, table) = (try row.text(7), try row.optionalText(8), try row.optionalText(9))
        return switch Resource.Level(rawValue: try row.text(6)) {
        case .tenant: .tenant
        case .workspace: .workspace(try id(place))
        case .base: .base(try id(place))
        case .table: .table(try id(place), try id(base))
        case .view: .view(try id(place), try id(table), try id(base))
        case .record: .record(try id(place), try id(table), try id(base))
        case .field: .field(try id(place), try id(table), try id(base))
        case nil: throw corrupt("level")
        }
    }

    private static func corrupt(_ what: String) -> AccessError { .corrupt("access_grants", what) }

    private static func exists(
        _ subject: Grant.Subject,
        _ tenant: TenantID,
        _ transaction: any Transaction
    ) throws -> Bool {
        switch subject {
        case .user(let id): try exists("access_users", .id(id), tenant, transaction)
        case .group(let id): try exists("access_groups", .id(id), tenant, transaction)
        case .key(let id): try exists("access_keys", .id(id), tenant, transaction)
        case .everybody: true
        }
    }

    static func exists(
        _ table: String,
        _ id: SQLValue,
        _ tenant: TenantID,
        _ transaction: any Transaction
    ) throws -> Bool {
        try transaction.firstRow("SELECT 1 FROM \(table) WHERE tenant = $1 AND id = $2", [.id(tenant), id]) != nil
    }

    /// Whether another of a tenant's than `id` is called `name`.
    static func isTaken(
        _ name: String,
        besides id: SQLValue,
        in table: String,
        _ tenant: TenantID,
        _ transaction: any Transaction
    ) throws -> Bool {
        try transaction.firstRow(
            "SELECT 1 FROM \(table) WHERE tenant = $1 AND name = $2 AND id <> $3",
            [.id(tenant), .text(name), id]
        ) != nil
    }

    static func count(_ table: String, _ tenant: TenantID, _ transaction: any Transaction) throws -> Int {
        let row = try transaction.firstRow("SELECT COUNT(*) FROM \(table) WHERE tenant = $1", [.id(tenant)])
        return Int(try row?.integer(0) ?? 0)
    }
}

extension Grant.Subject {
    package var kind: String {
        switch self {
        case .user: "user"
        case .group: "group"
        case .key: "key"
        case .everybody: "everybody"
        }
    }

    /// Its identifier; empty for everybody.
    package var stored: String {
        switch self {
        case .user(let id): id.description
        case .group(let id): id.description
        case .key(let id): id.description
        case .everybody: ""
        }
    }
}

extension Grant.Bundle {
    fileprivate var kind: String {
        switch self {
        case .role: "role"
        case .customRole: "custom"
        case .permissions: "permissions"
        }
    }

    fileprivate var stored: String {
        switch self {
        case .role(let role): role.rawValue
        case .customRole(let id): id.description
        case .permissions(let permissions): AccessStore.text(permissions)
        }
    }
}

extension AccessStore {
    static func text(_ permissions: Set<Permission>) -> String {
        permissions.map(\.rawValue).sorted().joined(separator: " ")
    }
}
