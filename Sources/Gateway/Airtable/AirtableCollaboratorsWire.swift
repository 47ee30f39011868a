import Domain

/// What bases and workspaces tell of those who work in them.
private enum Piece {
    static let people = JSONSchema.object(
        properties: [
            "baseCollaborators": .array(of: .any),
            "workspaceCollaborators": .array(
                of: .object(
                    properties: [
                        "userId": .string(), "email": .string(description: "Empty for who has none."),
                        "permissionLevel": .string(), "createdTime": .string(format: "date-time"),
                        "grantedByUserId": .string(),
                    ],
                    required: ["userId", "email", "permissionLevel", "createdTime", "grantedByUserId"]
                )
            ),
        ],
        required: ["baseCollaborators", "workspaceCollaborators"]
    )
    static let groups = JSONSchema.object(
        properties: ["baseCollaborators": .array(of: .any), "workspaceCollaborators": .array(of: .any)],
        required: ["baseCollaborators", "workspaceCollaborators"]
    )
    static let links = JSONSchema.object(
        properties: ["baseInviteLinks": .array(of: .any), "workspaceInviteLinks": .array(of: .any)],
        required: ["baseInviteLinks", "workspaceInviteLinks"]
    )
    static let peopleExample: JSONValue = [
        "baseCollaborators": [],
        "workspaceCollaborators": [
            [
                "userId": "usrChemist00000001", "email": "marie@example.org", "permissionLevel": "owner",
                "createdTime": .string(Sample.time.iso8601), "grantedByUserId": "usrChemist00000001",
            ]
        ],
    ]
}

struct MetaBaseWire: WrittenShape, Hashable {
    let value: JSONValue

    static let schemaName = "MetaBase"
    static let schema = JSONSchema.object(
        properties: [
            "id": PathParameter.baseId.schema, "name": .string(), "createdTime": .string(format: "date-time"),
            "permissionLevel": .string(enum: ["none", "read", "comment", "edit", "create"]),
            "workspaceId": PathParameter.workspaceId.schema, "individualCollaborators": Piece.people,
            "groupCollaborators": Piece.groups, "inviteLinks": Piece.links, "interfaces": .dictionary(of: .any),
        ],
        required: ["id", "name", "createdTime", "permissionLevel", "workspaceId"]
    )
    static let example: JSONValue = [
        "id": .string(Sample.base.description), "name": "Periodic table",
        "createdTime": .string(Sample.time.iso8601), "permissionLevel": "create",
        "workspaceId": .string(Sample.workspace.description), "individualCollaborators": Piece.peopleExample,
    ]
}

struct MetaWorkspaceWire: WrittenShape, Hashable {
    let value: JSONValue

    static let schemaName = "MetaWorkspace"
    static let schema = JSONSchema.object(
        properties: [
            "id": PathParameter.workspaceId.schema, "name": .string(), "createdTime": .string(format: "date-time"),
            "baseIds": .array(of: .string()),
            "workspaceRestrictions": .object(
                properties: ["inviteCreationRestriction": .string(), "shareCreationRestriction": .string()],
                required: ["inviteCreationRestriction", "shareCreationRestriction"]
            ),
            "individualCollaborators": Piece.people, "groupCollaborators": Piece.groups, "inviteLinks": Piece.links,
        ],
        required: ["id", "name", "createdTime", "baseIds", "workspaceRestrictions"]
    )
    static let example: JSONValue = [
        "id": .string(Sample.workspace.description), "name": "Chemistry",
        "createdTime": .string(Sample.time.iso8601), "baseIds": [.string(Sample.base.description)],
        "workspaceRestrictions": [
            "inviteCreationRestriction": "unrestricted", "shareCreationRestriction": "unrestricted",
        ],
        "individualCollaborators": Piece.peopleExample,
    ]
}
