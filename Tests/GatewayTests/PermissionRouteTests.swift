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

extension GatewayFixture {
    func group() async throws -> GroupID {
        try await access.createGroup(name: "Group \(GroupID.random())", context: owner).value.id
    }

    func role() async throws -> RoleID {
        try await access.createRole(name: "Role \(RoleID.random())", permissions: [.membersManage], context: owner)
            .value.id
    }

    /// One that changes nothing for anybody.
    func grant() async throws -> GrantID {
        let draft = GrantDraft(subject: .group(try await group()), bundle: .role(.viewer), resource: .base(base.id))
        return try await access.createGrant(draft, checking: airtable, context: owner).value.id
    }

    /// Makes another tenant by hand: there is no command for it yet.
    func strangerKey() async throws -> String {
        let store = AccessStore(database: database)
        let tenant = TenantID.random()
        let time = Instant(milliseconds: 0)
        let user = User(id: .random(), name: "owner", role: .owner, isDisabled: false, createdTime: time)
        _ = try await database.write(of: .everyTenant) { transaction in
            try transaction.execute(
                "INSERT INTO access_tenants (id, name, owner, created_time) VALUES ($1, 'other', $2, 0)",
                [.text(tenant.description), .text(user.id.description)]
            )
        }
        _ = try await store.insert(user, tenant: tenant, limit: 10)
        var generator = SystemRandomNumberGenerator()
        let text = KeyText(id: .random(), using: &generator)
        let key = APIKey(
            id: text.id,
            owner: user.id,
            name: "other",
            scopes: Set(Permission.allCases),
            bases: nil,
            expires: nil,
            isDisabled: false,
            createdTime: time,
            lastUsedTime: nil,
            lastFour: text.lastFour
        )
        _ = try await store.insert(key, digest: text.digest, tenant: tenant, limit: 10)
        return text.secret.revealed
    }

    /// A user with a role, and a key that may do all they may.
    func person(_ role: Role = .guest) async throws -> (id: UserID, key: String) {
        let user = try await access.createUser(name: "user \(UserID.random())", role: role, context: owner)
        let draft = APIKeyDraft(name: "all", scopes: Set(Permission.allCases), owner: user.id)
        return (user.id, try await access.createKey(draft, context: owner).text)
    }
}

@Suite("Permission routes")
struct PermissionRouteTests {
    private static let path = "/api/v1/permissions"

    @Test(
        "AUTHZ-02: a guest is given one table, but for one field, and sees just that",
        arguments: DatabaseKind.allCases
    )
    func grants(_ kind: DatabaseKind) async throws {
        try await withGateway(kind) { fixture in
            let gus = try await fixture.person()
            let state = try #require(fixture.elements.field("State"))
            try await fixture.server().publicApplication.test(.router) { client in
                let bases = "/api/v1/airtable/bases"
                #expect(try await client.send(.get, bases, key: gus.key).status == 403)
                let place = "\"base\": \"\(fixture.base.id)\", \"table\": \"\(fixture.elements.id)\""
                let subject = "\"subject\": {\"user\": \"\(gus.id)\"}"
                let allowed = try await client.send(
                    .post,
                    Self.path + "/grants",
                    key: fixture.key,
                    body: "{\(subject), \"role\": \"viewer\", \"resource\": {\(place)}}"
                )
                #expect(allowed.status == 201, "\(allowed.text)")
                let denied = try await client.send(
                    .post,
                    Self.path + "/grants",
                    key: fixture.key,
                    body: """
                        {\(subject), "effect": "deny", "permissions": ["records:read"],
                        "resource": {\(place), "field": "\(state.id)"}}
                        """
                )
                #expect(denied.status == 201, "\(denied.text)")
                let version = try #require(denied.headers[.policyVersion].flatMap { Int($0) })

                let seen = try await client.send(.get, bases, key: gus.key)
                #expect(seen.json?["bases"]?.arrayValue?.count == 1)
                let tables = try await client.send(.get, "\(bases)/\(fixture.base.id)/tables", key: gus.key)
                #expect(tables.text.contains("Elements"))
                #expect(!tables.text.contains("Isotopes\""))
                let records = try await client.send(
                    .get,
                    fixture.tablePath + "/records",
                    key: gus.key,
                    headers: [.policyVersion: "\(version)"]
                )
                #expect(records.status == 200)
                #expect(records.text.contains("Helium"))
                #expect(!records.text.contains("Gas"))
                let future = try await client.send(
                    .get,
                    fixture.tablePath + "/records",
                    key: gus.key,
                    headers: [.policyVersion: "\(version + 1)"]
                )
                #expect(future.status == 400)

                let list = try await client.send(.get, Self.path + "/grants?user=\(gus.id)", key: fixture.key)
                let ids = list.json?["grants"]?.arrayValue?.compactMap { $0["id"]?.stringValue } ?? []
                #expect(ids.count == 2)
                for id in ids {
                    let one = try await client.send(.get, Self.path + "/grants/\(id)", key: fixture.key)
                    #expect(one.json?["subject"]?["user"]?.stringValue == gus.id.description)
                    let gone = try await client.send(.delete, Self.path + "/grants/\(id)", key: fixture.key)
                    #expect(gone.status == 204)
                    #expect(gone.headers[.policyVersion] != nil)
                    #expect(try await client.send(.get, Self.path + "/grants/\(id)", key: fixture.key).status == 404)
                }
                #expect(try await client.send(.get, bases, key: gus.key).status == 403)
            }
        }
    }

