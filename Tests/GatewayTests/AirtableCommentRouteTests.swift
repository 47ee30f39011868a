import Access
import Airtable
import Domain
import HTTPTypes
import HummingbirdTesting
import Testing

@testable import Gateway

@Suite("Comments by Airtable's API")
struct AirtableCommentRouteTests {
    private static func path(_ fixture: GatewayFixture) -> String {
        "/v0/\(fixture.base.id)/Elements/\(fixture.records[0].id)/comments"
    }

    @Test("are made, listed, answered, changed and deleted")
    func life() async throws {
        try await withGateway { fixture in
            let (key, path, user) = (fixture.key, Self.path(fixture), fixture.owner.principal.user)
            try await fixture.access.setEmail("owner@example.org", of: user, context: fixture.owner)
            let mentioned: JSONValue = [
                user.description: [
                    "id": .string(user.description), "type": "user", "displayName": "owner",
                    "email": "owner@example.org",
                ]
            ]
            try await fixture.server().publicApplication.test(.router) { client in
                let body = #"{"text":"See, @[OWNER@example.org]"}"#
                let made = try await client.send(.post, path, key: key, body: body)
                #expect(made.status == 200, "\(made.text)")
                let id = try #require(made.json?["id"]?.stringValue)
                #expect(made.json?["text"] == .string("See, @[\(user)]"))
                #expect(made.json?["mentioned"] == mentioned)
                #expect(
                    made.json?["author"] == [
                        "id": .string(user.description), "email": "owner@example.org", "name": "owner",
                    ]
                )
                #expect(made.json?["lastUpdatedTime"] == .null && made.json?["reactions"] == [])
                #expect(made.json?["parentCommentId"] == nil)
                let reply = try await client.send(
                    .post,
                    path,
                    key: key,
                    body: #"{"text":"Seen","parentCommentId":"\#(id)"}"#
                )
                #expect(reply.json?["parentCommentId"] == .string(id))
                let all = try await client.send(.get, path, key: key)
                #expect(all.json?["comments"] == [reply.json ?? .null, made.json ?? .null])
                #expect(all.json?["offset"] == .null)
                let page = try await client.send(.get, path + "?pageSize=1", key: key)
                let offset = try #require(page.json?["offset"]?.stringValue)
                #expect(page.json?["comments"] == [reply.json ?? .null])
                let rest = try await client.send(.get, path + "?pageSize=1&offset=\(offset)", key: key)
                #expect(rest.json == ["comments": [made.json ?? .null], "offset": .null])
                let changed = try await client.send(.patch, "\(path)/\(id)", key: key, body: #"{"text":"Never mind"}"#)
                #expect(changed.json?["text"] == "Never mind" && changed.json?["mentioned"] == [:])
                #expect(changed.json?["lastUpdatedTime"]?.stringValue != nil)
                #expect(changed.json?["createdTime"] == made.json?["createdTime"])
                let counted = try await client.send(
                    .get,
                    "/v0/\(fixture.base.id)/Elements?recordMetadata[]=commentCount&fields[]=Name",
                    key: key
                )
                #expect(counted.json?["records"]?.arrayValue?.map { $0["commentCount"] } == [2, 0, 0])
                let deleted = try await client.send(.delete, "\(path)/\(id)", key: key)
                #expect(deleted.json == ["id": .string(id), "deleted": true])
                #expect(try await client.send(.get, path, key: key).json?["comments"]?.arrayValue?.count == 1)
            }
        }
    }

    @Test("are refused without their permission, to others than the author, and where there is nothing")
    func refusals() async throws {
        try await withGateway { fixture in
            let path = Self.path(fixture)
            let reader = try await fixture.key([.commentsRead])
            let colleague = try await fixture.access.createUser(name: "Ada", context: fixture.owner)
            let theirs = try await fixture.access.createKey(
                APIKeyDraft(name: "theirs", scopes: [.commentsRead, .commentsWrite], owner: colleague.id),
                context: fixture.owner
            ).text
            let own = try await fixture.airtable.createComment(
                "Mine",
                on: fixture.records[0].id,
                in: fixture.elements.id,
                context: fixture.owner
            )
            let records = try await fixture.key([.recordsRead])
            let text = #"{"text":"x"}"#
            let other = path.replacing("\(fixture.records[0].id)", with: "recAAAAAAAAAAAAAA")
            let requests: [(HTTPRequest.Method, String, String, String?, Int, JSONValue)] = [
                (.get, path, records, nil, 403, "INVALID_PERMISSIONS"),
                (.post, path, reader, text, 403, "INVALID_PERMISSIONS"),
                (.patch, "\(path)/\(own.id)", theirs, text, 403, "INVALID_PERMISSIONS"),
                (.delete, "\(path)/\(own.id)", theirs, nil, 403, "INVALID_PERMISSIONS"),
                (.post, path, fixture.key, #"{"text":""}"#, 422, "INVALID_REQUEST_UNKNOWN"),
                (.post, path, fixture.key, #"{"text":7}"#, 422, "INVALID_REQUEST_UNKNOWN"),
                (.post, path, fixture.key, "{}", 422, "INVALID_REQUEST_MISSING_FIELDS"),
                (.post, path, fixture.key, #"{"text":"x","parentCommentId":"y"}"#, 422, "INVALID_REQUEST_UNKNOWN"),
                (.get, path + "?pageSize=101", fixture.key, nil, 422, "INVALID_REQUEST_UNKNOWN"),
                (.get, path + "?offset=x", fixture.key, nil, 422, "INVALID_OFFSET_VALUE"),
            ]
            let counted = "/v0/\(fixture.base.id)/Elements?recordMetadata[]=commentCount"
            try await fixture.server().publicApplication.test(.router) { client in
                for (method, path, key, body, status, type) in requests {
                    let answer = try await client.send(method, path, key: key, body: body)
                    #expect(answer.status == status, "\(method) \(path) \(answer.text)")
                    #expect(answer.json?["error"]?["type"] == type, "\(method) \(path)")
                }
                for path in [other, "\(path)/comAAAAAAAAAAAAAA", "\(path)/x"] {
                    let isOne = path != other
                    let answer = try await client.send(isOne ? .delete : .get, path, key: fixture.key)
                    #expect(answer.status == 404 && answer.json == ["error": "NOT_FOUND"], "\(path)")
                }
                // Counting comments needs the right to read them.
                #expect(try await client.send(.get, counted, key: records).status == 403)
                let both = try await fixture.key([.recordsRead, .commentsRead])
                #expect(try await client.send(.get, counted, key: both).status == 200)
            }
        }
    }
}
