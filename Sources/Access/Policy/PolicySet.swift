package import Domain

/// Everything that decisions in one tenant depend on, at one version, arranged by whom it is about.
///
/// A value without clock or store: equal sets decide equally. Whoever is asked about, only their own grants are looked at.
package struct PolicySet: Sendable {
    package struct Person: Sendable, Hashable {
        package var role: Role
        package var isDisabled: Bool
        package var name: String
        package var email: String?

        package init(role: Role, isDisabled: Bool = false, name: String = "", email: String? = nil) {
            self.role = role
            self.isDisabled = isDisabled
            self.name = name
            self.email = email
        }
    }

    package let tenant: TenantID
    package let version: Int64
    package let people: [UserID: Person]
    package let groupNames: [GroupID: String]
    /// Without groups that are not in `groupNames`.
    package let groups: [UserID: [GroupID]]
    /// What the tenant's own roles hold.
    package let roles: [RoleID: Set<Permission>]
    package let placements: Placements
    package let grants: [Grant]
    /// Of each grant, in the order of `grants`.
    let rights: [Rights]
    private let positions: [Grant.Subject: [Int32]]

    /// Which workspace each base stands in.
    package struct Placements: Sendable {
        package let workspaces: [BaseID: WorkspaceID]
        package let bases: [WorkspaceID: Set<BaseID>]

        package init(_ workspaces: [BaseID: WorkspaceID]) {
            self.workspaces = workspaces
            bases = workspaces.reduce(into: [:]) { $0[$1.value, default: []].insert($1.key) }
        }
    }

    package init(
        tenant: TenantID,
        version: Int64,
        people: [UserID: Person],
        groups: [GroupID: (name: String, members: [UserID])] = [:],
        roles: [RoleID: Set<Permission>] = [:],
        placements: [BaseID: WorkspaceID] = [:],
        grants: [Grant] = []
    ) {
        self.tenant = tenant
        self.version = version
        self.people = people
        self.grants = grants
        self.roles = roles
        self.placements = Placements(placements)
        groupNames = groups.mapValues(\.name)
        self.groups = groups.reduce(into: [:]) { all, group in
            for member in group.value.members { all[member, default: []].append(group.key) }
        }
        rights = grants.map { grant in
            switch grant.bundle {
            case .role(let role): Rights(role.permissions)
            case .permissions(let permissions): Rights(permissions)
            case .customRole(let id):
                // Nothing deletes a role that is used. Should one be gone all the same, what it allowed is not allowed,
                // and what it denied may have been anything.
                roles[id].map { Rights($0) } ?? (grant.effect == .deny ? .all : [])
            }
        }
        positions = grants.indices.reduce(into: [:]) { all, position in
            all[grants[position].subject, default: []].append(Int32(position))
        }
    }

    /// Where somebody stands: their role, their grants, their groups' and everybody's, and a key's limits.
    ///
    /// - Complexity: O(their grants).
    /// - Returns: nil when there is no such user, or they are disabled.
    package func standing(of user: UserID, key: KeyLimits? = nil) -> Standing? {
        guard let person = people[user], !person.isDisabled else { return nil }
        let groups = groups[user] ?? []
        let subjects = [.everybody, .user(user)] + groups.map { Grant.Subject.group($0) }
        return Standing(
            tenant: tenant,
            rights: GrantView(
                ground: Rights(person.role.permissions),
                role: person.role,
                grants: grants(of: subjects),
                sparesAdministration: person.role == .owner
            ),
            key: key.map { KeyStanding($0, grants: grants(of: $0.id.map { [.key($0)] } ?? [])) },
            placements: placements,
            reader: RecordRule.Reader(
                user: user,
                name: person.name,
                email: person.email,
                groups: groups.compactMap { groupNames[$0] }.sorted()
            )
        )
    }

    /// What a group's grants, or everybody's, say by themselves. A key has no standing without its owner's.
    package func standing(ofAll subject: Grant.Subject, reader: UserID) -> Standing {
        let subjects = subject == .everybody ? [subject] : [.everybody, subject]
        return Standing(
            tenant: tenant,
            rights: GrantView(ground: [], role: nil, grants: grants(of: subjects), sparesAdministration: false),
            key: nil,
            placements: placements,
            reader: RecordRule.Reader(user: reader, name: "")
        )
    }

    /// The grants of one subject.
    package func grants(of subject: Grant.Subject) -> [Grant] {
        (positions[subject] ?? []).map { grants[Int($0)] }
    }

    private func grants(of subjects: [Grant.Subject]) -> [(Grant, Rights)] {
        subjects.flatMap { subject in
            (positions[subject] ?? []).map { (grants[Int($0)], rights[Int($0)]) }
        }
    }
}
