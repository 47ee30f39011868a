import Access
import Domain
import HTTPTypes

/// Staying signed in, and signing out: refreshing tokens, one's sessions, and the keys that verify tokens elsewhere.
enum SessionRoutes {
    static let all = [refresh, logOut, logOutEverywhere, list, end, keys]

    private static let refresh = Route(
        .post,
        "/api/v1/auth/refresh",
        name: "refreshTokens",
        summary: "New tokens for a refresh token, which is used up. One that comes twice ends its session.",
        body: RouteBody(RefreshWire.self, limit: Limits.smallBodyBytes),
        reply: .json(TokensWire.self, "The tokens."),
        problems: [.unauthorized],
        handler: .open { call in
            let body: RefreshWire = try call.decodedBody()
            let pair = try await call.services.access.refresh(
                body.refreshToken,
                client: call.sessionClient,
                deadline: call.deadline
            )
            return try .json(TokensWire(pair))
        }
    )

    private static let logOut = Route(
        .post,
        "/api/v1/auth/logout",
        name: "logOut",
        summary: "Ends the session that the access token belongs to, with all its tokens.",
        reply: .nothing("It has ended."),
        handler: .signedIn { call, context in
            try await call.services.access.logOut(context: context)
            return .nothing
        }
    )

    private static let logOutEverywhere = Route(
        .post,
        "/api/v1/auth/logout-all",
        name: "logOutEverywhere",
        summary: "Ends every session of the caller, this one too, in every tenant they belong to.",
        reply: .nothing("They have ended."),
        handler: .signedIn { call, context in
            try await call.services.access.logOutEverywhere(context: context)
            return .nothing
        }
    )

    private static let list = Route(
        .get,
        "/api/v1/users/me/sessions",
        name: "listSessions",
        summary: "Where the caller is signed in.",
        reply: .json(SessionListWire.self, "The sessions."),
        handler: .signedIn { call, context in
            let sessions = try await call.services.access.ownSessions(context: context)
            let current = context.principal.session
            return try .json(SessionListWire(sessions: sessions.map { SessionWire($0, current: current) }))
        }
    )

    private static let end = Route(
        .delete,
        "/api/v1/users/me/sessions/{sessionId}",
        name: "endSession",
        summary: "Ends one of the caller's sessions, with all its tokens.",
        reply: .nothing("It has ended."),
        problems: [.notFound],
        handler: .signedIn { call, context in
            try await call.services.access.endOwnSession(try call.identifier(.sessionId), context: context)
            return .nothing
        }
    )

    private static let keys = Route(
        .get,
        "/.well-known/jwks.json",
        name: "tokenKeys",
        summary: "The public keys that verify this server's access tokens.",
        reply: .json(TokenKeySetWire.self, "The keys."),
        handler: .open { call in
            let keys = try await call.services.access.tokenKeys(deadline: call.deadline)
            var reply = try Reply.json(TokenKeySetWire(keys: keys.map { .init(kid: $0.id, x: $0.x) }))
            // Short, since whoever meets a key that is not in it asks again.
            reply.headers[.cacheControl] = "public, max-age=300"
            return reply
        }
    )
}

extension RouteCall {
    /// The device that signs in or refreshes, as its sessions are listed.
    var sessionClient: SessionClient {
        SessionClient(userAgent: headers[.userAgent], address: client.address?.description)
    }
}
