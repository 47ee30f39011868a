import Access
import Domain

/// A user of the tenant, as those who manage members see them.
struct UserWire: DocumentedWireType, Hashable {
    let id: UserID
    let name: String
    let email: String?
    let role: String
    let disabled: Bool
    let ownsTenant: Bool
    let createdTime: String

    init(_ user: User, ownsTenant: Bool) {
        id = user.id
        name = user.name
        email = user.email
        role = user.role.rawValue
        disabled = user.isDisabled
        self.ownsTenant = ownsTenant
        createdTime = user.createdTime.iso8601
    }

    static let schemaName = "TenantUser"
    static let schema = JSONSchema.object(
        properties: [
            "id": PathParameter.userId.schema,
            "name": .string(),
            "email": .string(format: "email"),
            "role": .string(description: "In the whole tenant.", enum: Role.allCases.map(\.rawValue)),
            "disabled": .boolean(description: "Whether they, and their keys, are kept out."),
            "ownsTenant": .boolean(description: "Whether the tenant belongs to them."),
            "createdTime": .string(format: "date-time"),
        ],
        required: ["id", "name", "role", "disabled", "ownsTenant", "createdTime"]
    )
    static let sample = UserWire(
        User(
            id: Sample.user,
            name: "Marie",
            email: "marie@example.com",
            role: .editor,
            isDisabled: false,
            createdTime: Sample.time
        ),
        ownsTenant: false
    )
}

struct UserPageWire: DocumentedWireType, Hashable {
    let users: [UserWire]
    let offset: String?

    static let schemaName = "TenantUserPage"
    static let schema = JSONSchema.object(
        properties: [
            "users": .array(of: UserWire.schema, maxItems: Limits.userPageUsers),
            "offset": .string(description: "Where the next page begins; missing on the last one."),
        ],
        required: ["users"]
    )
    static let sample = UserPageWire(users: [.sample], offset: nil)
}

/// What should be different about a user.
struct UserChangeWire: WrittenShape, Hashable {
    let value: JSONValue

    var change: UserChange {
        UserChange(
            name: value["name"]?.stringValue,
            role: value["role"]?.stringValue.flatMap(Role.init(rawValue:)),
            isDisabled: value["disabled"]?.boolValue
        )
    }

    static let schemaName = "TenantUserChange"
    static let schema = JSONSchema.object(
        properties: [
            "name": .string(minLength: 1, maxLength: 100),
            "role": .string(description: "None with more than you have.", enum: Role.allCases.map(\.rawValue)),
            "disabled": .boolean(),
        ],
        description: "What is not named stays as it is."
    )
    static let example: JSONValue = ["name": "Marie", "disabled": false]
}
