import Access
import Domain
import HTTPTypes
import Hummingbird
import HummingbirdTesting
import Testing

@testable import Gateway

@Suite("Keys at the edge")
struct AuthenticationTests {
    @Test("without a good key everything but the open routes is 401 with a challenge")
    func unauthenticated() async throws {
        try await withGateway { fixture in
            try await fixture.server().publicApplication.test(.router) { client in
                let values: [String?] = [
                    nil, "", "Bearer", "Bearer ", "Bearer nonsense", "Basic dXNlcjpwYXNz", "bearer\t\(fixture.key)",
                    "Token \(fixture.key)", fixture.key, "Bearer \(fixture.key)x", "Bearer  \(fixture.key)",
                    "Bearer " + String(repeating: "a", count: 1 << 20), "Bearer \(fixture.key), Bearer x",
                ]
                for route in RouteTable.standard.routes where !route.isOpen {
                    let path = route.pattern.description.replacing("{baseId}", with: fixture.base.id.description)
                        .replacing("{tableId}", with: fixture.elements.id.description)
                        .replacing("{recordId}", with: fixture.records[0].id.description)
                    for value in values {
                        var headers = HTTPFields()
                        if let value { headers[.authorization] = value }
                        let answer = try await client.send(route.method, path, headers: headers)
                        #expect(answer.status == 401, "\(route.method) \(path) \(value?.prefix(30) ?? "-")")
                        if path.hasPrefix("/v0/") {
                            #expect(answer.text.contains("AUTHENTICATION_REQUIRED"))
                        } else {
                            #expect(answer.code == (path.hasPrefix("/v1/") ? "invalid_api_key" : "unauthenticated"))
                        }
                        #expect(answer.headers[.wwwAuthenticate]?.hasPrefix("Bearer realm=") == true)
                    }
                }
            }
        }
    }

    @Test("the scheme's case does not matter, and two headers are one too many")
    func scheme() async throws {
        try await withGateway { fixture in
            try await fixture.server().publicApplication.test(.router) { client in
                let path = "/api/v1/airtable/bases"
                let upper = try await client.send(.get, path, headers: [.authorization: "BEARER \(fixture.key)"])
                #expect(upper.status == 200)
                var twice = HTTPFields()
                twice.append(HTTPField(name: .authorization, value: "Bearer \(fixture.key)"))
                twice.append(HTTPField(name: .authorization, value: "Bearer \(fixture.key)"))
                #expect(try await client.send(.get, path, headers: twice).status == 401)
            }
        }
    }

    @Test("AUTHZ-01: a key without the route's permission is 403, before anything is decoded")
    func forbidden() async throws {
        try await withGateway { fixture in
            let server = fixture.server()
            for route in RouteTable.standard.routes {
                guard let permission = route.permission else { continue }
                let key = try await fixture.key(Set(Permission.allCases).subtracting([permission]))
                try await server.publicApplication.test(.router) { client in
                    // A path of nonsense identifiers and a body of nonsense: neither is looked at.
                    let path = route.pattern.description.replacing("{", with: "x").replacing("}", with: "x")
                    let body = route.body == nil ? nil : "{nonsense"
                    let answer = try await client.send(route.method, path, key: key, body: body)
                    #expect(answer.status == 403, "\(route.method) \(route.pattern)")
                    if path.hasPrefix("/v0/") {
                        #expect(answer.text.contains("\"INVALID_PERMISSIONS\""))
                        return
                    }
                    #expect(answer.code == "forbidden")
                    #expect(answer.detail?.contains(permission.rawValue) == true)
                }
            }
        }
    }

    @Test("a revoked key is refused at once")
    func revoked() async throws {
        try await withGateway { fixture in
            let issued = try await fixture.access.createKey(
                APIKeyDraft(name: "short", scopes: [.basesRead]),
                context: fixture.owner
            )
            try await fixture.server().publicApplication.test(.router) { client in
                #expect(try await client.send(.get, "/api/v1/airtable/bases", key: issued.text).status == 200)
                try await fixture.access.revokeKey(issued.key.id, context: fixture.owner)
                #expect(try await client.send(.get, "/api/v1/airtable/bases", key: issued.text).status == 401)
            }
        }
    }

    @Test("TOK-09: a key in the address is no key")
    func inQuery() async throws {
        try await withGateway { fixture in
            try await fixture.server().publicApplication.test(.router) { client in
                let answer = try await client.send(.get, "/api/v1/airtable/bases?access_token=\(fixture.key)")
                #expect(answer.status == 401)
            }
        }
    }
}
