public import Domain

/// API keys: one's own for whoever signed in, all of the tenant's with `keys:manage`.
///
/// A key is never worth more than who made it: neither scopes, nor places, nor addresses, nor a longer life.
extension AccessService {
    /// Oldest first, without their secrets: all of the tenant's with `keys:manage`, else one's own.
    public func keys(context: RequestContext) async throws -> [APIKey] {
        let owner = try Self.keyOwner(context)
        let keys = try await store.keys(tenant: context.tenant, deadline: context.deadline)
        return keys.filter { owner == nil || $0.owner == owner }
    }

    /// One of the keys that `keys(context:)` lists.
    ///
    /// - Throws: `notFound`.
    public func key(_ id: KeyID, context: RequestContext) async throws -> APIKey {
        let owner = try Self.keyOwner(context)
        let key = try await store.key(id, tenant: context.tenant, deadline: context.deadline)
        guard let key, owner == nil || key.owner == owner else { throw AccessError.notFound("key") }
        return key
    }

    /// Makes a key, whose text is in the answer and nowhere else.
    ///
    /// For another user only who holds `admin` makes one: it acts as them.
    ///
    /// - Throws: `invalid` for an empty or long name, no scopes, too many places or a past expiry; `forbidden`; `notFound`
    ///   for an unknown owner; `limitReached`.
    public func createKey(_ draft: APIKeyDraft, context: RequestContext) async throws -> IssuedKey {
        _ = try Self.keyOwner(context)
        let time = now()
        var generator = SystemRandomNumberGenerator()
        let text = KeyText(id: .random(), using: &generator)
        var key = APIKey(draft, text: text, owner: draft.owner ?? context.principal.user, time: time)
        key = try Self.checked(key, expiring: key.expires != nil, at: time)
        try await requireMayHandOn(key, context)
        let insertion = try await store.insert(
            key,
            digest: text.digest,
            tenant: context.tenant,
            limit: Limits.keysPerTenant,
            audit: AuditEvent(
                .keyCreated,
                at: time,
                by: context,
                object: AuditObject(.key, key.id),
                details: [.scopes: key.scopesText]
            ),
            deadline: context.deadline
        )
        switch insertion {
        case .inserted: return IssuedKey(key: key, secret: text.secret)
        case .ownerMissing: throw AccessError.notFound("user")
        case .limitReached, .nameTaken: throw Self.limitReached("keys", Limits.keysPerTenant)
        }
    }

    /// Changes what is given of one of the keys that `keys(context:)` lists. Whoever makes it worth more, or alive again,
    /// must be able to make one like it.
    ///
    /// - Throws: as `createKey`; `notFound`, also when the key was changed by somebody else at the same moment.
    @discardableResult
    public func changeKey(_ id: KeyID, _ change: APIKeyChange, context: RequestContext) async throws -> APIKey {
        let old = try await key(id, context: context)
        let key = try Self.checked(change.applied(to: old), expiring: change.expires != nil, at: now())
        if key.isWider(than: old) { try await requireMayHandOn(key, context) }
        let action: AuditAction =
            key.isDisabled == old.isDisabled ? .keyChanged : key.isDisabled ? .keyDisabled : .keyEnabled
        let isChanged = try await store.change(
            old,
            to: key,
            tenant: context.tenant,
            audit: AuditEvent(
                action,
                at: now(),
                by: context,
                object: AuditObject(.key, id),
                details: [.scopes: key.scopesText]
            ),
            deadline: context.deadline
        )
        cache.clear()
        guard isChanged else { throw AccessError.notFound("key") }
        return key
    }

    /// Disables a key, or enables it again.
    ///
    /// - Throws: as `changeKey`.
    public func setKey(_ key: KeyID, isDisabled: Bool, context: RequestContext) async throws {
        try await changeKey(key, APIKeyChange(isDisabled: isDisabled), context: context)
    }

    /// Gives one of the caller's own keys another secret. The old one is dead at once.
    ///
    /// - Throws: `notFound`, also for another user's key: whoever sees the text can act as its owner.
    public func rotateKey(_ id: KeyID, context: RequestContext) async throws -> IssuedKey {
        var key = try await key(id, context: context)
        guard key.owner == context.principal.user else { throw AccessError.notFound("key") }
        try await requireMayHandOn(key, context)
        var generator = SystemRandomNumberGenerator()
        let text = KeyText(id: id, using: &generator)
        let isReplaced = try await store.replaceSecret(
            of: id,
            digest: text.digest,
            lastFour: text.lastFour,
            owner: key.owner,
            tenant: context.tenant,
            at: now(),
            audit: AuditEvent(
                .keyChanged,
                at: now(),
                by: context,
                object: AuditObject(.key, id),
                details: [.kind: "rotated"]
            ),
            deadline: context.deadline
        )
        cache.clear()
        guard isReplaced else { throw AccessError.notFound("key") }
        key.lastFour = text.lastFour
        return IssuedKey(key: key, secret: text.secret)
    }

    /// Deletes one of the keys that `keys(context:)` lists, for good.
    ///
    /// - Throws: `notFound`.
    public func revokeKey(_ id: KeyID, context: RequestContext) async throws {
        _ = try await key(id, context: context)
        let isFound = try await store.deleteKey(
            id,
            tenant: context.tenant,
            audit: AuditEvent(.keyDeleted, at: now(), by: context, object: AuditObject(.key, id)),
            deadline: context.deadline
        )
        cache.clear()
        policyChanged(in: context.tenant)
        guard isFound else { throw AccessError.notFound("key") }
    }

    // MARK: Rules

