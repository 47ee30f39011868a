import Access
import Domain
import HTTPTypes
import Hummingbird
import HummingbirdTesting
import TestSupport
import Testing

@testable import Gateway

@Suite("API keys over HTTP")
struct APIKeyRouteTests {
    private static let path = "/api/v1/api-keys"

    @Test(
        "KEY-01, KEY-03: a key's text is in the answer that made it and in no other",
        arguments: DatabaseKind.allCases
    )
    func once(_ kind: DatabaseKind) async throws {
        try await withGateway(kind) { fixture in
            try await fixture.server().publicApplication.test(.router) { client in
                let made = try await client.send(
                    .post,
                    Self.path,
                    key: fixture.key,
                    body: #"{"name":"ci","scopes":["search"],"bases":["\#(fixture.base.id)"]}"#
                )
                #expect(made.status == 201, "\(made.text)")
                let text = try #require(made.json?["text"]?.stringValue)
                let id = try #require(made.json?["key"]?["id"]?.stringValue)
                #expect(text.hasPrefix(try #require(made.json?["key"]?["prefix"]?.stringValue) + "_"))
                #expect(text.hasSuffix(try #require(made.json?["key"]?["lastFour"]?.stringValue)))
                #expect(
                    try await client.send(.post, "/api/v1/search", key: text, body: #"{"query":"x"}"#).status == 200
                )

                let secret = text.dropFirst(24).prefix(32)
                let one = try await client.send(.get, "\(Self.path)/\(id)", key: fixture.key)
                let list = try await client.send(.get, Self.path, key: fixture.key)
                // All but when it was used last, which is written a moment later.
                for member in APIKeyWire.required {
                    #expect(one.json?[member] == made.json?["key"]?[member], "\(member)")
                }
                #expect(list.json?["keys"]?.arrayValue?.contains { $0["id"]?.stringValue == id } == true)
                for answer in [one, list] { #expect(!answer.text.contains(secret)) }
                #expect(!fixture.log.lines.contains { $0.text.contains(secret) })

                let rotated = try await client.send(.post, "\(Self.path)/\(id)/rotate", key: fixture.key)
                #expect(rotated.status == 200)
                let second = try #require(rotated.json?["text"]?.stringValue)
                #expect(second != text)
                #expect(
                    try await client.send(.post, "/api/v1/search", key: text, body: #"{"query":"x"}"#).status == 401
                )

                let changed = try await client.send(
                    .patch,
                    "\(Self.path)/\(id)",
                    key: fixture.key,
                    body: #"{"name":"old","disabled":true,"bases":null}"#
                )
                #expect(changed.json?["name"] == "old")
                #expect(changed.json?["bases"] == nil)
                #expect(
                    try await client.send(.post, "/api/v1/search", key: second, body: #"{"query":"x"}"#).status == 401
                )
                #expect(try await client.send(.delete, "\(Self.path)/\(id)", key: fixture.key).status == 204)
                #expect(try await client.send(.get, "\(Self.path)/\(id)", key: fixture.key).status == 404)
            }
        }
    }

    @Test("AUTHZ-06: what a body may not set, or does not say rightly, is refused and changes nothing")
    func massAssignment() async throws {
        try await withGateway { fixture in
            try await fixture.server().publicApplication.test(.router) { client in
                let made = try await fixture.access.createKey(
                    APIKeyDraft(name: "k", scopes: [.search]),
                    context: fixture.owner
                )
                // When a key was used last is written a little later.
                func keys() async throws -> [APIKey] {
                    try await fixture.access.keys(context: fixture.owner).map {
                        var key = $0
                        key.lastUsedTime = nil
                        return key
                    }
                }
                let before = try await keys()
                let members = [
                    #""owner":"usrChemist0000001""#, #""id":"keyWebsite0000001""#, #""tenantId":"x""#,
                    #""isAdmin":true"#,
                    #""createdTime":"2020-01-01T00:00:00.000Z""#, #""lastUsedTime":null"#, #""text":"x""#,
                    #""digest":"x""#,
                    #""scopes":["everything"]"#, #""scopes":[]"#, #""name":1"#, #""bases":["x"]"#,
                    #""tables":{"x":["y"]}"#,
                    #""tables":{"\#(fixture.base.id)":[]}"#, #""allowedAddresses":["everywhere"]"#,
                    #""allowedAddresses":[]"#, #""expires":"soon""#, #""expires":17"#,
                ]
                for member in members {
                    let draft =
                        member.contains("scopes")
                        ? #"{"name":"x",\#(member)}"# : #"{"name":"x","scopes":["search"],\#(member)}"#
                    let isTwice = member.contains(#""name""#)
                    let post = try await client.send(.post, Self.path, key: fixture.key, body: draft)
                    #expect(post.status == (isTwice ? 400 : 422), "\(member): \(post.text)")
                    let path = "\(Self.path)/\(made.key.id)"
                    let patch = try await client.send(.patch, path, key: fixture.key, body: "{\(member)}")
                    #expect(patch.status == 422, "\(member): \(patch.text)")
                }
                #expect(try await keys() == before)
            }
        }
    }

    @Test("KEY-04: a key without keys:manage sees and makes none, and of another tenant there is none")
    func refused() async throws {
        try await withGateway { fixture in
            let key = try await fixture.key(Set(Permission.allCases).subtracting([.keysManage]))
            try await fixture.server().publicApplication.test(.router) { client in
                let first = try #require(try await fixture.access.keys(context: fixture.owner).first?.id)
                let body = #"{"name":"x","scopes":["search"]}"#
                let answers = [
                    try await client.send(.get, Self.path, key: key),
                    try await client.send(.post, Self.path, key: key, body: body),
                    try await client.send(.get, "\(Self.path)/\(first)", key: key),
                    try await client.send(.patch, "\(Self.path)/\(first)", key: key, body: #"{"disabled":true}"#),
                    try await client.send(.post, "\(Self.path)/\(first)/rotate", key: key),
                    try await client.send(.delete, "\(Self.path)/\(first)", key: key),
                ]
                for answer in answers { #expect(answer.status == 403, "\(answer.text)") }
                let missing = try await client.send(.get, "\(Self.path)/\(KeyID.random())", key: fixture.key)
                #expect(missing.status == 404)
                #expect(try await client.send(.get, "\(Self.path)/..", key: fixture.key).status == 404)
                #expect(try await client.send(.get, "\(Self.path)?owner=me", key: fixture.key).status == 400)
                let none = try await client.send(.get, "\(Self.path)?owner=\(UserID.random())", key: fixture.key)
                #expect(none.json?["keys"] == [])
            }
        }
    }

    @Test("KEY-02: a key with addresses is good from those alone")
    func addresses() async throws {
        try await withGateway { fixture in
            let here = try await fixture.access.createKey(
                APIKeyDraft(name: "here", scopes: [.basesRead], addresses: AddressList(["127.0.0.0/8"])),
                context: fixture.owner
            ).text
            let elsewhere = try await fixture.access.createKey(
                APIKeyDraft(name: "there", scopes: [.basesRead], addresses: AddressList(["192.0.2.0/24"])),
                context: fixture.owner
            ).text
            try await fixture.server().publicApplication.test(.live) { client in
                let path = "/api/v1/airtable/bases"
                #expect(try await client.send(.get, path, key: here).status == 200)
                let refused = try await client.send(.get, path, key: elsewhere)
                #expect(refused.status == 401)
                #expect(refused.code == "unauthenticated")
                let forwarded: HTTPFields = [HTTPField.Name("X-Forwarded-For")!: "192.0.2.1"]
                #expect(try await client.send(.get, path, key: elsewhere, headers: forwarded).status == 401)
            }
        }
    }

    @Test("KEY-02: a key of one table sees no other")
    func tables() async throws {
        try await withGateway { fixture in
            let key = try await fixture.access.createKey(
                APIKeyDraft(
                    name: "elements",
                    scopes: [.recordsRead, .schemaRead],
                    tables: [fixture.base.id: [fixture.elements.id]]
                ),
                context: fixture.owner
            ).text
            let base = "/api/v1/airtable/bases/\(fixture.base.id)"
            try await fixture.server().publicApplication.test(.router) { client in
                #expect(try await client.send(.get, fixture.tablePath + "/records", key: key).status == 200)
                let other = "\(base)/tables/\(fixture.isotopes.id)/records"
                #expect(try await client.send(.get, other, key: key).status == 404)
                let tables = try await client.send(.get, base + "/tables", key: key)
                #expect(tables.json?["tables"]?.arrayValue?.count == 1)
            }
        }
    }
}
