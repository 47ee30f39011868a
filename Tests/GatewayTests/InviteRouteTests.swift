import Access
import Airtable
import Database
import Domain
import HTTPTypes
import Hummingbird
import HummingbirdTesting
import TestSupport
import Testing

@testable import Gateway

@Suite("Invites over HTTP")
struct InviteRouteTests {
    private static let password = "walrus under lavender"
    private static let accept = "/api/v1/auth/invites/accept"

    private func withInvites(
        _ kind: DatabaseKind = .sqlite,
        _ settings: AccountSettings = AccountSettings(registration: .open),
        _ body: @escaping @Sendable (GatewayFixture, any TestClientProtocol) async throws -> Void
    ) async throws {
        try await withGateway(kind) { fixture in
            var fixture = fixture
            fixture.accounts = AccountService(
                access: fixture.access,
                hasher: testHasher,
                settings: settings
            )
            let open = fixture
            try await open.server().publicApplication.test(.router) { client in try await body(open, client) }
        }
    }

    private static func body(_ members: JSONValue) -> String { String(decoding: members.encoded(), as: UTF8.self) }

    private static func invite(
        _ client: any TestClientProtocol,
        _ email: String,
        _ role: Role = .viewer,
        key: String
    ) async throws -> Answer {
        let draft = body(["email": .string(email), "role": .string(role.rawValue)])
        return try await client.send(.post, "/api/v1/invites", key: key, body: draft)
    }

    private static func accept(
        _ client: any TestClientProtocol,
        _ token: JSONValue?,
        _ password: String = Self.password,
        name: String = "Lise"
    ) async throws -> Answer {
        let members: JSONValue = [
            "token": token ?? .string(""), "name": .string(name), "password": .string(password),
        ]
        return try await client.send(.post, accept, body: body(members))
    }

    @Test("who was invited joins with the role they were given, once", arguments: DatabaseKind.allCases)
    func joining(_ kind: DatabaseKind) async throws {
        try await withInvites(kind, AccountSettings()) { fixture, client in
            let made = try await Self.invite(client, "Lise@example.com", .editor, key: fixture.key)
            #expect(made.status == 201, "\(made.text)")
            #expect(IssuedInviteWire.schema.violations(of: try #require(made.json)) == [])
            #expect(made.json?["invite"]?["isMailed"] == false)
            let token = made.json?["token"]
            let list = try await client.send(.get, "/api/v1/invites", key: fixture.key)
            #expect(list.json?["invites"]?.arrayValue?.count == 1)
            #expect(InviteListWire.schema.violations(of: try #require(list.json)) == [])
            #expect(!list.text.contains(try #require(token?.stringValue)))
            let stored = try await fixture.database.read(of: .everyTenant) { transaction in
                try transaction.rows("SELECT * FROM access_invites").map { "\($0.values)" }.joined()
            }
            #expect(!stored.contains(try #require(token?.stringValue)))

            let joined = try await Self.accept(client, token)
            #expect(joined.status == 200, "\(joined.text)")
            let access = try #require(joined.json?["accessToken"]?.stringValue)
            #expect(joined.json?["user"]?["role"] == "editor")
            #expect(try await client.send(.get, "/api/v1/airtable/bases/\(fixture.base.id)", key: access).status == 200)
            #expect(try await client.send(.get, "/api/v1/users", key: access).status == 403)
            #expect(try await Self.accept(client, token).code == "tokenRefused")
            #expect(try await client.send(.get, "/api/v1/invites", key: fixture.key).json?["invites"] == [])
        }
    }

    @Test("a person of another tenant joins with the password they have, and is a user of both")
    func second() async throws {
        try await withInvites { fixture, client in
            let register = Self.body(["email": "lise@example.com", "password": .string(Self.password), "name": "Lise"])
            let home = try await client.send(.post, "/api/v1/auth/register", body: register)
            #expect(home.status == 201)
            let token = try await Self.invite(client, "LISE@example.com", key: fixture.key).json?["token"]
            #expect(try await Self.accept(client, token, "another password of hers").code == "tokenRefused")
            let joined = try await Self.accept(client, token)
            #expect(joined.status == 200, "\(joined.text)")
            #expect(joined.json?["user"]?["id"] != home.json?["user"]?["id"])
            let access = try #require(joined.json?["accessToken"]?.stringValue)
            #expect(try await client.send(.get, "/api/v1/airtable/bases/\(fixture.base.id)", key: access).status == 200)
            let tenants = try await client.send(.get, "/api/v1/tenants", key: access)
            #expect(tenants.json?["tenants"]?.arrayValue?.count == 2, "\(tenants.text)")
            let first = try #require(tenants.json?["tenants"]?.arrayValue?.first?["id"]?.stringValue)
            let entered = try await client.send(.post, "/api/v1/tenants/\(first)/sessions", key: access)
            #expect(entered.status == 201, "\(entered.text)")
            #expect(entered.json?["user"]?["id"] == home.json?["user"]?["id"])
            let nowhere = "/api/v1/tenants/\(TenantID.random())/sessions"
            #expect(try await client.send(.post, nowhere, key: access).status == 404)
            #expect(try await client.send(.post, "/api/v1/tenants/\(first)/sessions", key: fixture.key).status == 403)
            #expect(try await client.send(.get, "/api/v1/tenants", key: fixture.key).status == 403)
            // Invited once more they stay who they are; signed in they need no password.
            let again = try await Self.invite(client, "lise@example.com", .guest, key: fixture.key).json?["token"]
            let body = Self.body(["token": again ?? .null])
            let path = "/api/v1/users/me/invites"
            #expect(try await client.send(.post, path, key: fixture.key, body: body).status == 403)
            let same = try await client.send(.post, path, key: access, body: body)
            #expect(same.status == 201, "\(same.text)")
            #expect(same.json?["user"]?["id"] == joined.json?["user"]?["id"])
            #expect(same.json?["user"]?["role"] == "viewer")
        }
    }

