import Access
import Domain
import HTTPTypes

/// What a user sees and changes of themselves.
enum ProfileRoutes {
    static let all = [me, update, password, email]

    private static let me = Route(
        .get,
        "/api/v1/users/me",
        name: "getMe",
        summary: "The caller as a user.",
        reply: .json(MeWire.self, "The user."),
        handler: .authenticated { call, context in
            let profile = try await call.services.accounts.profile(context: context)
            return try .json(MeWire(profile, permissions: context.principal.permissions))
        }
    )

    private static let update = Route(
        .put,
        "/api/v1/users/me",
        name: "updateMe",
        summary: "Changes the caller's name, preferences, or both; preferences are replaced whole.",
        body: RouteBody(ProfileUpdateWire.self, limit: 2 * Limits.preferencesBytes),
        reply: .json(MeWire.self, "The user."),
        handler: .signedIn { call, context in
            let body: ProfileUpdateWire = try call.decodedBody()
            let profile = try await call.services.accounts.updateProfile(
                name: body.name,
                preferences: body.preferences?.objectValue,
                context: context
            )
            return try .json(MeWire(profile, permissions: context.principal.permissions))
        }
    )

    private static let password = Route(
        .put,
        "/api/v1/users/me/password",
        name: "changePassword",
        summary: "Changes the password, and ends every session but this one.",
        body: RouteBody(ChangePasswordWire.self, limit: Limits.smallBodyBytes),
        reply: .nothing("It is changed."),
        problems: [.tooManyRequests],
        handler: .signedIn { call, context in
            let body: ChangePasswordWire = try call.decodedBody()
            try await AccountRoutes.limited {
                try await call.services.accounts.changePassword(
                    from: Password(body.currentPassword),
                    to: Password(body.newPassword),
                    context: context
                )
            }
            return .nothing
        }
    )

    private static let email = Route(
        .put,
        "/api/v1/users/me/email",
        name: "changeEmail",
        summary: "Changes the e-mail address; where addresses are verified, once a mail that goes there is answered.",
        body: RouteBody(ChangeEmailWire.self, limit: Limits.smallBodyBytes),
        reply: .changedEmail,
        problems: [.conflict, .tooManyRequests],
        handler: .signedIn { call, context in
            let body: ChangeEmailWire = try call.decodedBody()
            let changed = try await AccountRoutes.limited {
                try await call.services.accounts.changeEmail(
                    to: body.email,
                    password: Password(body.password),
                    context: context
                )
            }
            switch changed {
            case .done: return .nothing
            case .pending: return Reply(status: .accepted, contentType: "", body: [])
            }
        }
    )
}

extension RouteReply {
    fileprivate static var changedEmail: Self {
        var reply = nothing("It is changed.")
        reply.emptyStatuses = [.accepted]
        return reply
    }
}
