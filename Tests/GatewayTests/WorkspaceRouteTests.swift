import Access
import Airtable
import Domain
import HTTPTypes
import HummingbirdTesting
import TestSupport
import Testing

@testable import Gateway

@Suite("Workspaces over HTTP")
struct WorkspaceRouteTests {
    private static let path = "/api/v1/workspaces"

    @Test("are made, renamed, filled with bases, and deleted when they are empty", arguments: DatabaseKind.allCases)
    func managing(_ kind: DatabaseKind) async throws {
        try await withPeople(kind) { cast, client in
            let (key, base) = (try #require(cast.keys[.admin]), cast.fixture.base)
            let made = try await client.send(.post, Self.path, key: key, body: #"{"name":"Lab"}"#)
            #expect(made.status == 201, "\(made.text)")
            let id = try #require(made.json?["id"]?.stringValue)
            let lab = "\(Self.path)/\(id)"
            let home = "\(Self.path)/\(base.workspace)"
            #expect(try await client.send(.patch, lab, key: key, body: #"{"name":"Laboratory"}"#).status == 200)
            #expect(try await client.send(.get, lab, key: key).json?["name"] == "Laboratory")
            #expect(try await client.send(.get, Self.path, key: key).json?["workspaces"]?.arrayValue?.count == 2)
            #expect(try await client.send(.get, lab + "/bases", key: key).json?["bases"] == [])

            #expect(try await client.send(.delete, home, key: key).status == 400)
            let moved = try await client.send(.put, "\(lab)/bases/\(base.id)", key: key)
            #expect(moved.status == 200, "\(moved.text)")
            #expect(moved.json?["workspaceId"]?.stringValue == id)
            #expect(try await client.send(.get, lab + "/bases", key: key).json?["bases"]?.arrayValue?.count == 1)
            #expect(try await client.send(.get, home + "/bases", key: key).json?["bases"] == [])
            // What is in the base is where it was.
            #expect(try await client.send(.get, cast.fixture.tablePath + "/records", key: key).status == 200)

            #expect(try await client.send(.delete, "\(lab)?moveTo=\(id)", key: key).status == 400)
            #expect(try await client.send(.delete, "\(lab)?moveTo=\(WorkspaceID.random())", key: key).status == 404)
            #expect(try await client.send(.delete, "\(lab)?moveTo=\(base.workspace)", key: key).status == 204)
            #expect(try await client.send(.get, home + "/bases", key: key).json?["bases"]?.arrayValue?.count == 1)
            #expect(try await client.send(.get, lab, key: key).status == 404)
            let report = try await cast.fixture.airtable.verify(context: cast.fixture.owner)
            #expect(report.problems.isEmpty, "\(report.problems)")
        }
    }

    @Test("members have their role in the workspace, and in no other", arguments: DatabaseKind.allCases)
    func members(_ kind: DatabaseKind) async throws {
        try await withPeople(kind) { cast, client in
            let (admin, base) = (try #require(cast.keys[.admin]), cast.fixture.base)
            let guest = try await cast.fixture.access.createKey(
                APIKeyDraft(name: "g", scopes: Role.editor.permissions, owner: cast.id(.guest)),
                context: cast.fixture.owner
            ).text
            let members = "\(Self.path)/\(base.workspace)/members"
            let member = "\(members)/\(cast.id(.guest))"
            let records = cast.fixture.tablePath + "/records"
            #expect(try await client.send(.get, records, key: guest).status == 403)
            for role in ["viewer", "editor"] {
                let set = try await client.send(.put, member, key: admin, body: #"{"role":"\#(role)"}"#)
                #expect(set.status == 200 && set.headers[.policyVersion] != nil, "\(set.text)")
                let list = try await client.send(.get, members, key: admin)
                #expect(list.json?["members"]?.arrayValue?.map { $0["role"]?.stringValue } == [role])
                #expect(try await client.send(.get, records, key: guest).status == 200)
            }
            let second = try await cast.fixture.access.createWorkspace(name: "Second", context: cast.fixture.owner)
            #expect(try await client.send(.get, "\(Self.path)/\(second.id)", key: guest).status == 404)
            // A base that moves away takes what is in it along.
            _ = try await client.send(.put, "\(Self.path)/\(second.id)/bases/\(base.id)", key: admin)
            #expect([403, 404].contains(try await client.send(.get, records, key: guest).status))
            _ = try await client.send(.put, "\(Self.path)/\(base.workspace)/bases/\(base.id)", key: admin)
            #expect(try await client.send(.get, records, key: guest).status == 200)
            #expect(try await client.send(.delete, member, key: admin).status == 204)
            #expect(try await client.send(.delete, member, key: admin).status == 404)
            #expect(try await client.send(.get, records, key: guest).status == 403)
            for key in [cast.keys[.editor], cast.keys[.viewer], guest] {
                let answers = [
                    try await client.send(.get, members, key: key),
                    try await client.send(.put, member, key: key, body: #"{"role":"viewer"}"#),
                    try await client.send(.delete, member, key: key),
                ]
                for answer in answers { #expect(answer.status == 403, "\(answer.text)") }
            }
            #expect(try await client.send(.put, member, key: admin, body: #"{"role":"owner"}"#).status == 422)
            let stolen = try await client.send(.get, members, key: cast.stranger)
            let missing = "\(Self.path)/\(WorkspaceID.random())/members"
            let nowhere = try await client.send(.get, missing, key: cast.stranger)
            #expect([stolen.status, nowhere.status] == [404, 404] && stolen.detail == nowhere.detail)
        }
    }

    @Test("AUTHZ-07: an editor makes, renames and deletes none, and moves no base", arguments: DatabaseKind.allCases)
    func refused(_ kind: DatabaseKind) async throws {
        try await withPeople(kind) { cast, client in
            let second = try await cast.fixture.access.createWorkspace(name: "Second", context: cast.fixture.owner)
            let path = "\(Self.path)/\(second.id)"
            for role in [Role.editor, .commenter, .viewer, .guest] {
                let key = try #require(cast.keys[role])
                let answers = [
                    try await client.send(.post, Self.path, key: key, body: #"{"name":"x"}"#),
                    try await client.send(.patch, path, key: key, body: #"{"name":"x"}"#),
                    try await client.send(.delete, path, key: key),
                    try await client.send(.put, "\(path)/bases/\(cast.fixture.base.id)", key: key),
                ]
                for answer in answers { #expect(answer.status == 403, "\(role) \(answer.text)") }
                #expect(try await client.send(.get, path, key: key).status == (role == .guest ? 403 : 200))
            }
        }
    }

    @Test("AUTHZ-03: one of another tenant, or without anything to see in it, is as one that is not there")
    func invisible() async throws {
        try await withPeople { cast, client in
            let second = try await cast.fixture.access.createWorkspace(name: "Second", context: cast.fixture.owner)
            let missing = try await client.send(.get, "\(Self.path)/\(WorkspaceID.random())", key: cast.stranger)
            for path in ["", "/bases"] {
                let answer = try await client.send(.get, "\(Self.path)/\(second.id)\(path)", key: cast.stranger)
                #expect(answer.status == 404)
                #expect(answer.detail == missing.detail)
            }
            let theirs = try await client.send(.get, Self.path, key: cast.stranger).json?["workspaces"]?.arrayValue
            let own = try #require(theirs?.first?["id"]?.stringValue)
            #expect(theirs?.count == 1)
            let body = #"{"name":"x"}"#
            let stolen = [
                try await client.send(.patch, "\(Self.path)/\(second.id)", key: cast.stranger, body: body),
                try await client.send(.delete, "\(Self.path)/\(second.id)", key: cast.stranger),
                try await client.send(.put, "\(Self.path)/\(own)/bases/\(cast.fixture.base.id)", key: cast.stranger),
                try await client.send(.put, "\(Self.path)/\(own)/bases/\(cast.fixture.base.id)", key: cast.fixture.key),
            ]
            for answer in stolen { #expect(answer.status == 404, "\(answer.text)") }

            // The last one stays, though it is empty.
            #expect(try await client.send(.delete, "\(Self.path)/\(own)", key: cast.stranger).status == 400)

            // A key of one base sees the workspace it stands in, and no other.
            let narrow = try await cast.fixture.key([.basesRead], bases: [cast.fixture.base.id])
            let seen = try await client.send(.get, Self.path, key: narrow).json?["workspaces"]?.arrayValue
            #expect(seen?.compactMap { $0["id"]?.stringValue } == [cast.fixture.base.workspace.description])
            #expect(try await client.send(.get, "\(Self.path)/\(second.id)", key: narrow).status == 404)
        }
    }
}
