package import Domain

/// Every decision of who may do what, as pure functions of plain values: no clock, no store, no log.
///
/// Rights are an intersection, so that taking one away anywhere takes it away at once: a key can do what its scopes
/// *and* its owner's present role allow. Anything not granted is denied.
package enum Policy {
    /// What the decision needs to know of a key.
    package struct KeyFacts: Sendable, Hashable {
        package var scopes: Set<Permission>
        package var expires: Instant?
        package var isDisabled: Bool
        package var ownerRole: Role
        package var isOwnerDisabled: Bool
        /// Where it may come from; nil for anywhere.
        package var addresses: AddressList?

        package init(
            scopes: Set<Permission>,
            expires: Instant?,
            isDisabled: Bool,
            ownerRole: Role,
            isOwnerDisabled: Bool,
            addresses: AddressList? = nil
        ) {
            self.scopes = scopes
            self.expires = expires
            self.isDisabled = isDisabled
            self.ownerRole = ownerRole
            self.isOwnerDisabled = isOwnerDisabled
            self.addresses = addresses
        }
    }

    package enum Admission: Sendable, Hashable {
        case admitted(Set<Permission>)
        case refused(Refusal)
    }

    /// Why a key with the right secret, or a session that there is, opens nothing. For the log; the caller hears the same in
    /// every case.
    package enum Refusal: String, Sendable, Hashable, CaseIterable {
        case keyDisabled = "key disabled"
        case keyExpired = "key expired"
        case ownerDisabled = "owner disabled"
        case sessionOver = "session over"
        case addressNotAllowed = "address not allowed"
    }

    /// Whether a key still opens the door at `now`, and with which rights. It is dead at its expiry, not after it.
    ///
    /// - Parameter client: where the request comes from. A key that names addresses is good from those alone, and so not
    ///   when nobody knows the caller's.
    package static func admit(_ key: KeyFacts, from client: IPAddress?, at now: Instant) -> Admission {
        if key.isDisabled { return .refused(.keyDisabled) }
        if let expires = key.expires, now >= expires { return .refused(.keyExpired) }
        if key.isOwnerDisabled { return .refused(.ownerDisabled) }
        if let addresses = key.addresses, client.map({ !addresses.contains($0) }) ?? true {
            return .refused(.addressNotAllowed)
        }
        return .admitted(key.scopes.intersection(key.ownerRole.permissions))
    }

    /// Whether `principal` may do what `permission` names. The `admin` permission implies no other one.
    package static func allows(_ permission: Permission, to principal: Principal) -> Bool {
        principal.permissions.contains(permission)
    }

    /// The scopes of `wanted` that somebody with `held` may not hand on; empty when all may be.
    package static func excess(of wanted: Set<Permission>, over held: Set<Permission>) -> Set<Permission> {
        wanted.subtracting(held)
    }
}
