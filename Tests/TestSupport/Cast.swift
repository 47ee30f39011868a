public import Access
public import Domain

/// People who see less and less of one place, each with a key that may do all that its user may: the same in every world that
/// asks who is told what.
public struct Cast: Sendable {
    public enum Member: String, Sendable, CaseIterable {
        /// From whom a base and a field are kept.
        case editor
        /// From whom the base and some records are kept.
        case viewer
        /// Who was given some tables, and no right to change them.
        case guest
    }

    /// What is kept back, and what the guest was given.
    public struct Secrets: Sendable {
        public var base: Resource
        public var field: Resource
        /// Of these a condition says which.
        public var records: (table: Resource, condition: String)
        public var given: [(place: Resource, permissions: Set<Permission>)]

        public init(
            base: Resource,
            field: Resource,
            records: (table: Resource, condition: String),
            given: [(place: Resource, permissions: Set<Permission>)]
        ) {
            (self.base, self.field, self.records, self.given) = (base, field, records, given)
        }
    }

    public static let reading: Set<Permission> = [.basesRead, .schemaRead, .recordsRead]

    public let users: [Member: UserID]
    public let keys: [Member: (id: KeyID, text: String)]

    public init(_ access: AccessService, owner: RequestContext) async throws {
        var (users, keys): ([Member: UserID], [Member: (id: KeyID, text: String)]) = ([:], [:])
        for (member, role) in [(Member.editor, Role.editor), (.viewer, .viewer), (.guest, .guest)] {
            let user = try await access.createUser(name: member.rawValue, role: role, context: owner).id
            let draft = APIKeyDraft(name: member.rawValue, scopes: Set(Permission.allCases), owner: user)
            let issued = try await access.createKey(draft, context: owner)
            (users[member], keys[member]) = (user, (issued.key.id, issued.text))
        }
        (self.users, self.keys) = (users, keys)
    }

    /// - Parameter places: where what is granted lies.
    public func keepBack(
        _ secrets: Secrets,
        _ access: AccessService,
        checking places: some GrantPlaces,
        owner: RequestContext
    ) async throws {
        var grants: [(Member, Grant.Effect, Set<Permission>, Resource, String?)] = [
            (.editor, .deny, Self.reading, secrets.base, nil), (.viewer, .deny, Self.reading, secrets.base, nil),
            (.editor, .deny, [.recordsRead], secrets.field, nil),
            (.viewer, .deny, [.recordsRead], secrets.records.table, secrets.records.condition),
        ]
        for given in secrets.given { grants.append((.guest, .allow, given.permissions, given.place, nil)) }
        for (member, effect, permissions, place, condition) in grants {
            guard let user = users[member] else { continue }
            let draft = GrantDraft(
                subject: .user(user),
                effect: effect,
                bundle: .permissions(permissions),
                resource: place,
                condition: condition
            )
            _ = try await access.createGrant(draft, checking: places, context: owner)
        }
    }
}
