/// What an entry of the audit log is about: a closed vocabulary, so that it can be searched and counted.
///
/// Names are stored and hashed: they are added to, never changed.
public enum AuditAction: String, Sendable, Hashable, CaseIterable, Codable {
    // Signing in
    case register = "auth.register"
    case login = "auth.login"
    case logout = "auth.logout"
    case refresh = "auth.refresh"
    /// A token for a single resource was made of a session.
    case tokenIssued = "auth.token.issued"
    /// A refresh token came a second time: its whole family is dead.
    case refreshReused = "auth.refresh.reused"
    /// A bearer that opens nothing.
    case refused = "auth.refused"
    case sessionRevoked = "session.revoked"
    case passwordChanged = "password.changed"
    case passwordResetRequested = "password.reset.requested"
    case passwordReset = "password.reset"
    case emailChanged = "email.changed"
    case emailVerified = "email.verified"

    // Tenants, workspaces, people
    case tenantCreated = "tenant.created"
    case tenantChanged = "tenant.changed"
    case tenantSuspended = "tenant.suspended"
    case tenantResumed = "tenant.resumed"
    case tenantDeleted = "tenant.deleted"
    case workspaceCreated = "workspace.created"
    case workspaceChanged = "workspace.changed"
    case workspaceDeleted = "workspace.deleted"
    case inviteCreated = "invite.created"
    case inviteAccepted = "invite.accepted"
    case inviteRevoked = "invite.revoked"
    case userCreated = "user.created"
    case userChanged = "user.changed"
    case userRoleChanged = "user.role.changed"
    case userDisabled = "user.disabled"
    case userEnabled = "user.enabled"
    case userDeleted = "user.deleted"

    // Keys, credentials
    case keyCreated = "key.created"
    case keyChanged = "key.changed"
    case keyDisabled = "key.disabled"
    case keyEnabled = "key.enabled"
    case keyDeleted = "key.deleted"
    /// At most once a minute for each key.
    case keyUsed = "key.used"
    case credentialStored = "credential.stored"
    case credentialDeleted = "credential.deleted"
    case masterKeyRotated = "master-key.rotated"
    case dataKeyRotated = "data-key.rotated"
    case signingKeyRotated = "signing-key.rotated"

    // Permission
    case grantCreated = "grant.created"
    case grantChanged = "grant.changed"
    case grantDeleted = "grant.deleted"
    case roleCreated = "role.created"
    case roleChanged = "role.changed"
    case roleDeleted = "role.deleted"
    case groupCreated = "group.created"
    case groupChanged = "group.changed"
    case groupDeleted = "group.deleted"
    case groupMemberAdded = "group.member.added"
    case groupMemberRemoved = "group.member.removed"
    /// A known caller asked for what they may not.
    case denied = "access.denied"

    // Data
    case exported = "data.exported"
    case imported = "data.imported"
    case toolCalled = "tool.called"
    case toolApproved = "tool.approved"

    // The log, the server
    case auditExported = "audit.exported"
    /// More happened than could be written; `count` says how many entries are missing.
    case auditDropped = "audit.dropped"
    case backupMade = "backup.made"
    case backupRestored = "backup.restored"
}
