import Access
import Domain
import HTTPTypes

/// Getting an account and signing in, before anybody is known. All are limited by where they are called from, and the
/// bodies hold passwords, which go no further than the pool that hashes them.
enum AccountRoutes {
    static let all = [register, login, verify, forgot, reset]

    private static let register = Route(
        .post,
        "/api/v1/auth/register",
        name: "register",
        summary:
            "Makes an account with a tenant of its own. Where addresses are verified: sends a mail, whether or not "
            + "there is an account.",
        body: RouteBody(RegisterWire.self, limit: Limits.smallBodyBytes),
        reply: .signedIn("The account, signed in.", status: .created, emptyStatuses: [.accepted]),
        problems: [.forbidden, .conflict, .tooManyRequests],
        handler: .open { call in
            let body: RegisterWire = try call.decodedBody()
            let registered = try await limited {
                try await call.services.accounts.register(
                    email: body.email,
                    password: Password(body.password),
                    name: body.name,
                    caller: call.accountCaller
                )
            }
            switch registered {
            case .pending: return Reply(status: .accepted, contentType: "", body: [])
            case .signedIn(let signIn): return try .json(SignedInWire(signIn), status: .created)
            }
        }
    )

    private static let login = Route(
        .post,
        "/api/v1/auth/login",
        name: "login",
        summary: "Signs in. No account and a wrong password are told apart by nothing.",
        body: RouteBody(LoginWire.self, limit: Limits.smallBodyBytes),
        reply: .signedIn("The tokens, and who they are for."),
        problems: [.unauthorized, .forbidden, .tooManyRequests],
        handler: .open { call in
            let body: LoginWire = try call.decodedBody()
            let signIn = try await limited {
                try await call.services.accounts.signIn(
                    email: body.email,
                    password: Password(body.password),
                    newPassword: body.newPassword.map(Password.init),
                    tenant: body.tenant,
                    caller: call.accountCaller
                )
            }
            return try .json(SignedInWire(signIn))
        }
    )

    private static let verify = Route(
        .post,
        "/api/v1/auth/verify",
        name: "verifyEmail",
        summary: "Confirms an address with what was mailed there: a registration's, or a new one of an account.",
        body: RouteBody(MailedTokenWire.self, limit: Limits.smallBodyBytes),
        reply: .nothing("It is confirmed."),
        problems: [.conflict, .tooManyRequests],
        handler: .open { call in
            let body: MailedTokenWire = try call.decodedBody()
            try await limited {
                try await call.services.accounts.verify(token: body.token, caller: call.accountCaller)
            }
            return .nothing
        }
    )

    private static let forgot = Route(
        .post,
        "/api/v1/auth/password/forgot",
        name: "forgotPassword",
        summary: "Sends a mail to set a new password with, if the address has an account; the answer does not tell.",
        body: RouteBody(ForgotWire.self, limit: Limits.smallBodyBytes),
        reply: .accepted("A mail is on its way if there is an account."),
        problems: [.tooManyRequests],
        handler: .open { call in
            let body: ForgotWire = try call.decodedBody()
            try await limited {
                try await call.services.accounts.forgot(email: body.email, caller: call.accountCaller)
            }
            return Reply(status: .accepted, contentType: "", body: [])
        }
    )

    private static let reset = Route(
        .post,
        "/api/v1/auth/password/reset",
        name: "resetPassword",
        summary: "Sets a new password with what came by mail, and ends every session.",
        body: RouteBody(ResetWire.self, limit: Limits.smallBodyBytes),
        reply: .nothing("It is set."),
        problems: [.tooManyRequests],
        handler: .open { call in
            let body: ResetWire = try call.decodedBody()
            try await limited {
                try await call.services.accounts.reset(
                    token: body.token,
                    password: Password(body.password),
                    caller: call.accountCaller
                )
            }
            return .nothing
        }
    )

    /// Turns a refusal for its rate into the edge's own, which says when to come back.
    static func limited<T>(_ body: () async throws -> T) async throws -> T {
        do { return try await body() } catch let refusal as AttemptRefusal {
            throw GatewayError(
                .tooManyRequests,
                refusal.message,
                hint: refusal.hint,
                retryAfterSeconds: refusal.seconds
            )
        }
    }
}

extension RouteReply {
    fileprivate static func signedIn(
        _ description: String,
        status: HTTPResponse.Status = .ok,
        emptyStatuses: [HTTPResponse.Status] = []
    ) -> Self {
        var reply = json(SignedInWire.self, description, status: status)
        reply.emptyStatuses = emptyStatuses
        return reply
    }

    /// 202 without a body.
    static func accepted(_ description: String) -> Self {
        var reply = nothing(description)
        reply.status = .accepted
        return reply
    }
}

extension RouteCall {
    var accountCaller: AccountCaller {
        AccountCaller(client: sessionClient, requestID: requestID, deadline: deadline, logger: logger)
    }
}
