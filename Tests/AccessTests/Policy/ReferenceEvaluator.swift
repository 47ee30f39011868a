import Access
import Domain

/// The rules of docs/permissions.md, written down one by one and looked through from the first grant to the last at every
/// question: slow, and sharing nothing with the decision but the values it is about.
struct ReferenceEvaluator {
    struct Key {
        var id: KeyID
        var scopes: Set<Permission>
        var bases: Set<BaseID>?
        var tables: [BaseID: Set<TableID>] = [:]
    }

    var people: [UserID: PolicySet.Person] = [:]
    var groups: [GroupID: (name: String, members: [UserID])] = [:]
    var roles: [RoleID: Set<Permission>] = [:]
    var placements: [BaseID: WorkspaceID] = [:]
    var grants: [Grant] = []

    static let administrative: Set<Permission> = [.keysManage, .membersManage, .auditRead, .admin]
    static let aboutRecords: Set<Permission> = [
        .recordsRead, .recordsWrite, .recordsDelete, .commentsRead, .commentsWrite, .search, .chat,
    ]
    static let aboutTheirTable: Set<Permission> = [.basesRead, .schemaRead]
    static let reading: Set<Permission> = [
        .basesRead, .schemaRead, .recordsRead, .commentsRead, .search, .chat, .embed, .webhooksManage,
    ]

    /// What somebody must see of a thing before they can do `permission` with it.
    static func sight(_ permission: Permission) -> Permission {
        switch permission {
        case .schemaRead, .schemaWrite: .schemaRead
        case .basesRead, .keysManage, .membersManage, .auditRead, .admin: permission
        default: .recordsRead
        }
    }

    /// - Parameter truth: nil for a formula that is broken.
    func may(
        _ user: UserID,
        _ key: Key? = nil,
        _ permission: Permission,
        _ asked: Resource,
        _ truth: @escaping (String) -> Bool?
    ) -> Bool {
        guard let person = people[user], !person.isDisabled else { return false }
        var resource = asked
        if case .record(_, let table, let base) = asked, !Self.aboutRecords.contains(permission) {
            resource = .table(table, base)
        }
        let sight = Self.sight(permission)
        let question = Question(resource: resource, path: path(resource), truth: truth)
        let mine = grants.filter { isAbout($0.subject, user) }
        let isOwner = person.role == .owner
        let ground = person.role.permissions
        guard gives(mine, ground, isOwner, sight, question, isSight: true),
            gives(mine, ground, isOwner, permission, question, isSight: sight == permission)
        else { return false }
        guard let key else { return true }
        guard key.scopes.contains(permission), isInside(key, resource, permission) else { return false }
        // Of a key's own grants allowances are limits, and who may do anything at a place may know that it exists.
        let own = grants.filter { $0.subject == .key(key.id) }
        let isLimited = own.contains { $0.effect == .allow }
        let keyGround = isLimited ? [] : Set(Permission.allCases)
        let seeing = own.map { grant in
            let permissions = permissions(of: grant)
            guard grant.effect == .allow, !permissions.isEmpty else { return grant }
            let wider = permissions.union([.basesRead, .schemaRead, .recordsRead])
            return Grant(
                id: grant.id,
                subject: grant.subject,
                effect: .allow,
                bundle: .permissions(wider),
                resource: grant.resource,
                condition: grant.condition,
                createdBy: grant.createdBy,
                createdTime: grant.createdTime
            )
        }
        return gives(seeing, keyGround, false, sight, question, isSight: true)
            && gives(own, keyGround, false, permission, question, isSight: sight == permission)
    }

    struct Question {
        var resource: Resource
        /// The resource and everything above it.
        var path: [Resource]
        var truth: (String) -> Bool?
    }

