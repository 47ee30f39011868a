import Access
import Domain

/// Whom a grant is about: exactly one of its members.
struct GrantSubjectWire: WireType, Hashable {
    var user: UserID?
    var group: GroupID?
    var key: KeyID?
    var everybody: Bool?

    init(_ subject: Grant.Subject) {
        switch subject {
        case .user(let id): user = id
        case .group(let id): group = id
        case .key(let id): key = id
        case .everybody: everybody = true
        }
    }

    /// - Throws: `invalidBody` unless it is exactly one.
    func subject() throws(GatewayError) -> Grant.Subject {
        let named = [user.map { .user($0) }, group.map { .group($0) }, key.map { .key($0) }]
            .compactMap { $0 as Grant.Subject? }
        let all = everybody == true ? named + [.everybody] : named
        guard all.count == 1, let subject = all.first, everybody != false else {
            throw GatewayError(.invalidBody, "A subject is one of user, group, key and everybody.")
        }
        return subject
    }

    static let schema = JSONSchema.object(
        properties: [
            "user": PathParameter.userId.schema,
            "group": PathParameter.groupId.schema,
            "key": JSONSchema(json: ["type": "string", "pattern": "^key[A-Za-z0-9]{14}$"]),
            "everybody": .constant(true),
        ],
        description: "Exactly one of them."
    )
}

/// A place, by its identifier and those of what it is in; no member is the whole tenant.
struct ResourceWire: WireType, Hashable {
    var workspace: WorkspaceID?
    var base: BaseID?
    var table: TableID?
    var view: ViewID?
    var record: RecordID?
    var field: FieldID?

    init(_ resource: Resource) {
        (base, table) = (resource.base, resource.table)
        switch resource {
        case .tenant, .base, .table: break
        case .workspace(let id): workspace = id
        case .view(let id, _, _): view = id
        case .record(let id, _, _): record = id
        case .field(let id, _, _): field = id
        }
    }

    /// - Throws: `invalidParameter` for an identifier that has not the form of one.
    init(_ query: QueryParameters) throws(GatewayError) {
        func identifier<Kind>(_ name: String) throws(GatewayError) -> Identifier<Kind>? {
            guard let text = query.text(name) else { return nil }
            guard let identifier = Identifier<Kind>(text) else {
                throw GatewayError(.invalidParameter, "The query parameter \(name) is not an identifier of one.")
            }
            return identifier
        }
        workspace = try identifier("workspace")
        base = try identifier("base")
        table = try identifier("table")
        view = try identifier("view")
        record = try identifier("record")
        field = try identifier("field")
    }

    /// - Parameter code: of the refusal of members that are no path.
    func resource(orThrow code: GatewayError.Code = .invalidBody) throws(GatewayError) -> Resource {
        let leaves = [view != nil, record != nil, field != nil].count { $0 }
        switch (workspace, base, table) {
        case (nil, nil, nil) where leaves == 0: return .tenant
        case (let workspace?, nil, nil) where leaves == 0: return .workspace(workspace)
        case (nil, let base?, nil) where leaves == 0: return .base(base)
        case (nil, let base?, let table?) where leaves <= 1:
            if let view { return .view(view, table, base) }
            if let record { return .record(record, table, base) }
            if let field { return .field(field, table, base) }
            return .table(table, base)
        default:
            throw GatewayError(
                code,
                "A place is a workspace, a base, a table with its base, or one view, record or field with both."
            )
        }
    }

    static let members: KeyValuePairs<String, JSONSchema> = [
        "workspace": PathParameter.workspaceId.schema,
        "base": PathParameter.baseId.schema,
        "table": PathParameter.tableId.schema,
        "view": PathParameter.viewId.schema,
        "record": PathParameter.recordId.schema,
        "field": JSONSchema(json: ["type": "string", "pattern": "^fld[A-Za-z0-9]{14}$"]),
    ]

    static let schema = JSONSchema.object(
        properties: members,
        description: "A table names its base, a view, record or field both; none is the whole tenant."
    )

    /// The same after a `?`.
    static let query = members.map { QueryParameter($0.key, "The place, or what it is in.", $0.value) }
}

/// A new grant.
struct GrantDraftWire: DocumentedWireType, Hashable {
    let subject: GrantSubjectWire
    let effect: String?
    let role: String?
    let permissions: [Permission]?
    let resource: ResourceWire
    let condition: String?

    /// - Throws: `invalidBody`.
    func draft() throws(GatewayError) -> GrantDraft {
        GrantDraft(
            subject: try subject.subject(),
            effect: effect.flatMap(Grant.Effect.init) ?? .allow,
            bundle: try bundle(),
            resource: try resource.resource(),
            condition: condition
        )
    }

