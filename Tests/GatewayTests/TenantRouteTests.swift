import Access
import Domain
import HTTPTypes
import HummingbirdTesting
import TestSupport
import Testing

@testable import Gateway

@Suite("Tenants over HTTP")
struct TenantRouteTests {
    private static let admin = "/api/v1/admin/tenants"

    @Test("an operator makes a tenant, suspends it, lets it in, and erases it", arguments: DatabaseKind.allCases)
    func operating(_ kind: DatabaseKind) async throws {
        try await withPeople(kind) { cast, client in
            let key = cast.fixture.key
            let made = try await client.send(
                .post,
                Self.admin,
                key: key,
                body: #"{"name":"Physics","ownerName":"Lise","ownerEmail":"Lise@example.com"}"#
            )
            #expect(made.status == 201, "\(made.text)")
            let id = try #require(made.json?["tenant"]?["id"]?.stringValue)
            let theirs = try #require(made.json?["key"]?["text"]?.stringValue)
            let own = "/api/v1/tenants/\(id)"
            #expect(try await client.send(.get, own, key: theirs).json?["name"] == "Physics")
            let users = try await client.send(.get, "/api/v1/users", key: theirs).json?["users"]?.arrayValue
            #expect(users?.map { $0["email"] } == ["lise@example.com"])
            #expect(users?.map { $0["ownsTenant"] } == [true])
            #expect(try await client.send(.get, "/api/v1/airtable/bases", key: theirs).json?["bases"] == [])
            let list = try await client.send(.get, Self.admin, key: key)
            #expect(list.json?["tenants"]?.arrayValue?.count == 3)
            #expect(!list.text.contains("pat_live_"))

            let path = "\(Self.admin)/\(id)"
            let suspended = try await client.send(.patch, path, key: key, body: #"{"suspended":true}"#)
            #expect(suspended.json?["state"] == "suspended", "\(suspended.text)")
            #expect(try await client.send(.get, own, key: theirs).status == 401)
            let limited = try await client.send(
                .patch,
                path,
                key: key,
                body: #"{"suspended":false,"limits":{"users":1,"keys":1,"workspaces":1}}"#
            )
            #expect(limited.json?["state"] == "active")
            #expect(try await client.send(.get, own, key: theirs).status == 200)
            let draft = #"{"name":"k","scopes":["search"]}"#
            #expect(try await client.send(.post, "/api/v1/api-keys", key: theirs, body: draft).status == 409)
            let workspace = try await client.send(.post, "/api/v1/workspaces", key: theirs, body: #"{"name":"w"}"#)
            #expect(workspace.status == 409)

            let erasing = try await client.send(.delete, path, key: key)
            #expect(erasing.status == 202)
            #expect(erasing.json?["state"] == "erasing")
            #expect(!erasing.text.contains("Physics"))
            #expect(try await client.send(.get, own, key: theirs).status == 401)
            for body in [#"{"suspended":false}"#, #"{"limits":{}}"#] {
                #expect(try await client.send(.patch, path, key: key, body: body).status == 400)
            }
            #expect(try await client.send(.delete, path, key: key).status == 400)
            #expect(try await client.send(.get, own, key: theirs).status == 401)
        }
    }

    @Test("AUTHZ-07: nobody but operators reaches the routes of the server", arguments: DatabaseKind.allCases)
    func vertical(_ kind: DatabaseKind) async throws {
        try await withPeople(kind) { cast, client in
            let one = "\(Self.admin)/\(cast.fixture.owner.tenant)"
            // Not even a second owner, another tenant's, or the operator's own keys that are limited.
            let base = cast.fixture.base.id
            var keys = Role.allCases.compactMap { cast.keys[$0] } + [cast.stranger]
            keys.append(try await cast.fixture.key(Role.owner.permissions.subtracting([.admin])))
            keys.append(try await cast.fixture.key(Role.owner.permissions, bases: [base]))
            for key in keys {
                let answers = [
                    try await client.send(.get, Self.admin, key: key),
                    try await client.send(.post, Self.admin, key: key, body: #"{"name":"x","ownerName":"y"}"#),
                    try await client.send(.patch, one, key: key, body: #"{"suspended":true}"#),
                    try await client.send(.delete, one, key: key),
                ]
                for answer in answers { #expect(answer.status == 403, "\(answer.text)") }
            }
            // The data directory's own is nobody's to erase.
            #expect(try await client.send(.delete, one, key: cast.fixture.key).status == 400)
            #expect(
                try await client.send(.patch, one, key: cast.fixture.key, body: #"{"suspended":true}"#).status == 400
            )
            let missing = "\(Self.admin)/\(TenantID.random())"
            #expect(try await client.send(.delete, missing, key: cast.fixture.key).status == 404)
            // Made one, and no longer one.
            try await cast.fixture.access.setOperator(cast.id(.owner), true, context: cast.fixture.owner)
            #expect(try await client.send(.get, Self.admin, key: cast.keys[.owner]).status == 200)
            try await cast.fixture.access.setOperator(cast.id(.owner), false, context: cast.fixture.owner)
            #expect(try await client.send(.get, Self.admin, key: cast.keys[.owner]).status == 403)
        }
    }

    @Test("AUTHZ-03: one's own tenant is all one sees; its owner renames it and gives it away")
    func own() async throws {
        try await withPeople { cast, client in
            let path = "/api/v1/tenants/\(cast.fixture.owner.tenant)"
            for role in Role.allCases {
                #expect(try await client.send(.get, path, key: cast.keys[role]).status == 200)
                let answer = try await client.send(.patch, path, key: cast.keys[role], body: #"{"name":"Lab"}"#)
                #expect(answer.status == (role == .owner ? 200 : 403), "\(role)")
            }
            let theirs = try await client.send(.get, path, key: cast.stranger)
            let missing = try await client.send(.get, "/api/v1/tenants/\(TenantID.random())", key: cast.stranger)
            #expect([theirs.status, missing.status] == [404, 404])
            #expect(theirs.detail == missing.detail)
            #expect(try await client.send(.patch, path, key: cast.stranger, body: #"{"name":"x"}"#).status == 404)
            let admin = #"{"owner":"\#(cast.id(.admin))"}"#
            #expect(try await client.send(.patch, path, key: cast.fixture.key, body: admin).status == 400)
            let next = try await client.send(
                .patch,
                path,
                key: cast.fixture.key,
                body: #"{"owner":"\#(cast.id(.owner))"}"#
            )
            #expect(next.json?["owner"]?.stringValue == cast.id(.owner).description, "\(next.text)")
            #expect(next.json?["name"] == "Lab")
            for member in [#""id":"x""#, #""state":"active""#, #""limits":{}"#, #""createdTime":"x""#] {
                let answer = try await client.send(.patch, path, key: cast.fixture.key, body: "{\(member)}")
                #expect(answer.status == 422, "\(member)")
            }
        }
    }
}
