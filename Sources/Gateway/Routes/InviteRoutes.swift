import Access
import Airtable
import Domain
import HTTPTypes

/// Joining a tenant that is somebody else's.
enum InviteRoutes {
    static let all = [list, create, revoke, accept, acceptSignedIn]

    private static let invites = "/api/v1/invites"

    private static let list = Route(
        .get,
        invites,
        name: "listInvites",
        summary: "The invites that wait to be accepted: the tenant's, or those you made.",
        reply: .json(InviteListWire.self, "The invites, oldest first, without their tokens."),
        handler: .requiresThere(.membersManage) { call, context in
            let found = try await call.services.accounts.openInvites(context: context)
            return try .json(InviteListWire(invites: found.map(InviteWire.init)))
        }
    )

    private static let create = Route(
        .post,
        invites,
        name: "createInvite",
        summary:
            "Invites somebody. Without a mail relay the token is in this answer and nowhere else; with one it is mailed.",
        body: RouteBody(InviteDraftWire.self, limit: Limits.smallBodyBytes),
        reply: .json(IssuedInviteWire.self, "The invite.", status: .created),
        problems: [.notFound, .conflict, .tooManyRequests],
        handler: .requiresThere(.membersManage) { call, context in
            let body: InviteDraftWire = try call.decodedBody()
            let draft = try body.draft()
            let issued = try await AccountRoutes.limited {
                try await call.services.accounts.invite(draft, checking: call.services.airtable, context: context)
            }
            return try .json(IssuedInviteWire(issued), status: .created)
        }
    )

    private static let revoke = Route(
        .delete,
        invites + "/{inviteId}",
        name: "revokeInvite",
        summary: "Takes an invite back.",
        reply: .nothing("It is dead."),
        handler: .requiresThere(.membersManage) { call, context in
            try await call.services.accounts.revokeInvite(try call.identifier(.inviteId), context: context)
            return .nothing
        }
    )

    private static let accept = Route(
        .post,
        "/api/v1/auth/invites/accept",
        name: "acceptInvite",
        summary:
            "Accepts an invite: with the password of the account that its address has, or with one for a new account.",
        body: RouteBody(AcceptInviteWire.self, limit: Limits.smallBodyBytes),
        reply: .json(SignedInWire.self, "The tokens, and who they are for."),
        problems: [.conflict, .tooManyRequests],
        handler: .open { call in
            let body: AcceptInviteWire = try call.decodedBody()
            let signIn = try await AccountRoutes.limited {
                try await call.services.accounts.acceptInvite(
                    token: body.token,
                    name: body.name,
                    password: Password(body.password),
                    caller: call.accountCaller
                )
            }
            return try .json(SignedInWire(signIn))
        }
    )

    private static let acceptSignedIn = Route(
        .post,
        "/api/v1/users/me/invites",
        name: "acceptInviteSignedIn",
        summary: "Accepts an invite to your address, and signs you in where it leads, beside the session you have.",
        body: RouteBody(MailedTokenWire.self, limit: Limits.smallBodyBytes),
        reply: .json(SignedInWire.self, "The tokens, and who they are for.", status: .created),
        problems: [.conflict, .tooManyRequests],
        cost: .auth,
        handler: .signedIn { call, context in
            let body: MailedTokenWire = try call.decodedBody()
            let signIn = try await AccountRoutes.limited {
                try await call.services.accounts.acceptInvite(
                    token: body.token,
                    context: context,
                    caller: call.accountCaller
                )
            }
            return try .json(SignedInWire(signIn), status: .created)
        }
    )
}
