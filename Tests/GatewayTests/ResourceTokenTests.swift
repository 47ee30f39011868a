import Access
import Domain
import HTTPTypes
import Hummingbird
import HummingbirdTesting
import TestSupport
import Testing

@testable import Gateway

@Suite("Tokens for MCP")
struct ResourceTokenTests {
    private static let mcp = "http://localhost/mcp"
    private static let hello =
        #"{"jsonrpc":"2.0","id":0,"method":"initialize","params":{"protocolVersion":"2025-11-25","capabilities":{},"clientInfo":{"name":"c","version":"1"}}}"#

    private func begin(_ fixture: GatewayFixture, _ user: UserID? = nil) async throws -> TokenPair {
        try await fixture.access.beginSession(
            user: user ?? fixture.owner.principal.user,
            tenant: fixture.owner.tenant,
            client: SessionClient()
        )
    }

    private func mint(
        _ client: any TestClientProtocol,
        _ bearer: String?,
        resource: String = mcp,
        scope: String? = nil
    ) async throws -> Answer {
        var body: JSONObject = ["resource": .string(resource)]
        if let scope { body["scope"] = .string(scope) }
        return try await client.send(.post, "/api/v1/auth/token", key: bearer, body: JSONValue.object(body).text)
    }

    private func token(_ client: any TestClientProtocol, _ pair: TokenPair, _ scope: String?) async throws -> String {
        let answer = try await mint(client, pair.accessToken, scope: scope)
        return try #require(answer.json?["access_token"]?.stringValue, "\(answer)")
    }

