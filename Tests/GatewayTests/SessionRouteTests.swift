import Access
import Domain
import HTTPTypes
import Hummingbird
import HummingbirdTesting
import TestSupport
import Testing

@testable import Gateway

@Suite("Session routes")
struct SessionRouteTests {
    private static let device = SessionClient(userAgent: "Laptop/1", address: "192.0.2.7")

    private func begin(_ fixture: GatewayFixture, account: AccountID? = nil) async throws -> TokenPair {
        try await fixture.access.beginSession(
            account: account,
            user: fixture.owner.principal.user,
            tenant: fixture.owner.tenant,
            client: Self.device
        )
    }

    private func refresh(_ client: any TestClientProtocol, _ token: String) async throws -> Answer {
        try await client.send(.post, "/api/v1/auth/refresh", body: #"{"refreshToken":"\#(token)"}"#)
    }

    private func bases(_ client: any TestClientProtocol, _ token: String) async throws -> Int {
        try await client.send(.get, "/api/v1/airtable/bases", key: token).status
    }

    @Test("an access token opens what a key opens, Airtable's own API too", arguments: DatabaseKind.allCases)
    func opens(_ kind: DatabaseKind) async throws {
        try await withGateway(kind) { fixture in
            let token = try await begin(fixture).accessToken
            try await fixture.server().publicApplication.test(.router) { client in
                #expect(try await bases(client, token) == 200)
                #expect(try await client.send(.get, "/v0/\(fixture.base.id)/Elements", key: token).status == 200)
                let whoami = try await client.send(.get, "/v0/meta/whoami", key: token)
                #expect(whoami.json?["id"]?.stringValue == fixture.owner.principal.user.description)
            }
        }
    }

    @Test(
        "REF-02: a refresh answers new tokens, and the old refresh token ends the session",
        arguments: DatabaseKind.allCases
    )
    func refreshes(_ kind: DatabaseKind) async throws {
        try await withGateway(kind) { fixture in
            let first = try await begin(fixture)
            try await fixture.server().publicApplication.test(.router) { client in
                let answer = try await refresh(client, first.refreshToken)
                #expect(answer.status == 200)
                #expect(answer.headers[.cacheControl] == "no-store")
                let access = try #require(answer.json?["accessToken"]?.stringValue)
                let next = try #require(answer.json?["refreshToken"]?.stringValue)
                #expect(answer.json?["tokenType"] == "Bearer")
                #expect(answer.json?["expiresIn"]?.intValue == 900)
                #expect(answer.json?["sessionId"]?.stringValue == first.session.id.description)
                let json = try #require(answer.json)
                #expect(TokensWire.schema.violations(of: json, limit: 5).isEmpty)
                #expect(try await bases(client, access) == 200)

                #expect(try await refresh(client, first.refreshToken).status == 401)
                #expect(try await refresh(client, next).status == 401)
                #expect(try await bases(client, access) == 401)
            }
        }
    }

    @Test("every refused refresh is 401 in the same words; what is no body for it is told apart")
    func refused() async throws {
        try await withGateway { fixture in
            let pair = try await begin(fixture)
            try await fixture.server().publicApplication.test(.router) { client in
                func ask(_ token: String) async throws -> Answer {
                    try await client.send(
                        .post,
                        "/api/v1/auth/refresh",
                        headers: [RequestIdentifier.header: "refresh-00000001"],
                        body: #"{"refreshToken":"\#(token)"}"#
                    )
                }
                var texts: Set<String> = []
                _ = try await refresh(client, pair.refreshToken)
                let unknown = String(pair.refreshToken.dropLast()) + "~"
                for token in ["x", unknown, pair.accessToken.prefix(200).description, pair.refreshToken] {
                    let answer = try await ask(token)
                    #expect(answer.status == 401)
                    texts.insert(answer.text)
                }
                #expect(texts.count == 1)
                for body in [#"{}"#, #"{"refreshToken":1}"#, #"{"refreshToken":""}"#, #"{"refreshToken":"x","a":1}"#] {
                    #expect(try await client.send(.post, "/api/v1/auth/refresh", body: body).status == 422)
                }
                let long = #"{"refreshToken":"\#(String(repeating: "x", count: 20_000))"}"#
                #expect(try await client.send(.post, "/api/v1/auth/refresh", body: long).status == 413)
            }
        }
    }

    @Test("REF-05: sessions are listed and ended, one or all", arguments: DatabaseKind.allCases)
    func sessions(_ kind: DatabaseKind) async throws {
        try await withGateway(kind) { fixture in
            let pairs = [try await begin(fixture), try await begin(fixture), try await begin(fixture)]
            let path = "/api/v1/users/me/sessions"
            try await fixture.server().publicApplication.test(.router) { client in
                let listed = try await client.send(.get, path, key: pairs[0].accessToken)
                #expect(listed.status == 200)
                let sessions = try #require(listed.json?["sessions"]?.arrayValue)
                #expect(Set(sessions.compactMap { $0["id"]?.stringValue }) == Set(pairs.map(\.session.id.description)))
                #expect(
                    sessions.filter { $0["current"] == true }.map { $0["id"]?.stringValue }
                        == [pairs[0].session.id.description]
                )
                #expect(sessions.allSatisfy { $0["userAgent"] == "Laptop/1" && $0["address"] == "192.0.2.7" })
                #expect(!listed.text.contains("prt_"))

                let second = "\(path)/\(pairs[1].session.id)"
                #expect(try await client.send(.delete, second, key: pairs[0].accessToken).status == 204)
                #expect(try await client.send(.delete, second, key: pairs[0].accessToken).status == 404)
                #expect(try await client.send(.delete, "\(path)/nonsense", key: pairs[0].accessToken).status == 404)
                #expect(try await bases(client, pairs[1].accessToken) == 401)
                #expect(try await bases(client, pairs[2].accessToken) == 200)

                let logout = try await client.send(.post, "/api/v1/auth/logout", key: pairs[2].accessToken)
                #expect(logout.status == 204)
                #expect(try await bases(client, pairs[2].accessToken) == 401)
                #expect(try await refresh(client, pairs[2].refreshToken).status == 401)

                let fourth = try await begin(fixture)
                let all = try await client.send(.post, "/api/v1/auth/logout-all", key: pairs[0].accessToken)
                #expect(all.status == 204)
                for pair in [pairs[0], fourth] { #expect(try await bases(client, pair.accessToken) == 401) }
            }
        }
    }

    @Test("KEY-04: a key, whatever it may do, neither lists nor ends sessions")
    func keys() async throws {
        try await withGateway { fixture in
            let pair = try await begin(fixture)
            try await fixture.server().publicApplication.test(.router) { client in
                for route in SessionRoutes.all where !route.isOpen {
                    let path = route.pattern.description.replacing("{sessionId}", with: pair.session.id.description)
                    let answer = try await client.send(route.method, path, key: fixture.key)
                    #expect(answer.status == 403)
                    #expect(answer.code == "sessionRequired")
                }
                #expect(try await bases(client, pair.accessToken) == 200)
            }
        }
    }

    @Test("TOK-09: a token in an address or a cookie opens nothing")
    func onlyTheHeader() async throws {
        try await withGateway { fixture in
            let token = try await begin(fixture).accessToken
            try await fixture.server().publicApplication.test(.router) { client in
                for name in ["access_token", "token", "key", "ticket", "Authorization"] {
                    let answer = try await client.send(.get, "/api/v1/users/me/sessions?\(name)=\(token)")
                    #expect(answer.status == 401)
                    let cookie: HTTPFields = [.cookie: "\(name)=\(token)"]
                    let other = try await client.send(.get, "/api/v1/users/me/sessions", headers: cookie)
                    #expect(other.status == 401)
                }
            }
            #expect(!fixture.log.lines.contains { $0.text.contains(token) })
        }
    }

    @Test("TOK-08: the public keys are there for all, may be kept for a while, and hold no private part")
    func keySet() async throws {
        try await withGateway { fixture in
            _ = try await begin(fixture)
            try await fixture.server().publicApplication.test(.router) { client in
                let answer = try await client.send(.get, "/.well-known/jwks.json")
                #expect(answer.status == 200)
                #expect(answer.headers[.cacheControl] == "public, max-age=300")
                let keys = try #require(answer.json?["keys"]?.arrayValue)
                #expect(keys.count == 1)
                #expect(keys[0].objectValue?.keys.sorted() == ["alg", "crv", "kid", "kty", "use", "x"])
                #expect(keys[0]["kty"] == "OKP")
                let next = try await fixture.access.rotateTokenKey()
                let after = try await client.send(.get, "/.well-known/jwks.json")
                #expect(after.json?["keys"]?.arrayValue?.count == 2)
                #expect(after.json?["keys"]?[0]?["kid"]?.stringValue == next.id)
            }
        }
    }

    @Test("TOK-05: an MCP session belongs to the session that opened it, and goes on with its next token for MCP")
    func mcp() async throws {
        try await withGateway { fixture in
            let (pair, other) = (try await begin(fixture), try await begin(fixture))
            @Sendable func token(_ client: any TestClientProtocol, _ accessToken: String) async throws -> String {
                let body = #"{"resource":"http://localhost/mcp"}"#
                let answer = try await client.send(.post, "/api/v1/auth/token", key: accessToken, body: body)
                return try #require(answer.json?["access_token"]?.stringValue)
            }
            let hello = """
                {"jsonrpc":"2.0","id":0,"method":"initialize","params":{"protocolVersion":"2025-11-25","capabilities":{},"clientInfo":{"name":"c","version":"1"}}}
                """
            try await fixture.server().publicApplication.test(.router) { client in
                let own = try await token(client, pair.accessToken)
                let opened = try await client.send(.post, "/mcp", key: own, body: hello)
                let name = try #require(HTTPField.Name("Mcp-Session-Id"))
                let id = try #require(opened.headers[name])
                func list(_ token: String) async throws -> Int {
                    try await client.send(
                        .post,
                        "/mcp",
                        key: token,
                        headers: [name: id],
                        body: #"{"jsonrpc":"2.0","id":1,"method":"ping"}"#
                    ).status
                }
                #expect(try await list(own) == 200)
                #expect(try await list(token(client, other.accessToken)) == 404)
                #expect(try await list(fixture.key) == 404)
                let answer = try await refresh(client, pair.refreshToken)
                let next = try #require(answer.json?["accessToken"]?.stringValue)
                let nextOwn = try await token(client, next)
                #expect(try await list(nextOwn) == 200)
                _ = try await client.send(.post, "/api/v1/auth/logout", key: next)
                #expect(try await list(nextOwn) == 401)
            }
        }
    }

    @Test("nothing of a token, but its session, is logged", arguments: DatabaseKind.allCases)
    func logs(_ kind: DatabaseKind) async throws {
        try await withGateway(kind) { fixture in
            let pair = try await begin(fixture)
            try await fixture.server().publicApplication.test(.router) { client in
                _ = try await bases(client, pair.accessToken)
                _ = try await bases(client, pair.accessToken + "x")
                _ = try await refresh(client, pair.refreshToken)
                _ = try await refresh(client, pair.refreshToken)
            }
            let signature = try #require(pair.accessToken.split(separator: ".").last)
            for line in fixture.log.lines {
                #expect(!line.text.contains(signature) && !line.text.contains(pair.refreshToken))
            }
            #expect(fixture.log.lines.contains { $0.text.contains("\(pair.session.id)") })
        }
    }
}