    @Test("AUTHZ-06: what a body does not know is refused, and what is not there is not found")
    func refusals() async throws {
        try await withGateway { fixture in
            let (base, table) = (fixture.base.id, fixture.elements.id)
            let everybody = #""subject": {"everybody": true}"#
            let viewer = #""role": "viewer""#
            let cases: [(status: Int, body: String)] = [
                (422, "{}"), (422, "[]"),
                (422, "{\(everybody), \(viewer), \"resource\": {}, \"tenantId\": \"x\"}"),
                (422, "{\(everybody), \(viewer), \"resource\": {}, \"createdBy\": \"\(UserID.random())\"}"),
                (422, "{\"subject\": {}, \(viewer), \"resource\": {}}"),
                (422, "{\"subject\": {\"everybody\": false}, \(viewer), \"resource\": {}}"),
                (
                    422,
                    "{\"subject\": {\"everybody\": true, \"user\": \"\(UserID.random())\"}, \(viewer), \"resource\": {}}"
                ),
                (422, "{\(everybody), \"resource\": {}}"),
                (422, "{\(everybody), \(viewer), \"permissions\": [\"search\"], \"resource\": {}}"),
                (422, "{\(everybody), \"permissions\": [], \"resource\": {}}"),
                (422, "{\(everybody), \"permissions\": [\"everything\"], \"resource\": {}}"),
                (422, "{\(everybody), \"role\": \"king\", \"resource\": {}}"),
                (422, "{\(everybody), \(viewer), \"resource\": {\"table\": \"\(table)\"}}"),
                (
                    422,
                    "{\(everybody), \(viewer), \"resource\": {\"base\": \"\(base)\", \"record\": \"\(RecordID.random())\"}}"
                ),
                (400, "{\(everybody), \(viewer), \"resource\": {\"base\": \"../x\"}}"),
                (400, "{\(everybody), \"role\": \"guest\", \"resource\": {}}"),
                (404, "{\(everybody), \"role\": \"\(RoleID.random())\", \"resource\": {}}"),
                (404, "{\"subject\": {\"user\": \"\(UserID.random())\"}, \(viewer), \"resource\": {}}"),
                (404, "{\"subject\": {\"key\": \"\(KeyID.random())\"}, \(viewer), \"resource\": {}}"),
                (404, "{\(everybody), \(viewer), \"resource\": {\"base\": \"\(BaseID.random())\"}}"),
                (404, "{\(everybody), \(viewer), \"resource\": {\"workspace\": \"\(WorkspaceID.random())\"}}"),
                (
                    404,
                    "{\(everybody), \(viewer), \"resource\": {\"base\": \"\(base)\", \"table\": \"\(TableID.random())\"}}"
                ),
                (
                    404,
                    """
                    {\(everybody), "effect": "deny", "permissions": ["records:read"],
                    "resource": {"base": "\(base)", "table": "\(table)", "field": "\(FieldID.random())"}}
                    """
                ),
                (
                    404,
                    """
                    {\(everybody), "permissions": ["records:read"],
                    "resource": {"base": "\(base)", "table": "\(table)", "record": "\(RecordID.random())"}}
                    """
                ),
            ]
            try await fixture.server().publicApplication.test(.router) { client in
                for (status, body) in cases {
                    let answer = try await client.send(.post, Self.path + "/grants", key: fixture.key, body: body)
                    #expect(answer.status == status, "\(body): \(answer.text)")
                }
                #expect(try await fixture.access.grants(limit: 9, context: fixture.owner).isEmpty)
            }
        }
    }