    /// The names of the tools that a bearer is offered; nil when it opens nothing.
    private func tools(_ client: any TestClientProtocol, _ bearer: String) async throws -> [String]? {
        let hello = try await client.send(.post, "/mcp", key: bearer, body: Self.hello)
        guard hello.status == 200 else { return nil }
        let session: String? = hello.headers[try #require(HTTPField.Name("Mcp-Session-Id"))]
        let headers: HTTPFields = [
            try #require(HTTPField.Name("Mcp-Session-Id")): try #require(session),
            try #require(HTTPField.Name("MCP-Protocol-Version")): "2025-11-25",
        ]
        let body = #"{"jsonrpc":"2.0","id":1,"method":"tools/list"}"#
        let list = try await client.send(.post, "/mcp", key: bearer, headers: headers, body: body)
        return list.json?["result"]?["tools"]?.arrayValue?.compactMap { $0["name"]?.stringValue }
    }

    @Test(
        "OAU-04: a token for MCP opens MCP and nothing else; a session's own opens everything else",
        arguments: DatabaseKind.allCases
    )
    func doors(_ kind: DatabaseKind) async throws {
        try await withGateway(kind) { fixture in
            let pair = try await begin(fixture)
            try await fixture.server().publicApplication.test(.router) { client in
                let answer = try await mint(client, pair.accessToken)
                #expect(answer.status == 200)
                #expect(answer.headers[.cacheControl] == "no-store")
                let json = try #require(answer.json)
                #expect(ResourceTokenWire.schema.violations(of: json) == [])
                #expect(json["token_type"] == "Bearer")
                #expect(json["expires_in"]?.intValue == 900)
                let token = try #require(json["access_token"]?.stringValue)
                #expect(try await tools(client, token) == ["whoami", "write", "wait"])
                #expect(try await tools(client, fixture.key) == ["whoami", "write", "wait"])
                #expect(try await tools(client, pair.accessToken) == nil)
                for path in ["/api/v1/airtable/bases", "/api/v1/users/me", "/v0/meta/whoami", "/v1/models"] {
                    #expect(try await client.send(.get, path, key: pair.accessToken).status == 200, "\(path)")
                    #expect(try await client.send(.get, path, key: token).status == 401, "\(path)")
                }
                // Nor does it make others, of whatever kind.
                #expect(try await mint(client, token).status == 401)
                #expect(try await client.send(.post, "/api/v1/chat/tickets", key: token).status == 401)
                #expect(try await client.send(.post, "/api/v1/auth/logout", key: token).status == 401)
                #expect(try await tools(client, token) != nil)
            }
        }
    }

    @Test("its scopes narrow what it does, and say so", arguments: DatabaseKind.allCases)
    func scopes(_ kind: DatabaseKind) async throws {
        try await withGateway(kind) { fixture in
            let pair = try await begin(fixture)
            try await fixture.server().publicApplication.test(.router) { client in
                let all = try await mint(client, pair.accessToken)
                #expect(all.json?["scope"]?.stringValue == TokenScopes.text(TokenScopes.supported))
                let narrow = try await mint(client, pair.accessToken, scope: "search bases:read search")
                #expect(narrow.json?["scope"] == "bases:read search")
                let token = try #require(narrow.json?["access_token"]?.stringValue)
                #expect(try await tools(client, token) == ["whoami", "wait"])
                #expect(try await tools(client, self.token(client, pair, "records:write")) == ["write"])
            }
            // The same wherever it is asked, also later on the same connection.
            let token = try await fixture.access.resourceToken(
                for: Self.mcp,
                scope: "records:read search",
                context: try await fixture.access.authenticate(
                    bearer: pair.accessToken,
                    timeout: .seconds(60),
                    requestID: "scopes-0001",
                    logger: fixture.log.logger()
                )
            )
            let context = try await fixture.access.authenticate(
                bearer: token.text,
                at: .resource(Self.mcp),
                timeout: .seconds(60),
                requestID: "scopes-0002",
                logger: fixture.log.logger()
            )
            let later = try await fixture.access.renewed(context, timeout: .seconds(60))
            let child = fixture.access.child(of: later)
            for context in [context, later, child] {
                #expect(context.principal.permissions == [.recordsRead, .search])
                #expect(context.principal.withheld == Set(Permission.allCases).subtracting([.recordsRead, .search]))
                #expect(context.principal.ownSession == nil)
                try await fixture.access.requireSomewhere(.recordsRead, context: context)
                let base = Resource.base(fixture.base.id)
                #expect(try await fixture.access.decision(.recordsRead, on: base, context: context).isAllowed)
                for permission in [Permission.recordsWrite, .schemaWrite, .admin] {
                    await #expect(throws: AccessError.forbidden(permission)) {
                        try await fixture.access.requireSomewhere(permission, context: context)
                    }
                    let decision = try await fixture.access.decision(permission, on: base, context: context)
                    #expect(!decision.isAllowed)
                }
                await #expect(throws: AccessError.sessionRequired) {
                    _ = try await fixture.access.ownSessions(context: context)
                }
            }
        }
    }

    @Test("it does what its user may at that moment, and no more", arguments: DatabaseKind.allCases)
    func rights(_ kind: DatabaseKind) async throws {
        try await withPeople(kind) { cast, client in
            let fixture = cast.fixture
            let viewer = try await begin(fixture, cast.id(.viewer))
            let answer = try await mint(client, viewer.accessToken, scope: "search records:write")
            #expect(answer.json?["scope"] == "search")
            let none = try await mint(client, viewer.accessToken, scope: "records:write")
            #expect(none.status == 400 && none.code == "invalid_scope")

            let editor = try await begin(fixture, cast.id(.editor))
            let token = try await token(client, editor, "search records:write")
            #expect(try await tools(client, token) == ["whoami", "write", "wait"])
            let change = UserChange(role: .viewer)
            _ = try await fixture.access.changeUser(cast.id(.editor), change, context: fixture.owner)
            #expect(try await tools(client, token) == ["whoami", "wait"])
            _ = try await fixture.access.changeUser(
                cast.id(.editor),
                UserChange(isDisabled: true),
                context: fixture.owner
            )
            #expect(try await tools(client, token) == nil)
        }
    }

    @Test("it ends with its session, and at its time", arguments: DatabaseKind.allCases)
    func end(_ kind: DatabaseKind) async throws {
        let now = Guarded(Instant.now())
        try await withGateway(kind, now: { now.value }) { fixture in
            let (pair, other) = (try await begin(fixture), try await begin(fixture))
            try await fixture.server().publicApplication.test(.router) { client in
                let (first, second) = (try await token(client, pair, nil), try await token(client, other, nil))
                _ = try await client.send(.post, "/api/v1/auth/logout", key: pair.accessToken)
                #expect(try await tools(client, first) == nil)
                #expect(try await tools(client, second) != nil)
                now.value.microseconds += 898 * 1_000_000
                #expect(try await tools(client, second) != nil)
                now.value.microseconds += 2 * 1_000_000
                #expect(try await tools(client, second) == nil)
            }
        }
    }

    @Test("a resource that is not MCP here is invalid_target, a scope that is none invalid_scope")
    func refusals() async throws {
        try await withGateway { fixture in
            let pair = try await begin(fixture)
            try await fixture.server().publicApplication.test(.router) { client in
                for resource in [
                    "https://localhost/mcp", "http://localhost/mcp/", "http://localhost", "http://localhost:8080/mcp",
                    "http://LOCALHOST/mcp", "http://localhost/mcp?a", "urn:pyairtable-ai:api",
                    "https://api.airtable.com",
                ] {
                    let answer = try await mint(client, pair.accessToken, resource: resource)
                    #expect(answer.status == 400 && answer.code == "invalid_target", "\(resource)")
                }
                for scope in [
                    "offline_access", "search offline_access", "admin", "keys:manage search", "search,records:read",
                    " search", "Search", "*",
                ] {
                    let answer = try await mint(client, pair.accessToken, scope: scope)
                    #expect(answer.status == 400 && answer.code == "invalid_scope", "\(scope)")
                }
                for body in ["{}", #"{"resource":1}"#, #"{"resource":"http://localhost/mcp","scope":""}"#] {
                    let answer = try await client.send(.post, "/api/v1/auth/token", key: pair.accessToken, body: body)
                    #expect(answer.status == 422, "\(body)")
                }
                #expect(try await mint(client, nil).status == 401)
                let key = try await mint(client, fixture.key)
                #expect(key.status == 403 && key.code == "sessionRequired")
            }
        }
    }

    @Test("behind a public address the token is for that one, and no other")
    func publicURL() async throws {
        try await withGateway { fixture in
            let pair = try await begin(fixture)
            var named = fixture
            named.publicURL = "https://airtable.example.org/app"
            let local = try await fixture.server().publicApplication.test(.router) { try await token($0, pair, nil) }
            try await named.server().publicApplication.test(.router) { client in
                #expect(try await mint(client, pair.accessToken).code == "invalid_target")
                let resource = "https://airtable.example.org/app/mcp"
                let answer = try await mint(client, pair.accessToken, resource: resource)
                let token = try #require(answer.json?["access_token"]?.stringValue)
                #expect(try await tools(client, token) != nil)
                #expect(try await tools(client, local) == nil)
            }
        }
    }

    @Test("OAU-04: no token is taken from an address")
    func query() async throws {
        try await withGateway { fixture in
            let pair = try await begin(fixture)
            try await fixture.server().publicApplication.test(.router) { client in
                let token = try await token(client, pair, nil)
                for bearer in [token, fixture.key] {
                    for name in ["access_token", "token", "key", "authorization"] {
                        let answer = try await client.send(.post, "/mcp?\(name)=\(bearer)", body: Self.hello)
                        #expect(answer.status == 401)
                    }
                }
            }
        }
    }

    @Test("each one that is made stands in the audit log, with its scopes and without itself")
    func audit() async throws {
        try await withGateway { fixture in
            let pair = try await begin(fixture)
            try await fixture.server().publicApplication.test(.router) { client in
                let token = try await token(client, pair, "search")
                await fixture.access.flush()
                let log = try await client.send(.get, "/api/v1/audit?action=auth.token.issued", key: fixture.key)
                let entries = try #require(log.json?["entries"]?.arrayValue)
                #expect(entries.count == 1)
                #expect(log.text.contains("\(pair.session.id)") && log.text.contains("search"))
                #expect(!log.text.contains(token))
            }
            for line in fixture.log.lines { #expect(!line.text.contains("eyJ")) }
        }
    }

    // MARK: Too little

    @Test("what a token lacks and its user has is to be had by a wider one; what nobody would give is not")
    func missing() async throws {
        try await withPeople { cast, client in
            let fixture = cast.fixture
            func context(_ role: Role, _ scope: String) async throws -> Domain.RequestContext {
                let pair = try await begin(fixture, cast.id(role))
                return try await fixture.access.authenticate(
                    bearer: try await token(client, pair, scope),
                    at: .resource(Self.mcp),
                    timeout: .seconds(60),
                    requestID: "missing-0001",
                    logger: fixture.log.logger()
                )
            }
            let editor = try await context(.editor, "search")
            #expect(MCPScopes.missing(for: [.search], editor) == nil)
            #expect(MCPScopes.missing(for: [], editor) == nil)
            let lack = try #require(MCPScopes.missing(for: [.recordsWrite], editor))
            #expect(lack.needed == [.recordsWrite])
            #expect(
                lack.challenge
                    == #"Bearer realm="pyairtable-ai", error="insufficient_scope", scope="records:write""#
            )
            // All that the operation needs, not only what is missing.
            #expect(MCPScopes.missing(for: [.recordsWrite, .search], editor)?.needed == [.recordsWrite, .search])
            // No token of a viewer's would do, nor is any made for administration.
            let viewer = try await context(.viewer, "search")
            #expect(MCPScopes.missing(for: [.recordsWrite], viewer) == nil)
            #expect(MCPScopes.missing(for: [.recordsRead, .recordsWrite], viewer) == nil)
            #expect(MCPScopes.missing(for: [.recordsRead], viewer) != nil)
            let owner = try await context(.owner, "search")
            #expect(MCPScopes.missing(for: [.admin], owner) == nil)
            // Keys are not told: no client can ask for another.
            let key = try await fixture.access.authenticate(
                bearer: try await fixture.key([.search]),
                at: .resource(Self.mcp),
                timeout: .seconds(60),
                requestID: "missing-0002",
                logger: fixture.log.logger()
            )
            #expect(MCPScopes.missing(for: [.recordsWrite], key) == nil)
        }
    }
}
