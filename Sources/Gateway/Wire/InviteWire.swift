import Access
import Domain

/// A role in a workspace or a base that an invite gives.
struct InvitedPlaceWire: WireType, Hashable {
    let role: Role
    var workspace: WorkspaceID?
    var base: BaseID?

    init(_ place: InvitedPlace) {
        role = place.role
        switch place.resource {
        case .workspace(let id): workspace = id
        case .base(let id): base = id
        case .tenant, .table, .view, .record, .field: break
        }
    }

    /// - Throws: `invalidBody` unless it names one place.
    func place() throws(GatewayError) -> InvitedPlace {
        switch (workspace, base) {
        case (let workspace?, nil): return InvitedPlace(role, in: workspace)
        case (nil, let base?): return InvitedPlace(role, in: base)
        default: throw GatewayError(.invalidBody, "A grant of an invite names a workspace or a base, one of the two.")
        }
    }

    static let schema = JSONSchema.object(
        properties: [
            "role": .string(enum: InvitedPlace.roles.map(\.rawValue)),
            "workspace": PathParameter.workspaceId.schema,
            "base": PathParameter.baseId.schema,
        ],
        required: ["role"],
        description: "A role in a workspace or a base, one of the two."
    )
}

struct InviteWire: DocumentedWireType, Hashable {
    let id: InviteID
    let email: String
    let role: Role
    let grants: [InvitedPlaceWire]
    let invitedBy: UserID
    let isMailed: Bool
    let createdTime: String
    let expires: String

    init(_ invite: Invite) {
        id = invite.id
        email = invite.email.text
        role = invite.role
        grants = invite.places.map(InvitedPlaceWire.init)
        invitedBy = invite.invitedBy
        isMailed = invite.isMailed
        createdTime = invite.createdTime.iso8601
        expires = invite.expires.iso8601
    }

    private init() {
        id = InviteID("invChemist0000001")!
        email = "lise@example.com"
        role = .guest
        grants = InviteDraftWire.sample.grants ?? []
        invitedBy = Sample.user
        isMailed = false
        createdTime = Sample.time.iso8601
        expires = Sample.time.iso8601
    }

    static let schemaName = "Invite"
    static let schema = JSONSchema.object(
        properties: [
            "id": PathParameter.inviteId.schema,
            "email": .string(format: "email"),
            "role": .string(description: "In the whole tenant.", enum: Role.allCases.map(\.rawValue)),
            "grants": .array(of: InvitedPlaceWire.schema, maxItems: Limits.invitePlaces),
            "invitedBy": PathParameter.userId.schema,
            "isMailed": .boolean(description: "Whether its token was mailed to the address, and to nobody else."),
            "createdTime": .string(format: "date-time"),
            "expires": .string(description: "Dead from then on.", format: "date-time"),
        ],
        required: ["id", "email", "role", "grants", "invitedBy", "isMailed", "createdTime", "expires"]
    )
    static let sample = InviteWire()
}

struct InviteListWire: DocumentedWireType, Hashable {
    let invites: [InviteWire]

    static let schemaName = "InviteList"
    static let schema = JSONSchema.object(
        properties: ["invites": .array(of: InviteWire.schema, maxItems: Limits.invitesPerTenant)],
        required: ["invites"]
    )
    static let sample = InviteListWire(invites: [.sample])
}

struct InviteDraftWire: DocumentedWireType, Hashable {
    let email: String
    let role: Role
    let grants: [InvitedPlaceWire]?

    /// - Throws: `invalidBody`.
    func draft() throws(GatewayError) -> InviteDraft {
        var places: [InvitedPlace] = []
        for grant in grants ?? [] { places.append(try grant.place()) }
        return InviteDraft(email: email, role: role, places: places)
    }

    static let schemaName = "InviteDraft"
    static let schema = JSONSchema.object(
        properties: [
            "email": AccountField.email,
            "role": .string(
                description: "In the whole tenant; none with more than you have. `guest` for grants alone.",
                enum: Role.allCases.map(\.rawValue)
            ),
            "grants": .array(of: InvitedPlaceWire.schema, maxItems: Limits.invitePlaces),
        ],
        required: ["email", "role"]
    )
    static let sample = InviteDraftWire(
        email: "lise@example.com",
        role: .guest,
        grants: [InvitedPlaceWire(InvitedPlace(.editor, in: Sample.base))]
    )
}

/// An invite just made.
struct IssuedInviteWire: DocumentedWireType, Hashable {
    let invite: InviteWire
    let token: String?

    init(_ issued: IssuedInvite) {
        invite = InviteWire(issued.invite)
        token = issued.token?.revealed
    }

    private init() {
        invite = .sample
        token = MailedTokenWire.sample.token
    }

    static let schemaName = "IssuedInvite"
    static let schema = JSONSchema.object(
        properties: [
            "invite": InviteWire.schema,
            "token": .string(
                description:
                    "For who was invited, and nobody else. Shown only now, and only where no mail relay is set up."
            ),
        ],
        required: ["invite"]
    )
    static let sample = IssuedInviteWire()
}

struct AcceptInviteWire: DocumentedWireType, Hashable {
    let token: String
    let name: String?
    let password: String

    static let schemaName = "AcceptInvite"
    static let schema = JSONSchema.object(
        properties: [
            "token": AccountField.token,
            "name": .string(
                description: "What to be called in this tenant: one line; else what the address begins with.",
                minLength: 1,
                maxLength: 100
            ),
            "password": .string(
                description: "The account's, where the address has one; else one for a new account.",
                maxLength: AccountField.passwordLength
            ),
        ],
        required: ["token", "password"]
    )
    static let sample = AcceptInviteWire(
        token: MailedTokenWire.sample.token,
        name: "Lise",
        password: "walrus under lavender"
    )
}
