public import Domain

/// What a user is shown of themselves.
public struct Profile: Sendable {
    public let user: User
    public let tenant: Tenant
    /// Nil for a user that only keys act as.
    public let account: Account?
    public let preferences: JSONObject
}

extension AccountService {
    /// The caller as a user, at most half a second ago: a client asks for it again and again.
    public func profile(context: RequestContext) async throws -> Profile {
        let key = ProfileKey(tenant: context.tenant, user: context.principal.user)
        if let recent = profiles[key] { return recent }
        let ticket = profiles.ticket()
        let found = try await store.profile(
            of: context.principal.user,
            tenant: context.tenant,
            deadline: context.deadline
        )
        guard let found else { throw AccessError.notFound("user") }
        profiles.add(found, for: key, ticket)
        return found
    }

    /// Changes the caller's name, preferences, or both.
    ///
    /// - Parameter preferences: replaces them; at most `Limits.preferencesBytes` as JSON.
    /// - Throws: `invalid` for a name that is taken or none, and for too long preferences.
    public func updateProfile(
        name: String?,
        preferences: JSONObject?,
        context: RequestContext
    ) async throws -> Profile {
        let name = try name.map { try AccessService.displayName($0, of: "user") }
        let text = preferences.map { String(decoding: JSONValue.object($0).encoded(), as: UTF8.self) }
        if let text, text.utf8.count > Limits.preferencesBytes {
            throw AccessError(.invalid, "Preferences have at most \(Limits.preferencesBytes) bytes as JSON.")
        }
        let change = try await store.updateProfile(
            of: context.principal.user,
            name: name,
            preferences: text,
            tenant: context.tenant,
            audit: AuditEvent(
                .userChanged,
                at: now,
                by: context,
                object: AuditObject(.user, context.principal.user)
            ),
            deadline: context.deadline
        )
        profiles.clear()
        access.policyChanged(in: context.tenant)
        switch change {
        case .changed: return try await profile(context: context)
        case .taken: throw AccessError(.invalid, "A user of this name exists.", hint: "choose another one")
        case .missing: throw AccessError.notFound("user")
        }
    }

    /// Lets a user sign in with a password that somebody else chose, and that signs in only to be changed. Makes their
    /// account at the first time; ends all their sessions.
    ///
    /// This is how the first account comes to be. It is for the machine itself: an account may reach into other tenants,
    /// so no admin of one is given it.
    ///
    /// - Throws: `forbidden` for who is not at the machine, `notFound`, `invalid` for a user without an e-mail address,
    ///   `addressTaken` when it is another person's, `weakPassword`.
    public func givePassword(_ password: Password, to user: UserID, context: RequestContext) async throws {
        try context.require(.membersManage)
        guard context.origin == .commandLine else { throw AccessError.forbidden(.admin) }
        guard let found = try await access.store.user(user, tenant: context.tenant, deadline: context.deadline) else {
            throw AccessError.notFound("user")
        }
        guard let text = found.email else {
            throw AccessError(
                .invalid,
                "This user has no e-mail address to sign in with.",
                hint: "set one with `pyairtable-ai user email`"
            )
        }
        let email = try EmailAddress(text)
        let time = now
        let given = try await store.give(
            PasswordChange(
                hash: try await hash(password, for: email, names: [found.name]),
                time: time,
                mustChange: true
            ),
            to: user,
            with: Account(id: .random(), email: email, verifiedTime: time, createdTime: time),
            tenant: context.tenant,
            audit: AuditEvent(.passwordChanged, at: time, by: context, object: AuditObject(.user, user)),
            deadline: context.deadline
        )
        access.forgetVerified()
        switch given {
        case .changed: return
        case .taken:
            throw AccessError(.addressTaken, "Another person has an account with this user's e-mail address.")
        case .missing: throw AccessError.notFound("user")
        }
    }
}
