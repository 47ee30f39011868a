import Access
import Domain

/// A tenant as its own people see it.
struct TenantWire: DocumentedWireType, Hashable {
    let id: TenantID
    let name: String
    let owner: UserID
    let createdTime: String

    init(_ record: TenantRecord) {
        id = record.id
        name = record.tenant.name
        owner = record.tenant.owner
        createdTime = record.tenant.createdTime.iso8601
    }

    static let schemaName = "Tenant"
    static let schema = JSONSchema.object(
        properties: [
            "id": PathParameter.tenantId.schema,
            "name": .string(),
            "owner": PathParameter.userId.schema.described("Whom it belongs to."),
            "createdTime": .string(format: "date-time"),
        ],
        required: ["id", "name", "owner", "createdTime"]
    )
    static let sample = TenantWire(.sample)
}

/// What should be different about one's own tenant.
struct TenantChangeWire: WrittenShape, Hashable {
    let value: JSONValue

    static let schemaName = "TenantChange"
    static let schema = JSONSchema.object(
        properties: [
            "name": .string(minLength: 1, maxLength: 100),
            "owner": PathParameter.userId.schema.described("An owner, to whom the tenant then belongs."),
        ],
        description: "What is not named stays as it is."
    )
    static let example: JSONValue = ["name": "Chemistry"]
}

/// A tenant as operators of the server see it.
struct ManagedTenantWire: DocumentedWireType, Hashable {
    let id: TenantID
    let name: String
    let owner: UserID
    let state: String
    let stateTime: String?
    let isFirst: Bool
    let limits: TenantLimits
    let createdTime: String

    init(_ record: TenantRecord) {
        id = record.id
        name = record.tenant.name
        owner = record.tenant.owner
        state = record.state.rawValue
        stateTime = record.stateTime?.iso8601
        isFirst = record.isFirst
        limits = record.limits
        createdTime = record.tenant.createdTime.iso8601
    }

    static let limits = JSONSchema.object(
        properties: [
            "users": .integer(minimum: 1, maximum: Limits.usersPerTenant),
            "keys": .integer(minimum: 1, maximum: Limits.keysPerTenant),
            "workspaces": .integer(minimum: 1, maximum: Limits.workspacesPerTenant),
            "bases": .integer(minimum: 0), "records": .integer(minimum: 0),
            "attachmentBytes": .integer(
                description: "Of all attachments together, each as often as it is attached.",
                minimum: 0
            ),
        ],
        description: "How much it may have at most; what is not named is as for every tenant."
    )

    static let schemaName = "ManagedTenant"
    static let schema = JSONSchema.object(
        properties: [
            "id": PathParameter.tenantId.schema,
            "name": .string(),
            "owner": PathParameter.userId.schema,
            "state": .string(
                description: "Nobody of a suspended tenant is let in; one that is being erased is gone soon.",
                enum: TenantState.allCases.map(\.rawValue)
            ),
            "stateTime": .string(description: "Since when.", format: "date-time"),
            "isFirst": .boolean(description: "Whether it is the data directory's own."),
            "limits": limits,
            "createdTime": .string(format: "date-time"),
        ],
        required: ["id", "name", "owner", "state", "isFirst", "limits", "createdTime"]
    )
    static let sample = ManagedTenantWire(.sample)
}

struct ManagedTenantListWire: DocumentedWireType, Hashable {
    let tenants: [ManagedTenantWire]

    static let schemaName = "ManagedTenantList"
    static let schema = JSONSchema.object(
        properties: ["tenants": .array(of: ManagedTenantWire.schema)],
        required: ["tenants"]
    )
    static let sample = ManagedTenantListWire(tenants: [.sample])
}

struct TenantDraftWire: DocumentedWireType, Hashable {
    let name: String
    let ownerName: String
    let ownerEmail: String?

    static let schemaName = "TenantDraft"
    static let schema = JSONSchema.object(
        properties: [
            "name": .string(minLength: 1, maxLength: 100),
            "ownerName": .string(description: "Of its first user.", minLength: 1, maxLength: 100),
            "ownerEmail": .string(maxLength: 254, format: "email"),
        ],
        required: ["name", "ownerName"]
    )
    static let sample = TenantDraftWire(name: "Chemistry", ownerName: "Marie", ownerEmail: nil)
}

/// A tenant just made: the only answer that has its owner's first key.
struct MadeTenantWire: DocumentedWireType, Hashable {
    let tenant: ManagedTenantWire
    let key: IssuedAPIKeyWire

    static let schemaName = "MadeTenant"
    static let schema = JSONSchema.object(
        properties: [
            "tenant": ManagedTenantWire.schema,
            "key": IssuedAPIKeyWire.schema.described("A key of its owner with every scope. Shown only now."),
        ],
        required: ["tenant", "key"]
    )
    static let sample = MadeTenantWire(tenant: .sample, key: .sample)
}

struct ManagedTenantChangeWire: WrittenShape, Hashable {
    let value: JSONValue

    func limits() throws -> TenantLimits? {
        try value["limits"].map { try JSONCoder.decode(TenantLimits.self, from: $0) }
    }

    static let schemaName = "ManagedTenantChange"
    static let schema = JSONSchema.object(
        properties: ["suspended": .boolean(), "limits": ManagedTenantWire.limits],
        description: "What is not named stays as it is; limits are set together."
    )
    static let example: JSONValue = ["suspended": true]
}

extension TenantRecord {
    fileprivate static let sample = TenantRecord(
        tenant: Tenant(
            id: TenantID("tenChemistry00001")!,
            name: "Chemistry",
            owner: Sample.user,
            createdTime: Sample.time
        ),
        state: .active,
        stateTime: nil,
        limits: TenantLimits(users: 20),
        isFirst: false
    )
}
