import Access
import Domain

/// What a user is shown of themselves.
struct MeWire: DocumentedWireType, Hashable {
    let id: UserID
    let tenantId: TenantID
    let tenantName: String
    let name: String
    let email: String?
    let emailVerified: Bool
    let role: String
    let permissions: [Permission]
    let preferences: JSONValue
    let createdTime: String

    init(_ profile: Profile, permissions: Set<Permission>) {
        id = profile.user.id
        tenantId = profile.tenant.id
        tenantName = profile.tenant.name
        name = profile.user.name
        email = profile.account?.email.text ?? profile.user.email
        emailVerified = profile.account?.verifiedTime != nil
        role = profile.user.role.rawValue
        self.permissions = Self.inOrder.filter(permissions.contains)
        preferences = .object(profile.preferences)
        createdTime = profile.user.createdTime.iso8601
    }

    private static let inOrder = Permission.allCases.sorted { $0.rawValue < $1.rawValue }

    /// Without the detours of the synthesized one: clients ask this first, and often.
    func encode(to encoder: any Encoder) throws {
        var object: JSONObject = [
            "id": .string(id.description), "tenantId": .string(tenantId.description), "tenantName": .string(tenantName),
            "name": .string(name),
        ]
        if let email { object["email"] = .string(email) }
        object["emailVerified"] = .bool(emailVerified)
        object["role"] = .string(role)
        object["permissions"] = .array(permissions.map { .string($0.rawValue) })
        object["preferences"] = preferences
        object["createdTime"] = .string(createdTime)
        var container = encoder.singleValueContainer()
        try container.encode(JSONValue.object(object))
    }

    private init(sample id: String, tenant: String) {
        guard let id = UserID(id), let tenant = TenantID(tenant) else { preconditionFailure("a sample's id") }
        self.id = id
        tenantId = tenant
        tenantName = "Ada Lovelace"
        name = "Ada Lovelace"
        email = "ada@example.com"
        emailVerified = true
        role = "owner"
        permissions = [.recordsRead, .search]
        preferences = ["theme": "dark"]
        createdTime = "2026-06-01T09:00:00.000Z"
    }

    static let schemaName = "Me"
    static let schema = JSONSchema.object(
        properties: [
            "id": AccountField.user, "tenantId": AccountField.tenant, "tenantName": .string(),
            "name": .string(description: "What they are called; nobody else of the tenant is."),
            "email": .string(description: "Absent for a user without one."),
            "emailVerified": .boolean(description: "Whether they showed that it is theirs."),
            "role": AccountField.role,
            "permissions": .array(
                of: .string(enum: Permission.allCases.map(\.rawValue)),
                description: "What this request may do somewhere, as far as its key goes."
            ),
            "preferences": ProfileUpdateWire.preferences,
            "createdTime": .string(format: "date-time"),
        ],
        required: [
            "id", "tenantId", "tenantName", "name", "emailVerified", "role", "permissions", "preferences",
            "createdTime",
        ],
        description: "The caller as a user of one tenant."
    )
    static let sample = MeWire(sample: "usrA1b2C3d4E5f6G7", tenant: "tenA1b2C3d4E5f6G7")
}

/// The body of `PUT /api/v1/users/me`: what a user may say of themselves, and no more.
struct ProfileUpdateWire: DocumentedWireType, Hashable {
    let name: String?
    let preferences: JSONValue?

    static let preferences = JSONSchema(json: [
        "type": "object", "description": "Whatever the user's programs keep; 16 KiB as JSON.",
    ])
    static let schemaName = "ProfileUpdate"
    static let schema = JSONSchema.object(
        properties: ["name": AccountField.name, "preferences": preferences],
        required: []
    )
    static let sample = ProfileUpdateWire(name: "Countess Lovelace", preferences: ["theme": "dark"])
}