    private func path(_ resource: Resource) -> [Resource] {
        var path: [Resource] = [.tenant]
        if case .workspace = resource { path.append(resource) }
        if let base = resource.base {
            if let workspace = placements[base] { path.append(.workspace(workspace)) }
            path.append(.base(base))
            if let table = resource.table { path.append(.table(table, base)) }
        }
        if !path.contains(resource) { path.append(resource) }
        return path
    }

    private func isAbout(_ subject: Grant.Subject, _ user: UserID) -> Bool {
        switch subject {
        case .everybody: true
        case .user(let id): id == user
        case .group(let id): groups[id]?.members.contains(user) ?? false
        case .key: false
        }
    }

    private func permissions(of grant: Grant) -> Set<Permission> {
        switch grant.bundle {
        case .role(let role): role.permissions
        case .permissions(let permissions): permissions
        case .customRole(let id): roles[id] ?? (grant.effect == .deny ? Set(Permission.allCases) : [])
        }
    }

    private func isInside(_ key: Key, _ resource: Resource, _ permission: Permission) -> Bool {
        if key.bases == nil, key.tables.isEmpty { return true }
        guard let base = resource.base else {
            return resource == .tenant && Self.administrative.contains(permission)
        }
        if key.bases?.contains(base) == true { return true }
        guard let tables = key.tables[base] else { return false }
        guard let table = resource.table else { return permission != .schemaWrite }
        return tables.contains(table)
    }

    private func gives(
        _ grants: [Grant],
        _ ground: Set<Permission>,
        _ isOwner: Bool,
        _ permission: Permission,
        _ question: Question,
        isSight: Bool
    ) -> Bool {
        if !(isOwner && Self.administrative.contains(permission)) {
            for grant in grants where grant.effect == .deny {
                if denies(grant, permission, question, isSight: isSight) { return false }
            }
        }
        if ground.contains(permission) { return true }
        return grants.contains { $0.effect == .allow && allows($0, permission, question, among: grants) }
    }

    private func denies(_ grant: Grant, _ permission: Permission, _ question: Question, isSight: Bool) -> Bool {
        let permissions = permissions(of: grant)
        let isShown = question.resource.level == .field || question.resource.level == .view
        if isSight, isShown, grant.resource == question.resource,
            !permissions.isDisjoint(with: [.recordsRead, .schemaRead])
        {
            return true
        }
        guard permissions.contains(permission), question.path.contains(grant.resource) else { return false }
        guard let condition = grant.condition, grant.resource.level == .table,
            Self.aboutRecords.contains(permission)
        else { return true }
        return question.resource.level == .record && question.truth(condition) != false
    }

    private func allows(_ grant: Grant, _ permission: Permission, _ question: Question, among grants: [Grant]) -> Bool {
        guard permissions(of: grant).contains(permission) else { return false }
        let place = grant.resource
        if [.keysManage, .auditRead, .admin].contains(permission), place != .tenant { return false }
        if place.level == .view || place.level == .field { return false }
        if grant.condition != nil, place.level != .table { return false }
        let isNarrow = grant.condition != nil || place.level == .record
        var reached = place
        if isNarrow, Self.aboutTheirTable.contains(permission), let table = place.table, let base = place.base {
            reached = .table(table, base)
        } else if isNarrow {
            guard Self.aboutRecords.contains(permission) else { return false }
            if question.resource.level == .record {
                guard let condition = grant.condition else { return place == question.resource }
                return question.path.contains(place) && question.truth(condition) == true
            }
            if question.resource.table == place.table, question.resource.base == place.base { return true }
        }
        if question.path.contains(reached) { return true }
        // A base is there for whoever has a part of it, but not to change its schema or its members.
        guard case .base(let base) = question.resource, place.base == base, let table = place.table,
            permission != .schemaWrite, !Self.administrative.contains(permission)
        else { return false }
        return !grants.contains { other in
            other.effect == .deny && other.resource == .table(table, base)
                && permissions(of: other).contains(permission)
                && !(other.condition != nil && Self.aboutRecords.contains(permission))
        }
    }
}