    private func bundle() throws(GatewayError) -> Grant.Bundle {
        switch (role, permissions) {
        case (let name?, nil):
            if let role = Role(rawValue: name) { return .role(role) }
            if let id = RoleID(name) { return .customRole(id) }
            let names = Role.allCases.map(\.rawValue).joined(separator: ", ")
            throw GatewayError(
                .invalidBody,
                "There is no such role.",
                hint: "roles are \(names), and the tenant's own by their identifiers"
            )
        case (nil, let permissions?): return .permissions(Set(permissions))
        default: throw GatewayError(.invalidBody, "A grant names a role or permissions, one of the two.")
        }
    }

    static let schemaName = "GrantDraft"
    static let schema = JSONSchema.object(
        properties: [
            "subject": GrantSubjectWire.schema,
            "effect": .string(
                description: "A refusal wins over every allowance.",
                enum: Grant.Effect.allCases.map(\.rawValue),
                default: Grant.Effect.allow.rawValue
            ),
            "role": .string(
                description: "A role's name, or the identifier of one of the tenant's own; or `permissions`."
            ),
            "permissions": permissionList,
            "resource": ResourceWire.schema,
            "condition": .string(
                description: "A formula: only for records where it holds. On a table alone.",
                minLength: 1,
                maxLength: Limits.conditionBytes
            ),
        ],
        required: ["subject", "resource"]
    )
    static let permissionList = JSONSchema.array(
        of: .string(enum: Permission.allCases.map(\.rawValue)),
        minItems: 1,
        maxItems: Permission.allCases.count
    )
    static let sample = GrantDraftWire(
        subject: GrantSubjectWire(.user(Sample.user)),
        effect: "allow",
        role: "editor",
        permissions: nil,
        resource: ResourceWire(.table(Sample.table, Sample.base)),
        condition: "{Owner}=CURRENT_USER()"
    )
}

/// A grant.
struct GrantWire: DocumentedWireType, Hashable {
    let id: GrantID
    let subject: GrantSubjectWire
    let effect: String
    let role: String?
    let permissions: [Permission]?
    let resource: ResourceWire
    let condition: String?
    let createdBy: UserID
    let createdTime: String

    init(_ grant: Grant) {
        id = grant.id
        subject = GrantSubjectWire(grant.subject)
        effect = grant.effect.rawValue
        switch grant.bundle {
        case .role(let role): (self.role, permissions) = (role.rawValue, nil)
        case .customRole(let id): (role, permissions) = (id.description, nil)
        case .permissions(let all): (role, permissions) = (nil, all.sorted { $0.rawValue < $1.rawValue })
        }
        resource = ResourceWire(grant.resource)
        condition = grant.condition
        createdBy = grant.createdBy
        createdTime = grant.createdTime.iso8601
    }

    static let schemaName = "Grant"
    static let schema = JSONSchema.object(
        properties: [
            "id": PathParameter.grantId.schema,
            "subject": GrantSubjectWire.schema,
            "effect": .string(enum: Grant.Effect.allCases.map(\.rawValue)),
            "role": .string(),
            "permissions": .array(of: .string(enum: Permission.allCases.map(\.rawValue))),
            "resource": ResourceWire.schema,
            "condition": .string(),
            "createdBy": PathParameter.userId.schema,
            "createdTime": .string(format: "date-time"),
        ],
        required: ["id", "subject", "effect", "resource", "createdBy", "createdTime"],
        description: "Says that somebody may, or may not, do something somewhere."
    )
    static let sample = GrantWire(Sample.grant)
}

struct GrantListWire: DocumentedWireType, Hashable {
    let grants: [GrantWire]
    /// To go on after; absent on the last page.
    let offset: GrantID?

    static let schemaName = "GrantList"
    static let schema = JSONSchema.object(
        properties: [
            "grants": .array(of: GrantWire.schema),
            "offset": PathParameter.grantId.schema.described("Where the next page goes on; absent on the last one."),
        ],
        required: ["grants"]
    )
    static let sample = GrantListWire(grants: [.sample], offset: nil)
}

extension Sample {
    static let grant = Grant(
        id: GrantID("grtEditors0000001")!,
        subject: .user(user),
        effect: .allow,
        bundle: .role(.editor),
        resource: .table(table, base),
        condition: "{Owner}=CURRENT_USER()",
        createdBy: UserID("usrOwner000000001")!,
        createdTime: time
    )
}
