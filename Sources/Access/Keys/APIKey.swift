public import Domain

/// An API key as it may be shown: everything but the secret.
public struct APIKey: Sendable, Hashable, Identifiable {
    public let id: KeyID
    /// Whose rights it carries.
    public let owner: UserID
    public var name: String
    /// What it may do at most; its owner may do less.
    public var scopes: Set<Permission>
    /// The only bases it sees; nil when all that its owner sees, unless there are `tables`.
    public var bases: Set<BaseID>?
    /// Bases beside `bases` of which it sees only these tables.
    public var tables: [BaseID: Set<TableID>]
    /// Where it may come from; nil for anywhere.
    public var addresses: AddressList?
    /// Dead from this moment on; nil when it never expires.
    public var expires: Instant?
    public var isDisabled: Bool
    public let createdTime: Instant
    /// When it was used last, a minute late at most; nil when never.
    public var lastUsedTime: Instant?
    /// The last four characters of its text, to tell keys apart.
    public internal(set) var lastFour: String

    package init(
        id: KeyID,
        owner: UserID,
        name: String,
        scopes: Set<Permission>,
        bases: Set<BaseID>?,
        tables: [BaseID: Set<TableID>] = [:],
        addresses: AddressList? = nil,
        expires: Instant?,
        isDisabled: Bool,
        createdTime: Instant,
        lastUsedTime: Instant?,
        lastFour: String
    ) {
        self.id = id
        self.owner = owner
        self.name = name
        self.scopes = scopes
        self.bases = bases
        self.tables = tables
        self.addresses = addresses
        self.expires = expires
        self.isDisabled = isDisabled
        self.createdTime = createdTime
        self.lastUsedTime = lastUsedTime
        self.lastFour = lastFour
    }
}

extension APIKey {
    /// The places it is limited to.
    var places: Reach {
        guard bases != nil || !tables.isEmpty else { return .everything }
        var reach = Reach(bases: (bases ?? []).union(tables.keys))
        reach.tables = tables.filter { bases?.contains($0.key) != true }
        return reach
    }

    /// Its scopes as they are stored and told.
    var scopesText: String { scopes.map(\.rawValue).sorted().joined(separator: " ") }
}

/// What a new key should be.
public struct APIKeyDraft: Sendable, Hashable {
    /// One to 100 characters, for people.
    public var name: String
    public var scopes: Set<Permission>
    /// Whose rights it carries; nil for the caller's own.
    public var owner: UserID?
    /// The only bases it sees; nil for no limit, unless there are `tables`.
    public var bases: Set<BaseID>?
    /// Bases beside `bases` of which it sees only these tables.
    public var tables: [BaseID: Set<TableID>]
    /// Where it may come from; nil for anywhere.
    public var addresses: AddressList?
    /// Must lie in the future; nil for never.
    public var expires: Instant?

    public init(
        name: String,
        scopes: Set<Permission>,
        owner: UserID? = nil,
        bases: Set<BaseID>? = nil,
        tables: [BaseID: Set<TableID>] = [:],
        addresses: AddressList? = nil,
        expires: Instant? = nil
    ) {
        self.name = name
        self.scopes = scopes
        self.owner = owner
        self.bases = bases
        self.tables = tables
        self.addresses = addresses
        self.expires = expires
    }
}

/// A key just made, with its text: the only moment at which anybody can see it.
public struct IssuedKey: Sendable, Hashable {
    public let key: APIKey
    public let secret: Secret
    /// The plain text, to be shown once.
    public var text: String { secret.revealed }
}
