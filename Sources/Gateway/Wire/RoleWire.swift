import Access
import Domain

/// A new role of the tenant's own.
struct RoleDraftWire: DocumentedWireType, Hashable {
    let name: String
    let permissions: [Permission]

    static let schemaName = "RoleDraft"
    static let schema = JSONSchema.object(
        properties: ["name": nameSchema, "permissions": GrantDraftWire.permissionList],
        required: ["name", "permissions"]
    )
    static let nameSchema = JSONSchema.string(minLength: 1, maxLength: 100)
    static let sample = RoleDraftWire(name: "Reviewer", permissions: [.recordsRead, .commentsWrite])
}

/// What to change of a role.
struct RoleUpdateWire: DocumentedWireType, Hashable {
    let name: String?
    let permissions: [Permission]?

    static let schemaName = "RoleUpdate"
    static let schema = JSONSchema.object(
        properties: ["name": RoleDraftWire.nameSchema, "permissions": GrantDraftWire.permissionList]
    )
    static let sample = RoleUpdateWire(name: "Reader", permissions: nil)
}

/// A role: one that every tenant has, or one of its own.
struct RoleWire: DocumentedWireType, Hashable {
    let id: String
    let name: String
    let permissions: [Permission]
    let isBuiltIn: Bool
    let createdTime: String?

    init(_ role: CustomRole) {
        id = role.id.description
        name = role.name
        permissions = role.permissions.sorted { $0.rawValue < $1.rawValue }
        isBuiltIn = false
        createdTime = role.createdTime.iso8601
    }

    init(_ role: Role) {
        id = role.rawValue
        name = role.rawValue
        permissions = role.permissions.sorted { $0.rawValue < $1.rawValue }
        isBuiltIn = true
        createdTime = nil
    }

    static let schemaName = "Role"
    static let schema = JSONSchema.object(
        properties: [
            "id": .string(description: "As grants name it."),
            "name": .string(),
            "permissions": .array(of: .string(enum: Permission.allCases.map(\.rawValue))),
            "isBuiltIn": .boolean(description: "Whether every tenant has it; it cannot be changed then."),
            "createdTime": .string(format: "date-time"),
        ],
        required: ["id", "name", "permissions", "isBuiltIn"]
    )
    static let sample = RoleWire(
        CustomRole(
            id: RoleID("rolReviewer000001")!,
            name: "Reviewer",
            permissions: [.recordsRead, .commentsWrite],
            createdTime: Sample.time
        )
    )
}

struct RoleListWire: DocumentedWireType, Hashable {
    let roles: [RoleWire]

    static let schemaName = "RoleList"
    static let schema = JSONSchema.object(properties: ["roles": .array(of: RoleWire.schema)], required: ["roles"])
    static let sample = RoleListWire(roles: [.sample])
}

/// A new group, or a group's new name.
struct GroupDraftWire: DocumentedWireType, Hashable {
    let name: String

    static let schemaName = "GroupDraft"
    static let schema = JSONSchema.object(properties: ["name": RoleDraftWire.nameSchema], required: ["name"])
    static let sample = GroupDraftWire(name: "Chemists")
}

/// A group with its members.
struct GroupWire: DocumentedWireType, Hashable {
    let id: GroupID
    let name: String
    let members: [UserID]
    let createdTime: String

    init(_ group: Group, members: [UserID]) {
        id = group.id
        name = group.name
        self.members = members
        createdTime = group.createdTime.iso8601
    }

    static let schemaName = "Group"
    static let schema = JSONSchema.object(
        properties: [
            "id": PathParameter.groupId.schema,
            "name": .string(),
            "members": .array(of: PathParameter.userId.schema),
            "createdTime": .string(format: "date-time"),
        ],
        required: ["id", "name", "members", "createdTime"]
    )
    static let sample = GroupWire(
        Group(id: GroupID("ugpChemists000001")!, name: "Chemists", createdTime: Sample.time),
        members: [Sample.user]
    )
}

struct GroupListWire: DocumentedWireType, Hashable {
    let groups: [GroupWire]

    static let schemaName = "GroupList"
    static let schema = JSONSchema.object(properties: ["groups": .array(of: GroupWire.schema)], required: ["groups"])
    static let sample = GroupListWire(groups: [.sample])
}