    /// Whose keys the caller manages; nil for everybody's.
    ///
    /// - Throws: `forbidden` for who came with a key, or a token for something else, without `keys:manage`.
    private static func keyOwner(_ context: RequestContext) throws -> UserID? {
        if Policy.allows(.keysManage, to: context.principal) { return nil }
        guard context.principal.key == nil, context.principal.scopes == nil else {
            throw AccessError.forbidden(.keysManage)
        }
        return context.principal.user
    }

    private static func checked(_ key: APIKey, expiring: Bool, at time: Instant) throws -> APIKey {
        var key = key
        key.name = try displayName(key.name, of: "key")
        guard !key.scopes.isEmpty else {
            throw AccessError(
                .invalid,
                "A key needs at least one scope.",
                hint: "scopes are \(Permission.allCases.map(\.rawValue).joined(separator: ", "))"
            )
        }
        if expiring, let expires = key.expires, expires <= time {
            throw AccessError(.invalid, "A key's expiry must lie in the future.")
        }
        let bases = key.bases ?? []
        guard key.tables.values.allSatisfy({ !$0.isEmpty }), bases.isDisjoint(with: key.tables.keys) else {
            throw AccessError(
                .invalid,
                "A key names a base either whole or by at least one of its tables.",
                hint: "leave a base with tables out of the bases"
            )
        }
        guard bases.count + key.tables.values.reduce(0, { $0 + $1.count }) <= Limits.keyPlaces else {
            throw AccessError(.invalid, "A key names at most \(Limits.keyPlaces) bases and tables.")
        }
        guard (key.addresses?.networks.count ?? 0) <= Limits.keyAddresses else {
            throw AccessError(.invalid, "A key names at most \(Limits.keyAddresses) networks.")
        }
        return key
    }

    private func requireMayHandOn(_ key: APIKey, _ context: RequestContext) async throws {
        if key.owner != context.principal.user { try context.require(.admin) }
        try Self.requireHeld(key.scopes, context)
        guard let callerKey = context.principal.key else { return }
        guard let caller = try await storedKey(callerKey, deadline: context.deadline)?.key else {
            throw AccessError.unauthenticated("key gone while in use")
        }
        let mayHandOnPlaces = Policy.mayHandOn(
            bases: key.bases,
            tables: key.tables,
            holding: caller.bases,
            tables: caller.tables
        )
        // What its own grants keep from it they would not keep from another key.
        let ownGrants = try await policies.policy(of: context.tenant).grants(of: .key(callerKey))
        guard mayHandOnPlaces, ownGrants.isEmpty else {
            throw AccessError(
                .forbidden,
                "A key limited to some bases can only make keys limited to some of those.",
                hint: "name the bases or tables of the new key"
            )
        }
        guard Policy.mayHandOn(addresses: key.addresses, holding: caller.addresses) else {
            throw AccessError(
                .forbidden,
                "A key limited to some networks can only make keys limited to some of those.",
                hint: "name the networks of the new key"
            )
        }
        guard Policy.mayHandOn(expiry: key.expires, holding: caller.expires) else {
            throw AccessError(
                .forbidden,
                "A key that expires can only make keys that expire no later.",
                hint: "give the new key an expiry"
            )
        }
    }
}

/// What should be different about a key. Nil leaves a thing as it is.
public struct APIKeyChange: Sendable, Hashable {
    public var name: String?
    public var scopes: Set<Permission>?
    /// `.some(nil)` for no limit.
    public var bases: Set<BaseID>??
    public var tables: [BaseID: Set<TableID>]?
    /// `.some(nil)` for anywhere.
    public var addresses: AddressList??
    /// `.some(nil)` for never.
    public var expires: Instant??
    public var isDisabled: Bool?

    public init(
        name: String? = nil,
        scopes: Set<Permission>? = nil,
        bases: Set<BaseID>?? = nil,
        tables: [BaseID: Set<TableID>]? = nil,
        addresses: AddressList?? = nil,
        expires: Instant?? = nil,
        isDisabled: Bool? = nil
    ) {
        self.name = name
        self.scopes = scopes
        self.bases = bases
        self.tables = tables
        self.addresses = addresses
        self.expires = expires
        self.isDisabled = isDisabled
    }

    func applied(to key: APIKey) -> APIKey {
        var key = key
        if let name { key.name = name }
        if let scopes { key.scopes = scopes }
        if let bases { key.bases = bases }
        if let tables { key.tables = tables }
        if let addresses { key.addresses = addresses }
        if let expires { key.expires = expires }
        if let isDisabled { key.isDisabled = isDisabled }
        return key
    }
}

extension APIKey {
    init(_ draft: APIKeyDraft, text: KeyText, owner: UserID, time: Instant) {
        self.init(
            id: text.id,
            owner: owner,
            name: draft.name,
            scopes: draft.scopes,
            bases: draft.bases,
            tables: draft.tables,
            addresses: draft.addresses,
            expires: draft.expires,
            isDisabled: false,
            createdTime: time,
            lastUsedTime: nil,
            lastFour: text.lastFour
        )
    }

    /// Whether it opens anything that `old` did not, in any respect.
    func isWider(than old: APIKey) -> Bool {
        old.isDisabled && !isDisabled || !scopes.isSubset(of: old.scopes)
            || !Policy.mayHandOn(bases: bases, tables: tables, holding: old.bases, tables: old.tables)
            || !Policy.mayHandOn(addresses: addresses, holding: old.addresses)
            || !Policy.mayHandOn(expiry: expires, holding: old.expires)
    }

    /// What its text begins with, which may be shown.
    public var prefix: String { "pat_\(KeyText.environment)_\(id.description.dropFirst(3))" }
}