    @Test("a guest is let into one base, and sees nothing else", arguments: DatabaseKind.allCases)
    func guest(_ kind: DatabaseKind) async throws {
        try await withInvites(kind) { fixture, client in
            let other = try await fixture.airtable.createBase(name: "Other", tables: [], context: fixture.owner).base
            func draft(_ grants: String) -> String {
                #"{"email":"lise@example.com","role":"guest","grants":[\#(grants)]}"#
            }
            let place = #"{"role":"viewer","base":"\#(fixture.base.id)"}"#
            let made = try await client.send(.post, "/api/v1/invites", key: fixture.key, body: draft(place))
            #expect(made.status == 201, "\(made.text)")
            #expect(made.json?["invite"]?["grants"]?.arrayValue?.first?["base"]?.stringValue == "\(fixture.base.id)")
            let joined = try await Self.accept(client, made.json?["token"])
            let access = try #require(joined.json?["accessToken"]?.stringValue)
            #expect(joined.json?["user"]?["role"] == "guest")
            let bases = try await client.send(.get, "/api/v1/airtable/bases", key: access)
            #expect(bases.json?["bases"]?.arrayValue?.map { $0["id"]?.stringValue } == ["\(fixture.base.id)"])
            #expect(try await client.send(.get, "/api/v1/airtable/bases/\(other.id)", key: access).status == 404)
            #expect(try await client.send(.get, "/api/v1/users", key: access).status == 403)
            #expect(try await client.send(.get, "/api/v1/invites", key: access).status == 403)

            let odd = [
                (#"{"role":"viewer"}"#, 422), (#"{"role":"owner","base":"\#(fixture.base.id)"}"#, 422),
                (#"{"role":"viewer","base":"\#(BaseID.random())"}"#, 404),
                (#"{"role":"viewer","workspace":"\#(WorkspaceID.random())"}"#, 404),
                (#"{"role":"viewer","base":"\#(fixture.base.id)","workspace":"\#(fixture.base.workspace)"}"#, 422),
                ("\(place),\(place)", 400),
            ]
            for (grants, status) in odd {
                let answer = try await client.send(.post, "/api/v1/invites", key: fixture.key, body: draft(grants))
                #expect(answer.status == status, "\(grants) \(answer.text)")
            }
        }
    }

    @Test("with a mail relay the token is in the mail and in no answer, and is not kept for another one")
    func mailed() async throws {
        try await withInvites(.sqlite, AccountSettings(sendsMail: true)) { fixture, client in
            let made = try await Self.invite(client, "lise@example.com", key: fixture.key)
            #expect(made.status == 201 && made.json?["token"] == nil)
            #expect(made.json?["invite"]?["isMailed"] == true)
            let mails = try await fixture.accounts.dueMails(limit: 9, logger: fixture.log.logger())
            let text = try #require(mails.first?.text)
            #expect(mails.map(\.recipient) == ["lise@example.com"] && text.contains("7 days"))
            let lines = text.split(separator: "\n").map(String.init)
            let token = lines.first { $0.count == 33 && $0.allSatisfy { $0.isLetter || $0.isNumber } }
            let joined = try await Self.accept(client, token.map { .string($0) })
            #expect(joined.json?["user"]?["emailVerified"] == true, "\(joined.text)")
        }
    }

    @Test("AUTH-06: inviting and failing to accept tell nothing of who has an account")
    func silent() async throws {
        try await withInvites { fixture, client in
            let register = Self.body(["email": "lise@example.com", "password": .string(Self.password), "name": "Lise"])
            _ = try await client.send(.post, "/api/v1/auth/register", body: register)
            let known = try await Self.invite(client, "lise@example.com", key: fixture.key)
            let unknown = try await Self.invite(client, "nobody@example.com", key: fixture.key)
            #expect([known.status, unknown.status] == [201, 201])
            #expect(known.json?.objectValue?.keys == unknown.json?.objectValue?.keys)
            // Nor does a password that nobody could choose.
            let weak = [
                try await Self.accept(client, known.json?["token"], "12345678"),
                try await Self.accept(client, unknown.json?["token"], "12345678"),
            ]
            #expect(weak.map(\.code) == ["weakPassword", "weakPassword"])
            #expect(weak[0].detail == weak[1].detail)
            let refused = [
                try await Self.accept(client, known.json?["token"], "not her password"),
                try await Self.accept(client, "000000000000000000000000000000000"),
                try await Self.accept(client, "nonsense"),
            ]
            #expect(Set(refused.map(\.code)) == ["tokenRefused"])
            #expect(Set(refused.map(\.detail)).count == 1)
        }
    }

    @Test("AUTHZ-07: only who manages members invites, and nobody above themselves; taken back is dead")
    func refused() async throws {
        try await withInvites { fixture, client in
            let members = try await fixture.key([.membersManage])
            #expect(try await Self.invite(client, "a@example.com", .viewer, key: members).status == 403)
            #expect(try await Self.invite(client, "a@example.com", .guest, key: members).status == 201)
            let reader = try await fixture.key([.recordsRead, .search])
            #expect(try await Self.invite(client, "a@example.com", .guest, key: reader).status == 403)
            #expect(try await client.send(.get, "/api/v1/invites", key: reader).status == 403)

            let made = try await Self.invite(client, "b@example.com", .owner, key: fixture.key)
            let id = try #require(made.json?["invite"]?["id"]?.stringValue)
            let other = try await fixture.access.createTenant(name: "o", ownerName: "o", context: fixture.owner)
            let stolen = try await client.send(.delete, "/api/v1/invites/\(id)", key: other.key.text)
            #expect(stolen.status == 404)
            #expect(try await client.send(.delete, "/api/v1/invites/\(id)", key: fixture.key).status == 204)
            #expect(try await client.send(.delete, "/api/v1/invites/\(id)", key: fixture.key).status == 404)
            #expect(try await Self.accept(client, made.json?["token"]).code == "tokenRefused")
            for odd in [#""tenant":"x""#, #""accepted":true"#, #""expires":"2099-01-01T00:00:00Z""#] {
                let draft = #"{"email":"c@example.com","role":"guest",\#(odd)}"#
                #expect(try await client.send(.post, "/api/v1/invites", key: fixture.key, body: draft).status == 422)
            }
        }
    }

    @Test("an invite is dead after seven days, and when its tenant is suspended", arguments: DatabaseKind.allCases)
    func dead(_ kind: DatabaseKind) async throws {
        try await withInvites(kind) { fixture, client in
            let other = try await fixture.access.createTenant(name: "o", ownerName: "o", context: fixture.owner)
            let token = try await Self.invite(client, "d@example.com", key: other.key.text).json?["token"]
            try await fixture.access.changeTenant(other.tenant.id, isSuspended: true, context: fixture.owner)
            #expect(try await Self.accept(client, token).code == "tokenRefused")
            try await fixture.access.changeTenant(other.tenant.id, isSuspended: false, context: fixture.owner)
            _ = try await fixture.database.write(of: .everyTenant) { transaction in
                try transaction.execute("UPDATE access_invites SET expires_time = created_time")
            }
            #expect(try await Self.accept(client, token).code == "tokenRefused")
        }
    }

    @Test("of many who accept one invite at once one joins", arguments: DatabaseKind.allCases)
    func race(_ kind: DatabaseKind) async throws {
        try await withInvites(kind) { fixture, client in
            let token = try await Self.invite(client, "e@example.com", key: fixture.key).json?["token"]
            let statuses = await withTaskGroup(of: Int.self) { group in
                for number in 0..<6 {
                    group.addTask {
                        (try? await Self.accept(client, token, name: "Lise \(number)").status) ?? 0
                    }
                }
                return await group.reduce(into: []) { $0.append($1) }
            }
            #expect(statuses.filter { $0 == 200 }.count == 1, "\(statuses)")
            let users = try await fixture.access.users(UserFilter(email: "e@example.com"), context: fixture.owner)
            #expect(users.users.count == 1)
        }
    }
}

extension GatewayFixture {
    /// One that waits.
    func invite() async throws -> InviteID {
        let draft = InviteDraft(email: "\(InviteID.random())@example.com", role: .guest)
        return try await accounts.invite(draft, checking: airtable, context: owner).invite.id
    }
}
