import Access
import Domain
import HTTPTypes

/// API keys: one's own for whoever signed in, all of the tenant's with `keys:manage`.
///
/// No route asks for a permission before its handler runs: whose key it is decides, and `AccessService` with it.
enum APIKeyRoutes {
    static let all = [list, create, show, change, rotate, delete]

    private static let keys = "/api/v1/api-keys"
    private static let key = keys + "/{keyId}"

    private static let list = Route(
        .get,
        keys,
        name: "listApiKeys",
        summary: "Your API keys, or with `keys:manage` all of the tenant's.",
        query: [
            QueryParameter("owner", "Only this user's.", PathParameter.userId.schema)
        ],
        reply: .json(APIKeyListWire.self, "The keys, oldest first."),
        handler: .authenticated { call, context in
            let owner = try call.query.text("owner").map { text in
                guard let owner = UserID(text) else {
                    throw GatewayError(.invalidParameter, "The query parameter owner is a user's identifier.")
                }
                return owner
            }
            let keys = try await call.services.access.keys(context: context)
            let found = keys.filter { owner == nil || $0.owner == owner }
            return try .json(APIKeyListWire(keys: found.map(APIKeyWire.init)))
        }
    )

    private static let create = Route(
        .post,
        keys,
        name: "createApiKey",
        summary: "Makes an API key of your own. Its text is in this answer and nowhere else.",
        body: RouteBody(APIKeyDraftWire.self),
        reply: .json(IssuedAPIKeyWire.self, "The key with its text.", status: .created),
        problems: [.conflict],
        handler: .authenticated { call, context in
            let draft: APIKeyDraftWire = try call.decodedBody()
            let issued = try await call.services.access.createKey(try draft.draft(), context: context)
            return try .json(IssuedAPIKeyWire(issued), status: .created)
        }
    )

    private static let show = Route(
        .get,
        key,
        name: "getApiKey",
        summary: "One API key, without its secret.",
        reply: .json(APIKeyWire.self, "The key."),
        handler: .authenticated { call, context in
            let id: KeyID = try call.identifier(.keyId)
            return try .json(APIKeyWire(try await call.services.access.key(id, context: context)))
        }
    )

    private static let change = Route(
        .patch,
        key,
        name: "updateApiKey",
        summary: "Renames, limits, disables or enables an API key.",
        body: RouteBody(APIKeyChangeWire.self),
        reply: .json(APIKeyWire.self, "The key as it is now."),
        handler: .authenticated { call, context in
            let change: APIKeyChangeWire = try call.decodedBody()
            let id: KeyID = try call.identifier(.keyId)
            let key = try await call.services.access.changeKey(id, try change.change(), context: context)
            return try .json(APIKeyWire(key))
        }
    )

    private static let rotate = Route(
        .post,
        key + "/rotate",
        name: "rotateApiKey",
        summary: "Gives an API key of your own another text. The old one is dead at once.",
        reply: .json(IssuedAPIKeyWire.self, "The key with its new text."),
        handler: .authenticated { call, context in
            let id: KeyID = try call.identifier(.keyId)
            return try .json(IssuedAPIKeyWire(try await call.services.access.rotateKey(id, context: context)))
        }
    )

    private static let delete = Route(
        .delete,
        key,
        name: "deleteApiKey",
        summary: "Ends an API key for good.",
        reply: .nothing("It is deleted."),
        handler: .authenticated { call, context in
            try await call.services.access.revokeKey(try call.identifier(.keyId), context: context)
            return .nothing
        }
    )
}
