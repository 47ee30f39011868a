import Access
import Domain
import HTTPTypes
import HummingbirdTesting
import TestSupport
import Testing

@testable import Gateway

@Suite("Users over HTTP")
struct UserRouteTests {
    private static let path = "/api/v1/users"

    @Test("are listed by pages and filters, and changed and deleted", arguments: DatabaseKind.allCases)
    func managing(_ kind: DatabaseKind) async throws {
        try await withPeople(kind) { cast, client in
            let admin = try #require(cast.keys[.admin])
            var names: [String] = []
            var next = "\(Self.path)?pageSize=3"
            while true {
                let page = try await client.send(.get, next, key: admin)
                #expect(page.status == 200, "\(page.text)")
                names += page.json?["users"]?.arrayValue?.compactMap { $0["name"]?.stringValue } ?? []
                guard let offset = page.json?["offset"]?.stringValue else { break }
                next = "\(Self.path)?pageSize=3&offset=\(offset)"
            }
            #expect(Set(names) == Set(["owner"] + Role.allCases.map { "\($0.rawValue) two" }))
            #expect(names.count == 7)
            let found = try await client.send(.get, "\(Self.path)?email=EDITOR@example.com&disabled=false", key: admin)
            #expect(found.json?["users"]?.arrayValue?.map { $0["role"] } == ["editor"])
            for query in ["role=king", "disabled=maybe", "offset=x", "offset=\(UserID.random())", "pageSize=0", "q=1"] {
                #expect(try await client.send(.get, "\(Self.path)?\(query)", key: admin).status == 400, "\(query)")
            }

            let editor = "\(Self.path)/\(cast.id(.editor))"
            let changed = try await client.send(
                .put,
                editor,
                key: admin,
                body: #"{"name":"Ada","role":"viewer","disabled":true}"#
            )
            #expect(changed.status == 200, "\(changed.text)")
            #expect(changed.json?["name"] == "Ada")
            #expect(changed.json?["role"] == "viewer")
            #expect(try await client.send(.get, editor, key: admin).json == changed.json)
            #expect(try await client.send(.post, "/api/v1/search", key: cast.keys[.editor], body: "{}").status == 401)
            #expect(try await client.send(.delete, editor, key: admin).status == 204)
            #expect(try await client.send(.get, editor, key: admin).status == 404)
        }
    }

    @Test(
        "AUTHZ-07: who manages no members gets 403, nobody rises, and the owner stays",
        arguments: DatabaseKind.allCases
    )
    func refused(_ kind: DatabaseKind) async throws {
        try await withPeople(kind) { cast, client in
            let guest = "\(Self.path)/\(cast.id(.guest))"
            for role in [Role.editor, .commenter, .viewer, .guest] {
                let key = try #require(cast.keys[role])
                let answers = [
                    try await client.send(.get, Self.path, key: key), try await client.send(.get, guest, key: key),
                    try await client.send(.put, guest, key: key, body: #"{"role":"owner"}"#),
                    try await client.send(.delete, guest, key: key),
                ]
                for answer in answers { #expect(answer.status == 403, "\(role) \(answer.text)") }
            }
            let admin = try #require(cast.keys[.admin])
            let first = "\(Self.path)/\(cast.fixture.owner.principal.user)"
            #expect(try await client.send(.put, guest, key: admin, body: #"{"role":"owner"}"#).status == 403)
            #expect(try await client.send(.delete, first, key: admin).status == 403)
            #expect(try await client.send(.delete, first, key: cast.fixture.key).status == 409)
            #expect(try await client.send(.put, first, key: cast.fixture.key, body: #"{"role":"admin"}"#).status == 409)
            #expect(
                try await client.send(.put, first, key: cast.keys[.owner], body: #"{"disabled":true}"#).status == 409
            )
        }
    }

    @Test("AUTHZ-03, AUTHZ-06: another tenant's user is as one that is not there; odd members are refused")
    func strangers() async throws {
        try await withPeople { cast, client in
            let theirs = "\(Self.path)/\(cast.id(.editor))"
            let missing = "\(Self.path)/\(UserID.random())"
            for (method, body) in [(HTTPRequest.Method.get, nil), (.put, #"{"disabled":true}"#), (.delete, nil)] {
                let answers = [
                    try await client.send(method, theirs, key: cast.stranger, body: body),
                    try await client.send(method, missing, key: cast.stranger, body: body),
                ]
                #expect(answers.map(\.status) == [404, 404])
                #expect(answers[0].detail == answers[1].detail)
                #expect(answers[0].code == answers[1].code)
            }
            for member in [
                #""email":"x@y.z""#, #""id":"x""#, #""tenantId":"x""#, #""ownsTenant":true"#, #""isAdmin":true"#,
            ] {
                let answer = try await client.send(.put, theirs, key: cast.fixture.key, body: "{\(member)}")
                #expect(answer.status == 422, "\(member)")
            }
            let still = try await client.send(.get, theirs, key: cast.fixture.key)
            #expect(still.json?["email"] == "editor@example.com")
            #expect(still.json?["disabled"] == false)
        }
    }
}
