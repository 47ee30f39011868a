import Domain
import HTTPTypes
import Hummingbird
import HummingbirdTesting
import TestSupport
import Testing

@testable import Access
@testable import Gateway

@Suite("MCP as a protected resource")
struct ResourceMetadataTests {
    private static let places = [
        "/.well-known/oauth-protected-resource", "/.well-known/oauth-protected-resource/mcp",
    ]
    private static let hello =
        #"{"jsonrpc":"2.0","id":0,"method":"initialize","params":{"protocolVersion":"2025-11-25","capabilities":{},"clientInfo":{"name":"c","version":"1"}}}"#

    /// What stands behind `resource_metadata=` in a challenge.
    private func metadataAddress(_ answer: Answer) -> String? {
        answer.headers[.wwwAuthenticate]?.firstMatch(of: /, resource_metadata="([^"]*)"$/).map { String($0.1) }
    }

    @Test("OAU-04: whoever is refused at /mcp learns where it is said what opens it, whatever is wrong")
    func challenge() async throws {
        try await withGateway { fixture in
            try await fixture.server().publicApplication.test(.live) { client in
                let keys = [nil, "", "nonsense", "pat_live_wrong", "eyJhbGciOiJub25lIn0.e30.", fixture.key + "x"]
                for method in [HTTPRequest.Method.post, .get, .delete] {
                    for key in keys {
                        let headers: HTTPFields = [.accept: "application/json, text/event-stream"]
                        let body = method == .post ? Self.hello : nil
                        let answer = try await client.send(method, "/mcp", key: key, headers: headers, body: body)
                        #expect(answer.status == 401)
                        let challenge = answer.headers[.wwwAuthenticate] ?? ""
                        #expect(challenge.hasPrefix("Bearer realm=\"pyairtable-ai\""))
                        #expect(challenge.contains("error=\"invalid_token\"") == (key != nil))
                        #expect(challenge.contains("scope=\"bases:read records:read schema:read search\""))
                        let address = try #require(metadataAddress(answer), "\(challenge)")
                        #expect(address == "http://localhost\(Self.places[1])")
                        // It is where the challenge says it is.
                        let path = try #require(address.firstMatch(of: /^http:\/\/[^\/]+(\/.*)$/)).1
                        #expect(try await client.send(.get, String(path)).status == 200)
                    }
                }
                // Nobody else is told: the API has no such metadata.
                let other = try await client.send(.get, "/api/v1/airtable/bases")
                #expect(other.status == 401 && metadataAddress(other) == nil)
                #expect(other.headers[.wwwAuthenticate] == "Bearer realm=\"pyairtable-ai\"")
            }
        }
    }

    @Test(
        "OAU-04: the metadata stands with and without the path's suffix, and names this server as its callers know it"
    )
    func metadata() async throws {
        try await withGateway { fixture in
            try await fixture.server().publicApplication.test(.live) { client in
                for path in Self.places {
                    let answer = try await client.send(.get, path)
                    #expect(answer.status == 200 && answer.headers[.contentType] == "application/json")
                    let json = try #require(answer.json)
                    #expect(ResourceMetadata.schema.violations(of: json) == [])
                    let resource = try #require(json["resource"]?.stringValue)
                    #expect(resource == "http://localhost/mcp")
                    #expect(json["authorization_servers"] == [.string(String(resource.dropLast(4)))])
                    #expect(json["bearer_methods_supported"] == ["header"])
                    let scopes = json["scopes_supported"]?.arrayValue?.compactMap(\.stringValue) ?? []
                    let administrative: Set = ["admin", "audit:read", "keys:manage", "members:manage"]
                    #expect(Set(scopes) == Set(Permission.allCases.map(\.rawValue)).subtracting(administrative))
                    #expect(!scopes.contains("offline_access"))
                    #expect(try await client.send(.head, path).status == 200)
                    #expect(try await client.send(.post, path, body: "{}").status == 405)
                }
                #expect(try await client.send(.get, Self.places[0] + "/mcp2").status == 404)
            }
            var named = fixture
            named.publicURL = "https://airtable.example.org/app"
            try await named.server(allowedOrigins: ["https://inspector.example"]).publicApplication.test(.live) {
                client in
                let answer = try await client.send(
                    .get,
                    Self.places[1],
                    headers: [.origin: "https://inspector.example"]
                )
                #expect(answer.json?["resource"] == "https://airtable.example.org/app/mcp")
                #expect(answer.json?["authorization_servers"] == ["https://airtable.example.org/app"])
                // A client in a page of a named origin reads it, and so does no other.
                #expect(answer.headers[.accessControlAllowOrigin] == "https://inspector.example")
                let foreign = try await client.send(.get, Self.places[1], headers: [.origin: "https://evil.example"])
                #expect(foreign.headers[.accessControlAllowOrigin] == nil)
                let refused = try await client.send(.post, "/mcp", body: Self.hello)
                #expect(metadataAddress(refused) == "https://airtable.example.org/app\(Self.places[1])")
            }
        }
    }

    @Test("OAU-04: an issuer that is an address is named as the one who gives tokens")
    func issuer() {
        let own = ResourceMetadata(origin: "http://127.0.0.1:8080", issuer: "urn:pyairtable-ai")
        #expect(own.authorizationServers == ["http://127.0.0.1:8080"])
        let named = ResourceMetadata(origin: "http://127.0.0.1:8080", issuer: "https://sign-in.example.org")
        #expect(named.authorizationServers == ["https://sign-in.example.org"])
        #expect(named.resource == "http://127.0.0.1:8080/mcp")
    }

    @Test("OAU-04: a token for another audience is refused at /mcp, though our own key signed it")
    func audience() async throws {
        let now = Guarded(Instant.now())
        try await withGateway(now: { now.value }) { fixture in
            let pair = try await fixture.access.beginSession(
                user: fixture.owner.principal.user,
                tenant: fixture.owner.tenant,
                client: SessionClient()
            )
            let forge = Forge(
                signer: try await fixture.access.keyRing.signer(deadline: nil),
                good: pair.accessToken,
                now: Int(now.value.wholeSeconds)
            )
            try await fixture.server().publicApplication.test(.live) { client in
                func ask(_ token: String) async throws -> Answer {
                    try await client.send(.post, "/mcp", key: token, body: Self.hello)
                }
                // The forge's own is a session's, which is for the API; with MCP's audience and scopes it is as good as any.
                #expect(try await ask(forge.good).status == 401)
                let good = try forge.changed { members, _ in
                    members["aud"] = "http://localhost/mcp"
                    members["scope"] = "search"
                }
                #expect(try await ask(forge.signed(forge.goodHeader, good)).status == 200)
                let audiences: [JSONValue] = [
                    "https://other.example/mcp", "https://api.airtable.com", "http://127.0.0.1/mcp", "", .null, "*",
                    "https://localhost/mcp", "http://localhost/mcp/", "http://localhost:80/mcp", "http://LOCALHOST/mcp",
                    "http://localhost", "http://localhost/mcp ", "http://localhost/mcp2",
                    ["http://localhost/mcp", "https://other.example/mcp"], ["http://localhost/mcp"],
                    "urn:pyairtable-ai:api", "urn:pyairtable-ai",
                ]
                for audience in audiences {
                    let claims = try forge.changed { members, _ in
                        members["aud"] = audience
                        members["scope"] = "search"
                    }
                    let answer = try await ask(forge.signed(forge.goodHeader, claims))
                    #expect(answer.status == 401, "\(audience)")
                    #expect(metadataAddress(answer) != nil)
                    #expect(answer.headers[.wwwAuthenticate]?.contains("error=\"invalid_token\"") == true)
                }
                let scopes: [JSONValue?] = [
                    nil, .null, "", " ", "search ", "offline_access", "search offline_access", ["search"], 1, "*",
                ]
                for scope in scopes {
                    let claims = try forge.changed { members, _ in
                        members["aud"] = "http://localhost/mcp"
                        members["scope"] = scope
                    }
                    #expect(try await ask(forge.signed(forge.goodHeader, claims)).status == 401, "\(scope ?? "none")")
                }
                let none = try forge.changed { members, _ in members["aud"] = nil }
                #expect(try await ask(forge.signed(forge.goodHeader, none)).status == 401)
            }
        }
    }

    @Test("OAU-04: of what opened a request nothing is at hand for who answers it, so none of it goes on to Airtable")
    func passthrough() async throws {
        try await withGateway { fixture in
            let pair = try await fixture.access.beginSession(
                user: fixture.owner.principal.user,
                tenant: fixture.owner.tenant,
                client: SessionClient()
            )
            for bearer in [fixture.key, pair.accessToken] {
                let context = try await fixture.access.authenticate(
                    bearer: bearer,
                    client: "192.0.2.7",
                    timeout: .seconds(60),
                    requestID: "passthrough-0001",
                    origin: .mcpHTTP,
                    logger: fixture.log.logger()
                )
                // The principal is found without it.
                #expect(context.principal.user == fixture.owner.principal.user)
                var text = ""
                dump(context, to: &text)
                text += String(reflecting: context)
                #expect(text.contains("\(fixture.owner.tenant)"))
                let secret = bearer.split(whereSeparator: { $0 == "_" || $0 == "." }).last.map(String.init) ?? bearer
                #expect(!text.contains(bearer) && !text.contains(secret))
            }
        }
    }
}
