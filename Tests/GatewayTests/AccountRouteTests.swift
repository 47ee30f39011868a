import Access
import Database
import Domain
import HTTPTypes
import Hummingbird
import HummingbirdTesting
import Logging
import TestSupport
import Testing

@testable import Gateway

@Suite("Accounts over HTTP")
struct AccountRouteTests {
    private static let password = "walrus under lavender"

    private func withAccounts(
        _ settings: AccountSettings = AccountSettings(registration: .open),
        _ body: @escaping @Sendable (GatewayFixture, any TestClientProtocol) async throws -> Void
    ) async throws {
        try await withGateway { fixture in
            var fixture = fixture
            fixture.accounts = AccountService(access: fixture.access, hasher: testHasher, settings: settings)
            let open = fixture
            try await open.server().publicApplication.test(.router) { client in try await body(open, client) }
        }
    }

    private static func body(_ members: JSONValue) -> String { String(decoding: members.encoded(), as: UTF8.self) }

    private static func register(_ client: any TestClientProtocol, _ email: String = "ada@example.com") async throws
        -> Answer
    {
        let body = Self.body(["email": .string(email), "password": .string(password), "name": "Ada"])
        return try await client.send(.post, "/api/v1/auth/register", body: body)
    }

    private static func login(
        _ client: any TestClientProtocol,
        _ email: String = "ada@example.com",
        _ password: String = Self.password
    ) async throws -> Answer {
        let body = Self.body(["email": .string(email), "password": .string(password)])
        return try await client.send(.post, "/api/v1/auth/login", body: body)
    }

