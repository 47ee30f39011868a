import Access
import Chat
import Database
import Domain
import HTTPTypes
import Hummingbird
import HummingbirdTesting
import TestSupport
import Testing

@testable import Gateway

@Suite("What a user has of their own")
struct PersonalDataRouteTests {
    private static let password = "walrus under lavender"

    /// Somebody who was invited, with the access token of their session.
    private static func person(
        _ name: String,
        _ fixture: GatewayFixture,
        _ client: any TestClientProtocol
    ) async throws -> (user: UserID, token: String) {
        let invite = #"{"email":"\#(name)@example.com","role":"viewer"}"#
        let made = try await client.send(.post, "/api/v1/invites", key: fixture.key, body: invite)
        let token = try #require(made.json?["token"]?.stringValue)
        let body = #"{"token":"\#(token)","name":"\#(name)","password":"\#(password)"}"#
        let joined = try await client.send(.post, "/api/v1/auth/invites/accept", body: body)
        let id = try #require(joined.json?["user"]?["id"]?.stringValue.flatMap { UserID($0) })
        return (id, try #require(joined.json?["accessToken"]?.stringValue))
    }

    private static func begin(_ title: String, _ token: String, _ client: any TestClientProtocol) async throws {
        let made = try await client.send(
            .post,
            "/api/v1/chat/conversations",
            key: token,
            body: #"{"title":"\#(title)"}"#
        )
        #expect(made.status == 201, "\(made.text)")
    }

    @Test("DATA-01: is handed to them as one file, and nothing of others'")
    func export() async throws {
        try await withGateway { fixture in
            try await fixture.server().publicApplication.test(.router) { client in
                let (lise, otto) = (
                    try await Self.person("lise", fixture, client), try await Self.person("otto", fixture, client)
                )
                for number in 0..<3 { try await Self.begin("hers \(number)", lise.token, client) }
                try await Self.begin("his", otto.token, client)
                let draft = #"{"name":"her key","scopes":["records:read"]}"#
                let key = try await client.send(.post, "/api/v1/api-keys", key: lise.token, body: draft)
                let secret = try #require(key.json?["text"]?.stringValue)

                let file = try await client.send(.get, "/api/v1/users/me/export", key: lise.token)
                #expect(file.status == 200, "\(file.text)")
                #expect(file.headers[.contentType] == "application/x-ndjson")
                let lines = try file.text.split(separator: "\n").map { try JSONValue(parsing: String($0)) }
                let types = lines.compactMap { $0["type"]?.stringValue }
                #expect(types == ["user", "session", "apiKey"] + Array(repeating: "conversation", count: 3))
                for line in lines { #expect(line[line["type"]?.stringValue ?? ""] != nil) }
                #expect(lines[0]["user"]?["id"]?.stringValue == lise.user.description)
                #expect(file.text.contains("lise@example.com") && file.text.contains("hers 2"))
                for foreign in ["otto", "his", otto.user.description, secret, Self.password] {
                    #expect(!file.text.contains("\"\(foreign)"), "\(foreign)")
                }
                #expect(try await client.send(.get, "/api/v1/users/me/export", key: fixture.key).status == 403)
                await fixture.access.flush()
                let audited = try await client.send(.get, "/api/v1/audit?action=data.exported", key: fixture.key)
                #expect(audited.text.contains(lise.user.description), "\(audited.text)")
            }
        }
    }

    @Test("DATA-01: goes with them, and with ?erase=true their name too", arguments: DatabaseKind.allCases)
    func erase(_ kind: DatabaseKind) async throws {
        try await withGateway(kind) { fixture in
            try await fixture.server().publicApplication.test(.router) { client in
                let (lise, otto) = (
                    try await Self.person("lise", fixture, client), try await Self.person("otto", fixture, client)
                )
                for person in [lise, otto] { try await Self.begin("own", person.token, client) }
                let path = "/api/v1/users/\(lise.user)"
                #expect(try await client.send(.delete, path + "?erase=true", key: otto.token).status == 403)
                #expect(try await client.send(.delete, path, key: fixture.key).status == 204)
                #expect(try await client.send(.get, "/api/v1/users/me", key: lise.token).status == 401)
                let left = fixture.chat.owners
                #expect(left == [otto.user])
                func name() async throws -> String? {
                    try await fixture.access.authors(tenant: fixture.owner.tenant).first { $0.id == lise.user }?.name
                }
                #expect(try await name() == "lise")
                #expect(try await client.send(.delete, path, key: fixture.key).status == 404)
                #expect(try await client.send(.delete, path + "?erase=true", key: fixture.key).status == 204)
                #expect(try await name() == "erased")
                let other = try await fixture.access.createTenant(name: "o", ownerName: "o", context: fixture.owner)
                #expect(try await client.send(.delete, path + "?erase=true", key: other.key.text).status == 404)
                let dump = try await fixture.database.read(of: .everyTenant) { transaction in
                    try ["access_users", "access_former_users", "access_invites", "access_sessions"].map { table in
                        try transaction.rows("SELECT * FROM \(table)").map { "\($0.values)" }.joined()
                    }.joined()
                }
                #expect(!dump.contains("lise") && dump.contains("otto"))
            }
        }
    }
}
