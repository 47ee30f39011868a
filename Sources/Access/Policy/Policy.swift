package import Domain

/// Who is let in, and what may be handed on, as pure functions of plain values: no clock, no store, no log. What somebody
/// may do once they are in is `Standing`'s to say.
///
/// Rights are an intersection, so that taking one away anywhere takes it away at once: a key can do what its scopes
/// *and* its owner's present rights allow. Anything not granted is denied.
package enum Policy {
    /// What the decision needs to know of a key.
    package struct KeyFacts: Sendable, Hashable {
        package var expires: Instant?
        package var isDisabled: Bool
        package var isOwnerDisabled: Bool
        /// Where it may come from; nil for anywhere.
        package var addresses: AddressList?

        package init(
            expires: Instant?,
            isDisabled: Bool,
            isOwnerDisabled: Bool,
            addresses: AddressList? = nil
        ) {
            self.expires = expires
            self.isDisabled = isDisabled
            self.isOwnerDisabled = isOwnerDisabled
            self.addresses = addresses
        }
    }

    package enum Admission: Sendable, Hashable {
        case admitted
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

    /// Whether a key still opens the door at `now`. It is dead at its expiry, not after it.
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
        return .admitted
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