    /// The token in the newest mail to an address.
    private static func mailed(_ fixture: GatewayFixture) async throws -> String {
        let mails = try await fixture.accounts.dueMails(limit: 100, logger: fixture.log.logger())
        for mail in mails { try await fixture.accounts.sent(mail) }
        let lines = mails.last?.text.split(separator: "\n") ?? []
        return String(try #require(lines.first { $0.count == 33 && $0.allSatisfy { $0.isLetter || $0.isNumber } }))
    }

    /// A problem without what is of one request alone.
    private static func lasting(_ answer: Answer) -> JSONObject {
        var members = answer.json?.objectValue ?? JSONObject()
        members.removeValue(forKey: "requestId")
        return members
    }

    @Test("register, sign in, see and change oneself, refresh, sign out")
    func wholeWay() async throws {
        try await withAccounts { fixture, client in
            let registered = try await Self.register(client)
            #expect(registered.status == 201)
            #expect(SignedInWire.schema.violations(of: try #require(registered.json)) == [])
            #expect(registered.json?["user"]?["role"] == "owner")
            #expect(try await Self.register(client).status == 409)

            let signedIn = try await Self.login(client)
            #expect(signedIn.status == 200)
            #expect(SignedInWire.schema.violations(of: try #require(signedIn.json)) == [])
            #expect(signedIn.json?["user"]?["id"] == registered.json?["user"]?["id"])
            let token = try #require(signedIn.json?["accessToken"]?.stringValue)

            let me = try await client.send(.get, "/api/v1/users/me", key: token)
            #expect(me.status == 200)
            #expect(MeWire.schema.violations(of: try #require(me.json)) == [])
            #expect(me.json?["email"] == "ada@example.com" && me.json?["preferences"] == [:])
            let changed = try await client.send(
                .put,
                "/api/v1/users/me",
                key: token,
                body: Self.body(["name": "Countess", "preferences": ["theme": "dark"]])
            )
            #expect(changed.status == 200 && changed.json?["name"] == "Countess")
            let again = try await client.send(.get, "/api/v1/users/me", key: token)
            #expect(again.json == changed.json)

            // The tenant is new, and empty: nothing of another tenant's shows.
            let bases = try await client.send(.get, "/api/v1/airtable/bases", key: token)
            #expect(bases.json?["bases"]?.arrayValue?.isEmpty == true)
            let other = "/api/v1/airtable/bases/\(fixture.base.id)"
            #expect(try await client.send(.get, other, key: token).status == 404)

            let refresh = Self.body(["refreshToken": try #require(signedIn.json?["refreshToken"])])
            #expect(try await client.send(.post, "/api/v1/auth/refresh", body: refresh).status == 200)
            #expect(try await client.send(.post, "/api/v1/auth/logout", key: token).status == 204)
            #expect(try await client.send(.get, "/api/v1/users/me", key: token).status == 401)
        }
    }

    @Test("AUTH-05: over HTTP an unknown address and a wrong password differ in nothing but the request's id")
    func enumeration() async throws {
        try await withAccounts { _, client in
            _ = try await Self.register(client)
            let wrong = try await Self.login(client, "ada@example.com", "some other password")
            let unknown = try await Self.login(client, "nobody@example.com")
            let nonsense = try await Self.login(client, "no address")
            #expect([wrong, unknown, nonsense].map(\.status) == [401, 401, 401])
            #expect(Self.lasting(wrong) == Self.lasting(unknown) && Self.lasting(wrong) == Self.lasting(nonsense))
            #expect(wrong.code == "signInRefused")
            let names = { (answer: Answer) in Set(answer.headers.map(\.name.canonicalName)) }
            #expect(names(wrong) == names(unknown))
        }
    }

    @Test("AUTH-06: with verification registering answers 202 and nothing else, and forgetting always does")
    func silent() async throws {
        try await withAccounts(AccountSettings(registration: .open, verifiesEmail: true)) { fixture, client in
            let first = try await Self.register(client)
            #expect(first.status == 202 && first.text.isEmpty)
            let token = Self.body(["token": .string(try await Self.mailed(fixture))])
            #expect(try await client.send(.post, "/api/v1/auth/verify", body: token).status == 204)
            let used = try await client.send(.post, "/api/v1/auth/verify", body: token)
            #expect(used.status == 400 && used.code == "tokenRefused")
            let second = try await Self.register(client)
            #expect(second.status == 202 && second.text.isEmpty)
            #expect(Set(first.headers.map(\.name)) == Set(second.headers.map(\.name)))
            for email in ["ada@example.com", "nobody@example.com"] {
                let forgot = Self.body(["email": .string(email)])
                let answer = try await client.send(.post, "/api/v1/auth/password/forgot", body: forgot)
                #expect(answer.status == 202 && answer.text.isEmpty)
            }
        }
    }

    @Test("AUTH-10: over HTTP a forgotten password is set anew with what was mailed, once")
    func reset() async throws {
        try await withAccounts { fixture, client in
            _ = try await Self.register(client)
            let forgot = Self.body(["email": "ada@example.com"])
            #expect(try await client.send(.post, "/api/v1/auth/password/forgot", body: forgot).status == 202)
            let token = try await Self.mailed(fixture)
            let weak = Self.body(["token": .string(token), "password": "password1"])
            let refused = try await client.send(.post, "/api/v1/auth/password/reset", body: weak)
            #expect(refused.status == 400 && refused.code == "weakPassword")
            let good = Self.body(["token": .string(token), "password": "marmalade on tuesday"])
            #expect(try await client.send(.post, "/api/v1/auth/password/reset", body: good).status == 204)
            #expect(try await client.send(.post, "/api/v1/auth/password/reset", body: good).code == "tokenRefused")
            #expect(try await Self.login(client).status == 401)
            #expect(try await Self.login(client, "ada@example.com", "marmalade on tuesday").status == 200)
        }
    }

    @Test("AUTH-07: too many failures are 429 with Retry-After, for an account that is none too")
    func throttling() async throws {
        try await withAccounts { _, client in
            _ = try await Self.register(client)
            for email in ["ada@example.com", "nobody@example.com"] {
                for _ in 0..<5 { #expect(try await Self.login(client, email, "guess").status == 401) }
                let late = try await Self.login(client, email, "guess")
                #expect(late.status == 429 && late.code == "tooManyRequests")
                #expect(late.headers[.contentType] == Problem.contentType)
                #expect(late.headers[.retryAfter].flatMap { Int($0) }.map { (1...10).contains($0) } == true)
            }
        }
    }

    @Test("AUTH-09: a password changes with the current one, over a session alone, and ends the others")
    func changePassword() async throws {
        try await withAccounts { fixture, client in
            let mine = try #require(try await Self.register(client).json?["accessToken"]?.stringValue)
            let other = try #require(try await Self.login(client).json?["accessToken"]?.stringValue)
            let path = "/api/v1/users/me/password"
            func change(_ current: String, key: String) async throws -> Answer {
                let body = Self.body(["currentPassword": .string(current), "newPassword": "marmalade on tuesday"])
                return try await client.send(.put, path, key: key, body: body)
            }
            #expect(try await change("guess", key: mine).code == "wrongPassword")
            #expect(try await change(Self.password, key: fixture.key).code == "sessionRequired")
            #expect(try await change(Self.password, key: mine).status == 204)
            #expect(try await client.send(.get, "/api/v1/users/me", key: mine).status == 200)
            #expect(try await client.send(.get, "/api/v1/users/me", key: other).status == 401)
            let email = Self.body(["email": "countess@example.com", "password": "marmalade on tuesday"])
            #expect(try await client.send(.put, "/api/v1/users/me/email", key: mine, body: email).status == 204)
            #expect(try await Self.login(client, "countess@example.com", "marmalade on tuesday").status == 200)
        }
    }

    @Test(
        "AUTHZ-06: what is not one's own to say is refused, and nothing of it applied",
        arguments: [
            #""role": "owner""#, #""tenantId": "tenA1b2C3d4E5f6G7""#, #""id": "usrA1b2C3d4E5f6G7""#,
            #""email": "eve@example.com""#, #""emailVerified": true"#, #""createdTime": "2020-01-01T00:00:00.000Z""#,
            #""permissions": ["admin"]"#, #""isAdmin": true"#, #""name": 7"#, #""preferences": []"#,
            #""preferences": "x""#,
        ]
    )
    func massAssignment(_ member: String) async throws {
        try await withAccounts { _, client in
            let token = try #require(try await Self.register(client).json?["accessToken"]?.stringValue)
            let before = try await client.send(.get, "/api/v1/users/me", key: token)
            let body = member.hasPrefix("\"name\"") ? "{\(member)}" : "{\"name\": \"Eve\", \(member)}"
            #expect(try await client.send(.put, "/api/v1/users/me", key: token, body: body).status == 422)
            #expect(try await client.send(.get, "/api/v1/users/me", key: token).json == before.json)
            let registering = #"{"email": "e@x.y", "password": "walrus under lavender", "name": "E", "# + member + "}"
            if !member.contains("email\"") && !member.contains("\"name\"") {
                #expect(try await client.send(.post, "/api/v1/auth/register", body: registering).status == 422)
            }
        }
    }

    @Test("AUTH-08: as installed nobody can register, and no account can be signed in to")
    func closed() async throws {
        try await withAccounts(AccountSettings()) { _, client in
            let answer = try await Self.register(client)
            #expect(answer.status == 403 && answer.code == "registrationClosed")
            for email in ["admin", "admin@localhost", "root@localhost", "owner", "admin@example.com"] {
                #expect(try await Self.login(client, email, "admin").status == 401)
            }
        }
    }

    @Test("AUTH-02: when too many passwords wait to be hashed, 503 says when to come back")
    func overload() async throws {
        try await withGateway { fixture in
            var fixture = fixture
            let hasher = PasswordHasher(
                cost: PasswordCost(memoryKiB: Limits.passwordMemoryKiBMin, passes: Limits.passwordPassesMin),
                threads: 1,
                queueLimit: 1
            )
            fixture.accounts = AccountService(access: fixture.access, hasher: hasher)
            try await fixture.server().publicApplication.test(.router) { client in
                let answers = try await withThrowingTaskGroup(of: Answer.self) { group in
                    for number in 0..<20 {
                        group.addTask { try await Self.login(client, "\(number)@example.com", "guess") }
                    }
                    return try await group.reduce(into: []) { $0.append($1) }
                }
                #expect(Set(answers.map(\.status)).isSubset(of: [401, 503]))
                let refused = answers.filter { $0.status == 503 }
                #expect(
                    refused.allSatisfy {
                        $0.headers[.retryAfter] != nil && $0.headers[.contentType] == Problem.contentType
                    }
                )
                #expect(hasher.load.runningMax == 1)
                #expect(hasher.load.refused == refused.count)
                #expect(hasher.load.finished == answers.count - refused.count)
            }
        }
    }

    @Test("AUD-03: no password, token or mailed secret stands in the log")
    func log() async throws {
        try await withAccounts { fixture, client in
            let registered = try await Self.register(client)
            _ = try await Self.login(client, "ada@example.com", "wrong-password-marker")
            _ = try await client.send(.post, "/api/v1/auth/password/forgot", body: #"{"email": "ada@example.com"}"#)
            let mailed = try await Self.mailed(fixture)
            _ = try await client.send(
                .post,
                "/api/v1/auth/password/reset",
                body: Self.body(["token": .string(mailed), "password": "marmalade on tuesday"])
            )
            let text = fixture.log.lines.map(\.text).joined(separator: "\n")
            #expect(!text.isEmpty)
            let secrets = [
                Self.password, "wrong-password-marker", mailed, "marmalade on tuesday",
                try #require(registered.json?["accessToken"]?.stringValue),
                try #require(registered.json?["refreshToken"]?.stringValue),
            ]
            for secret in secrets { #expect(!text.contains(secret)) }
        }
    }
}
