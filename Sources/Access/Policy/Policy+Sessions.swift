package import Domain

extension Policy {
    /// What the decision needs to know of a session.
    package struct SessionFacts: Sendable, Hashable {
        package var expires: Instant
        package var idleEnds: Instant
        package var userRole: Role
        package var isUserDisabled: Bool

        package init(expires: Instant, idleEnds: Instant, userRole: Role, isUserDisabled: Bool) {
            self.expires = expires
            self.idleEnds = idleEnds
            self.userRole = userRole
            self.isUserDisabled = isUserDisabled
        }
    }

    /// Whether a session still opens the door at `now`, and with which rights: those its user has at present.
    package static func admit(_ session: SessionFacts, at now: Instant) -> Admission {
        if now >= session.expires || now >= session.idleEnds { return .refused(.sessionOver) }
        if session.isUserDisabled { return .refused(.ownerDisabled) }
        return .admitted(session.userRole.permissions)
    }
}
