import Access
import Chat
import Domain
import HTTPTypes

/// The users of the caller's tenant, for those who manage members. What people do for themselves is under `/users/me`.
enum UserRoutes {
    static let all = [list, show, change, delete]

    private static let users = "/api/v1/users"
    private static let user = users + "/{userId}"

    private static let list = Route(
        .get,
        users,
        name: "listUsers",
        summary: "A page of the tenant's users, oldest first.",
        query: [
            QueryParameter("email", "Only the one with this address.", .string(maxLength: 254)),
            QueryParameter("role", "Only those with this role in the tenant.", .string(enum: roles)),
            QueryParameter("disabled", "Only those who are, or are not, disabled.", .boolean()),
            QueryParameter(
                "pageSize",
                "Users of the page, at most.",
                .integer(minimum: 1, maximum: Limits.userPageUsers, default: Limits.userPageUsers)
            ),
            QueryParameter("offset", "What the page before gave as its offset.", PathParameter.userId.schema),
        ],
        reply: .json(UserPageWire.self, "The users."),
        handler: .requires(.membersManage) { call, context in
            let filter = UserFilter(
                email: call.query.text("email"),
                role: try role(call.query.text("role")),
                isDisabled: try call.query.flag("disabled")
            )
            let limit = try call.query.integer("pageSize", in: 1...Limits.userPageUsers) ?? Limits.userPageUsers
            let cursor = try call.query.text("offset").map { text in
                guard let cursor = UserID(text) else {
                    throw GatewayError(
                        .invalidParameter,
                        "The query parameter offset is not one a page gave.",
                        hint: "start again without it"
                    )
                }
                return cursor
            }
            let page = try await call.services.access.users(filter, after: cursor, limit: limit, context: context)
            return try .json(
                UserPageWire(
                    users: page.users.map { UserWire($0, ownsTenant: $0.id == page.owner) },
                    offset: page.next?.description
                )
            )
        }
    )

    private static let show = Route(
        .get,
        user,
        name: "getUser",
        summary: "One user of the tenant.",
        reply: .json(UserWire.self, "The user."),
        handler: .requires(.membersManage) { call, context in
            let found = try await call.services.access.user(try call.identifier(.userId), context: context)
            return try .json(UserWire(found.user, ownsTenant: found.ownsTenant))
        }
    )

    private static let change = Route(
        .put,
        user,
        name: "updateUser",
        summary: "Renames a user, gives them another role in the tenant, disables or enables them.",
        body: RouteBody(UserChangeWire.self),
        reply: .json(UserWire.self, "The user as they are now."),
        problems: [.conflict],
        handler: .requires(.membersManage) { call, context in
            let (access, id): (AccessService, UserID) = (call.services.access, try call.identifier(.userId))
            let change: UserChangeWire = try call.decodedBody()
            try await access.changeUser(id, change.change, context: context)
            let found = try await access.user(id, context: context)
            return try .json(UserWire(found.user, ownsTenant: found.ownsTenant))
        }
    )

    private static let delete = Route(
        .delete,
        user,
        name: "deleteUser",
        summary: "Deletes a user with their keys, sessions and conversations. What they wrote into bases stays.",
        query: [
            QueryParameter(
                "erase",
                "Whether history and comments forget their name, too. Also for who was deleted before.",
                .boolean()
            )
        ],
        reply: .nothing("They are deleted."),
        problems: [.conflict],
        handler: .requires(.membersManage) { call, context in
            let user: UserID = try call.identifier(.userId)
            let erases = try call.query.flag("erase") ?? false
            try await call.services.access.deleteUser(user, erasingName: erases, context: context)
            // A server that stops in between does it later.
            try await call.services.chat.forget(user, context: context)
            return .nothing
        }
    )

    private static let roles = Role.allCases.map(\.rawValue)

    private static func role(_ text: String?) throws(GatewayError) -> Role? {
        guard let text else { return nil }
        guard let role = Role(rawValue: text) else {
            throw GatewayError(
                .invalidParameter,
                "The query parameter role is none of the roles.",
                hint: "they are \(roles.joined(separator: ", "))"
            )
        }
        return role
    }
}
