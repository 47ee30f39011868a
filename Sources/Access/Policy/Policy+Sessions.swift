package import Domain

extension Policy {
    /// What the decision needs to know of a session.
    package struct SessionFacts: Sendable, Hashable {
        package var expires: Instant
        package var idleEnds: Instant
        package var isUserDisabled: Bool

        package init(expires: Instant, idleEnds: Instant, isUserDisabled: Bool) {
            self.expires = expires
            self.idleEnds = idleEnds
            self.isUserDisabled = isUserDisabled
        }
    }

    /// Whether a session still opens the door at `now`.
    package static func admit(_ session: SessionFacts, at now: Instant) -> Admission {
        if now >= session.expires || now >= session.idleEnds { return .refused(.sessionOver) }
        if session.isUserDisabled { return .refused(.ownerDisabled) }
        return .admitted
    }
}