    @Test("AUTHZ-03: another tenant's grants, roles, groups and users are not found", arguments: DatabaseKind.allCases)
    func isolation(_ kind: DatabaseKind) async throws {
        try await withGateway(kind) { fixture in
            let grant = try await fixture.grant()
            let (group, role) = (try await fixture.group(), try await fixture.role())
            let stranger = try await fixture.strangerKey()
            try await fixture.server().publicApplication.test(.router) { client in
                func same(
                    _ method: HTTPRequest.Method,
                    _ theirs: String,
                    _ missing: String,
                    body: String? = nil
                ) async throws {
                    let answer = try await client.send(method, Self.path + theirs, key: stranger, body: body)
                    let other = try await client.send(method, Self.path + missing, key: stranger, body: body)
                    #expect(answer.status == 404, "\(method) \(theirs): \(answer.text)")
                    #expect(answer.status == other.status)
                    #expect(answer.detail == other.detail)
                    #expect(answer.code == other.code)
                }
                try await same(.get, "/grants/\(grant)", "/grants/\(GrantID.random())")
                try await same(.delete, "/grants/\(grant)", "/grants/\(GrantID.random())")
                try await same(.get, "/roles/\(role)", "/roles/\(RoleID.random())")
                try await same(.patch, "/roles/\(role)", "/roles/\(RoleID.random())", body: #"{"name": "x"}"#)
                try await same(.delete, "/roles/\(role)", "/roles/\(RoleID.random())")
                try await same(.get, "/groups/\(group)", "/groups/\(GroupID.random())")
                try await same(.patch, "/groups/\(group)", "/groups/\(GroupID.random())", body: #"{"name": "x"}"#)
                try await same(.delete, "/groups/\(group)", "/groups/\(GroupID.random())")
                let user = fixture.owner.principal.user
                try await same(.put, "/groups/\(group)/members/\(user)", "/groups/\(GroupID.random())/members/\(user)")
                let explain = "/explain?permission=search&user="
                try await same(.get, explain + "\(user)", explain + "\(UserID.random())")
                let grantOn = { (base: BaseID) in
                    #"{"subject": {"everybody": true}, "role": "viewer", "resource": {"base": "\#(base)"}}"#
                }
                let ours = try await client.send(
                    .post,
                    Self.path + "/grants",
                    key: stranger,
                    body: grantOn(fixture.base.id)
                )
                let none = try await client.send(.post, Self.path + "/grants", key: stranger, body: grantOn(.random()))
                #expect(ours.status == 404)
                #expect(ours.detail == none.detail)
            }
        }
    }

    @Test("AUTHZ-11: questions are answered about oneself, and about others to who manages members")
    func questions() async throws {
        try await withGateway { fixture in
            let vera = try await fixture.person(.viewer)
            try await fixture.server().publicApplication.test(.router) { client in
                let table = #"{"base": "\#(fixture.base.id)", "table": "\#(fixture.elements.id)"}"#
                let body = """
                    {"questions": [{"permission": "records:read", "resource": \(table)},
                    {"permission": "records:write", "resource": \(table)}]}
                    """
                let answer = try await client.send(.post, Self.path + "/check", key: vera.key, body: body)
                let decisions = answer.json?["answers"]?.arrayValue?.compactMap { $0["decision"]?.stringValue }
                #expect(decisions == ["allowed", "denied"])
                #expect(answer.json?["answers"]?.arrayValue?.first?["role"] == "viewer")
                let about =
                    #"{"questions": [{"subject": {"everybody": true}, "permission": "search", "resource": {}}]}"#
                #expect(try await client.send(.post, Self.path + "/check", key: vera.key, body: about).status == 403)
                #expect(try await client.send(.post, Self.path + "/check", key: fixture.key, body: about).status == 200)
                let many = Array(repeating: #"{"permission": "search", "resource": {}}"#, count: 101).joined(
                    separator: ","
                )
                let tooMany = "{\"questions\": [\(many)]}"
                #expect(try await client.send(.post, Self.path + "/check", key: vera.key, body: tooMany).status == 422)

                let query = "?permission=records:write&base=\(fixture.base.id)&table=\(fixture.elements.id)"
                let own = try await client.send(.get, Self.path + "/explain" + query, key: vera.key)
                #expect(own.json?["answer"]?["decision"] == "denied")
                #expect(own.json?["tenantRole"] == "viewer")
                // The workspace that the base stands in is on the way.
                #expect(own.json?["chain"]?.arrayValue?.count == 4)
                let other = "&user=\(fixture.owner.principal.user)"
                #expect(
                    try await client.send(.get, Self.path + "/explain" + query + other, key: vera.key).status == 403
                )
                for query in [
                    "", "?permission=all", "?permission=search&table=\(fixture.elements.id)",
                    "?permission=search&base=x", "?permission=search&user=\(vera.id)&everybody=true",
                ] {
                    let answer = try await client.send(.get, Self.path + "/explain" + query, key: fixture.key)
                    #expect([400, 422].contains(answer.status), "\(query): \(answer.text)")
                }
                let objects = try await client.send(
                    .get,
                    Self.path + "/objects?permission=records:write",
                    key: vera.key
                )
                #expect(objects.json?["action"]?["bases"] == [])
                #expect(objects.json?["sight"]?["bases"] == nil)
            }
        }
    }

    @Test("groups and roles by their routes, to the end", arguments: DatabaseKind.allCases)
    func groups(_ kind: DatabaseKind) async throws {
        try await withGateway(kind) { fixture in
            let gus = try await fixture.person()
            try await fixture.server().publicApplication.test(.router) { client in
                func send(_ method: HTTPRequest.Method, _ path: String, _ body: String? = nil) async throws -> Answer {
                    try await client.send(method, Self.path + path, key: fixture.key, body: body)
                }
                let made = try await send(.post, "/groups", #"{"name": "Chemists"}"#)
                let group = try #require(made.json?["id"]?.stringValue)
                #expect(try await send(.post, "/groups", #"{"name": "Chemists"}"#).status == 400)
                let member = try await send(.put, "/groups/\(group)/members/\(gus.id)")
                #expect(member.json?["members"] == [.string(gus.id.description)])
                let named = try await send(
                    .post,
                    "/roles",
                    #"{"name": "Reader", "permissions": ["records:read", "bases:read"]}"#
                )
                let role = try #require(named.json?["id"]?.stringValue)
                #expect(try await send(.post, "/roles", #"{"name": "Owner", "permissions": ["search"]}"#).status == 400)
                let grant = try await send(
                    .post,
                    "/grants",
                    #"{"subject": {"group": "\#(group)"}, "role": "\#(role)", "resource": {"base": "\#(fixture.base.id)"}}"#
                )
                #expect(grant.json?["role"]?.stringValue == role)
                let bases = "/api/v1/airtable/bases"
                #expect(try await client.send(.get, bases, key: gus.key).json?["bases"]?.arrayValue?.count == 1)
                #expect(try await client.send(.get, fixture.tablePath, key: gus.key).status == 403)
                _ = try await send(.patch, "/roles/\(role)", #"{"permissions": ["bases:read", "schema:read"]}"#)
                #expect(try await client.send(.get, fixture.tablePath, key: gus.key).status == 200)
                #expect(try await client.send(.get, fixture.tablePath + "/records", key: gus.key).status == 403)
                #expect(try await send(.delete, "/roles/\(role)").status == 409)
                #expect(
                    try await send(.patch, "/groups/\(group)", #"{"name": "Alchemists"}"#).json?["name"] == "Alchemists"
                )
                let left = try await send(.delete, "/groups/\(group)/members/\(gus.id)")
                #expect(left.json?["members"] == [])
                #expect(try await client.send(.get, bases, key: gus.key).status == 403)
                #expect(try await send(.delete, "/groups/\(group)").status == 204)
                #expect(try await send(.delete, "/roles/\(role)").status == 204)
                #expect(try await send(.get, "/groups").json?["groups"] == [])
                #expect(try await send(.get, "/roles").json?["roles"]?.arrayValue?.count == Role.allCases.count)
            }
        }
    }
}
